"""The alphabet of a CTC network: from text to its columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The characters that a CTC network writes.

    Attributes
    ----------
    numbers : mapping from str to int
        Characters (or phones) and their columns.
    blank : int
    delimiter : int or None
        The column that stands between words, if there is one.
    upper : bool
        Whether the letters are capitals.
    """

    numbers: Mapping[str, int]
    blank: int
    delimiter: int | None = None
    upper: bool = False

    @classmethod
    def of(cls, vocabulary: Mapping[str, int], blank: str, delimiter: str | None) -> Alphabet:
        """Read a tokenizer's vocabulary without its special tokens (``<unk>``, ``[PAD]``)."""
        letters = {
            token: number
            for token, number in vocabulary.items()
            if token not in (blank, delimiter) and not (len(token) > 1 and token[0] in "<[")
        }
        known = [token for token in letters if token.isalpha()]
        upper = bool(known) and sum(map(str.isupper, known)) > len(known) / 2
        return cls(letters, vocabulary[blank], vocabulary.get(delimiter or ""), upper)

    @property
    def gap(self) -> tuple[int, ...]:
        """The columns that may stand between words: the blank and the delimiter."""
        return (self.blank,) if self.delimiter is None else (self.blank, self.delimiter)

    def writes(self, text: str) -> bool:
        """Return whether the network writes all letters of a text itself."""
        return all(
            (c.upper() if self.upper else c.lower()) in self.numbers for c in text if c.isalpha()
        )

    def encode(self, text: str) -> tuple[int, ...]:
        """Return the columns of a text.

        A character that the network does not write is tried without its accents, then in Latin
        letters, and left out otherwise.
        """
        return tuple(number for c in text for number in self._character(c))

    def _character(self, character: str) -> Iterator[int]:
        folded = character.upper() if self.upper else character.lower()
        if folded in self.numbers:
            yield self.numbers[folded]
            return
        plain = "".join(
            c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c)
        )
        if plain == folded or not plain:
            plain = _romanised(character)
            plain = plain.upper() if self.upper else plain.lower()
        yield from (self.numbers[c] for c in plain if c in self.numbers)


def _romanised(character: str) -> str:
    """Write a letter of another script in Latin ones, where anyascii is installed."""
    try:
        from anyascii import anyascii
    except ImportError:
        return ""
    return str(anyascii(character)) if character.isalpha() else ""
