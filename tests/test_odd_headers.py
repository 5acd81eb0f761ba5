"""Songs whose headers lie: each is decoded for what it is, or refused with the reason, at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from lyricsyncd import audio
from lyricsyncd.errors import AudioError
from lyricsyncd.identify.tags import parse_tags
from tests.odd_headers import OGG, aiff_of, flac_of, wav_of
from tests.test_audio import LENGTH_S, clicks, encode

TOO_LONG = r"is \d+:\d\d:\d\d long; songs up to 30:00 are taken"
NO_AUDIO = "not an audio file that can be read"
DAMAGED = "truncated or damaged"
EMPTY = "no sound that can be decoded"
HOURS = 20 * 3600 * 44_100


def seconds_of(song: Path) -> float:
    return len(audio.decode(song, 16_000)) / 16_000


def check(song: Path, expected: float | str) -> None:
    """Decode a song, which has the expected length in seconds, or is refused for that reason."""
    if isinstance(expected, str):
        with pytest.raises(AudioError, match=expected):
            seconds_of(song)
    else:
        assert seconds_of(song) == pytest.approx(expected, abs=0.05)
    try:
        length = parse_tags(song).duration
    except AudioError:
        return
    assert length is None or math.isfinite(length)


OPUS: dict[str, float | str] = {
    "20 hours": TOO_LONG,
    "the greatest": TOO_LONG,
    "backwards": TOO_LONG,
    "begins late": TOO_LONG,
    "no position": EMPTY,
    "the end is lost": 0.99,
}
VORBIS: dict[str, float | str] = {
    "20 hours": TOO_LONG,
    "the greatest": TOO_LONG,
    "the end is lost": 1.0,
}


class TestOgg:
    @pytest.mark.parametrize("kind", OGG)
    @pytest.mark.parametrize("name", ["song.opus", "song.ogg"])
    def test_with_odd_positions_or_several_streams(
        self, tmp_path: Path, name: str, kind: str
    ) -> None:
        opus = name == "song.opus"
        rate, codec = (48_000, "libopus") if opus else (44_100, "vorbis")
        song = encode(tmp_path / name, clicks(rate), rate, codec)
        song.write_bytes(OGG[kind](song.read_bytes()))
        whole = 2 * LENGTH_S if "chained" in kind else LENGTH_S
        check(song, (OPUS if opus else VORBIS).get(kind, whole))


class TestWrongSizes:
    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (lambda data: wav_of(data, 0), LENGTH_S),
            (lambda data: wav_of(data, 0, len(data) - 8), LENGTH_S),
            (lambda data: wav_of(data, 0xFFFFFFFF), LENGTH_S),
            (lambda data: wav_of(data, 3 * len(data)), LENGTH_S),
            (lambda data: wav_of(data, 1000), "only silence"),
            (lambda data: wav_of(data, len(data) - 45), LENGTH_S),
            (lambda data: wav_of(data, 0xFFFFFFFF)[: len(data) // 2], LENGTH_S / 2),
            (lambda data: data[: len(data) // 2], LENGTH_S / 2),
        ],
        ids=["0", "0 in data", "most", "too large", "too small", "odd", "most, cut", "cut"],
    )
    def test_of_wav_lose_no_sound_that_is_there(
        self, tmp_path: Path, change: Callable[[bytes], bytes], expected: float | str
    ) -> None:
        song = encode(tmp_path / "song.wav", clicks(44_100), 44_100, "pcm_s16le")
        song.write_bytes(change(song.read_bytes()))
        check(song, expected)

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (lambda data: aiff_of(data, 0), NO_AUDIO),
            (lambda data: aiff_of(data, 0xFFFFFFFF), LENGTH_S),
            (lambda data: aiff_of(data, 3 * len(data)), LENGTH_S),
            (lambda data: aiff_of(data, 1000), DAMAGED),
            (lambda data: aiff_of(data, len(data), 0), LENGTH_S),
            (lambda data: aiff_of(data, 0xFFFFFFFF, 0xFFFFFFFF), NO_AUDIO),
            (lambda data: data[: len(data) // 2], DAMAGED),
        ],
        ids=["0", "most", "too large", "too small", "no frames", "most frames", "cut"],
    )
    def test_of_aiff_lose_no_sound_that_is_there(
        self, tmp_path: Path, change: Callable[[bytes], bytes], expected: float | str
    ) -> None:
        song = encode(tmp_path / "song.aiff", clicks(44_100), 44_100, "pcm_s16be")
        song.write_bytes(change(song.read_bytes()))
        check(song, expected)

    @pytest.mark.parametrize(
        ("samples", "expected"),
        [
            (0, LENGTH_S),
            (1, LENGTH_S),
            (66_150, LENGTH_S),
            (135_000, LENGTH_S),
            (264_600, DAMAGED),
            (HOURS, TOO_LONG),
            (2**36 - 1, TOO_LONG),
        ],
    )
    def test_of_flac_lose_no_sound_that_is_there(
        self, tmp_path: Path, samples: int, expected: float | str
    ) -> None:
        song = encode(tmp_path / "song.flac", clicks(44_100), 44_100, "flac")
        song.write_bytes(flac_of(song.read_bytes(), samples))
        check(song, expected)
