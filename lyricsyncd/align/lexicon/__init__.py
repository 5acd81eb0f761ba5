"""Words → how they sound, in the phones of the acoustic model.

A word passes through five rooms::

    spelling   what is there to be read aloud?      "f**k" → "fuck", "$100" → "100 dollars"
    voices     who reads it?                         Cyrillic in a French song: the Russian voice
    espeak     what does that voice say?             "amour" → a m ˈu ʁ
    phones     which phones come nearest?            ʁ → R or HH
    singing    how is it sung rather than read?      "and" also as "'n", "ooooh" as a long vowel

and `words` leads it through them.
"""

from lyricsyncd.align.lexicon.words import MOST_WAYS, Pronunciation, pronounce

__all__ = ["MOST_WAYS", "Pronunciation", "pronounce"]
