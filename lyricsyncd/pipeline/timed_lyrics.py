"""Make the answer of placing: lyrics with the times that were found, and what may be written."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.model import WRITTEN, Line, Lyrics, Word
from lyricsyncd.pipeline.prepared import Placement, Stopwatch
from lyricsyncd.playback.peaks import Peaks, envelope

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lyricsyncd.align.features import Alignment
    from lyricsyncd.align.linetimes import LineTimes
    from lyricsyncd.judging.lines import Activity, PlacedLine, TimedLine
    from lyricsyncd.judging.quality import Thresholds
    from lyricsyncd.pipeline.lyrics_aligner import PlacedLyrics
    from lyricsyncd.separate import Stem

_ACTIVITY_HOP_S = 0.01


def placement(
    best: PlacedLyrics,
    scores: tuple[float, ...],
    language: str,
    watch: Stopwatch,
    thresholds: Thresholds,
) -> Placement:
    """Decide what may be written of placed lyrics, and give them their times.

    Parameters
    ----------
    scores : tuple of float
        Those of all words that were placed.
    """
    from lyricsyncd.align.lexicon import caution
    from lyricsyncd.judging import lines
    from lyricsyncd.judging.quality import expected

    lyrics, stem, alignment, verdict = best.lyrics, best.stem, best.alignment, best.verdict
    if alignment.line_times is not None:
        lyrics = _with_line_starts(lyrics, alignment.line_times)
    placed = _placed_lines(lyrics, alignment, verdict.confidence)
    ends = _rounded(_ends(lyrics, alignment, stem))
    decision, timed = lines.decide_lines(
        verdict.decision,
        placed,
        words=thresholds.words if verdict.calibrated and thresholds.words < 1.0 else math.inf,
        activity=_activity(stem),
    )
    reason = verdict.reason
    if verdict.calibrated and decision in WRITTEN:
        score = expected(verdict.score, thresholds)
        reason = lines.explained(score, decision, placed, timed)
    line_times = None if alignment.line_times is None else alignment.line_times.reason
    reason = ". ".join(filter(None, (reason, best.uncovered.reason, best.remark, line_times)))
    return Placement(
        lyrics=_timed_lyrics(lyrics, placed, timed, _Endings(ends, alignment.vowels), language),
        score=verdict.score,
        decision=decision,
        language=language,
        separator=stem.separator,
        aligner=alignment.acoustic_model,
        reason=reason,
        stages=watch.stages,
        warnings=tuple(filter(None, (stem.warning, caution(language)))),
        scores=scores,
        peaks=Peaks(envelope(stem.vocals, stem.sr), envelope(stem.mix, stem.sr)),
    )


def _with_line_starts(lyrics: Lyrics, times: LineTimes) -> Lyrics:
    """Return the lyrics with their line times moved to this recording, or without them."""
    if not times.belong:
        return lyrics.without_times()
    starts = times.corrected([line.start for line in lyrics])
    ends = times.corrected([line.end for line in lyrics])
    return lyrics.with_lines(
        dataclasses.replace(line, start=start, end=end)
        for line, start, end in zip(lyrics, starts, ends, strict=True)
    )


def _activity(stem: Stem) -> Activity:
    """Measure the vocal activity."""
    from lyricsyncd.align.activity import vocal_activity
    from lyricsyncd.judging.lines import Activity

    hop = round(stem.sr * _ACTIVITY_HOP_S)
    frames = vocal_activity(stem.vocals, len(stem.vocals) // hop, hop)
    return Activity(frames, hop / stem.sr)


def _placed_lines(
    lyrics: Lyrics, alignment: Alignment, confidence: Sequence[float]
) -> list[PlacedLine]:
    """Return the lines that have words, with the times that were found for them."""
    from lyricsyncd.judging.lines import PlacedLine

    onset, offset = _rounded(alignment.onset), _rounded(alignment.offset)
    lines, at = [], 0
    for line in lyrics:
        words = slice(at, at + len(line.words))
        at = words.stop
        if line.words:
            stated = None if line.estimated else line.start
            lines.append(PlacedLine(onset[words], offset[words], tuple(confidence[words]), stated))
    return lines


def _rounded(times: npt.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(seconds), 3) for seconds in times)


def _ends(lyrics: Lyrics, alignment: Alignment, stem: Stem) -> npt.NDArray[np.float64]:
    """Return where each word stops sounding, of voices that sing at once each by itself."""
    import numpy as np

    from lyricsyncd.align.voices import chains
    from lyricsyncd.align.word_ends import word_ends

    onset, offset = alignment.onset, alignment.offset
    apart: Sequence[npt.NDArray[np.bool_]] = ()
    if (np.diff(onset) < 0.0).any():
        counts = [len(line.words) for line in lyrics]
        apart = chains([line.voice for line in lyrics], counts)
    ends = np.array(offset)
    for words in apart or (np.ones(len(onset), np.bool_),):
        ends[words] = word_ends(onset[words], offset[words], stem.vocals, stem.sr)
    return ends


@dataclass(frozen=True, slots=True)
class _Endings:
    """Hold what is shown of words beside their starts, one each for the words of the song.

    Judging keeps to the offsets of the search, which confidences are calibrated on.
    """

    ends: Sequence[float]
    vowels: Sequence[npt.NDArray[np.float64]]
    """None where the model does not know vowels."""

    def of(self, words: slice) -> _Endings:
        """Return those of some words."""
        return _Endings(self.ends[words], self.vowels[words])


def _timed_lyrics(
    lyrics: Lyrics,
    placed: Sequence[PlacedLine],
    timed: Sequence[TimedLine],
    endings: _Endings,
    language: str,
) -> Lyrics:
    """Return the lyrics with the times that were found; words that are not to be shown are marked
    as doubtful."""
    found = iter(zip(placed, timed, strict=True))
    lines, at = [], 0
    for line in lyrics:
        words = slice(at, at + len(line.words))
        at = words.stop
        lines.append(
            _timed_line(line, *next(found), endings.of(words), language) if line.words else line
        )
    return lyrics.with_lines(lines)


def _timed_line(
    line: Line, placed: PlacedLine, timed: TimedLine, endings: _Endings, language: str
) -> Line:
    from lyricsyncd.align.syllables import timed_syllables
    from lyricsyncd.judging.lines import LineTiming

    each = zip(line.words, placed.onset, endings.ends, placed.confidence, strict=True)
    words = tuple(
        Word(word.text, start, end, confidence, word.space) for word, start, end, confidence in each
    )
    if endings.vowels:
        words = tuple(
            dataclasses.replace(
                word, syllables=timed_syllables(word.text, start, end, vowels, language)
            )
            for word, start, end, vowels in zip(
                words, placed.onset, endings.ends, endings.vowels, strict=True
            )
        )
    if timed.timing is LineTiming.WORDS:
        start, end = words[0].start, words[-1].end
        return dataclasses.replace(line, words=words, start=start, end=end, estimated=False)
    return dataclasses.replace(
        line,
        words=words,
        start=round(timed.start, 3),
        end=line.end if line.end is not None and line.end >= timed.start else None,
        doubtful=True,
        estimated=timed.timing is LineTiming.ESTIMATED,
    )
