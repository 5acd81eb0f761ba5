"""UltraStar TXT: a note a word, for karaoke games.

Beats are hundredths of a second (``#BPM:1500``, ``#GAP:0``), pitches are all 0: we know when words
are sung, not how high. A note is a beat long at least and ends before the next one of its line
begins. Every line needs word times. ``#MP3`` and a cover are for the user to add; games want both.

Read: any BPM and gap, ``#RELATIVE``, golden, rap and freestyle notes, duets (``P1`` is the lead),
and ``~``, which holds the syllable before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from lyricsyncd.errors import FormatError
from lyricsyncd.formats.text import GUARD, decode, language_code, split_lines
from lyricsyncd.formats.timing import checked, stamped, stretches, tidy
from lyricsyncd.model import Line, Lyrics, Word

_UNIT = 100
_BPM = 1500
"""The game counts four beats for each of these a minute: 6000 a minute, 100 a second."""
_SUNG_S = 0.3
"""How long the last word of a line is held when nobody knows."""

_TAG = re.compile(r"#([A-Za-z0-9]+):(.*)", re.DOTALL)
_NOTE = re.compile(r"[:*FRG]\s*(-?\d{1,9})\s+(\d{1,9})\s+-?\d{1,9}(?:\s(.*))?", re.DOTALL)
_BREAK = re.compile(r"-\s*(-?\d{1,9})(?:\s+(-?\d{1,9}))?\s*")
_PLAYER = re.compile(r"P\s?(\d)\s*")
_TEMPO = re.compile(r"B\s+-?\d")
_LANGUAGES = {
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "sv": "Swedish",
    "zh": "Chinese",
}


@dataclass(frozen=True)
class Ultrastar:
    """UltraStar TXT."""

    name: ClassVar[str] = "ultrastar"
    suffixes: ClassVar[tuple[str, ...]] = ()

    def looks_like(self, text: str) -> bool:
        rows = split_lines(text)
        return any(row.upper().startswith("#BPM:") for row in rows[:50]) and any(
            _NOTE.fullmatch(row.lstrip()) for row in rows
        )

    def read(self, data: bytes) -> Lyrics:
        return _read(decode(data))

    def project(self, lyrics: Lyrics) -> Lyrics:
        lyrics = tidy(lyrics)
        lines = []
        for number, line in enumerate((line for line in lyrics.lines if line.words), start=1):
            words = stamped(line, _UNIT)
            if words[0].start is None:
                raise FormatError(
                    f"line {number} of the lyrics ({line.text[:40]!r}) has no word times, "
                    "which UltraStar needs",
                    remedy="Place the words with `lyricsyncd sync` first",
                )
            words = _as_notes(words, line.end)
            lines.append(Line(words, words[0].start, words[-1].end))
        names = {key: lyrics.metadata[key] for key in ("title", "artist") if key in lyrics.metadata}
        language = lyrics.language if lyrics.language in _LANGUAGES else None
        return Lyrics(tuple(lines), language, metadata=names)

    def write(self, lyrics: Lyrics) -> str:
        lyrics = self.project(lyrics)
        rows = [f"#{key.upper()}:{lyrics.metadata.get(key, '')}" for key in ("title", "artist")]
        if lyrics.language is not None:
            rows.append(f"#LANGUAGE:{_LANGUAGES[lyrics.language]}")
        rows += [f"#BPM:{_BPM}", "#GAP:0"]
        before: int | None = None
        for line in lyrics:
            first = round((line.start or 0) * _UNIT)
            if before is not None:
                rows.append(f"- {min(before, first)}")
            for text, start, end in stretches(line.words):
                beat, last = round(start * _UNIT), round((end or start) * _UNIT)
                guard = GUARD if _is_hold(text) else ""
                rows.append(f": {beat} {last - beat} 0 {guard}{text}")
            before = round((line.end or 0) * _UNIT)
        return "".join(row + "\n" for row in [*rows, "E"])


def _as_notes(words: Sequence[Word], line_end: float | None) -> tuple[Word, ...]:
    """Words whose times are those of notes: in order, none empty, none over the next."""
    heads = [i for i, word in enumerate(words) if word.start is not None]
    beats: list[int] = []
    for i in heads:
        beat = round((words[i].start or 0) * _UNIT)
        beats.append(max(beat, beats[-1] + 1) if beats else beat)
    notes = list(words)
    for note, (head, beat) in enumerate(zip(heads, beats, strict=True)):
        following = heads[note + 1] if note + 1 < len(heads) else len(words)
        end = words[following - 1].end
        if end is None:
            end = beat / _UNIT + _SUNG_S if line_end is None else line_end
        last = max(beat + 1, round(end * _UNIT))
        if note + 1 < len(heads):
            last = min(last, beats[note + 1])
        notes[head] = replace(notes[head], start=beat / _UNIT)
        notes[following - 1] = replace(notes[following - 1], end=last / _UNIT)
    return tuple(notes)


def _is_hold(text: str) -> bool:
    return not text.strip().strip(GUARD).strip("~")


# Reading


@dataclass
class _Clock:
    """From beats to seconds."""

    bpm: float
    gap: float
    relative: bool
    offset: int = 0

    def seconds(self, beat: int) -> float:
        # A multiple of 1/100 s comes out as exactly that for the tempo that we write.
        time = self.gap + 15 * (self.offset + beat) / self.bpm
        checked(time)
        return time


def _read(text: str) -> Lyrics:
    tags: dict[str, str] = {}
    lines: list[Line] = []
    words: list[Word] = []
    voice: str | None = None
    clock: _Clock | None = None
    for row in (row.lstrip() for row in split_lines(text)):
        if tag := _TAG.fullmatch(row):
            tags.setdefault(tag[1].upper(), tag[2].strip())
        elif note := _NOTE.fullmatch(row):
            clock = clock or _clock(tags)
            start, length = int(note[1]), int(note[2])
            _add_note(words, clock.seconds(start), clock.seconds(start + length), note[3] or "")
        elif line_break := _BREAK.fullmatch(row):
            _end_line(lines, words, voice)
            clock = clock or _clock(tags)
            if clock.relative:
                clock.offset += int(line_break[2] or line_break[1])
        elif player := _PLAYER.fullmatch(row):
            _end_line(lines, words, voice)
            voice = f"P{player[1]}" if player[1] == "2" else None
            if clock is not None:
                clock.offset = 0
        elif _TEMPO.match(row):
            raise FormatError(
                "this song changes its tempo, which is not understood",
                remedy="Save it with one tempo in an UltraStar editor",
            )
        elif row.rstrip() == "E":
            break
    _end_line(lines, words, voice)
    if text.strip() and "BPM" not in tags:
        raise FormatError("this is no UltraStar song: it has no #BPM")
    languages = {name.lower(): code for code, name in _LANGUAGES.items()}
    language = tags.get("LANGUAGE", "")
    return tidy(
        Lyrics(
            tuple(lines),
            languages.get(language.lower(), language_code(language)),
            metadata={"title": tags.get("TITLE", ""), "artist": tags.get("ARTIST", "")},
        )
    )


def _clock(tags: dict[str, str]) -> _Clock:
    bpm, gap = _number(tags, "BPM"), _number(tags, "GAP")
    if bpm <= 0:
        raise FormatError("this is no UltraStar song: it has no #BPM")
    return _Clock(bpm, gap / 1000, tags.get("RELATIVE", "").lower() == "yes")


def _number(tags: dict[str, str], key: str) -> float:
    try:
        value = float(tags.get(key, "0").replace(",", ".") or 0)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FormatError(f"#{key} should be a number, not {tags[key][:40]!r}")
    return value


def _add_note(words: list[Word], start: float, end: float, text: str) -> None:
    if words and set(text.strip()) == {"~"}:
        words[-1] = replace(words[-1], end=end, space=words[-1].space or text[-1:].isspace())
        return
    if text.startswith(GUARD) and _is_hold(text[1:]):
        text = text[1:]
    words.append(Word(text, start, end, space=text[-1:].isspace()))


def _end_line(lines: list[Line], words: list[Word], voice: str | None) -> None:
    sung = [word for word in words if word.text.strip()]
    if sung:
        lines.append(Line(tuple(words), sung[0].start, sung[-1].end, voice))
    words.clear()
