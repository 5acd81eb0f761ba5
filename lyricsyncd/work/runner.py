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
    RETRY_LYRICS,
    RETRY_SOON,
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
    JournalError,
    LyricsNotFound,
    LyricsyncError,
    ModelError,
    NotASong,
    SourceError,
    WorkerLost,
    WriteError,
)
from lyricsyncd.http import pace
from lyricsyncd.http.answers import asking_anew
from lyricsyncd.model import Decision
from lyricsyncd.pipeline.result import SyncResult
from lyricsyncd.unexpected import TRANSIENT, UNEXPECTED
from lyricsyncd.work import memory, prefetch, sandbox, schedule, worker
from lyricsyncd.work.executor import ResourceLimits, SongExecutor, WorkerExecutor
from lyricsyncd.work.gpu import OtherGpuPrograms

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.model import Lyrics
    from lyricsyncd.pipeline.prepared import Answer, Prepared
    from lyricsyncd.pipeline.settings import PlacingSettings
    from lyricsyncd.tags import WriteReport

log = logging.getLogger(__name__)
T = TypeVar("T")

LEASE_S = 120.0
"""How long a lease holds without a heartbeat."""
LIMIT_FLOOR_S = 900.0
LIMIT_PER_SECOND = 20.0
"""A song may keep the models busy for this many times its length, and at least for the floor:
generous even on the smallest computer, and still an end to what hangs."""
LIMIT_UNKNOWN_S = 3600.0
AHEAD_BYTES = 2 * 1024**3
"""Memory for the models from which on the next song is decoded ahead by itself."""
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
        self.executor = opened(config)
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
        if where(config) != where(self._config):
            log.warning("where the models run changes when the service is started anew")
        self._config = config
        if isinstance(self.executor, WorkerExecutor):
            self.executor.keep_alive_s = config.models.keep_alive
            self.executor.manners = manners(config)
        # Whoever changes the settings may have mended the network, too.
        pace.end_rests()
        self.wake()

    @property
    def alive(self) -> bool:
        """Whether the threads that do the work are there."""
        return all(thread.is_alive() for thread in self._threads)

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
            rests = [rest for rest in pace.rests() if rest.seconds > 0] if look_ups else []
            asked_at = self.catalog.clock()
            entry = self.catalog.claim(
                self.owner,
                LEASE_S,
                at_least=Priority.PERSON if self._hushed() else Priority.BACKFILL,
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
        now, rests = time.time(), pace.rests()
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
        if schedule.resting(
            daemon.quiet_hours, daemon.active_hours, datetime.datetime.now().time()
        ):
            if daemon.quiet_hours is not None:
                return f"quiet hours, {daemon.quiet_hours}"
            return f"outside the active hours, {daemon.active_hours}"
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
            self.executor.rest()
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
        _check_writable(entry.path, config)

        from lyricsyncd.pipeline.finder import Finder
        from lyricsyncd.pipeline.result import without_models

        finder = Finder(config)
        # Whoever asks for one song by hand wants to know how things are now.
        by_hand = entry.priority >= Priority.PERSON
        if by_hand and look_up:
            pace.end_rests(self.catalog.clock() - entry.enqueued_at)
        with asking_anew() if by_hand and look_up else contextlib.nullcontext():
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
            read_ahead(entry.path)
            if (
                self._placing
                and decodes_ahead(found.config)
                and (length or math.inf) <= prefetch.LONGEST_S
            ):
                self.executor.meanwhile(worker.expect, entry.path)
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
        settings, note = eased(placing_settings(found.config), entry.crashes)

        def place(prepared: Prepared) -> Answer:
            future = self.executor.submit_within(
                limit(prepared.track.duration),
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
                    return same_recording.reused(prepared, first, placed)
            except LyricsyncError as error:
                # Its words can be placed all the same.
                log.debug("%s", error)
        return None

    def _digest(self, song: Path, duration: float) -> str:
        within = limit(duration)
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
        self._finish(entry, judged(result, report), began, looks)

    def _written(self, song: Path, lyrics: Lyrics, config: Config) -> WriteReport:
        from lyricsyncd.tags import Journal, write_sandboxed

        # What was written before the journal could not be is found as it is the next time.
        return self._patiently(
            lambda: write_sandboxed(song, lyrics, config.output, journal=Journal()), JournalError
        )

    def _finish(
        self, entry: Entry, outcome: Outcome, began: float, looks: Fingerprint | None = None
    ) -> None:
        if not self._patiently(lambda: self.catalog.finish(entry.id, self.owner, outcome, looks)):
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
            _told(entry, outcome, seconds),
            extra={"song": _as_fields(entry, outcome, seconds)},
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
            outcome = failed(error)
            host = error.host if isinstance(error, SourceError) else None
            if outcome.state is State.PENDING and pace.resting(host):
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


def opened(config: Config) -> SongExecutor:
    """Where the models run, as the configuration says."""
    if config.daemon.executor == "dask":
        from lyricsyncd.work.dask_executor import DaskExecutor

        return DaskExecutor(config.daemon)
    return WorkerExecutor(config.models.keep_alive, manners(config))


def where(config: Config) -> tuple[object, ...]:
    """What decides where the models run."""
    daemon = config.daemon
    return daemon.executor, daemon.dask_address, daemon.dask_tls, daemon.path_map


def manners(config: Config) -> ResourceLimits:
    """How much of the computer the model worker may take."""
    daemon = config.daemon
    return ResourceLimits(memory.ceiling(daemon.memory_limit), daemon.nice, daemon.ionice)


def eased(settings: PlacingSettings, crashes: int) -> tuple[PlacingSettings, str]:
    """Reduce the settings for a song that took the model worker down before, and say how.

    First smaller models and no recogniser; then the processor instead of the graphics card as well.
    """
    if crashes == 0:
        return settings, ""
    models = dataclasses.replace(settings.models, profile="lite", recogniser="none")
    note = "smaller models were used: the larger ones were lost"
    if crashes > 1:
        models = dataclasses.replace(models, device="cpu")
        note = "smaller models were used, on the processor: the larger ones were lost"
    return dataclasses.replace(settings, models=models), note


def read_ahead(song: Path) -> None:
    """Let the system read a file that a process will soon decode: a slow disk is not waited for."""
    try:
        with song.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
    except OSError as error:
        log.debug("%s", error)


def decodes_ahead(config: Config) -> bool:
    """Whether there is room for a second song, decoded, beside the one in the models."""
    wanted = config.daemon.decode_ahead
    if wanted != "auto":
        return wanted == "always"
    room = memory.ceiling(config.daemon.memory_limit)
    return room is not None and room >= AHEAD_BYTES


def limit(duration: float | None) -> float:
    """Seconds that a song of a length may keep the models busy."""
    if duration is None:
        return LIMIT_UNKNOWN_S
    return max(LIMIT_FLOOR_S, LIMIT_PER_SECOND * duration)


def judged(result: SyncResult, report: WriteReport | None) -> Outcome:
    """What the catalog keeps of a result and of what was written."""
    if result.decision is Decision.WORDS:
        state = State.DONE
    elif result.decision is Decision.LINES:
        state = State.LINES
    elif result.lyrics.instrumental:
        state = State.INSTRUMENTAL
    else:
        state = State.REVIEW
    lyrics = result.lyrics
    return Outcome(
        state,
        result.reason,
        quality=result.quality_score,
        decision=result.decision.value,
        source=lyrics.source,
        language=result.language,
        separator=result.separator,
        aligner=result.aligner,
        lines=sum(1 for line in lyrics if line.words),
        words=len(lyrics.words),
        stages=result.stages,
        written=() if report is None else report.written + report.unchanged,
        notes=result.warnings + (() if report is None else tuple(map(str, report.notes))),
    )


def failed(error: LyricsyncError | OSError) -> Outcome:
    """What an error means for its song: time may mend it, or only somebody."""
    kind, text = type(error).__name__, str(error)
    if isinstance(error, NotASong):
        return Outcome(State.IGNORED, error.message, None, kind)
    if isinstance(error, LyricsNotFound):
        return Outcome(State.NO_LYRICS, error.message, RETRY_LYRICS, kind, text)
    # Neither a missing model nor a full or read-only disk is the song's fault.
    mends = isinstance(error, (SourceError, ModelError, WriteError, OSError)) or error.transient
    reason = error.message if isinstance(error, LyricsyncError) else text
    if not mends:
        return Outcome(State.FAILED, reason, None, kind, text)
    waits: tuple[float, ...] = RETRY_SOON
    asked = error.retry_after if isinstance(error, SourceError) else None
    if asked is not None:
        waits = tuple(max(wait, asked) for wait in waits)
    return Outcome(State.PENDING, reason, waits, kind, text)


def writes_sidecars(config: Config) -> bool:
    """Whether the configuration wants files beside the songs, and not tags alone."""
    from lyricsyncd.config.schema import Output

    output = config.output
    if isinstance(output, Output):
        return output.preset != "embed"
    return any(file.to == "sidecar" for file in output)


def _check_writable(song: Path, config: Config) -> None:
    """Tell before any work that a sidecar could not be written."""
    if writes_sidecars(config) and not os.access(song.parent, os.W_OK):
        raise WriteError(
            f"The folder {song.parent} cannot be written to",
            remedy="Give the service's user the right to, or choose the output preset embed",
        )


def _as_fields(entry: Entry, outcome: Outcome, seconds: float) -> dict[str, object]:
    """The same for a log that programs read."""
    return {
        "id": entry.id,
        "path": str(entry.path),
        "state": outcome.state.value,
        "quality": outcome.quality,
        "source": outcome.source,
        "language": outcome.language,
        "seconds": round(seconds, 3),
        "written": [str(path) for path in outcome.written],
        "reason": outcome.reason,
        "error_class": outcome.error_class,
    }


def _told(entry: Entry, outcome: Outcome, seconds: float) -> str:
    """The one line of the log that a song gets."""
    parts = [f"{entry.display_path}: {outcome.state.value.replace('_', ' ')}"]
    if outcome.quality is not None:
        parts.append(f"quality {outcome.quality:.2f}")
    if outcome.source:
        parts.append(f"words from {outcome.source}")
    parts.append(f"{seconds:.1f} s")
    if outcome.written:
        parts.append("wrote " + " ".join(path.name for path in outcome.written))
    elif outcome.reason:
        parts.append((outcome.error or outcome.reason).replace(str(entry.path), "it"))
    return ", ".join(parts)
