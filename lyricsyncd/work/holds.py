"""Decide what holds songs back: errors of settings, hours of the day, the card, hosts in back-off.

A song that a person waits for is held back by none of them but a host in back-off.
"""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import Catalog, Rest
from lyricsyncd.errors import LyricsyncError
from lyricsyncd.http import rate_limit
from lyricsyncd.work import outcomes, policy
from lyricsyncd.work.gpu import OtherGpuPrograms

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.work.song_executor import SongExecutor

log = logging.getLogger(__name__)


class Holds:
    """Report what holds songs back, and note it in the catalog for other processes.

    Parameters
    ----------
    executor
        Its process is not counted among those that use the graphics card.
    placing : callable
        Returns whether a song is being placed.
    """

    def __init__(
        self, catalog: Catalog, executor: SongExecutor, placing: Callable[[], bool]
    ) -> None:
        self._catalog = catalog
        self._executor = executor
        self._placing = placing
        self.other_programs = OtherGpuPrograms()
        self.settings_error: LyricsyncError | None = None
        """What is wrong with the settings, so that no song is taken up until they change."""
        self._settings_retry_at = 0.0
        self._hosts: dict[str, float] = {}
        self._noted_reason: str | None = None

    def only_urgent(self, config: Config) -> bool:
        """Return whether only what a person waits for may be done now."""
        if self.settings_error is not None:
            if time.monotonic() < self._settings_retry_at:
                return True
            # A missing part may have been installed meanwhile: the next song shows.
            self.settings_error = None
        reason = self._quiet_reason(config)
        if reason != self._noted_reason:
            self._catalog.note_quiet(reason)
            self._noted_reason = reason
        return bool(reason)

    def note_settings_error(self, error: LyricsyncError | None) -> None:
        """Hold all songs, since each would fail as the one that raised the error; or none again.

        What a person requests is still tried: that shows whether the error has been remedied.
        """
        before, self.settings_error = self.settings_error, error
        self._settings_retry_at = time.monotonic() + outcomes.SETTINGS_RETRY_S
        if str(before) == str(error):
            return
        if error is None:
            log.info("the settings are tried again")
        else:
            log.critical("no song is taken up until the settings change: %s", error)
        try:
            self._catalog.note_settings_error("" if error is None else str(error))
        except LyricsyncError as trouble:
            log.error("%s", trouble)

    def note_hosts(self) -> bool:
        """Log which hosts entered or left back-off, once each; return whether any has left."""
        now, rests = time.time(), rate_limit.rests()
        before, self._hosts = self._hosts, {rest.host: rest.until for rest in rests}
        if self._hosts == before:
            return False
        try:
            self._catalog.note_rests([Rest(r.host, now + r.seconds, r.why) for r in rests])
        except LyricsyncError as error:
            log.error("%s", error)
        for rest in rests:
            if rest.host not in before:
                again = time.strftime("%H:%M", time.localtime(now + rest.seconds))
                log.warning("%s; what needs it waits, next try at %s", rest.why, again)
        left = before.keys() - self._hosts.keys()
        for host in left:
            log.info("%s answers again", host)
        return bool(left)

    def _quiet_reason(self, config: Config) -> str:
        """Return why only what a person waits for may be done; empty where all may."""
        if hours := policy.quiet_reason(config, datetime.datetime.now().time()):
            return hours
        if config.daemon.gpu.share == "always" or config.models.device == "cpu":
            return ""
        if config.daemon.executor == "dask":
            # The card is another computer's.
            return ""
        pids = self._executor.pids
        if not self.other_programs.busy(pids):
            return ""
        if pids and not self._placing():
            # The other program needs the card's memory, too.
            self._executor.end_if_idle()
        return "another program uses the graphics card"
