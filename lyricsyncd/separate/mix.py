"""No separation: the mix passes through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lyricsyncd.registry import ModelContext
from lyricsyncd.separate.base import Separator

if TYPE_CHECKING:
    from lyricsyncd.separate.base import Samples


class Mix:
    """Return the input unchanged, at any rate."""

    name = "none"
    sample_rates: tuple[int, ...] = ()

    def separate(self, blocks: Iterable[Samples], sample_rate: int) -> Iterator[Samples]:  # noqa: ARG002
        """Yield the blocks unchanged."""
        yield from blocks


def open_mix(context: ModelContext) -> Separator:  # noqa: ARG001 - nothing to set
    """Open the separator that needs no model."""
    return Mix()
