"""Lyricsfile, the YAML of LRCGET and LRCLIB.

Written as its `concept <https://github.com/tranxuanthang/lrcget/blob/main/LYRICSFILE_CONCEPT.md>`_
says: whole milliseconds, lines in the order of their times, the space between two words at the
end of the first, and the plain text beside the timed lines. Lines without word times have no
``words``; ``estimated: true``, which is ours, marks a line whose start is only estimated. Voices
are not said. Where only some lines have times, the others cannot be written.

Read as a string is a string, whatever YAML would make of it (a line "No" is no boolean);
``offset_ms`` is applied like LRC's (positive is earlier), and where a line's words differ from its
text, the words count. Translations and romanisations stand in a list ``parallel`` of their line, an
addition that other readers pass over. Aliases are refused: no lyrics need them, and bombs are made
of them.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from lyricsyncd.errors import FormatError
from lyricsyncd.formats.text import MAX_WORDS, decode, language_code, split_lines
from lyricsyncd.formats.timing import (
    MAX_S,
    checked,
    framed,
    needs_line_times,
    stretches,
    tidy,
)
from lyricsyncd.model import Line, Lyrics, ParallelKind, ParallelText, Word

_MAX_DEPTH = 16
_MAX_NODES = 8 * MAX_WORDS
_NAMES = ("title", "artist", "album")
_NOTHING = ("", "~", "null", "Null", "NULL")
_LOOK = re.compile(r"^(?:version|metadata|lines|plain):", re.MULTILINE)


@dataclass(frozen=True)
class Lyricsfile:
    """Lyricsfile 1.0. ``syllables``: whether they are entries of their own among the words."""

    syllables: bool = False

    name: ClassVar[str] = "lyricsfile"
    suffixes: ClassVar[tuple[str, ...]] = (".yaml", ".yml")

    def looks_like(self, text: str) -> bool:
        return len(set(_LOOK.findall(text[:100_000]))) >= 2

    def read(self, data: bytes) -> Lyrics:
        document = _load(decode(data, legacy=False))
        if document is None:
            return Lyrics()
        document = _mapping(document, "the file")
        if not {"metadata", "lines", "plain"} & set(document):
            raise FormatError("this YAML is no Lyricsfile: it has neither lines nor plain text")
        about = _mapping(document.get("metadata") or {}, "metadata")
        offset = _milliseconds(about, "offset_ms") or 0
        timed = [_line(item, offset) for item in _list(document.get("lines"), "lines")]
        plain = [Line.from_text(row) for row in split_lines(_string(document, "plain"))]
        metadata = {name: _string(about, name) for name in _NAMES}
        duration = _milliseconds(about, "duration_ms")
        if duration:
            metadata["duration"] = str(checked(duration / 1000))
        return tidy(
            Lyrics(
                tuple(timed or [line for line in plain if line.words]),
                language_code(_string(about, "language").strip()),
                instrumental=_string(about, "instrumental").strip().lower() == "true",
                metadata=metadata,
            )
        )

    def project(self, lyrics: Lyrics) -> Lyrics:
        lyrics = tidy(lyrics)
        lines: list[Line] = []
        if not lyrics.instrumental:
            if any(line.words and line.start is not None for line in lyrics.lines):
                needs_line_times(lyrics.lines, "Lyricsfile")
            sung = [line for line in lyrics if line.words]
            lines = [
                Line(
                    cue.words,
                    cue.start,
                    cue.end,
                    parallel=_beside(cue),
                    estimated=line.estimated,
                )
                for line, cue in zip(
                    sung,
                    framed(
                        sung,
                        1000,
                        words=True,
                        need_end=False,
                        parallel=True,
                        syllables=self.syllables,
                    ),
                    strict=True,
                )
            ]
        metadata = {name: lyrics.metadata[name] for name in _NAMES if name in lyrics.metadata}
        duration = _duration(lyrics.metadata.get("duration"))
        if duration:
            metadata["duration"] = str(duration / 1000)
        return Lyrics(
            tuple(sorted(lines, key=lambda line: line.start or 0.0)),
            lyrics.language,
            instrumental=lyrics.instrumental,
            metadata=metadata,
        )

    def write(self, lyrics: Lyrics) -> str:
        import yaml

        lyrics = self.project(lyrics)
        about: dict[str, Any] = {
            "title": lyrics.metadata.get("title", ""),
            "artist": lyrics.metadata.get("artist", ""),
        }
        if "album" in lyrics.metadata:
            about["album"] = lyrics.metadata["album"]
        if "duration" in lyrics.metadata:
            about["duration_ms"] = _duration(lyrics.metadata["duration"])
        if lyrics.language is not None:
            about["language"] = lyrics.language
        about["instrumental"] = lyrics.instrumental
        document = {
            "version": "1.0",
            "metadata": about,
            "lines": [_row(line) for line in lyrics if line.start is not None],
            "plain": "".join(line.text + "\n" for line in lyrics),
        }
        return yaml.dump(
            document, Dumper=_dumper(), allow_unicode=True, sort_keys=False, width=2**20
        )


def _row(line: Line) -> dict[str, Any]:
    row: dict[str, Any] = {"text": line.text, **_times(line.start, line.end)}
    if line.estimated:
        row["estimated"] = True
    if line.words[0].start is not None:
        row["words"] = [
            {"text": text, **_times(start, end)} for text, start, end in stretches(line.words)
        ]
    if line.parallel:
        row["parallel"] = [
            {"kind": each.kind.value, "text": each.text}
            | ({"language": each.language} if each.language else {})
            for each in line.parallel
        ]
    return row


def _beside(line: Line) -> tuple[ParallelText, ...]:
    """Return the texts beside a line; those of lines without times have no place in the file."""
    return line.parallel if line.start is not None else ()


def _times(start: float | None, end: float | None) -> dict[str, int]:
    times = {"start_ms": start, "end_ms": end}
    return {key: round(time * 1000) for key, time in times.items() if time is not None}


def _duration(text: str | None) -> int:
    """Convert a duration in seconds to milliseconds; 0 for what is none."""
    try:
        seconds = float(text or 0)
    except ValueError:
        return 0
    return round(seconds * 1000) if 0 < seconds <= MAX_S else 0


@functools.cache
def _dumper() -> Any:
    import yaml

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        style = "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)

    dumper: Any = type("LyricsfileDumper", (yaml.SafeDumper,), {})
    dumper.add_representer(str, represent)
    return dumper


class _Builder:
    """Mappings, lists and text out of the parser's events, as they come.

    Everything is text, except what says nothing at all.
    """

    def __init__(self) -> None:
        self.root: object = None
        self._open: list[dict[str, object] | list[object]] = []
        self._keys: list[str | None] = []

    def text(self, value: str, *, plain: bool) -> None:
        self._put(None if plain and value in _NOTHING else value)

    def begin(self, collection: dict[str, object] | list[object]) -> None:
        if len(self._open) >= _MAX_DEPTH:
            raise FormatError("this YAML is deeper than the lyrics of one song")
        self._put(collection)
        self._open.append(collection)
        self._keys.append(None)

    def end(self) -> None:
        self._open.pop()
        self._keys.pop()

    def _put(self, value: object) -> None:
        if not self._open:
            self.root = value
            return
        into, key = self._open[-1], self._keys[-1]
        if isinstance(into, list):
            into.append(value)
        elif key is not None:
            into[key] = value
            self._keys[-1] = None
        elif isinstance(value, (dict, list)):
            raise FormatError("a key of this YAML is no text")
        else:
            self._keys[-1] = str(value or "")


def _load(text: str) -> object:
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    builder = _Builder()
    nodes = documents = 0
    try:
        # Composing as the library does it recurses, and takes several times as long.
        for event in yaml.parse(text, Loader=loader):
            nodes += 1
            if nodes > _MAX_NODES:
                raise FormatError("this YAML is longer than the lyrics of one song")
            if isinstance(event, yaml.ScalarEvent):
                plain = event.style is None or event.style == ""
                builder.text(event.value, plain=plain and event.tag is None)
            elif isinstance(event, yaml.MappingStartEvent):
                builder.begin({})
            elif isinstance(event, yaml.SequenceStartEvent):
                builder.begin([])
            elif isinstance(event, yaml.CollectionEndEvent):
                builder.end()
            elif isinstance(event, yaml.AliasEvent):
                raise FormatError("this YAML has aliases, which no lyrics need")
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise FormatError("this YAML holds several documents")
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())[:100]
        raise FormatError(f"this is not valid YAML ({problem})") from None
    return builder.root


def _line(item: object, offset: int) -> Line:
    row = _mapping(item, "a line")
    start, end = _time(row, "start_ms", offset), _time(row, "end_ms", offset)
    words = []
    for entry in _list(row.get("words"), "words"):
        word = _mapping(entry, "a word")
        text = _string(word, "text")
        times = _time(word, "start_ms", offset), _time(word, "end_ms", offset)
        words.append(Word(text, *times, space=text[-1:].isspace()))
    if not any(word.text.strip() for word in words):
        words = list(Line.from_text(_string(row, "text")).words)
    beside = tuple(map(_parallel, _list(row.get("parallel"), "parallel")))
    estimated = _string(row, "estimated").strip().lower() == "true"
    return Line(tuple(words), start, end, parallel=beside, estimated=estimated)


def _parallel(item: object) -> ParallelText:
    text = _mapping(item, "a parallel text")
    is_roman = _string(text, "kind") == ParallelKind.ROMANISATION.value
    kind = ParallelKind.ROMANISATION if is_roman else ParallelKind.TRANSLATION
    return ParallelText(_string(text, "text"), kind, language_code(_string(text, "language")))


def _time(item: dict[str, Any], key: str, offset: int) -> float | None:
    milliseconds = _milliseconds(item, key)
    if milliseconds is None:
        return None
    if milliseconds < 0:
        raise FormatError(f"{key} is negative: {milliseconds}")
    return max(0, milliseconds - offset) / 1000


def _milliseconds(item: dict[str, Any], key: str) -> int | None:
    text = item.get(key)
    if text is None or text == "":
        return None
    if not isinstance(text, str) or not re.fullmatch(r"[+-]?[0-9]{1,12}", text):
        raise FormatError(f"{key} should be whole milliseconds, not {str(text)[:40]!r}")
    if abs(int(text)) > MAX_S * 1000:
        raise FormatError(f"{key} is no time within a song: {text}")
    return int(text)


def _mapping(item: object, what: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise FormatError(f"{what} of this Lyricsfile should be a mapping")
    return item


def _list(item: object, what: str) -> list[object]:
    if item is None or item == "":
        return []
    if not isinstance(item, list):
        raise FormatError(f"{what} of this Lyricsfile should be a list")
    return item


def _string(item: dict[str, Any], key: str) -> str:
    text = item.get(key)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise FormatError(f"{key} should be text")
    return text
