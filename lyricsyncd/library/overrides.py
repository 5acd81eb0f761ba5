"""Apply the settings that a configuration has for parts of a library to the songs in them."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import Catalog, Priority, Request
from lyricsyncd.catalog.records import SKIPPED_BY_SETTINGS, Subject
from lyricsyncd.library.roots import libraries_of, library_of
from lyricsyncd.library.rules import IgnoreFiles, Overridden, Rules

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config

log = logging.getLogger(__name__)


def of_song(path: Path, root: Path | None, config: Config, *, by_hand: bool = False) -> Overridden:
    """Return the settings of a song in the library with a root.

    A song that the configuration leaves out by now is skipped, too: it may have been queued before.

    Parameters
    ----------
    by_hand : bool
        Whether a person named it, or its folder, which need not be a library then.
    """
    for library in config.libraries:
        rules = Rules.of(library)
        if rules.root == root and rules.root in path.parents:
            return _of(path, rules)
    # The library may have another root by now: a folder above that one, say, or a link to it.
    found = library_of(path, libraries_of(config.libraries))
    if found is not None:
        return _of(found[1], found[0])
    # Without any library in it, a configuration does not say where songs are.
    removed = bool(config.libraries) and not by_hand
    return Overridden(skipped_by=_REMOVED) if removed else Overridden()


_LEFT_OUT = "include, exclude, follow_links or an ignore file"
_REMOVED = "it is in none of its libraries"


def _of(path: Path, rules: Rules, ignore_files: IgnoreFiles | None = None) -> Overridden:
    settings = rules.overridden(path)
    if settings.skipped_by or rules.admits(path, ignore_files):
        return settings
    return dataclasses.replace(settings, skipped_by=_LEFT_OUT)


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


def apply(catalog: Catalog, config: Config) -> None:
    """Apply the overrides to the songs that are known already, after a change of the configuration.

    Songs that an override skips, or that their library leaves out, are left alone even while they
    wait; those that none skips any more are queued. Words that were placed with other settings are
    placed again, behind all other songs. What is done stays where a person touched it, and where
    the configuration skips it now.
    """
    _queue_unskipped(catalog, config)
    of = _Lookup(config)
    skipped = {
        song.id: skip_reason(settings)
        for song in catalog.awaiting_work(of.libraries)
        if (settings := of(song)).skipped_by
    }
    if skipped and (count := catalog.skip_by_settings(skipped)):
        log.info("%d songs are left alone, as the configuration says", count)
    if count := catalog.redo(placed_otherwise(catalog, config)):
        log.info("%d songs are placed again, since the configuration changed for them", count)


def placed_otherwise(catalog: Catalog, config: Config) -> list[int]:
    """List the songs whose words were placed with other settings than they have now."""
    of = _Lookup(config)
    return [
        song.id
        for song in catalog.placed_by_models(of.libraries)
        if not (settings := of(song)).skipped_by
        and not settings.agrees(song.overrides, song.language)
    ]


class _Lookup:
    """The settings of songs, for many of them."""

    def __init__(self, config: Config) -> None:
        self._ignore_files = IgnoreFiles()
        self._rules = {
            rules.root: rules
            for library in config.libraries
            if library.overrides or library.include or library.exclude or not library.follow_links
            for rules in (Rules.of(library),)
        }
        self.libraries = tuple(self._rules)
        """Those that have settings for some of their songs."""

    def __call__(self, song: Subject) -> Overridden:
        rules = self._rules.get(song.library)
        if rules is None or rules.root not in song.path.parents:
            return Overridden()
        return _of(song.path, rules, self._ignore_files)


def _queue_unskipped(catalog: Catalog, config: Config) -> None:
    """Queue the songs that an earlier configuration skipped and this one does not."""
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
