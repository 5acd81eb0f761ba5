"""Bytes that were made to do harm are refused, and soon."""

from __future__ import annotations

import contextlib
import itertools
import sys
from pathlib import Path
from types import FrameType

import pytest

from lyricsyncd import formats
from lyricsyncd.errors import FormatError
from lyricsyncd.formats.text import MAX_BYTES
from lyricsyncd.model import Line, Lyrics, Word
from lyricsyncd.processes.sandbox import READER, Sandbox
from tests import sandbox_tasks

NAMES = formats.names()
DEEP = 100_000

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(
        f'<!ENTITY {b} "{"&" + a + ";" * 1}{("&" + a + ";") * 9}">'
        for a, b in itertools.pairwise("abcdefghij")
    )
    + "]><tt><body><p begin='1s'>&j;</p></body></tt>"
)
TT = '<tt xmlns="http://www.w3.org/ns/ttml"><body><div>'

REFUSED = {
    "entity bomb": ("ttml", BOMB),
    "external entity": (
        "ttml",
        '<!DOCTYPE tt [<!ENTITY x SYSTEM "file:///etc/passwd">]><tt><body><p>&x;</p></body></tt>',
    ),
    "document type alone": ("ttml", '<!DOCTYPE tt SYSTEM "http://127.0.0.1/x.dtd"><tt/>'),
    "undefined entity": ("ttml", TT + "<p>&nbsp;</p></div></body></tt>"),
    "deep XML": ("ttml", "<tt>" + "<a>" * DEEP),
    "deep spans": ("ttml", TT + "<p>" + "<span>" * DEEP),
    "other XML": ("ttml", "<html><body><p>words</p></body></html>"),
    "deep JSON": ("json", "[" * DEEP),
    "deep JSON objects": ("json", '{"word":' * DEEP),
    "far line": ("json", '[{"word": "x", "line": 1000000000}]'),
    "line before": ("json", '[{"word": "x", "line": 1}, {"word": "y", "line": 0}]'),
    "not a number": ("json", '[{"word": "x", "start": NaN}]'),
    "infinite": ("json", '[{"word": "x", "start": 1e999}]'),
    "huge integer": ("json", '[{"word": "x", "start": ' + "9" * 5000 + "}]"),
    "negative": ("json", '[{"word": "x", "start": -0.5}]'),
    "more than a day": ("json", '[{"word": "x", "start": 86401}]'),
    "an object": ("json", '{"word": "x"}'),
    "time as text": ("json", '[{"word": "x", "start": "1"}]'),
    "deep YAML flow": ("lyricsfile", "lines: " + "[" * DEEP),
    "deep YAML blocks": ("lyricsfile", "- " * DEEP),
    "deep YAML mappings": ("lyricsfile", "{a: " * DEEP),
    "alias": ("lyricsfile", "version: '1.0'\nmetadata: &a {title: x}\nlines: [*a]\n"),
    "alias bomb": (
        "lyricsfile",
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in itertools.pairwise("abcdefghi")
        ),
    ),
    "YAML recursion": ("lyricsfile", "lines: &a [*a]\n"),
    "YAML merge": ("lyricsfile", "x: &x {a: b}\nmetadata:\n  <<: *x\n"),
    "YAML list": ("lyricsfile", "- a\n- b\n"),
    "YAML negative": ("lyricsfile", "lines: [{text: x, start_ms: -1}]"),
    "YAML far": ("lyricsfile", "lines: [{text: x, start_ms: 86400001}]"),
    "YAML documents": ("lyricsfile", "version: '1.0'\nlines: []\n---\nlines: []\n"),
    "YAML key that is a list": ("lyricsfile", "? [a]\n: b\nlines: []\n"),
    "LRC negative": ("lrc", "[-00:01.00]x"),
    "LRC far": ("lrc", "[1441:00.00]x"),
    "LRC offset": ("lrc", "[offset:99999999999]\n[00:01.00]x"),
    "LRC line repeated": ("lrc", "[00:01.00]" * 20_000 + "x " * 20_000),
    "SRT far": ("srt", "1\n25:00:00,000 --> 26:00:00,000\nx\n"),
    "SRT without cues": ("srt", "just text"),
    "VTT without its head": ("vtt", "00:01.000 --> 00:02.000\nx\n"),
    "VTT far": ("vtt", "WEBVTT\n\n99:00:00.000 --> 99:00:01.000\nx\n"),
    "ASS without events": ("ass", "[Script Info]\nTitle: x\n"),
    "ASS bad time": ("ass", "[Events]\nDialogue: 0,x,y,,,,,,,text"),
    "ASS few fields": ("ass", "[Events]\nDialogue: 0,0:00:01.00"),
    "ASS far syllables": (
        "ass",
        "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,,,,,{\\k999999999}a{\\k9}b",
    ),
    "UltraStar before zero": ("ultrastar", "#BPM:300\n#GAP:0\n: -5 1 0 x\nE\n"),
    "UltraStar no tempo": ("ultrastar", ": 5 1 0 x\nE\n"),
    "UltraStar tempo 0": ("ultrastar", "#BPM:0\n: 5 1 0 x\nE\n"),
    "UltraStar tempo tiny": ("ultrastar", "#BPM:1e-300\n: 5 1 0 x\nE\n"),
    "UltraStar tempo nan": ("ultrastar", "#BPM:nan\n: 5 1 0 x\nE\n"),
    "UltraStar tempo changes": ("ultrastar", "#BPM:300\nB 4 200\n: 5 1 0 x\nE\n"),
    "text of another song archive": ("txt", "word " * 200_000),
    **{f"hundreds of thousands of rows, {name}": (name, "a\n" * 300_000) for name in NAMES},
    **{f"hundreds of thousands of words, {name}": (name, "? " * 300_000) for name in NAMES},
    "many marked words without a space": ("lrc", "[00:01.00]" + "<00:01.00>a" * 60_000),
}


