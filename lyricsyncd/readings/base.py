"""The values that readers share."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a word.

    Attributes
    ----------
    ipa : str
        Broad transcription without stress and tones.
    romanised : str
        In Latin letters, as the language's usual system has it.
    reader : str
        The library or the rules that read it.
    """

    ipa: str
    romanised: str
    reader: str


class Reader(Protocol):
    """Read the words of one language."""

    def __call__(self, words: Sequence[str]) -> list[tuple[Reading, ...]]:
        """Return the readings of each word of a line, the likelier first.

        Parameters
        ----------
        words : sequence of str
            The words of a line, without punctuation. Those between which the script has no
            spaces are read as one text.

        Returns
        -------
        list of tuples of Reading
            None for a word that has nothing to read.
        """
        ...


@cache
def importable(*modules: str) -> bool:
    """Return whether all of the modules are installed and can be imported."""
    try:
        for module in modules:
            importlib.import_module(module)
    except ImportError:
        return False
    return True


def pairs(text: str) -> dict[str, str]:
    """Read a table of pairs that whitespace separates.

    >>> pairs("夜 ヨル  空 ソラ")
    {'夜': 'ヨル', '空': 'ソラ'}
    """
    cells = text.split()
    return dict(zip(cells[::2], cells[1::2], strict=True))
