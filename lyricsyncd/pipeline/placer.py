"""Placing: audio, words and settings in; where each word lies, and how far to trust it, out.

Nothing here knows a network, a configuration, a cache on disk or a secret, so the same call runs in
the service's model worker, on another computer, or in a caller's own process. Where other words are
wanted, or words at all, the answer says so, and the caller finds them.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lyricsyncd.errors import ModelError
from lyricsyncd.model import WRITTEN, Line, Lyrics, Word
from lyricsyncd.pipeline.identity import models_identity
from lyricsyncd.pipeline.prepared import (
    Answer,
    MoreWordsWanted,
    Placement,
    Prepared,
    Recognised,
    Stopwatch,
    VoiceChecked,
)
from lyricsyncd.playback.peaks import Peaks, envelope

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lyricsyncd.align.features import Alignment
    from lyricsyncd.align.linetimes import LineTimes
    from lyricsyncd.align.onset_priors import OnsetPosteriors
    from lyricsyncd.align.second_aligner import SecondAligner
    from lyricsyncd.judging.lines import Activity, PlacedLine, TimedLine
    from lyricsyncd.judging.quality import Thresholds, Verdict
    from lyricsyncd.judging.uncovered import Uncovered
    from lyricsyncd.judging.word_times import StatedTimes
    from lyricsyncd.pipeline.model_set import ModelSet
    from lyricsyncd.pipeline.settings import PlacingSettings
    from lyricsyncd.separate import Reader, Stem, VocalSeparator
    from lyricsyncd.transcribe import Transcriber

log = logging.getLogger(__name__)

T = TypeVar("T")

Progress = Callable[[str, float], None]
"""Called with a stage's name and how much of it is done, 0-1."""

_ACTIVITY_HOP_S = 0.01
_MOST_RAISED = 2
"""Times that quiet vocals are raised and separated again."""
DOUBTFUL = 0.9
"""Score below which the vocals are separated again, and then a recogniser's transcript is taken for
a second opinion, where there is one."""


_Looks = tuple[int, int, int]
"""Inode, size and mtime of a file: whether it is still the same."""


@dataclass(frozen=True, slots=True)
class _Candidate:
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


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """A song that more words are being found for: what need not be done again then."""

    song: Path
    looks: _Looks | None
    """How its file looked before it was decoded."""
    stem: Stem
    best: _Candidate | None = None
    scores: tuple[float, ...] = ()
    """Those of the words that were prepared and have been placed, in their order."""


