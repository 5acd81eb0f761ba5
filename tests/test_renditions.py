"""Songs for browsers: playable, without loss where that can be, and true in time."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from lyricsyncd import audio
from lyricsyncd.errors import AudioError, LyricsyncError, ModelError
from lyricsyncd.playback import maker
from lyricsyncd.playback.cache import rendition_cache
from lyricsyncd.playback.maker import Maker
from lyricsyncd.playback.renditions import Rendition, convert, kind_of, renditions
from lyricsyncd.separate.stems import write_pair
from tests.noise_songs import encode as noise
from tests.service_home import SONG
from tests.test_audio import encode
from tests.test_karaoke import Middle, Nothing

RATE = 44_100
EXACT_S = 0.001


def sound(seconds: float = 6.0, rate: int = RATE) -> NDArray[np.float32]:
    """Noise that swells and fades, of which every part is known again: shape (n, 2)."""
    count = int(seconds * rate)
    mono = np.random.default_rng(3).normal(size=count) * (
        0.2 + 0.1 * np.sin(np.arange(count) / 9e3)
    )
    smooth = np.convolve(mono, np.ones(8) / 4, "same").astype(np.float32)
    return np.stack([smooth, smooth], axis=1)


def lag(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Seconds by which the second is later, by the peak of the correlation."""
    count = min(len(first), len(second))
    size = 1 << (2 * count).bit_length()
    spectrum = np.fft.rfft(second[:count], size) * np.conj(np.fft.rfft(first[:count], size))
    peak = int(np.argmax(np.fft.irfft(spectrum, size)))
    return (peak - size if peak > size // 2 else peak) / RATE


def made(song: Path, name: str) -> Path:
    target = song.with_name(f"{song.name}.{name}")
    convert(song, name, target)
    return target


CODECS = {
    "song.mp3": "libmp3lame",
    "song.wav": "pcm_s16le",
    "deep.wav": "pcm_s24le",
    "song.flac": "flac",
    "song.opus": "libopus",
    "song.ogg": "vorbis",
    "song.m4a": "aac",
    "lossless.m4a": "alac",
    "song.aiff": "pcm_s16be",
    "song.wv": "wavpack",
    "song.wma": "wmav2",
}
AS_THEY_ARE = {"song.wav", "deep.wav", "song.flac", "song.opus", "song.m4a"}


class TestRenditions:
    @pytest.mark.parametrize("name", CODECS)
    def test_each_container_is_on_time(self, tmp_path: Path, name: str) -> None:
        rate = 48_000 if name.endswith(".opus") else RATE
        song = encode(
            tmp_path / name,
            sound(rate=rate),
            rate,
            CODECS[name],
            container_format="asf" if name.endswith(".wma") else None,
        )
        exact = audio.decode(song, RATE)
        offered = renditions(kind_of(song))
        best = offered[0].name
        assert best == ("mp4" if name == "song.mp3" else "raw" if name in AS_THEY_ARE else "aac")
        assert offered[-1].name == "aac"
        for each in offered:
            if each.name == "raw":
                continue
            found = audio.decode(made(song, each.name), RATE)
            assert abs(lag(exact, found) - each.offset) < EXACT_S
            assert abs(len(found) - len(exact)) < 0.06 * RATE

    def test_mp3_is_copied_without_loss(self, tmp_path: Path) -> None:
        copy = tmp_path / "copy"
        convert(SONG, "mp4", copy)
        with av.open(str(SONG)) as first, av.open(str(copy)) as second:
            packets = [
                [bytes(packet) for packet in each.demux(each.streams.audio[0]) if packet.size]
                for each in (first, second)
            ]
        assert packets[0] == packets[1]
        assert lag(audio.decode(SONG, RATE), audio.decode(copy, RATE)) == 0.0

    def test_the_index_comes_first(self, tmp_path: Path) -> None:
        for name in ("mp4", "aac"):
            convert(SONG, name, tmp_path / name)
            content = (tmp_path / name).read_bytes()
            assert content.index(b"moov") < content.index(b"mdat")
            # It says which samples are priming.
            assert b"elst" in content

    def test_one_with_a_variable_bit_rate_is_seeked_in_exactly(self, tmp_path: Path) -> None:
        song = encode(
            tmp_path / "vbr.mp3", sound(30.0), RATE, "libmp3lame", options={"global_quality": "300"}
        )
        copy = made(song, "mp4")
        exact = audio.decode(song, RATE)
        for at in (1.0, 7.5, 20.0, 28.0):
            with av.open(str(copy)) as container:
                stream = container.streams.audio[0]
                assert stream.time_base is not None
                container.seek(int(at / stream.time_base), stream=stream)
                frames = [next(container.decode(stream)) for _ in range(20)]
            starts = [float(frame.time or 0.0) for frame in frames]
            # The first frame lacks its reservoir of bits; those that follow are whole.
            piece = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in frames[4:]])
            begin = round(starts[4] * RATE)
            around = exact[begin - 2000 : begin + len(piece) + 2000].astype(np.float32)
            assert abs(lag(piece.astype(np.float32), around) - 2000 / RATE) < 0.015

    def test_what_is_no_song_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "x.mp3").write_bytes(b"nothing" * 1000)
        for step in (lambda: kind_of(tmp_path / "x.mp3"), lambda: made(tmp_path / "x.mp3", "aac")):
            with pytest.raises(AudioError):
                step()

    @pytest.mark.parametrize(
        ("kind", "first"),
        [
            ("mp3/mp3", "mp4"),
            ("flac/flac", "raw"),
            ("ogg/flac", "aac"),
            ("ogg/vorbis", "aac"),
            ("mov/alac", "aac"),
            ("mov/mp3", "mp4"),
            ("wav/adpcm_ms", "aac"),
            ("asf/wmav2", "aac"),
            ("", "aac"),
        ],
    )
    def test_are_offered_by_container_and_codec(self, kind: str, first: str) -> None:
        assert renditions(kind)[0].name == first
        assert renditions(kind)[-1] == Rendition("aac", 'audio/mp4; codecs="mp4a.40.2"')


