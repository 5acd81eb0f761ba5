"""Takes songs from the catalog through find, place and write.

One thread finds the words that are in the house (tags and files beside the song), and one asks for
those that are not: a network that is slow or away delays no song that needs none. Others, one for
each song that the executor can have at once, wait for the models to place what was found. One song
more than that is leased at a time, and one that is looked up.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import logging
import math
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lyricsyncd.catalog.catalog import (
    Catalog,
    Entry,
    Fingerprint,
    Outcome,
    Priority,
    Rest,
    State,
)
from lyricsyncd.catalog.records import TAKEN_BACK
from lyricsyncd.errors import (
    Fault,
    JournalError,
    LyricsyncError,
    SourceError,
    WorkerLost,
    WriteError,
    errors_of,
)
from lyricsyncd.http import rate_limit
from lyricsyncd.http.response_cache import without_cache
from lyricsyncd.pipeline.result import SyncResult
from lyricsyncd.playback import cache
from lyricsyncd.processes import sandbox
from lyricsyncd.processes.executor import WorkerExecutor
from lyricsyncd.unexpected import TRANSIENT, UNEXPECTED
from lyricsyncd.work import outcomes, policy, prefetch, worker
from lyricsyncd.work.gpu import OtherGpuPrograms
from lyricsyncd.work.song_executor import executor_of, placement_of_models

if TYPE_CHECKING:
    from lyricsyncd.catalog.drafts import Draft
    from lyricsyncd.config.schema import Config
    from lyricsyncd.model import Lyrics
    from lyricsyncd.pipeline.prepared import Answer, Prepared
    from lyricsyncd.playback.peaks import Peaks
    from lyricsyncd.tags import WriteReport

log = logging.getLogger(__name__)
T = TypeVar("T")

LEASE_S = 120.0
"""How long a lease holds without a heartbeat."""
WAITS = "waiting"
"""Stage of a song whose words are found, until the models have time for it."""
_PATIENCE_S = 3.0
"""How often what could not be written is written once more."""
_AGAIN_S = 30.0
"""How often the threads look again by themselves, and wait after trouble with the catalog."""


class Runner:
    """Works through the catalog until stopped.

    Parameters
    ----------
    only : sequence of int, optional
        Take these songs only.
    finished : callable, optional
        Called with each song and what came of it, in the runner's threads.
    """

    def __init__(
        self,
        catalog: Catalog,
        config: Config,
        *,
        only: Sequence[int] | None = None,
        finished: Callable[[Entry, State], None] | None = None,
    ) -> None:
        self.catalog = catalog
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{time.time():.0f}"
        self.executor = executor_of(config)
        self._config = config
        self._only = only
        self._finished = finished
        self._stopping = threading.Event()
        self._wakes = {look_ups: threading.Event() for look_ups in (False, True)}
        self._slots = threading.Semaphore(self.executor.slots + 1)
        self._found: queue.SimpleQueue[_Found | None] = queue.SimpleQueue()
        self._held: dict[int, Entry] = {}
        self._placing: dict[int, Future[Answer]] = {}
        self._neighbours = OtherGpuPrograms()
        self._rests: dict[str, float] = {}
        self._noted_hush: str | None = None
        self._settings_error: LyricsyncError | None = None
        self._settings_again = 0.0
        self._peaks = cache.peaks_cache()
        self._threads = [
            threading.Thread(target=self._find_all, name="find", daemon=True),
            *(
                threading.Thread(target=self._place_all, name=f"place {number}", daemon=True)
                for number in range(self.executor.slots)
            ),
            # The last one: when all end, a host that does not answer is not waited for.
            threading.Thread(target=self._look_up_all, name="look up", daemon=True),
        ]

    def start(self) -> None:
        """Begin."""
        try:
            self.catalog.note_settings_error("")
            self.catalog.make_due(errors_of(Fault.SETTINGS))
            self.catalog.note_rests([])
        except LyricsyncError as error:
            log.error("%s", error)
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """The catalog changed: look whether something is due."""
        for wake in self._wakes.values():
            wake.set()

    def configure(self, config: Config) -> None:
        """Go on with other settings, from the next song on."""
        if placement_of_models(config) != placement_of_models(self._config):
            log.warning("where the models run changes when the service is started anew")
        self._config = config
        if isinstance(self.executor, WorkerExecutor):
            self.executor.keep_alive_s = config.models.keep_alive
            self.executor.limits = policy.resource_limits(config)
        # A change of the settings may mend what was wrong with them, and the network, too.
        self._note_settings_error(None)
        self.catalog.make_due(errors_of(Fault.SETTINGS))
        rate_limit.end_rests()
        self.wake()

    @property
    def alive(self) -> bool:
        """Whether the threads that do the work are there."""
        return all(thread.is_alive() for thread in self._threads)

    @property
    def settings_error(self) -> LyricsyncError | None:
        """What is wrong with the settings, so that no song is taken up until they change."""
        return self._settings_error

    @property
    def at_work(self) -> list[Entry]:
        """The songs in flight."""
        return list(self._held.values())

    def beat(self) -> None:
        """Extend the leases; give up a song that a person has taken away from us meanwhile."""
        held = list(self._held)
        if not held:
            return
        placing = dict(self._placing)
        still_ours = self.catalog.heartbeat(self.owner, LEASE_S, held)
        for id, future in placing.items():
            if id in held and id not in still_ours and self._placing.get(id) is future:
                log.info("song %d was taken back: it is given up", id)
                self.executor.abandon(future)

    def stop(self, grace_s: float) -> None:
        """Take up nothing more; finish the songs in flight, or release them after the grace."""
        deadline = time.monotonic() + grace_s
        self._stopping.set()
        self.wake()
        # Reading can begin anew at any time; what is being written is finished.
        sandbox.READER.interrupt()
        for thread in self._threads[:-1]:
            thread.join(max(0.0, deadline - time.monotonic()))
        for id, entry in list(self._held.items()):
            try:
                if self.catalog.release(id, self.owner):
                    log.info("%s: released, it will be taken up again", entry.display_path)
            except LyricsyncError as error:
                # The next start takes up what is still leased.
                log.error("%s", error)
        self.executor.shutdown(wait=False, cancel_futures=True)
        for thread in self._threads:
            thread.join(1.0)

    # The finding threads

    def _find_all(self) -> None:
        while not self._stopping.is_set():
            if not self._slots.acquire(timeout=_AGAIN_S):
                continue
            entry = self._next_or_wait(look_ups=False)
            if entry is None:
                self._slots.release()
                continue
            found = self._found_of(entry, look_up=False)
            if found is None:
                self._let_go(entry)
                self._slots.release()
                # It may need a look-up, and could not be had before it was let go.
                self._wakes[True].set()
            else:
                self._ready(found)
        for _ in range(self.executor.slots):
            self._found.put(None)

    def _look_up_all(self) -> None:
        while not self._stopping.is_set():
            entry = self._next_or_wait(look_ups=True)
            if entry is None:
                continue
            found = self._found_of(entry, look_up=True)
            # A slot is taken late: whoever waits for an answer is in nobody's way.
            while found is not None and not self._slots.acquire(timeout=1.0):
                if self._stopping.is_set():
                    found = None
            if found is None:
                self._let_go(entry)
            else:
                self._ready(found)

    def _next_or_wait(self, *, look_ups: bool) -> Entry | None:
        with UNEXPECTED.contain("taking up the next song"):
            if look_ups:
                self._note_rests()
            return self._next(look_ups=look_ups)
        self._stopping.wait(_AGAIN_S)
        return None

    def _next(self, *, look_ups: bool) -> Entry | None:
        """The next song, waited for a while."""
        wake = self._wakes[look_ups]
        wake.clear()
        try:
            rests = [rest for rest in rate_limit.rests() if rest.seconds > 0] if look_ups else []
            asked_at = self.catalog.clock()
            entry = self.catalog.claim(
                self.owner,
                LEASE_S,
                at_least=Priority.PERSON if self._rests_now() else Priority.BACKFILL,
                only=self._only,
                holding=list(self._held),
                look_ups=look_ups,
                resting=[rest.host for rest in rests],
            )
            if entry is not None:
                self._held[entry.id] = entry
                return entry
            due = self.catalog.next_due()
        except LyricsyncError as error:
            TRANSIENT.log(error)
            wake.wait(_AGAIN_S)
            return None
        # What is due and was not given to us waits for the end of a pause: nothing to hurry for.
        wait = _AGAIN_S if due is None or due <= asked_at else due - self.catalog.clock()
        wait = min([_AGAIN_S, wait, *(rest.seconds for rest in rests)])
        wake.wait(max(0.05, wait))
        return None

    def _found_of(self, entry: Entry, *, look_up: bool) -> _Found | None:
        if self._stopping.is_set():
            return None
        with UNEXPECTED.contain(entry.path):
            return self._guarded(entry, partial(self._find, entry, look_up=look_up))
        return None

    def _note_rests(self) -> None:
        """Tell of hosts that are left alone, once each, and that they are back."""
        now, rests = time.time(), rate_limit.rests()
        before, self._rests = self._rests, {rest.host: rest.until for rest in rests}
        if self._rests == before:
            return
        try:
            self.catalog.note_rests([Rest(r.host, now + r.seconds, r.why) for r in rests])
        except LyricsyncError as error:
            log.error("%s", error)
        for rest in rests:
            if rest.host not in before:
                again = time.strftime("%H:%M", time.localtime(now + rest.seconds))
                log.warning("%s; what needs it waits, next try at %s", rest.why, again)
        for host in before.keys() - self._rests.keys():
            log.info("%s answers again", host)
            self.wake()

    def _note_settings_error(self, error: LyricsyncError | None) -> None:
        """Take up no more songs, since all would fail as this one did; or go on, without an error.

        What a person asks for is still tried: that shows whether it has been mended.
        """
        before, self._settings_error = self._settings_error, error
        self._settings_again = time.monotonic() + outcomes.SETTINGS_AGAIN_S
        if str(before) == str(error):
            return
        if error is None:
            log.info("the settings are tried again")
        else:
            log.critical("no song is taken up until the settings change: %s", error)
        try:
            self.catalog.note_settings_error("" if error is None else str(error))
        except LyricsyncError as trouble:
            log.error("%s", trouble)

    def _rests_now(self) -> bool:
        """Return whether only what a person waits for is done now."""
        if self._settings_error is not None:
            if time.monotonic() < self._settings_again:
                return True
            # What was missing may have been installed meanwhile: one song shows.
            self._settings_error = None
        return self._hushed()

    def _hushed(self) -> bool:
        """Whether only what a person waits for is to be done now; why is noted."""
        hush = self._hush()
        if hush != self._noted_hush:
            self.catalog.note_hush(hush)
            self._noted_hush = hush
        return bool(hush)

    def _hush(self) -> str:
        """Why only what a person waits for is to be done now; nothing where all is."""
        daemon = self._config.daemon
        if hours := policy.rest_hours(self._config, datetime.datetime.now().time()):
            return hours
        if daemon.gpu.share == "always" or self._config.models.device == "cpu":
            return ""
        if not isinstance(self.executor, WorkerExecutor):
            # The card is another computer's.
            return ""
        pid = self.executor.pid
        if not self._neighbours.busy(() if pid is None else (pid,)):
            return ""
        if pid is not None and not self._placing:
            # The other program wants the card's memory, too.
            self.executor.end_if_idle()
        return "another program uses the graphics card"

    def _find(self, entry: Entry, *, look_up: bool) -> _Found | None:
        """Find a song's words; ``None`` if it needs no placing or has to wait."""
        config, began = self._config, time.monotonic()
        try:
            stat = entry.path.stat()
        except FileNotFoundError:
            log.info("%s is not there any more", entry.display_path)
            self._patiently(lambda: self.catalog.gone(entry.id, self.owner))
            return None
        looks, now = Fingerprint.from_stat(stat), self.catalog.clock()
        age = now - max(stat.st_mtime, stat.st_ctime)
        if looks != entry.fingerprint or 0 <= age < config.daemon.settle:
            self._patiently(
                lambda: self.catalog.postpone(
                    entry.id, self.owner, now + config.daemon.settle, looks
                )
            )
            return None
        if self._taken_back(entry):
            self._finish(entry, Outcome(State.IGNORED, TAKEN_BACK), began)
            return None
        policy.check_writable(entry.path, config)

        from lyricsyncd.pipeline.finder import Finder
        from lyricsyncd.pipeline.result import without_models

        finder = Finder(config)
        # Whoever asks for one song by hand wants to know how things are now.
        by_hand = entry.priority >= Priority.PERSON
        if by_hand and look_up:
            rate_limit.end_rests(self.catalog.clock() - entry.enqueued_at)
        with without_cache() if by_hand and look_up else contextlib.nullcontext():
            find = finder.find if look_up else finder.find_offline
            prepared = find(entry.path)
        if prepared is None:
            self._patiently(lambda: self.catalog.needs_look_up(entry.id, self.owner))
            return None
        track = prepared.track
        self._patiently(lambda: self.catalog.found(entry.id, self.owner, track))
        if not prepared.needs_models:
            self._write(entry, without_models(prepared), config, began)
            return None
        return _Found(entry, prepared, config, began)

    def _ready(self, found: _Found) -> None:
        """Hand a song on. While the models are at work on the one before, its file is read."""
        entry, length = found.entry, found.prepared.track.duration
        with UNEXPECTED.contain(entry.path):
            self._progress(entry, WAITS, 0.0)
            policy.read_in_advance(entry.path)
            if (
                self._placing
                and policy.decodes_in_advance(found.config)
                and (length or math.inf) <= prefetch.LONGEST_S
            ):
                self.executor.call_out_of_band(worker.prefetch, entry.path)
        self._found.put(found)

    def _taken_back(self, entry: Entry) -> bool:
        """Whether a person undid what we wrote, and has not asked for it again."""
        if entry.priority >= Priority.PERSON:
            return False
        from lyricsyncd.tags import Journal

        return Journal().undone(entry.path)

    # The placing thread

    def _place_all(self) -> None:
        while (found := self._found.get()) is not None:
            entry = found.entry
            if not self._stopping.is_set():
                with UNEXPECTED.contain(entry.path):
                    self._guarded(entry, partial(self._place, found))
            self._placing.pop(entry.id, None)
            self._let_go(entry)
            self._slots.release()

    def _place(self, found: _Found) -> None:
        from lyricsyncd.pipeline.finder import Finder
        from lyricsyncd.pipeline.pipeline import placed
        from lyricsyncd.pipeline.settings import placing_settings

        entry = found.entry
        same = self._same_recording(found)
        if same is not None:
            self._write(entry, same, found.config, found.began)
            return
        settings, note = policy.reduced(placing_settings(found.config), entry.crashes)

        def place(prepared: Prepared) -> Answer:
            future = self.executor.submit_within(
                policy.time_limit(prepared.track.duration),
                partial(self._progress, entry),
                worker.place,
                settings,
                prepared,
            )
            self._placing[entry.id] = future
            return future.result()

        result = placed(found.prepared, Finder(found.config), place)
        if note:
            result = dataclasses.replace(result, warnings=(*result.warnings, note))
        self._write(entry, result, found.config, found.began)

    def _same_recording(self, found: _Found) -> SyncResult | None:
        """The result of a song that has the recording and the words of one that was placed before;
        ``None`` where there is none, or a person wants this one placed."""
        entry, prepared = found.entry, found.prepared
        track, words = prepared.track, len(prepared.lyrics.words)
        here = isinstance(self.executor, WorkerExecutor)
        if not here or prepared.recognise or not track.duration:
            return None
        if entry.priority >= Priority.PERSON or entry.crashes:
            return None
        from lyricsyncd.work import same_recording

        own = ""
        for first in self.catalog.placed_like(entry.id, track.duration, words):
            placed = same_recording.placed_before(first, prepared.lyrics)
            if placed is None:
                continue
            try:
                own = own or self._digest(entry.path, track.duration)
                if self._digest(first.path, track.duration) == own:
                    for kind in cache.PEAKS:
                        self._peaks.copy(
                            f"{first.fingerprint.key}.{kind}", f"{entry.fingerprint.key}.{kind}"
                        )
                    return same_recording.reused(prepared, first, placed)
            except LyricsyncError as error:
                # Its words can be placed all the same.
                log.debug("%s", error)
        return None

    def _digest(self, song: Path, duration: float) -> str:
        within = policy.time_limit(duration)
        return self.executor.submit_within(within, None, worker.packets_digest, song).result()

    # All of them

    def _progress(self, entry: Entry, stage: str, share: float) -> None:
        try:
            self.catalog.progress(entry.id, self.owner, stage, share)
        except LyricsyncError as error:
            log.debug("%s", error)

    def _write(self, entry: Entry, result: SyncResult, config: Config, began: float) -> None:
        try:
            looks = Fingerprint.of(entry.path)
        except FileNotFoundError:
            self._patiently(lambda: self.catalog.gone(entry.id, self.owner))
            return
        if looks != entry.fingerprint:
            log.info("%s changed meanwhile: it is done anew", entry.display_path)
            due = self.catalog.clock() + config.daemon.settle
            self._patiently(lambda: self.catalog.postpone(entry.id, self.owner, due, looks))
            return
        if not self._patiently(lambda: self.catalog.progress(entry.id, self.owner, "write", 0.0)):
            log.info("%s was taken back: nothing is written", entry.display_path)
            return
        report: WriteReport | None = None
        if result.to_write is not None:
            report = self._written(entry.path, result.to_write, config)
            looks = Fingerprint.of(entry.path)
            cache.file_changed(entry.fingerprint.key, looks.key)
        self._keep_peaks(result.peaks, looks)
        outcome, draft = outcomes.of_result(result, report), outcomes.draft_of(result)
        self._finish(entry, outcome, began, looks, draft)

    def _keep_peaks(self, peaks: Peaks | None, looks: Fingerprint) -> None:
        """Keep the peaks of a song, which can be made again: trouble with them costs nothing."""
        if peaks is None:
            return
        try:
            self._peaks.put(f"{looks.key}.vocals", peaks.vocals)
            self._peaks.put(f"{looks.key}.mix", peaks.mix)
        except OSError as error:
            log.debug("the peaks of a song are not kept: %s", error)

    def _written(self, song: Path, lyrics: Lyrics, config: Config) -> WriteReport:
        from lyricsyncd.tags import Journal, write_sandboxed

        # What was written before the journal could not be is found as it is the next time.
        return self._patiently(
            lambda: write_sandboxed(song, lyrics, config.output, journal=Journal()), JournalError
        )

    def _finish(
        self,
        entry: Entry,
        outcome: Outcome,
        began: float,
        looks: Fingerprint | None = None,
        draft: Draft | None = None,
    ) -> None:
        if not self._patiently(
            lambda: self.catalog.finish(entry.id, self.owner, outcome, looks, draft)
        ):
            return
        # What only a person can mend, and what is merely tried again.
        bad = outcome.state is State.FAILED or outcome.error_class in (
            WriteError.__name__,
            JournalError.__name__,
        )
        level = logging.WARNING if bad else logging.INFO
        if outcome.waits_for is not None:
            # Of the host that it waits for it is told once.
            level = logging.DEBUG
        seconds = time.monotonic() - began
        log.log(
            level,
            "%s",
            outcomes.log_line(entry, outcome, seconds),
            extra={"song": outcomes.as_fields(entry, outcome, seconds)},
        )
        if self._finished is not None:
            self._finished(entry, outcome.state)

    def _guarded(self, entry: Entry, step: Callable[[], _Found | None]) -> _Found | None:
        """Take one step with a song; whatever goes wrong ends up in the catalog."""
        began = time.monotonic()
        try:
            return step()
        except WorkerLost as error:
            self._crashed(entry, error)
        except (LyricsyncError, OSError) as error:
            if isinstance(error, LyricsyncError) and error.fault is Fault.SETTINGS:
                self._note_settings_error(error)
            outcome = outcomes.of_error(error)
            host = error.host if isinstance(error, SourceError) else None
            if outcome.state is State.PENDING and rate_limit.resting(host):
                # It is taken up as soon as its host is asked again.
                outcome = dataclasses.replace(outcome, retry=(0.0,), waits_for=host)
            self._record(entry, outcome, began)
        except Exception as error:  # noqa: BLE001 - it costs this song, see `unexpected`
            UNEXPECTED.record(error, entry.path)
            self._crashed(entry, error)
        return None

    def _crashed(self, entry: Entry, error: Exception) -> None:
        if self._stopping.is_set():
            return
        told = error if isinstance(error, LyricsyncError) else LyricsyncError(repr(error))
        try:
            state = self._patiently(lambda: self.catalog.crashed(entry.id, self.owner, told))
        except LyricsyncError as trouble:
            log.error("%s", trouble)
            return
        if state not in (State.PENDING, State.FAILED):
            return
        after = "set aside" if state is State.FAILED else "it is tried again later"
        log.warning("%s: %s; %s", entry.display_path, told, after)
        if state is State.FAILED and self._finished is not None:
            self._finished(entry, state)

    def _record(self, entry: Entry, outcome: Outcome, began: float) -> None:
        try:
            self._finish(entry, outcome, began)
        except LyricsyncError as error:
            # The lease runs out by itself, and the song is taken up again.
            log.log(logging.DEBUG if self._stopping.is_set() else logging.ERROR, "%s", error)
            self._stopping.wait(_AGAIN_S)

    def _let_go(self, entry: Entry) -> None:
        if self._stopping.is_set():
            # Whatever is still leased was not brought to an end.
            try:
                self.catalog.release(entry.id, self.owner)
            except LyricsyncError as error:
                log.debug("%s", error)
        self._held.pop(entry.id, None)
        # A song that has to be done alone may have waited for this one.
        self.wake()

    def _patiently(self, write: Callable[[], T], trouble: type[WriteError] = WriteError) -> T:
        """Write what must not be lost, as soon as the state folder can be written.

        Nothing else could be done meanwhile: no song is taken up without the catalog, and none
        written without the journal.
        """
        while True:
            try:
                return write()
            except trouble as error:
                if not error.transient or self._stopping.is_set():
                    raise
                TRANSIENT.log(error)
                self._stopping.wait(_PATIENCE_S)


@dataclass(frozen=True, slots=True)
class _Found:
    """A song whose words are waiting to be placed."""

    entry: Entry
    prepared: Prepared
    config: Config
    began: float
