"""Give the control interface access to the service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import Catalog
from lyricsyncd.library.lookup import Lookup
from lyricsyncd.library.roots import libraries_of
from lyricsyncd.library.rules import Rules

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.library.watch import FileEvent


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """The file that the service reads its configuration from, whether or not it is there.

    Attributes
    ----------
    reload : callable
        Have the service read it again, soon; called from any thread.
    """

    path: Path
    reload: Callable[[], None]


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """Parts of the service that requests may use.

    Attributes
    ----------
    config : callable
        Return the configuration as it is now.
    on_event : callable
        Called with events of folders, and of files that could not be queued at once.
    wake : callable
        Called after songs were queued.
    alive : callable
        Return whether the threads that do the work run.
    settings : SettingsFile, optional
        What the first run writes; without it, the page cannot set the service up.
    """

    catalog: Catalog
    config: Callable[[], Config]
    on_event: Callable[[FileEvent], None]
    wake: Callable[[], None]
    alive: Callable[[], bool]
    settings: SettingsFile | None = None

    def rules(self) -> list[Rules]:
        return libraries_of(self.config().libraries)

    def lookup(self) -> Lookup:
        return Lookup(self.catalog, self.rules(), self.config().web.path_map)
