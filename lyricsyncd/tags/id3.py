"""Read and write lyrics in ID3 tags: text in ``USLT``, word times in ``SYLT`` (ID3v2.4, 4.8, 4.9).

In ``SYLT`` a piece that begins with a newline begins a line, and pieces include their own spaces,
as the standard has it; one that is empty or a space ends the word before, where a rest or the end
of the song follows. Times are milliseconds. Our stamp is in its description.
"""

from __future__ import annotations

import codecs
import itertools
import json
import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lyricsyncd.tags import atomic, stamp
from lyricsyncd.tags.raw import id3 as raw
from lyricsyncd.tags.textfield import text_of
from lyricsyncd.tags.values import Value, encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lyricsyncd.model import Line, Lyrics
    from lyricsyncd.tags.presets import Tag

_MILLISECONDS, _LYRICS = 2, 1
_LATIN_1, _UTF16, _UTF16_BE, _UTF8 = range(4)
_ENCODINGS = {_LATIN_1: "latin-1", _UTF16: "utf-16", _UTF16_BE: "utf-16-be", _UTF8: "utf-8"}
_SLOTS = {
    2: {"ULT": "USLT", "SLT": "SYLT"},
    3: {"USLT": "USLT", "SYLT": "SYLT"},
    4: {"USLT": "USLT", "SYLT": "SYLT"},
}
"""Slot by name of a frame, for each version."""
_LANGUAGES = {
    "ar": "ara", "bg": "bul", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu", "el": "ell",
    "en": "eng", "es": "spa", "et": "est", "fa": "fas", "fi": "fin", "fr": "fra", "he": "heb",
    "hi": "hin", "hr": "hrv", "hu": "hun", "id": "ind", "is": "isl", "it": "ita", "ja": "jpn",
    "ko": "kor", "lt": "lit", "lv": "lav", "nl": "nld", "no": "nor", "pl": "pol", "pt": "por",
    "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv", "sr": "srp", "sv": "swe", "th": "tha",
    "tr": "tur", "uk": "ukr", "vi": "vie", "zh": "zho", "yue": "zho",
}  # fmt: skip
_UNKNOWN = "und"


@dataclass(frozen=True, slots=True)
class Id3:
    """The frames of a tag; see `Container`."""

    tag: raw.Tag
    slots: tuple[str, ...] = ("USLT", "SYLT")

    @property
    def form(self) -> str:
        """See `Container`."""
        return self.tag.form

    def slot_of(self, item: bytes) -> str | None:
        """See `Container`."""
        name = item[: 3 if self.tag.version == 2 else 4].decode("latin-1")
        return _SLOTS[self.tag.version].get(name)

    def value(self, slot: str, items: Sequence[bytes]) -> Value:
        """See `Container`."""
        return _ordered(
            [_read(slot, *raw.unframed(item, self.tag)[1:], self.tag) for item in items]
        )

    def encode(self, slot: str, value: Value) -> list[bytes]:
        """See `Container`."""
        names = {slot: name for name, slot in _SLOTS[self.tag.version].items()}
        # UTF-8 came with ID3v2.4.
        encoding = _UTF8 if self.tag.version == 4 else _UTF16
        return [raw.framed(names[slot], _written(slot, each, encoding), self.tag) for each in value]

    def content(self, lyrics: Lyrics, tag: Tag, *, by_hand: bool) -> Mapping[str, Value]:
        """See `Container`."""
        language = _LANGUAGES.get(lyrics.language or "", _UNKNOWN)
        text = text_of(lyrics, tag.text, by_hand=by_hand)
        content: dict[str, Value] = {"USLT": [{"lang": language, "desc": "", "text": text}]}
        if tag.synced != "no":
            pieces = _pieces(lyrics)
            content["SYLT"] = [_signed(language, pieces, by_hand=by_hand)]
        return content


def frame_values(frames: Iterable[Any]) -> list[dict[str, Any]]:
    """Return the content of frames as plain values, in a fixed order."""
    return _ordered([_values(frame) for frame in frames])


