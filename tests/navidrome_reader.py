"""What Navidrome shows of a file, by its rules; `tests/player_cases.py` holds what its code says.

- A row of LRC begins with one or more ``[mm:ss.xx]`` (hours and one to three decimals may be);
  ``[ar:]``, ``[ti:]``, ``[offset:]`` and ``[lang:]`` are read wherever they stand, and the row with
  them; other rows before the first timed one are passed over, later ones belong to the line above.
- ``<mm:ss.xx>`` begins a word, whose text goes on until the next mark, spaces included. A mark
  with nothing at all behind it is passed over, but the last of a line ends its last word. A word
  ends with the next one, the last of a line, else, with the next line; where that is not known, no
  word of the line has an end. ``[bg: <…>…]`` is a background voice of the line above.
- A Lyricsfile says ``version: '1.0'``; its times are whole milliseconds, and what a line reads is
  its words put together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from typing import Any

import yaml

_TIME = r"(?:(\d{1,2}):)?(\d{1,2}):(\d{1,2})(?:\.(\d{1,3}))?"
_STAMP = re.compile(rf"\[{_TIME}\]")
_MARK = re.compile(rf"<{_TIME}>")
_TAG = re.compile(r"\[(ar|ti|offset|lang):([^]]+)\]")
_BACKING = re.compile(r"\[bg:(.*)\]")


@dataclass
class Shown:
    """A line as it is shown: milliseconds, text, and its words with their milliseconds."""

    start: int
    text: str
    words: list[tuple[str, int]] = field(default_factory=list)
    voice: str = ""
    ends: list[int | None] = field(default_factory=list, compare=False)


@dataclass
class Page:
    """All that is shown of a song."""

    lines: list[Shown] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


def lrc(text: str) -> Page:
    page = Page()
    for row in filter(None, map(str.strip, text.split("\n"))):
        if tag := _TAG.search(row):
            page.tags[tag[1]] = tag[2].strip()
        elif _STAMP.match(row):
            stamps, rest = [], row
            while stamp := _STAMP.match(rest):
                stamps.append(_milliseconds(stamp))
                rest = rest[stamp.end() :].lstrip()
            page.lines += [_shown(stamp, rest) for stamp in stamps]
        elif backing := _BACKING.fullmatch(row):
            shown = _shown(page.lines[-1].start, backing[1].strip())
            shown.start, shown.voice = shown.words[0][1], "bg"
            page.lines.append(shown)
        elif page.lines:
            page.lines[-1].text += "\n" + row
    leads = [line for line in page.lines if not line.voice]
    following = {id(line): later.start for line, later in pairwise(leads)}
    lead: Shown | None = None
    for line in page.lines:
        lead = line if not line.voice else lead
        _end_words(line, following.get(id(lead)))
    return page


def _end_words(line: Shown, next_line: int | None) -> None:
    starts = [start for _, start in line.words]
    for at, end in enumerate(line.ends):
        later = starts[at + 1] if at + 1 < len(starts) else next_line
        line.ends[at] = later if end is None else max(end, starts[at])
    if None in line.ends:
        line.ends = [None] * len(line.ends)


def lyricsfile(text: str) -> Page:
    document = yaml.safe_load(text)
    assert document["version"] == "1.0"
    page = Page(tags={key: value for key, value in document["metadata"].items() if value})
    for line in document.get("lines") or []:
        words = [(word["text"], word["start_ms"]) for word in line.get("words") or []]
        text = "".join(word for word, _ in words) if words else line["text"]
        page.lines.append(Shown(line["start_ms"], text, words))
        _check_order(line)
    return page


def _check_order(line: dict[str, Any]) -> None:
    times = [time for each in [line, *line.get("words", [])] for time in _times(each)]
    assert all(type(time) is int and time >= 0 for time in times)
    words = line.get("words") or []
    starts = [word["start_ms"] for word in words]
    assert starts == sorted(starts)
    ended = [_times(each) for each in [line, *words] if "end_ms" in each]
    assert all(end >= start for start, end in ended)


def _times(item: dict[str, Any]) -> list[Any]:
    return [item[key] for key in ("start_ms", "end_ms") if key in item]


def _shown(start: int, text: str) -> Shown:
    marked = list(_words(text))
    words = [(word, time) for word, time in marked if word]
    whole = "".join(word for word, _ in words) if words else text
    ends: list[int | None] = [None] * len(words)
    if words and not marked[-1][0]:
        ends[-1] = marked[-1][1]
    return Shown(start, whole.strip(), words, ends=ends)


def _words(text: str) -> Iterator[tuple[str, int]]:
    marks = list(_MARK.finditer(text))
    for mark, following in zip_longest(marks, marks[1:]):
        end = len(text) if following is None else following.start()
        yield text[mark.end() : end], _milliseconds(mark)


def _milliseconds(found: re.Match[str]) -> int:
    hours, minutes, seconds, fraction = found.groups()
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))
