"""Read a recording's names from its tags, or else from the file's name.

A name that a file lacks is ``None``, never an unmarked guess (`Track.from_file_name` marks names
that are guessed from the file's name).
"""

from __future__ import annotations

import dataclasses
import math
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lyricsyncd import tagfile
from lyricsyncd.errors import AudioError
from lyricsyncd.identify.file_name import parse_file_name
from lyricsyncd.model import Track
from lyricsyncd.processes import sandbox
from lyricsyncd.text.language import code as language_code

_LONGEST = 500
"""Most characters of a name; longer values are ignored."""
_MOST = 100
"""Most artists of one song; more are ignored."""

_NAMES: dict[str, tuple[str, ...]] = {
    "artist": ("TPE1", "artist", "\xa9ART", "author"),
    "artists": ("TXXX:ARTISTS", "artists", "----:com.apple.iTunes:ARTISTS", "wm/artists"),
    "title": ("TIT2", "title", "\xa9nam"),
    "album": ("TALB", "album", "\xa9alb", "wm/albumtitle"),
    "album_artist": ("TPE2", "albumartist", "album artist", "aART", "wm/albumartist"),
    "language": ("TLAN", "language", "----:com.apple.iTunes:LANGUAGE", "wm/language"),
    "isrc": ("TSRC", "isrc", "----:com.apple.iTunes:ISRC", "wm/isrc"),
    "recording_id": (
        "UFID:http://musicbrainz.org",
        "musicbrainz_trackid",
        "----:com.apple.iTunes:MusicBrainz Track Id",
        "musicbrainz/track id",
        "TXXX:MusicBrainz Track Id",
    ),
    "genre": ("TCON", "genre", "\xa9gen", "wm/genre"),
    "media_kind": ("stik",),
    "podcast": ("pcst", "PCST", "TGID", "WFED", "TXXX:PODCAST", "podcast"),
}
"""The keys of each field in the kinds of tags (ID3, Vorbis comments and APEv2, MP4, ASF), after
MusicBrainz Picard's mapping. They are compared case-insensitively."""

_KEYS = frozenset(key.lower() for keys in _NAMES.values() for key in keys)

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")


def read_tags(path: Path) -> Track:
    """Read the names and the length of a recording.

    Raises
    ------
    AudioError
        There is no such file, it is not audio, or reading it exceeds the limits of the sandbox.
    """
    path = Path(path)
    _check_regular(path)
    return sandbox.READER.run(parse_tags, path)


def parse_tags(path: Path) -> Track:
    """Read tags as `read_tags`, without limits of time and memory: for a sandbox process only."""
    values, duration = _read(path)
    first = {name: _clean(found[0]) for name, found in values.items() if found}
    artists = tuple(filter(None, map(_clean, values["artists"] or values["artist"])))[:_MOST]
    shown = tuple(filter(None, map(_clean, values["artist"])))[:_MOST] or artists
    track = Track(
        path=path,
        artist=", ".join(shown) or first.get("album_artist"),
        artists=artists,
        title=first.get("title"),
        album=first.get("album"),
        album_artist=first.get("album_artist"),
        duration=duration,
        language=language_code(first.get("language") or ""),
        recording_id=_matching(_UUID, (first.get("recording_id") or "").lower()),
        isrc=_matching(_ISRC, (first.get("isrc") or "").upper().replace("-", "")),
        genres=tuple(filter(None, map(_clean, values["genre"]))),
        marked_as=_marked_as(path, first),
    )
    return track if track.artist and track.title else _with_file_name(track, path)


_AUDIOBOOK_KIND, _PODCAST_KIND = "2", "21"
"""Values of MP4's ``stik`` atom."""
_NO_LANGUAGE = "zxx"
"""ISO 639-2: there is no linguistic content."""


def _marked_as(path: Path, first: dict[str, str | None]) -> str | None:
    """Return the kind of recording that the file is marked as, if it is no ordinary song."""
    if first.get("podcast") not in (None, "False", "0") or (
        first.get("media_kind") == _PODCAST_KIND
    ):
        return "podcast"
    if path.suffix.lower() == ".m4b" or first.get("media_kind") == _AUDIOBOOK_KIND:
        return "audiobook"
    if (first.get("language") or "").lower() == _NO_LANGUAGE:
        return "instrumental"
    return None


def _check_regular(path: Path) -> None:
    try:
        kind = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise AudioError(f"{path} cannot be opened: {reason}", remedy="Check the path") from None
    if not stat.S_ISREG(kind.st_mode):
        raise AudioError(f"{path} is not a file", remedy="Name a song, not a folder or device")
    if kind.st_size == 0:
        raise AudioError(f"{path} is empty", remedy="Copy or rip the song again")


def _read(path: Path) -> tuple[dict[str, list[str]], float | None]:
    """Read the tags by our names for them, and the length in seconds."""
    try:
        file = tagfile.opened(path)
    except tagfile.Unreadable:
        file = None
    except OSError as error:
        raise AudioError(
            f"{path} cannot be read: {error.strerror or error}",
            remedy="Check its rights and its disk",
        ) from None
    if file is not None:
        # A file can end after its tags; a length of zero is no song.
        length = float(getattr(file.info, "length", 0.0))
        if math.isfinite(length) and length > 0:
            return _values(file.tags), length
    # Unknown to mutagen, or broken tags: check that there is audio at all.
    from lyricsyncd import audio

    return {name: [] for name in _NAMES}, audio.probe(path).duration


def _values(tags: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in _NAMES}
    by_name: dict[str, list[Any]] = {}
    for key, value in tagfile.fields(tags, lambda key: key.lower() in _KEYS):
        by_name.setdefault(key.lower(), []).append(value)
    for name, keys in _NAMES.items():
        for key in keys:
            texts = [text for value in by_name.get(key.lower(), ()) for text in _texts(value)]
            if any(_clean(text) for text in texts):
                found[name] = texts
                break
    return found


def _texts(value: Any) -> Iterable[str]:
    """Return the strings in the value of a tag of any kind: frames, lists, bytes, attributes."""
    if isinstance(value, str):
        # Before ID3v2.4 and in APEv2 one value may hold several, separated by NUL.
        yield from value.split("\0")
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif hasattr(value, "data") and isinstance(value.data, bytes):
        yield value.data.decode("utf-8", "replace")
    elif hasattr(value, "genres"):
        # ID3's may be numbers.
        yield from value.genres
    elif hasattr(value, "text"):
        yield from _texts(value.text)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield from str(value).split("\0")


def _clean(text: str) -> str | None:
    text = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\ufeff\ud800-\udfff]", " ", text).split())
    return text if text and len(text) <= _LONGEST else None


def _matching(pattern: re.Pattern[str], text: str) -> str | None:
    return text if pattern.fullmatch(text) else None


def _with_file_name(track: Track, path: Path) -> Track:
    """Fill in names that the tags lack from the file's name."""
    name = parse_file_name(path.stem)
    artist = track.artist or name.artist
    return dataclasses.replace(
        track,
        title=track.title or name.title or None,
        artist=artist,
        artists=track.artists or ((artist,) if artist else ()),
        album=track.album or name.album,
        from_file_name=True,
    )
