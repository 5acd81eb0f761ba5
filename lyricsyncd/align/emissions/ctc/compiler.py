"""Words → characters with blanks between them that may be skipped.

A word is its characters with a blank between each two, which may be skipped except between two
that are equal (as CTC has it); a last blank may be held until the next word begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lyricsyncd import readings
from lyricsyncd.align.emissions import PronunciationVariant
from lyricsyncd.align.emissions.ctc.alphabet import Alphabet
from lyricsyncd.align.lexicon import pronunciations
from lyricsyncd.errors import raised_inside

_MOST_CHARACTERS = 60


class Compiler:
    """Compile words one by one, numbering the units that occur: tuples of the network's columns,
    scored as the best of them."""

    def __init__(self, alphabet: Alphabet, language: str | None) -> None:
        self._alphabet = alphabet
        self._song_language = language
        self._language = (language or "en").partition("-")[0]
        self.units: dict[tuple[int, ...], int] = {}

    def line(self, words: Sequence[str]) -> tuple[tuple[PronunciationVariant, ...], ...]:
        """Return the variants of the words of a line.

        What the network does not write itself is romanised as it is read, in context: letter by
        letter, Japanese would be romanised as Chinese.
        """
        read = readings.read(words, self._song_language)
        return tuple(
            self._variants(self._wordings(pronunciations.plain(word)))
            if found is None or self._alphabet.writes(pronunciations.plain(word))
            else self._variants(_in_latin(each.reading.romanised) for each in found)
            for word, found in zip(words, read, strict=True)
        )

    def _variants(self, wordings: Iterable[str]) -> tuple[PronunciationVariant, ...]:
        """Return a variant for each wording that has characters of the network."""
        variants: dict[tuple[int, ...], PronunciationVariant] = {}
        for wording in wordings:
            characters = self._alphabet.encode(wording)[:_MOST_CHARACTERS]
            if characters:
                variants.setdefault(characters, self._variant(characters))
        return tuple(variants.values())

    def _wordings(self, plain: str) -> Iterator[str]:
        if not plain:
            return
        for wording in pronunciations.wordings(plain, self._language):
            if any(c.isdigit() for c in wording):
                yield from _with_numbers_in_words(wording, self._language)
            else:
                yield wording

    def _variant(self, characters: Sequence[int]) -> PronunciationVariant:
        blank, gap = self._unit((self._alphabet.blank,)), self._unit(self._alphabet.gap)
        units: list[int] = []
        optional: list[bool] = []
        for i, character in enumerate(characters):
            if i:
                units.append(blank)
                optional.append(character != characters[i - 1])
            units.append(self._unit((character,)))
            optional.append(False)
        return PronunciationVariant((*units, gap), (*optional, True))

    def _unit(self, columns: tuple[int, ...]) -> int:
        return self.units.setdefault(columns, len(self.units))


def _in_latin(romanised: str) -> str:
    """Return a romanisation without tones, spaces and apostrophes."""
    return "".join(character for character in romanised if character.isalpha())


def _with_numbers_in_words(wording: str, language: str) -> Iterator[str]:
    """Write "99 red" as "ninety nine red", where num2words is installed and has the language."""
    try:
        from num2words import num2words
    except ImportError:
        return
    words = []
    for part in wording.split():
        digits = part.replace(",", "")
        if not any(c.isdigit() for c in part):
            words.append(part)
            continue
        try:
            words.append(str(num2words(digits.strip("'s"), lang=language)))
        except Exception as error:
            # num2words fails in any way on what it does not support in a language.
            if not raised_inside(error, "num2words"):
                raise
            return
    yield " ".join(words).replace("-", " ")
