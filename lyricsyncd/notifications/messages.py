"""Compose messages about finished songs, and send them when there is nothing left to do.

One message covers all songs that were finished since the last one.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from lyricsyncd import registry
from lyricsyncd.errors import LyricsyncError
from lyricsyncd.notifications import Message
from lyricsyncd.registry import NO_SETTINGS, NotifierContext
from lyricsyncd.unexpected import UNEXPECTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lyricsyncd.catalog.catalog import Catalog
    from lyricsyncd.config.schema import Notify
    from lyricsyncd.notifications import Notifier
    from lyricsyncd.registry import PluginSettings

log = logging.getLogger(__name__)

_INTERVAL_S = 20.0
"""Seconds from one look at the catalog to the next."""
_NAMED = 5
"""Songs that failed, named in a message; the others are counted."""
_ENDS = {
    "done": "{} with every word timed",
    "mixed": "{} with words timed in some lines",
    "lines": "{} with lines timed",
    "review": "{} to be reviewed",
    "no_lyrics": "{} without lyrics",
    "instrumental": "{} instrumental",
    "failed": "{} failed",
}


def digest(catalog: Catalog, states: Sequence[str], since: float, until: float) -> Message | None:
    """Summarise the songs that were finished in a time; ``None`` where there are none."""
    counts = catalog.finished_counts(states, since, until)
    if not counts:
        return None
    lines = [_ENDS[state].format(counts[state]) for state in _ENDS if state in counts]
    if "failed" in counts:
        for entry in catalog.failed_between(since, until, _NAMED):
            lines.append(f"- {entry.name}: {entry.error or entry.reason or 'no reason known'}")
        if counts["failed"] > _NAMED:
            lines.append(f"- and {counts['failed'] - _NAMED} more")
    total = sum(counts.values())
    return Message(f"lyricsyncd: {total} {'song' if total == 1 else 'songs'}", "\n".join(lines))


def open_notifiers(settings: Notify, plugins: PluginSettings = NO_SETTINGS) -> list[Notifier]:
    """Open the notifiers of a configuration; one that cannot be had is logged and left out."""
    opened = []
    for name in dict.fromkeys(settings.by):
        context = NotifierContext(settings, plugins.get(name, {}))
        try:
            notifier = registry.notifiers.open(name, context)
        except LyricsyncError as error:
            log.warning("no messages are sent by %s: %s. %s", name, error.message, error.remedy)
            continue
        if notifier.idle is None:
            opened.append(notifier)
    return opened


def start_messages(
    settings: Notify, catalog: Catalog, plugins: PluginSettings = NO_SETTINGS
) -> MessageThread | None:
    """Start the thread that sends messages; return ``None`` where nothing can send them."""
    notifiers = open_notifiers(settings, plugins)
    return MessageThread(settings, notifiers, catalog) if notifiers else None


class MessageThread:
    """Check now and then whether there is something to report, until stopped."""

    def __init__(
        self,
        settings: Notify,
        notifiers: Sequence[Notifier],
        catalog: Catalog,
        interval_s: float = _INTERVAL_S,
    ) -> None:
        self._settings, self._notifiers, self._catalog = settings, notifiers, catalog
        self._interval_s = interval_s
        self._since = catalog.clock()
        self._sent_at: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="messages", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send no more; one that is under way is not waited for."""
        self._stopping.set()
        self._thread.join(0.5)

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_s):
            try:
                self._report()
            except LyricsyncError as error:
                log.warning("no message could be sent: %s", error)
            except Exception as error:  # noqa: BLE001 - the loop goes on, see `unexpected`
                UNEXPECTED.record(error, "messages")

    def _report(self) -> None:
        now = self._catalog.clock()
        recent = self._sent_at is not None and 0 <= now - self._sent_at < self._settings.every
        if recent or self._busy(now):
            return
        message = digest(self._catalog, self._settings.of, self._since, now)
        self._since = now
        if message is None:
            return
        self._sent_at = now
        for notifier in self._notifiers:
            if not notifier.send(message):
                log.warning("a message could not be delivered to every address")

    def _busy(self, now: float) -> bool:
        """Return whether songs are in work or due; a pause is an end, too."""
        return not self._catalog.paused and self._catalog.has_work(now)