class Placer:
    """Place the words of songs on their audio; keep the models warm between songs.

    Parameters
    ----------
    read : callable, optional
        Reads songs in place of `lyricsyncd.audio.blocks`: from a store, or decoded in advance.

    Raises
    ------
    ModelError
        The profile ``full`` is asked for and not installed.
    """

    def __init__(self, settings: PlacingSettings, read: Reader | None = None) -> None:
        self.settings = settings
        self._read = read
        self._second_aligners: dict[str, SecondAligner | None] = {}
        self._unfinished: _Unfinished | None = None
        if settings.models.profile == "full":
            _ = self.models  # says so at once where the profile is not installed

    def place(self, prepared: Prepared, *, progress: Progress | None = None) -> Answer:
        """Place the words of a song, or say what is wanting.

        Returns
        -------
        Placement
            The best of the words that were prepared.
        MoreWordsWanted
            None of them fits, and not all sources have been asked.
        Recognised
            What a recogniser made of a song without words.
        VoiceChecked
            Whether there is singing in a song that is marked as an instrumental.

        Raises
        ------
        AudioError
            The file cannot be decoded.
        ModelError
            A model is missing or its device is not there.
        """
        progress = progress or _unseen
        watch = Stopwatch()
        if prepared.voice_check:
            return self._voice_checked(prepared.path, watch)
        begun = self._begun(prepared, watch, progress)
        if prepared.recognise:
            answer = self._recognised(begun.stem, prepared.language, watch, progress)
            self._unfinished = begun
            return answer
        best, scores = self._best(prepared, begun, watch, progress)
        if best.verdict.score < self.settings.lines and not prepared.all_found:
            self._unfinished = dataclasses.replace(begun, best=best, scores=scores)
            return MoreWordsWanted(watch.stages)
        self._unfinished = None
        language = self._language(prepared, best.lyrics)
        placement = _placement(best, scores, language, watch, self.settings)
        return dataclasses.replace(placement, models=models_identity(self.settings.models))

    def _begun(self, prepared: Prepared, watch: Stopwatch, progress: Progress) -> _Unfinished:
        """Take up a song that waited for words, or separate the vocals of another."""
        from lyricsyncd.separate.raised import QUIET_DB, level_db

        song = prepared.path
        before, self._unfinished = self._unfinished, None
        looks = _looks(song)
        if before is not None and (before.song, before.looks) == (song, looks):
            return before
        del before  # the stem of a song that did not come back, or was replaced
        several = any(_has_voices(lyrics) for lyrics in (prepared.lyrics, *prepared.others))
        stem = self._separated(song, watch, progress, side=several)
        # Of a song without words it is asked first whether anything is sung.
        if stem.separated and not prepared.recognise and level_db(stem) < QUIET_DB:
            stem = self._separated(song, watch, progress, raised=1, side=several)
        return _Unfinished(song, looks, stem)

    def _separated(
        self,
        song: Path,
        watch: Stopwatch,
        progress: Progress,
        *,
        raised: int = 0,
        side: bool = False,
    ) -> Stem:
        # What is not in the middle is where other voices than the lead's mostly are.
        further = {"side": True} if side else {}
        stem = self._separator.extract(
            song, progress=progress, read=self._read, raised=raised, **further
        )
        watch.add(stem.seconds)
        return stem

    def _best(
        self, prepared: Prepared, begun: _Unfinished, watch: Stopwatch, progress: Progress
    ) -> tuple[_Candidate, tuple[float, ...]]:
        """Place words until some fit: those of another version of a song cannot be placed well.

        Returns
        -------
        _Candidate, tuple of float
            The best, and the scores of all that were placed.
        """
        progress("align", 0.0)
        stem = begun.stem
        best, scores = begun.best, list(begun.scores)
        for lyrics in (prepared.lyrics, *prepared.others)[len(scores) :]:
            if best is not None and best.verdict.score >= self.settings.words:
                break
            # A transcript was taken with the first words in mind, and anchors those alone.
            transcript = prepared.transcript if best is None else None
            pins = prepared.pins if not scores else ()
            language = self._language(prepared, lyrics)
            candidate = self._placed(
                stem, lyrics, language, transcript, watch, pins, compare_times=prepared.judged
            )
            if lyrics.repeats:
                candidate = self._without_unsung_repeats(candidate, stem, language, watch)
            scores.append(candidate.verdict.score)
            if best is None or candidate.verdict.score > best.verdict.score:
                best = candidate
        assert best is not None, "there are words to place"
        anchored = prepared.transcript is not None or bool(prepared.pins)
        if self._doubtful(best) and not anchored and self._ends_here(best, prepared):
            language = self._language(prepared, best.lyrics)
            # Raised vocals are no longer balanced, which voices apart are found by.
            if best.stem.separated and not best.voices_apart:
                best = self._with_raised_vocals(best, prepared, language, watch, progress)
            if self._doubtful(best):
                best = self._with_second_opinion(best, language, watch, progress)
        progress("align", 1.0)
        return best, tuple(scores)

    def _doubtful(self, placed: _Candidate) -> bool:
        # Words that are missing are not found by placing those that there are anew.
        score = placed.verdict.score / (1.0 - placed.uncovered.share / 2.0)
        return score < max(self.settings.words, DOUBTFUL)

    def _with_raised_vocals(
        self,
        placed: _Candidate,
        prepared: Prepared,
        language: str,
        watch: Stopwatch,
        progress: Progress,
    ) -> _Candidate:
        """Place the words on vocals that were raised first, and keep what is judged better.

        Where that helps, raising them once more may help more.
        """
        for times in range(placed.stem.raised + 1, _MOST_RAISED + 1):
            side = placed.stem.side is not None
            stem = self._separated(prepared.path, watch, progress, raised=times, side=side)
            again = self._placed(
                stem, placed.lyrics, language, None, watch, compare_times=prepared.judged
            )
            if again.verdict.score <= placed.verdict.score:
                break
            placed = again
            if not self._doubtful(placed):
                break
        return placed

    def _ends_here(self, best: _Candidate, prepared: Prepared) -> bool:
        """Return whether these words are the last to be tried."""
        return prepared.all_found or best.verdict.score >= self.settings.lines

    def _with_second_opinion(
        self,
        placed: _Candidate,
        language: str,
        watch: Stopwatch,
        progress: Progress,
    ) -> _Candidate:
        """Place the words anew with a transcript as anchors, and keep what is clearly better.

        The song as it is is transcribed, not its vocals: recognisers are made for noise, and the
        accompaniment costs them less than what a separator leaves of the voice.
        """
        from lyricsyncd.align.anchors import transcript_starts
        from lyricsyncd.judging.agreement import Transcript, better
        from lyricsyncd.judging.calibration import Calibration

        recogniser = self._recogniser
        if recogniser is None:
            return placed
        stem = placed.stem
        progress("transcribe", 0.0)
        with watch.stage("transcribe"):
            transcript = recogniser.transcribe(stem.mix, language)
        again = self._placed(stem, placed.lyrics, language, transcript, watch).alignment
        again = dataclasses.replace(
            again, acoustic_model=f"{again.acoustic_model}+{recogniser.name}"
        )
        with watch.stage("judge"):
            starts = transcript_starts(transcript, placed.lyrics.words)
            alignment, verdict = better(
                placed.alignment,
                again,
                Transcript(starts, len(transcript), language),
                self.settings,
                Calibration.of(self.models.acoustic_model(language)),
            )
        if alignment is placed.alignment:
            # Its word times, where a source has any, were compared already.
            return dataclasses.replace(placed, verdict=self._of_all(verdict, placed.uncovered))
        return self._judged(placed.stem, placed.lyrics, alignment, verdict)

    def _voice_checked(self, song: Path, watch: Stopwatch) -> VoiceChecked:
        """Check some excerpts of a song for singing."""
        from lyricsyncd import audio
        from lyricsyncd.separate.presence import CERTAIN, excerpts, sung_share

        duration, read = audio.probe(song).duration, self._read or audio.blocks
        stem = self._separator.extract(
            song, read=lambda path, rate: excerpts(read(path, rate), rate, duration)
        )
        watch.add(stem.seconds)
        sung = sung_share(stem)
        return VoiceChecked(sung is not None and sung >= CERTAIN, watch.stages)

    def _without_unsung_repeats(
        self, best: _Candidate, stem: Stem, language: str, watch: Stopwatch
    ) -> _Candidate:
        """Place words without the repeats that were written out, and without those that seem not to
        be sung; the best is taken."""
        from lyricsyncd.judging import repeats

        lyrics = best.lyrics

        def worth(candidate: _Candidate, tolerated: float) -> float:
            covered = 1.0 - candidate.uncovered.share
            return repeats.worth(candidate.verdict.confidence, covered, tolerated=tolerated)

        numbers = [word.repeat for word in lyrics.words]
        doubted = repeats.doubted(numbers, best.verdict.confidence)
        for without in dict.fromkeys((lyrics.repeats, doubted)):
            if not without:
                continue
            fewer = lyrics.without_repeats(without)
            candidate = self._placed(stem, fewer, language, None, watch)
            if worth(candidate, 0.0) > worth(best, repeats.TOLERATED):
                best = candidate
        return best

    def _recognised(
        self, stem: Stem, language: str | None, watch: Stopwatch, progress: Progress
    ) -> Recognised:
        """Transcribe the vocals of a song without words, if anything is sung in it."""
        from lyricsyncd.separate.presence import SUNG_SHARE, sung_share

        sung = sung_share(stem)
        if self._recogniser is None or (sung is not None and sung < SUNG_SHARE):
            return Recognised((), sung, watch.stages)
        progress("transcribe", 0.0)
        with watch.stage("transcribe"):
            words = self._recogniser.transcribe(stem.vocals, language)
        return Recognised(tuple(words), sung, watch.stages)

    def _placed(
        self,
        stem: Stem,
        lyrics: Lyrics,
        language: str,
        transcript: Sequence[Word] | None,
        watch: Stopwatch,
        pins: Sequence[tuple[int, float]] = (),
        *,
        compare_times: bool = False,
    ) -> _Candidate:
        """Align, refine and judge; a transcript gives anchors, and a person's pins are bounds.

        Parameters
        ----------
        compare_times : bool
            Whether word times that the lyrics have are believed where the placement confirms them.
        """
        from lyricsyncd.align.aligner import align
        from lyricsyncd.align.anchors import transcript_starts
        from lyricsyncd.align.voices import merged
        from lyricsyncd.judging import agreement
        from lyricsyncd.judging.calibration import Calibration

        with watch.stage("align"):
            acoustic_model = self.models.acoustic_model(language)
            starts = None if transcript is None else transcript_starts(transcript, lyrics.words)
            words = [[word.text for word in line.words] for line in lyrics]
            line_starts = _line_starts(lyrics)

            # A second aligner only makes a prior: to it, what a person set is an anchor.
            set_ = dict(pins)
            anchors = [set_.get(i) for i in range(len(lyrics.words))] if pins else starts

            def place(
                stem: Stem,
                unsung: npt.NDArray[np.bool_] | None = None,
                windows: Sequence[tuple[int, float, float]] = (),
            ) -> Alignment:
                own = _starts_of(line_starts, lyrics, unsung)

                def second_onsets(first: Alignment) -> OnsetPosteriors | None:
                    return self._second_onsets(stem, words, language, first, own, anchors)

                return align(
                    stem.vocals,
                    words,
                    language,
                    acoustic_model,
                    line_starts=own,
                    transcript_starts=None if pins else starts,
                    pins=pins,
                    windows=windows,
                    unsung=unsung,
                    second_onsets=None if self._second_aligner(language) is None else second_onsets,
                    second_unsung=(
                        None
                        if unsung is not None
                        else lambda: self._second_unsung(stem, words, language)
                    ),
                )

            alignment = place(stem)
            apart = [] if pins else _voices_apart(lyrics, alignment, stem, place)
        with watch.stage("refine"):
            alignment = _refined(alignment, stem, pins)
            if apart:
                alignment = merged(
                    [chain.words for chain in apart],
                    [_refined(chain.placed, chain.stem, ()) for chain in apart],
                )
        with watch.stage("judge"):
            calibration = Calibration.of(acoustic_model)
            alignment, verdict = agreement.accept_prior(alignment, self.settings, calibration)
            sure = tuple(1.0 if i in set_ else each for i, each in enumerate(verdict.confidence))
            verdict = dataclasses.replace(verdict, confidence=sure)
        stated = _stated_times(lyrics) if compare_times else None
        placed = self._judged(stem, lyrics, alignment, verdict, stated)
        return dataclasses.replace(placed, voices_apart=bool(apart))

    def _judged(
        self,
        stem: Stem,
        lyrics: Lyrics,
        alignment: Alignment,
        verdict: Verdict,
        stated: StatedTimes | None = None,
    ) -> _Candidate:
        """Judge a placement beside the word times of a source, and by the singing left over."""
        from lyricsyncd.judging.uncovered import NOTHING, uncovered
        from lyricsyncd.judging.word_times import with_stated
        from lyricsyncd.separate.presence import FRAME_S, voiced_frames

        remark = ""
        if stated is not None:
            alignment, verdict, remark = with_stated(alignment, verdict, stated, self.settings)
        voiced = voiced_frames(stem)
        left = NOTHING
        if voiced is not None:
            left = uncovered(voiced, FRAME_S, alignment.onset.tolist(), alignment.offset.tolist())
        return _Candidate(
            lyrics, stem, alignment, self._of_all(verdict, left), uncovered=left, remark=remark
        )

    def _of_all(self, verdict: Verdict, left: Uncovered) -> Verdict:
        """Return a verdict that counts the singing without words."""
        from lyricsyncd.judging.quality import with_missing_words

        return with_missing_words(verdict, left.share, self.settings)

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
        return self._by_second_aligner(
            language,
            lambda aligner: aligner.onset_posteriors(
                stem.vocals,
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
            return aligner.unsung(stem.vocals, words, language)

        return self._by_second_aligner(language, unsung)

    def _by_second_aligner(
        self, language: str, question: Callable[[SecondAligner], T | None]
    ) -> T | None:
        """Return an answer of the second aligner; one that fails is left out from then on."""
        aligner = self._second_aligner(language)
        if aligner is None:
            return None
        try:
            return question(aligner)
        except ModelError as error:
            _warn_without("a second aligner", error)
            self._second_aligners[language] = None
            return None

    def _second_aligner(self, language: str) -> SecondAligner | None:
        """Return the second aligner for a language, where there is one."""
        if language not in self._second_aligners:
            self._second_aligners[language] = self._optional(
                "a second aligner", lambda: self.models.second_aligner(language)
            )
        return self._second_aligners[language]

    def _language(self, prepared: Prepared, lyrics: Lyrics) -> str:
        from lyricsyncd.text.language import detect

        if lyrics is not prepared.lyrics and any(line.parallel for line in lyrics):
            # A translation in place of the lines that were taken to be sung.
            return lyrics.language or detect(lyrics) or "en"
        return prepared.language or detect(prepared.lyrics) or "en"

    @cached_property
    def models(self) -> ModelSet:
        """The models, each opened when it is first needed and kept for the next song."""
        from lyricsyncd.pipeline.model_set import ModelSet

        return ModelSet(self.settings.models)

    @cached_property
    def _separator(self) -> VocalSeparator:
        return self.models.separator()

    @cached_property
    def _recogniser(self) -> Transcriber | None:
        return self._optional("a recogniser", self.models.recogniser)

    def _optional(self, what: str, open_: Callable[[], T | None]) -> T | None:
        """Open a helper that songs can be placed without: its absence is one warning."""
        try:
            return open_()
        except ModelError as error:
            _warn_without(what, error)
            return None


def _looks(song: Path) -> _Looks | None:
    try:
        stat = song.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _warn_without(what: str, error: ModelError) -> None:
    log.warning("words are placed without %s: %s", what, error)


def _placement(
    best: _Candidate,
    scores: tuple[float, ...],
    language: str,
    watch: Stopwatch,
    thresholds: Thresholds,
) -> Placement:
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


def _stated_times(lyrics: Lyrics) -> StatedTimes | None:
    """The word times that a source has; ``None`` without any."""
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
    """Line times as anchors, where the source has any."""
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


@dataclass(frozen=True, slots=True)
class _Chain:
    """The words of a voice, where they are by themselves, and the vocals they were placed on."""

    words: npt.NDArray[np.bool_]
    placed: Alignment
    stem: Stem


def _has_voices(lyrics: Lyrics) -> bool:
    return len({line.voice for line in lyrics if line.words}) > 1


def _voices_apart(
    lyrics: Lyrics, together: Alignment, stem: Stem, place: Callable[..., Alignment]
) -> list[_Chain]:
    """Place each voice by itself, the lead first; return nothing where one chain of all words fits
    as well."""
    import numpy as np

    from lyricsyncd.align import voices

    counts = [len(line.words) for line in lyrics]
    chains = voices.chains([line.voice for line in lyrics], counts)
    if not chains:
        return []
    lead = _Chain(chains[0], place(stem, ~chains[0]), stem)
    if voices.gain(together, lead.placed, lead.words) < voices.GAIN:
        return []
    line = np.repeat(np.arange(len(counts)), counts)
    duration = len(stem.vocals) / stem.sr
    sides = stem if stem.side is None else dataclasses.replace(stem, vocals=stem.side)
    others = []
    for words in chains[1:]:
        windows = voices.windows(lead.placed, words, line, duration)
        chosen = _Chain(words, place(stem, ~words, windows), stem)
        if stem.side is not None:
            aside = _Chain(words, place(sides, ~words, windows), sides)
            if voices.are_aside(chosen.placed, aside.placed, words):
                chosen = aside
        others.append(chosen)
    if any(chain.stem is sides for chain in others) and stem.side is not None:
        middle = voices.without(stem.vocals, stem.side)
        alone = dataclasses.replace(stem, vocals=middle)
        again = _Chain(lead.words, place(alone, ~lead.words), alone)
        lead = max(lead, again, key=lambda chain: voices.fit(chain.placed, chain.words))
    return [lead, *others]


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


def _with_line_starts(lyrics: Lyrics, times: LineTimes) -> Lyrics:
    """The lyrics with their line times moved to this recording, or without them."""
    if not times.belong:
        return lyrics.without_times()
    starts = times.corrected([line.start for line in lyrics])
    ends = times.corrected([line.end for line in lyrics])
    return lyrics.with_lines(
        dataclasses.replace(line, start=start, end=end)
        for line, start, end in zip(lyrics, starts, ends, strict=True)
    )


def _activity(stem: Stem) -> Activity:
    """The vocal activity of the vocals."""
    from lyricsyncd.align.activity import vocal_activity
    from lyricsyncd.judging.lines import Activity

    hop = round(stem.sr * _ACTIVITY_HOP_S)
    frames = vocal_activity(stem.vocals, len(stem.vocals) // hop, hop)
    return Activity(frames, hop / stem.sr)


def _placed_lines(
    lyrics: Lyrics, alignment: Alignment, confidence: Sequence[float]
) -> list[PlacedLine]:
    """The lines that have words, with the times that were found for them."""
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
    """The lyrics with the times that were found; those of words that are not to be shown are
    marked as doubtful."""
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


def _unseen(stage: str, share: float) -> None:
    """Show no progress."""