def _ordered(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(values, key=lambda value: (value["lang"], value["desc"]))


def _values(frame: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"lang": frame.lang, "desc": frame.desc}
    if frame.FrameID == "USLT":
        return {**values, "text": frame.text}
    pieces = [[text, time] for text, time in frame.text]
    return {**values, "format": int(frame.format), "type": int(frame.type), "text": pieces}


def _read(slot: str, flags: int, data: bytes, tag: raw.Tag) -> dict[str, Any]:
    """Decode a frame; for one that cannot be decoded, return its bytes."""
    try:
        content = _content(flags, data, tag)
        encoding, language = content[0], content[1:4].decode("latin-1")
        if len(content) < 4 or encoding > _UTF8:
            raise ValueError("no frame of lyrics")
    except (ValueError, IndexError, zlib.error):
        values = {"lang": "", "desc": "a frame that cannot be read", "text": data.hex()}
        return values if slot == "USLT" else {**values, "format": 0, "type": 0}
    at = 4 if slot == "USLT" else 6
    description, at = _string(content, at, encoding)
    if slot == "USLT":
        return {"lang": language, "desc": description, "text": _string(content, at, encoding)[0]}
    pieces: list[list[Any]] = []
    while at < len(content):
        text, at = _string(content, at, encoding)
        pieces.append([text, int.from_bytes(content[at : at + 4], "big")])
        at += 4
    return {
        "lang": language,
        "desc": description,
        "format": content[4] if len(content) > 4 else 0,
        "type": content[5] if len(content) > 5 else 0,
        "text": pieces,
    }


def _content(flags: int, data: bytes, tag: raw.Tag) -> bytes:
    """Undo what a frame's flags did to its data. Raises ValueError or zlib.error."""
    if tag.version < 4:
        compressed, encrypted, grouped, measured = flags & 0x80, flags & 0x40, flags & 0x20, 0
        data = data[4:] if compressed else data
        data = data[1:] if grouped else data
        unsynchronised = False
    else:
        compressed, encrypted, grouped, measured = flags & 8, flags & 4, flags & 0x40, flags & 1
        data = data[1:] if grouped else data
        data = data[4:] if measured else data
        unsynchronised = bool(flags & 2) or tag.unsynchronised
    if encrypted:
        raise ValueError("it is encrypted")
    if unsynchronised:
        data = raw.resynchronised(data)
    return zlib.decompressobj().decompress(data, atomic.MAX_BYTES) if compressed else data


def _string(data: bytes, at: int, encoding: int) -> tuple[str, int]:
    """Decode a string, which may lack its terminator; return it, and the position behind it."""
    width = 2 if encoding in (_UTF16, _UTF16_BE) else 1
    end = data.find(bytes(width), at)
    while end >= 0 and (end - at) % width:
        end = data.find(bytes(width), end + 1)
    if end < 0:
        end = len(data)
    return data[at:end].decode(_ENCODINGS[encoding], "replace"), end + width


def _written(slot: str, value: Mapping[str, Any], encoding: int) -> bytes:
    """Encode the data of a frame."""

    def string(text: str) -> bytes:
        if encoding == _UTF16:
            return codecs.BOM_UTF16_LE + text.encode("utf-16-le", "replace")
        return text.encode("utf-8", "replace")

    end = bytes(2 if encoding == _UTF16 else 1)
    language: bytes = value["lang"].encode("latin-1", "replace")[:3].ljust(3, b"\0")
    description = string(value["desc"]) + end
    if slot == "USLT":
        return bytes([encoding]) + language + description + string(value["text"])
    kind = bytes([value["format"], value["type"]])
    pieces = b"".join(string(text) + end + time.to_bytes(4, "big") for text, time in value["text"])
    return bytes([encoding]) + language + kind + description + pieces


def _signed(language: str, pieces: list[list[Any]], *, by_hand: bool) -> dict[str, Any]:
    frame = {
        "lang": language,
        "desc": "" if by_hand else stamp.TOOL,
        "format": _MILLISECONDS,
        "type": _LYRICS,
        "text": pieces,
    }
    if by_hand:
        return frame
    data = encoded([frame])
    assert data is not None, "a frame is not nothing"
    signed: list[dict[str, Any]] = json.loads(stamp.signed(data.decode()))
    return signed[0]


def _pieces(lyrics: Lyrics) -> list[list[Any]]:
    """Return texts and milliseconds; times never decrease, as players that seek in them need."""
    pieces: list[list[Any]] = []
    latest = 0
    lines = [line for line in lyrics.lines if line.words and _start(line) is not None]
    lines.sort(key=lambda line: _start(line) or 0.0)
    for line, following in itertools.zip_longest(lines, lines[1:]):
        limit = math.inf if following is None else _start(following) or 0.0
        for at, (text, time) in enumerate(_timed(line, _start(line) or 0.0, limit)):
            latest = max(latest, round(time * 1000))
            # The first line needs its newline too: by it readers know that there are lines at all.
            pieces.append(["\n" * (at == 0) + text, latest])
    return pieces


def _timed(line: Line, start: float, limit: float) -> list[tuple[str, float]]:
    """Return the pieces of a line, which ends at ``limit`` at the latest, with rests between."""
    if not line.timed_words:
        rest = [("", line.end)] if line.end is not None and start < line.end < limit else []
        return [(line.text, start), *rest]
    timed: list[tuple[str, float]] = []
    for word, following in itertools.zip_longest(line.words, line.words[1:]):
        space = " " if word.space and following is not None else ""
        later = limit if following is None else following.start or 0.0
        onset = word.start or 0.0
        if word.end is not None and onset < word.end < later:
            timed += [(word.text, onset), (space, word.end)]
        else:
            timed.append((word.text + space, onset))
    return timed


def _start(line: Line) -> float | None:
    if line.start is not None:
        return line.start
    return line.words[0].start if line.words else None
