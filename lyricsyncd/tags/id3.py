"""Lyrics in ID3 tags: ``USLT`` holds text, ``SYLT`` has a time for each word (ID3v2.4, 4.8, 4.9).

In ``SYLT`` a piece that begins with a newline begins a line, and pieces bring their own spaces, as
the standard has it. Times are milliseconds. Our mark stands in its description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lyricsyncd.tags import mark
from lyricsyncd.tags.textfield import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lyricsyncd.model import Line, Lyrics
    from lyricsyncd.tags.container import Value
    from lyricsyncd.tags.targets import Tag

_MILLISECONDS, _LYRICS = 2, 1
_UTF8 = 3
_LANGUAGES = {
    "ar": "ara", "bg": "bul", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu", "el": "ell",
    "en": "eng", "es": "spa", "et": "est", "fa": "fas", "fi": "fin", "fr": "fra", "he": "heb",
    "hi": "hin", "hr": "hrv", "hu": "hun", "id": "ind", "is": "isl", "it": "ita", "ja": "jpn",
    "ko": "kor", "lt": "lit", "lv": "lav", "nl": "nld", "no": "nor", "pl": "pol", "pt": "por",
    "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv", "sr": "srp", "sv": "swe", "th": "tha",
    "tr": "tur", "uk": "ukr", "vi": "vie", "zh": "zho",
}  # fmt: skip
_UNKNOWN = "und"


class Id3:
    """ID3v2 in MP3, WAV and AIFF files; see `Container`."""

    slots: tuple[str, ...] = ("USLT", "SYLT")

    def read(self, file: Any, slot: str) -> Value:
        """See `Container`."""
        frames = [] if file.tags is None else file.tags.getall(slot)
        return frame_values(frames) if frames else None

    def put(self, file: Any, slot: str, value: Value) -> None:
        """See `Container`."""
        if file.tags is None:
            if value is None:
                return
            file.add_tags()
        file.tags.delall(slot)
        for frame in value or ():
            file.tags.add(_frame(slot, frame))

    def content(self, lyrics: Lyrics, tag: Tag, *, by_hand: bool) -> Mapping[str, Value]:
        """See `Container`."""
        language = _LANGUAGES.get(lyrics.language or "", _UNKNOWN)
        text = text_of(lyrics, tag.text, by_hand=by_hand)
        content: dict[str, Value] = {"USLT": [{"lang": language, "desc": "", "text": text}]}
        if tag.synced != "no":
            pieces = _pieces(lyrics)
            content["SYLT"] = [_sealed(language, pieces, by_hand=by_hand)]
        return content

    def save(self, file: Any, path: Path) -> None:
        """See `Container`. The version stays as it is; of ID3v1 only what is there is kept up."""
        version = 3 if file.tags.version[:2] < (2, 4) and file.tags.size else 4
        if type(file).__name__ in ("MP3", "TrueAudio"):
            file.tags.save(path, v1=1, v2_version=version)
        else:
            file.tags.save(path, v2_version=version)


def reopened(file: Any) -> Any:
    """The file again with its frames as they are, not brought up to the latest version."""
    return type(file)(file.filename, translate=False)


def frame_values(frames: Iterable[Any]) -> list[dict[str, Any]]:
    """What frames hold, as plain values in an order of their own."""
    values = [_values(frame) for frame in frames]
    return sorted(values, key=lambda value: (value["lang"], value["desc"]))


def _values(frame: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"lang": frame.lang, "desc": frame.desc}
    if frame.FrameID == "USLT":
        return {**values, "text": frame.text}
    pieces = [[text, time] for text, time in frame.text]
    return {**values, "format": int(frame.format), "type": int(frame.type), "text": pieces}


def _frame(slot: str, value: Mapping[str, Any]) -> Any:
    from mutagen import id3

    if slot == "USLT":
        return id3.USLT(encoding=_UTF8, **value)
    pieces = [(text, time) for text, time in value["text"]]
    return id3.SYLT(encoding=_UTF8, **{**value, "text": pieces})


def _sealed(language: str, pieces: list[list[Any]], *, by_hand: bool) -> dict[str, Any]:
    from lyricsyncd.tags.container import decoded, encoded

    frame = {
        "lang": language,
        "desc": "" if by_hand else mark.TOOL,
        "format": _MILLISECONDS,
        "type": _LYRICS,
        "text": pieces,
    }
    if by_hand:
        return frame
    data = encoded([frame])
    assert data is not None, "a frame is not nothing"
    sealed: list[dict[str, Any]] = decoded(mark.sealed(data.decode()))
    return sealed[0]


def _pieces(lyrics: Lyrics) -> list[list[Any]]:
    """Text and milliseconds; times never go back, as players that seek in them need it."""
    pieces: list[list[Any]] = []
    latest = 0
    for line in sorted(lyrics.lines, key=lambda line: _start(line) or 0.0):
        start = _start(line)
        if not line.words or start is None:
            continue
        for at, (text, time) in enumerate(_timed(line, start)):
            latest = max(latest, round(time * 1000))
            # The first line needs its newline too: it tells readers that there are lines at all.
            pieces.append(["\n" * (at == 0) + text, latest])
    return pieces


def _timed(line: Line, start: float) -> list[tuple[str, float]]:
    if not line.timed_words:
        return [(line.text, start)]
    last = len(line.words) - 1
    return [
        (word.text + " " * (word.space and at < last), word.start if word.start is not None else 0)
        for at, word in enumerate(line.words)
    ]


def _start(line: Line) -> float | None:
    if line.start is not None:
        return line.start
    return line.words[0].start if line.words else None
