"""Run in the model worker's process: place words, with models that stay loaded between songs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lyricsyncd.pipeline.placer import Placer
    from lyricsyncd.pipeline.prepared import Answer, Prepared
    from lyricsyncd.pipeline.settings import PlacingSettings
    from lyricsyncd.work.prefetch import PrefetchingReader


def place(
    settings: PlacingSettings,
    prepared: Prepared,
    *,
    progress: Callable[[str, float], None] | None = None,
) -> Answer:
    """Place words that were found, with models that stay loaded between calls."""
    return _placer(settings).place(prepared, progress=progress)


def stems(
    settings: PlacingSettings,
    song: Path,
    folder: Path,
    suffix: str,
    *,
    progress: Callable[[str, float], None] | None = None,
) -> None:
    """Write the instrumental and the vocals of a song; see `lyricsyncd.separate.stems`."""
    from lyricsyncd.separate.stems import write_stems

    write_stems(song, folder, _placer(settings).models.separator().opened(), suffix, progress)


def pair(
    settings: PlacingSettings,
    song: Path,
    target: Path,
) -> bytes:
    """Write the vocals and the rest of a song as one file; see `lyricsyncd.separate.stems`."""
    from lyricsyncd.separate.stems import write_pair

    return write_pair(song, target, _placer(settings).models.separator().opened())


def prefetch(song: Path) -> None:
    """Decode the next song while another one is being placed."""
    _reader().prefetch(song)


def packets_digest(song: Path) -> str:
    """Compute the hash of a song's audio packets; see `lyricsyncd.audio.packets_digest`."""
    from lyricsyncd import audio

    return audio.packets_digest(song)


_warm: Placer | None = None


def _placer(settings: PlacingSettings) -> Placer:
    global _warm
    if _warm is None or _warm.settings != settings:
        from lyricsyncd.pipeline.placer import Placer

        _warm = Placer(settings, read=_reader().blocks)
    return _warm


@functools.cache
def _reader() -> PrefetchingReader:
    from lyricsyncd.work.prefetch import PrefetchingReader

    return PrefetchingReader()
