"""Parsers of players and tools read our files as we meant them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pysubs2
import pytest

from lyricsyncd import formats
from lyricsyncd.model import Line, Lyrics, Word

PLAYERS = Path(__file__).parent / "players"

pytestmark = pytest.mark.skipif(
    not (PLAYERS / "node_modules").is_dir() or shutil.which("node") is None,
    reason="the players' parsers are not installed: npm could not be had (make players)",
)


def ask(reader: str, *texts: str) -> list[Any]:
    """Read texts with one of the parsers of ``players/read.mjs``."""
    question = json.dumps({"reader": reader, "texts": texts})
    done = subprocess.run(
        ["node", "read.mjs"],
        cwd=PLAYERS,
        input=question,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    answer: list[Any] = json.loads(done.stdout)
    return answer


LEAD = Line((Word("one", 1.0, 1.5), Word("two", 1.5, 1.9), Word("three", 2.2, 3.0)), 1.0, 3.0)
BACKING = Line((Word("ooh", 2.5, 3.5),), 2.5, 3.5, "bg")
ECHO = Line((Word("aah", 3.2, 3.6),), 3.2, 3.6, "bg")
ANN = Line((Word("Ann's", 4.0, 4.5), Word("<line>", 4.5, 5.0)), 4.0, 5.0, "Ann & Co")
PLAIN = Line.from_text("no words here", 6.0, 7.0)
TOGETHER = Line((Word("all", 8.0, 8.0), Word("at", 8.0, 8.0), Word("once", 8.0, 8.0)), 8.0, 8.0)
ALONE = Line((Word("alone", 9.0, 9.5),), 9.0, 9.5)
LATE = Line((Word("你", 10.5, 11.0, space=False), Word("好", 11.5, 12.0)), 10.0, 13.0)
SONG = Lyrics((LEAD, BACKING, ECHO, ANN, PLAIN, TOGETHER, ALONE, LATE), "en")
BACKWARDS = Lyrics((ANN, LEAD))


class TestAppleMusicLikeLyrics:
    def test_reads_each_line_and_word_of_ttml(self) -> None:
        (read,) = ask("amll-ttml", formats.write(SONG, "ttml"))
        keys = [line["id"] for line in read["lines"]]
        assert keys == [f"L{i}" for i in range(1, len(keys) + 1)]
        lead = read["lines"][0]
        assert [(w["text"], w["startTime"], w["endTime"]) for w in lead["words"]] == [
            ("one", 1000, 1500), ("two", 1500, 1900), ("three", 2200, 3000)
        ]  # fmt: skip
        assert read["metadata"]["agents"]["v2"]["name"] == "Ann & Co"

    def test_loses_no_backing_vocals(self) -> None:
        (read,) = ask("amll-ttml", formats.write(SONG, "ttml"))
        backing = [
            line["backgroundVocal"]["text"] for line in read["lines"] if "backgroundVocal" in line
        ]
        assert backing == ["ooh", "aah"]

    def test_shows_lines_duets_and_backing_vocals_in_its_player(self) -> None:
        (read,) = ask("amll-lyric", formats.write(SONG, "ttml"))
        shown = [
            ("".join(word["word"] for word in line["words"]), line["isBG"], line["isDuet"])
            for line in read["lines"]
            if any(word["word"] for word in line["words"])
        ]
        assert shown == [
            ("one two three", False, False),
            ("ooh", True, False),
            ("aah", True, False),
            ("Ann's <line>", False, True),
            ("no words here", False, False),
            ("all at once", False, False),
            ("alone", False, False),
            ("你好", False, False),
        ]

    def test_reads_rests_of_enhanced_lrc(self) -> None:
        (lines,) = ask("amll-lrc", formats.write(Lyrics((LEAD,)), "lrc"))
        words = [(w["word"], w["startTime"], w["endTime"]) for w in lines[0]["words"]]
        assert words == [
            ("one ", 1000, 1500), ("two", 1500, 1900), (" ", 1900, 2200), ("three", 2200, 3000)
        ]  # fmt: skip


class TestWebvttParser:
    def test_finds_no_error_in_any_of_our_files(self) -> None:
        for read in ask("webvtt", formats.write(SONG, "vtt"), formats.write(BACKWARDS, "vtt")):
            assert read["errors"] == []
        assert [cue["startTime"] for cue in read["cues"]] == [1, 4]

    def test_reads_a_mark_for_each_word_but_the_first(self) -> None:
        (read,) = ask("webvtt", formats.write(Lyrics((LEAD,)), "vtt"))
        children = read["cues"][0]["tree"]["children"]
        assert [child["value"] for child in children] == [
            "one ", 1.5, "two", 1.9, " ", 2.2, "three"
        ]  # fmt: skip


class TestPysubs2:
    @pytest.mark.parametrize("name", ["srt", "vtt", "ass"])
    def test_reads_the_same_lines(self, name: str) -> None:
        lyrics = SONG.with_lines(line for line in SONG if line not in (TOGETHER, ANN))
        read = pysubs2.SSAFile.from_string(formats.write(lyrics, name))
        # It keeps the marks of WebVTT as text.
        texts = [re.sub(r"<[\d:.]+>", "", event.plaintext).strip() for event in read]
        lines = sorted(lyrics, key=lambda line: line.start or 0) if name == "vtt" else lyrics
        assert texts == [line.text for line in lines]
        assert [event.start for event in read] == [
            round((line.start or 0) * 1000) for line in lines
        ]


def columns(subtitles: Path, at: float) -> tuple[set[int], set[int]]:
    """The columns of a picture where libass shows sung letters, and those still to be sung."""
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=black:s=640x360:d=4:r=10",
         "-vf", f"ass={subtitles.name}", "-ss", str(at), "-frames:v", "1",
         "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
        cwd=subtitles.parent, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    picture = np.frombuffer(done.stdout, np.uint8).reshape(360, 640, 3).astype(int)
    red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
    sung = (red > 200) & (green > 150) & (blue < 80)
    unsung = (red > 200) & (green > 200) & (blue > 200)
    return {*np.flatnonzero(sung.any(0)).tolist()}, {*np.flatnonzero(unsung.any(0)).tolist()}


def has_libass() -> bool:
    if shutil.which("ffmpeg") is None:
        return False
    filters = subprocess.run(["ffmpeg", "-hide_banner", "-filters"], capture_output=True, text=True)
    return " ass " in filters.stdout


@pytest.mark.slow
@pytest.mark.skipif(not has_libass(), reason="ffmpeg has no libass here")
class TestLibass:
    @pytest.mark.parametrize(
        ("words", "from_right"), [(("Rowing", "boat"), False), (("שלוםםםם", "עולם"), True)]
    )
    def test_shows_the_first_word_where_reading_begins(
        self, words: tuple[str, str], from_right: bool, tmp_path: Path
    ) -> None:
        line = Line((Word(words[0], 0.5, 1.5), Word(words[1], 2.5, 3.0)), 0.5, 3.5)
        file = tmp_path / "song.ass"
        file.write_text(formats.write(Lyrics((line,)), "ass"))
        sung, unsung = columns(file, 2.0)
        assert sung
        assert unsung
        if from_right:
            assert max(unsung) < min(sung)
        else:
            assert max(sung) < min(unsung)
