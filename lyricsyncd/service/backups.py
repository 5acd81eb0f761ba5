"""Copy the catalog from time to time, so that one that breaks can be restored."""

from __future__ import annotations

import logging

from lyricsyncd.catalog import backup
from lyricsyncd.catalog.catalog import Catalog
from lyricsyncd.errors import LyricsyncError
from lyricsyncd.service.background import Background
from lyricsyncd.service.component import Component, Interval

log = logging.getLogger(__name__)

_FIRST_S = 30.0
_EVERY_S = 3600.0


class Backups(Component):
    """Copies of the catalog, made in the background where anything changed since the last one."""

    name = "backups"

    def __init__(self, catalog: Catalog, background: Background) -> None:
        self._catalog, self._background = catalog, background
        self._interval = Interval(_EVERY_S, first=_FIRST_S)
        self._copied = -1

    def tick(self, now: float) -> None:
        if not self._interval.due(now):
            return
        version = self._catalog.version()
        if version != self._copied:
            self._copied = version
            self._background.submit("the copy of the catalog", self._copy)

    def _copy(self) -> None:
        try:
            backup.back_up(self._catalog)
        except LyricsyncError as error:
            log.error("%s", error)
