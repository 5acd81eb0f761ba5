"""Word-by-word synced lyrics for every song you own.

>>> from lyricsyncd import LyricSyncPipeline
>>> result = LyricSyncPipeline().sync("song.mp3", lyrics="Row your boat")  # doctest: +SKIP
>>> print(result.to_lrc())  # doctest: +SKIP
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Libraries report their use to their makers unless that is switched off before they are loaded:
# onnxruntime (1.32 keeps a number of the computer in ~/.cache/Microsoft), the Hugging Face hub.
for _variable in ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY"):
    os.environ.setdefault(_variable, "1")

if TYPE_CHECKING:
    from lyricsyncd.lyrics import fetch_lyrics
    from lyricsyncd.model import Line, Lyrics, SongIdentification, Track, Word
    from lyricsyncd.pipeline.pipeline import LyricSyncPipeline
    from lyricsyncd.pipeline.result import SyncResult

__all__ = [
    "Line",
    "LyricSyncPipeline",
    "Lyrics",
    "SongIdentification",
    "SyncResult",
    "Track",
    "Word",
    "fetch_lyrics",
]

# Loaded on first use, so that `import lyricsyncd` and `lyricsyncd --help` stay quick.
_HOME = {
    "Line": "lyricsyncd.model",
    "LyricSyncPipeline": "lyricsyncd.pipeline.pipeline",
    "Lyrics": "lyricsyncd.model",
    "SongIdentification": "lyricsyncd.model",
    "SyncResult": "lyricsyncd.pipeline.result",
    "Track": "lyricsyncd.model",
    "Word": "lyricsyncd.model",
    "fetch_lyrics": "lyricsyncd.lyrics",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOME[name]), name)
