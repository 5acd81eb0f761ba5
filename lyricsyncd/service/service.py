"""The service: one loop around the watcher, the scans, the runner and the signals.

The main thread sleeps until a signal, a hint of the watcher or the next duty. It proves to systemd
that things go on: a sign of life is only sent after the catalog has taken a write and the threads
that work are there.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import queue
import resource
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.catalog import backup
from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Fingerprint, Priority, Request, State
from lyricsyncd.catalog.database import CatalogBroken, is_full
from lyricsyncd.config import private
from lyricsyncd.config.paths import present
from lyricsyncd.errors import JournalError, LyricsyncError, UsageError, WriteError, passes
from lyricsyncd.library import scan, sidecars
from lyricsyncd.library.lookup import name_songs
from lyricsyncd.library.scan import Rules
from lyricsyncd.library.settle import Debouncer, StableFile
from lyricsyncd.library.watch import FileEvent, Watcher, poll_interval
from lyricsyncd.notifications.messages import MessageThread, start_messages
from lyricsyncd.opensubsonic.poller import PollerThread, start_polling
from lyricsyncd.patterns import one_line
from lyricsyncd.systemd.notify import notify, reloading, watchdog_interval
from lyricsyncd.unexpected import TRANSIENT, UNEXPECTED
from lyricsyncd.web.operations import ServiceContext
from lyricsyncd.web.server import WebServer
from lyricsyncd.work import schedule
from lyricsyncd.work.runner import Runner

if TYPE_CHECKING:
    from types import FrameType

    from lyricsyncd.config.schema import Config

log = logging.getLogger(__name__)

LOCK_NAME = "daemon.lock"
GRACE_S = 7.0
"""How long a song may take to finish when the service is asked to stop."""
_TICK_S = 2.0
"""How often the catalog is looked at for what other processes wrote."""
_CHECK_S = 30.0
"""How often libraries are looked at for having come or gone."""
_BEAT_S = 20.0
_CLOCK_SLACK_S = 60.0
"""By less than this the clock is corrected, which matters to nobody."""
_DESCRIPTORS = 65536
"""Of these there are always enough; a limit of a thousand millions only slows some libraries."""
_AGAIN_S = 5.0
"""How soon what a passing trouble (a full disk, say) kept from being done is tried again."""
_COPY_S = 3600.0
"""How often the catalog is copied, if anything changed."""


class StateLock:
    """The right to work on a state folder; the system takes it back when its holder dies."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOCK_NAME
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises
        ------
        UsageError
            Another service has it.
        """
        private.make_folder(self.path.parent)
        private.close_files(self.path.parent)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # Who only asks whether a service runs holds the lock for a moment, too.
        for patience in (True,) * 10 + (False,):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if patience:
                    time.sleep(0.05)
        else:
            os.close(descriptor)
            raise UsageError(
                f"Another lyricsyncd is at work on {self.path.parent}{_as_pid(self.path)}",
                remedy="Stop it first, or give this one another STATE_DIRECTORY",
            )
        # Only for who asks; a full disk must not matter here.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it back."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> StateLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def running(folder: Path) -> bool:
    """Whether a service is at work on a state folder."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _as_pid(path: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        return f" (process {int(path.read_text(encoding='ascii'))})"
    return ""


