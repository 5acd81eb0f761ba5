"""Granite Speech: a small random model of the real classes, saved to disk as one of the hub is, and
opened by our own code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GenerationConfig,
    GPT2Tokenizer,
    GraniteSpeechConfig,
    GraniteSpeechForConditionalGeneration,
    GraniteSpeechPlusConfig,
    GraniteSpeechPlusForConditionalGeneration,
)
from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

from lyricsyncd.errors import ModelError
from lyricsyncd.transcribe import granite, open_transcriber
from lyricsyncd.transcribe.granite import Granite, features
from lyricsyncd.transcribe.pieces import SAMPLE_RATE
from tests.models.test_whisper import byte_letters, song

ROLES = ("<|start_of_role|>", "<|end_of_role|>", "<|end_of_text|>")
WRITTEN = tuple(
    f"Ġ{word}Ġ[T:{n}]" for n in range(5, 1000, 45) for word in ("la", "row", "boat", "_")
)
"""All that it writes: words with tags."""
TEMPLATE = (
    "{% for message in messages %}<|start_of_role|>{{ message['role'] }}<|end_of_role|>"
    "{{ message['content'] }}<|end_of_text|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start_of_role|>assistant<|end_of_role|>{% endif %}"
)


def save_model(folder: Path, *, plus: bool = True, template: bool = True) -> Path:
    """A Granite Speech of few layers that writes words and tags at random."""
    torch.manual_seed(5)
    folder.mkdir(parents=True)
    letters = [*byte_letters(), *WRITTEN]
    inner = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(letters)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = GPT2Tokenizer(tokenizer_object=inner, eos_token=ROLES[2], pad_token="<|pad|>")
    tokenizer.add_special_tokens({"additional_special_tokens": [*ROLES[:2], granite.AUDIO]})
    tokenizer.chat_template = TEMPLATE if template else None
    tokenizer.save_pretrained(folder)
    audio = tokenizer.convert_tokens_to_ids(granite.AUDIO)
    size = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
    text = {
        **size, "model_type": "granite", "vocab_size": len(tokenizer), "num_hidden_layers": 1,
        "num_key_value_heads": 2, "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id, "bos_token_id": tokenizer.eos_token_id,
    }  # fmt: skip
    encoder = {
        "input_dim": 160, "num_layers": 2, "hidden_dim": 32, "num_heads": 2, "dim_head": 16,
        "output_dim": 8, "context_size": 50, "max_pos_emb": 64, "feedforward_mult": 2,
    }  # fmt: skip
    projector = {
        **size, "model_type": "blip_2_qformer", "num_hidden_layers": 1, "vocab_size": 10,
        "encoder_hidden_size": 64 if plus else 32, "cross_attention_frequency": 1,
    }  # fmt: skip
    shared = {
        "text_config": text, "projector_config": projector, "audio_token_index": audio,
        "has_lora_adapter": False, "downsample_rate": 5, "window_size": 15,
        "initializer_range": 0.5,
    }  # fmt: skip
    network: torch.nn.Module
    if plus:
        config = GraniteSpeechPlusConfig(
            **shared, encoder_config={**encoder, "cat_hidden_layers": [1]}
        )
        network = GraniteSpeechPlusForConditionalGeneration(config)
    else:
        network = GraniteSpeechForConditionalGeneration(
            GraniteSpeechConfig(**shared, encoder_config=encoder)
        )
    network.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        suppress_tokens=[
            n for token, n in tokenizer.get_vocab().items() if token not in (*WRITTEN, ROLES[2])
        ],
        # A random model repeats itself for ever.
        no_repeat_ngram_size=2,
        exponential_decay_length_penalty=(6, 1.6),
    )
    network.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("models") / "ibm-granite--granite-small-random")


@pytest.fixture(scope="module")
def opened(folder: Path) -> Granite:
    found = open_transcriber("granite", "ibm-granite/granite-small-random", "cpu", folder.parent)
    assert isinstance(found, Granite)
    return found


def test_words_have_times_and_confidences_in_order(opened: Granite) -> None:
    audio = song()
    words = opened.transcribe(audio, "en")
    assert words
    for word in words:
        assert word.text in ("la", "row", "boat")
        assert word.start is not None
        assert word.end is not None
        assert word.confidence is not None
        assert 0.0 <= word.start <= word.end <= len(audio) / SAMPLE_RATE
        assert 0.0 < word.confidence <= 1.0
    starts = [word.start or 0.0 for word in words]
    assert starts == sorted(starts)


def test_the_prompt_is_the_one_the_model_was_taught(opened: Granite) -> None:
    assert opened._prompt(2) == (
        "<|start_of_role|>system<|end_of_role|>Knowledge Cutoff Date: April 2024.\n"
        "Today's Date: December 19, 2024.\n"
        "You are Granite, developed by IBM. You are a helpful AI assistant<|end_of_text|>\n"
        "<|start_of_role|>user<|end_of_role|><|audio|><|audio|> Timestamps: Transcribe the speech. "
        "After each word, add a timestamp tag showing the end time in centiseconds, e.g. hello "
        "[T:45] world [T:82]<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>"
    )


def test_a_folder_without_a_template_is_asked_the_same(opened: Granite, tmp_path: Path) -> None:
    other = Granite(str(save_model(tmp_path / "granite", template=False)), "cpu")
    assert other._prompt(3) == opened._prompt(3)


def test_the_plain_family_runs_too(tmp_path: Path) -> None:
    where = save_model(tmp_path / "granite", plus=False)
    assert isinstance(Granite(str(where), "cpu").transcribe(song(3.0), None), list)


@pytest.mark.parametrize("n", [1600, 15_999, 16_000, 50_123])
def test_the_model_recognises_what_it_was_taught_with(n: int) -> None:
    """Against transformers' own spectrogram, which needs no torchaudio either."""
    audio = np.random.default_rng(1).normal(0, 0.1, n).astype(np.float32)
    mel = spectrogram(
        audio, np.pad(window_function(400, "hann"), 56), 512, 160, fft_length=512, power=2.0,
        pad_mode="reflect", mel_floor=1e-10, log_mel="log10",
        mel_filters=mel_filter_bank(257, 80, 0.0, 8000.0, 16_000, norm=None, mel_scale="htk"),
    ).T  # fmt: skip
    mel = np.maximum(mel, mel.max() - 8.0) / 4.0 + 1.0
    expected = mel[: len(mel) // 2 * 2].reshape(-1, 160)
    ours = features(torch.from_numpy(audio)[None])[0].numpy()
    assert ours.shape == ((n // 160 + 1) // 2, 160)
    np.testing.assert_allclose(ours, expected, atol=1e-3)


def test_offline_it_says_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"ibm-granite--granite-speech-4\.1-2b-plus") as caught:
        open_transcriber("granite", device="cpu", models_dir=tmp_path)
    assert "\n" not in str(caught.value)
