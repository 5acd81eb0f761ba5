"""Read and write lyrics in tags that are text: Vorbis comments, MP4, ASF and APEv2.

Line times are part of the text, as LRC, which players that read these tags understand.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.tags import stamp
from lyricsyncd.tags.raw import Untouchable, mp4

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lyricsyncd.model import Lyrics
    from lyricsyncd.tags.presets import Tag
    from lyricsyncd.tags.values import Value


def text_of(lyrics: Lyrics, format_name: str, *, by_hand: bool) -> str:
    """Write lyrics as the text of a tag, with our stamp where the format has room for it."""
    from lyricsyncd import formats

    author = stamp.unstamped if by_hand else stamp.stamped
    return stamp.signed(formats.write(author(lyrics), format_name)).decode()


@dataclass(frozen=True, slots=True)
class TextField:
    """A kind of tags with one slot, which holds texts; see `Container`."""

    slots: tuple[str, ...]
    form: str
    key: Callable[[bytes], str]
    """Returns the name of an item."""
    texts: Callable[[bytes], list[str]]
    """Decodes an item to texts."""
    items: Callable[[list[str]], list[bytes]]
    """Encodes texts as items."""

    def slot_of(self, item: bytes) -> str | None:
        """See `Container`."""
        return self.slots[0] if self.key(item).lower() == self.slots[0].lower() else None

    def value(self, slot: str, items: Sequence[bytes]) -> Value:  # noqa: ARG002 - there is but one
        """See `Container`."""
        return [text for item in items for text in self.texts(item)]

    def encode(self, slot: str, value: Value) -> list[bytes]:  # noqa: ARG002 - there is but one
        """See `Container`."""
        return self.items(value)

    def content(self, lyrics: Lyrics, tag: Tag, *, by_hand: bool) -> Mapping[str, Value]:
        """See `Container`."""
        return {self.slots[0]: [text_of(lyrics, tag.text, by_hand=by_hand)]}


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _vorbis_key(item: bytes) -> str:
    return item.partition(b"=")[0].decode("latin-1")


def _vorbis_texts(item: bytes) -> list[str]:
    return [_decoded(item.partition(b"=")[2])]


def _vorbis_items(texts: list[str]) -> list[bytes]:
    return [b"LYRICS=" + _encoded(text) for text in texts]


def _ape_key(item: bytes) -> str:
    return item[8:].partition(b"\0")[0].decode("latin-1")


def _ape_texts(item: bytes) -> list[str]:
    return _decoded(item[8:].partition(b"\0")[2]).split("\0")


def _ape_items(texts: list[str]) -> list[bytes]:
    value = _encoded("\0".join(texts))
    return [struct.pack("<II", len(value), 0) + b"Lyrics\0" + value]


_ATOM = "\xa9lyr"
_DATA_HEADER = 8
_UTF8 = 1


def _mp4_key(item: bytes) -> str:
    return item[4:8].decode("latin-1")


def _mp4_texts(item: bytes) -> list[str]:
    ((_, body),) = mp4.children_of(item) or [(b"", b"")]
    found = mp4.children_of(body)
    return [_decoded(data[_DATA_HEADER:]) for name, data in found if name == b"data"]


def _mp4_items(texts: list[str]) -> list[bytes]:
    header = struct.pack(">II", _UTF8, 0)
    body = b"".join(mp4.atom(b"data", header + _encoded(text)) for text in texts)
    return [mp4.atom(_ATOM.encode("latin-1"), body)]


_ASF_TEXT = 0


def _asf_parts(item: bytes) -> tuple[str, bytes]:
    end = 2 + int.from_bytes(item[:2], "little")
    return item[2:end].decode("utf-16-le", "replace").strip("\0"), item[end + 4 :]


def _asf_key(item: bytes) -> str:
    return _asf_parts(item)[0]


def _asf_texts(item: bytes) -> list[str]:
    return [_asf_parts(item)[1].decode("utf-16-le", "replace").strip("\0")]


def _asf_items(texts: list[str]) -> list[bytes]:
    name = "WM/Lyrics\0".encode("utf-16-le")
    items: list[bytes] = []
    for text in texts:
        value = f"{text}\0".encode("utf-16-le", "replace")
        if len(value) >= 2**16:
            raise Untouchable("its kind of tags has no room for lyrics of this length")
        measures = struct.pack("<HH", _ASF_TEXT, len(value))
        items.append(len(name).to_bytes(2, "little") + name + measures + value)
    return items


VORBIS = TextField(("LYRICS",), "vorbis", _vorbis_key, _vorbis_texts, _vorbis_items)
MP4 = TextField((_ATOM,), "mp4", _mp4_key, _mp4_texts, _mp4_items)
ASF = TextField(("WM/Lyrics",), "asf", _asf_key, _asf_texts, _asf_items)
APE = TextField(("Lyrics",), "ape", _ape_key, _ape_texts, _ape_items)
