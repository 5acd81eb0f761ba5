"""Adapt the parts that other packages bring to what the service expects of a component."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import Catalog
from lyricsyncd.service.component import Component, Interval
from lyricsyncd.web.context import ServiceContext
from lyricsyncd.web.server import WebServer
from lyricsyncd.work.runner import Runner

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config

log = logging.getLogger(__name__)

GRACE_S = 7.0
"""Seconds that the songs in flight may take to finish when the service is stopped."""
_CHECK_S = 30.0
"""Seconds between checks whether the web server serves."""


class RunnerComponent(Component):
    """The runner, which is woken when another process has changed the catalog."""

    name = "runner"
    essential = True

    def __init__(self, catalog: Catalog, runner: Runner) -> None:
        self._catalog, self._runner = catalog, runner
        self._version = -1

    def start(self, config: Config) -> None:  # noqa: ARG002 - the runner was made with it
        interrupted = self._catalog.take_up()
        if interrupted:
            log.info("taking up %d songs that were in work", interrupted)
        self._runner.start()

    def reload(self, config: Config) -> None:
        self._runner.configure(config)

    def tick(self, now: float) -> None:  # noqa: ARG002 - due each time
        version = self._catalog.version()
        if version != self._version:
            self._version = version
            self._runner.wake()

    def stop(self) -> None:
        self._runner.stop(GRACE_S)

    @property
    def alive(self) -> bool:
        return self._runner.alive


class WebComponent(Component):
    """The control interface."""

    name = "control interface"

    def __init__(self, context: ServiceContext) -> None:
        self._server = WebServer(context)
        self._check = Interval(_CHECK_S, first=_CHECK_S)

    def validate(self, config: Config) -> None:
        config.web.shown_tokens()

    def start(self, config: Config) -> None:
        self._server.start(config.web)

    def reload(self, config: Config) -> None:
        self._server.start(config.web)

    def tick(self, now: float) -> None:
        if self._check.due(now):
            self._server.check()

    def stop(self) -> None:
        self._server.stop()
