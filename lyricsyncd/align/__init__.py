"""Align known words with audio: acoustic model × lexicon × one search (`lyricsyncd.align.aligner`).

`align_words` is the alternative: it transfers times of recognised words to those of the lyrics.
"""

from lyricsyncd.align.transfer import TransferStats, align_words

__all__ = ["TransferStats", "align_words"]
