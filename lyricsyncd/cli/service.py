"""``run``, ``scan``, ``status``, ``show``, ``queue``, ``retry``, ``skip``, ``pause``, ``resume``:
the service and what it knows.

All but ``run`` read and write the catalog, whether or not a service runs: it notices.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lyricsyncd.cli.console import say
from lyricsyncd.cli.songs import named_songs, one_song, open_catalog
from lyricsyncd.errors import Fault, UsageError, errors_of

if TYPE_CHECKING:
    from lyricsyncd.catalog.catalog import Catalog, Entry, State
    from lyricsyncd.config.schema import Config
    from lyricsyncd.library.scan import Report, Rules

_REFRESH_S = 1.0
_STATES = (
    *("pending", "working", "done", "lines", "review", "no_lyrics", "instrumental", "failed"),
    "ignored",
)
"""Those of `State`, which is not loaded for a page of help."""
_CONTEXT = {"help_option_names": ["-h", "--help"]}
_config = click.option("--config", type=click.Path(path_type=Path), help="Configuration file.")
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_dry_run = click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing.")


@click.command(context_settings=_CONTEXT)
@_config
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the log looks; text suits people and systemd's journal.",
)
def run(config: Path | None, log_format: str) -> None:
    """Run the service in the foreground.

    It watches the libraries of the configuration and works through what it finds. SIGTERM and
    Ctrl-C end it, SIGHUP makes it read its configuration again.
    """
    from lyricsyncd.cli import logs
    from lyricsyncd.config.paths import state_dir
    from lyricsyncd.config.reader import exposed_secrets
    from lyricsyncd.config.schema import load
    from lyricsyncd.service.service import Service
    from lyricsyncd.work import memory

    def settings() -> Config:
        loaded = load(config)
        for file in exposed_secrets(config, os.environ):
            logging.getLogger(__name__).warning(
                "every user of this computer can read the secrets in %s: chmod o-r", file
            )
        return loaded

    logs.to_stderr(log_format)
    memory.give_back_large_blocks()
    Service(settings, state_dir()).run()


@click.command(context_settings=_CONTEXT)
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option(
    "--now", is_flag=True, help="Wait until the songs are done; do them, if no service runs."
)
@_config
@_json
@_dry_run
def scan(
    paths: tuple[Path, ...], now: bool, config: Path | None, as_json: bool, dry_run: bool
) -> None:
    """Look for new and changed songs in PATH, or in all libraries, and queue them.

    With --now, exit status 1 tells that a song failed.
    """
    from lyricsyncd.config.schema import load

    settings = load(config)
    targets = _targets(paths, settings)
    if dry_run:
        _tell_what_is_new(targets, as_json=as_json)
        return
    with open_catalog() as catalog:
        reports = [_scanned(catalog, *target, by_hand=bool(paths)) for target in targets]
        if now:
            # Their settings may have been mended since: they are tried again.
            catalog.make_due(errors_of(Fault.SETTINGS))
        songs = _songs_in(catalog, targets, by_hand=bool(paths)) if now else []
        if now:
            _wait_for(catalog, settings, [entry.id for entry in songs], shown=not as_json)
        after = [entry for entry in (catalog.get(entry.id) for entry in songs) if entry is not None]
    if as_json:
        told: dict[str, Any] = {"libraries": [_as_dict(report) for report in reports]}
        if now:
            told["songs"] = [entry.as_dict() for entry in after]
        _echo_json(told)
    else:
        for report in reports:
            say(_in_words(report))
        if after:
            _print_songs(after)
    if any(entry.state.value == "failed" for entry in after):
        sys.exit(1)


def _targets(paths: Sequence[Path], settings: Config) -> list[tuple[Rules, Path | None]]:
    """The libraries to scan, each with the part of it that is meant."""
    from lyricsyncd.library.scan import Rules, housed, libraries_of

    libraries = libraries_of(settings.libraries)
    if not paths:
        if not libraries:
            raise UsageError(
                "There is no library in the configuration",
                remedy="Name a folder, or add it with `lyricsyncd init --library DIR`",
            )
        return [(rules, None) for rules in libraries]
    targets: list[tuple[Rules, Path | None]] = []
    for path in paths:
        # Not resolve(): a link in a library is a place of its own.
        full = Path(os.path.abspath(path))  # noqa: PTH100
        if not full.exists():
            raise UsageError(f"There is no {path}", remedy="Check the path")
        root = full if full.is_dir() else full.parent
        rules, full = housed(full, libraries) or (Rules(root), full)
        targets.append((rules, None if full == rules.root else full))
    return targets


def _scanned(catalog: Catalog, rules: Rules, start: Path | None, *, by_hand: bool) -> Report:
    from lyricsyncd.catalog.catalog import Priority, Queued
    from lyricsyncd.library.scan import Report, is_song, reconcile

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
    """The songs of the targets that are still to be done, as the catalog has them."""
    from lyricsyncd.library.scan import walk

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
    """Whether a song will be taken up soon, and not only after a longer wait."""
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
    with progress(f"{len(wanted)} songs", shown=shown) as told:
        beat_at = 0.0
        while True:
            if time.monotonic() >= beat_at:
                beat()
                beat_at = time.monotonic() + 20.0
            entries = [entry for entry in map(catalog.get, wanted) if entry is not None]
            left = [entry for entry in entries if _to_do(entry, time.time())]
            working = [entry for entry in left if entry.state.value == "working"]
            stage = f"{working[0].name}: {working[0].stage}" if working else ""
            told(stage, 1.0 - len(left) / max(1, len(wanted)))
            if not left:
                return
            check()
            time.sleep(0.25)


def _tell_what_is_new(targets: Sequence[tuple[Rules, Path | None]], *, as_json: bool) -> None:
    from lyricsyncd.library.scan import walk

    new: list[Path] = []
    with open_catalog() as catalog:
        for rules, start in targets:
            if start is not None and start.is_file():
                new += [start] if catalog.by_path(start) is None else []
                continue
            for folder in walk(rules, start):
                known = catalog.in_folder(folder.path)
                for path, looks in folder.songs.items():
                    entry = known.get(path)
                    if entry is None or entry.fingerprint != looks:
                        new.append(path)
    if as_json:
        _echo_json({"would_queue": [str(path) for path in new], "dry_run": True})
        return
    for path in new:
        say(str(path))
    click.echo(f"{len(new)} songs would be queued", err=True)


@click.command(context_settings=_CONTEXT)
@click.option("--watch", is_flag=True, help="Show it again every second, until Ctrl-C.")
@_config
@_json
def status(watch: bool, config: Path | None, as_json: bool) -> None:
    """Tell how far the service is."""
    from lyricsyncd.cli import views
    from lyricsyncd.config.schema import load

    settings = load(config)
    with open_catalog() as catalog:
        if not watch:
            told = _status(catalog, settings)
            if as_json:
                _echo_json(told)
            else:
                views.print_facts(views.status_rows(told))
            return
        if as_json or not sys.stdout.isatty():
            while True:
                click.echo(json.dumps(_status(catalog, settings)))
                sys.stdout.flush()
                time.sleep(_REFRESH_S)
        from rich.live import Live

        from lyricsyncd.cli.console import console

        try:
            with Live(console=console(), auto_refresh=False) as live:
                while True:
                    live.update(views.live(_status(catalog, settings)), refresh=True)
                    time.sleep(_REFRESH_S)
        except KeyboardInterrupt:
            return


def _status(catalog: Catalog, settings: Config) -> dict[str, Any]:
    from lyricsyncd.library import status
    from lyricsyncd.library.scan import libraries_of
    from lyricsyncd.service.lock import running

    libraries = libraries_of(settings.libraries)
    return status.status(catalog, libraries, running=running(catalog.path.parent))


@click.command(context_settings=_CONTEXT)
@click.argument("song")
@_json
def show(song: str, as_json: bool) -> None:
    """Tell what is known of SONG: a path, a number of the list, or a part of its name."""
    with open_catalog() as catalog:
        entry = one_song(catalog, song)
    if as_json:
        _echo_json(entry.as_dict())
        return
    from lyricsyncd.cli import views

    views.print_facts(views.song_rows(entry.as_dict()))


@click.command(context_settings=_CONTEXT)
@click.option("--limit", metavar="N", type=click.IntRange(1), default=20, show_default=True)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(_STATES),
    help="The songs in this state instead; may be given more than once.",
)
@_json
def queue(limit: int, states: tuple[str, ...], as_json: bool) -> None:
    """List what is at work, what comes next, and what waits for a retry."""
    with open_catalog() as catalog:
        if states:
            entries = catalog.entries(states=[_state(name) for name in states], limit=limit)
        else:
            entries = catalog.queue(limit)
    if as_json:
        _echo_json([entry.as_dict() for entry in entries])
    elif not entries:
        click.echo("None: there is no such song" if states else "None: nothing is queued")
    else:
        _print_songs(entries)


def _state(name: str) -> State:
    from lyricsyncd.catalog.catalog import State

    return State(name)


@click.command(context_settings=_CONTEXT)
@click.argument("songs", nargs=-1, metavar="[SONG]...")
@click.option("--failed", is_flag=True, help="All songs that failed.")
@click.option("--no-lyrics", is_flag=True, help="All songs without lyrics.")
@_json
@_dry_run
def retry(
    songs: tuple[str, ...], failed: bool, no_lyrics: bool, as_json: bool, dry_run: bool
) -> None:
    """Queue SONG once more, before the others, whatever became of it.

    A folder stands for all songs in it, and is no longer skipped.
    """
    from lyricsyncd.catalog.catalog import State

    if not songs and not failed and not no_lyrics:
        raise UsageError("No song is named", remedy="Name songs, or use --failed or --no-lyrics")
    with open_catalog() as catalog:
        chosen, folders = named_songs(catalog, songs)
        states = [*([State.FAILED] if failed else []), *([State.NO_LYRICS] if no_lyrics else [])]
        if states:
            chosen += _all(catalog, states)
        if not dry_run:
            for folder in folders:
                catalog.retry_folder(folder)
            catalog.retry(entry.id for entry in chosen)
    _tell_chosen(chosen, "queued once more", folders, as_json=as_json, dry_run=dry_run)


@click.command(context_settings=_CONTEXT)
@click.argument("songs", nargs=-1, required=True, metavar="SONG...")
@_json
@_dry_run
def skip(songs: tuple[str, ...], as_json: bool, dry_run: bool) -> None:
    """Leave SONG alone from now on; `retry` takes that back. What was written stays.

    A folder stands for all songs in it, those that come later too.
    """
    with open_catalog() as catalog:
        chosen, folders = named_songs(catalog, songs)
        if not dry_run:
            catalog.skip(entry.id for entry in chosen if not _below_any(entry, folders))
            for folder in folders:
                catalog.skip_folder(folder)
    what = "left alone from now on" + (", as those that come later" if folders else "")
    _tell_chosen(chosen, what, folders, as_json=as_json, dry_run=dry_run)


@click.command(context_settings=_CONTEXT)
@_json
def pause(as_json: bool) -> None:
    """Take up no new songs, even after a restart, until `resume`."""
    with open_catalog() as catalog:
        catalog.pause()
    _tell_paused(True, as_json=as_json)


@click.command(context_settings=_CONTEXT)
@_json
def resume(as_json: bool) -> None:
    """Go on after `pause`."""
    with open_catalog() as catalog:
        catalog.resume()
    _tell_paused(False, as_json=as_json)


def _tell_paused(paused: bool, *, as_json: bool) -> None:
    if as_json:
        _echo_json({"paused": paused})
    else:
        click.echo("Paused: the song in work is finished" if paused else "Going on")


def _below_any(entry: Entry, folders: Sequence[Path]) -> bool:
    return any(folder in entry.path.parents for folder in folders)


def _all(catalog: Catalog, states: Sequence[Any]) -> list[Entry]:
    found: list[Entry] = []
    while page := catalog.entries(states=states, after=found[-1].id if found else 0, limit=1000):
        found += page
    return found


def _songs(count: int) -> str:
    return "1 song" if count == 1 else f"{count} songs"


def _tell_chosen(
    chosen: Sequence[Entry],
    what: str,
    folders: Sequence[Path],
    *,
    as_json: bool,
    dry_run: bool,
) -> None:
    if as_json:
        told: dict[str, Any] = {"songs": [str(entry.path) for entry in chosen]}
        _echo_json({**told, "folders": [str(path) for path in folders], "dry_run": dry_run})
        return
    verb = "would be " if dry_run else ""
    if folders:
        where = ", ".join(map(str, folders))
        say(f"{where}: {_songs(len(chosen))} {verb}{what}")
    elif len(chosen) == 1:
        say(f"{chosen[0].path}: {verb}{what}")
    else:
        click.echo(f"{len(chosen)} songs: {verb}{what}")


def _print_songs(entries: Sequence[Entry]) -> None:
    from lyricsyncd.cli import views

    rows = [views.queue_row(entry.as_dict()) for entry in entries]
    views.print_columns(views.TITLES, rows, views.STATE_AT)


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


def _echo_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2))
