"""Align, refine and judge the words of a song on its vocals."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lyricsyncd.model import Lyrics, Word
from lyricsyncd.pipeline.prepared import Stopwatch
from lyricsyncd.pipeline.voices_apart import voices_apart, with_backing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lyricsyncd.align.features import Alignment
    from lyricsyncd.align.onset_priors import OnsetPosteriors
    from lyricsyncd.align.repeated_lines import SungLine, SungOrder
    from lyricsyncd.align.second_aligner import SecondAligner
    from lyricsyncd.judging.quality import Thresholds, Verdict
    from lyricsyncd.judging.uncovered import Uncovered
    from lyricsyncd.judging.word_times import StatedTimes
    from lyricsyncd.pipeline.model_set import ModelSet
    from lyricsyncd.pipeline.optional_models import OptionalModels
    from lyricsyncd.separate import Stem

_LESS_DOUBT = 0.85
"""The share of its doubt that a placement among repeats may keep at most to be preferred."""
_MOST_DOUBT = 0.4
"""The doubt that it may have at most: words of another song have more than half, for repeats of
their lines to choose from lend them a place, too."""
_MOST_UNSUNG = 0.5
"""Share of the words that may be left out as not sung: with more, they are another song's."""


@dataclass(frozen=True, slots=True)
class PlacedLyrics:
    """Words, the audio that they were placed on, where, and how that was judged."""

    lyrics: Lyrics
    stem: Stem
    alignment: Alignment
    verdict: Verdict
    uncovered: Uncovered
    """The singing that they leave without words."""
    voices_apart: bool = False
    """Whether voices that sing at once were placed each by itself."""
    remark: str = ""
    """A sentence about word times that their source has."""
    order: tuple[SungLine, ...] = ()
    """The lines with those that are sung again, where they were placed among these."""
    unsung: frozenset[int] = frozenset()
    """The numbers of lines that were left out as not sung."""

    @property
    def doubt(self) -> float:
        """The share of the words expected to be misplaced, whatever singing is left over."""
        return self.doubt_of_all_but(frozenset())

    @property
    def left_out(self) -> float:
        """The share of the words that were left out as not sung, or cannot be pronounced."""
        return 1.0 - float(self.alignment.placed.mean()) if len(self.alignment.placed) else 0.0

    def doubt_of_all_but(self, lines: frozenset[int]) -> float:
        """Return the doubt of the words of all lines but some."""
        numbers = [number for number, line in enumerate(self.lyrics) for _ in line.words]
        each = zip(numbers, self.verdict.confidence, strict=True)
        kept = [confidence for number, confidence in each if number not in lines]
        return 1.0 - sum(kept) / max(1, len(kept))


