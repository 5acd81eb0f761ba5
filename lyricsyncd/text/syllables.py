"""Split written words into syllables, as karaoke players light them one by one.

The number of syllables is that of the vowels that are sung, which the pronunciation tells; the
places are those of the language's hyphenation (`pyphen`), where it has one between two vowels, and
else those of a rule: as many consonants begin a syllable as may begin a word. Hyphenation alone
leaves out what no typesetter would part ("o-ver", "a-round").

Characters of Chinese and Japanese are a syllable each, and so are those of Korean.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from lyricsyncd.text import words

if TYPE_CHECKING:
    import pyphen

_VOWELS = frozenset("aeiouyæœøıəаеёиоуыэюяєіїαεηιουω")
_ONSETS = frozenset(
    "bl br ch ck cl cr dr dw fl fr gh gl gn gr gu kl kn kr ph pl pr qu rh sc sch sh sk sl sm"
    " sn sp spr st str sw th thr tr tw wh wr бл бр вл вр гл гр др кл кр пл пр ст стр тр фл фр хр χρ"
    " βλ βρ γλ γρ δρ θρ κλ κρ πλ πρ στ στρ τρ φλ φρ".split()
)
"""Consonants that begin a syllable together."""
_LETTERS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_DASHES = "-‐‑–—"
_NEVER_FIRST = frozenset({"ck"})
_STRONG, _WEAK = "aeoαεηοωаеоэ", "iuyιυиу"
"""Vowels next to each other are two syllables rather where both are of the first kind."""


def split(word: str, count: int, language: str | None) -> tuple[str, ...]:
    """Split a word into about ``count`` syllables, which joined again are the word.

    Fewer come out where the letters show no place for more.

    >>> split("everything,", 4, "en")
    ('ev', 'e', 'ry', 'thing,')
    >>> split("around", 2, "en")
    ('a', 'round')
    >>> split("東京", 4, "ja")
    ('東', '京')
    """
    if words.has_cjk(word):
        return tuple(piece.text for piece in words.split(word))
    if any(_is_hangul(character) for character in word):
        return _by_character(word)
    if count < 2:
        return (word,)
    hyphens = _hyphens(word, language)
    by_hyphens = _cut(word, hyphens)
    if len(by_hyphens) == count and all(map(_nuclei, map(_plain, by_hyphens))):
        return by_hyphens
    if word.isupper() and _letters(word) == count:
        return _by_character(word)
    return _cut(word, _breaks(word, count, frozenset(hyphens)))


def _cut(word: str, places: list[int]) -> tuple[str, ...]:
    return tuple(word[a:b] for a, b in zip([0, *places], [*places, len(word)], strict=True))


def _letters(word: str) -> int:
    return sum(character.isalpha() for character in word)


def _is_hangul(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3"


def _by_character(word: str) -> tuple[str, ...]:
    """Split before every letter but the first; marks stay with the letter before them."""
    letters = [at for at, character in enumerate(word) if character.isalnum()]
    return _cut(word, letters[1:])


def _hyphens(word: str, language: str | None) -> list[int]:
    """List the places where the language's hyphenation parts a word."""
    dictionary = _dictionary(language)
    if dictionary is None:
        return []
    # With marks around or within it a word is unknown to the dictionary.
    found = []
    for run in _LETTERS.finditer(word):
        if run.start() and word[run.start() - 1] in _DASHES:
            found.append(run.start())
        core = run[0].replace("’", "'")
        found += [run.start() + int(place) for place in dictionary.positions(core)]
    return found


@lru_cache(maxsize=8)
def _dictionary(language: str | None) -> pyphen.Pyphen | None:
    import pyphen

    # "en" alone is British to the library, whose dictionary parts words by their origin.
    name = "en_US" if language in (None, "en") else pyphen.language_fallback(str(language))
    return None if name is None else pyphen.Pyphen(lang=name, left=1, right=1)


