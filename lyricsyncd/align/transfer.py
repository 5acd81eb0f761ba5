"""Transfer times from recognised words to known words: sequence alignment by edit distance.

The transcript is matched with the lyrics (fewest edits between the two sequences of words, near
matches counting as such); a known word that was recognised takes its times, and a run of known
words that was not is interpolated.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from lyricsyncd.model import Word

NEAR_MATCH = 70.0
"""Similarity in percent from which two spellings count as one word."""
_SPREAD_WORD_S = 0.3
"""Seconds per word before the first or after the last recognised one."""


@dataclass(frozen=True, slots=True)
class TransferStats:
    """Counts of the words of the lyrics that were recognised."""

    equal: int
    """Words that were recognised as the lyrics have them, but for case, accents and punctuation."""
    near: int
    """Words that were recognised as others of similar spelling (`NEAR_MATCH`)."""
    interpolated: int
    """Words that were not recognised: their times are interpolated."""

    @property
    def recognised(self) -> float:
        """Share of the known words that were recognised, 0-1."""
        total = self.equal + self.near + self.interpolated
        return (self.equal + self.near) / total if total else 0.0

    @property
    def heard(self) -> float:
        """The same as `recognised`, by its earlier name."""
        return self.recognised


def align_words(
    asr_words: Sequence[Word], ref_words: Sequence[Word]
) -> tuple[list[Word], TransferStats]:
    """Give the words of the lyrics the times of recognised ones.

    Two sequences of words are aligned with the fewest edits (Levenshtein 1966); pairs of equal or
    similar spelling share their times, all others are interpolated. It is quick and needs no
    acoustic model, but is only as good as the recogniser, which gets much of singing wrong. The
    pipeline places words on the audio itself (`lyricsyncd.align.aligner`), which is far more exact.

    Parameters
    ----------
    asr_words : sequence of Word
        What was recognised, in order, with starts and ends in seconds.
    ref_words : sequence of Word
        What the lyrics say, in order.

    Returns
    -------
    aligned : list of Word
        The words of the lyrics, in their order, all with starts and ends in seconds, unless nothing
        at all was recognised; starts never decrease. A recognised word's confidence is the
        recogniser's, an interpolated one's 0.
    stats : TransferStats

    Examples
    --------
    >>> aligned, stats = align_words(
    ...     asr_words=[Word("row", 1.0, 1.5), Word("boat", 2.5, 3.0)],
    ...     ref_words=[Word("Row"), Word("your"), Word("boat")],
    ... )
    >>> [word.start for word in aligned], stats.recognised
    ([1.0, 1.5, 2.5], 0.6666666666666666)
    """
    pairs = matched(asr_words, ref_words)
    equal = sum(1 for match in pairs if match is not None and match.exact)
    near = sum(1 for match in pairs if match is not None and not match.exact)
    stats = TransferStats(equal, near, len(ref_words) - equal - near)
    if equal + near == 0:
        return list(ref_words), stats
    recognised = [asr_words[match.index] if match is not None else None for match in pairs]
    return _spread(ref_words, recognised), stats


@dataclass(frozen=True, slots=True)
class Match:
    """A known word's counterpart in the transcript."""

    index: int
    exact: bool


def matched(asr_words: Sequence[Word], ref_words: Sequence[Word]) -> list[Match | None]:
    """Return for each known word the recognised word that it is matched with, if any; in order."""
    from rapidfuzz import fuzz
    from rapidfuzz.distance import Levenshtein

    recognised = [_plain(word.text) for word in asr_words]
    known = [_plain(word.text) for word in ref_words]
    pairs: list[Match | None] = [None] * len(known)
    for edit in Levenshtein.opcodes(known, recognised):
        if edit.tag == "equal":
            for i, j in zip(
                range(edit.src_start, edit.src_end),
                range(edit.dest_start, edit.dest_end),
                strict=True,
            ):
                pairs[i] = Match(j, exact=True)
        elif edit.tag == "replace":
            for i, j in zip(
                range(edit.src_start, edit.src_end),
                range(edit.dest_start, edit.dest_end),
                strict=True,
            ):
                if fuzz.ratio(known[i], recognised[j]) >= NEAR_MATCH:
                    pairs[i] = Match(j, exact=False)
    return pairs


def _plain(text: str) -> str:
    """Return a word without case, accents and punctuation."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in decomposed if c.isalnum())
    return plain or text


def _spread(ref_words: Sequence[Word], recognised: Sequence[Word | None]) -> list[Word]:
    """Copy the times that are known, and divide the time between them among the others."""
    starts = [None if word is None else word.start for word in recognised]
    result: list[Word] = []
    earliest, at = 0.0, 0
    while at < len(ref_words):
        source, start = recognised[at], starts[at]
        if source is not None and start is not None:
            start = max(start, earliest)
            end = max(start, start if source.end is None else source.end)
            word = dataclasses.replace(ref_words[at], start=start, end=end)
            result.append(dataclasses.replace(word, confidence=source.confidence))
            earliest, at = start, at + 1
            continue
        stop = at
        while stop < len(ref_words) and starts[stop] is None:
            stop += 1
        before = result[-1].end if result else None
        after = starts[stop] if stop < len(ref_words) else None
        edges = _edges(before, after, stop - at)
        for i in range(at, stop):
            start = max(edges[i - at], earliest)
            end = max(edges[i - at + 1], start)
            result.append(dataclasses.replace(ref_words[i], start=start, end=end, confidence=0.0))
            earliest = start
        at = stop
    return result


def _edges(before: float | None, after: float | None, count: int) -> list[float]:
    """Return evenly spaced bounds of words between two times, one of which may be open."""
    if before is None:
        before = max(0.0, (after or 0.0) - _SPREAD_WORD_S * count)
    if after is None:
        after = before + _SPREAD_WORD_S * count
    step = max(0.0, after - before) / count
    return [before + i * step for i in range(count + 1)]