@dataclass(frozen=True, slots=True)
class _Scan:
    """A scan that is wanted."""

    rules: Rules
    start: Path | None
    priority: Priority
    reason: str


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy of the journal is wanted, and of the catalog if it changed."""

    catalog: bool


class Service:
    """The service on one state folder.

    Parameters
    ----------
    load : callable
        Reads the configuration; called again at SIGHUP.
    state : Path
        The folder of the catalog.
    """

    def __init__(self, load: Callable[[], Config], state: Path) -> None:
        self._load = load
        self._state = state
        self._config = load()
        self._libraries: list[Rules] = []
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._asked: set[int] = set()
        self._hints: queue.SimpleQueue[FileEvent] = queue.SimpleQueue()
        self._scans: queue.SimpleQueue[_Scan | _Copy | None] = queue.SimpleQueue()
        self._queued_scans: set[tuple[Path, Path | None]] = set()
        self._owed: queue.SimpleQueue[_Scan] = queue.SimpleQueue()
        self._settling = Debouncer(self._config.daemon.settle)
        self._stopping = False
        self._poller: PollerThread | None = None
        self._messages: MessageThread | None = None

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises
        ------
        UsageError
            Another service works on this state folder.
        """
        _raise_descriptors()
        with StateLock(self._state):
            met = ""
            while True:
                if mended := backup.mend(self._state / FILE_NAME, met):
                    log.critical("%s", mended)
                try:
                    self._serve_catalog()
                except CatalogBroken as error:
                    met = error.message
                except WriteError as error:
                    if not is_full(self._state):
                        raise
                    # To end would not make room, and to be given up by systemd still less.
                    TRANSIENT.log(error)
                    notify("READY=1", "WATCHDOG=1", f"STATUS={error.message}")
                    time.sleep(_AGAIN_S)
                else:
                    return

    def _serve_catalog(self) -> None:
        """Serve until asked to end, or until the catalog is found to be damaged."""
        self._stopping = False
        self._scans, self._queued_scans = queue.SimpleQueue(), set()
        self._owed = queue.SimpleQueue()
        with Catalog(self._state / FILE_NAME) as catalog:
            self._catalog = catalog
            self._set_right(catalog.ahead())
            again = catalog.take_up()
            if again:
                log.info("taking up %d songs that were in work", again)
            self._runner = Runner(catalog, self._config)
            self._name_libraries()
            self._watcher = Watcher(self._rules(), self._heard)
            self._web = WebServer(
                ServiceContext(
                    catalog,
                    config=lambda: self._config,
                    heard=self._heard,
                    wake=self._runner.wake,
                    alive=lambda: self._runner.alive,
                )
            )
            scanner = threading.Thread(target=self._scan_all, name="scan", daemon=True)
            with self._signals():
                self._web.start(self._config.web)
                scanner.start()
                self._runner.start()
                for begin in (self._check_libraries, self._ask_server, self._send_messages):
                    self._do(begin)
                self._warn_of_obstacles()
                log.info("watching %s", ", ".join(str(r.root) for r in self._rules()) or "nothing")
                notify("READY=1", "STATUS=Watching")
                try:
                    self._serve()
                finally:
                    self._stop(scanner)

    def _warn_of_obstacles(self) -> None:
        for obstacle in scan.obstacles([rules.root for rules in self._rules()]):
            log.error("%s", obstacle)

    def _set_right(self, seconds: float) -> None:
        """The clock was ahead by so much before: nothing waits for that."""
        if seconds > _CLOCK_SLACK_S:
            log.warning("the clock went back by %.0f s", seconds)
            self._catalog.clock_went_back(seconds)

    # The loop

    def _serve(self) -> None:
        now = time.monotonic()
        self._clock = time.time() - now
        self._check_at, self._beat_at, self._owed_at = now + _CHECK_S, now, now
        self._version = self._copied = -1
        self._copy_at = now + _CHECK_S
        self._rescan_at = self._next_rescan()
        duties = (
            self._follow_clock,
            self._drain_hints,
            self._queue_settled,
            self._follow_catalog,
            self._check_now_and_then,
            self._poll,
            self._scan_again,
            self._beat_now_and_then,
        )
        while True:
            if self._asked & {signal.SIGTERM, signal.SIGINT}:
                return
            now = time.monotonic()
            if signal.SIGHUP in self._asked:
                self._asked.discard(signal.SIGHUP)
                self._do(self._reload)
            for duty in duties:
                self._do(partial(duty, now))
            if self._catalog.broken is not None:
                raise self._catalog.broken
            self._sleep(now)

    def _do(self, duty: Callable[[], None]) -> None:
        """Do one of the duties: whatever happens to it, the others are done."""
        try:
            with UNEXPECTED.contain("the service", but=(LyricsyncError, OSError)):
                duty()
        except (LyricsyncError, OSError) as error:
            TRANSIENT.log(error)

    def _follow_clock(self, now: float) -> None:
        if abs(jump := self._clock - (time.time() - now)) > _CLOCK_SLACK_S:
            self._clock -= jump
            self._set_right(jump)
            self._rescan_at = self._next_rescan()

    def _follow_catalog(self, now: float) -> None:
        seen = self._catalog.version()
        if seen != self._version:
            self._version = seen
            self._runner.wake()
        if now >= self._copy_at:
            self._copy_at = now + _COPY_S
            self._scans.put(_Copy(catalog=seen != self._copied))
            self._copied = seen

    def _check_now_and_then(self, now: float) -> None:
        if now >= self._check_at:
            self._check_at = now + _CHECK_S
            self._check_libraries()
            self._web.check()

    def _beat_now_and_then(self, now: float) -> None:
        if now >= self._beat_at:
            self._beat_at = now + min(_BEAT_S, (watchdog_interval() or 3 * _BEAT_S) / 3)
            self._beat()

    def _sleep(self, now: float) -> None:
        due = self._settling.next_due()
        wait = _TICK_S if due is None else min(_TICK_S, max(0.05, due - now))
        if select.select([self._wake_read], [], [], wait)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 4096)

    def _beat(self) -> None:
        try:
            self._runner.beat()
            self._catalog.check_writer()
            words = self._in_words()
        except WriteError as error:
            # A full disk is answered at once. To be started anew would not empty it.
            TRANSIENT.log(error)
            words = error.message
        if not self._runner.alive:
            log.critical("a working thread has ended; the service must be started anew")
            return
        notify("WATCHDOG=1", f"STATUS={words}")

    def _in_words(self) -> str:
        counts = self._catalog.counts()
        done = counts[State.DONE] + counts[State.LINES]
        text = f"{done} songs done, {counts[State.PENDING] + counts[State.WORKING]} to do"
        at_work = self._runner.at_work
        if self._catalog.paused:
            return f"Paused; {text}"
        return f"{at_work[0].name}; {text}" if at_work else f"Idle; {text}"

    def _next_rescan(self) -> float | None:
        crontab = self._config.daemon.rescan
        return None if crontab is None else schedule.next_scan(crontab, time.time())

    # Signals

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def note(number: int, _frame: FrameType | None) -> None:
            if number != signal.SIGHUP and self._stopping:
                # Asked twice: at once. The catalog can take it.
                os._exit(1)
            self._asked.add(number)
            self._awake()

        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = {number: signal.signal(number, note) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _awake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"\0")

    def _reload(self) -> None:
        reloading()
        try:
            config = self._load()
            self._web.start(config.web)
        except LyricsyncError as error:
            log.error("the configuration stays as it was: %s", error)
        else:
            libraries_changed = config.libraries != self._config.libraries
            self._config = config
            self._settling.wait_s = config.daemon.settle
            self._runner.configure(config)
            if libraries_changed:
                self._watcher.stop()
                self._name_libraries()
                self._watcher = Watcher(self._rules(), self._heard)
                self._check_libraries()
            self._ask_server()
            self._send_messages()
            self._rescan_at = self._next_rescan()
            log.info("the configuration was read again")
            self._warn_of_obstacles()
        finally:
            notify("READY=1")

    def _stop(self, scanner: threading.Thread) -> None:
        self._stopping = True
        log.info("stopping")
        notify("STOPPING=1", "STATUS=Finishing the song in work")
        self._scans.put(None)
        for thread in (self._poller, self._messages):
            if thread is not None:
                thread.stop()
        self._web.stop()
        self._runner.stop(GRACE_S)
        self._watcher.stop()
        scanner.join(1.0)

    # What others know

    def _ask_server(self) -> None:
        """Ask the music server of the configuration from now on, in place of another."""
        if self._poller is not None:
            self._poller.stop()
        self._poller = start_polling(
            self._config, self._catalog, self._heard, self._scan_everything, self._runner.wake
        )

    def _send_messages(self) -> None:
        """Tell people from now on as the configuration says."""
        if self._messages is not None:
            self._messages.stop()
        self._messages = start_messages(self._config.notify, self._catalog, self._config.plugins)

    def _scan_everything(self) -> None:
        for rules in self._rules():
            self._want_scan(_Scan(rules, None, Priority.IMPORT, "told by the music server"))

    # Songs that come and go

    def _name_libraries(self) -> None:
        """Take the libraries of the configuration, each folder once."""
        self._libraries = scan.libraries_of(self._config.libraries)
        for twin, first in scan.named_twice(self._config.libraries):
            log.warning(
                "library %s is the same folder as %s, under which its songs are taken: remove one "
                "of them from `libraries`",
                twin,
                first,
            )

    def _rules(self) -> list[Rules]:
        return self._libraries

    def _heard(self, hint: FileEvent) -> None:
        self._hints.put(hint)
        self._awake()

    def _drain_hints(self, now: float) -> None:
        while True:
            try:
                hint = self._hints.get_nowait()
            except queue.Empty:
                return
            with UNEXPECTED.contain(hint.path):
                self._take_hint(hint, now)

    def _take_hint(self, hint: FileEvent, now: float) -> None:
        if hint.folder:
            rules = self._rules_of(hint.path)
            # Files may have come with the folder before it was watched.
            if rules is not None and os.path.isdir(hint.path):  # noqa: PTH112 - never raises
                self._watcher.came(hint.path)
                self._want_scan(_Scan(rules, hint.path, Priority.IMPORT, "new folder"))
            return
        self._settling.touch(hint.path, _look(hint.path), now)
        if hint.moved_from is not None and self._rules_of(hint.moved_from) is not None:
            try:
                sidecars.carry(hint.moved_from, hint.path)
            except JournalError as error:
                # It is tried again when the song is queued.
                TRANSIENT.log(error)

    def _queue_settled(self, now: float) -> None:
        # What has come before what has gone: a song that moved takes its sidecars along.
        settled_now = sorted(
            self._settling.due(now, _look), key=lambda each: each.fingerprint is None
        )
        for at, settled in enumerate(settled_now):
            try:
                with UNEXPECTED.contain(settled.path, but=(LyricsyncError, OSError)):
                    self._take(settled)
            except (LyricsyncError, OSError) as error:
                if not passes(error):
                    log.warning("%s: %s", one_line(str(settled.path)), error)
                    continue
                # The catalog cannot be written, say: none of them may be forgotten.
                TRANSIENT.log(error)
                for left in settled_now[at:]:
                    self._settling.put_back(left, now, _AGAIN_S)
                return

    def _take(self, settled: StableFile) -> None:
        rules = self._rules_of(settled.path)
        if rules is None:
            return
        if scan.is_song(settled.path):
            self._take_song(settled, rules)
        elif settled.fingerprint is not None:
            self._take_words(settled.path)

    def _take_song(self, settled: StableFile, rules: Rules) -> None:
        if settled.fingerprint is None:
            entry = self._catalog.by_path(settled.path)
            if entry is not None and not scan.offline(rules.root):
                self._catalog.missing([entry.id])
                sidecars.clean(self._catalog, [entry])
        elif settled.fingerprint.size and rules.admits(settled.path):
            looks = settled.fingerprint
            request = Request(settled.path, Priority.IMPORT, "new file", rules.root, looks)
            sidecars.follow(self._catalog, [request])
            with contextlib.suppress(UsageError):
                self._catalog.enqueue_many([request])

    def _take_words(self, sidecar: Path) -> None:
        """Lyrics have come to lie in a folder: queue the song that they belong to, if it waits."""
        changed = max(sidecar.stat().st_mtime, sidecar.stat().st_ctime)
        for entry in self._catalog.in_folder(sidecar.parent).values():
            mine = sidecar.stem in (entry.path.stem, entry.path.name)
            if mine and scan.awaits_words(entry, changed):
                why = "new words beside the song"
                self._catalog.enqueue(entry.path, Priority.IMPORT, why, force=True)

    def _rules_of(self, path: Path) -> Rules | None:
        """The library that a path is in; the innermost, if one lies in another."""
        inside = [rules for rules in self._libraries if rules.root in (path, *path.parents)]
        return max(inside, key=lambda rules: len(rules.root.parts), default=None)

    # Scans and copies, in a thread of their own

    def _check_libraries(self) -> None:
        came = self._watcher.check()
        if came:
            # Only of a folder that is there can be told whether it is the same as another.
            self._libraries = scan.libraries_of(self._config.libraries)
        for library in came:
            for rules in self._libraries:
                if rules.root == library.rules.root:
                    self._want_scan(_Scan(rules, None, Priority.BACKFILL, "first scan"))

    def _poll(self, now: float) -> None:
        for library in self._watcher.libraries:
            if library.polled and library.online and now >= library.poll_at:
                # Set again when the scan has shown how long it takes.
                library.poll_at = now + _CHECK_S
                self._want_scan(_Scan(library.rules, None, Priority.IMPORT, "new file"))

    def _want_scan(self, wanted: _Scan) -> None:
        key = (wanted.rules.root, wanted.start)
        if key not in self._queued_scans:
            self._queued_scans.add(key)
            self._scans.put(wanted)

    def _clear_after_crash(self) -> None:
        from lyricsyncd.tags import Journal, clear_after_crash

        try:
            Journal().check()
            clear_after_crash(Journal())
        except LyricsyncError as error:
            log.warning("%s", error)

    def _scan_again(self, now: float) -> None:
        """Have those scans made anew that failed, once the catalog can be written."""
        if self._owed.empty() or now < self._owed_at:
            return
        self._owed_at = now + _AGAIN_S
        self._catalog.try_to_write()
        while not self._owed.empty():
            self._want_scan(self._owed.get())

    def _scan_all(self) -> None:
        with UNEXPECTED.contain("clearing up"):
            self._clear_after_crash()
        while (wanted := self._scans.get()) is not None:
            if isinstance(wanted, _Copy):
                with UNEXPECTED.contain("copying the state"):
                    self._copy(wanted)
                continue
            self._queued_scans.discard((wanted.rules.root, wanted.start))
            began = time.monotonic()
            with UNEXPECTED.contain(f"the scan of {wanted.start or wanted.rules.root}"):
                try:
                    self._scan(wanted)
                except (LyricsyncError, OSError) as error:
                    TRANSIENT.log(error)
                    if passes(error):
                        self._owed.put(wanted)
            took = time.monotonic() - began
            for library in self._watcher.libraries:
                if library.rules.root == wanted.rules.root and wanted.start is None:
                    library.poll_at = time.monotonic() + poll_interval(took)

    def _copy(self, wanted: _Copy) -> None:
        from lyricsyncd.tags import Journal

        copies: list[Callable[[], None]] = [Journal().back_up]
        if wanted.catalog:
            copies.append(partial(backup.back_up, self._catalog))
        for copy in copies:
            try:
                copy()
            except LyricsyncError as error:
                TRANSIENT.log(error)

    def _scan(self, wanted: _Scan) -> None:
        began = time.monotonic()
        report = scan.reconcile(
            self._catalog,
            wanted.rules,
            start=wanted.start,
            priority=wanted.priority,
            reason=wanted.reason,
            stop=lambda: self._stopping,
        )
        if report.offline:
            log.warning("library %s is away or empty: nothing is changed for it", report.library)
        elif report.new or report.changed or report.missing:
            log.info(
                "%s: %d songs, %d new, %d changed, %d missing (%.1f s)",
                wanted.start or report.library,
                report.songs,
                report.new,
                report.changed,
                report.missing,
                time.monotonic() - began,
            )
        self._runner.wake()
        name_songs(self._catalog, lambda: self._stopping)


def _raise_descriptors() -> None:
    """Have as many descriptors as the system lets us have without asking."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # A sandbox may forbid it; then it must do as it is.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _look(path: Path) -> Fingerprint | None:
    try:
        return Fingerprint.of(path) if present(path) else None
    except OSError:
        return None