def _breaks(word: str, count: int, hyphens: frozenset[int]) -> list[int]:
    """List the places between vowels, ``count`` syllables in all where the letters allow it."""
    letters = _plain(word)
    nuclei = _nuclei(letters)
    nuclei = _fewer(letters, nuclei, count)
    nuclei = _more(letters, nuclei, count)
    places = []
    for (_, end), (begin, _) in itertools.pairwise(nuclei):
        between = [place for place in hyphens if end <= place <= begin]
        places.append(max(between) if between else _onset(letters, end, begin))
    return places


def _plain(word: str) -> str:
    """Return the word in lower case without accents, a character for each of its own."""
    return "".join(unicodedata.normalize("NFD", c.lower())[:1] or c for c in word)


def _nuclei(letters: str) -> list[tuple[int, int]]:
    """List the runs of vowels, each as its first letter and the one after its last."""
    runs: list[tuple[int, int]] = []
    at = 0
    while at < len(letters):
        if not _is_vowel(letters, at):
            at += 1
            continue
        begin = at
        while at < len(letters) and _is_vowel(letters, at):
            at += 1
        runs.append((begin, at))
    return runs


def _is_vowel(letters: str, at: int) -> bool:
    """Return whether a letter is a vowel: not the "u" of "qu", nor the "y" that begins a word."""
    following = letters[at + 1] if at + 1 < len(letters) else ""
    before = letters[at - 1] if at else ""
    if letters[at] == "u" and before == "q":
        return False
    if letters[at] == "y" and following in _VOWELS and not before.isalpha():
        return False
    return letters[at] in _VOWELS


def _fewer(letters: str, nuclei: list[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """Leave out vowels that are not sung: a silent "e" at the end, then one in the middle."""
    nuclei = list(nuclei)
    while len(nuclei) > max(1, count):
        silent = [i for i, (a, b) in enumerate(nuclei) if i and letters[a:b] == "e"]
        ending = [i for i in silent if i == len(nuclei) - 1 and _may_be_silent(letters, nuclei[i])]
        middle = [i for i in silent if i < len(nuclei) - 1]
        nuclei.pop((ending or middle or [len(nuclei) - 1])[-1])
    return nuclei


def _may_be_silent(letters: str, nucleus: tuple[int, int]) -> bool:
    """Return whether an "e" near the end may be mute: "fire", "loved", "times", not "people"."""
    after = letters[nucleus[1] :].strip("'\".,;:!?()…- ")
    consonants = letters[max(0, nucleus[0] - 2) : nucleus[0]]
    syllabic = consonants[1:] == "l" and consonants[0] not in _VOWELS | {"l"}
    return after in ("", "s", "d", "nt") and not syllabic


def _more(letters: str, nuclei: list[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """Part runs of vowels that are sung as two: "i-dea", "di-a", "cre-a-te"."""
    nuclei = list(nuclei)
    while len(nuclei) < count:
        long = [i for i, (a, b) in enumerate(nuclei) if b - a > 1]
        if not long:
            break

        def hiatus(i: int) -> tuple[int, int]:
            a, b = nuclei[i]
            pair = letters[b - 2 : b]
            strong = sum(vowel in _STRONG for vowel in pair)
            return (b - a > 2) + (pair[0] in _WEAK and pair[1] in _STRONG) + (strong == 2), i

        at = max(long, key=hiatus)
        a, b = nuclei[at]
        nuclei[at : at + 1] = [(a, b - 1), (b - 1, b)]
    return nuclei


def _onset(letters: str, end: int, begin: int) -> int:
    """Return where the syllable of a vowel begins, of the letters from ``end`` to ``begin``."""
    between = letters[end:begin]
    for at, character in reversed(list(enumerate(between))):
        if not character.isalpha():
            # Behind a hyphen or an apostrophe, but "ev'ry" and "don't" keep theirs.
            return end + at + 1
    for length in (3, 2):
        onset = between[-length:]
        if len(onset) == length and onset in _ONSETS:
            return begin if onset in _NEVER_FIRST else begin - length
    return begin - 1 if between else begin