class TestTheMaker:
    @pytest.fixture(autouse=True)
    def _cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))

    def test_makes_a_rendition_once(self, tmp_path: Path) -> None:
        song = noise(tmp_path / "a.mp3")
        making = Maker()
        found = {making.rendition(song, "key", "mp4") for _ in range(3)}
        while None in found:
            found = {making.rendition(song, "key", "mp4")}
        (file,) = found
        assert file is not None
        before = file.stat().st_ino
        assert making.rendition(song, "key", "mp4") == file
        assert file.stat().st_ino == before
        making.close()

    def test_has_a_request_come_again_for_what_takes_long(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(maker, "WAIT_S", 0.0)
        song = noise(tmp_path / "a.mp3")
        making = Maker()
        assert making.rendition(song, "key", "aac") is None
        monkeypatch.setattr(maker, "WAIT_S", 60.0)
        assert making.rendition(song, "key", "aac") is not None
        making.close()

    def test_tells_each_that_waits_of_an_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(maker, "WAIT_S", 60.0)
        (tmp_path / "x.mp3").write_bytes(b"nothing" * 1000)
        making = Maker()
        for _ in range(2):
            with pytest.raises(AudioError):
                making.rendition(tmp_path / "x.mp3", "key", "aac")
        assert rendition_cache().get("key.aac") is None
        making.close()

    def test_draws_the_mix_and_only_has_kept_vocals(self, tmp_path: Path) -> None:
        song = noise(tmp_path / "a.mp3")
        making = Maker()
        found = None
        while found is None:
            found = making.peaks(song, "key", "mix")
        assert abs(len(found.read_bytes()) - 200) <= 5
        assert making.peaks(song, "key", "vocals") is None
        making.close()

    def test_ends_in_the_middle_of_its_work(self, tmp_path: Path) -> None:
        making = Maker()
        song = noise(tmp_path / "a.flac", 60)
        ended = threading.Event()

        def wait() -> None:
            with contextlib.suppress(LyricsyncError):
                making.rendition(song, "key", "aac")
            ended.set()

        threading.Thread(target=wait, daemon=True).start()
        making.close()
        assert ended.wait(60)


class TestStems:
    """The vocals and the rest of a song as the channels of one file."""

    @staticmethod
    def parted(song: Path, target: Path) -> bytes:
        return write_pair(song, target, Middle())

    def song(self, folder: Path) -> Path:
        samples = sound()
        samples[:, 1] *= 0.5
        path = folder / "song.flac"
        encode(path, samples, RATE, codec="flac")
        return path

    def test_are_together_the_song_and_true_in_time(self, tmp_path: Path) -> None:
        song, target = self.song(tmp_path), tmp_path / "stems.mp4"
        self.parted(song, target)
        whole = np.concatenate(list(audio.blocks(song, RATE))).mean(axis=1)
        stems = np.concatenate(list(audio.blocks(target, RATE)))
        # The encoder fills its last frame.
        assert 0 <= len(stems) - len(whole) < 1024
        together = stems.sum(axis=1)
        assert abs(lag(np.stack([whole] * 2, 1)[:, 0], together)) < EXACT_S
        count = min(len(whole), len(together))
        assert np.abs(whole[:count] - together[:count]).mean() < 0.02

    def test_are_made_once_with_the_peaks_of_the_vocals(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
        song, times = self.song(tmp_path), []

        def separate(path: Path, target: Path) -> bytes:
            times.append(path)
            return self.parted(path, target)

        made = Maker(separate)
        try:
            assert made.peaks(song, "key", "vocals") is None
            first = made.stems(song, "key")
            assert first is not None
            peaks = made.peaks(song, "key", "vocals")
            assert peaks is not None
            assert len(peaks.read_bytes()) == 600
            assert made.stems(song, "key") == first
            assert len(times) == 1
            # Peaks that were pruned are made anew.
            peaks.unlink()
            assert made.vocal_peaks(song, "key") == peaks
            assert len(peaks.read_bytes()) == 600
            assert len(times) == 2
        finally:
            made.close()

    def test_need_a_separator(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="no separator"):
            write_pair(self.song(tmp_path), tmp_path / "stems.mp4", Nothing())
