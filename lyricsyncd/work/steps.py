"""Take a song through its steps: find its words, place them, and have the result written."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyricsyncd.catalog.catalog import Catalog, Entry, Fingerprint, Outcome, Priority, State
from lyricsyncd.catalog.queries import SAME_LENGTH_S
from lyricsyncd.catalog.records import BY_HAND, TAKEN_BACK
from lyricsyncd.errors import LyricsyncError
from lyricsyncd.http import rate_limit
from lyricsyncd.http.response_cache import without_cache
from lyricsyncd.library import overrides
from lyricsyncd.library.rules import Overridden
from lyricsyncd.work import improvement, karaoke, policy, worker
from lyricsyncd.work.chosen import find_chosen
from lyricsyncd.work.worker_pool import WorkerPool

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.pipeline.prepared import Answer, Prepared
    from lyricsyncd.pipeline.result import SyncResult
    from lyricsyncd.work.recorder import Recorder
    from lyricsyncd.work.song_executor import SongExecutor

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A song whose words were found, and are to be placed."""

    entry: Entry
    prepared: Prepared
    config: Config
    began: float
    """When the song was taken up, by the monotonic clock, in seconds."""
    beside: Sequence[object]
    """State of the files of words beside it before they were read."""
    overridden: Overridden
    """What the configuration sets for this song."""


def find(
    entry: Entry, config: Config, catalog: Catalog, recorder: Recorder, *, look_up: bool
) -> Found | None:
    """Find a song's words; ``None`` if it needs no placing or has to wait, which is recorded.

    Parameters
    ----------
    look_up
        Use the network; otherwise only what is on this computer.
    """
    began = time.monotonic()
    try:
        stat = entry.path.stat()
    except FileNotFoundError:
        log.info("%s is not there any more", entry.display_path)
        recorder.gone(entry)
        return None
    stamp, age = Fingerprint.from_stat(stat), catalog.clock() - max(stat.st_mtime, stat.st_ctime)
    if stamp != entry.fingerprint or 0 <= age < config.daemon.settle:
        recorder.postpone(entry, config.daemon.settle, stamp)
        return None
    by_hand = entry.priority >= Priority.PERSON
    settings = overrides.of_song(entry.path, entry.library, config, by_hand=by_hand)
    if settings.skipped_by and not entry.requested:
        if entry.quietly:
            recorder.keep(entry)
            return None
        reason = overrides.skip_reason(settings)
        recorder.finish(entry, Outcome(State.IGNORED, reason), began)
        return None
    config = overrides.with_language(config, settings)
    if entry.quietly and improvement.removed_by_person(entry):
        recorder.keep(entry, BY_HAND)
        return None
    if _taken_back(entry):
        recorder.finish(entry, Outcome(State.IGNORED, TAKEN_BACK), began)
        return None
    policy.check_writable(entry.path, config)

    from lyricsyncd.lyrics.local import words_beside
    from lyricsyncd.pipeline.finder import Finder
    from lyricsyncd.pipeline.result import without_models

    # Before they are read: what changes from then on is noticed.
    beside = words_beside(entry.path)
    finder = Finder(config)
    # A person who requests one song wants present answers, not cached ones.
    if by_hand and look_up:
        rate_limit.end_rests(catalog.clock() - entry.enqueued_at)
    choices = catalog.choices(entry.id)
    with without_cache() if by_hand and look_up else contextlib.nullcontext():
        prepared = find_chosen(finder, entry.path, choices, look_up=look_up)
    if prepared is None:
        recorder.needs_look_up(entry)
        return None
    recorder.found(entry, prepared.track)
    found = Found(entry, prepared, config, began, beside, settings)
    if not prepared.needs_models:
        recorder.write(found, without_models(prepared))
        return None
    return found


def place(
    found: Found,
    catalog: Catalog,
    executor: SongExecutor,
    recorder: Recorder,
    submitted: Callable[[Future[Any]], None],
) -> None:
    """Place a song's words in the executor, and write the result.

    Parameters
    ----------
    submitted
        Called with the future of each call of the models, so that it can be abandoned.
    """
    from lyricsyncd.pipeline.finder import Finder
    from lyricsyncd.pipeline.pipeline import placed
    from lyricsyncd.pipeline.settings import placing_settings

    entry = found.entry
    if recorder.superseded(found) or not recorder.holds(entry):
        return

    def write_stems() -> None:
        progress = partial(recorder.progress, entry)
        duration = found.prepared.track.duration
        karaoke.write_stems(entry.path, found.config, duration, executor, submitted, progress)

    same = _same_recording(found, catalog, executor, recorder)
    if same is not None:
        recorder.write(found, same, write_stems)
        return
    settings, note = policy.reduced(placing_settings(found.config), entry.crashes)

    def run(prepared: Prepared) -> Answer:
        future = executor.submit_within(
            policy.time_limit(prepared.track.duration),
            partial(recorder.progress, entry),
            worker.place,
            settings,
            prepared,
        )
        submitted(future)
        return future.result()

    result = placed(found.prepared, Finder(found.config), run)
    recorder.note_models(result.models)
    if note:
        result = dataclasses.replace(result, warnings=(*result.warnings, note))
    recorder.write(found, result, write_stems)


def _taken_back(entry: Entry) -> bool:
    """Return whether a person undid what we wrote, and has not requested it again."""
    if entry.priority >= Priority.PERSON:
        return False
    from lyricsyncd.tags import Journal

    return Journal().undone(entry.path)


def may_reuse(found: Found, executor: SongExecutor) -> bool:
    """Return whether a song may take the result of another one with the same recording."""
    entry, prepared = found.entry, found.prepared
    if not isinstance(executor, WorkerPool) or prepared.recognise or not prepared.track.duration:
        return False
    # What a person wants placed is placed.
    return not (
        entry.priority >= Priority.PERSON or entry.crashes or entry.quietly or prepared.pins
    )


def may_be_same(found: Found, other: Found) -> bool:
    """Return whether two songs may be the same recording: without reading them, as the catalog
    lists those that are done."""
    lengths = found.prepared.track.duration, other.prepared.track.duration
    if None in lengths or found.overridden.key != other.overridden.key:
        return False
    words = [len(each.prepared.lyrics.words) for each in (found, other)]
    return words[0] == words[1] and abs((lengths[0] or 0.0) - (lengths[1] or 0.0)) <= SAME_LENGTH_S


def _same_recording(
    found: Found, catalog: Catalog, executor: SongExecutor, recorder: Recorder
) -> SyncResult | None:
    """Reuse the result of a song with the same recording and words that was placed before;
    ``None`` where there is none, or a person wants this one placed."""
    entry, prepared = found.entry, found.prepared
    track, words = prepared.track, len(prepared.lyrics.words)
    if not may_reuse(found, executor) or not track.duration:
        return None
    from lyricsyncd.work import same_recording

    own = ""
    for first in catalog.placed_like(entry.id, track.duration, words):
        if not found.overridden.agrees(first.overrides, first.language):
            continue
        placed = same_recording.placed_before(first, prepared.lyrics)
        if placed is None:
            continue
        try:
            own = own or _digest(executor, entry.path, track.duration)
            if _digest(executor, first.path, track.duration) == own:
                recorder.reuse_peaks(first.fingerprint, entry.fingerprint)
                return same_recording.reused(prepared, first, placed)
        except LyricsyncError as error:
            # The words can be placed all the same.
            log.debug("%s", error)
    return None


def _digest(executor: SongExecutor, song: Path, duration: float) -> str:
    within = policy.time_limit(duration)
    return executor.submit_within(within, None, worker.packets_digest, song).result()
