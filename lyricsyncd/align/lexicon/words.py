"""Pronounce words: the steps from `pronunciations` over `espeak` and `phones` to `singing`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lyricsyncd import readings
from lyricsyncd.align.lexicon import (
    espeak,
    ipa,
    phones,
    pronunciations,
    singing,
    voice_rules,
    voices,
)
from lyricsyncd.align.lexicon.borrowed_words import BORROWED_WORDS, SHARED_WORDS
from lyricsyncd.align.lexicon.phones import Slot

MOST_VARIANTS = 3
"""Pronunciations of one word: each takes the search as long as the first."""

_MOST_SLOTS = 120
ESPEAK = "espeak-ng"
VOCALISES = "vocalises"
LETTERS = "letters"
"""Readers of vocalises, and of letters that no voice reads: by their names."""


@dataclass(frozen=True)
class Pronunciation:
    """One pronunciation of a word.

    Attributes
    ----------
    slots : tuple of tuple of str
        In singing order; a slot holds one to three alternative phones (`phones.PHONES`), scored
        as their best, the likeliest first.
    ipa : str
        Broad transcription, for people.
    reader : str
        The library or the rules that read the word.
    """

    slots: tuple[Slot, ...]
    ipa: str = field(default="", compare=False)
    reader: str = field(default="", compare=False)

    def __str__(self) -> str:
        return " ".join("|".join(slot) for slot in self.slots)


def pronounce(
    lines: Sequence[Sequence[str]], language: str | None
) -> list[list[tuple[Pronunciation, ...]]]:
    """Return the pronunciations of the words of a song.

    Parameters
    ----------
    lines : sequence of sequences of str
        Words as the lyrics have them, punctuation and all.
    language : str or None
        The song's language, ISO 639-1; ``None`` is taken for English.

    Returns
    -------
    list of lists of tuples of Pronunciation
        For each word of each line one to `MOST_VARIANTS` pronunciations, the likeliest first; none
        for what cannot be pronounced (punctuation, an emoji).

    Raises
    ------
    ModelError
        espeak-ng or its data is not there.
    """
    voice = voices.voice_of(language)
    return [_line(line, voice, language) for line in lines]


def wordless_lines(lines: Sequence[Sequence[str]]) -> npt.NDArray[np.bool_]:
    """Return the words of lines that are nothing but vocalises, shape (N,).

    They sound alike, and like what else is sung in their place: hardly anything says which is
    which.
    """
    found: list[bool] = []
    for words in lines:
        plain = [word for word in map(pronunciations.plain, words) if word]
        found += [bool(plain) and all(map(singing.is_vocalise, plain))] * len(words)
    return np.array(found, np.bool_)


def caution(language: str | None) -> str | None:
    """Say in one line that the words of a language are not read well, and the remedy if any."""
    if advice := readings.advice(language):
        return advice
    tag = readings.language_of(language)
    if tag and readings.readers(tag) is None and not voices.is_known(tag):
        return f"no library reads '{tag}': its words are romanised letter by letter"
    return None


def _line(
    words: Sequence[str], voice: str, language: str | None
) -> list[tuple[Pronunciation, ...]]:
    plain = pronunciations.lower_shouted([pronunciations.plain(word) for word in words])
    english = _is_english(plain, voice)
    latin_only = all(voices.script_of(c) in ("", voices.LATIN) for word in plain for c in word)
    romanised = latin_only and _are_romanised(plain, voice)
    return [
        _variants(word, voice, english and not romanised, romanised)
        if found is None
        else _from_readings(found)
        for word, found in zip(plain, readings.read(words, language), strict=True)
    ]


def _from_readings(found: Sequence[readings.Read]) -> tuple[Pronunciation, ...]:
    """Return the pronunciations of a word that a reader of its language has read."""
    variants = dict.fromkeys(
        Pronunciation(
            phones.slots([each.reading.ipa], ipa.TABLES[each.language])[:_MOST_SLOTS],
            each.reading.ipa,
            each.reading.reader,
        )
        for each in found
    )
    return tuple(variant for variant in variants if variant.slots)[:MOST_VARIANTS]


def _are_romanised(words: Sequence[str], voice: str) -> bool:
    """Return whether a line of Latin letters is romanised Japanese, Korean or Chinese."""
    if voice not in ("ja", "ko", "cmn"):
        return False
    evidence = [word for word in words if word]
    known = sum(_romanised_ipa(word, voice) is not None for word in evidence)
    return bool(evidence) and not any(map(_is_borrowed, evidence)) and known == len(evidence)


def _romanised_ipa(word: str, voice: str) -> str | None:
    return readings.from_latin(word.replace("'", "").replace("-", ""), voice)


def _is_english(words: Sequence[str], voice: str) -> bool:
    """Return whether a line of a song in another language is English: a hook, a quotation."""
    if voice == voices.ENGLISH:
        return True
    evidence = [word for word in words if word and word.lower() not in SHARED_WORDS]
    known = sum(map(_is_borrowed, evidence))
    return known >= 2 and 3 * known >= len(evidence)


def _is_borrowed(word: str) -> bool:
    return word.lower().strip("'") in BORROWED_WORDS


class _Spoken(NamedTuple):
    """The sounds of a piece of a word."""

    slots: tuple[Slot, ...]
    ipa: str
    reader: str


@lru_cache(maxsize=1 << 14)
def _variants(
    word: str, voice: str, english: bool, romanised: bool = False
) -> tuple[Pronunciation, ...]:
    """Return the pronunciations of a `pronunciations.plain` word in a song of ``voice``."""
    spoken = [
        each for reader in _voices(word, voice, english) for each in _pronounced(word, reader)
    ]
    if romanised and word and not _is_vocalise_chain(word):
        spoken.insert(0, _from_latin(word, voice))
    found = dict.fromkeys(
        Pronunciation(each.slots[:_MOST_SLOTS], each.ipa, each.reader)
        for each in spoken
        if each.slots
    )
    return tuple(found)[:MOST_VARIANTS]


def _voices(word: str, voice: str, english: bool) -> Iterator[str]:
    """Yield the voices for a word, the likelier first."""
    if english:
        yield voices.ENGLISH
    yield voice
    if _is_borrowed(word):
        yield voices.ENGLISH


def _pronounced(word: str, voice: str) -> Iterator[_Spoken]:
    """Yield the pronunciations of a word by one voice."""
    if sound := singing.vocalise(word):
        yield _Spoken(sound, ipa.of_slots(sound), VOCALISES)
        return
    if word.count("-") and _is_vocalise_chain(word):
        chain = tuple(slot for part in word.split("-") for slot in singing.vocalise(part))
        yield _Spoken(chain, ipa.of_slots(chain), VOCALISES)
        return
    stuttered, remainder = pronunciations.stutter(word)
    start = tuple(slot for letter in stuttered for slot in _stuttered(letter, voice))
    language = voice.partition("-")[0]
    for wording in pronunciations.wordings(remainder, language):
        for read in _read(wording, voice):
            for slots in singing.sung(wording, read.slots, language):
                as_read = slots == read.slots and not start
                sound = (*start, *slots)
                yield _Spoken(sound, read.ipa if as_read else ipa.of_slots(sound), read.reader)


def _is_vocalise_chain(word: str) -> bool:
    """Return whether a word is a chain like "oh-oh-oh", "uh-oh"."""
    return all(singing.vocalise(part) for part in word.split("-"))


def _stuttered(letter: str, voice: str) -> tuple[Slot, ...]:
    """Pronounce a stuttered consonant with the vowel to sing it on, or a vowel by itself."""
    sound = phones.slots(espeak.transcribe(f"{letter.lower()}a", voice), voice)[:1]
    vowel = bool(sound) and sound[0][0] in phones.VOWELS
    return sound if vowel else (*sound, ("AH",))


def _read(wording: str, voice: str) -> Iterator[_Spoken]:
    """Transcribe a wording, each run of a script by a voice that reads it."""
    runs = list(voices.script_runs(wording))
    whole = _joined([_run(run, script, voice) for script, run in runs])
    yield whole
    if (other := voice_rules.otherwise(whole.ipa, voice)) is not None:
        yield _Spoken(phones.slots([other], voice), other, whole.reader)
    if voice != voices.ENGLISH and any(_is_romanised(run, script, voice) for script, run in runs):
        yield _joined(
            [
                _from_latin(run, voice) if script == voices.LATIN else _run(run, script, voice)
                for script, run in runs
            ]
        )


def _joined(pieces: Sequence[_Spoken]) -> _Spoken:
    return _Spoken(
        tuple(slot for piece in pieces for slot in piece.slots),
        "".join(piece.ipa for piece in pieces),
        " + ".join(dict.fromkeys(piece.reader for piece in pieces if piece.slots)),
    )


def _is_romanised(run: str, script: str, voice: str) -> bool:
    """Return whether Latin letters, in a song of another script, may be other than English."""
    is_latin = script == voices.LATIN and script not in voices.scripts_of(voice)
    return is_latin and not _is_borrowed(run)


def _from_latin(run: str, voice: str) -> _Spoken:
    """Read a romanised word: by the system of its language, else by a voice close to most."""
    transcribed = _romanised_ipa(run, voice)
    if transcribed is None:
        return _run(run, voices.LATIN, voices.ROMANISED)
    return _Spoken(phones.slots([transcribed], voice), transcribed, readings.LATIN)


def _run(run: str, script: str, voice: str) -> _Spoken:
    """Transcribe one script's letters (or none: digits) by the reader of its language or the voice
    that reads them, else by the names of its letters."""
    if script and (found := readings.read([run], voice)[0]):
        return _Spoken(
            phones.slots([found[0].reading.ipa], ipa.TABLES[found[0].language]),
            found[0].reading.ipa,
            found[0].reading.reader,
        )
    reader = voices.reader(script, voice) if script else voice
    pieces = [run[i : i + espeak.LONGEST_TEXT] for i in range(0, len(run), espeak.LONGEST_TEXT)]
    spoken = _joined([_piece(piece, script, reader) for piece in pieces])
    return spoken if spoken.slots else _spelled_out(run)


_SILENT = _Spoken((), "", "")


def _piece(text: str, script: str, reader: str | None) -> _Spoken:
    if reader is None:
        return _SILENT
    if (sound := voice_rules.letter(text, reader)) is not None:
        return _Spoken(phones.slots([sound], reader), sound, f"{ESPEAK} ({reader})")
    tokens = espeak.transcribe(voice_rules.spelled(text, reader), reader)
    if script not in ("", voices.LATIN) and "(en)" in tokens:
        # The voice names a character ("Chinese letter") instead of reading it.
        if len(text) == 1:
            return _SILENT
        return _joined([_piece(character, script, reader) for character in text])
    plain = ipa.of_tokens(tokens, reader)
    if voice_rules.is_mended(reader):
        tokens = (plain,)
    return _Spoken(phones.slots(tokens, reader), plain, f"{ESPEAK} ({reader})")


def _spelled_out(run: str) -> _Spoken:
    """Romanise letters that no voice reads, one by one, and transcribe them."""
    latin = "".join(map(voices.romanised, run))[: espeak.LONGEST_TEXT]
    tokens = espeak.transcribe(latin, voices.ROMANISED) if latin else ()
    slots = phones.slots(tokens, voices.ROMANISED)
    return _Spoken(slots, ipa.of_tokens(tokens, voices.ROMANISED), LETTERS)
