"""A real CTC model, small and trained here on a synthetic voice, in the search."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

from lyricsyncd.align import acoustic_models
from lyricsyncd.align.aligner import Alignment, align
from lyricsyncd.align.emissions.ctc import CtcModel, export, open_ctc, open_onnx
from lyricsyncd.align.emissions.sphinx import PhoneStateModel
from lyricsyncd.config.schema import Quality
from lyricsyncd.errors import ModelError
from lyricsyncd.judging import agreement
from lyricsyncd.judging.calibration import phone_states
from lyricsyncd.model import Decision
from tests.models import synthetic
from tests.models.synthetic import Said


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ctc") / "voice"
    synthetic.train(path)
    return path


@pytest.fixture(scope="module")
def acoustic_model(folder: Path) -> CtcModel:
    return open_ctc(str(folder), "cpu")


@pytest.fixture(scope="module")
def exported(acoustic_model: CtcModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "en.onnx"
    export(acoustic_model, path)
    return path


@pytest.fixture(scope="module")
def said() -> Said:
    """The song's words in their order, which are not in the training data."""
    return synthetic.say(synthetic.voice(), synthetic.LYRICS.split(), np.random.default_rng(99))


def placed(said: Said, acoustic_model: CtcModel) -> Alignment:
    lines = [said.words[i : i + 6] for i in range(0, len(said.words), 6)]
    return align(said.audio, lines, "en", acoustic_model)


def test_words_are_placed_within_a_twentieth_of_a_second(
    acoustic_model: CtcModel, said: Said
) -> None:
    starts = np.array([start for start, _ in said.times])
    errors = np.abs(placed(said, acoustic_model).onset - starts)
    assert errors.mean() < 0.05
    assert np.median(errors) < 0.05
    assert (errors <= 0.1).mean() >= 0.9


def test_its_onset_priors_help_phone_states_to_place_the_words(
    acoustic_model: CtcModel, said: Said
) -> None:
    """Two models together are at least as good as the first alone, which has judged."""
    onset_posteriors = placed(said, acoustic_model).onset_posteriors
    lines = [said.words[i : i + 6] for i in range(0, len(said.words), 6)]
    both = align(
        said.audio,
        lines,
        "en",
        PhoneStateModel.load(),
        second_onsets=lambda _: onset_posteriors,
    )
    assert (both.without_prior is not None, both.acoustic_model) == (
        True,
        f"sphinx+{acoustic_model.name}",
    )
    starts = np.array([start for start, _ in said.times])
    without_prior, together = (
        np.abs(p.onset - starts) for p in (both.without_prior, both) if p is not None
    )
    assert together.mean() <= without_prior.mean() + 0.002
    assert (together <= 0.1).mean() >= max(0.9, (without_prior <= 0.1).mean())
    kept, verdict = agreement.accept_prior(both, Quality(), phone_states())
    assert kept is both
    assert verdict.decision is Decision.WORDS


def test_frames_are_those_of_the_network(acoustic_model: CtcModel, said: Said) -> None:
    assert acoustic_model.hop == 0.02
    assert len(acoustic_model.features(said.audio)) == len(said.audio) // 320


def test_batches_change_nothing(acoustic_model: CtcModel, said: Said) -> None:

    many = dataclasses.replace(acoustic_model, batch=3)
    np.testing.assert_allclose(
        acoustic_model.features(said.audio), many.features(said.audio), atol=1e-3
    )


def test_the_exported_model_recognises_the_same(
    acoustic_model: CtcModel, exported: Path, said: Said
) -> None:
    other = open_onnx(exported, "cpu")
    assert other.alphabet == acoustic_model.alphabet
    np.testing.assert_allclose(
        other.features(said.audio), acoustic_model.features(said.audio), atol=5e-3
    )


def test_the_exported_model_needs_no_torch(exported: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['transformers'] = None\n"
        "import numpy as np; from pathlib import Path\n"
        "from lyricsyncd.align.acoustic_models import open_acoustic_model\n"
        f"model = open_acoustic_model({str(exported)!r}, 'cpu')\n"
        "print(model.features(np.zeros(32000, np.float32)).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"(100, {len(synthetic.VOCABULARY)})"


def test_a_folder_of_models_goes_over_the_hub(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "facebook--wav2vec2-base-960h").symlink_to(folder)
    assert (
        acoustic_models.open_acoustic_model("ctc", "cpu", tmp_path, "en").name
        == "ctc:wav2vec2-base-960h"
    )


def test_offline_it_says_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"facebook--wav2vec2-base-960h") as caught:
        acoustic_models.open_acoustic_model("ctc", "cpu", tmp_path, "en")
    assert "\n" not in str(caught.value)