class LyricsAligner:
    """Place words on vocals, and judge where they lie.

    Parameters
    ----------
    optional : OptionalModels
        Has the second aligners.
    thresholds : Thresholds
        Scores from which words, or lines, may be written.
    """

    def __init__(self, models: ModelSet, optional: OptionalModels, thresholds: Thresholds) -> None:
        self._models = models
        self._optional = optional
        self._thresholds = thresholds

    def placed(
        self,
        stem: Stem,
        lyrics: Lyrics,
        language: str,
        transcript: Sequence[Word] | None,
        watch: Stopwatch,
        pins: Sequence[tuple[int, float]] = (),
        *,
        order: Sequence[SungLine] = (),
        unsung: frozenset[int] = frozenset(),
        compare_times: bool = False,
    ) -> PlacedLyrics:
        """Align, refine and judge; a transcript gives anchors, and a person's pins are bounds.

        Parameters
        ----------
        order : sequence of SungLine, optional
            The lines with those that are sung again: the words are placed among these, which are
            left out of the result. Not beside pins, which number the words as they are written.
        unsung : frozenset of int, optional
            The numbers of lines that are not sung; they get a place between those beside them.
        compare_times : bool
            Whether word times that the lyrics have are believed where the placement confirms them.
        """
        sung = _in_order(lyrics, order) if order else lyrics
        from lyricsyncd.align.aligner import align
        from lyricsyncd.align.anchors import transcript_starts
        from lyricsyncd.align.voices import merged
        from lyricsyncd.judging import agreement
        from lyricsyncd.judging.calibration import Calibration
        from lyricsyncd.judging.quality import judge

        with watch.stage("align"):
            acoustic_model = self._models.acoustic_model(language)
            self._begin_second(stem, language)
            starts = None if transcript is None else transcript_starts(transcript, sung.words)

            # A second aligner only makes a prior: to it, what a person set is an anchor.
            set_ = dict(pins)
            anchors = [set_.get(i) for i in range(len(lyrics.words))] if pins else starts

            def place(
                lines: Lyrics,
                stem: Stem,
                unsung: npt.NDArray[np.bool_] | None = None,
                windows: Sequence[tuple[int, float, float]] = (),
            ) -> Alignment:
                words = [[word.text for word in line.words] for line in lines]
                own = _starts_of(_line_starts(lines), lines, unsung)

                def second_onsets(first: Alignment) -> OnsetPosteriors | None:
                    return self._second_onsets(stem, words, language, first, own, anchors)

                return align(
                    stem.observed,
                    words,
                    language,
                    acoustic_model,
                    line_starts=own,
                    transcript_starts=None if pins else starts,
                    pins=pins,
                    windows=windows,
                    unsung=unsung,
                    second_onsets=None
                    if self._optional.second_aligner(language) is None
                    else second_onsets,
                    second_unsung=(
                        None
                        if unsung is not None
                        else lambda: self._second_unsung(stem, words, language)
                    ),
                )

            alignment = place(sung, stem, _words_of(lyrics, order, unsung) if unsung else None)
            # An order of lines is that of the lines as they are written.
            parted = sung if order else with_backing(sung)
            apart = []
            if not (pins or unsung):
                apart = voices_apart(parted, alignment, stem, partial(place, parted))
        with watch.stage("refine"):
            alignment = _refined(alignment, stem, pins)
            if apart:
                alignment = merged(
                    [chain.words for chain in apart],
                    [_refined(chain.placed, chain.stem, ()) for chain in apart],
                )
        with watch.stage("judge"):
            calibration = Calibration.of(acoustic_model)
            alignment, verdict = agreement.accept_prior(alignment, self._thresholds, calibration)
            if order:
                alignment = alignment.of(_written(lyrics, order))
                verdict = judge(alignment, self._thresholds, calibration)
            sure = tuple(1.0 if i in set_ else each for i, each in enumerate(verdict.confidence))
            verdict = dataclasses.replace(verdict, confidence=sure)
        stated = _stated_times(lyrics) if compare_times else None
        if apart and not order:
            lyrics = parted
        placed = self.judged(stem, lyrics, alignment, verdict, stated)
        return dataclasses.replace(
            placed, voices_apart=bool(apart), order=tuple(order), unsung=unsung
        )

    def placed_among_repeats(
        self, placed: PlacedLyrics, language: str, watch: Stopwatch, *, compare_times: bool = False
    ) -> PlacedLyrics:
        """Place the words among lines that are sung again though they are written once, if there
        are any; keep what is judged better."""
        order = self._sung_order(placed, language, watch)
        if order.as_written:
            return placed
        again = self.placed(
            placed.stem,
            placed.lyrics,
            language,
            None,
            watch,
            order=order.lines,
            compare_times=compare_times,
        )
        return again if _surer(again, placed) else placed

    def placed_without_unsung(
        self, placed: PlacedLyrics, language: str, watch: Stopwatch, *, compare_times: bool = False
    ) -> PlacedLyrics:
        """Place the words without lines that are not sung, if there seem to be any; keep what is
        judged better."""
        from lyricsyncd.judging.unsung import unsung_runs

        lyrics = placed.lyrics
        absent = self._sung_order(placed, language, watch).absent
        lengths = [len(line.words) for line in lyrics]
        unsung = unsung_runs(lengths, placed.verdict.confidence, absent)
        theirs = _words_of(lyrics, (), unsung)
        left_out_already = not theirs[placed.alignment.placed].any()
        if left_out_already or theirs.mean() > _MOST_UNSUNG:
            return placed
        again = self.placed(
            placed.stem,
            lyrics,
            language,
            None,
            watch,
            order=placed.order,
            unsung=unsung,
            compare_times=compare_times,
        )
        return again if _surer(again, placed, unsung) else placed

    def _sung_order(self, placed: PlacedLyrics, language: str, watch: Stopwatch) -> SungOrder:
        from lyricsyncd.align.repeated_lines import sung_order

        with watch.stage("align"):
            words = [[word.text for word in line.words] for line in placed.lyrics]
            model = self._models.acoustic_model(language)
            return sung_order(placed.stem.observed, words, language, model)

    def judged(
        self,
        stem: Stem,
        lyrics: Lyrics,
        alignment: Alignment,
        verdict: Verdict,
        stated: StatedTimes | None = None,
    ) -> PlacedLyrics:
        """Judge a placement beside the word times of a source, and by the singing left over."""
        from lyricsyncd.judging.uncovered import NOTHING, uncovered
        from lyricsyncd.judging.word_times import with_stated
        from lyricsyncd.separate.presence import FRAME_S, voiced_frames

        remark = ""
        if stated is not None:
            alignment, verdict, remark = with_stated(alignment, verdict, stated, self._thresholds)
        voiced = voiced_frames(stem)
        left = NOTHING
        if voiced is not None:
            left = uncovered(voiced, FRAME_S, alignment.onset.tolist(), alignment.offset.tolist())
        return PlacedLyrics(
            lyrics, stem, alignment, self.of_all(verdict, left), uncovered=left, remark=remark
        )

    def of_all(self, verdict: Verdict, left: Uncovered) -> Verdict:
        """Return a verdict that counts the singing without words."""
        from lyricsyncd.judging.quality import with_missing_words

        return with_missing_words(verdict, left.share, self._thresholds)

    def _begin_second(self, stem: Stem, language: str) -> None:
        """Let the second aligner begin beside the first one's search, where it can."""
        from lyricsyncd.align.second_aligner import SearchingAligner

        aligner = self._optional.second_aligner(language)
        if isinstance(aligner, SearchingAligner):
            aligner.begin(stem.observed)

    def _second_onsets(
        self,
        stem: Stem,
        words: list[list[str]],
        language: str,
        first: Alignment,
        line_starts: Sequence[float | None] | None,
        starts: Sequence[float | None] | None,
    ) -> OnsetPosteriors | None:
        """Return the onsets of the second aligner, where there is one."""
        return self._optional.by_second_aligner(
            language,
            lambda aligner: aligner.onset_posteriors(
                stem.observed,
                words,
                language,
                first,
                line_starts=line_starts,
                transcript_starts=starts,
            ),
        )

    def _second_unsung(
        self, stem: Stem, words: list[list[str]], language: str
    ) -> npt.NDArray[np.bool_] | None:
        """Return the words that the second aligner leaves out, where it searches by itself."""
        from lyricsyncd.align.second_aligner import SearchingAligner

        def unsung(aligner: SecondAligner) -> npt.NDArray[np.bool_] | None:
            if not isinstance(aligner, SearchingAligner):
                return None
            return aligner.unsung(stem.observed, words, language)

        return self._optional.by_second_aligner(language, unsung)


