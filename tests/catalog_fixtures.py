"""Catalogs as each version of the schema left them, as SQL in ``tests/data/catalogs``.

``python -m tests.catalog_fixtures`` adds those of new steps. Existing ones are never made anew:
they stand for the catalogs that are out there.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from lyricsyncd.catalog import migrations
from lyricsyncd.catalog.drafts import Choices, Draft, pack, pack_choices
from lyricsyncd.model import Line, Lyrics, Word

FOLDER = Path(__file__).parent / "data" / "catalogs"
LYRICS = Lyrics(
    (Line((Word("Twinkle,", 5.0, 5.8, 0.9), Word("twinkle", 6.0, 6.9, 0.2)), 5.0, 6.9),),
    language="en",
    source="lrclib",
)
DRAFT = Draft(LYRICS, 0.83, "words", "83 %", "en", "spleeter", "sphinx")
CHOICES = Choices("de", LYRICS, frozenset({"abc"}), ((0, 5.1),))
STATES = ("pending", "working", "done", "lines", "review", "no_lyrics", "instrumental", "failed")
PATHS = [f"/music/{state}.mp3".encode() for state in (*STATES, "ignored")]
PATHS.append(b"/music/caf\xe9 \xff.mp3")
"""Not UTF-8: a path is bytes."""


def file_of(number: int) -> Path:
    """Return the fixture of a catalog that has taken so many steps."""
    return FOLDER / f"{number:04}.sql"


def made(number: int) -> str:
    """Return the SQL of a catalog with songs in every state, as the first steps leave it."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrations.migrate(db, migrations.STEPS[:number])
    db.execute("UPDATE migrations SET applied_at = 1.7e9")
    columns = {row[1] for row in db.execute("PRAGMA table_info(tracks)")}
    states = [*STATES, "ignored", "mixed" if number >= 6 else "done"]
    for id, (path, state) in enumerate(zip(PATHS, states, strict=True), 1):
        values = {
            "id": id,
            "path": path,
            "folder": b"/music",
            "library": b"/music",
            "size": 1000 + id,
            "mtime_ns": 1_700_000_000_000_000_000 + id,
            "inode": id,
            "state": state,
            "priority": 0,
            "why": "scan",
            "enqueued_at": 1.7e9,
            "next_attempt_at": 1.7e9 if state == "pending" else None,
            "artist": "Jane",
            "title": f"Song {id}",
            "album": "Stars",
            "duration": 200.0 + id,
            "finished_at": 1.7e9 + id,
            "quality": 0.5,
            "decision": {"done": "words", "mixed": "mixed", "lines": "lines"}.get(state, "review"),
            "reason": "A person accepted its words" if id == 4 else "50 % of the words are sure",
            "separator": "spleeter",
            "aligner": "sphinx",
            "stages": '{"align": 5.5}',
            "written": '["/music/a.lrc"]',
            "waits_for": "lrclib.net" if state == "pending" else None,
        }
        kept = {name: value for name, value in values.items() if name in columns}
        marks = ", ".join("?" * len(kept))
        db.execute(f"INSERT INTO tracks ({', '.join(kept)}) VALUES ({marks})", [*kept.values()])
    db.execute("INSERT INTO libraries VALUES (?, 1.7e9, 1.7e9)", (b"/music",))
    db.execute("INSERT INTO settings VALUES ('paused', '1')")
    if number >= 3:
        db.execute("INSERT INTO folders VALUES (?, 1)", (b"/music/Podcasts",))
    if number >= 5:
        db.execute("INSERT INTO drafts VALUES (3, 2, 1.7e9, 1, ?)", (pack(DRAFT),))
        db.execute("INSERT INTO choices VALUES (3, ?)", (pack_choices(CHOICES),))
    return "\n".join(db.iterdump()) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for number in range(1, len(migrations.STEPS) + 1):
        if not file_of(number).exists():
            file_of(number).write_text(made(number), encoding="utf-8")