def test_mms_says_its_licence_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ModelError):
        acoustic_models.open_acoustic_model("mms", "cpu", tmp_path)
    assert "CC-BY-NC" in caplog.text


def test_a_random_model_of_the_usual_shape_runs(tmp_path: Path) -> None:
    usual = {"conv_dim": (16,) * 7, "conv_kernel": (10, 3, 3, 3, 3, 2, 2)}
    config = synthetic.small_config(**usual, conv_stride=(5, 2, 2, 2, 2, 2, 2))
    Wav2Vec2ForCTC(config).save_pretrained(tmp_path)
    synthetic.processor(tmp_path).save_pretrained(tmp_path)
    acoustic_model = open_ctc(str(tmp_path), "cpu")
    assert (acoustic_model.hop, acoustic_model.reach) == (0.02, 0.025)
    assert acoustic_model.features(np.zeros(50 * 16_000, np.float32)).shape == (
        2500,
        config.vocab_size,
    )


def run_models(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lyricsyncd", "models", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LYRICSYNCD_MODELS__DIR": str(folder), "HF_HUB_OFFLINE": "1"},
    )


def test_the_command_exports_to_where_auto_finds_it(
    folder: Path, acoustic_model: CtcModel, tmp_path: Path, said: Said
) -> None:
    done = run_models("export", str(folder), "--language", "en", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    written = tmp_path / "ctc" / "en.onnx"
    assert (reported["path"], reported["size"]) == (str(written), written.stat().st_size)
    assert [path.name for path in written.parent.iterdir()] == ["en.onnx"]
    assert acoustic_models.pair("auto", "cpu", tmp_path, "en") == ("sphinx", str(written))
    assert acoustic_models.pair("auto", "cpu", tmp_path, "fr") == ("sphinx", None)
    found = acoustic_models.open_acoustic_model(str(written), "cpu")
    np.testing.assert_allclose(
        found.features(said.audio), acoustic_model.features(said.audio), atol=5e-3
    )


def test_a_dry_export_writes_nothing(folder: Path, tmp_path: Path) -> None:
    done = run_models("export", str(folder), "--dry-run", folder=tmp_path)
    assert done.returncode == 0
    assert done.stdout.strip() == f"{folder} would be written to {tmp_path / 'ctc' / 'any.onnx'}"
    assert not (tmp_path / "ctc").exists()


@pytest.mark.parametrize("model", ["ctc", "mms"])
def test_an_export_without_the_model_is_one_line(model: str, tmp_path: Path) -> None:
    done = run_models("export", model, folder=tmp_path)
    assert done.returncode == 1
    *said, last = done.stderr.strip().splitlines()
    assert f"into {tmp_path}" in last
    assert "Traceback" not in done.stderr
    if model == "mms":
        assert "CC-BY-NC" in said[0]


def test_an_aligner_with_a_blank_of_its_own(tmp_path: Path) -> None:
    """As that of MMS: padding beside the blank, and no sign between words."""
    vocabulary = ["<blank>", "<pad>", "</s>", "<unk>", *"aienourtslkdm'"]
    (tmp_path / "vocab.json").write_text(json.dumps({c: i for i, c in enumerate(vocabulary)}))
    Wav2Vec2CTCTokenizer(str(tmp_path / "vocab.json")).save_pretrained(tmp_path)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(tmp_path)
    config = synthetic.small_config(vocab_size=len(vocabulary), pad_token_id=1)
    Wav2Vec2ForCTC(config).save_pretrained(tmp_path)
    alphabet = open_ctc(str(tmp_path), "cpu").alphabet
    assert (alphabet.blank, alphabet.delimiter) == (0, None)
    assert alphabet.encode("Main-é") == tuple(vocabulary.index(c) for c in "maine")


def test_a_language_model_beside_it_is_left_alone(folder: Path, tmp_path: Path) -> None:
    """Many models of the hub have one, and say that their processor needs its decoder."""
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for name in ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json"):
        path = tmp_path / name
        if path.exists():
            reported = json.loads(path.read_text())
            path.write_text(json.dumps({**reported, "processor_class": "Wav2Vec2ProcessorWithLM"}))
    assert open_ctc(str(tmp_path), "cpu").alphabet.blank == 0


def test_weights_saved_in_half_are_recognised_in_full(
    folder: Path, acoustic_model: CtcModel, tmp_path: Path
) -> None:
    Wav2Vec2ForCTC.from_pretrained(folder).half().save_pretrained(tmp_path)
    synthetic.processor(tmp_path).save_pretrained(tmp_path)
    audio = np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)
    half = open_ctc(str(tmp_path), "cpu").features(audio)
    assert np.abs(half - acoustic_model.features(audio)).mean() < 0.05
