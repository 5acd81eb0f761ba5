"""The order of the stages of one song, and the only place that knows it.

Finding (`finder`) is light and knows network and settings; placing (`placer`) is heavy and pure.
They meet here: what placing wants beside the words it was given is found, until it is done.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.config.reader import load
from lyricsyncd.model import WRITTEN, Decision, Lyrics
from lyricsyncd.pipeline.finder import Finder
from lyricsyncd.pipeline.placer import Placer, Progress
from lyricsyncd.pipeline.prepared import Answer, MoreWordsWanted, Placement, Prepared, VoiceChecked
from lyricsyncd.pipeline.result import SyncResult, of_placement, without_models
from lyricsyncd.pipeline.settings import placing_settings

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.pipeline.model_set import ModelSet
    from lyricsyncd.separate import Reader


class LyricSyncPipeline:
    """Place the words of songs on their audio; keep the models warm between songs.

    Parameters
    ----------
    acoustid_key : str, optional
        For songs whose tags do not name them.
    device : str
        ``auto``, ``cpu`` or ``cuda[:N]``.
    config : Config, optional
        Settings; where omitted, those that the commands use: the user's file and the environment
        (`lyricsyncd.config.reader.load`). ``Config()`` has the defaults.
    profile : str, optional
        ``auto``, ``lite`` or ``full``, over the config's.
    read : callable, optional
        Reads songs in place of `lyricsyncd.audio.blocks`: from a store, or decoded in advance.

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
        settings = placing_settings(self.config, device, profile)
        self.device, self.profile = settings.models.device, settings.models.profile
        self.placer = Placer(settings, read)
        self.finder = Finder(self.config, acoustid_key, settings.models)

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
            The words, where they are known: a file, or the text itself. Found otherwise.
        language : str, optional
            ISO 639-1; detected from the words otherwise.

        Raises
        ------
        AudioError
            The file cannot be decoded.
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
        """Identify a song and find its words; see `Finder.find`."""
        return self.finder.find(
            path, artist=artist, title=title, album=album, lyrics=lyrics, language=language
        )

    def place(self, prepared: Prepared, *, progress: Progress | None = None) -> SyncResult:
        """Place words that were found. Runs the models; see `sync` for what is raised."""
        return placed(
            prepared, self.finder, lambda song: self.placer.place(song, progress=progress)
        )

    @property
    def models(self) -> ModelSet:
        """The models, each opened when it is first needed and kept for the next song."""
        return self.placer.models


def placed(prepared: Prepared, finder: Finder, place: Callable[[Prepared], Answer]) -> SyncResult:
    """Place the words of a song, and find what placing wants beside them.

    Parameters
    ----------
    place : callable
        `Placer.place`, in this process or another.

    Raises
    ------
    LyricsyncError
        As `Finder` and `Placer` do.
    """
    while prepared.needs_models:
        answer = place(prepared)
        if isinstance(answer, Placement):
            if prepared.other_version and answer.decision is Decision.NONE:
                prepared = finder.without_words(prepared.after(answer.stages))
                continue
            result = of_placement(prepared, answer)
            return _of_transcript(result, prepared, finder) if prepared.transcript_alone else result
        if isinstance(answer, MoreWordsWanted):
            prepared = finder.more_words(prepared, answer.stages)
        elif isinstance(answer, VoiceChecked):
            prepared = finder.of_instrumental(prepared, answer)
        else:
            prepared = finder.from_recognised(prepared, answer)
    return without_models(prepared)


def _of_transcript(result: SyncResult, prepared: Prepared, finder: Finder) -> SyncResult:
    """Judge words that are a transcript: as good as they were recognised, and written only where
    the user wants transcripts written."""
    from lyricsyncd.lyrics.transcript import sureness

    score = min(result.quality_score or 1.0, sureness(prepared.transcript or ()))
    if finder.config.lyrics.transcript.write and result.decision in WRITTEN:
        reason = f"Written as recognised, with errors. {result.reason}"
        return dataclasses.replace(result, quality_score=score, reason=reason)
    reason = "No source has the words; what was recognised of them is left for review"
    return dataclasses.replace(result, quality_score=score, decision=Decision.REVIEW, reason=reason)
