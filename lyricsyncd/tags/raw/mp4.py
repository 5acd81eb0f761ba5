"""The atoms of iTunes' metadata in MP4 files: ``moov.udta.meta.ilst`` (ISO 14496-12, QTFF).

What comes behind the metadata moves, and so tables of places in the file are changed with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.tags.raw import MAX_PARTS, Structure, Untouchable
from lyricsyncd.tags.splice import Splice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lyricsyncd.tags.raw import Source

_PATH = (b"moov", b"udta", b"meta", b"ilst")
_HDLR = bytes(8) + b"mdirappl" + bytes(9)
_TABLES = {b"stco": 4, b"co64": 8}
_UNKNOWN_PLACES = (b"mfra", b"iloc", b"saio", b"sidx")
"""Atoms with places in the file that we do not change."""
_HAS_BASE = 1


@dataclass(frozen=True, slots=True)
class Atom:
    """One atom."""

    name: bytes
    start: int
    body: int
    end: int
    wide: bool
    """Its size has 64 bits."""
    open: bool
    """It has no size, and goes on to the end of the file."""

    def resized(self, more: int) -> Splice | None:
        """Return what makes its size greater by ``more``."""
        if self.open:
            return None
        size = self.end - self.start + more
        if self.wide:
            return Splice(self.start + 8, self.start + 16, size.to_bytes(8, "big"))
        if size >= 2**32:
            raise Untouchable("one of its atoms would be larger than 4 GB")
        return Splice(self.start, self.start + 4, size.to_bytes(4, "big"))


@dataclass(frozen=True, slots=True)
class Mp4:
    """The atom of metadata, or the place for it."""

    source: Source
    items: tuple[bytes, ...]
    tail: bytes
    path: tuple[Atom, ...]
    """As much of moov, udta, meta and ilst as there is."""
    place: int
    """Position in the innermost of these for a further atom."""

    @property
    def structure(self) -> Structure:
        """See `Place`."""
        return {"atoms": len(self.path)}

    def splices(self, items: Sequence[bytes], structure: Structure) -> list[Splice]:
        """See `Place`."""
        body = b"".join((*items, self.tail))
        parents = self.path
        if len(self.path) == len(_PATH):
            ilst = self.path[-1]
            start, end, data = ilst.body, ilst.end, body
            kept = structure.get("atoms", len(_PATH))
            if not body and 1 <= kept < len(_PATH) and self._holds_nothing_else(kept):
                # With what once came along with it.
                gone, parents = self.path[kept], self.path[:kept]
                start, end = gone.start, gone.end
        else:
            start = end = self.place
            data = _nested(body, len(self.path)) if items else b""
        more = len(data) - (end - start)
        if not more:
            return [Splice(start, end, data)]
        sizes = [splice for atom in parents if (splice := atom.resized(more)) is not None]
        return [Splice(start, end, data), *sizes, *_moved(self.source, end, more)]

    def _holds_nothing_else(self, kept: int) -> bool:
        """Return whether the atoms below the kept ones hold only each other."""
        for at in range(kept, len(_PATH) - 1):
            atom = self.path[at]
            names = [child.name for child in _children(self.source, atom)]
            wanted = [b"hdlr", b"ilst"] if atom.name == b"meta" else [_PATH[at + 1]]
            if names != wanted:
                return False
        return True


def mp4(source: Source) -> Mp4:
    """Find the metadata of an MP4 file."""
    top = list(_atoms(source, 0, source.size))
    if top[-1].end != source.size:
        raise Untouchable("there is something behind its atoms")
    moov = next((atom for atom in top if atom.name == b"moov"), None)
    if moov is None:
        raise Untouchable("it has no moov atom")
    path = _longest(source, (moov,))
    innermost = path[-1]
    if len(path) == len(_PATH):
        children = list(_children(source, innermost))
        items = tuple(source.read(atom.start, atom.end - atom.start) for atom in children)
        end = children[-1].end if children else innermost.body
        return Mp4(source, items, source.read(end, innermost.end - end), path, end)
    place = max((atom.end for atom in _children(source, innermost)), default=innermost.body)
    return Mp4(source, (), b"", path, place)


def children_of(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return names and bodies of the atoms in the body of one, as far as they fit."""
    found: list[tuple[bytes, bytes]] = []
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8 or at + size > len(data):
            break
        found.append((data[at + 4 : at + 8], data[at + 8 : at + size]))
        at += size
    return found


