"""Read and edit the lyrics of a tag through one interface for all kinds of tags.

A kind of tags has *slots*: the places that hold lyrics, such as ID3's ``USLT`` and ``SYLT``. What a
slot holds is read as plain values (lists, text, numbers), so that it can be compared and journalled
as JSON. To restore it byte for byte, its items are journalled with it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from lyricsyncd.tags.raw import Place, Source, Structure
from lyricsyncd.tags.values import Value, encoded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lyricsyncd.model import Lyrics
    from lyricsyncd.tags.presets import Tag
    from lyricsyncd.tags.splice import Splice


class Container(Protocol):
    """A kind of tags."""

    @property
    def slots(self) -> tuple[str, ...]:
        """Return the names of its places for lyrics."""

    @property
    def form(self) -> str:
        """Return the form of the items: bytes of one form can be exchanged between tags."""

    def slot_of(self, item: bytes) -> str | None:
        """Return the slot that an item belongs to; ``None`` for an item that holds no lyrics."""

    def value(self, slot: str, items: Sequence[bytes]) -> Value:
        """Decode the items of a slot, of which there is at least one."""

    def encode(self, slot: str, value: Value) -> list[bytes]:
        """Encode a value as items. Raises Untouchable where this kind of tags cannot hold it."""

    def content(self, lyrics: Lyrics, tag: Tag, *, by_hand: bool) -> Mapping[str, Value]:
        """Return the slots' values for lyrics. Raises FormatError where they cannot hold them."""


@dataclass(frozen=True, slots=True)
class Saved:
    """The content of a slot, exact enough to restore it byte for byte."""

    value: Value
    items: tuple[tuple[int, bytes], ...] = ()
    """The items, with their positions among all items of the tag."""
    form: str = ""
    structure: Structure = field(default_factory=dict)
    """Properties of the tag as a whole."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The tag of a file, in memory."""

    source: Source
    place: Place
    container: Container

    def read(self) -> dict[str, Value]:
        """Return the values of the slots that hold something."""
        held: dict[str, list[bytes]] = {}
        for item in self.place.items:
            slot = self.container.slot_of(item)
            if slot is not None:
                held.setdefault(slot, []).append(item)
        return {slot: self.container.value(slot, items) for slot, items in held.items()}

    def save(self, slot: str) -> Saved:
        """Return what a slot holds, with its bytes."""
        items = tuple(
            (number, item)
            for number, item in enumerate(self.place.items)
            if self.container.slot_of(item) == slot
        )
        value = self.container.value(slot, [item for _, item in items]) if items else None
        return Saved(value, items, self.container.form, self.place.structure)

    def edit(self, changes: Mapping[str, Saved]) -> list[Splice]:
        """Return the changes of the file after which slots hold this; nothing else is changed.

        Items that are restored return to their former positions; new items replace those of the
        slot, or follow all others.

        Raises
        ------
        Untouchable
            The file cannot hold it.
        OSError
            It cannot be read.
        """
        new: dict[str, list[bytes]] = {}
        old: list[tuple[int, bytes]] = []
        structure: Structure = {}
        for slot, saved in changes.items():
            if saved.form == self.container.form:
                old += saved.items
            elif saved.value is not None:
                new[slot] = self.container.encode(slot, saved.value)
            structure = structure or saved.structure
        items: list[bytes] = []
        for item in self.place.items:
            its_slot = self.container.slot_of(item)
            if its_slot is None or its_slot not in changes:
                items.append(item)
            else:
                items += new.pop(its_slot, ())
        for slot in self.container.slots:
            items += new.pop(slot, ())
        for number, item in sorted(old):
            items.insert(number, item)
        with self.source:
            return self.place.splices(items, structure)


def journalled(saved: Saved) -> bytes:
    """Encode what a slot held for the journal."""
    data = encoded(
        {
            "value": saved.value,
            "items": [[number, item.hex()] for number, item in saved.items],
            "form": saved.form,
            "structure": saved.structure,
        }
    )
    assert data is not None, "a dictionary is not nothing"
    return data


def from_journal(data: bytes | None) -> Saved:
    """Decode what a slot held; earlier versions journalled its value only."""
    record = None if data is None else json.loads(data)
    if not isinstance(record, dict):
        return Saved(record)
    items = tuple((number, bytes.fromhex(item)) for number, item in record["items"])
    return Saved(record["value"], items, record["form"], record["structure"])
