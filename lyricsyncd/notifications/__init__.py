"""Send messages about what was done: one file per notifier.

A notifier of another package is a function ``NotifierContext -> Notifier`` under the entry point
group ``lyricsyncd.notifiers``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """A message to a person: plain text."""

    title: str
    body: str


class Notifier(Protocol):
    """Something that delivers messages."""

    @property
    def idle(self) -> str | None:
        """Why nothing is ever sent, such as a missing address; ``None`` where it is."""
        ...

    def send(self, message: Message) -> bool:
        """Send a message; return whether it was delivered to every address.

        Raises
        ------
        LyricsyncError
            It cannot be sent.
        """
        ...
