"""Place words on audio: return where each word lies, and how far that is to be trusted.

Nothing here knows a network, a configuration, a cache on disk or a secret, so the same call runs in
the service's model worker, on another computer, or in a caller's own process. Where other words are
wanted, or words at all, the answer says so, and the caller finds them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.model import Lyrics
from lyricsyncd.pipeline.identity import models_identity
from lyricsyncd.pipeline.lyrics_aligner import LyricsAligner, PlacedLyrics
from lyricsyncd.pipeline.optional_models import OptionalModels
from lyricsyncd.pipeline.prepared import (
    Answer,
    MoreWordsWanted,
    Prepared,
    Recognised,
    Stopwatch,
    VoiceChecked,
)
from lyricsyncd.pipeline.timed_lyrics import placement
from lyricsyncd.pipeline.voices_apart import has_voices, may_have_voices

if TYPE_CHECKING:
    from lyricsyncd.pipeline.model_set import ModelSet
    from lyricsyncd.pipeline.settings import PlacingSettings
    from lyricsyncd.separate import Reader, Stem, VocalSeparator
    from lyricsyncd.transcribe import Transcriber

Progress = Callable[[str, float], None]
"""Called with a stage's name and how much of it is done, 0-1."""

_MOST_RAISED = 3
"""Times that quiet vocals are raised and separated again."""
DOUBTFUL = 0.9
"""Score below which the vocals are separated again, and then a recogniser's transcript is taken for
a second opinion, where there is one."""

_HOPELESS = 0.1
"""Score below which neither raised vocals nor repeats are tried: words of other songs have less on
whole songs; eleven songs with their own words, made hard, have 0.35 or more."""

_LEAST_PLACED = 0.5
"""Share of the words below which it is doubtful itself that the others are not sung."""

AWAY = 0.05
"""Share of the singing away from all words from which lines that are sung again are looked for: of
eleven songs with all their words ten have less than 0.02, and one 0.14."""

