"""Place words in this process, if no service answers and lyricsyncd is installed here."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from beetsplug.lyricsync import songs

if TYPE_CHECKING:
    import logging

    from beets.library import Item

    from lyricsyncd import Lyrics, LyricSyncPipeline, SyncResult
    from lyricsyncd.config.schema import Config

_STATES = {
    "words": "done",
    "mixed": "mixed",
    "lines": "lines",
    "review": "review",
    "none": "review",
}


def possible() -> bool:
    """Return whether lyricsyncd is installed in beets' environment."""
    return importlib.util.find_spec("lyricsyncd") is not None


def sync(
    items: Sequence[Item],
    say: Callable[[str], None],
    log: logging.Logger,
    *,
    force: bool,
    pretend: bool,
    shown: bool,
) -> None:
    """Find the words of songs, place them, and write them as lyricsyncd's configuration says.

    A song that fails is logged, and the next one is taken.

    Parameters
    ----------
    force
        Also songs that are done already.
    pretend
        Only show which songs would be taken.
    shown
        Show how far each song is; the terminal has a line more for as long.
    """
    wanted = [item for item in items if force or item.get(songs.STATE) not in songs.FINISHED]
    if pretend:
        for item in wanted:
            say(f"would be done: {item}")
        return
    from lyricsyncd import LyricSyncPipeline
    from lyricsyncd.cli.console import progress
    from lyricsyncd.config.reader import load
    from lyricsyncd.errors import LyricsNotFound, LyricsyncError

    config = load()
    pipeline = LyricSyncPipeline(config=config)
    for at, item in enumerate(wanted, 1):
        name = item.title or Path(songs.path_of(item)).stem
        with progress(f"{at} of {len(wanted)}: {name}", shown=shown) as show:
            try:
                state, quality, text = _one(pipeline, config, item, show)
            except LyricsNotFound as error:
                state, quality, text = "no_lyrics", None, error.message
            except (LyricsyncError, OSError) as error:
                state, quality, text = "failed", None, str(error)
                log.warning("{}: {}", item, error)
        if songs.learn(item, state, quality):
            item.store()
        say(f"{text}: {item}")


def _one(
    pipeline: LyricSyncPipeline, config: Config, item: Item, progress: Callable[[str, float], None]
) -> tuple[str, float | None, str]:
    """Place the words of a song; return its state, its quality score, and a description."""
    from lyricsyncd.tags import Journal, write_lyrics

    path = Path(songs.path_of(item))
    progress("lyrics", 0.0)
    result = pipeline.sync(path, lyrics=_words(item, path), progress=progress)
    if result.lyrics.instrumental or not result.lyrics.words:
        return "instrumental", result.quality_score, "instrumental"
    if result.may_write:
        write_lyrics(path, result.lyrics, config.output, journal=Journal())
    return _STATES[result.decision.value], result.quality_score, _description(result)


def _description(result: SyncResult) -> str:
    state = _STATES[result.decision.value]
    why = f", {result.reason}" if state == "review" else ""
    return f"{state} ({result.quality_score:.2f}{why})"


def _words(item: Item, path: Path) -> Lyrics | None:
    """Return the lyrics that only beets has: found by its `lyrics` plugin, and not written."""
    from lyricsyncd.lyrics.files import parse
    from lyricsyncd.lyrics.local import LocalSource
    from lyricsyncd.model import Track

    words = songs.words_of(item)
    if not words or item.get("lyrics_translation_language"):
        return None
    if any(not found.ours for found in LocalSource().find(Track(path=path))):
        return None
    lyrics = parse(words, f"beets' lyrics of {path}")
    return lyrics if lyrics.words else None
