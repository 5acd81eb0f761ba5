"""Have the stems of a song written for karaoke, where the configuration asks for them.

It comes after the words: they are written by then, and whatever goes wrong here is a warning in the
log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyricsyncd.config.paths import state_dir
from lyricsyncd.config.schema import Output
from lyricsyncd.errors import LyricsyncError
from lyricsyncd.pipeline.settings import placing_settings
from lyricsyncd.separate.stems import stems_of
from lyricsyncd.work import policy, worker
from lyricsyncd.work.worker_pool import WorkerPool

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.work.song_executor import SongExecutor

log = logging.getLogger(__name__)

_FOLDER = "karaoke"


def folder_of(song: Path, config: Config) -> Path | None:
    """Return the folder for the stems of a song; ``None`` where none are wanted.

    Below the configured folder the names are those below the library, so that no two songs meet;
    if that folder is the library itself, the stems lie beside the song.
    """
    output = config.output
    if not isinstance(output, Output) or not output.karaoke:
        return None
    folder = output.karaoke_folder or state_dir() / _FOLDER
    for library in config.libraries:
        if song.is_relative_to(library.path):
            return folder / song.parent.relative_to(library.path)
    return folder


def write_stems(
    song: Path,
    config: Config,
    duration: float | None,
    executor: SongExecutor,
    submitted: Callable[[Future[Any]], None],
    progress: Callable[[str, float], None],
) -> None:
    """Write the stems of a song, unless they are there and newer than the song."""
    folder = folder_of(song, config)
    if folder is None or not isinstance(config.output, Output):
        return
    if not isinstance(executor, WorkerPool):
        log.debug("no stems: songs are placed on other computers")
        return
    suffix = config.output.karaoke_format
    if _is_new(song, folder, suffix):
        return
    try:
        future = executor.submit_within(
            policy.time_limit(duration),
            progress,
            *(worker.stems, placing_settings(config), song, folder, suffix),
        )
        submitted(future)
        future.result()
    except (LyricsyncError, CancelledError, OSError) as error:
        log.warning("no stems for karaoke of %s: %s", song, error)


def _is_new(song: Path, folder: Path, suffix: str) -> bool:
    stems = stems_of(song, folder, suffix)
    try:
        made = min(stem.stat().st_mtime for stem in (stems.instrumental, stems.vocals))
        return made >= song.stat().st_mtime
    except OSError:
        return False
