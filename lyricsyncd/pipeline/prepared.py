"""Define the values that finding passes to placing, and those that placing returns."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from lyricsyncd.model import Decision, Lyrics, SongIdentification, Timing, Track, Word
from lyricsyncd.playback.peaks import Peaks

FROM_A_PERSON = ("sidecar", "tag", "given", "file")
"""Sources of words that were chosen for this very file."""

Stages = Mapping[str, float]
"""Seconds spent in each stage, in the order in which they ran."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A song and its words, before any model has run. Travels to the model worker.

    Attributes
    ----------
    path : Path
        The song's file.
    others : tuple of Lyrics
        Other words that may be the song's, the likeliest first: tried in this order where those
        before do not fit the audio.
    all_found : bool
        Whether every source has been asked, so that no more words can be had.
    recognise : bool
        Whether no source has the words, and a recogniser is to transcribe the song.
    transcript : tuple of Word or None
        What a recogniser made of the vocals, once it was asked; anchors of the alignment.
    transcript_alone : bool
        Whether ``lyrics`` are that transcript, since no source knows its words.
    pins : tuple of (int, float)
        Words, by their numbers, and the seconds at which a person says that they start.
    given : bool
        Whether the caller brought ``lyrics``, and they were not looked up.
    voice_check : bool
        Whether ``lyrics`` are only a mark that nobody sings, which the vocals are to bear out.
    other_version : bool
        Whether ``lyrics`` are those of another version of the song, for want of its own.
    wordless : str
        By what sign it is an instrumental, where its tags say so.
    """

    path: Path
    song: SongIdentification
    lyrics: Lyrics
    language: str | None = None
    warnings: tuple[str, ...] = ()
    stages: Stages = field(default_factory=dict)
    others: tuple[Lyrics, ...] = ()
    all_found: bool = False
    recognise: bool = False
    transcript: tuple[Word, ...] | None = None
    transcript_alone: bool = False
    pins: tuple[tuple[int, float], ...] = ()
    given: bool = False
    voice_check: bool = False
    other_version: bool = False
    wordless: str = ""

    @property
    def track(self) -> Track:
        """The song's names and length."""
        return self.song.track

    @property
    def needs_models(self) -> bool:
        """Return whether placing would load a model."""
        lyrics = self.lyrics
        if self.recognise or self.voice_check:
            return True
        if not lyrics.words or lyrics.instrumental:
            return False
        return lyrics.timing is not Timing.WORD or self.judged

    @property
    def judged(self) -> bool:
        """Return whether word times are compared with the sound before they are believed: those of
        the internet, but not those that a person has beside the song."""
        return not self.given and self.lyrics.source not in FROM_A_PERSON

    def after(self, stages: Stages) -> Prepared:
        """Add the time that stages took."""
        return replace(self, stages=added(self.stages, stages))


@dataclass(frozen=True, slots=True)
class Placement:
    """The words of a song, where they were placed, and how far that is to be trusted.

    It travels to the service, which has no numpy: what alignment and judging know besides stays
    with the models.

    Attributes
    ----------
    lyrics : Lyrics
        With the times that were found.
    score : float
        The predicted share of word onsets within 0.3 s of the truth, 0-1.
    decision : Decision
        What may be written.
    stages : mapping
        Seconds of the stages that placing ran.
    scores : tuple of float
        Those of all words that were placed, in the order in which they were prepared.
    peaks : Peaks or None
        What the song looks like, for a page on which its words are corrected.
    models : str
        See `lyricsyncd.pipeline.identity`.
    """

    lyrics: Lyrics
    score: float
    decision: Decision
    language: str
    separator: str
    aligner: str
    reason: str
    stages: Stages = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    peaks: Peaks | None = None
    models: str = ""


@dataclass(frozen=True, slots=True)
class MoreWordsWanted:
    """The answer that none of the words fit the audio: others are to be looked for."""

    stages: Stages


@dataclass(frozen=True, slots=True)
class Recognised:
    """The transcript of a song by a recogniser.

    Attributes
    ----------
    words : tuple of Word
        With starts, ends and confidences; empty where there is no recogniser.
    sung : float or None
        Share of the song's loud moments that have a voice, where that can be measured.
    """

    words: tuple[Word, ...]
    sung: float | None = None
    stages: Stages = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VoiceChecked:
    """The result of `Prepared.voice_check`: whether there is singing in excerpts of the song."""

    sung: bool
    stages: Stages = field(default_factory=dict)


Answer = Placement | MoreWordsWanted | Recognised | VoiceChecked
"""What placing comes to."""


def unfinished(answer: object) -> bool:
    """Return whether the song of an answer is placed again with more words: what placed it keeps
    its vocals until then."""
    return isinstance(answer, (MoreWordsWanted, Recognised))


class Stopwatch:
    """Sum up the seconds that each stage takes."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block as part of a stage."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add({name: time.perf_counter() - begin})

    def add(self, stages: Stages) -> None:
        """Add what was timed elsewhere."""
        self.stages = added(self.stages, stages)


def added(some: Stages, others: Stages) -> dict[str, float]:
    """Sum up two accounts of stages, the order of the first kept."""
    total = dict(some)
    for name, seconds in others.items():
        total[name] = total.get(name, 0.0) + seconds
    return total
