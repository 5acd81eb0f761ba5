"""Normalise the words of lyrics for a text-to-speech voice.

Lyrics shout, stutter, stretch, censor and abbreviate, which a voice reads literally. Here every
such spelling becomes one or more plain *wordings*.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼʻ`´′＇‛", "'"))
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−⁃", "-"))
_SPOKEN_SYMBOLS = frozenset("&%$€£")
_INITIALS = re.compile(r"(?:[^\W\d_]\.){2,}[^\W\d_]?\.?")
_MARKUP = re.compile(r"^([*_~]+)(.*\w.*)\1$")
_NUMBER_POINT = re.compile(r"(?<=\d)[.,](?=\d)")


def plain(word: str) -> str:
    """Remove punctuation, decoration and typographic variants from a word.

    What remains are letters and their marks, digits, inner apostrophes and hyphens, single spaces,
    and the symbols that are read aloud or stand for censored letters.
    """
    text = word.translate(_APOSTROPHES).translate(_DASHES)
    text = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES)
    text = "".join(_digit(c) for c in text if unicodedata.category(c) not in ("Cf", "Cs", "Co"))
    text = _MARKUP.sub(r"\2", text)
    initials = text.strip("()[]\"',;:!? ")
    if _INITIALS.fullmatch(initials):
        return " ".join(initials.replace(".", "").upper())
    text = "".join(c if _is_kept(c, text, i) else " " for i, c in enumerate(text))
    text = re.sub(r"(?<!\w)[-' ]+(?!\w)|^[- ]+|[- ]+$", " ", text)
    text = " ".join(text.split())
    return text if any(c.isalnum() or c in _SPOKEN_SYMBOLS for c in text) else ""


def _digit(character: str) -> str:
    """Return a digit of any script as 0-9."""
    value = unicodedata.digit(character, None)
    return character if value is None or character.isascii() else str(value)


def _is_kept(c: str, text: str, i: int) -> bool:
    if c in ".,":
        return any(point.start() == i for point in _NUMBER_POINT.finditer(text))
    return (
        unicodedata.category(c)[0] in "LM" or c.isdecimal() or c in "'-*@+" or c in _SPOKEN_SYMBOLS
    )


def lower_shouted(words: Sequence[str]) -> tuple[str, ...]:
    """Return a line's words, in lower case where the whole line is in capitals.

    In a line that also has lower-case letters, capitals may be an abbreviation and stay.
    """
    letters = [c for word in words for c in word if c.isalpha()]
    shouted = len(letters) > 1 and not any(c.islower() for c in letters)
    return tuple(word.lower() if shouted else word for word in words)


def wordings(word: str, language: str) -> tuple[str, ...]:
    """Return at most three wordings of a `plain` word, the likelier first.

    Parameters
    ----------
    word : str
        As `plain` gives it.
    language : str
        "en", "fr" …: decides how numbers and money are read.
    """
    text = _uncensored(word)
    text = re.sub(r"[*+@]", " ", text).strip()
    found = [" ".join(wording.split()) for wording in _wordings(text, language)]
    return tuple(dict.fromkeys(wording for wording in found if wording))[:3]


def _wordings(text: str, language: str) -> Iterator[str]:
    if any(c.isdigit() for c in text):
        yield from _numbers(text, language)
        return
    if re.fullmatch(r"[A-Z]{2,5}", text):
        yield text.lower()
        yield " ".join(text)
        return
    text = _unstuttered(text)
    if language == "fr" and _ELIDED_E.search(text):
        yield _ELIDED_E.sub("e", text.lower())
    if re.search(r"(\w)\1\1", text):
        yield re.sub(r"(\w)\1{2,}", r"\1", text)
        yield re.sub(r"(\w)\1{2,}", r"\1\1", text)
        return
    # Capitals inside a word would be read one by one.
    yield text if len(text) < 2 or text.istitle() else text.lower()


# French as it is spoken: "p'tit", "j't'aime" for "petit", "je t'aime".
_ELIDED_E = re.compile(r"(?<=[^\W\d_])'(?=[^aeiouyhàâäéèêëîïôöùûüœæ]|$)", re.IGNORECASE)


_SAME_VOWEL = re.compile(r"([aeiouyäöüáéíóúàèìòùâêîôû])(?:-+\1+)+", re.IGNORECASE)


def _unstuttered(text: str) -> str:
    """Write "lo-o-ove" as "love"."""
    return _SAME_VOWEL.sub(r"\1", text)


def stutter(word: str) -> tuple[str, str]:
    """Split off a stuttered beginning: "b-b-baby" is "bb" and "baby"."""
    found = re.fullmatch(r"((?:([^\W\d_])-)+)(\2.+)", word, re.IGNORECASE)
    return (found[1].replace("-", ""), found[3]) if found else ("", word)


_MONEY = re.compile(r"([$€£])(\d[\d.,]*)([kKmM]?)")
_DOLLARS = {"$": "dollars", "€": "euros", "£": "pounds"}


def _numbers(text: str, language: str) -> Iterator[str]:
    """Yield wordings of a word with digits: money, years, numbers."""
    text = text.lower()
    if money := _MONEY.fullmatch(text):
        unit = _DOLLARS[money[1]] if language == "en" else money[1]
        thousands = {"k": "000", "m": "000000"}.get(money[3], "")
        yield f"{money[2]}{thousands} {unit}"
        return
    if language == "en":
        yield from _year(text)
    yield text.replace("-", " ")
    if re.fullmatch(r"\d{3}|\d{5,}", text):
        yield " ".join(text)
        if language == "en" and len(text) == 3 and text[1] != "0":
            yield f"{text[0]} {text[1:]}"


def _year(text: str) -> Iterator[str]:
    """Yield "1985s" as "19 85s" (nineteen eighty-five), "1905" as "19 oh 5"."""
    found = re.fullmatch(r"(1[1-9]|20)(\d\d)('?s)?", text)
    if not found:
        return
    century, year, plural = found[1], found[2], found[3] or ""
    if year == "00":
        if century != "20":
            yield f"{century} hundred{plural}"
    elif year[0] == "0":
        if century != "20":
            yield f"{century} oh {year[1]}{plural}"
    else:
        yield f"{century} {year}{plural}"


# Words that lyrics sites hide, with the endings they take; the commonest first.
_HIDDEN = """
fuck fucks fucked fucker fuckers fuckin fuckin' fucking motherfucker motherfuckers motherfuckin
motherfucking shit shits shitty bullshit bitch bitches ass asses asshole assholes badass dick dicks
cock cocks cunt cunts pussy pussies damn goddamn hell whore whores slut sluts nigga niggas nigger
niggers fag faggot bastard bastards tits piss pissed crap sex merde putain pute connard salope
scheiße scheisse arsch fick ficken fotze mierda puta puto joder coño cazzo merda stronzo caralho
foda
"""
_LOOKALIKES = str.maketrans({"@": "a", "$": "s", "+": "t"})


def _uncensored(word: str) -> str:
    """Write "f**k" as "fuck", "a$$" as "ass"; unknown letters become a short vowel."""
    if re.search(r"[^\W\d_]", word) and not _MONEY.fullmatch(word):
        word = word.translate(_LOOKALIKES) if len(word) > 1 else word
    if "*" not in word or not re.search(r"\w", word):
        return word
    return _first_hidden(word.lower()) or re.sub(r"\*+", "u", word)


def _first_hidden(word: str) -> str | None:
    """Return the first censored word of the same length, or else of any length."""
    exact = "".join("." if c == "*" else re.escape(c) for c in word)
    loose = ".*".join(re.escape(part) for part in re.split(r"\*+", word))
    hidden = _HIDDEN.split()
    return _first_match(exact, hidden) or _first_match(loose, hidden)


def _first_match(pattern: str, candidates: Iterable[str]) -> str | None:
    return next((word for word in candidates if re.fullmatch(pattern, word)), None)
