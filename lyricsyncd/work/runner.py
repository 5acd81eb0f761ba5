"""Take songs from the catalog, and have them found, placed and written, in threads of its own.

One thread finds the words that are on this computer (tags and files beside the song), and one looks
up those that are not: a network that is slow or unreachable delays no song that needs none. Other
threads, one for each song that the executor can have at once, wait for the models to place what was
found. One song more than that is leased at a time, and one that is looked up.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import Catalog, Entry, Priority, State
from lyricsyncd.errors import Fault, LyricsyncError, WorkerLost, errors_of
from lyricsyncd.http import rate_limit
from lyricsyncd.library import overrides
from lyricsyncd.processes import sandbox
from lyricsyncd.unexpected import TRANSIENT, UNEXPECTED
from lyricsyncd.work import policy, prefetch, steps, worker
from lyricsyncd.work.holds import Holds
from lyricsyncd.work.placing_queue import PlacingQueue
from lyricsyncd.work.recorder import Recorder
from lyricsyncd.work.song_executor import executor_of, placement_of_models
from lyricsyncd.work.steps import Found

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.pipeline.prepared import Answer

log = logging.getLogger(__name__)

LEASE_S = 120.0
"""How long a lease lasts without a heartbeat."""
WAITS = "waiting"
"""Stage of a song whose words are found, until the models have time for it."""
_POLL_S = 30.0
"""Interval at which the threads check the catalog unwoken, and wait after trouble with it."""


class Runner:
    """Work through the catalog until stopped.

    Parameters
    ----------
    only : sequence of int, optional
        Take these songs only.
    finished : callable, optional
        Called with each song and its state at the end, in the runner's threads.
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
        self._stopping = threading.Event()
        self._wakes = {look_ups: threading.Event() for look_ups in (False, True)}
        self._slots = threading.Semaphore(self.executor.slots + 1)
        self._found: PlacingQueue[Found] = PlacingQueue(self._waits_for)
        self._held: dict[int, Entry] = {}
        self._placing: dict[int, Future[Answer]] = {}
        self._holds = Holds(catalog, self.executor, lambda: bool(self._placing))
        self._recorder = Recorder(catalog, self.owner, self._stopping, finished)
        self._threads = [
            threading.Thread(target=self._find_all, name="find", daemon=True),
            *(
                threading.Thread(target=self._place_all, name=f"place {number}", daemon=True)
                for number in range(self.executor.slots)
            ),
            # The last one: at the end, a host that does not answer is not waited for.
            threading.Thread(target=self._look_up_all, name="look up", daemon=True),
        ]

    def start(self) -> None:
        """Start the threads."""
        try:
            self.catalog.note_settings_error("")
            self.catalog.make_due(errors_of(Fault.SETTINGS))
            self.catalog.note_rests([])
            overrides.apply(self.catalog, self._config)
        except LyricsyncError as error:
            log.error("%s", error)
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Check at once what is due, since the catalog changed."""
        for wake in self._wakes.values():
            wake.set()

    def configure(self, config: Config) -> None:
        """Use other settings, from the next song on."""
        if placement_of_models(config) != placement_of_models(self._config):
            log.warning("a change of where the models run applies once the service is restarted")
        self._config = config
        self.executor.configure(config.models.keep_alive, policy.resource_limits(config))
        # A change of the settings may remedy what was wrong with them, and with the network, too.
        self._holds.note_settings_error(None)
        self.catalog.make_due(errors_of(Fault.SETTINGS))
        rate_limit.end_rests()
        overrides.apply(self.catalog, config)
        # What is skipped from now on is given up, even in work.
        self.beat()
        self.wake()

    @property
    def alive(self) -> bool:
        """Return whether all threads run."""
        return all(thread.is_alive() for thread in self._threads)

    @property
    def settings_error(self) -> LyricsyncError | None:
        """Return what is wrong with the settings, so that no song is taken up until they change."""
        return self._holds.settings_error

    @property
    def at_work(self) -> list[Entry]:
        """List the songs in flight."""
        return list(self._held.values())

    def beat(self) -> None:
        """Extend the leases; give up songs that a person has taken back meanwhile."""
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
        # A read can be repeated at any time; what is being written is finished.
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
            if not self._slots.acquire(timeout=_POLL_S):
                continue
            entry = self._next_or_wait(look_ups=False)
            if entry is None:
                self._slots.release()
                continue
            found = self._find(entry, look_up=False)
            if found is None:
                self._let_go(entry)
                self._slots.release()
                # It may need a look-up, and could not be claimed before it was let go.
                self._wakes[True].set()
            else:
                self._ready(found)
        self._found.close()

    def _look_up_all(self) -> None:
        while not self._stopping.is_set():
            entry = self._next_or_wait(look_ups=True)
            if entry is None:
                continue
            found = self._find(entry, look_up=True)
            # The slot is taken late, so that a wait for an answer blocks no other song.
            while found is not None and not self._slots.acquire(timeout=1.0):
                if self._stopping.is_set():
                    found = None
            if found is None:
                self._let_go(entry)
            else:
                self._ready(found)

    def _next_or_wait(self, *, look_ups: bool) -> Entry | None:
        with UNEXPECTED.contain("taking up the next song"):
            if look_ups and self._holds.note_hosts():
                self.wake()
            return self._next(look_ups=look_ups)
        self._stopping.wait(_POLL_S)
        return None

    def _next(self, *, look_ups: bool) -> Entry | None:
        """Claim the next song; without one, wait for a while."""
        wake = self._wakes[look_ups]
        wake.clear()
        try:
            rests = [rest for rest in rate_limit.rests() if rest.seconds > 0] if look_ups else []
            claimed_at = self.catalog.clock()
            only_urgent = self._holds.only_urgent(self._config)
            entry = self.catalog.claim(
                self.owner,
                LEASE_S,
                at_least=Priority.PERSON if only_urgent else Priority.IMPROVE,
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
            wake.wait(_POLL_S)
            return None
        # A song that is due and was not claimed is held back: there is nothing to hurry for.
        wait = _POLL_S if due is None or due <= claimed_at else due - self.catalog.clock()
        wait = min([_POLL_S, wait, *(rest.seconds for rest in rests)])
        wake.wait(max(0.05, wait))
        return None

    def _find(self, entry: Entry, *, look_up: bool) -> Found | None:
        if self._stopping.is_set():
            return None
        config, recorder = self._config, self._recorder
        step = partial(steps.find, entry, config, self.catalog, recorder, look_up=look_up)
        with UNEXPECTED.contain(entry.path):
            return self._guarded(entry, step)
        return None

    def _ready(self, found: Found) -> None:
        """Queue a song for placing. While the models place another one, its file is read."""
        entry, length = found.entry, found.prepared.track.duration
        with UNEXPECTED.contain(entry.path):
            self._recorder.progress(entry, WAITS, 0.0)
            policy.read_in_advance(entry.path)
            if (
                self._placing
                and policy.decodes_in_advance(found.config)
                and (length or math.inf) <= prefetch.LONGEST_S
            ):
                self.executor.call_out_of_band(worker.prefetch, entry.path)
        self._found.put(found)

    # The placing threads

    def _place_all(self) -> None:
        while (found := self._found.take()) is not None:
            entry = found.entry
            if not self._stopping.is_set():
                with UNEXPECTED.contain(entry.path):
                    self._guarded(entry, partial(self._place, found))
            self._placing.pop(entry.id, None)
            self._let_go(entry)
            self._found.done(found)
            self._slots.release()

    def _waits_for(self, found: Found, other: Found) -> bool:
        """Return whether a song has to wait for another, whose result may be its own, too."""
        return steps.may_reuse(found, self.executor) and steps.may_be_same(found, other)

    def _place(self, found: Found) -> None:
        submitted = partial(self._placing.__setitem__, found.entry.id)
        steps.place(found, self.catalog, self.executor, self._recorder, submitted)

    # All of them

    def _guarded(self, entry: Entry, step: Callable[[], Found | None]) -> Found | None:
        """Take one step with a song; any error of it is recorded in the catalog."""
        began = time.monotonic()
        try:
            return step()
        except WorkerLost as error:
            self._recorder.crashed(entry, error)
        except (LyricsyncError, OSError) as error:
            if self._recorder.failed_by_a_change(entry, self._config.daemon.settle):
                return None
            if isinstance(error, LyricsyncError) and error.fault is Fault.SETTINGS:
                self._holds.note_settings_error(error)
            if not self._recorder.failed(entry, error, began):
                self._stopping.wait(_POLL_S)
        except Exception as error:  # noqa: BLE001 - it costs this song, see `unexpected`
            UNEXPECTED.record(error, entry.path)
            self._recorder.crashed(entry, error)
        return None

    def _let_go(self, entry: Entry) -> None:
        if self._stopping.is_set():
            # What is still leased was not brought to an end.
            try:
                self.catalog.release(entry.id, self.owner)
            except LyricsyncError as error:
                log.debug("%s", error)
        self._held.pop(entry.id, None)
        # A song that has to be done alone may have waited for this one.
        self.wake()
