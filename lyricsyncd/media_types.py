"""One table of the kinds of files: what is discovered, decoded, tagged, read as lyrics, written.

The scanner, the decoder, the tag writer, the sources of lyrics, the web server and the guard of the
command line ask this table and keep none of their own, so that a kind that one of them knows is
known to all.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import PurePath

from lyricsyncd import registry
from lyricsyncd.errors import ModelError


@dataclass(frozen=True, slots=True)
class AudioType:
    """A container of sound.

    Attributes
    ----------
    suffixes : tuple of str
        Lower case, dot included, the usual one first.
    media_type : str
        As in HTTP.
    demuxers : str
        FFmpeg's names of what opens it, separated by spaces.
    tags : str
        How it is tagged: ``id3``, ``vorbis``, ``ape``, ``mp4`` or ``asf``; empty where lyrics
        cannot be kept in it.
    signature : bytes
        Regular expression of its first bytes, behind any ID3 tags; empty where no tag is written.
    discovered : bool
        Whether a file of such a name is taken for a song. Films and audiobooks are not.
    """

    suffixes: tuple[str, ...]
    media_type: str
    demuxers: str
    tags: str = ""
    signature: bytes = b""
    discovered: bool = True


_MPEG = rb"\xff[\xe2-\xe7\xea-\xef\xf2-\xf7\xfa-\xff]"
"""Of layer I to III; AAC looks like it, and has no layer."""
_ASF = rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"
AUDIO = (
    AudioType((".mp3",), "audio/mpeg", "mp3", "id3", _MPEG),
    AudioType((".flac",), "audio/flac", "flac", "vorbis", b"fLaC"),
    AudioType((".ogg", ".oga"), "audio/ogg", "ogg", "vorbis", b"OggS"),
    AudioType((".opus",), "audio/ogg", "ogg", "vorbis", b"OggS"),
    AudioType((".m4a", ".alac"), "audio/mp4", "mov", "mp4", b"....ftyp"),
    AudioType((".m4b", ".mp4"), "audio/mp4", "mov", "mp4", b"....ftyp", discovered=False),
    AudioType((".wav",), "audio/wav", "wav w64", "id3", b"RIFF....WAVE"),
    AudioType((".aiff", ".aif", ".aifc"), "audio/aiff", "aiff", "id3", b"FORM....AIF[FC]"),
    AudioType((".dsf",), "audio/x-dsf", "dsf", "id3", b"DSD "),
    AudioType((".tta",), "audio/x-tta", "tta", "id3", b"TTA[12]"),
    AudioType((".wma",), "audio/x-ms-wma", "asf", "asf", _ASF),
    AudioType((".ape",), "audio/x-ape", "ape", "ape", b"MAC "),
    AudioType((".mpc",), "audio/x-musepack", "mpc mpc8", "ape", rb"MP\+|MPCK"),
    AudioType((".wv",), "audio/x-wavpack", "wv", "ape", b"wvpk"),
    AudioType((".tak",), "audio/x-tak", "tak", "ape", b"tBaK"),
    AudioType((".aac",), "audio/aac", "aac"),
    AudioType((".mka",), "audio/x-matroska", "matroska"),
)
FURTHER_DEMUXERS = "ac3 amr au avi caf dts dtshd eac3 flv mpeg mpegts"
"""Containers that are decoded where a person names one, and never discovered. Playlists (HLS, DASH,
concat) are left out for good: a song that is one could make us open other files, or call out."""

DEMUXERS = tuple(dict.fromkeys(" ".join([*(t.demuxers for t in AUDIO), FURTHER_DEMUXERS]).split()))
AUDIO_SUFFIXES = frozenset(suffix for kind in AUDIO for suffix in kind.suffixes)
"""Every suffix of a song: nothing but a song is ever written under one."""
SONG_SUFFIXES = frozenset(suffix for kind in AUDIO if kind.discovered for suffix in kind.suffixes)
"""Suffixes by which songs are discovered."""

_SIDECARS = (".elrc", ".lrc", ".ttml", ".yaml", ".yml", ".srt", ".vtt", ".ass", ".ssa")
"""Suffixes of lyrics beside a song, the finest first. Not ``.json`` or ``.xml``: those are many
other things."""
_SIDECAR_OF = {"lrc": ".lrc", "lyricsfile": ".yaml", "ultrastar": ".ultrastar.txt"}
"""Format → the suffix of its sidecar, where that is not the format's first."""
_MEDIA_TYPE_OF = {
    "json": "application/json",
    "ttml": "application/ttml+xml",
    "vtt": "text/vtt",
    "lyricsfile": "application/yaml",
    "srt": "application/x-subrip",
}


def by_content(head: bytes) -> AudioType | None:
    """Find the kind of a file that can be tagged by its first bytes; those behind ID3 tags."""
    for kind in AUDIO:
        if kind.signature and re.match(kind.signature, head, re.DOTALL):
            return kind
    return None


STEM_ENDINGS = (".instrumental", ".vocals")
"""Endings of the names of a song's stems, before their suffix."""


def is_audio(path: PurePath) -> bool:
    """Return whether a name is that of a song, discovered or not."""
    return path.suffix.lower() in AUDIO_SUFFIXES


@functools.cache
def lyrics_suffixes() -> tuple[str, ...]:
    """List the suffixes of lyrics beside a song, in the order in which they are preferred.

    Formats of other packages come after ours, and plain text last.
    """
    plugins = [
        suffix
        for entry in registry.formats.entries().values()
        if entry.origin
        for suffix in _suffixes(entry.name)
    ]
    return tuple(dict.fromkeys([*_SIDECARS, *plugins, ".txt"]))


def sidecar_suffix(format: str) -> str:
    """Name the suffix of the sidecar of a format."""
    return _SIDECAR_OF.get(format) or next(iter(_suffixes(format)), f".{format}")


def media_type(format: str) -> str:
    """Name the media type of a format, as in HTTP."""
    return _MEDIA_TYPE_OF.get(format, "text/plain")


def media_types() -> tuple[str, ...]:
    """List the media types that formats have."""
    return ("text/plain", *_MEDIA_TYPE_OF.values())


def _suffixes(format: str) -> tuple[str, ...]:
    try:
        return registry.formats.open(format).suffixes
    except (ModelError, AttributeError):  # a broken plug-in is left out by `lyricsyncd.formats`
        return ()
