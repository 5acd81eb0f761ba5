"""The interface of separators, and the result of separating a song."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from lyricsyncd.registry import ModelContext

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]
    Found = NDArray[np.float16]


class Separator(Protocol):
    """Separate the vocals from the music; the model stays open between songs."""

    @property
    def name(self) -> str:
        """The name in the configuration and in reports."""

    @property
    def sample_rates(self) -> tuple[int, ...]:
        """Sample rates in Hz that it works at, the cheapest first, the highest last; empty: any."""

    def separate(self, blocks: Iterable[Samples], sample_rate: int) -> Iterator[Samples]:
        """Separate a stream of stereo blocks, shape (n, 2), float32; as many samples in all, in
        blocks of any size."""


class AtOnce(ABC):
    """A separator whose model needs the whole song at once."""

    name: str
    sample_rates: tuple[int, ...]

    @abstractmethod
    def vocals(self, mix: Samples) -> Samples:
        """Separate a whole song; both of shape (n, 2), float32, at the model's rate."""

    def separate(self, blocks: Iterable[Samples], sample_rate: int) -> Iterator[Samples]:
        """Separate a song: shape (n, 2), float32, in one block; see `Separator.separate`.

        Raises
        ------
        ModelError
            One segment does not fit into memory, on the graphics card or off it.
        """
        if sample_rate not in self.sample_rates:
            raise ValueError(f"{self.name} works at {self.sample_rates} Hz, not at {sample_rate}")
        import numpy as np

        held = list(blocks)
        if not held:
            return
        mix = np.concatenate(held)
        del held
        if len(mix):
            yield self.vocals(mix)


Opener = Callable[[ModelContext], Separator]
"""What the entry points of ``lyricsyncd.separators`` name. Raises `ModelError`."""


@dataclass(frozen=True)
class Stem:
    """A separated song. Both signals are mono, of the same length, on the same time axis."""

    vocals: Samples
    """Shape (n,), float32, full scale ±1."""
    mix: Samples
    """Shape (n,), float32: the full mix."""
    sr: int
    """Hz."""
    separator: str
    """``none`` where the vocals are the mix."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Wall-clock time spent on ``decode`` and ``separate``."""
    raised: int = 0
    """How often the vocals were raised and separated again."""
    found: Found | None = None
    """Shape (m, 2), float16: the vocals at the separator's cheapest rate, to be raised; ``None``
    where they are the mix, or of a song that is too long to hold them."""
    warning: str | None = None
    """A line for the user: why the vocals are not separated, and the remedy."""
    side: Samples | None = None
    """Shape (n,), float32, on request: half the difference of the vocals' channels, which has what
    is not in their middle."""
    side_mix: Samples | None = None
    """The same of the mix."""
    filling: float | None = None
    """Level of what fills the holes of the vocals against theirs; that of `observed` if omitted."""

    @property
    def separated(self) -> bool:
        """True where the vocals are more than the mix under another name."""
        return self.vocals is not self.mix and self.separator not in ("none", "mix")

    @cached_property
    def observed(self) -> Samples:
        """Vocals with their holes filled, on which words are placed, shape (n,), float32."""
        from lyricsyncd.separate.observation import SHARE, observed

        if not self.separated:
            return self.vocals
        share = SHARE if self.filling is None else self.filling
        return observed(self.vocals, self.mix, self.sr, share)

    @cached_property
    def aside(self) -> Stem | None:
        """The side as a stem of its own; ``None`` where it was not requested."""
        from lyricsyncd.separate.observation import SIDE_SHARE

        if self.side is None:
            return None
        mix = self.side if self.side_mix is None else self.side_mix
        return replace(
            self, vocals=self.side, mix=mix, side=None, side_mix=None, filling=SIDE_SHARE
        )
