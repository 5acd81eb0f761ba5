"""Keep the results of songs for review, and what a person chose for them."""

from __future__ import annotations

import sqlite3

from lyricsyncd.catalog import drafts
from lyricsyncd.catalog.drafts import Choices, Draft
from lyricsyncd.catalog.queries import Queries
from lyricsyncd.errors import LyricsyncError

MOST_WRITTEN = 20_000
"""Drafts of written songs that are kept, the newest. Those of songs for review, and those that a
person changed, are always kept."""


class Outdated(LyricsyncError):
    """A draft was changed since it was read."""


class KeptResults(Queries):
    """Drafts and choices of songs, in the catalog."""

    def draft(self, id: int) -> Draft | None:
        """Return the draft of a song; ``None`` where there is none."""
        row = self.read(
            lambda db: db.execute(
                "SELECT revision, at, by_hand, body FROM drafts WHERE id = ?", (id,)
            ).fetchone()
        )
        if row is None:
            return None
        revision, at, by_hand, body = row
        return drafts.unpack(body, revision=revision, at=at, by_hand=bool(by_hand))

    def revision(self, id: int) -> int:
        """Return the revision of a song's draft; 0 where there is none."""
        return self.read(lambda db: _revision(db, id))

    def edit(self, id: int, draft: Draft, revision: int) -> int:
        """Store a draft that a person changed.

        Parameters
        ----------
        revision : int
            Of the draft that was changed; 0 for a song without one.

        Returns
        -------
        int
            The new revision.

        Raises
        ------
        Outdated
            The draft has been changed meanwhile, by another person or by a new run.
        """
        now = self.clock()

        def edit(db: sqlite3.Connection) -> int:
            if _revision(db, id) != revision:
                raise Outdated("The words have been changed meanwhile", remedy="Load them again")
            put(db, id, draft, now, by_hand=True)
            return _revision(db, id)

        return self.write(edit)

    def drafts_since(self, since: float, limit: int) -> list[tuple[int, int]]:
        """List the songs, with their revisions, whose drafts were stored after a moment."""
        query = "SELECT id, revision FROM drafts WHERE at > ? ORDER BY at LIMIT ?"
        rows = self.read(lambda db: db.execute(query, (since, limit)).fetchall())
        return [(id, revision) for id, revision in rows]

    def choices(self, id: int) -> Choices:
        """Return what a person chose for a song."""
        row = self.read(
            lambda db: db.execute("SELECT body FROM choices WHERE id = ?", (id,)).fetchone()
        )
        return Choices() if row is None else drafts.unpack_choices(row[0])

    def choose(self, id: int, choices: Choices) -> None:
        """Store what a person chose for a song."""
        self.write(lambda db: put_choices(db, id, choices))

    def chosen_for(self) -> list[int]:
        """List the songs that a person chose something for."""
        rows = self.read(lambda db: db.execute("SELECT id FROM choices ORDER BY id").fetchall())
        return [id for (id,) in rows]


def put(db: sqlite3.Connection, id: int, draft: Draft, now: float, *, by_hand: bool) -> None:
    """Store a draft as the next revision."""
    db.execute(
        "INSERT INTO drafts (id, revision, at, by_hand, body) VALUES (?, 1, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET revision = revision + 1, at = excluded.at,"
        " by_hand = excluded.by_hand, body = excluded.body",
        (id, now, by_hand, drafts.pack(draft)),
    )


def put_placed(
    db: sqlite3.Connection, id: int, draft: Draft, now: float, *, requested: bool
) -> None:
    """Store the draft of a run; what a person changed is only replaced where a person requested
    the run."""
    row = db.execute("SELECT by_hand FROM drafts WHERE id = ?", (id,)).fetchone()
    if row is None or not row[0] or requested:
        put(db, id, draft, now, by_hand=False)


def put_choices(db: sqlite3.Connection, id: int, choices: Choices) -> None:
    if choices == Choices():
        db.execute("DELETE FROM choices WHERE id = ?", (id,))
    else:
        body = drafts.pack_choices(choices)
        db.execute("INSERT OR REPLACE INTO choices VALUES (?, ?)", (id, body))


def prune(db: sqlite3.Connection, most_written: int = MOST_WRITTEN) -> None:
    """Delete what belongs to songs that were forgotten, and the oldest drafts of written songs."""
    for table in ("drafts", "choices"):
        db.execute(f"DELETE FROM {table} WHERE id NOT IN (SELECT id FROM tracks)")
    db.execute(
        "DELETE FROM drafts WHERE id IN (SELECT d.id FROM drafts d JOIN tracks t ON t.id = d.id"
        " WHERE d.by_hand = 0 AND t.state != 'review' ORDER BY d.at DESC LIMIT -1 OFFSET ?)",
        (most_written,),
    )


def _revision(db: sqlite3.Connection, id: int) -> int:
    row = db.execute("SELECT revision FROM drafts WHERE id = ?", (id,)).fetchone()
    return 0 if row is None else int(row[0])
