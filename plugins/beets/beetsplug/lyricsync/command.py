"""``beet lyricsync``: queue songs at the service, wait for them, and take over their results."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from beets import ui

from beetsplug.lyricsync import here, songs

if TYPE_CHECKING:
    import logging

    from beets.library import Item, Library

    from beetsplug.lyricsync.service import Service, Trouble

_FIRST_LOOK_S, _LOOK_S = 0.3, 2.0
_LONGEST_PART = 200
_WAITING = frozenset({"pending", "working"})
_FLAGS = (
    ("-f", "--force", "also songs that are done already"),
    ("-p", "--pretend", "only show what would be done"),
    ("-q", "--quiet", "print nothing for each song"),
    ("-w", "--wait", "wait until the songs are done"),
    ("--status", "only show how far the service is with the songs"),
    ("--pull", "only take over what the service found, into beets"),
)
_SAID = {
    "new": "queued",
    "again": "queued",
    "waiting": "waits already",
    "working": "in work",
    "unchanged": "nothing to do",
    "ignored": "skipped: `lyricsyncd retry` takes it up again",
    "excluded": "left out by the service's rules",
    "not_found": "not found by the service",
    "outside": "in none of the service's libraries",
}


def command(service: Callable[[], Service], log: logging.Logger) -> ui.Subcommand:
    """Make the command.

    Parameters
    ----------
    service
        Returns the service, as configured.
    log
        The log for warnings.
    """
    command = ui.Subcommand("lyricsync", help="find lyrics and time every word")
    for *flags, text in _FLAGS:
        command.parser.add_option(*flags, action="store_true", default=False, help=text)
    command.parser.add_album_option()

    def run(lib: Library, options: Any, arguments: list[str]) -> None:
        from beetsplug.lyricsync.service import Trouble, Unreachable

        items = _items(lib, arguments, albums=options.album)
        say: Callable[[str], None] = (lambda _text: None) if options.quiet else ui.print_
        try:
            asked = service()
            if options.status or options.pull:
                _look(asked, lib, items, say, pull=options.pull and not options.pretend)
            elif options.pretend:
                _pretend(asked, lib, items, say, force=options.force)
            else:
                queued = _queue(asked, lib, items, say, force=options.force)
                if options.wait and queued:
                    _wait(asked, lib, queued, log, shown=_shown(options))
                    _look(asked, lib, queued, say, pull=True)
        except Unreachable as trouble:
            if options.status or options.pull or not here.possible():
                raise _error(trouble) from trouble
            log.warning("{}; the words are placed right here", trouble)
            here.sync(
                items,
                say,
                log,
                force=options.force,
                pretend=options.pretend,
                shown=_shown(options),
            )
        except Trouble as trouble:
            raise _error(trouble) from trouble

    command.func = run
    return command


def _error(trouble: Trouble) -> Exception:
    return ui.UserError(str(trouble))  # type: ignore[attr-defined]  # there, but not re-exported


def _items(lib: Library, query: Sequence[str], *, albums: bool) -> list[Item]:
    if albums:
        return [item for album in lib.albums(list(query)) for item in album.items()]
    return list(lib.items(list(query)))


def _queue(
    service: Service,
    lib: Library,
    items: Sequence[Item],
    say: Callable[[str], None],
    *,
    force: bool,
) -> list[Item]:
    """Queue songs, and return those that the service works on."""
    if not items:
        return []
    events = [
        {"event": "changed", "path": songs.path_of(item), "priority": "person", "force": force}
        for item in items
    ]
    results = service.report(events)
    queued: list[Item] = []
    with lib.transaction():
        for item, result in zip(items, results, strict=False):
            say(f"{_SAID.get(result['result'], result['result'])}: {item}")
            if result["id"] is not None and _SAID.get(result["result"]) != _SAID["ignored"]:
                queued.append(item)
                if result["result"] != "unchanged" and songs.learn(item, "pending"):
                    item.store()
    return queued


def _pretend(
    service: Service,
    lib: Library,
    items: Sequence[Item],
    say: Callable[[str], None],
    *,
    force: bool,
) -> None:
    known = _known(service, lib, items)
    for item in items:
        entry = known.get(songs.path_of(item))
        state = None if entry is None else entry["state"]
        if force or state not in songs.FINISHED:
            say(f"would be queued: {item}")


def _look(
    service: Service,
    lib: Library,
    items: Sequence[Item],
    say: Callable[[str], None],
    *,
    pull: bool,
) -> None:
    known = _known(service, lib, items)
    with lib.transaction():
        for item in items:
            entry = known.get(songs.path_of(item))
            say(f"{_description(entry)}: {item}")
            if pull and entry is not None and songs.learn(item, entry["state"], entry["quality"]):
                item.store()


def _description(entry: dict[str, Any] | None) -> str:
    if entry is None:
        return "unknown to the service"
    state = str(entry["state"]).replace("_", " ")
    if entry["quality"] is not None:
        return f"{state} ({entry['quality']:.2f})"
    if entry["state"] in ("failed", "pending") and entry["error"]:
        return f"{state} ({entry['error']})"
    return state


def _shown(options: Any) -> bool:
    """Return whether to show progress."""
    return sys.stderr.isatty() and not options.quiet


def _wait(
    service: Service, lib: Library, items: Sequence[Item], log: logging.Logger, *, shown: bool
) -> None:
    """Wait until each song is finished, or has failed with a transient error."""
    pause = _FIRST_LOOK_S
    while True:
        began = time.monotonic()
        known = _known(service, lib, items).values()
        left = [each for each in known if each["state"] in _WAITING and not _put_off(each)]
        paused = bool(left) and service.paused()
        if shown:
            line = f"{len(items) - len(left)} of {len(items)}"
            sys.stderr.write(f"\r{line}" + ("" if left and not paused else "\n"))
            sys.stderr.flush()
        if not left:
            return
        if paused:
            log.warning("the service is paused: `lyricsyncd resume` lets it go on")
            return
        # A large library takes long to list: the service must spend most of the time on its songs.
        time.sleep(max(pause, 5 * (time.monotonic() - began)))
        pause = min(_LOOK_S, 1.5 * pause)


def _put_off(entry: dict[str, Any]) -> bool:
    return entry["state"] == "pending" and bool(entry["error"])


def _known(service: Service, lib: Library, items: Sequence[Item]) -> dict[str, dict[str, Any]]:
    """Map beets' paths to the service's songs.

    The service may see the library at another path (in a container): then songs are matched by
    their paths relative to the library.
    """
    if not items:
        return {}
    root = os.fsdecode(lib.directory)
    paths = [songs.path_of(item) for item in items]
    exact, below = _found(service.songs(_common([_below(root, path) for path in paths])))
    known = {}
    for path in paths:
        entry = exact.get(path) or below.get(_below(root, path))
        if entry is not None:
            known[path] = entry
    return known


def _found(
    entries: Iterable[dict[str, Any]],
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    exact, below = {}, {}
    for entry in entries:
        exact[entry["path"]] = entry
        below[_below(entry["library"] or "", entry["path"])] = entry
    return exact, below


def _below(root: str, path: str) -> str:
    """Return a path relative to its library; the path itself where it is elsewhere."""
    top = root.rstrip("/") + "/"
    return path[len(top) :] if path.startswith(top) else path


def _common(paths: Sequence[str]) -> str:
    """Return a name that is in all paths: of their common folder, or of the only song."""
    try:
        name = Path(os.path.commonpath(paths)).name
    except ValueError:
        # Some lie in the library, some elsewhere.
        return ""
    # Names need not be valid text; a part without invalid bytes suffices.
    return max(re.split("[\ud800-\udfff]", name), key=len)[:_LONGEST_PART]
