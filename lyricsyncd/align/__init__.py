"""Placing known words on audio: emissions × lexicon × one search.

`align_words` is the other way: times of recognised words, carried over to the words of the lyrics.
"""

from lyricsyncd.align.transfer import TransferStats, align_words

__all__ = ["TransferStats", "align_words"]
