"""Report what beets imports to lyricsyncd, and protect the lyrics that lyricsyncd writes.

::

    plugins: lyricsync
    lyricsync:
        url: http://127.0.0.1:8786
        token: ''          # if the service has one
        auto: yes          # report every import
        sidecars: yes      # move sidecars of songs along when they are imported
"""

from __future__ import annotations

import importlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from beets import ui
from beets.dbcore import types
from beets.plugins import BeetsPlugin
from beets.util import ancestry, displayable_path
from mediafile import UnreadableFileError

from beetsplug.lyricsync import beside, guard, songs
from beetsplug.lyricsync.command import command
from beetsplug.lyricsync.outbox import Outbox

if TYPE_CHECKING:
    from beets.importer import ImportTask
    from beets.library import Item, Library

    from beetsplug.lyricsync.service import Service

__all__ = ["LyricsyncPlugin"]


class LyricsyncPlugin(BeetsPlugin):
    """The plugin, as beets loads it."""

    item_types: ClassVar[dict[str, types.Type]] = {
        songs.STATE: types.STRING,
        songs.QUALITY: types.Float(2),
        songs.SEEN: types.STRING,
    }

    def __init__(self) -> None:
        super().__init__()
        self.config.add(
            {
                "url": "http://127.0.0.1:8786",
                "token": "",
                "auto": True,
                "timeout": 1.5,
                "sidecars": True,
            }
        )
        self.config["token"].redact = True
        self._outbox = Outbox()
        self._imported: dict[str, Item] = {}
        self._gave_up = False
        self.register_listener("write", self.before_write)
        self.register_listener("after_write", self.after_write)
        if self.config["sidecars"].get(bool):
            self.register_listener("item_moved", self.came_by_moving)
            for event in ("item_copied", "item_linked", "item_hardlinked", "item_reflinked"):
                self.register_listener(event, self.came_by_copying)
        if self.config["auto"].get(bool):
            self.register_listener("import_begin", self.import_begins)
            self.register_listener("import_task_files", self.task_imported)
            self.register_listener("import", self.import_ended)
            self.register_listener("item_moved", self.item_moved)
            self.register_listener("item_removed", self.item_removed)
            self.register_listener("cli_exit", self.cli_exit)

    def commands(self) -> list[ui.Subcommand]:
        """`beet lyricsync`."""
        return [command(self.service, self._log)]

    def service(self) -> Service:
        """The service, as configured.

        Raises
        ------
        Trouble
            The configured address is none.
        """
        from beetsplug.lyricsync.service import Service

        return Service(
            self.config["url"].as_str(),
            self.config["token"].as_str(),
            self.config["timeout"].as_number(),
        )

    # What happens in the library

    def import_begins(self, **_: object) -> None:
        """What the message at the end needs is loaded while beets waits for the disk."""
        needed = "beetsplug.lyricsync.service"
        threading.Thread(target=importlib.import_module, args=(needed,), daemon=True).start()

    def task_imported(self, task: ImportTask, **_: object) -> None:
        """An album or a song has its final place."""
        for item in task.imported_items():
            if songs.words_of(item):
                self._has_words(item)
            path = songs.path_of(item)
            self._outbox.imported(path)
            self._imported[path] = item

    def came_by_moving(self, item: Item, source: bytes, destination: bytes) -> None:
        """beets has moved a song: into its library, or within it."""
        self._carry(item, source, destination, move=True)

    def came_by_copying(self, item: Item, source: bytes, destination: bytes) -> None:
        """beets has copied or linked a song."""
        self._carry(item, source, destination, move=False)

    def _carry(self, item: Item, source: bytes, destination: bytes, *, move: bool) -> None:
        library = item._db
        # Within the library the service moves its own files along.
        if library is None or library.directory in ancestry(source):
            return
        try:
            old, new = Path(os.fsdecode(source)), Path(os.fsdecode(destination))
            for path in beside.carry(old, new, move=move):
                self._log.info("the words beside the song came along: {}", path.name)
        except OSError as error:
            self._log.warning("words stay beside {}: {}", displayable_path(source), error.strerror)

    def _has_words(self, item: Item) -> None:
        songs.saw(item)
        if ui.should_write():
            try:
                songs.fill_in(item)
            except (OSError, UnreadableFileError) as error:
                self._log.warning("the lyrics cannot be written into the file: {}", error)
        item.store()

    def import_ended(self, lib: Library, **_: object) -> None:
        """Send one request for a whole import."""
        self._send(lib)

    def item_moved(self, source: bytes, destination: bytes, **_: object) -> None:
        """Note that a song has a new path."""
        self._outbox.moved(os.fsdecode(source), os.fsdecode(destination))

    def item_removed(self, item: Item) -> None:
        """Note that a song was removed; with `-d` its file is deleted right after this."""
        self._outbox.removed(songs.path_of(item))

    def cli_exit(self, lib: Library, **_: object) -> None:
        """Send what is left when beets ends."""
        self._send(lib)

    def _send(self, lib: Library) -> None:
        events = self._outbox.take()
        imported, self._imported = self._imported, {}
        if not events or self._gave_up:
            songs.queued(lib, imported.values())
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as other:
            sent = other.submit(self._report, events)
            # Meanwhile beets' database is written.
            songs.queued(lib, imported.values())
        outside = [
            event["path"]
            for event, result in zip(events, sent.result(), strict=False)
            if event["event"] != "removed" and result["result"] in ("outside", "not_found")
        ]
        if outside:
            songs.not_queued(lib, [imported[path] for path in outside if path in imported])
            self._log.warning(
                "{} songs are in none of the service's libraries: look at its `libraries`, and at "
                "`web.path_map` where it sees them under other names",
                len(outside),
            )

    def _report(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send events to the service; return their results, or none if it cannot be reached."""
        from beetsplug.lyricsync.service import Trouble, Unreachable

        try:
            return self.service().report(events)
        except Trouble as trouble:
            self._gave_up = isinstance(trouble, Unreachable)
            later = "; its next scan finds them" if self._gave_up else ""
            self._log.warning("{} songs are not reported: {}{}", len(events), trouble, later)
            return []

    # What goes into files

    def before_write(self, item: Item, path: bytes, tags: dict[str, Any]) -> None:
        """beets is about to write a file: what the service wrote there stays."""
        if songs.protect(item, path, tags) is guard.Keep.BESIDE:
            self._log.warning(
                "{}: the synced lyrics in the file stay, and beets has others. `beet lyricsync "
                "--pull` takes over those of the file",
                item,
            )

    def after_write(self, item: Item, **_: object) -> None:
        """Some commands write a file and store nothing after it."""
        ours = {songs.SEEN, "lyrics", "mtime"}
        if songs.SEEN in item._dirty and item._dirty <= ours:
            item.store()
