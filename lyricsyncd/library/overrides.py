"""Apply the settings that a configuration has for parts of a library to the songs in them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import Catalog, Priority, Request
from lyricsyncd.catalog.records import SKIPPED_BY_SETTINGS
from lyricsyncd.library.roots import libraries_of, library_of
from lyricsyncd.library.rules import Overridden, Rules

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config

log = logging.getLogger(__name__)


def of_song(path: Path, root: Path | None, config: Config) -> Overridden:
    """Return the settings of a song in the library with a root; none where that is unknown."""
    for library in config.libraries:
        if library.overrides:
            rules = Rules.of(library)
            if rules.root == root and rules.root in path.parents:
                return rules.overridden(path)
    return Overridden()


def of_file(path: Path, config: Config) -> Overridden:
    """Return the settings of a file, wherever it is."""
    if not any(library.overrides for library in config.libraries):
        return Overridden()
    found = library_of(path.absolute(), libraries_of(config.libraries))
    return Overridden() if found is None else found[0].overridden(found[1])


def with_language(config: Config, settings: Overridden) -> Config:
    """Return a configuration with the language of a song."""
    if settings.language is None:
        return config
    return config.model_copy(update={"language": settings.language})


def skip_reason(settings: Overridden) -> str:
    """Return why a song is skipped, as the catalog records it; empty where it is not."""
    return f"{SKIPPED_BY_SETTINGS}{settings.skipped_by}" if settings.skipped_by else ""


def queue_unskipped(catalog: Catalog, config: Config) -> int:
    """Queue the songs that an earlier configuration skipped and this one does not.

    Returns
    -------
    int
        How many they are.
    """
    requests = [
        Request(
            entry.path,
            Priority.BACKFILL,
            "no longer skipped",
            entry.library,
            entry.fingerprint,
            force=True,
        )
        for entry in catalog.skipped_by_settings()
        if not of_song(entry.path, entry.library, config).skipped_by
    ]
    if requests:
        catalog.enqueue_many(requests)
        log.info("%d songs are no longer skipped by the configuration", len(requests))
    return len(requests)
