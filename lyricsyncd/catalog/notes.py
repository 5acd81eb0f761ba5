"""Note texts under names: what the service leaves for other processes, and for its next start."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Sequence

from lyricsyncd.catalog.database import Database
from lyricsyncd.catalog.records import Rest
from lyricsyncd.catalog.rows import setting


class Notes(Database):
    """The noted texts of the catalog."""

    def noted(self, name: str) -> str | None:
        """Return a text that the service noted under a name."""
        return self.read(lambda db: setting(db, name))

    def note(self, name: str, text: str) -> None:
        """Keep a text under a name, over restarts; `noted` returns it."""
        self.write(lambda db: _set(db, name, text))

    @property
    def paused(self) -> bool:
        """Return whether no more songs are leased."""
        return self.read(lambda db: setting(db, "paused")) == "1"

    def pause(self) -> None:
        """Lease no more songs until `resume`, even after a restart."""
        self.write(lambda db: _set(db, "paused", "1"))

    def resume(self) -> None:
        """Go on after `pause`."""
        self.write(lambda db: _set(db, "paused", "0"))

    @property
    def settings_error(self) -> str | None:
        """Return what is wrong with the settings, as the service noted it last."""
        return self.read(lambda db: setting(db, "settings_error")) or None

    def note_settings_error(self, why: str) -> None:
        """Note what is wrong with the settings, so that no song is taken up; nothing where all is
        well."""
        self.write(lambda db: _set(db, "settings_error", why))

    @property
    def quiet(self) -> str | None:
        """Return why only what a person waits for is done now, as the service noted it last."""
        return self.read(lambda db: setting(db, "quiet")) or None

    def note_quiet(self, why: str) -> None:
        """Note why only what a person waits for is done now; empty where all is."""
        self.write(lambda db: _set(db, "quiet", why))

    def rests(self) -> list[Rest]:
        """Return the hosts that are left alone, as the service noted them last."""
        noted = self.read(lambda db: setting(db, "rests"))
        return [Rest(**rest) for rest in json.loads(noted or "[]")]

    def note_rests(self, rests: Sequence[Rest]) -> None:
        """Note which hosts are left alone, for other processes; see `rests`."""
        value = json.dumps([dataclasses.asdict(rest) for rest in rests])
        self.write(lambda db: _set(db, "rests", value))

    def try_to_write(self) -> None:
        """Write a value without a meaning, to try the catalog.

        Raises
        ------
        WriteError
            Nothing else could be written either.
        """
        now = self.clock()
        self.write(lambda db: _set(db, "tried", str(now)))


def _set(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))
