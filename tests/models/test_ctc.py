"""A real CTC model, small and trained here on a synthetic voice, as an ear for the search."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from transformers import Wav2Vec2ForCTC

from lyricsyncd.align import ears
from lyricsyncd.align.aligner import Alignment, align
from lyricsyncd.align.emissions.ctc import CtcEar, export, open_ctc, open_onnx
from lyricsyncd.errors import ModelError
from tests.models import synthetic
from tests.models.synthetic import Said


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ctc") / "voice"
    synthetic.train(path)
    return path


@pytest.fixture(scope="module")
def ear(folder: Path) -> CtcEar:
    return open_ctc(str(folder), "cpu")


@pytest.fixture(scope="module")
def exported(ear: CtcEar, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "en.onnx"
    export(ear, path)
    return path


@pytest.fixture(scope="module")
def said() -> Said:
    """The song's words in their order, as the model has not heard them."""
    return synthetic.say(synthetic.voice(), synthetic.LYRICS.split(), np.random.default_rng(99))


def placed(said: Said, ear: CtcEar) -> Alignment:
    lines = [said.words[i : i + 6] for i in range(0, len(said.words), 6)]
    return align(said.audio, lines, "en", ear, options=ears.options_of(ear))


def test_words_are_placed_within_a_twentieth_of_a_second(ear: CtcEar, said: Said) -> None:
    starts = np.array([start for start, _ in said.times])
    errors = np.abs(placed(said, ear).onset - starts)
    assert errors.mean() < 0.05
    assert np.median(errors) < 0.05
    assert (errors <= 0.1).mean() >= 0.9


def test_frames_are_those_of_the_network(ear: CtcEar, said: Said) -> None:
    assert ear.hop == 0.02
    assert len(ear.listen(said.audio)) == len(said.audio) // 320


def test_batches_change_nothing(ear: CtcEar, said: Said) -> None:

    many = dataclasses.replace(ear, batch=3)
    np.testing.assert_allclose(ear.listen(said.audio), many.listen(said.audio), atol=1e-3)


def test_the_exported_model_hears_the_same(ear: CtcEar, exported: Path, said: Said) -> None:
    other = open_onnx(exported, "cpu")
    assert other.alphabet == ear.alphabet
    np.testing.assert_allclose(other.listen(said.audio), ear.listen(said.audio), atol=5e-3)


def test_the_exported_model_needs_no_torch(exported: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['transformers'] = None\n"
        "import numpy as np; from pathlib import Path\n"
        "from lyricsyncd.align.ears import open_ear\n"
        f"ear = open_ear({str(exported)!r}, 'cpu')\n"
        "print(ear.listen(np.zeros(32000, np.float32)).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"(100, {len(synthetic.VOCABULARY)})"


def test_a_folder_of_models_goes_over_the_hub(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "facebook--wav2vec2-base-960h").symlink_to(folder)
    assert ears.open_ear("ctc", "cpu", tmp_path, "en").name == "ctc:wav2vec2-base-960h"


def test_offline_it_says_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"facebook--wav2vec2-base-960h") as caught:
        ears.open_ear("ctc", "cpu", tmp_path, "en")
    assert "\n" not in str(caught.value)


def test_mms_says_its_licence_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ModelError):
        ears.open_ear("mms", "cpu", tmp_path)
    assert "CC-BY-NC" in caplog.text


def test_a_random_model_of_the_usual_shape_runs(tmp_path: Path) -> None:
    usual = {"conv_dim": (16,) * 7, "conv_kernel": (10, 3, 3, 3, 3, 2, 2)}
    config = synthetic.small_config(**usual, conv_stride=(5, 2, 2, 2, 2, 2, 2))
    Wav2Vec2ForCTC(config).save_pretrained(tmp_path)
    synthetic.processor(tmp_path).save_pretrained(tmp_path)
    ear = open_ctc(str(tmp_path), "cpu")
    assert (ear.hop, ear.reach) == (0.02, 0.025)
    assert ear.listen(np.zeros(50 * 16_000, np.float32)).shape == (2500, config.vocab_size)
