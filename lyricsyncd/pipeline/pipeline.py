"""The order of the stages: the only place that knows it.

``find`` is light (tags and look-ups) and may run many at once; ``place`` is heavy (models) and
belongs in one warm process. ``sync`` is both, for one song and one caller.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.config.schema import Config, load
from lyricsyncd.errors import LyricsNotFound, ModelError, UsageError
from lyricsyncd.lyrics import TRANSCRIPT
from lyricsyncd.model import (
    Decision,
    Line,
    Lyrics,
    SongIdentification,
    SyncResult,
    Timing,
    Track,
    Word,
)
from lyricsyncd.models.device import check_name

if TYPE_CHECKING:
    from lyricsyncd.align.aligner import Alignment
    from lyricsyncd.align.linetimes import LineTimes
    from lyricsyncd.align.onset_priors import OnsetPosteriors
    from lyricsyncd.align.second_aligner import SecondAligner
    from lyricsyncd.identify.kinds import Unsung
    from lyricsyncd.judging.quality import Verdict
    from lyricsyncd.lyrics import Found
    from lyricsyncd.lyrics.transcript import Heard
    from lyricsyncd.pipeline.model_set import ModelSet
    from lyricsyncd.separate import Reader, Stem, VocalSeparator
    from lyricsyncd.transcribe import Transcriber

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]
"""Called with a stage's name and how much of it is done, 0-1."""

SOURCE_QUALITY = 0.9
"""Score of word times that a source already had: trusted, though not measured by us."""

DOUBTFUL = 0.9
"""Score below which a second ear is asked, where there is one."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A song and its words, before any model has run. Travels to the model worker."""

    song: SongIdentification
    lyrics: Lyrics
    language: str | None = None
    warnings: tuple[str, ...] = ()
    stages: dict[str, float] = field(default_factory=dict)
    others: tuple[Lyrics, ...] = ()
    """Other words that may be the song's, tried where the sound does not bear out ``lyrics``."""
    by_ear: bool = False
    """Whether no source has the words, and the song is to be listened to for them."""
    wordless: str = ""
    """By what sign it is an instrumental, where its tags say so."""

    @property
    def track(self) -> Track:
        """The song's names and length."""
        return self.song.track

    @property
    def needs_models(self) -> bool:
        """Whether placing would load a model."""
        lyrics = self.lyrics
        if self.by_ear:
            return True
        return bool(lyrics.words) and not lyrics.instrumental and lyrics.timing is not Timing.WORD


@dataclass(frozen=True, slots=True)
class _Placed:
    """Words, where they were placed, and what is thought of it."""

    lyrics: Lyrics
    alignment: Alignment
    verdict: Verdict


