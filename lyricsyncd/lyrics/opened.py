"""The sources that a configuration names, opened once: they keep connections and a rate limit."""

from __future__ import annotations

import functools
import json
import logging
from typing import TYPE_CHECKING

from lyricsyncd import registry
from lyricsyncd.errors import ModelError, SourceError
from lyricsyncd.registry import SourceContext

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config, LyricsSources
    from lyricsyncd.lyrics.base import Source

TRANSCRIPT = "transcript"
"""The source that needs the audio: it is part of the pipeline (`lyricsyncd.lyrics.transcript`)."""

_log = logging.getLogger(__name__)


def sources(config: Config) -> tuple[Source, ...]:
    """Open the sources of a configuration in their order, or return those already open.

    A source that cannot be opened is logged and left out: it costs no song.
    """
    return _opened(config.lyrics, json.dumps(config.plugins, default=str))


@functools.lru_cache(maxsize=4)
def _opened(lyrics: LyricsSources, plugins: str) -> tuple[Source, ...]:
    settings = json.loads(plugins)
    found: list[Source] = []
    for name in dict.fromkeys(lyrics.order):
        try:
            if name != TRANSCRIPT:
                context = SourceContext(lyrics, settings.get(name, {}))
                found.append(registry.sources.open(name, context))
        except (SourceError, ModelError) as error:
            _log.warning("%s", error)
    return tuple(found)


def forget_plugins() -> None:
    """Open the sources anew when they are next needed."""
    _opened.cache_clear()
