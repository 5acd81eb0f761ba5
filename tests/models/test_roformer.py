"""Mel-Band RoFormer: a small random network of the real class, saved to disk and opened by our own
code."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from lyricsyncd.errors import ModelError
from lyricsyncd.registry import ModelContext
from lyricsyncd.separate import VocalSeparator
from lyricsyncd.separate.roformer import CHECKPOINT, SETTINGS, Roformer, load, open_roformer
from lyricsyncd.separate.spectrogram import Samples

package = pytest.importorskip("mel_band_roformer")

SONG = Path(__file__).parents[2] / "demo" / "songs" / "Au_clair_de_la_lune.mp3"
FOLDER = "KimberleyJSN--melbandroformer"


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the settings that the package has for the real weights, made small."""
    folder = tmp_path_factory.mktemp("models")
    real = Path(package.__file__).parent / "configs" / SETTINGS
    settings: dict[str, Any] = yaml.safe_load(real.read_text())
    settings["model"].update(dim=16, depth=1, dim_head=8, heads=2, mask_estimator_depth=1)
    settings["inference"]["chunk_size"] = 44_100
    (folder / FOLDER).mkdir()
    (folder / FOLDER / SETTINGS).write_text(yaml.safe_dump(settings))
    torch.manual_seed(1)
    network = package.get_model_from_config("mel_band_roformer", SimpleNamespace(**settings))
    torch.save(network.state_dict(), folder / FOLDER / CHECKPOINT)
    return folder


@pytest.fixture(scope="module")
def mix() -> Samples:
    rng = np.random.default_rng(3)
    t = np.arange(round(3.3 * 44_100)) / 44_100
    tone = 0.4 * np.sin(2 * np.pi * 220 * t)
    return (tone[:, None] + rng.normal(0, 0.05, (len(t), 2))).astype(np.float32)


def test_the_vocals_of_a_song_are_as_long_as_the_song(models_dir: Path) -> None:
    separator = VocalSeparator("melband_roformer", "cpu", models_dir)
    stem = separator.extract(SONG)
    assert stem.separator == "melband_roformer"
    assert len(stem.vocals) == len(stem.mix) > 16_000
    assert np.isfinite(stem.vocals).all()
    assert separator.extract_vocals_full_rate(SONG)[0].shape[1] == 2


def test_segments_join_without_a_seam(models_dir: Path, mix: Samples) -> None:
    """A network that gives back what it gets gives back the song."""
    network, segment = load(models_dir)
    assert segment == 44_100

    class Same(torch.nn.Module):
        def forward(self, waves: torch.Tensor) -> torch.Tensor:
            assert waves.shape[1:] == (2, segment)
            return waves

    np.testing.assert_allclose(Roformer(Same(), segment, "cpu").vocals(mix), mix, atol=1e-5)
    ours = Roformer(network, segment, "cpu").vocals(mix)
    assert ours.shape == mix.shape
    # In the middle of the first segment its own output counts most; the first half has no other.
    with torch.inference_mode():
        without_prior = network(torch.from_numpy(mix[:segment].T[None].copy()))[0].T.numpy()
    np.testing.assert_allclose(
        ours[: segment // 2 - 10], without_prior[: segment // 2 - 10], atol=1e-4
    )


def test_a_song_comes_out_the_same_twice(models_dir: Path, mix: Samples) -> None:
    separator = open_roformer(ModelContext("cpu", models_dir))
    (first,), (second,) = (list(separator.separate([mix], 44_100)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert list(separator.separate([], 44_100)) == []


def test_weights_of_another_size_are_one_line(models_dir: Path, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    for path in (models_dir / FOLDER).iterdir():
        (tmp_path / FOLDER / path.name).write_bytes(path.read_bytes())
    settings = yaml.safe_load((tmp_path / FOLDER / SETTINGS).read_text())
    settings["model"]["depth"] = 2
    (tmp_path / FOLDER / SETTINGS).write_text(yaml.safe_dump(settings))
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


def test_offline_it_says_what_to_put_where(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(ModelError, match=CHECKPOINT) as caught:
        load(tmp_path)
    assert str(tmp_path / FOLDER) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "MIT" in caplog.text
