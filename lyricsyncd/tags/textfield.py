"""Lyrics in tags that are text: Vorbis comments, MP4, ASF and APEv2.

Line times stand in the text as LRC, which is what players that read these tags understand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lyricsyncd.tags import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lyricsyncd.model import Lyrics
    from lyricsyncd.tags.container import Value
    from lyricsyncd.tags.targets import Tag


def text_of(lyrics: Lyrics, format_name: str, *, by_hand: bool) -> str:
    """The lyrics as the text of a tag, with our mark where the format has room for it."""
    from lyricsyncd import formats

    author = mark.unmarked if by_hand else mark.marked
    return mark.sealed(formats.write(author(lyrics), format_name)).decode()


@dataclass(frozen=True, slots=True)
class TextField:
    """A kind of tags with one slot, which holds texts."""

    slots: tuple[str, ...]
    texts: Callable[[Any], list[str]]
    """The strings in what the library has under the slot's name."""
    value: Callable[[list[str]], Any]
    """The other way round."""

    def read(self, file: Any, slot: str) -> Value:
        """See `Container`."""
        key = self._key(file, slot)
        return None if key is None else self.texts(file.tags[key])

    def put(self, file: Any, slot: str, value: Value) -> None:
        """See `Container`."""
        key = self._key(file, slot)
        if value is None:
            if key is not None:
                del file.tags[key]
            return
        if file.tags is None:
            file.add_tags()
        file.tags[key or slot] = self.value(value)

    def content(self, lyrics: Lyrics, tag: Tag, *, by_hand: bool) -> Mapping[str, Value]:
        """See `Container`."""
        return {self.slots[0]: [text_of(lyrics, tag.text, by_hand=by_hand)]}

    def save(self, file: Any, path: Path) -> None:
        """See `Container`."""
        file.save(path)

    def _key(self, file: Any, slot: str) -> str | None:
        """The slot's name in the case in which the file has it."""
        if file.tags is None:
            return None
        # ASF's tags iterate over pairs.
        return next((key for key in file.tags.keys() if key.lower() == slot.lower()), None)  # noqa: SIM118


def _strings(values: Any) -> list[str]:
    return [str(value) for value in values]


def _ape_value(texts: list[str]) -> Any:
    from mutagen.apev2 import APETextValue

    return APETextValue("\0".join(texts), 0)


VORBIS = TextField(("LYRICS",), _strings, list)
MP4 = TextField(("\xa9lyr",), _strings, list)
ASF = TextField(("WM/Lyrics",), _strings, list)
APE = TextField(("Lyrics",), lambda value: str(value).split("\0"), _ape_value)
