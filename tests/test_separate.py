"""The vocals come out of the mix: the network, the streaming round it, and the chooser."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import wave
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lyricsyncd import audio
from lyricsyncd.errors import AudioError, ModelError, UsageError
from lyricsyncd.models import installable, onnx_session
from lyricsyncd.models.checkpoint import Weights, read_checkpoint
from lyricsyncd.models.onnx_graph import Graph
from lyricsyncd.models.spleeter_network import BINS, INPUT, OUTPUT, spleeter_onnx, with_any_bins
from lyricsyncd.registry import ModelContext
from lyricsyncd.separate import VocalSeparator, spectrogram
from lyricsyncd.separate.spleeter import Spleeter

Array = NDArray[Any]
RATE = 22_050


def random_weights(seed: int, base: int = 2) -> Weights:
    """Weights of a thin network of the same shape: ``base`` channels where Spleeter has 16."""
    rng = np.random.default_rng(seed)
    weights: dict[str, Array] = {}

    def norm(name: str, channels: int) -> None:
        weights[f"{name}.weight"] = rng.uniform(0.5, 1.5, channels)
        weights[f"{name}.bias"] = rng.normal(0, 0.3, channels)
        weights[f"{name}.running_mean"] = rng.normal(0, 0.3, channels)
        weights[f"{name}.running_var"] = rng.uniform(0.5, 2, channels)

    def kernel(name: str, *shape: int, out: int) -> None:
        fan_in = np.prod(shape) / out
        weights[f"{name}.weight"] = rng.normal(0, 1.5 / np.sqrt(fan_in), shape)
        weights[f"{name}.bias"] = rng.normal(0, 0.1, out)

    widths = [2, *(base * 2**level for level in range(6))]
    for level in range(1, 7):
        out = widths[level]
        kernel(f"down{level}_conv.1", out, widths[level - 1], 5, 5, out=out)
        norm(f"down{level}_act.0", out)
    for level in range(1, 7):
        out = widths[6 - level] if level < 6 else 1
        kernel(f"up{level}.0", widths[7 - level] * (1 if level == 1 else 2), out, 5, 5, out=out)
        norm(f"up{level}.3", out)
    kernel("up7.0", 2, 1, 4, 4, out=2)
    return {name: array.astype(np.float32) for name, array in weights.items()}


def plain_conv(x: Array, kernel: Array, bias: Array, stride: int = 1, dilation: int = 1) -> Array:
    """A convolution as its definition says: x (in, h, w), kernel (out, in, k, k), no padding."""
    size = (kernel.shape[2] - 1) * dilation + 1
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))
    windows = windows[:, ::stride, ::stride, ::dilation, ::dilation]
    summed: Array = np.einsum("chwij,ocij->ohw", windows, kernel, optimize=True)
    return np.asarray(summed + bias[:, None, None])


def plain_transposed(x: Array, kernel: Array, bias: Array) -> Array:
    """A transposed 5×5 convolution of stride 2: x (in, h, w), kernel (in, out, 5, 5)."""
    _, height, width = x.shape
    out = np.zeros((kernel.shape[1], 2 * height + 3, 2 * width + 3))
    for i in range(5):
        for j in range(5):
            spread = np.einsum("chw,co->ohw", x, kernel[:, :, i, j], optimize=True)
            out[:, i : i + 2 * height : 2, j : j + 2 * width : 2] += spread
    return out + bias[:, None, None]


def plain_norm(x: Array, weights: Weights, name: str) -> Array:
    mean, variance, scale, shift = (
        weights[f"{name}.{part}"].astype(np.float64)[:, None, None]
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return np.asarray((x - mean) / np.sqrt(variance + 1e-3) * scale + shift)


def plain_u_net(weights: Weights, x: Array) -> Array:
    """One network, step by step as it was published: x (2, frames, bins), float64."""
    w = {name: array.astype(np.float64) for name, array in weights.items()}
    skips = []
    current = x
    for level in range(1, 7):
        padded = np.pad(current, ((0, 0), (1, 2), (1, 2)))
        name = f"down{level}_conv.1"
        convolved = plain_conv(padded, w[f"{name}.weight"], w[f"{name}.bias"], stride=2)
        skips.append(convolved)
        normed = plain_norm(convolved, weights, f"down{level}_act.0")
        current = np.where(normed > 0, normed, 0.2 * normed)
    current = skips.pop()
    for level in range(1, 7):
        if level > 1:
            current = np.concatenate([skips.pop(), current])
        grown = plain_transposed(current, w[f"up{level}.0.weight"], w[f"up{level}.0.bias"])
        current = plain_norm(np.maximum(grown[:, 1:-2, 1:-2], 0), weights, f"up{level}.3")
    padded = np.pad(current, ((0, 0), (3, 3), (3, 3)))
    logits = plain_conv(padded, w["up7.0.weight"], w["up7.0.bias"], dilation=2)
    return np.asarray(1 / (1 + np.exp(-logits)) * x)


@pytest.fixture(scope="session")
def thin_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real network file with small random weights."""
    path = tmp_path_factory.mktemp("thin") / "thin.onnx"
    path.write_bytes(spleeter_onnx(random_weights(1), random_weights(2)))
    return path