def _in_order(lyrics: Lyrics, order: Sequence[SungLine]) -> Lyrics:
    """Return the lines as they are sung; of a line that is sung again no times are known."""
    lines, again = tuple(lyrics), tuple(lyrics.without_times())
    return lyrics.with_lines(
        lines[each.line] if each.written else again[each.line] for each in order
    )


def _written(lyrics: Lyrics, order: Sequence[SungLine]) -> npt.NDArray[np.bool_]:
    """Return which words of lines in the order of singing are where the lyrics have them."""
    import numpy as np

    counts = [len(line.words) for line in lyrics]
    written = [each.written for each in order]
    return np.repeat(np.array(written, np.bool_), [counts[each.line] for each in order])


def _surer(again: PlacedLyrics, placed: PlacedLyrics, unsung: frozenset[int] = frozenset()) -> bool:
    """Return whether words are placed with clearly less doubt, those of some lines aside."""
    most = min(_LESS_DOUBT * placed.doubt_of_all_but(unsung), _MOST_DOUBT)
    return again.doubt_of_all_but(unsung) < most


def _words_of(
    lyrics: Lyrics, order: Sequence[SungLine], unsung: frozenset[int]
) -> npt.NDArray[np.bool_]:
    """Return which words, in the order of singing, are of lines that are not sung."""
    import numpy as np

    counts = [len(line.words) for line in lyrics]
    lines = [each.line for each in order] if order else range(len(counts))
    among = np.array([line in unsung for line in lines], np.bool_)
    return np.repeat(among, [counts[line] for line in lines])


def _stated_times(lyrics: Lyrics) -> StatedTimes | None:
    """Return the word times that a source has; ``None`` without any."""
    import numpy as np

    from lyricsyncd.judging.word_times import StatedTimes

    timed = [line.timed_words for line in lyrics for _ in line.words]
    if not any(timed):
        return None

    def seconds(times: Iterable[float | None]) -> npt.NDArray[np.float64]:
        each = zip(times, timed, strict=True)
        return np.array([math.nan if t is None or not known else t for t, known in each])

    words = lyrics.words
    return StatedTimes(
        seconds(word.start for word in words), seconds(word.end for word in words), lyrics.source
    )


def _line_starts(lyrics: Lyrics) -> Sequence[float | None] | None:
    """Return line times as anchors, where the source has any."""
    starts = [None if line.estimated else line.start for line in lyrics]
    return starts if any(start is not None for start in starts) else None


def _starts_of(
    starts: Sequence[float | None] | None, lyrics: Lyrics, unsung: npt.NDArray[np.bool_] | None
) -> Sequence[float | None] | None:
    """Return the line times of lines that have words which are sung."""
    if starts is None or unsung is None:
        return starts
    own, at = [], 0
    for start, line in zip(starts, lyrics, strict=True):
        count = len(line.words)
        own.append(None if unsung[at : at + count].all() else start)
        at += count
    return own


def _refined(alignment: Alignment, stem: Stem, pins: Sequence[tuple[int, float]] = ()) -> Alignment:
    """Return the onsets and offsets where the vocals show them, or where a person set them."""
    from lyricsyncd.align.features import with_pins
    from lyricsyncd.align.refine import Strength

    strength = Strength.of(stem.vocals, stem.sr)

    def refined(placed: Alignment) -> Alignment:
        onset, offset = strength.refined(placed.onset, placed.offset)
        return with_pins(dataclasses.replace(placed, onset=onset, offset=offset), pins)

    without_prior = alignment.without_prior
    return dataclasses.replace(
        refined(alignment),
        without_prior=None if without_prior is None else refined(without_prior),
    )
