"""Headings above lyrics: the song's title, its artist and album, alone or together.

A title alone may be the first words that are sung: where nothing else speaks for a heading, its
lines are marked, and the sound decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lyricsyncd.lyrics.furniture import LABELLED, is_outside
from lyricsyncd.model import Track
from lyricsyncd.text.words import letters

_JOINTS = ("by", "von", "par", "de", "")
_SIGNS = "*#=~_|>+<-–—«»「」『』《》〈〉{}[]\"“”„'‘’: "
_MARKUP = tuple("*#=~_|<>")
_NUMBER = re.compile(r"#?\d{1,3}\s*[.)\-–]\s*(?=\S)")
_REMARK = re.compile(
    r"\s*(?:[(\[（][^()\[\]（）]{1,60}[)\]）]|\s(?:feat|ft)\.? .{1,60}|[,\s]+[12]\d{3})$",
    re.IGNORECASE,
)
_MOST_LINES = 12
_MENU_WORDS = 2
_LONGEST = 200
"""Characters of a heading."""
_END = re.compile(
    r"(?:the )?end|fine?|ende|koniec|konec|конец|fim|slut|loppu|完|終わり|끝", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Edges:
    """Range of the lines between headings and credits.

    Attributes
    ----------
    begin, end : int
        The first line, and one past the last.
    above : int
        How many lines at the beginning may be a heading, and may be sung as well.
    """

    begin: int
    end: int
    above: int = 0


def edges(lines: Sequence[str], track: Track) -> Edges:
    """Find where lyrics begin and end.

    Parameters
    ----------
    lines
        Of the whole text, blank ones too.
    track
        The song: headings repeat its names.
    """
    names = _Names.of(track)
    begin, end = 0, len(lines)
    while begin < end and (is_outside(lines[begin]) or names.is_heading(lines[begin])):
        begin += 1
    begin = _after_page_head(lines, begin, end, names)
    while end > begin and (is_outside(lines[end - 1]) or names.are_together(lines[end - 1])):
        end -= 1
    if end - begin > 1 and _is_end(lines[end - 1], lines[end - 2]):
        end -= 1
    above = _names_above(lines[begin:end], names)
    heading, sung = lines[begin : begin + above], lines[begin + above : end]
    if above and _is_certain(heading, sung):
        begin, above = begin + above, 0
    return Edges(begin, end, above)


def _is_end(line: str, before: str) -> bool:
    """Check whether a line says that the song ends, and stands apart from those that are sung."""
    bare = line.strip(_SIGNS + ".!()")
    apart = not before or bare != line.rstrip(".!") or (line.isupper() and not before.isupper())
    return apart and _END.fullmatch(bare) is not None


def _after_page_head(lines: Sequence[str], begin: int, end: int, names: _Names) -> int:
    """Return where words begin if a heading follows short lines, as those of a menu are."""
    for at in range(begin, min(begin + _MOST_LINES, end)):
        if names.are_together(lines[at]):
            return at + 1
        if len(lines[at].split()) > _MENU_WORDS:
            break
    return begin


def _names_above(lines: Sequence[str], names: _Names) -> int:
    """Count the lines above the words that hold names, with blank and other lines among them."""
    above = 0
    seen: set[str] = set()
    for at, line in enumerate(lines[:_MOST_LINES]):
        if (kind := names.kind(line)) and kind not in seen:
            seen.add(kind)
            above = at + 1
        elif not is_outside(line):
            break
        elif above:
            above = at + 1
    return above if above < len(lines) else 0


def _is_certain(heading: Sequence[str], sung: Sequence[str]) -> bool:
    """Check whether names above the words are a heading, and not the first words: they are two, or
    credits stand below, or a blank line, and they are not repeated."""
    written = [line for line in heading if line]
    parted = len(written) < len(heading)
    return len(written) > 1 or (parted and written[0] not in sung)


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of a song, as letters and digits alone."""

    title: str
    artists: frozenset[str]
    album: str

    @classmethod
    def of(cls, track: Track) -> _Names:
        artists = (track.artist or "", track.album_artist or "", *track.artists)
        return cls(
            letters(track.title or ""),
            frozenset(map(letters, artists)) - {""},
            letters(track.album or ""),
        )

    def kind(self, line: str) -> str:
        """Return which name a line is, with nothing but signs and remarks around it."""
        for plain in _bare(line):
            unnamed = plain.removeprefix("by")
            for kind, known in (
                ("title", {self.title}),
                ("artist", self.artists),
                ("album", {self.album}),
            ):
                if plain and (plain in known or (kind == "artist" and unnamed in known)):
                    return kind
        return ""

    def is_heading(self, line: str) -> bool:
        """Check whether a line above the words is a heading for certain."""
        if line[:1] in _MARKUP or line[-1:] in _MARKUP or _NUMBER.match(line):
            return bool(self.kind(line)) or self.are_together(line)
        return self.are_together(line)

    def are_together(self, line: str) -> bool:
        """Check whether a line has title and artist, or one of them with "Lyrics"."""
        if not line or len(line) > _LONGEST:
            return False
        unlabelled = letters(LABELLED.sub("", line.strip(_SIGNS)))
        if unlabelled != letters(line) and unlabelled in {self.title, *self.artists} - {""}:
            return True
        if not self.title:
            return False
        names = {f"{self.title}lyrics", f"{self.title}songlyrics"}
        both: set[str] = set()
        for artist in self.artists:
            names |= {f"{artist}lyrics", *(f"{joint}{artist}" for joint in _JOINTS[:-1])}
            both |= {joint.join((self.title, artist)) for joint in _JOINTS}
            both |= {f"{artist}{self.title}"}
        names |= both | {f"{each}lyrics" for each in both}
        return unlabelled in both or any(plain in names for plain in _bare(line))


def _bare(line: str) -> tuple[str, ...]:
    """Return the letters of a line as it is, and without its number and remarks in brackets."""
    if len(line) > _LONGEST:
        return ()
    short = _NUMBER.sub("", line.strip(_SIGNS), count=1)
    while (found := _REMARK.search(short)) and found.start():
        short = short[: found.start()]
    return tuple(dict.fromkeys((letters(line), letters(short.strip(_SIGNS)))))
