"""What this plugin reads from beets' items and keeps in them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from beets.util import syspath
from mediafile import MediaFile, UnreadableFileError

from beetsplug.lyricsync import guard

if TYPE_CHECKING:
    from beets.library import Item

STATE, QUALITY, SEEN = "lyricsync_state", "lyricsync_quality", "lyricsync_seen"
"""Fields of an item: where the service is with it, how sure it is of the times, and the fingerprint
of its `lyrics` when we saw them last."""
_NONE = guard.fingerprint("")
FINISHED = frozenset({"done", "lines", "instrumental"})
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
    return _NONE if item.get(STATE, with_album=False) else None


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


def queue(item: Item) -> bool:
    """Keep in an item that it waits for the service; whether that is news."""
    words = words_of(item)
    seen = guard.fingerprint(words) if words else None
    if item.get(STATE, with_album=False) == "pending" and item.get(SEEN, with_album=False) == seen:
        return False
    item[STATE] = "pending"
    if seen is not None:
        item[SEEN] = seen
    elif SEEN in item:
        del item[SEEN]
    return True


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
