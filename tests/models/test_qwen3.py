"""Qwen3-ForcedAligner: a small model of the real classes, saved to disk as that of the hub is, and
opened by our own code. One is taught where each word starts, one holds everything likely."""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers import (
    Qwen2Tokenizer,
    Qwen3ASRConfig,
    Qwen3ASRFeatureExtractor,
    Qwen3ASRForConditionalGeneration,
    Qwen3ASRForTokenClassification,
    Qwen3ASRProcessor,
)
from transformers.models.qwen3_asr.processing_qwen3_asr import (
    FORCED_ALIGNER_LANGUAGES,
    LANGUAGE_CODE_TO_NAME,
)

from lyricsyncd.align import acoustic_models, qwen3
from lyricsyncd.align.aligner import Alignment
from lyricsyncd.align.emissions import SAMPLE_RATE
from lyricsyncd.align.qwen3 import Qwen3Aligner
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import ModelError
from lyricsyncd.pipeline.model_set import ModelSet
from lyricsyncd.pipeline.pipeline import LyricSyncPipeline
from lyricsyncd.pipeline.settings import placing_settings
from tests.models.test_whisper import byte_letters

SONG = Path(__file__).parent.parent.parent / "demo" / "songs" / "The_Star.mp3"
FOLDER = "Qwen--Qwen3-ForcedAligner-0.6B-hf"
TEMPLATE = (
    "{% for m in messages %}{% for c in m.content %}{% if c.type == 'audio' %}"
    "<|audio_start|><|audio_pad|><|audio_end|>{% endif %}{% endfor %}{% for c in m.content %}"
    "{% if c.type == 'text' %}{{ c.text }}<timestamp><timestamp>{% endif %}{% endfor %}{% endfor %}"
)
BINS = {word: 4 + 3 * number for number, word in enumerate("abcdefgh")}
"""Where the taught model has each word start, in bins of 80 ms from the start of its window."""
HELD = 5
"""Bins from where a word starts to where it ends."""


def parts() -> tuple[Qwen3ASRProcessor, Qwen3ASRConfig]:
    """The real processor on a tokenizer of bytes, and a network of few weights."""
    tokenizer = Qwen2Tokenizer(
        vocab={letter: number for number, letter in enumerate(byte_letters())},
        merges=[],
        extra_special_tokens={
            "audio_token": "<|audio_pad|>",
            "audio_bos_token": "<|audio_start|>",
            "audio_eos_token": "<|audio_end|>",
        },
    )
    tokenizer.add_tokens(["<timestamp>"], special_tokens=True)
    processor = Qwen3ASRProcessor(Qwen3ASRFeatureExtractor(), tokenizer, TEMPLATE)
    config = Qwen3ASRConfig(
        audio_config={
            "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 32,
            "d_model": 32, "output_dim": 64, "downsample_hidden_size": 8,
        },
        text_config={
            "model_type": "qwen3", "vocab_size": len(tokenizer), "hidden_size": 64,
            "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2,
            "num_key_value_heads": 1, "head_dim": 32,
        },
        audio_token_id=tokenizer.convert_tokens_to_ids("<|audio_pad|>"),
        timestamp_token_id=tokenizer.convert_tokens_to_ids("<timestamp>"),
        pad_token_id=tokenizer.pad_token_id,
        num_labels=500,
    )  # fmt: skip
    return processor, config


def save_model(folder: Path, *, spread: float = 0.02, template: bool = True) -> Path:
    """A model that knows nothing; the wider its weights are spread, the surer it is of it."""
    torch.manual_seed(7)
    processor, config = parts()
    processor.chat_template = TEMPLATE if template else None
    processor.save_pretrained(folder)
    network = Qwen3ASRForTokenClassification(config)
    torch.nn.init.normal_(network.score.weight, std=spread)
    network.save_pretrained(folder)
    return folder


