"""Watch the libraries of the configuration."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.library import roots
from lyricsyncd.library.rules import Rules
from lyricsyncd.library.watch import FileEvent, Watched, Watcher
from lyricsyncd.service.component import Component

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config, Library

log = logging.getLogger(__name__)


class Libraries(Component):
    """The libraries, each folder once, and what watches them.

    Parameters
    ----------
    on_event : callable
        Called with each change, in threads of the watcher.
    """

    name = "libraries"

    def __init__(self, on_event: Callable[[FileEvent], None]) -> None:
        self._on_event = on_event
        self._configured: Sequence[Library] = ()
        self._watcher = Watcher([], on_event)
        self.rules: list[Rules] = []

    def start(self, config: Config) -> None:
        self._watch(config)
        self._log_obstacles()

    def reload(self, config: Config) -> None:
        if config.libraries != self._configured:
            self._watcher.stop()
            self._watch(config)
        self._log_obstacles()

    def stop(self) -> None:
        self._watcher.stop()

    @property
    def watched(self) -> list[Watched]:
        """Return how each library is watched."""
        return self._watcher.libraries

    def appeared(self) -> list[Rules]:
        """Return the libraries that were not there when this was last called, and now are."""
        appeared = [library.rules.root for library in self._watcher.check()]
        if appeared:
            # Only of a folder that is there can be said whether it is the same as another.
            self.rules = roots.libraries_of(self._configured)
        return [rules for root in appeared for rules in self.rules if rules.root == root]

    def folder_appeared(self, folder: Path) -> None:
        """Watch a new folder, or its library polled."""
        self._watcher.came(folder)

    def rules_of(self, path: Path) -> Rules | None:
        """Return the library that a path is in; the innermost, if one lies in another."""
        inside = [rules for rules in self.rules if rules.root in (path, *path.parents)]
        return max(inside, key=lambda rules: len(rules.root.parts), default=None)

    def _watch(self, config: Config) -> None:
        self._configured = config.libraries
        self.rules = roots.libraries_of(config.libraries)
        for twin, first in roots.named_twice(config.libraries):
            log.warning(
                "library %s is the same folder as %s, under which its songs are taken: remove one "
                "of them from `libraries`",
                twin,
                first,
            )
        self._watcher = Watcher(self.rules, self._on_event)

    def _log_obstacles(self) -> None:
        for obstacle in roots.obstacles([rules.root for rules in self.rules]):
            log.error("%s", obstacle)
