"""Copy the catalog and the journal from time to time, so that what breaks can be restored."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lyricsyncd.catalog import backup
from lyricsyncd.catalog.catalog import Catalog
from lyricsyncd.errors import LyricsyncError
from lyricsyncd.service.background import Background
from lyricsyncd.service.component import Component, Interval
from lyricsyncd.unexpected import TRANSIENT

_FIRST_S = 30.0
_EVERY_S = 3600.0


class Backups(Component):
    """Copies of the journal, and of the catalog where it changed, made in the background."""

    name = "backups"

    def __init__(self, catalog: Catalog, background: Background) -> None:
        self._catalog, self._background = catalog, background
        self._interval = Interval(_EVERY_S, first=_FIRST_S)
        self._copied = -1

    def tick(self, now: float) -> None:
        if not self._interval.due(now):
            return
        version = self._catalog.version()
        changed, self._copied = version != self._copied, version
        self._background.submit("copying the state", partial(self._copy, catalog=changed))

    def _copy(self, *, catalog: bool) -> None:
        from lyricsyncd.tags import Journal

        copies: list[Callable[[], None]] = [Journal().back_up]
        if catalog:
            copies.append(partial(backup.back_up, self._catalog))
        for copy in copies:
            try:
                copy()
            except LyricsyncError as error:
                TRANSIENT.log(error)