_FileStamp = tuple[int, int, int]
"""Inode, size and mtime of a file: whether it is still the same."""


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """A song that more words are being found for: what need not be done again then."""

    song: Path
    stamp: _FileStamp | None
    """How its file looked before it was decoded."""
    stem: Stem
    best: PlacedLyrics | None = None
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
        placed = placement(best, scores, language, watch, self.settings)
        return dataclasses.replace(placed, models=models_identity(self.settings.models))

    def _begun(self, prepared: Prepared, watch: Stopwatch, progress: Progress) -> _Unfinished:
        """Take up a song that waited for words, or separate the vocals of another."""
        from lyricsyncd.separate.raised import QUIET_DB, level_db

        song = prepared.path
        before, self._unfinished = self._unfinished, None
        stamp = _stamp(song)
        if before is not None and (before.song, before.stamp) == (song, stamp):
            return before
        del before  # the stem of a song that did not come back, or was replaced
        several = any(may_have_voices(lyrics) for lyrics in (prepared.lyrics, *prepared.others))
        stem = self._separated(song, watch, progress, side=several)
        # Of a song without words it is asked first whether anything is sung.
        if stem.found is not None and not prepared.recognise and level_db(stem) < QUIET_DB:
            stem = self._separated(song, watch, progress, before=stem, side=several)
        return _Unfinished(song, stamp, stem)

    def _separated(
        self,
        song: Path,
        watch: Stopwatch,
        progress: Progress,
        *,
        before: Stem | None = None,
        side: bool = False,
    ) -> Stem:
        # What is not in the middle is where other voices than the lead's mostly are.
        further = {"side": True} if side else {}
        stem = self._separator.extract(
            song, progress=progress, read=self._read, before=before, **further
        )
        watch.add(stem.seconds)
        return stem

    def _best(
        self, prepared: Prepared, begun: _Unfinished, watch: Stopwatch, progress: Progress
    ) -> tuple[PlacedLyrics, tuple[float, ...]]:
        """Place words until some fit: those of another version of a song cannot be placed well.

        Returns
        -------
        PlacedLyrics, tuple of float
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
            candidate = self._aligner.placed(
                stem, lyrics, language, transcript, watch, pins, compare_times=prepared.judged
            )
            if lyrics.repeats:
                candidate = self._without_unsung_repeats(candidate, stem, language, watch)
            scores.append(candidate.verdict.score)
            if best is None or candidate.verdict.score > best.verdict.score:
                best = candidate
        assert best is not None, "there are words to place"
        anchored = prepared.transcript is not None or bool(prepared.pins)
        if anchored or not self._ends_here(best, prepared):
            return best, tuple(scores)
        language = self._language(prepared, best.lyrics)
        # Of voices that sing at once, one answers with the words of the other.
        several = has_voices(best.lyrics)
        hopeless = best.verdict.score < _HOPELESS
        if not (several or hopeless) and (self._doubtful(best) or best.uncovered.away >= AWAY):
            best = self._aligner.placed_among_repeats(
                best, language, watch, compare_times=prepared.judged
            )
        if self._doubtful(best):
            # Raised vocals are no longer balanced, which voices apart are found by.
            if not (best.voices_apart or hopeless):
                best = self._with_raised_vocals(best, prepared, language, watch, progress)
                # Here, too, lines of quiet vocals may be sung and missed.
                if begun.stem.raised == 0 and self._doubtful(best):
                    best = self._aligner.placed_without_unsung(
                        best, language, watch, compare_times=prepared.judged
                    )
            if self._doubtful(best):
                best = self._with_second_opinion(best, language, watch, progress)
        progress("align", 1.0)
        return best, tuple(scores)

    def _doubtful(self, placed: PlacedLyrics) -> bool:
        # Words that are missing are not found by placing those that there are anew, and words that
        # are not sung are found nowhere, if all that is sung has words. Of quiet vocals, words that
        # are sung are missed, too.
        score = placed.verdict.score / (1.0 - placed.uncovered.share / 2.0)
        if placed.stem.raised == 0 and placed.uncovered.away < AWAY:
            score /= max(_LEAST_PLACED, 1.0 - placed.left_out)
        return score < max(self.settings.words, DOUBTFUL)

    def _with_raised_vocals(
        self,
        placed: PlacedLyrics,
        prepared: Prepared,
        language: str,
        watch: Stopwatch,
        progress: Progress,
    ) -> PlacedLyrics:
        """Place the words on vocals that are raised further and further; keep what is judged best.

        Where vocals are quiet, the next time may help though the last one did not.
        """
        from lyricsyncd.separate.raised import QUIET_DB, level_db

        stem, best = placed.stem, placed
        quiet = level_db(stem) < QUIET_DB
        while stem.found is not None and stem.raised < _MOST_RAISED:
            stem = self._separated(
                prepared.path, watch, progress, before=stem, side=stem.side is not None
            )
            again = self._aligner.placed(
                stem,
                placed.lyrics,
                language,
                None,
                watch,
                order=best.order,
                compare_times=prepared.judged,
            )
            better = again.verdict.score > best.verdict.score
            if better:
                best = again
            if not self._doubtful(best) or not (better or quiet):
                break
        return best

    def _ends_here(self, best: PlacedLyrics, prepared: Prepared) -> bool:
        """Return whether these words are the last to be tried."""
        return prepared.all_found or best.verdict.score >= self.settings.lines

    def _with_second_opinion(
        self,
        placed: PlacedLyrics,
        language: str,
        watch: Stopwatch,
        progress: Progress,
    ) -> PlacedLyrics:
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
        again = self._aligner.placed(
            stem,
            placed.lyrics,
            language,
            transcript,
            watch,
            order=placed.order,
            unsung=placed.unsung,
        ).alignment
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
            return dataclasses.replace(
                placed, verdict=self._aligner.of_all(verdict, placed.uncovered)
            )
        return self._aligner.judged(placed.stem, placed.lyrics, alignment, verdict)

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
        self, best: PlacedLyrics, stem: Stem, language: str, watch: Stopwatch
    ) -> PlacedLyrics:
        """Place words without the repeats that were written out, and without those that seem not to
        be sung; the best is taken.

        What the lyrics begin with is the first line, or a heading: sure words are a line.
        """
        from lyricsyncd.judging import repeats

        lyrics = best.lyrics

        def worth(candidate: PlacedLyrics, tolerated: float) -> float:
            covered = 1.0 - candidate.uncovered.share
            return repeats.worth(candidate.verdict.confidence, covered, tolerated=tolerated)

        numbers = [word.repeat for word in lyrics.words]
        doubted = repeats.doubted(numbers, best.verdict.confidence)
        at_first = frozenset(numbers[:1])
        for without in dict.fromkeys((lyrics.repeats - (at_first - doubted), doubted)):
            if not without:
                continue
            fewer = lyrics.without_repeats(without)
            candidate = self._aligner.placed(stem, fewer, language, None, watch)
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
    def _optional(self) -> OptionalModels:
        return OptionalModels(self.models)

    @cached_property
    def _aligner(self) -> LyricsAligner:
        return LyricsAligner(self.models, self._optional, self.settings)

    @cached_property
    def _separator(self) -> VocalSeparator:
        return self.models.separator()

    @cached_property
    def _recogniser(self) -> Transcriber | None:
        return self._optional.recogniser()


def _stamp(song: Path) -> _FileStamp | None:
    try:
        stat = song.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _unseen(stage: str, share: float) -> None:
    """Show no progress."""
