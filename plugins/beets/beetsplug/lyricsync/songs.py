"""What this plugin reads from beets' items and keeps in them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from beets.util import syspath
from mediafile import MediaFile, UnreadableFileError

from beetsplug.lyricsync import guard

if TYPE_CHECKING:
    from beets.library import Item, Library

STATE, QUALITY, SEEN = "lyricsync_state", "lyricsync_quality", "lyricsync_seen"
"""Fields of an item: where the service is with it, how sure it is of the times, and the fingerprint
of its `lyrics` when we saw them last."""
FINISHED = frozenset({"done", "mixed", "lines", "instrumental"})
"""States in which there is nothing left to do."""


def path_of(item: Item) -> str:
    """Where the song is."""
    return os.fsdecode(item.path)


def words_of(item: Item) -> str:
    """Its lyrics as beets has them; empty for none."""
    return item.lyrics or ""


def words_in(path: bytes) -> str:
    """The lyrics in a file's tags; empty for none, and for what is no song."""
    try:
        return MediaFile(syspath(path)).lyrics or ""
    except UnreadableFileError:
        return ""


def seen_of(item: Item) -> str | None:
    """The fingerprint of its lyrics when we saw them last, if we ever did."""
    seen = item.get(SEEN, with_album=False)
    if seen:
        return str(seen)
    # That there were none is not written down: it is so of most songs of an import.
    return guard.NO_WORDS if item.get(STATE, with_album=False) else None


def learn(item: Item, state: str, quality: float | None = None) -> bool:
    """Keep in an item what became of it; whether that is news. `Item.store` must follow."""
    before = {key: item.get(key, with_album=False) for key in (STATE, QUALITY, SEEN, "lyrics")}
    seen = seen_of(item)
    item[STATE] = state
    if quality is not None:
        item[QUALITY] = round(quality, 4)
    if seen is None and (words := words_of(item)):
        item[SEEN] = guard.fingerprint(words)
    if state in FINISHED:
        _take_over(item, seen)
    return any(item.get(key, with_album=False) != value for key, value in before.items())


def saw(item: Item) -> None:
    """Keep in an item that it has these words when it is imported. `Item.store` must follow."""
    item[SEEN] = guard.fingerprint(words_of(item))


def queued(lib: Library, items: Iterable[Item]) -> None:
    """Keep in the library that items of an import wait for the service.

    All at once: to store them one by one takes as long as a part of the import.
    """
    for page in _pages(items):
        without = [item for item in page if not words_of(item)]
        with lib.transaction() as transaction:
            # In one that is imported anew.
            transaction.mutate(*_forgotten(SEEN, without))
            marks = ",".join("?" * len(page))
            transaction.mutate(
                "INSERT OR REPLACE INTO item_attributes (entity_id, key, value)"
                f" SELECT id, ?, ? FROM items WHERE id IN ({marks})",
                (STATE, "pending", *(item.id for item in page)),
            )


def not_queued(lib: Library, items: Iterable[Item]) -> None:
    """Take that back."""
    for page in _pages(items):
        with lib.transaction() as transaction:
            transaction.mutate(*_forgotten(STATE, page))


def _forgotten(key: str, items: Sequence[Item]) -> tuple[str, tuple[Any, ...]]:
    marks = ",".join("?" * len(items))
    statement = f"DELETE FROM item_attributes WHERE key = ? AND entity_id IN ({marks})"
    return statement, (key, *(item.id for item in items))


def _pages(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Older SQLite takes no more than 999 values."""
    left = iter(items)
    while page := list(itertools.islice(left, 900)):
        yield page


def _take_over(item: Item, seen: str | None) -> None:
    """The lyrics in the file become beets', where beets' own are older."""
    file = words_in(item.path)
    verdict = guard.decide(words_of(item), file, changed_now=False, seen=seen)
    if verdict is guard.Keep.YES:
        item["lyrics"] = file
        item["mtime"] = item.current_mtime()
        item[SEEN] = guard.fingerprint(file)


def fill_in(item: Item) -> bool:
    """Put words that beets has found, and not written, into a file without; whether that was so.

    The `lyrics` plugin leaves them in the database when an import takes the tags as they are.

    Raises
    ------
    OSError, mediafile.UnreadableFileError
        They cannot be written.
    """
    words = words_of(item)
    if not words or item.get("lyrics_translation_language", with_album=False):
        return False
    file = MediaFile(syspath(item.path))
    if file.lyrics:
        return False
    file.lyrics = words
    file.save()
    item["mtime"] = item.current_mtime()
    return True


def protect(item: Item, path: bytes, tags: dict[str, Any]) -> guard.Keep:
    """Called with what is about to be written into a file: takes out of it what must not be."""
    if "lyrics" not in tags:
        return guard.Keep.NO
    going_in = str(tags["lyrics"] or "")
    # The command that writes has changed them, and not stored that yet.
    changed_now = "lyrics" in item._dirty
    file = "" if changed_now else words_in(path)
    verdict = guard.decide(going_in, file, changed_now=changed_now, seen=seen_of(item))
    if verdict is not guard.Keep.NO:
        del tags["lyrics"]
        tags.pop("synced_lyrics", None)
    if verdict is guard.Keep.YES:
        item["lyrics"] = going_in = file
    if verdict is not guard.Keep.BESIDE:
        seen, now = seen_of(item), guard.fingerprint(going_in)
        if seen is not None and seen != now:
            item[SEEN] = now
    return verdict
