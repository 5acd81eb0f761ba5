"""Times from heard words to known words: the recipe's sequence alignment.

What a recogniser heard is matched with what the lyrics say (fewest edits between the two sequences
of words, near matches counting as such); a known word that was heard takes its times, a run of
known words that was not is spread between its neighbours.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from lyricsyncd.model import Word

NEAR_MATCH = 70.0
"""Similarity in percent from which two spellings are taken for one word."""
_SPREAD_WORD_S = 0.3
"""Seconds a word takes before the first or after the last heard one."""


@dataclass(frozen=True, slots=True)
class TransferStats:
    """How much of the lyrics was heard."""

    equal: int
    near: int
    interpolated: int

    @property
    def heard(self) -> float:
        """Share of the known words that were heard, 0-1."""
        total = self.equal + self.near + self.interpolated
        return (self.equal + self.near) / total if total else 0.0


def align_words(
    asr_words: Sequence[Word], ref_words: Sequence[Word]
) -> tuple[list[Word], TransferStats]:
    """Give known words the times of heard ones.

    Parameters
    ----------
    asr_words : sequence of Word
        What was heard, with starts and ends.
    ref_words : sequence of Word
        What the lyrics say.

    Returns
    -------
    aligned : list of Word
        The known words, in their order, all with times (unless nothing at all was heard); starts
        never decrease.
    stats : TransferStats
    """
    pairs = matched(asr_words, ref_words)
    equal = sum(1 for match in pairs if match is not None and match.exact)
    near = sum(1 for match in pairs if match is not None and not match.exact)
    stats = TransferStats(equal, near, len(ref_words) - equal - near)
    if equal + near == 0:
        return list(ref_words), stats
    heard = [asr_words[match.heard] if match is not None else None for match in pairs]
    return _spread(ref_words, heard), stats


@dataclass(frozen=True, slots=True)
class Match:
    """A known word's counterpart among the heard ones."""

    heard: int
    exact: bool


def matched(asr_words: Sequence[Word], ref_words: Sequence[Word]) -> list[Match | None]:
    """For each known word, the heard word it is matched with, if any; in order."""
    heard = [_plain(word.text) for word in asr_words]
    known = [_plain(word.text) for word in ref_words]
    pairs: list[Match | None] = [None] * len(known)
    for edit in Levenshtein.opcodes(known, heard):
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
                if fuzz.ratio(known[i], heard[j]) >= NEAR_MATCH:
                    pairs[i] = Match(j, exact=False)
    return pairs


def _plain(text: str) -> str:
    """A word without case, accents and punctuation, so that spellings compare."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in decomposed if c.isalnum())
    return plain or text


def _spread(ref_words: Sequence[Word], heard: Sequence[Word | None]) -> list[Word]:
    """Copy the times that are known; share the time between them among the rest."""
    starts = [None if word is None else word.start for word in heard]
    result: list[Word] = []
    earliest, at = 0.0, 0
    while at < len(ref_words):
        source, start = heard[at], starts[at]
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
    """Evenly spread bounds of words between two times, one of which may be open."""
    if before is None:
        before = max(0.0, (after or 0.0) - _SPREAD_WORD_S * count)
    if after is None:
        after = before + _SPREAD_WORD_S * count
    step = max(0.0, after - before) / count
    return [before + i * step for i in range(count + 1)]