class LyricSyncPipeline:
    """Places the words of songs on their audio; keeps its models warm between songs.

    Parameters
    ----------
    acoustid_key : str, optional
        For songs whose tags do not name them.
    device : str
        ``auto``, ``cpu`` or ``cuda[:N]``.
    config : Config, optional
        Settings; where omitted, those that the commands use: the user's file and the environment
        (`lyricsyncd.config.schema.load`). ``Config()`` has the defaults.
    profile : str, optional
        ``auto``, ``lite`` or ``full``, over the config's.
    read : callable, optional
        Reads songs in place of `lyricsyncd.audio.blocks`: from a store, or decoded ahead.

    Raises
    ------
    UsageError
        The device or profile is not one of these.
    ConfigError
        The user's settings, read for want of others, are wrong.
    ModelError
        The profile is not installed.
    """

    def __init__(
        self,
        acoustid_key: str | None = None,
        device: str = "auto",
        config: Config | None = None,
        profile: str | None = None,
        read: Reader | None = None,
    ) -> None:
        self.config = load() if config is None else config
        self.acoustid_key = acoustid_key or self.config.identify.acoustid_key
        self.device = device if device != "auto" else self.config.models.device
        self.profile = profile or self.config.profile
        self._read = read
        self._second_aligners: dict[str, SecondAligner | None] = {}
        check_name(self.device)
        if self.profile not in ("auto", "lite", "full"):
            raise UsageError(f"'{self.profile}' is not a profile", remedy="Use auto, lite or full")
        if self.profile == "full":
            _ = self.models  # says so at once where the profile is not installed

    def sync(
        self,
        path: str | Path,
        *,
        artist: str | None = None,
        title: str | None = None,
        album: str | None = None,
        lyrics: Lyrics | Path | str | None = None,
        language: str | None = None,
        progress: Progress | None = None,
    ) -> SyncResult:
        """Find the words of a song and place them on its audio.

        Parameters
        ----------
        lyrics : Lyrics, Path or str, optional
            The words, where they are known: a file, or the text itself. Looked for otherwise.
        language : str, optional
            ISO 639-1; told from the words otherwise.

        Raises
        ------
        AudioError
            The file cannot be listened to.
        LyricsNotFound
            No source has the words.
        ModelError
            A model is missing or its device is not there.
        """
        prepared = self.find(
            path, artist=artist, title=title, album=album, lyrics=lyrics, language=language
        )
        return self.place(prepared, progress=progress)

    def find(
        self,
        path: str | Path,
        *,
        artist: str | None = None,
        title: str | None = None,
        album: str | None = None,
        lyrics: Lyrics | Path | str | None = None,
        language: str | None = None,
    ) -> Prepared:
        """Identify a song and find its words. Loads no model; see `sync` for the parameters."""
        from lyricsyncd import identify
        from lyricsyncd.identify.kinds import unsung
        from lyricsyncd.lyrics import Found, find_lyrics, find_own

        stages: dict[str, float] = {}
        with _timed(stages, "identify"):
            # What the caller names needs no fingerprint.
            known = artist is not None and title is not None
            identified = identify.identify_song(
                Path(path),
                None if known or lyrics is not None else self.acoustid_key,
                acoustid_url=self.config.identify.acoustid_url,
            )
            track = dataclasses.replace(
                identified.track,
                artist=artist or identified.track.artist,
                artists=(artist,) if artist else identified.track.artists,
                title=title or identified.track.title,
                album=album or identified.track.album,
            )
            song = (
                SongIdentification(track, why="named by the caller", warnings=identified.warnings)
                if known
                else dataclasses.replace(identified, track=track)
            )
        by_ear = False
        # What a person names is a song.
        wordless = None if known or lyrics is not None else unsung(track)
        with _timed(stages, "lyrics"):
            given = _given(lyrics)
            if given is not None:
                found = Found(given, given.source, given.source_id, 1.0)
            elif wordless is not None:
                found = find_own(track, self.config, wordless)
            else:
                try:
                    found = find_lyrics(track, self.config)
                except LyricsNotFound:
                    if not self._may_listen:
                        raise
                    found, by_ear = Found(Lyrics(), "", None, 0.0), True
        return self._prepared(song, found, wordless, stages, language, by_ear=by_ear)

    def find_offline(self, path: str | Path) -> Prepared | None:
        """`find` without asking anybody: ``None`` where the words must be looked up.

        Names that are doubted are left as they are: whose words are there needs none.
        """
        from lyricsyncd import identify
        from lyricsyncd.identify.kinds import unsung
        from lyricsyncd.lyrics import all_offline, find_offline, find_own

        if all_offline(self.config) and self.acoustid_key is None:
            return self.find(path)
        stages: dict[str, float] = {}
        with _timed(stages, "identify"):
            song = identify.identify_song(Path(path))
        wordless = unsung(song.track)
        with _timed(stages, "lyrics"):
            if wordless is not None:
                found: Found | None = find_own(song.track, self.config, wordless)
            else:
                found = find_offline(song.track, self.config)
        return None if found is None else self._prepared(song, found, wordless, stages)

    def _prepared(
        self,
        song: SongIdentification,
        found: Found,
        wordless: Unsung | None,
        stages: dict[str, float],
        language: str | None = None,
        *,
        by_ear: bool = False,
    ) -> Prepared:
        language = language or _configured(self.config.language) or found.lyrics.language or None
        warnings = (*song.warnings, *found.warnings)
        why = wordless.reason if wordless is not None and found.lyrics.instrumental else ""
        return Prepared(song, found.lyrics, language, warnings, stages, found.others, by_ear, why)

    def place(self, prepared: Prepared, *, progress: Progress | None = None) -> SyncResult:
        """Place words that were found. Runs the models; see `sync` for what is raised."""
        lyrics = prepared.lyrics
        result = SyncResult(
            song=prepared.song,
            lyrics=lyrics,
            quality_score=0.0,
            decision=Decision.NONE,
            reason="",
            language=prepared.language,
            stages=dict(prepared.stages),
            warnings=prepared.warnings,
        )
        progress = progress or _silent
        if prepared.by_ear:
            return self._by_ear(result, progress)
        if lyrics.instrumental or not lyrics.words:
            return _instrumental(result, prepared.wordless)
        if lyrics.timing is Timing.WORD:
            return dataclasses.replace(
                result,
                quality_score=SOURCE_QUALITY,
                decision=Decision.WORDS,
                reason=f"The {lyrics.source or 'source'} already had a time for every word",
                aligner="source",
            )
        return self._listen(result, prepared.others, progress)

    def _listen(
        self, result: SyncResult, others: Sequence[Lyrics], progress: Progress
    ) -> SyncResult:
        path = result.song.path
        assert path is not None, "a track read from a file has a path"
        stem = self._separator.extract(path, progress=progress, read=self._read)
        return self._aligned(result, stem, others, None, progress)

    def _aligned(
        self,
        result: SyncResult,
        stem: Stem,
        others: Sequence[Lyrics],
        heard: Sequence[Word] | None,
        progress: Progress,
    ) -> SyncResult:
        """Place words on vocals; other words where those that were chosen do not fit."""
        from lyricsyncd.lyrics import later
        from lyricsyncd.text.language import detect

        stages = {**result.stages, **stem.seconds}
        language = result.language or detect(result.lyrics) or "en"
        progress("align", 0.0)
        alignment, verdict = self._placed(stem, result.lyrics, language, heard, stages)
        best = _Placed(result.lyrics, alignment, verdict)
        best = self._better(best, others, stem, language, stages)
        if best.verdict.score < self.config.quality.lines:
            rest = later(result.song.track, self.config, result.lyrics)
            best = self._better(best, rest, stem, language, stages)
        lyrics, alignment, verdict = best.lyrics, best.alignment, best.verdict
        doubtful = verdict.score < max(self.config.quality.words, DOUBTFUL)
        if doubtful and heard is None and self._recogniser is not None:
            progress("transcribe", 0.0)
            best = self._with_transcript_anchors(best, stem, language, stages)
            lyrics, alignment, verdict = best.lyrics, best.alignment, best.verdict
        progress("align", 1.0)
        warnings = result.warnings + ((stem.warning,) if stem.warning else ())
        reason = verdict.reason
        if alignment.line_times is not None:
            lyrics = _with_line_starts(lyrics, alignment.line_times)
            reason = ". ".join(filter(None, (reason, alignment.line_times.reason)))
        return dataclasses.replace(
            result,
            lyrics=_timed_lyrics(lyrics, alignment, verdict.confidence, verdict.decision),
            quality_score=verdict.score,
            decision=verdict.decision,
            reason=reason,
            language=language,
            separator=stem.separator,
            aligner=alignment.acoustic_model,
            stages=stages,
            warnings=warnings,
        )

    def _better(
        self,
        best: _Placed,
        others: Sequence[Lyrics],
        stem: Stem,
        language: str,
        stages: dict[str, float],
    ) -> _Placed:
        """The best placed of several words, as far as it takes: what the sound says of those of a
        wrong version is that they cannot be placed."""
        for other in others:
            if best.verdict.score >= self.config.quality.words:
                break
            alignment, verdict = self._placed(stem, other, language, None, stages)
            if verdict.score > best.verdict.score:
                best = _Placed(other, alignment, verdict)
        return best

    def _with_transcript_anchors(
        self, placed: _Placed, stem: Stem, language: str, stages: dict[str, float]
    ) -> _Placed:
        """Ask the second ear: the words placed anew with what it heard as anchors, where that
        is clearly thought better of once its opinion is known; as they were otherwise.

        It hears the song as it is, not the vocals: it was made for noise, and the band bothers it
        less than what a separator leaves of the voice.
        """
        from lyricsyncd.align import acoustic_models
        from lyricsyncd.judging.agreement import better

        acoustic_model = self._recogniser
        assert acoustic_model is not None, "asked only where there is one"
        with _timed(stages, "transcribe"):
            heard = acoustic_model.transcribe(stem.mix, language)
        again, _ = self._placed(stem, placed.lyrics, language, heard, stages)
        again = dataclasses.replace(
            again, acoustic_model=f"{again.acoustic_model}+{acoustic_model.name}"
        )
        with _timed(stages, "judge"):
            alignment, verdict = better(
                placed.alignment,
                again,
                placed.lyrics.words,
                heard,
                language,
                self.config.quality,
                acoustic_models.calibration_of(self.models.acoustic_model(language)),
            )
        return _Placed(placed.lyrics, alignment, verdict)

    def _by_ear(self, result: SyncResult, progress: Progress) -> SyncResult:
        """Listen to a song whose words nobody has: is anything sung, and what?"""
        from lyricsyncd.http import answers
        from lyricsyncd.lyrics import transcript

        track, stages = result.song.track, dict(result.stages)
        assert track.path is not None, "a track read from a file has a path"
        memory = transcript.Memory(answers.shared())
        acoustic_model = self._recogniser_at_hand or "none"
        heard, stem = memory.get(track.path, acoustic_model), None
        if heard is None:
            stem = self._separator.extract(track.path, progress=progress, read=self._read)
            heard = self._heard(stem, result.language, stages, progress)
            memory.put(track.path, acoustic_model, heard)
        if not heard.is_sung:
            lyrics = Lyrics(instrumental=True, source="vocal activity")
            return _instrumental(dataclasses.replace(result, lyrics=lyrics, stages=stages))
        with _timed(stages, "lyrics"):
            found = transcript.search(track, heard.words, self.config) if heard.words else None
        result = dataclasses.replace(result, stages=stages)
        if found is None and not heard.words:
            raise LyricsNotFound(
                f"No lyrics for {track.name}: no source has them, and nothing was understood",
                remedy="Put them beside the song as a .txt, or correct its tags",
            )
        lyrics = transcript.as_lyrics(heard.words) if found is None else found.lyrics
        if stem is None:
            if found is None and not self.config.lyrics.transcript.write:
                return _for_review(dataclasses.replace(result, lyrics=lyrics), heard)
            stem = self._separator.extract(track.path, progress=progress, read=self._read)
        language = result.language or lyrics.language
        result = dataclasses.replace(result, lyrics=lyrics, language=language)
        placed = self._aligned(result, stem, (), heard.words, progress)
        if found is not None:
            return placed
        return _for_review(placed, heard, may_write=self.config.lyrics.transcript.write)

    def _heard(
        self, stem: Stem, language: str | None, stages: dict[str, float], progress: Progress
    ) -> Heard:
        from lyricsyncd.lyrics import transcript
        from lyricsyncd.separate.presence import sung_share

        unheard = transcript.Heard((), sung_share(stem))
        if self._recogniser is None or not unheard.is_sung:
            return unheard
        progress("transcribe", 0.0)
        with _timed(stages, "transcribe"):
            words = self._recogniser.transcribe(stem.vocals, language)
        return dataclasses.replace(unheard, words=transcript.credible(words))

    def _placed(
        self,
        stem: Stem,
        lyrics: Lyrics,
        language: str,
        heard: Sequence[Word] | None,
        stages: dict[str, float],
    ) -> tuple[Alignment, Verdict]:
        """Align, refine and judge, with or without what a second ear heard."""
        from lyricsyncd.align import acoustic_models
        from lyricsyncd.align.aligner import align
        from lyricsyncd.judging import agreement

        with _timed(stages, "align"):
            acoustic_model = self.models.acoustic_model(language)
            starts = None
            if heard is not None:
                from lyricsyncd.align.anchors import transcript_starts

                starts = transcript_starts(heard, lyrics.words)
            words = [[word.text for word in line.words] for line in lyrics]
            line_starts = _line_starts(lyrics)

            def onset_posteriors_of(without_prior: Alignment) -> OnsetPosteriors | None:
                second_aligner = self._second_aligner(language)
                if second_aligner is None:
                    return None
                try:
                    return second_aligner.onset_posteriors_of(
                        stem.vocals,
                        words,
                        language,
                        without_prior,
                        line_starts=line_starts,
                        transcript_starts=starts,
                    )
                except ModelError as error:
                    self._without_second_aligner(language, error)
                    return None

            alignment = align(
                stem.vocals,
                words,
                language,
                acoustic_model,
                line_starts=line_starts,
                transcript_starts=starts,
                onset_posteriors_of=onset_posteriors_of,
                options=acoustic_models.options_of(acoustic_model),
            )
        with _timed(stages, "refine"):
            alignment = _refined(alignment, stem)
        with _timed(stages, "judge"):
            calibration = acoustic_models.calibration_of(acoustic_model)
            return agreement.prior_weight(alignment, self.config.quality, calibration)

    def _second_aligner(self, language: str) -> SecondAligner | None:
        """Who has a vote. Without its model words are placed all the same: it is said once, and
        not tried again."""
        if language not in self._second_aligners:
            try:
                self._second_aligners[language] = self.models.second_aligner(language)
            except ModelError as error:
                self._without_second_aligner(language, error)
        return self._second_aligners[language]

    def _without_second_aligner(self, language: str, error: ModelError) -> None:
        log.warning("Words are placed without a second ear's votes: %s", error)
        self._second_aligners[language] = None

    @cached_property
    def models(self) -> ModelSet:
        """The models, each opened when it is first needed and kept for the next song."""
        from lyricsyncd.pipeline.model_set import ModelSet

        return ModelSet(self.config, self.device, self.profile)

    @cached_property
    def _separator(self) -> VocalSeparator:
        return self.models.separator()

    @cached_property
    def _recogniser(self) -> Transcriber | None:
        """A recogniser for doubtful songs."""
        return self.models.recogniser()

    @property
    def _recogniser_at_hand(self) -> str | None:
        """The name of the recogniser that there is."""
        return self.models.recogniser_name

    @property
    def _may_listen(self) -> bool:
        """Whether a song without words is worth the work of listening: `transcript` is among the
        sources, and there is something to hear words, or at least a voice, with."""
        from lyricsyncd.config.paths import models_dir
        from lyricsyncd.models import install

        if TRANSCRIPT not in self.config.lyrics.order:
            return False
        if self._recogniser_at_hand is not None:
            return True
        if self.config.models.separator not in ("auto", install.SPLEETER.name):
            return False
        return (
            install.state(install.SPLEETER, models_dir(self.config.models.dir))
            is install.State.INSTALLED
        )