def teach(folder: Path, steps: int = 150) -> Path:
    """A model that has learnt to have each word of `BINS` start and end where these say."""
    torch.manual_seed(7)
    rng = np.random.default_rng(7)
    processor, config = parts()
    network = Qwen3ASRForTokenClassification(config).train()
    # The audio is of no use here, and learning to ignore it would only take longer.
    audio_to_words = network.model.multi_modal_projector.linear_2
    torch.nn.init.zeros_(audio_to_words.weight).requires_grad_(False)
    torch.nn.init.zeros_(audio_to_words.bias).requires_grad_(False)
    optimiser = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(steps):
        said = [rng.choice(list(BINS), rng.integers(1, 6)).tolist() for _ in range(6)]
        length = rng.integers(8_000, 40_000)
        audio = [rng.normal(0, 0.1, length).astype(np.float32) for _ in said]
        inputs, _ = processor.prepare_forced_aligner_inputs(
            audio, [" ".join(words) for words in said], "en"
        )
        marked = inputs["input_ids"] == config.timestamp_token_id
        bins = [at for words in said for word in words for at in (BINS[word], BINS[word] + HELD)]
        loss = torch.nn.functional.cross_entropy(
            network(**inputs).logits[marked], torch.tensor(bins)
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    processor.save_pretrained(folder)
    network.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return teach(tmp_path_factory.mktemp("models") / FOLDER)


@pytest.fixture(scope="module")
def taught(folder: Path) -> Qwen3Aligner:
    return Qwen3Aligner(device="cpu", models_dir=folder.parent)


def noise(seconds: float) -> npt.NDArray[np.float32]:
    samples = np.random.default_rng(1).normal(0, 0.1, round(seconds * SAMPLE_RATE))
    return samples.astype(np.float32)


def about(onset: Sequence[float], held: float = 0.4, *, placed: bool = True) -> Alignment:
    """Words that are placed about there."""
    starts = np.array(onset, np.float64)
    nothing = np.zeros(len(starts))
    return Alignment(
        onset=starts, offset=starts + held, fit=nothing, near=nothing, spread=nothing,
        activity=nothing, coverage=nothing, placed=np.full(len(starts), placed),
        acoustic_model="another",
    )  # fmt: skip


LINES = (("a", "“c,”", "e"), ("g", "—", "b"), ("h",))
ONSETS = (10.0, 11.0, 12.0, 31.5, 32.5, 33.5, 57.03)
"""Too far apart for one window: they start where the rests before the lines end."""


def test_words_start_at_the_bins_that_the_model_says(taught: Qwen3Aligner) -> None:
    onset_posteriors = taught.onset_posteriors(noise(70.0), LINES, "en", about(ONSETS))
    assert onset_posteriors is not None
    assert (onset_posteriors.acoustic_model, onset_posteriors.hop) == ("qwen3", 0.08)
    assert not onset_posteriors.lag.any()
    assert onset_posteriors.index.tolist() == [0, 1, 2, 3, 5, 6], "a dash is not sung"
    windows = np.repeat([8.0, 29.5, 55.03], [3, 2, 1])
    starts = np.floor(windows / 0.08) * 0.08 + [0.08 * BINS[word] for word in "acegbh"]
    np.testing.assert_allclose(onset_posteriors.likeliest, starts, atol=1e-9)


def test_onset_priors_lie_within_their_windows(taught: Qwen3Aligner) -> None:
    onset_posteriors = taught.onset_posteriors(noise(70.0), LINES, "en", about(ONSETS))
    assert onset_posteriors is not None
    posteriors = onset_posteriors.posteriors
    assert len(posteriors.base) == len(posteriors.first) + 1 == len(onset_posteriors.index) + 1
    assert posteriors.base[-1] == len(posteriors.logs)
    assert posteriors.logs.max() == 0.0
    first = posteriors.first * onset_posteriors.hop
    last = (posteriors.first + np.diff(posteriors.base)) * onset_posteriors.hop
    onset = np.array(ONSETS)[onset_posteriors.index]
    assert (first <= onset).all()
    assert (last >= onset + 0.4).all()
    assert (last - first <= 30.0 + 2 * onset_posteriors.hop).all()


def test_they_are_those_that_the_library_reads_from_it(taught: Qwen3Aligner) -> None:
    """Where the order of the words is that of their bins, the library mends nothing."""
    audio = noise(4.0)
    inputs, words = taught._processor.prepare_forced_aligner_inputs(audio, "a c e h", "en")
    with torch.inference_mode():
        logits = taught._network(**inputs).logits
    token = taught._network.config.timestamp_token_id
    (read,) = taught._processor.decode_forced_alignment(logits, inputs["input_ids"], words, token)
    onset_posteriors = taught.onset_posteriors(
        audio, [["a", "c", "e", "h"]], "en", about([0.0, 1.0, 1.5, 3.0])
    )
    assert onset_posteriors is not None
    np.testing.assert_allclose(
        onset_posteriors.likeliest, [word["start_time"] for word in read], atol=1e-3
    )


def test_batches_change_nothing(taught: Qwen3Aligner) -> None:
    asked = taught._questions(noise(70.0), LINES, about(ONSETS))
    assert [window.text for window in asked] == ["a “c,” e", "g — b", "h"]
    one_by_one = [taught._answered([window], "en")[0] for window in asked]
    for alone, together in zip(one_by_one, taught._answered(asked, "en"), strict=True):
        for a, b in zip(alone, together, strict=True):
            assert (a is None) == (b is None)
            if a is not None and b is not None:
                np.testing.assert_allclose(a, b, atol=1e-3)


def test_characters_are_words_of_their_own(taught: Qwen3Aligner) -> None:
    lines = [["我", "爱", "你。"], ["宝贝", "baby"]]
    onset_posteriors = taught.onset_posteriors(
        noise(20.0), lines, "zh", about([3.0, 3.5, 4.0, 6.0, 7.0])
    )
    assert onset_posteriors is not None
    assert onset_posteriors.index.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("language", ["fi", "xx", None])
def test_there_are_no_posteriors_in_other_languages(
    taught: Qwen3Aligner, language: str | None
) -> None:
    assert taught.onset_posteriors(noise(70.0), LINES, language, about(ONSETS)) is None


def test_there_are_no_posteriors_where_nothing_was_placed(taught: Qwen3Aligner) -> None:
    assert taught.onset_posteriors(noise(70.0), LINES, "en", about(ONSETS, placed=False)) is None
    assert taught.onset_posteriors(noise(9.0), [["…", "—"]], "en", about([1.0, 2.0])) is None


def test_languages_without_spaces_name_what_parts_their_words(taught: Qwen3Aligner) -> None:
    for code, package in qwen3._SEGMENTERS.items():
        if importlib.util.find_spec(package) is not None:
            continue
        with pytest.raises(ModelError, match=f"pip install {package}"):
            taught.onset_posteriors(noise(9.0), [["は", "い"]], code, about([1.0, 2.0]))


def test_languages_are_those_of_the_library() -> None:
    known = {
        code for code, name in LANGUAGE_CODE_TO_NAME.items() if name in FORCED_ALIGNER_LANGUAGES
    }
    assert known == qwen3.LANGUAGES


def test_a_folder_without_a_template_is_asked_the_same(folder: Path, tmp_path: Path) -> None:
    other = Qwen3Aligner(str(save_model(tmp_path / "qwen", template=False)), "cpu")
    with_template = Qwen3Aligner(str(folder), "cpu")._processor
    for text in ("hold me", "我爱 you"):
        asked = [p.prepare_forced_aligner_inputs(noise(1.0), text, "zh")[0]["input_ids"].tolist()
                 for p in (other._processor, with_template)]  # fmt: skip
        assert asked[0] == asked[1]


def test_a_template_that_asks_for_no_times_is_reported(folder: Path, tmp_path: Path) -> None:
    copied(folder, tmp_path)
    (tmp_path / "chat_template.jinja").write_text("<|audio_start|><|audio_pad|><|audio_end|>")
    with pytest.raises(ModelError, match=r"chat_template\.jinja"):
        Qwen3Aligner(str(tmp_path), "cpu").onset_posteriors(noise(70.0), LINES, "en", about(ONSETS))


def copied(folder: Path, to: Path) -> None:
    for path in folder.iterdir():
        (to / path.name).write_bytes(path.read_bytes())


def test_the_model_of_the_makers_own_library_is_reported_apart(
    folder: Path, tmp_path: Path
) -> None:
    copied(folder, tmp_path)
    reported = json.loads((tmp_path / "config.json").read_text())
    inner = {key: reported.pop(key) for key in ("audio_config", "text_config")}
    (tmp_path / "config.json").write_text(json.dumps({**reported, "thinker_config": inner}))
    with pytest.raises(ModelError, match=r"take Qwen/Qwen3-ForcedAligner-0\.6B-hf") as caught:
        Qwen3Aligner(str(tmp_path), "cpu")
    assert "\n" not in str(caught.value)


def test_a_recogniser_of_the_family_is_reported_apart(folder: Path, tmp_path: Path) -> None:
    """Loaded all the same, the weights that it lacks would be drawn by lot."""
    copied(folder, tmp_path)
    Qwen3ASRForConditionalGeneration(parts()[1]).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="not those of an aligner"):
        Qwen3Aligner(str(tmp_path), "cpu")


