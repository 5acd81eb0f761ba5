"""Patterns of names, as in a ``.gitignore``, matched in a time that their lengths bound.

pathspec decides between several patterns, the last one that matches wins. It would match each by a
regular expression that backtracks, though: ``*a*a*a*a*b`` and one long name keep a processor busy
for years. Here every wildcard takes the first place that fits, which is enough for patterns that
know no alternatives, and no regular expression repeats anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pathspec import PathSpec
from pathspec.pattern import Pattern

from lyricsyncd.printable import escaped

LONGEST = 4096
"""Characters of a pattern: no path is longer."""
DEEPEST = 64
"""Folders of a pattern: what it costs to look for them grows with their number."""
_SHOWN = 60


class PatternError(ValueError):
    """A text that is no pattern; the message says why, without naming the text."""


class Glob(Pattern):
    """One pattern. ``include`` is false where it takes back what patterns before it matched.

    ``*`` and ``?`` stay within a name, ``**`` crosses folders. A pattern without a slash matches
    any name on the way; what matches a folder matches all that is in it. A range that runs
    backwards makes its brackets plain text: ``[FLAC-24bit]`` is meant as it stands.

    Raises
    ------
    PatternError
        The text cannot match anything.
    """

    __slots__ = ("_folders_only", "_inside", "_segments", "text")

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise PatternError(f"it is longer than {LONGEST} characters")
        if "\0" in text or "\n" in text:
            raise PatternError("no name has a NUL or a line break")
        self.text = text
        body = _without_trailing_blanks(text)
        super().__init__(include=not body.startswith("!"))
        body = body.removeprefix("!")
        self._folders_only = body.endswith("/")
        names = [name for name in body.split("/") if name]
        if not names:
            raise PatternError("it has no name to match")
        if len(names) > DEEPEST:
            raise PatternError(f"it has more than {DEEPEST} folders")
        if "/" not in body.rstrip("/"):
            names.insert(0, "**")
        # ``a/**`` is all that is in ``a``.
        self._inside = 0
        while names and names[-1] == "**":
            names.pop()
            self._inside = 1
        self._segments = tuple(None if name == "**" else _segment(name) for name in names)

    def match_file(self, file: str) -> Glob | None:
        """Return itself if it matches a path; that of a folder ends in a slash."""
        names = file.split("/")
        if not names[-1] or self._folders_only:
            names.pop()
        if self._inside:
            if not names:
                return None
            names.pop()
        return self if _leads_in(self._segments, names) else None

    def __repr__(self) -> str:
        return f"Glob({self.text!r})"


@lru_cache(maxsize=256)
def compiled(patterns: tuple[str, ...]) -> PathSpec[Glob]:
    """Return the expression that matches what any of several patterns does.

    Raises
    ------
    PatternError
        One of them is none.
    """
    return spec([Glob(text) for text in patterns])


def spec(globs: Sequence[Glob]) -> PathSpec[Glob]:
    """Compile patterns that were read before."""
    # Others than the simple one would match regular expressions of their own.
    return PathSpec(globs, backend="simple")


@dataclass(frozen=True, slots=True)
class Lines:
    """The patterns of an ignore file."""

    spec: PathSpec[Glob]
    bad: tuple[str, ...]
    """What is wrong with the lines that were left out, each with its number."""

    @property
    def empty(self) -> bool:
        """Return whether all lines are blank or comments."""
        return not (self.spec.patterns or self.bad)


@lru_cache(maxsize=32)
def read_lines(content: bytes) -> Lines:
    """Read a file of patterns, one a line; ``#`` begins a comment. A bad line is left out."""
    # Names are bytes: what is not UTF-8 in them is so here, too.
    whole = content.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    globs: list[Glob] = []
    bad: list[str] = []
    for number, line in enumerate(whole.split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip() or line.startswith("#"):
            continue
        try:
            globs.append(Glob(line))
        except PatternError as error:
            text = line if len(line) <= _SHOWN else line[: _SHOWN - 3] + "..."
            bad.append(f"line {number} ({escaped(text)}): {error}")
    return Lines(spec(globs), tuple(bad))


def _without_trailing_blanks(text: str) -> str:
    bare = text.rstrip(" \t")
    # A blank after a backslash is part of the name.
    slashes = len(bare) - len(bare.rstrip("\\"))
    return bare + text[len(bare) : len(bare) + slashes % 2]


class _Piece(NamedTuple):
    """Part of a pattern between two ``*``: one character class for each character."""

    regex: re.Pattern[str]
    size: int


_Segment = tuple[_Piece, ...]
"""A name of a pattern, parted at its ``*``."""


def _segment(name: str) -> _Segment:
    pieces: list[list[str]] = [[]]
    for token in _tokens(name):
        if token == "*":
            pieces.append([])
        else:
            pieces[-1].append(token)
    ends = (0, len(pieces) - 1)
    return tuple(
        _Piece(re.compile("".join(piece), re.DOTALL), len(piece))
        for at, piece in enumerate(pieces)
        if piece or at in ends
    )


def _tokens(name: str) -> Iterator[str]:
    """Yield ``*``, or a regular expression of exactly one character."""
    at = 0
    while at < len(name):
        char = name[at]
        at += 1
        if char == "*":
            yield "*"
        elif char == "?":
            yield "."
        elif char == "\\":
            if at == len(name):
                raise PatternError("it ends in a lone backslash")
            yield re.escape(name[at])
            at += 1
        elif char == "[" and (found := _brackets(name, at)) is not None:
            expression, at = found
            yield expression
        else:
            yield re.escape(char)


def _brackets(name: str, at: int) -> tuple[str, int] | None:
    """Return the expression that begins after a ``[``, and its end; ``None`` for plain text."""
    negated = name[at : at + 1] in ("!", "^")
    at += negated
    chars: list[str] = []
    dashes: set[int] = set()
    while True:
        if at >= len(name):
            return None
        char = name[at]
        at += 1
        if char == "]" and chars:
            break
        if char == "-":
            dashes.add(len(chars))
        elif char == "\\":
            if at == len(name):
                return None
            char = name[at]
            at += 1
        chars.append(char)
    inner, index = "", 0
    while index < len(chars):
        first = last = chars[index]
        if index + 1 in dashes and index + 2 < len(chars):
            last = chars[index + 2]
            index += 2
            if last < first:
                return None
        inner += f"{re.escape(first)}-{re.escape(last)}"
        index += 1
    return f"[{'^' if negated else ''}{inner}]", at


def _fits(segment: _Segment, name: str) -> bool:
    first, last = segment[0], segment[-1]
    if len(segment) == 1:
        return len(name) == first.size and first.regex.match(name) is not None
    at, end = first.size, len(name) - last.size
    if at > end or first.regex.match(name) is None or last.regex.match(name, end) is None:
        return False
    for piece in segment[1:-1]:
        found = piece.regex.search(name, at, end)
        if found is None:
            return False
        at = found.end()
    return True


def _leads_in(segments: Sequence[_Segment | None], names: Sequence[str]) -> bool:
    """Return whether a pattern matches the first names of a path, or all of them."""
    at = under = 0
    # Where to go on after the last ``**``, should what follows it not fit: one name further on.
    again: tuple[int, int] | None = None
    while under < len(segments):
        segment = segments[under]
        if segment is None:
            under += 1
            again = (under, at)
        elif at < len(names) and _fits(segment, names[at]):
            at += 1
            under += 1
        elif again is not None and again[1] < len(names):
            under, at = again[0], again[1] + 1
            again = (under, at)
        else:
            return False
    return True