def atom(name: bytes, body: bytes) -> bytes:
    """Return the bytes of an atom."""
    return (len(body) + 8).to_bytes(4, "big") + name + body


def _nested(items: bytes, depth: int) -> bytes:
    """Return the atoms of the path from a depth on, around the items."""
    data = items
    for name in reversed(_PATH[depth:]):
        if name == b"meta":
            data = bytes(4) + atom(b"hdlr", _HDLR) + data
        data = atom(name, data)
    return data


def _longest(source: Source, path: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """Follow the path as far as it goes; of several atoms of a name, that which leads on."""
    if len(path) == len(_PATH):
        return path
    name = _PATH[len(path)]
    found = [
        _longest(source, (*path, child))
        for child in _children(source, path[-1])
        if child.name == name
    ]
    return max(found, key=len, default=path)


def _children(source: Source, parent: Atom) -> Iterator[Atom]:
    start = parent.body
    # Other than QuickTime's, this atom has a version.
    if parent.name == b"meta" and source.peek(start + 4, 4) != b"hdlr":
        start += 4
    return _atoms(source, start, parent.end)


def _atoms(source: Source, start: int, end: int) -> Iterator[Atom]:
    at = start
    for _ in range(MAX_PARTS):
        # Fewer bytes than a header has, such as the zeros that end QuickTime's udta, are no atom.
        if at + 8 > end:
            return
        header = source.read(at, 8)
        size, name, body = int.from_bytes(header[:4], "big"), header[4:], at + 8
        wide = size == 1
        if wide:
            size, body = int.from_bytes(source.read(at + 8, 8), "big"), at + 16
        is_open = size == 0 and end == source.size
        stop = end if is_open else at + size
        if stop > end or stop < body:
            raise Untouchable(f"its atom {name.decode('latin-1')!r} is damaged")
        yield Atom(name, at, body, stop, wide, is_open)
        at = stop
    raise Untouchable("it has too many atoms")


def _moved(source: Source, end: int, more: int) -> Iterator[Splice]:
    """Change the tables of places that are behind ``end``."""
    containers = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"}
    waiting = list(_atoms(source, 0, source.size))
    while waiting:
        found = waiting.pop()
        if found.name in containers:
            waiting += _children(source, found)
        elif found.name in _TABLES:
            yield from _table(source, found, end, more)
        elif found.name == b"tfhd":
            yield from _base(source, found, end, more)
        elif found.name in _UNKNOWN_PLACES:
            raise Untouchable("it refers to positions in itself in a way that we do not know")


def _table(source: Source, found: Atom, end: int, more: int) -> Iterator[Splice]:
    width = _TABLES[found.name]
    body = source.read(found.body, found.end - found.body)
    count = int.from_bytes(body[4:8], "big")
    if 8 + count * width > len(body):
        raise Untouchable("its table of places is damaged")
    places = [
        int.from_bytes(body[at : at + width], "big") for at in range(8, 8 + count * width, width)
    ]
    shifted = [place + more if place >= end else place for place in places]
    if shifted == places:
        return
    if max(shifted) >= 2 ** (8 * width):
        raise Untouchable("its table of places has no room for larger ones")
    data = b"".join(place.to_bytes(width, "big") for place in shifted)
    yield Splice(found.body + 8, found.body + 8 + len(data), data)


def _base(source: Source, found: Atom, end: int, more: int) -> Iterator[Splice]:
    """Change where a fragment counts from."""
    if not source.read(found.body, 4)[3] & _HAS_BASE:
        return
    at = found.body + 8
    place = int.from_bytes(source.read(at, 8), "big")
    if place >= end:
        yield Splice(at, at + 8, (place + more).to_bytes(8, "big"))
