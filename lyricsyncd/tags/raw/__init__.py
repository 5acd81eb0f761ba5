"""Read and edit tags as bytes: their position in a file, and their items.

A tagging library parses a tag and writes it again from what it understood, and the rest is changed
by that: ID3v2.3 joins several artists to one, atoms change their order, frames that are unknown or
damaged are lost. Here an item (an ID3 frame, a Vorbis comment, an atom) is a string of bytes that
is not parsed unless it holds lyrics, and padding is never used up. So what is inserted can be
removed again, and the file is the same byte for byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from lyricsyncd.tags.splice import Splice

MAX_TAG = 64 * 2**20
"""Limit of the bytes of a tag, pictures included, that are read into memory."""
MAX_PARTS = 100_000
"""Limit of the items, chunks, atoms or pages at one level: no song has more."""

Structure = dict[str, Any]
"""Properties of a tag besides its items, as JSON: whether it existed, its division into pages."""


class Untouchable(Exception):
    """The tags of a file cannot be written safely; the message says why."""


def hidden() -> Untouchable:
    """Make the error for a file that has tags of other kinds only.

    Most players read one kind of tags, and another only where that is not there: after a tag with
    nothing but lyrics was added, such a song would have lost its title for them.
    """
    return Untouchable("its tags are of another kind, which players would no longer see")


class Place(Protocol):
    """A tag in a file, or the place where one would be."""

    @property
    def items(self) -> tuple[bytes, ...]:
        """Return the items of the tag, in their order."""

    @property
    def structure(self) -> Structure:
        """Return what `splices` needs to restore the present file."""

    def splices(self, items: Sequence[bytes], structure: Structure) -> list[Splice]:
        """Return the changes of the file after which the tag holds these items.

        Parameters
        ----------
        items
            All of them, in their order.
        structure
            As it was in an earlier state of the file, to be followed where that can be done; else
            empty.

        Raises
        ------
        Untouchable
            The tag cannot hold them.
        """


class Source:
    """A file that is read at places which it names itself, and which may be wrong.

    It is open inside a ``with`` block, and may be opened again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self.size = path.stat().st_size

    def __enter__(self) -> Source:
        self._file = self._path.open("rb")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._file is not None, "it was opened"
        self._file.close()
        self._file = None

    def read(self, start: int, count: int) -> bytes:
        """Read bytes that have to be there.

        Raises
        ------
        Untouchable
            They are not, or they are too many.
        """
        if start < 0 or count < 0 or start + count > self.size:
            raise Untouchable("its tags are damaged: they reach beyond the end of the file")
        if count > MAX_TAG:
            raise Untouchable(f"its tags are larger than {MAX_TAG >> 20} MB")
        data = self.peek(start, count)
        if len(data) != count:
            raise Untouchable("it is being changed by another program")
        return data

    def peek(self, start: int, count: int) -> bytes:
        """Read up to so many bytes; fewer at the end of the file, none beyond it."""
        assert self._file is not None, "reading is inside a with block"
        if not 0 <= start <= self.size:
            return b""
        self._file.seek(start)
        return self._file.read(count)