@pytest.mark.parametrize("what", REFUSED)
def test_hostile_or_impossible_input_is_refused(what: str) -> None:
    name, text = REFUSED[what]
    with pytest.raises(FormatError) as refused:
        formats.read(text.encode(), name)
    assert len(str(refused.value)) < 400, "the message must not repeat the input"


@pytest.mark.parametrize("name", NAMES)
def test_more_than_a_mebibyte_is_refused_unread(name: str) -> None:
    for size in (MAX_BYTES + 1, 20 * 2**20):
        with pytest.raises(FormatError, match="too many"):
            formats.read(b"a" * size, name)
    assert formats.guess(b"a" * (MAX_BYTES + 1)) is None


FILLERS = (
    "[", "<", "{", "(", "\\", "&", ":", "-", "- ", "[00:01.00]", "<00:01.00>", "{\\k1}", "]  ",
    "<v ", "-->", "\u2060", "\n", "\r", "? ", "~", '"', "[{", "#", "a:\n",
)  # fmt: skip
HEADS = (
    "", "WEBVTT\n\n00:01.000 --> 00:02.000\n", "[00:01.00]", "lines: ",
    "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,,,,,",
)  # fmt: skip


def calls_to_read(text: str, name: str) -> int:
    """Count the functions that are called to read a text, or to refuse it."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        with contextlib.suppress(FormatError):
            formats.read(text.encode(), name)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", NAMES)
def test_long_runs_of_one_mark_take_steps_in_proportion(name: str) -> None:
    formats.read(b"[00:01.00]warm\n", "lrc")
    for filler in FILLERS:
        for head in HEADS:
            once, twice = (calls_to_read(head + filler * n, name) for n in (300, 600))
            assert twice <= 2.2 * once + 500, (filler, head)


@pytest.mark.slow
def test_no_pattern_backtracks_its_way_through_long_runs_of_one_mark(tmp_path: Path) -> None:
    """Each is judged within the processor time of a sandbox, ten times that of the service's."""
    reader = Sandbox("reader", 10 * READER.processor_s, READER.data_bytes, 600.0)
    file = tmp_path / "lyrics"
    try:
        for filler in FILLERS:
            file.write_text((filler * DEEP)[:300_000], encoding="utf-8", newline="")
            for name in NAMES:
                reader.run(sandbox_tasks.read_lyrics, file, name)
    finally:
        reader.close()


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"json", "ttml", "lyricsfile", "vtt"}))
def test_letters_of_which_no_encoding_is_certain_are_refused(name: str) -> None:
    with pytest.raises(FormatError, match="encoding is not certain"):
        formats.read("[00:01.00]Ёлка".encode("cp1251"), name)


@pytest.mark.parametrize("name", NAMES)
def test_binary_data_is_refused(name: str) -> None:
    with pytest.raises(FormatError):
        formats.read(b"ID3\x04\x00\x00\x00\x00\x23\x76TIT2\x00\x00\x00\x05\x00\x00\x03abc", name)


@pytest.mark.parametrize("word", ["night.", "No", "null-ish", "~ish", "Never", "null", "~", "n"])
def test_a_lyricsfile_keeps_words_that_begin_like_nothing(word: str) -> None:
    # "null" and its kin say nothing in YAML, but only alone and without quotes.
    lyrics = Lyrics((Line((Word("Oh", 1.0, 1.5), Word(word, 1.5, 2.0)), 1.0, 2.0),))
    text = formats.write(lyrics, "lyricsfile")
    assert formats.read(text.encode(), "lyricsfile").text == f"Oh {word}"
