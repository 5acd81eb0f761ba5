"""Respect what a person chose for a song: its words, its language, words that are not its."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.catalog.drafts import Choices, words_key
from lyricsyncd.errors import LyricsNotFound
from lyricsyncd.model import Decision, Lyrics

if TYPE_CHECKING:
    from lyricsyncd.pipeline.finder import Finder
    from lyricsyncd.pipeline.prepared import Prepared
    from lyricsyncd.pipeline.result import SyncResult


_BESIDE = ("sidecar", "tag")
"""Sources of words whose times a person, or an earlier run, has shifted already."""


def find_chosen(
    finder: Finder, path: Path, choices: Choices, *, look_up: bool, **names: str | None
) -> Prepared | None:
    """Find a song's words as `Finder.find`, or without the network as `Finder.find_offline`.

    Parameters
    ----------
    names
        Artist, title and album that go over those of the tags, where the network may be used.

    Raises
    ------
    LyricsNotFound
        A person rejected all words that there are.
    LyricsyncError
        As the finder.
    """
    lyrics = choices.lyrics
    if choices.instrumental:
        lyrics = Lyrics(instrumental=True, source="a person")
    if lyrics is not None:
        found = finder.find(path, lyrics=lyrics, language=choices.language, **names)
        # Words of a person's choice are not doubted: no other source is asked.
        return dataclasses.replace(found, all_found=True, pins=choices.pins)
    prepared = finder.find(path, **names) if look_up else finder.find_offline(path)
    if prepared is None:
        return None
    if choices.language is not None:
        prepared = dataclasses.replace(prepared, language=choices.language)
    return _without_rejected(finder, prepared, choices, look_up=look_up)


def with_offset(result: SyncResult, choices: Choices) -> SyncResult:
    """Shift a result by the seconds that a person chose for the song.

    Words that a person pinned, and those that lie beside the song with times, are where they should
    be.
    """
    own = result.aligner == "source" and result.lyrics.source in _BESIDE
    if not choices.offset or choices.pins or own:
        return result
    lyrics = result.lyrics.shifted(choices.offset)
    return dataclasses.replace(result, lyrics=lyrics, offset=choices.offset)


def for_review(result: SyncResult) -> SyncResult:
    """Keep a result from being written, for a person who wants to see it first."""
    if not result.may_write:
        return result
    reason = f"Placed as a person wished, to be looked at. {result.reason}"
    return dataclasses.replace(result, decision=Decision.REVIEW, reason=reason)


def _without_rejected(
    finder: Finder, prepared: Prepared, choices: Choices, *, look_up: bool
) -> Prepared | None:
    if not choices.rejected or prepared.recognise:
        return prepared
    left = _left(prepared, choices)
    if left is None and not look_up:
        return None
    if left is None and not prepared.all_found:
        left = _left(finder.more_words(prepared, {}), choices)
    if left is None:
        raise LyricsNotFound(
            f"No lyrics for {prepared.track.name}: a person rejected those that there are",
            remedy="Choose others: lyricsyncd set SONG --lyrics FILE",
        )
    return left


def _left(prepared: Prepared, choices: Choices) -> Prepared | None:
    """Leave out the words that a person rejected; ``None`` where there are no others."""
    left = [
        lyrics
        for lyrics in (prepared.lyrics, *prepared.others)
        if not {words_key(lyrics), words_key(lyrics.without_repeats(lyrics.repeats))}
        & choices.rejected
    ]
    if not left:
        return None
    return dataclasses.replace(prepared, lyrics=left[0], others=tuple(left[1:]))
