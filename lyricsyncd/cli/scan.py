"""``lyricsyncd scan``: look for songs and queue them; with ``--now``, wait until they are done."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lyricsyncd.cli import views
from lyricsyncd.cli.console import print_json, say
from lyricsyncd.cli.options import CONTEXT, config_option, dry_run_option, json_option
from lyricsyncd.cli.plan import show_plan
from lyricsyncd.cli.songs import known_catalog, note_idle, open_catalog, targets_of
from lyricsyncd.errors import Fault, UsageError, errors_of

if TYPE_CHECKING:
    from lyricsyncd.catalog.catalog import Catalog, Entry
    from lyricsyncd.config.schema import Config
    from lyricsyncd.library.rules import Rules
    from lyricsyncd.library.scan import Report


@click.command(context_settings=CONTEXT)
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option(
    "--now", is_flag=True, help="Wait until the songs are done; do them, if no service runs."
)
@config_option
@json_option
@dry_run_option
def scan(
    paths: tuple[Path, ...], now: bool, config: Path | None, as_json: bool, dry_run: bool
) -> None:
    """Look for new and changed songs in PATH, or in all libraries, and queue them.

    With --now, the exit status is 1 if a song failed. With --dry-run, it lists the songs that would
    be queued and those that are skipped, and estimates how long the models would take.
    """
    from lyricsyncd.config.reader import load
    from lyricsyncd.library import overrides
    from lyricsyncd.service.lock import running

    settings = load(config)
    targets = targets_of(paths, settings)
    if dry_run:
        from lyricsyncd.library.plan import plan

        with known_catalog() as known:
            otherwise = set() if known is None else set(overrides.placed_otherwise(known, settings))
            planned = [song for target in targets for song in plan(known, *target, otherwise)]
            show_plan(planned, known, settings, as_json=as_json)
        return
    with open_catalog() as catalog:
        if not running(catalog.path.parent):
            # The service does so itself when it reads the configuration.
            overrides.apply(catalog, settings)
        reports = [_scan(catalog, *target, by_hand=bool(paths)) for target in targets]
        if now:
            # Their settings may have been mended since: they are tried again.
            catalog.make_due(errors_of(Fault.SETTINGS))
        songs = _songs_in(catalog, targets, by_hand=bool(paths)) if now else []
        if now:
            _wait_for(catalog, settings, [entry.id for entry in songs], shown=not as_json)
        after = [entry for entry in (catalog.get(entry.id) for entry in songs) if entry is not None]
    if as_json:
        shown: dict[str, Any] = {"libraries": [_as_dict(report) for report in reports]}
        if now:
            shown["songs"] = [entry.as_dict() for entry in after]
        print_json(shown)
    else:
        for report in reports:
            say(_in_words(report))
        if after:
            views.print_songs(after)
        elif any(report.new or report.changed for report in reports):
            note_idle(catalog)
    if any(entry.state.value == "failed" for entry in after):
        sys.exit(1)


def _scan(catalog: Catalog, rules: Rules, start: Path | None, *, by_hand: bool) -> Report:
    from lyricsyncd.catalog.catalog import Priority, Queued
    from lyricsyncd.library.rules import is_song
    from lyricsyncd.library.scan import Report, reconcile

    priority = Priority.PERSON if by_hand else Priority.BACKFILL
    if start is None or start.is_dir():
        return reconcile(catalog, rules, start=start, priority=priority, reason="scan")
    if not is_song(start):
        raise UsageError(f"{start} is not a song", remedy="Name a folder or a file of music")
    done = catalog.enqueue(start, priority, "scan", library=rules.root)
    return Report(
        rules.root, songs=1, new=int(done is Queued.NEW), changed=int(done is Queued.AGAIN)
    )


def _songs_in(
    catalog: Catalog, targets: Sequence[tuple[Rules, Path | None]], *, by_hand: bool
) -> list[Entry]:
    """List the songs of the targets that are still to be done, as the catalog has them."""
    from lyricsyncd.library.walk import walk

    found: dict[int, Entry] = {}
    for rules, start in targets:
        if start is not None and start.is_file():
            entries = [catalog.by_path(start)]
        else:
            entries = []
            for folder in walk(rules, start):
                known = catalog.in_folder(folder.path)
                entries += [known.get(path) for path in folder.songs]
        found |= {
            entry.id: entry
            for entry in entries
            if entry is not None and (by_hand or _to_do(entry, time.time()))
        }
    return list(found.values())


def _to_do(entry: Entry, now: float) -> bool:
    """Return whether a song will be taken up soon, and not only after a longer wait."""
    if entry.state.value == "working":
        return True
    waits = entry.state.value == "pending" and entry.missing_since is None
    # A copy that has to settle is waited for; a retry in an hour is not.
    return waits and entry.error is None and (entry.next_attempt_at or 0) < now + 60


def _wait_for(catalog: Catalog, settings: Config, ids: Sequence[int], *, shown: bool) -> None:
    """Wait until songs are done: by the service, or here if none runs."""
    from lyricsyncd.cli import logs
    from lyricsyncd.cli.console import note
    from lyricsyncd.service.lock import StateLock, running
    from lyricsyncd.service.parts import GRACE_S
    from lyricsyncd.work.runner import Runner

    folder = catalog.path.parent
    if catalog.paused:
        raise UsageError("The work is paused", remedy="Run `lyricsyncd resume` first")
    if running(folder):

        def alive() -> None:
            if catalog.settings_error:
                raise UsageError(catalog.settings_error)
            if not running(folder):
                raise UsageError(
                    "The service ended; songs are still queued",
                    remedy="Start it again, or scan with --now once more",
                )

        _watch_progress(catalog, ids, lambda: None, shown=shown, check=alive)
        return
    with StateLock(folder):
        catalog.take_up()
        if shown:
            handler = logging.StreamHandler()
            handler.setFormatter(logs.OneLine("%(message)s"))
            logging.basicConfig(handlers=[handler], level=logging.WARNING)
        runner = Runner(catalog, settings, only=ids)
        runner.start()
        try:

            def check() -> None:
                if runner.settings_error is not None:
                    raise runner.settings_error

            _watch_progress(catalog, ids, runner.beat, shown=shown, check=check)
        except KeyboardInterrupt:
            note("Finishing the song in work; the others stay queued")
            raise
        finally:
            runner.stop(GRACE_S)


def _watch_progress(
    catalog: Catalog,
    ids: Sequence[int],
    beat: Callable[[], None],
    *,
    shown: bool,
    check: Callable[[], None],
) -> None:
    """Show how far songs are, until none of them is to be done; ``check`` raises to end it."""
    from lyricsyncd.cli.console import progress

    wanted = set(ids)
    with progress(f"{len(wanted)} songs", shown=shown) as show:
        beat_at = 0.0
        while True:
            if time.monotonic() >= beat_at:
                beat()
                beat_at = time.monotonic() + 20.0
            entries = [entry for entry in map(catalog.get, wanted) if entry is not None]
            left = [entry for entry in entries if _to_do(entry, time.time())]
            working = [entry for entry in left if entry.state.value == "working"]
            stage = f"{working[0].name}: {working[0].stage}" if working else ""
            show(stage, 1.0 - len(left) / max(1, len(wanted)))
            if not left:
                return
            check()
            time.sleep(0.25)


def _as_dict(report: Report) -> dict[str, Any]:
    return {
        "library": str(report.library),
        "offline": report.offline,
        "songs": report.songs,
        "new": report.new,
        "changed": report.changed,
        "missing": report.missing,
        "unreadable": [str(path) for path in report.unreadable],
    }


def _in_words(report: Report) -> str:
    if report.offline:
        return f"{report.library}: away or empty, nothing is changed for it"
    return (
        f"{report.library}: {report.songs} songs, {report.new} new, {report.changed} changed, "
        f"{report.missing} missing"
    )
