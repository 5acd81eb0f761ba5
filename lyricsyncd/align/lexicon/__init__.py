"""Pronounce words in the phones of the acoustic model.

A word goes through these steps, which `words` puts together::

    pronunciations   normalise the text            "f**k" → "fuck", "$100" → "100 dollars"
    readings         ask the reader of a language  "夜空" → jozoɾa (`lyricsyncd.readings`); else
    voices           choose the voice              Cyrillic in a French song: the Russian voice
    espeak           transcribe into phonemes      "amour" → a m ˈu ʁ
    phones           map to the nearest phones     ʁ → R or HH
    singing          add variants of singing       "and" also as "'n", "ooooh" as a long vowel
"""

from lyricsyncd.align.lexicon.words import (
    MOST_VARIANTS,
    Pronunciation,
    caution,
    pronounce,
    wordless_lines,
)

__all__ = ["MOST_VARIANTS", "Pronunciation", "caution", "pronounce", "wordless_lines"]
