"""Send messages with Apprise (the extra ``notify``).

Apprise is large, so it runs in a process of its own for the moment that it is needed:
``python -m lyricsyncd.notifications.apprise`` sends what it reads.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.notifications import Message

if TYPE_CHECKING:
    from lyricsyncd.config.secret import Secret
    from lyricsyncd.registry import NotifierContext

_SEND_S = 60.0
"""How long sending may take."""


@dataclass(frozen=True, slots=True)
class AppriseNotifier:
    """Deliver messages to addresses of Apprise."""

    urls: tuple[Secret, ...]

    @property
    def idle(self) -> str | None:
        """The lack of an address."""
        return None if self.urls else "notify.urls is empty"

    def send(self, message: Message) -> bool:
        """Send a message to all addresses; a secret in a file is read now."""
        return send([url.reveal() for url in self.urls], message)


def open_apprise(context: NotifierContext) -> AppriseNotifier:
    """Open it for `lyricsyncd.registry`.

    Raises
    ------
    ImportError
        There are addresses, and Apprise is not installed.
    """
    urls = context.notify.urls
    if urls and importlib.util.find_spec("apprise") is None:
        raise ImportError("No module named 'apprise'")
    return AppriseNotifier(urls)


def send(urls: Sequence[str], message: Message) -> bool:
    """Send a message from another process; return whether all addresses took it."""
    order = json.dumps({"urls": list(urls), "title": message.title, "body": message.body})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lyricsyncd.notifications.apprise"],
            input=order,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=_SEND_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _main() -> int:
    import apprise

    order = json.load(sys.stdin)
    sender = apprise.Apprise()
    valid = [sender.add(url) for url in order["urls"]]
    sent = sender.notify(body=order["body"], title=order["title"])
    return 0 if sent and all(valid) else 1


if __name__ == "__main__":
    sys.exit(_main())