def _instrumental(result: SyncResult, why: str = "") -> SyncResult:
    what = f"It is {why}" if why else "The song is an instrumental"
    return dataclasses.replace(result, quality_score=1.0, reason=f"{what}: nothing to place")


def _for_review(result: SyncResult, heard: Heard, *, may_write: bool = False) -> SyncResult:
    """A transcript is as good as it was heard, and written only where somebody wants it so."""
    from lyricsyncd.lyrics.transcript import sureness

    score = min(result.quality_score or 1.0, sureness(heard.words))
    if may_write and result.decision in (Decision.WORDS, Decision.LINES):
        return dataclasses.replace(
            result, quality_score=score, reason=f"Written as heard, with errors. {result.reason}"
        )
    reason = "No source has the words; what was heard of them is left for review"
    return dataclasses.replace(result, quality_score=score, decision=Decision.REVIEW, reason=reason)


def _given(lyrics: Lyrics | Path | str | None) -> Lyrics | None:
    """Words that the caller brings: read from a file, or taken as they are."""
    from lyricsyncd.lyrics import load_lyrics_file

    if lyrics is None or isinstance(lyrics, Lyrics):
        return lyrics
    if isinstance(lyrics, Path):
        return load_lyrics_file(lyrics)
    if "\n" not in lyrics and len(lyrics) < 1024 and Path(lyrics).is_file():
        return load_lyrics_file(Path(lyrics))
    return Lyrics.from_text(lyrics, source="given")


