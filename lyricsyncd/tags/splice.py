"""Change some bytes of a file on the way to its copy; all others are copied as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, order=True)
class Splice:
    """A replacement of the bytes from ``start`` to ``end`` of a file by ``data``."""

    start: int
    end: int
    data: bytes


def copy_spliced(source: Path, target: Path, splices: Iterable[Splice]) -> None:
    """Write a file with the splices made. Its blocks are its own, never shared with the source."""
    with source.open("rb") as old, target.open("wb") as new:
        for piece in _pieces(old, splices):
            new.write(piece)


def is_spliced(source: Path, splices: Iterable[Splice], target: Path) -> bool:
    """Return whether ``target`` is, byte for byte, the source with the splices made."""
    with source.open("rb") as old, target.open("rb") as new:
        for piece in _pieces(old, splices):
            if new.read(len(piece)) != piece:
                return False
        return not new.read(1)


def _pieces(file: BinaryIO, splices: Iterable[Splice]) -> Iterator[bytes]:
    at = 0
    for splice in sorted(splices):
        if not at <= splice.start <= splice.end:
            raise ValueError(f"the splice at {splice.start} overlaps another")
        while at < splice.start:
            piece = file.read(min(_CHUNK, splice.start - at))
            if not piece:
                raise ValueError(f"the splice at {splice.start} is behind the end of the file")
            yield piece
            at += len(piece)
        yield splice.data
        at = splice.end
        file.seek(at)
    while piece := file.read(_CHUNK):
        yield piece
