"""Run the service: compose its components, and loop over them until a signal ends it.

The main thread sleeps until a signal, an event of the file system, or the time that a component
names; then each component does what is due (`Component.tick`). An error in one component is logged
and does not keep the others from their work.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.catalog import backup
from lyricsyncd.catalog.catalog import FILE_NAME, Catalog
from lyricsyncd.catalog.database import CatalogBroken, is_full
from lyricsyncd.errors import LyricsyncError, WriteError
from lyricsyncd.library.roots import libraries_of
from lyricsyncd.notifications.messages import start_messages
from lyricsyncd.opensubsonic.poller import start_polling
from lyricsyncd.service.background import Background
from lyricsyncd.service.backups import Backups
from lyricsyncd.service.changes import Changes, EventQueue
from lyricsyncd.service.clock import Clock
from lyricsyncd.service.component import Component, ThreadComponent
from lyricsyncd.service.heartbeat import Heartbeat
from lyricsyncd.service.improvements import Improvements
from lyricsyncd.service.libraries import Libraries
from lyricsyncd.service.lock import StateLock
from lyricsyncd.service.parts import RunnerComponent, WebComponent
from lyricsyncd.service.scans import Scans
from lyricsyncd.systemd.notify import sd_notify, sd_notify_reloading
from lyricsyncd.unexpected import TRANSIENT, UNEXPECTED
from lyricsyncd.web.context import ServiceContext, SettingsFile
from lyricsyncd.work.runner import Runner

if TYPE_CHECKING:
    from types import FrameType

    from lyricsyncd.config.schema import Config

log = logging.getLogger(__name__)

_TICK_S = 2.0
"""Seconds that the main loop sleeps at most: what other processes wrote is noticed after these."""
_SHORTEST_S = 0.05
_AGAIN_S = 5.0
"""Seconds after which the catalog is opened again while its disk is full."""
_DESCRIPTORS = 65536
"""Enough in every case; a limit of a thousand millions only makes some libraries slow."""


def compose(
    catalog: Catalog,
    config: Callable[[], Config],
    wake: Callable[[], None],
    settings: SettingsFile | None = None,
) -> list[Component]:
    """List the components of the service in the order in which they start.

    They stop in the reverse order. This is the one place where they are made and connected.

    Parameters
    ----------
    config : callable
        Return the configuration as it is now.
    wake : callable
        Wakes the main loop; called from any thread.
    settings : SettingsFile, optional
        Where the configuration lies.
    """
    runner = Runner(catalog, config())
    background = Background()
    events = EventQueue(wake)
    libraries = Libraries(events.put)
    scans = Scans(catalog, libraries, background, runner.wake)
    components: list[Component] = []

    def alive() -> bool:
        return all(component.alive for component in components if component.essential)

    context = ServiceContext(
        catalog,
        config=config,
        on_event=events.put,
        wake=runner.wake,
        alive=alive,
        settings=settings,
    )
    scan_all = partial(scans.request_all, "reported by the music server")
    components += [
        Clock(catalog, scans.reschedule),
        RunnerComponent(catalog, runner),
        background,
        libraries,
        scans,
        Changes(catalog, events, libraries, scans),
        Backups(catalog, background),
        Improvements(catalog, runner.wake),
        ThreadComponent(
            "music server",
            lambda config: start_polling(config, catalog, events.put, scan_all, runner.wake),
        ),
        ThreadComponent(
            "messages", lambda config: start_messages(config.notify, catalog, config.plugins)
        ),
        WebComponent(context),
        Heartbeat(catalog, runner, alive),
    ]
    return components


class Service:
    """Run the service on one state folder.

    Parameters
    ----------
    load : callable
        Reads the configuration; called again at SIGHUP.
    state : Path
        The folder of the catalog.
    file : Path, optional
        The configuration, which the first run may write.
    """

    def __init__(
        self, load: Callable[[], Config], state: Path, *, file: Path | None = None
    ) -> None:
        self._load = load
        self._state = state
        self._settings = None if file is None else SettingsFile(file, self._request_reload)
        self._config = load()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._signals: set[int] = set()
        self._stopping = False

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises
        ------
        UsageError
            Another service works on this state folder.
        """
        _raise_descriptors()
        with StateLock(self._state):
            damage = ""
            while True:
                if mended := backup.mend(self._state / FILE_NAME, damage):
                    log.critical("%s", mended)
                try:
                    self._serve_catalog()
                except CatalogBroken as error:
                    damage = error.message
                except WriteError as error:
                    if not is_full(self._state):
                        raise
                    # To end would make no room, and systemd would give up restarting us.
                    TRANSIENT.log(error)
                    sd_notify("READY=1", "WATCHDOG=1", f"STATUS={error.message}")
                    time.sleep(_AGAIN_S)
                else:
                    return

    def _serve_catalog(self) -> None:
        """Serve until a signal ends the service, or the catalog is found to be damaged."""
        self._stopping = False
        with Catalog(self._state / FILE_NAME) as catalog, self._handled_signals():
            components = compose(catalog, lambda: self._config, self._wake, self._settings)
            for component in components:
                component.validate(self._config)
            started: list[Component] = []
            try:
                for component in components:
                    self._start(component)
                    started.append(component)
                roots = [str(rules.root) for rules in libraries_of(self._config.libraries)]
                log.info("watching %s", ", ".join(roots) or "nothing")
                sd_notify("READY=1", "STATUS=Watching")
                self._loop(catalog, components)
            finally:
                self._stop(started)

    def _start(self, component: Component) -> None:
        if component.essential:
            component.start(self._config)
        else:
            _contained(component, partial(component.start, self._config))

    def _loop(self, catalog: Catalog, components: Sequence[Component]) -> None:
        while not self._signals & {signal.SIGTERM, signal.SIGINT}:
            if signal.SIGHUP in self._signals:
                self._signals.discard(signal.SIGHUP)
                self._reload(components)
            now = time.monotonic()
            for component in components:
                _contained(component, partial(component.tick, now))
            if catalog.broken is not None:
                raise catalog.broken
            self._sleep(now, components)

    def _sleep(self, now: float, components: Sequence[Component]) -> None:
        due = [at for component in components if (at := component.next_due()) is not None]
        wait = min([_TICK_S, *(max(_SHORTEST_S, at - now) for at in due)])
        if select.select([self._wake_read], [], [], wait)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 4096)

    def _request_reload(self) -> None:
        """Read the configuration again soon, as at SIGHUP; called from any thread."""
        self._signals.add(signal.SIGHUP)
        self._wake()

    def _reload(self, components: Sequence[Component]) -> None:
        sd_notify_reloading()
        try:
            config = self._load()
            for component in components:
                component.validate(config)
        except (LyricsyncError, OSError) as error:
            log.error("the configuration stays as it was: %s", error)
        else:
            self._config = config
            for component in components:
                _contained(component, partial(component.reload, config))
            log.info("the configuration was read again")
        finally:
            sd_notify("READY=1")

    def _stop(self, components: Sequence[Component]) -> None:
        self._stopping = True
        log.info("stopping")
        sd_notify("STOPPING=1", "STATUS=Finishing the song in work")
        for component in reversed(components):
            _contained(component, component.stop)

    @contextlib.contextmanager
    def _handled_signals(self) -> Iterator[None]:
        def handle(number: int, _frame: FrameType | None) -> None:
            if number != signal.SIGHUP and self._stopping:
                # A second signal ends the process at once; the catalog survives that.
                os._exit(1)
            self._signals.add(number)
            self._wake()

        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = {number: signal.signal(number, handle) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"\0")


def _contained(component: Component, step: Callable[[], None]) -> None:
    """Take a step of a component; log its errors, so that the other components take theirs."""
    try:
        with UNEXPECTED.contain(component.name, but=(LyricsyncError, OSError)):
            step()
    except (LyricsyncError, OSError) as error:
        TRANSIENT.log(error)


def _raise_descriptors() -> None:
    """Raise the limit of open files as far as the system allows without privileges."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # A sandbox may forbid it; then the limit stays.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