def _configured(language: str) -> str | None:
    return None if language == "auto" else language


def _line_starts(lyrics: Lyrics) -> Sequence[float | None] | None:
    """Line times as anchors, where the source has any."""
    starts = [line.start for line in lyrics]
    return starts if any(start is not None for start in starts) else None


def _refined(alignment: Alignment, stem: Stem) -> Alignment:
    """The onsets and offsets where the vocals show them."""
    from lyricsyncd.align import refine

    onset, offset = refine.refine(alignment.onset, alignment.offset, stem.vocals, stem.sr)
    without_prior = (
        None if alignment.without_prior is None else _refined(alignment.without_prior, stem)
    )
    return dataclasses.replace(alignment, onset=onset, offset=offset, without_prior=without_prior)


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


def _timed_lyrics(
    lyrics: Lyrics, alignment: Alignment, confidence: Sequence[float], decision: Decision
) -> Lyrics:
    """The lyrics with the times that were found.

    Where only lines are to be written and the source knew when they start, its times stay: they
    were made by a person.
    """
    keep_starts = decision is not Decision.WORDS
    lines, at = [], 0
    for line in lyrics:
        words = []
        for word in line.words:
            start, end = float(alignment.onset[at]), float(alignment.offset[at])
            words.append(
                Word(word.text, round(start, 3), round(end, 3), confidence[at], word.space)
            )
            at += 1
        if not words:
            lines.append(line)
            continue
        starts = line.start if keep_starts and line.start is not None else words[0].start
        ends = line.end if keep_starts and line.end is not None else words[-1].end
        lines.append(Line(tuple(words), starts, ends, line.voice))
    return lyrics.with_lines(lines)


@contextmanager
def _timed(stages: dict[str, float], name: str) -> Iterator[None]:
    begin = time.perf_counter()
    try:
        yield
    finally:
        stages[name] = stages.get(name, 0.0) + time.perf_counter() - begin


def _silent(stage: str, fraction: float) -> None:
    """Nobody is watching."""