def test_offline_it_says_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=FOLDER) as caught:
        acoustic_models.open_second_aligner("qwen3", "cpu", tmp_path)
    assert "processor_config.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_older_transformers_is_reported_by_its_number(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not `transformers` as imported here: it puts another module in its place.
    monkeypatch.setattr(sys.modules["transformers"], "Qwen3ASRForTokenClassification", None)
    with pytest.raises(ModelError, match=r"5\.13 or newer, not \d+\.\d+") as caught:
        Qwen3Aligner(str(folder), "cpu")
    assert 'pip install --upgrade "lyricsyncd[qwen3]"' in str(caught.value)


def test_out_of_memory_it_takes_less_at_once(
    folder: Path, taught: Qwen3Aligner, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Qwen3Aligner(str(folder), "cpu")
    answered, sizes = other._answered, []

    def full(batch: Sequence[object], language: str) -> object:
        sizes.append(len(batch))
        if len(batch) > 1:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return answered(batch, language)  # type: ignore[arg-type]

    monkeypatch.setattr(other, "_answered", full)
    monkeypatch.setattr(other, "_at_once", 8)
    expected = taught.onset_posteriors(noise(70.0), LINES, "en", about(ONSETS))
    onset_posteriors = other.onset_posteriors(noise(70.0), LINES, "en", about(ONSETS))
    assert sizes == [3, 1, 1, 1]
    assert onset_posteriors is not None
    assert expected is not None
    np.testing.assert_array_equal(onset_posteriors.likeliest, expected.likeliest)


def config(folder: Path, aligner: str) -> Config:
    models = {"separator": "mix", "transcriber": "none", "aligner": aligner, "dir": str(folder)}
    return Config.model_validate({"models": models, "lyrics": {"order": ["local"]}})


def test_it_is_loaded_once_for_all_its_languages(folder: Path) -> None:
    models = ModelSet(placing_settings(config(folder.parent, "sphinx+qwen3")).models)
    first = models.second_aligner("en")
    assert isinstance(first, Qwen3Aligner)
    assert models.second_aligner("fr") is first
    assert models.second_aligner("fi") is None
    assert models.loads == ["second aligner:qwen3"]


@pytest.mark.parametrize("spread", [0.02, 1.0])
def test_a_model_that_knows_nothing_makes_nothing_worse(tmp_path: Path, spread: float) -> None:
    """Whether it holds all places likely or is sure of any: the whole way, on a song."""
    named = save_model(tmp_path / "guesses", spread=spread)
    text = SONG.with_suffix(".txt").read_text(encoding="utf-8")
    truth = np.genfromtxt(SONG.with_suffix(".words.csv"), delimiter=",", skip_header=1)[:, 0]
    errors = {}
    for aligner in ("sphinx", f"sphinx+{named}"):
        pipeline = LyricSyncPipeline(config=config(tmp_path, aligner), device="cpu")
        result = pipeline.sync(SONG, lyrics=text, language="en")
        errors[aligner] = np.abs(np.array([word.start for word in result.lyrics.words]) - truth)
    without_prior, both = errors.values()
    assert both.mean() <= without_prior.mean() + 0.005
    assert (both <= 0.3).mean() >= (without_prior <= 0.3).mean()


def test_out_of_memory_everywhere_the_song_is_placed_without_onset_priors(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> object:
        raise MemoryError

    monkeypatch.setattr(Qwen3Aligner, "_answered", full)
    pipeline = LyricSyncPipeline(config=config(folder.parent, "sphinx+qwen3"), device="cpu")
    text = SONG.with_suffix(".txt").read_text(encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        result = pipeline.sync(SONG, lyrics=text, language="en")
    assert result.aligner == "sphinx"
    assert "without a second aligner" in caplog.text
