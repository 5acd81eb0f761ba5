"""A notifier of another package: it appends messages to a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lyricsyncd.notifications import Message
from lyricsyncd.registry import NotifierContext


@dataclass(frozen=True)
class Notebook:
    """Append messages to a file."""

    file: Path
    idle: str | None = None

    def send(self, message: Message) -> bool:
        """Write the message."""
        with self.file.open("a", encoding="utf-8") as file:
            file.write(f"{message.title}\n{message.body}\n")
        return True


def open_notebook(context: NotifierContext) -> Notebook:
    """Open the file of the settings."""
    return Notebook(Path(context.settings["file"]))