def song(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """Noise that swells: shape (n, 2), float32."""
    count = round(seconds * RATE)
    noise = np.random.default_rng(seed).uniform(-0.3, 0.3, (count, 2))
    swell = 1 + np.sin(np.arange(count) / RATE)
    return np.asarray(noise * swell[:, None], np.float32)


def in_blocks(samples: NDArray[np.float32], *sizes: int) -> Iterator[NDArray[np.float32]]:
    start = 0
    for size in sizes:
        yield samples[start : start + size]
        start += size
    yield samples[start:]


class TestSpectrogram:
    @settings(max_examples=30, deadline=None)
    @given(
        quarter=st.sampled_from([16, 128, 512]),
        frames=st.integers(1, 40),
        seed=st.integers(0, 1000),
    )
    def test_there_and_back_is_the_same(self, quarter: int, frames: int, seed: int) -> None:
        size = 4 * quarter
        rng = np.random.default_rng(seed)
        x = rng.uniform(-1, 1, (size + (frames - 1) * quarter, 2)).astype(np.float32)
        window = spectrogram.hann(size)
        back = spectrogram.overlap_add(spectrogram.stft(x, window), window)
        assert back.shape == x.shape
        edge = size - quarter  # fewer windows lie over the edges
        whole = slice(edge, len(x) - edge)
        np.testing.assert_allclose(back[whole], x[whole], atol=1e-5)

    def test_a_tone_stands_in_its_bin(self) -> None:
        tone = np.sin(2 * np.pi * 10 * np.arange(64) / 64).astype(np.float32)
        spectra = spectrogram.stft(np.stack([tone, tone], axis=1), spectrogram.hann(64))
        assert spectra.shape == (2, 1, 33)
        assert np.abs(spectra[0, 0]).argmax() == 10


class TestNetwork:
    @pytest.mark.parametrize("half", [False, True])
    def test_it_computes_what_the_published_network_does(self, half: bool) -> None:
        vocals, accompaniment = random_weights(1), random_weights(2)
        rng = np.random.default_rng(3)
        x = np.abs(rng.normal(0, 2, (2, 64, BINS)))
        v, a = plain_u_net(vocals, x) ** 2, plain_u_net(accompaniment, x) ** 2
        expected = v / (v + a + 1e-10)
        session = onnxruntime.InferenceSession(spleeter_onnx(vocals, accompaniment, half=half))
        (mask,) = session.run([OUTPUT], {INPUT: x[None].astype(np.float32)})
        assert expected.std() > 0.05
        np.testing.assert_allclose(mask[0], expected, atol=0.02 if half else 1e-4)

    def test_it_takes_any_number_of_bins(self) -> None:
        vocals, accompaniment = random_weights(1), random_weights(2)
        x = np.abs(np.random.default_rng(3).normal(0, 2, (2, 64, 192)))
        v, a = plain_u_net(vocals, x) ** 2, plain_u_net(accompaniment, x) ** 2
        file = spleeter_onnx(vocals, accompaniment, half=False)
        session = onnxruntime.InferenceSession(with_any_bins(file))
        (mask,) = session.run([OUTPUT], {INPUT: x[None].astype(np.float32)})
        np.testing.assert_allclose(mask[0], v / (v + a + 1e-10), atol=1e-4)

    def test_the_same_weights_give_the_same_bytes(self) -> None:
        first, again = (
            spleeter_onnx(random_weights(1), random_weights(2), metadata={"b": "2", "a": "1"})
            for _ in range(2)
        )
        assert first == again

    def test_weights_that_are_not_spleeters_are_refused(self) -> None:
        with pytest.raises(ModelError, match="lacks the weights"):
            spleeter_onnx({}, {})


class TestStreaming:
    @settings(max_examples=15, deadline=None)
    @given(sizes=st.lists(st.integers(1, 3 * RATE), max_size=6), seconds=st.floats(0.01, 12))
    def test_the_size_of_the_blocks_does_not_matter(
        self, thin_model: Path, sizes: list[int], seconds: float
    ) -> None:
        mix = song(seconds)
        separator = Spleeter(thin_model, chunk=128, context=32, threads=1)
        at_once = np.concatenate(list(separator.separate([mix], RATE)))
        streamed = np.concatenate(list(separator.separate(in_blocks(mix, *sizes), RATE)))
        assert at_once.shape == mix.shape
        np.testing.assert_array_equal(streamed, at_once)

    @pytest.mark.parametrize("seconds", [0.5, 3.0, 9.7])
    def test_chunks_that_are_separated_at_once_stay_in_order(
        self, thin_model: Path, seconds: float
    ) -> None:
        mix = song(seconds)
        alone, beside = (
            np.concatenate(
                list(Spleeter(thin_model, chunk=64, context=32, threads=n).separate([mix], RATE))
            )
            for n in (1, 2)
        )
        np.testing.assert_allclose(beside, alone, atol=1e-6)

    @pytest.mark.parametrize(("chunk", "context"), [(128, 0), (128, 32), (64, 64), (192, 32)])
    @pytest.mark.parametrize("rate", [22_050, 44_100])
    def test_a_mask_of_ones_gives_the_mix_back(
        self, monkeypatch: pytest.MonkeyPatch, thin_model: Path, chunk: int, context: int, rate: int
    ) -> None:
        """What is left is the streaming: no sample moves, and no chunk shows its edges."""
        monkeypatch.setattr(
            "lyricsyncd.separate.spleeter.run",
            lambda _s, given, _out, **_: np.ones_like(given[INPUT]),
        )
        seconds = np.arange(round(7.3 * rate)) / rate
        tone = np.sin(2 * np.pi * 440 * seconds) * np.minimum(1, np.minimum(seconds, seconds[::-1]))
        mix = np.stack([tone, -0.5 * tone], axis=1).astype(np.float32)
        separator = Spleeter(thin_model, chunk=chunk, context=context)
        vocals = np.concatenate(list(separator.separate(in_blocks(mix, 1000, 70_000), rate)))
        assert vocals.shape == mix.shape
        np.testing.assert_allclose(vocals, mix, atol=2e-5)

    def test_nothing_in_is_nothing_out(self, thin_model: Path) -> None:
        separator = Spleeter(thin_model, chunk=64, context=0)
        assert list(separator.separate([], RATE)) == []

    def test_little_is_held_back(self, thin_model: Path) -> None:
        """Memory stays flat over an hour: what goes in comes out a few chunks later."""
        taken = 0

        def endless() -> Iterator[NDArray[np.float32]]:
            nonlocal taken
            while True:
                taken += RATE
                yield song(1.0)

        given_back = 0
        separator = Spleeter(thin_model, chunk=128, context=32, threads=1)
        for block in separator.separate(endless(), RATE):
            given_back += len(block)
            assert taken - given_back < 10 * RATE
            if given_back > 60 * RATE:
                return

    def test_other_rates_are_a_mistake(self, thin_model: Path) -> None:
        with pytest.raises(ValueError, match="48000"):
            Spleeter(thin_model).separate([], 48_000)


_OPENED = """
import os, sys
from pathlib import Path
from lyricsyncd.models.onnx_session import open_session
from lyricsyncd.processes import memory
edit = bytes if sys.argv[2] else None
session = open_session(Path(sys.argv[1]), device="cpu", edit=edit)
memory.trim()
print(memory.resident(os.getpid()))
"""


class TestSession:
    def test_a_file_that_is_not_a_model(self, tmp_path: Path) -> None:
        broken = tmp_path / "broken.onnx"
        broken.write_bytes(b"not a network")
        with pytest.raises(ModelError, match="cannot be opened"):
            onnx_session.open_session(broken)

    def test_a_model_that_was_cut_short(self, tmp_path: Path, thin_model: Path) -> None:
        broken = tmp_path / "broken.onnx"
        broken.write_bytes(thin_model.read_bytes()[:-20_000])
        with pytest.raises(ModelError, match="cannot be opened"):
            onnx_session.open_session(broken)

    def test_a_model_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="there is no model"):
            onnx_session.open_session(tmp_path / "gone.onnx")

    def test_an_edited_model_is_opened_where_open_files_have_no_path(
        self, thin_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(onnx_session, "_OPEN_FILES", tmp_path / "no" / "proc")
        session = onnx_session.open_session(thin_model, device="cpu", edit=with_any_bins)
        assert [each.name for each in session.get_inputs()] == [INPUT]

    def test_an_edited_model_takes_no_more_memory(self, tmp_path: Path) -> None:
        """onnxruntime keeps a network that it is given as bytes for as long as the session."""
        graph = Graph("large")
        large = graph.constant(np.random.default_rng(0).normal(size=(5_000, 2_000)))
        graph.output(graph.op("MatMul", "x", large), "y")
        model = tmp_path / "large.onnx"
        model.write_bytes(graph.to_bytes({"x": (1, 5_000)}, {"y": (1, 2_000)}, {}))
        plain, edited = (
            int(
                subprocess.run(
                    [sys.executable, "-c", _OPENED, str(model), edit],
                    check=True,
                    capture_output=True,
                    text=True,
                    timeout=60,
                ).stdout
            )
            for edit in ("", "edit")
        )
        assert edited < plain + model.stat().st_size / 4

    @pytest.mark.skipif(
        "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="CUDA is there"
    )
    @pytest.mark.parametrize("device", ["cuda", "cuda:3"])
    def test_a_device_that_is_not_there(self, thin_model: Path, device: str) -> None:
        with pytest.raises(ModelError, match=f"'{device}' is not there") as caught:
            onnx_session.open_session(thin_model, device=device)
        assert "Use the device cpu" in str(caught.value)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:-1", ""])
    def test_what_is_not_a_device(self, thin_model: Path, device: str) -> None:
        with pytest.raises(UsageError, match="is not a device"):
            onnx_session.open_session(thin_model, device=device)


def checkpoint(content: object) -> io.BytesIO:
    """A torch zip that holds this pickled."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(content, protocol=2))
    file.seek(0)
    return file


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("echo owned > owned",))


class TestCheckpoint:
    def test_arrays_come_back_as_they_were(self) -> None:
        weights = random_weights(5)
        weights["turned"] = np.asfortranarray(weights["up1.0.weight"])
        found = read_checkpoint(checkpoint(weights))
        assert found.keys() == weights.keys()
        for name, array in weights.items():
            np.testing.assert_array_equal(found[name], array)

    def test_a_pickle_that_would_run_something_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ModelError, match=r"posix\.system"):
            read_checkpoint(checkpoint({"weight": Hostile()}))
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        "content", [{"a": np.array(["text"])}, {"a": np.array([None])}, [1], {"a": 1}, {1: 2}]
    )
    def test_anything_but_numbers_is_refused(self, content: object) -> None:
        with pytest.raises(ModelError):
            read_checkpoint(checkpoint(content))

    @given(noise=st.binary(max_size=300))
    def test_noise_is_refused(self, noise: bytes) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("archive/data.pkl", noise)
        for data in (file, io.BytesIO(noise)):
            data.seek(0)
            with pytest.raises(ModelError):
                read_checkpoint(data)


@pytest.fixture
def noisy_song(tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes((song(6.0) * 32_000).astype("<i2").tobytes())
    return path


class TestVocalSeparator:
    def test_without_the_model_auto_takes_the_mix_and_says_so(
        self, tmp_path: Path, noisy_song: Path
    ) -> None:
        stem = VocalSeparator(models_dir=tmp_path / "models").extract(noisy_song)
        assert stem.separator == "none"
        assert stem.warning is not None
        assert "lyricsyncd models install lite" in stem.warning
        assert stem.sr == 16_000
        np.testing.assert_array_equal(stem.vocals, stem.mix)
        np.testing.assert_array_equal(stem.mix, audio.decode(noisy_song, 16_000))

    def test_asked_for_by_name_the_mix_needs_no_warning(
        self, tmp_path: Path, noisy_song: Path
    ) -> None:
        for name in ("mix", "none"):
            stem = VocalSeparator(name, models_dir=tmp_path).extract(noisy_song)
            assert (stem.separator, stem.warning) == ("none", None)

    def test_asked_for_by_name_spleeter_must_be_there(
        self, tmp_path: Path, noisy_song: Path
    ) -> None:
        with pytest.raises(ModelError, match="lyricsyncd models install lite"):
            VocalSeparator("spleeter", models_dir=tmp_path).extract(noisy_song)

    def test_a_damaged_model_is_not_run(self, tmp_path: Path, noisy_song: Path) -> None:
        installable.path_of(installable.SPLEETER, tmp_path).write_bytes(b"half of it")
        with pytest.raises(ModelError, match="damaged"):
            VocalSeparator("spleeter", models_dir=tmp_path).extract(noisy_song)
        warning = VocalSeparator(models_dir=tmp_path).extract(noisy_song).warning
        assert warning is not None
        assert "damaged" in warning

    def test_an_unknown_name_is_reported_the_known_ones(
        self, tmp_path: Path, noisy_song: Path
    ) -> None:
        with pytest.raises(UsageError, match="auto, spleeter, mix"):
            VocalSeparator("magic", models_dir=tmp_path).extract(noisy_song)

    def test_the_network_runs_and_reports(
        self, tmp_path: Path, noisy_song: Path, thin_model: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened: list[Spleeter] = []

        def thin(_context: ModelContext) -> Spleeter:
            opened.append(Spleeter(thin_model, chunk=64, context=32, threads=1))
            return opened[-1]

        monkeypatch.setattr("lyricsyncd.separate.spleeter.open_spleeter", thin)
        separator = VocalSeparator("spleeter", models_dir=tmp_path)
        reported: list[tuple[str, float]] = []
        stem = separator.extract(noisy_song, progress=lambda *what: reported.append(what))
        assert stem.separator == "spleeter"
        assert stem.vocals.shape == stem.mix.shape == (3 * 16_000,)
        assert stem.vocals.dtype == stem.mix.dtype == np.float32
        assert set(stem.seconds) == {"decode", "separate"}
        np.testing.assert_allclose(
            stem.mix[100:-100], audio.decode(noisy_song, 16_000)[100:-100], atol=0.02
        )
        shares = [share for _, share in reported]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        vocals, rate = separator.extract_vocals_full_rate(noisy_song)
        assert (vocals.shape, rate) == ((3 * 44_100, 2), 44_100)
        assert len(opened) == 1, "the model stays open between songs"

    def test_a_song_that_cannot_be_recognised_is_an_audio_error(self, tmp_path: Path) -> None:
        broken = tmp_path / "song.mp3"
        broken.touch()
        with pytest.raises(AudioError):
            VocalSeparator("mix", models_dir=tmp_path).extract(broken)
