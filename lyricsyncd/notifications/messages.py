"""Messages about what was done, sent by Apprise (the extra ``notify``).

One message tells of all songs that came to an end since the last one, when there is nothing left to
do. Apprise is large, so it runs in a process of its own for the moment that it is needed:
``python -m lyricsyncd.notifications.messages`` sends what it reads.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.errors import LyricsyncError
from lyricsyncd.unexpected import UNEXPECTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lyricsyncd.catalog.catalog import Catalog
    from lyricsyncd.config.schema import Notify

log = logging.getLogger(__name__)

_LOOK_S = 20.0
_SEND_S = 60.0
"""How long sending may take."""
_NAMED = 5
"""Songs that failed, named in a message; the others are counted."""
_ENDS = {
    "done": "{} with every word timed",
    "lines": "{} with lines timed",
    "review": "{} that somebody should look at",
    "no_lyrics": "{} without lyrics",
    "instrumental": "{} instrumental",
    "failed": "{} failed",
}


@dataclass(frozen=True, slots=True)
class Message:
    """Something to tell."""

    title: str
    body: str


def digest(catalog: Catalog, states: Sequence[str], since: float, until: float) -> Message | None:
    """What came of the songs that were finished in a time; ``None`` if that is nothing to tell."""
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


def send(urls: Sequence[str], message: Message) -> bool:
    """Send a message to all addresses, in another process; whether all of them took it."""
    order = json.dumps({"urls": list(urls), "title": message.title, "body": message.body})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lyricsyncd.notifications.messages"],
            input=order,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=_SEND_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def start_messages(settings: Notify, catalog: Catalog) -> MessageThread | None:
    """A thread that sends them; ``None`` where there is nowhere to send them."""
    if not settings.urls:
        return None
    if importlib.util.find_spec("apprise") is None:
        log.warning("no messages are sent: install lyricsyncd[notify]")
        return None
    return MessageThread(settings, catalog)


class MessageThread:
    """Looks now and then whether there is something to tell, until stopped."""

    def __init__(self, settings: Notify, catalog: Catalog, look_s: float = _LOOK_S) -> None:
        self._settings, self._catalog, self._look_s = settings, catalog, look_s
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
        while not self._stopping.wait(self._look_s):
            try:
                self._look()
            except LyricsyncError as error:
                log.warning("no message could be sent: %s", error)
            except Exception as error:  # noqa: BLE001 - the loop goes on, see `unexpected`
                UNEXPECTED.record(error, "messages")

    def _look(self) -> None:
        now = self._catalog.clock()
        recent = self._sent_at is not None and 0 <= now - self._sent_at < self._settings.every
        if recent or self._busy(now):
            return
        message = digest(self._catalog, self._settings.of, self._since, now)
        self._since = now
        if message is None:
            return
        self._sent_at = now
        if not send([url.reveal() for url in self._settings.urls], message):
            log.warning("a message could not be sent to all of notify.urls")

    def _busy(self, now: float) -> bool:
        """Return whether songs are in work or due; a pause is an end, too."""
        return not self._catalog.paused and self._catalog.has_work(now)


def _main() -> int:
    import apprise

    order = json.load(sys.stdin)
    sender = apprise.Apprise()
    good = [sender.add(url) for url in order["urls"]]
    told = sender.notify(body=order["body"], title=order["title"])
    return 0 if told and all(good) else 1


if __name__ == "__main__":
    sys.exit(_main())
