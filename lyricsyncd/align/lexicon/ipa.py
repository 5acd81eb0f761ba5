"""Write pronunciations in the International Phonetic Alphabet, for people.

espeak-ng prints IPA with signs of its own (tones as digits, "ts.h" for a retroflex affricate), and
the forms of singing are known as the phones of the acoustic model only.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from lyricsyncd.align.lexicon import voice_rules
from lyricsyncd.align.lexicon.phones import Slot

TABLES = {"ja": "ja", "zh": "cmn", "yue": "yue", "ko": "ko", "th": "th", "he": "he", "ar": "ar"}
"""Language of a reader (`lyricsyncd.readings`) → the table of its phones."""

_OF_PHONES = dict(
    cell.split(":")
    for cell in """
    AA:ɑ AE:æ AH:ʌ AO:ɔ AW:aʊ AY:aɪ EH:ɛ ER:ɝ EY:eɪ IH:ɪ IY:i OW:oʊ OY:ɔɪ UH:ʊ UW:u
    B:b CH:tʃ D:d DH:ð F:f G:ɡ HH:h JH:dʒ K:k L:l M:m N:n NG:ŋ P:p R:ɹ S:s SH:ʃ T:t TH:θ
    V:v W:w Y:j Z:z ZH:ʒ
    """.split()
)


def of_slots(slots: Iterable[Slot]) -> str:
    """Return the likeliest phones of slots in IPA."""
    return "".join(_OF_PHONES[slot[0]] for slot in slots)


def of_tokens(tokens: Iterable[str], voice: str) -> str:
    """Return phonemes that espeak-ng printed as plain IPA: without stress, tones and its marks."""
    text = "".join(token for token in tokens if not token.startswith("("))
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", voice_rules.sounded(decomposed, voice))
