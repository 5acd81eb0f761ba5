"""Pronounce words: the steps from `pronunciations` over `espeak` and `phones` to `singing`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lyricsyncd.align.lexicon import espeak, phones, pronunciations, singing, voices
from lyricsyncd.align.lexicon.borrowed_words import BORROWED_WORDS, SHARED_WORDS
from lyricsyncd.align.lexicon.phones import Slot

MOST_VARIANTS = 3
"""Pronunciations of one word: each takes the search as long as the first."""

_MOST_SLOTS = 120


@dataclass(frozen=True)
class Pronunciation:
    """One pronunciation of a word.

    Attributes
    ----------
    slots : tuple of tuple of str
        In singing order; a slot holds one to three alternative phones (`phones.PHONES`), scored
        as their best, the likeliest first.
    """

    slots: tuple[Slot, ...]

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
    return [_line(line, voice) for line in lines]


def _line(words: Sequence[str], voice: str) -> list[tuple[Pronunciation, ...]]:
    plain = pronunciations.lower_shouted([pronunciations.plain(word) for word in words])
    english = _is_english(plain, voice)
    return [_variants(word, voice, english) for word in plain]


def _is_english(words: Sequence[str], voice: str) -> bool:
    """Return whether a line of a song in another language is English: a hook, a quotation."""
    if voice == voices.ENGLISH:
        return True
    evidence = [word for word in words if word and word.lower() not in SHARED_WORDS]
    known = sum(map(_is_borrowed, evidence))
    return known >= 2 and 3 * known >= len(evidence)


def _is_borrowed(word: str) -> bool:
    return word.lower().strip("'") in BORROWED_WORDS


@lru_cache(maxsize=1 << 14)
def _variants(word: str, voice: str, english: bool) -> tuple[Pronunciation, ...]:
    """Return the pronunciations of a `pronunciations.plain` word in a song of ``voice``."""
    found = dict.fromkeys(
        Pronunciation(slots[:_MOST_SLOTS])
        for reader in _voices(word, voice, english)
        for slots in _pronounced(word, reader)
        if slots
    )
    return tuple(found)[:MOST_VARIANTS]


def _voices(word: str, voice: str, english: bool) -> Iterator[str]:
    """Yield the voices for a word, the likelier first."""
    if english:
        yield voices.ENGLISH
    yield voice
    if _is_borrowed(word):
        yield voices.ENGLISH


def _pronounced(word: str, voice: str) -> Iterator[tuple[Slot, ...]]:
    """Yield the pronunciations of a word by one voice."""
    if sound := singing.vocalise(word):
        yield sound
        return
    if word.count("-") and _is_vocalise_chain(word):
        yield tuple(slot for part in word.split("-") for slot in singing.vocalise(part))
        return
    stuttered, remainder = pronunciations.stutter(word)
    start = tuple(slot for letter in stuttered for slot in _stuttered(letter, voice))
    language = voice.partition("-")[0]
    for wording in pronunciations.wordings(remainder, language):
        for read in _read(wording, voice):
            yield from ((*start, *slots) for slots in singing.sung(wording, read, language))


def _is_vocalise_chain(word: str) -> bool:
    """Return whether a word is a chain like "oh-oh-oh", "uh-oh"."""
    return all(singing.vocalise(part) for part in word.split("-"))


def _stuttered(letter: str, voice: str) -> tuple[Slot, ...]:
    """Pronounce a stuttered consonant with the vowel to sing it on, or a vowel by itself."""
    sound = phones.slots(espeak.transcribe(f"{letter.lower()}a", voice), voice)[:1]
    vowel = bool(sound) and sound[0][0] in phones.VOWELS
    return sound if vowel else (*sound, ("AH",))


def _read(wording: str, voice: str) -> Iterator[tuple[Slot, ...]]:
    """Transcribe a wording, each run of a script by a voice that reads it."""
    runs = list(voices.script_runs(wording))
    yield tuple(slot for script, run in runs for slot in _run(run, script, voice))
    if voice != voices.ENGLISH and any(_is_romanised(run, script, voice) for script, run in runs):
        yield tuple(
            slot
            for script, run in runs
            for slot in _run(run, script, voices.ROMANISED if script == voices.LATIN else voice)
        )


def _is_romanised(run: str, script: str, voice: str) -> bool:
    """Return whether Latin letters, in a song of another script, may be other than English."""
    is_latin = script == voices.LATIN and script not in voices.scripts_of(voice)
    return is_latin and not _is_borrowed(run)


def _run(run: str, script: str, voice: str) -> tuple[Slot, ...]:
    """Transcribe one script's letters (or none: digits) by the voice that reads them, else by the
    names of its letters."""
    reader = voices.reader(script, voice) if script else voice
    pieces = [run[i : i + espeak.LONGEST_TEXT] for i in range(0, len(run), espeak.LONGEST_TEXT)]
    slots = tuple(slot for piece in pieces for slot in _piece(piece, script, reader))
    return slots or _spelled_out(run)


def _piece(text: str, script: str, reader: str | None) -> tuple[Slot, ...]:
    if reader is None:
        return ()
    tokens = espeak.transcribe(text, reader)
    if script not in ("", voices.LATIN) and "(en)" in tokens:
        # The voice names a character ("Chinese letter") instead of reading it.
        if len(text) == 1:
            return ()
        return tuple(slot for character in text for slot in _piece(character, script, reader))
    return phones.slots(tokens, reader)


def _spelled_out(run: str) -> tuple[Slot, ...]:
    """Romanise letters that no voice reads, one by one, and transcribe them."""
    latin = "".join(map(voices.romanised, run))[: espeak.LONGEST_TEXT]
    tokens = espeak.transcribe(latin, voices.ROMANISED) if latin else ()
    return phones.slots(tokens, voices.ROMANISED)
