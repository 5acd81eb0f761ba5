"""Describe the service and songs, as ``status``, ``show`` and ``queue`` print them."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lyricsyncd.cli.console import bar
from lyricsyncd.cli.phrases import Entry, ago, clock, name_of, songs, span, stage_of
from lyricsyncd.cli.tables import CUT, STYLES, Row, facts, padded, print_columns

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lyricsyncd.catalog.catalog import Entry as CatalogEntry

_MOST = 20
"""Values of one label."""
NONE = "none"
_NO_LIBRARY = "none: name one with `lyricsyncd init --library DIR`"


def status_rows(status: Mapping[str, Any]) -> list[Row]:
    """Describe the state of the service, from `lyricsyncd.library.status.status`."""
    libraries = [_library(library) for library in status["libraries"]]
    return [
        _service(status),
        *_labelled("settings", list(filter(None, [status["settings_error"]])), "red"),
        *_labelled("bugs", _bugs(status), "red"),
        *_progress(status),
        *_labelled("at work", [_at_work(entry) for entry in status["working"]], CUT),
        *_labelled("waiting", _waiting(status)),
        *_labelled("better", _better(status)),
        *_labelled("latest", _latest(status["latest"]), CUT),
        *_labelled("library", libraries or [_NO_LIBRARY]),
        *_labelled("repaired", [_repair(repair) for repair in status["repairs"]], "yellow"),
    ]


def _better(status: Mapping[str, Any]) -> list[str]:
    count = status["could_be_better"]
    if not count:
        return []
    return [f"{songs(count)} could be better with the models of now (see quality.improve)"]


def _bugs(status: Mapping[str, Any]) -> list[str]:
    count = status["unexpected_errors"]
    return [f"{count} unexpected errors since the start: see the log"] if count else []


def _service(status: Mapping[str, Any]) -> Row:
    if not status["running"]:
        return ("service", "not running: start it with `lyricsyncd run`", "red")
    if status["paused"]:
        return ("service", "paused: `lyricsyncd resume` goes on", "yellow")
    if status["resting"]:
        return ("service", f"resting: {status['resting']}", "yellow")
    if status["settings_error"]:
        return ("service", "running, but no song is taken up", "red")
    return ("service", "running", "green")


def _progress(status: Mapping[str, Any]) -> list[Row]:
    total, finished = status["total"], status["finished"]
    if not total:
        return [("songs", "none yet", "")]
    meter = f"{bar(finished / total, 20)} " if sys.stdout.isatty() else ""
    # Not 100 % before the last one.
    share = int(100 * finished / total)
    counts = [
        f"{count} {state.replace('_', ' ')}" for state, count in status["songs"].items() if count
    ]
    rows = [
        ("progress", f"{meter}{share} %, {finished} of {total} songs", ""),
        ("songs", ", ".join(counts), ""),
    ]
    if status["seconds_left"] is not None:
        pace, left = status["songs_per_hour"], status["seconds_left"]
        rows.append(("pace", f"{pace:.0f} songs an hour, about {span(left)} left", ""))
    return rows


def _at_work(entry: Entry) -> str:
    return f"{stage_of(entry)}: {name_of(entry)}"


def _waiting(status: Mapping[str, Any]) -> list[str]:
    rows = []
    for wait in status["waiting"]:
        why = _reason_of_host(wait["host"], wait["why"])
        when = "now" if wait["until"] is None else clock(wait["until"])
        verb = "wait" if wait["songs"] > 1 else "waits"
        rows.append(f"{songs(wait['songs'])} {verb} for {wait['host']}{why}, next try {when}")
    later = status["later"]
    if later["songs"]:
        rows.append(f"{songs(later['songs'])} tried again later, from {clock(later['from'])}")
    return rows


def _reason_of_host(host: str, why: str) -> str:
    """Say in brackets what is wrong with a host, without its name and the system's error."""
    brief = why.removeprefix(host).split(" (")[0].split(";")[0].strip()
    return f" ({brief})" if brief else ""


def _latest(entries: Sequence[Entry]) -> list[str]:
    """Align result, score, source, age and name; the name last, since it may be cut."""
    if not entries:
        return []
    rows = [
        (
            entry["state"].replace("_", " "),
            "-" if entry["quality"] is None else f"{entry['quality']:.2f}",
            entry["source"] or "-",
            ago(entry["finished_at"]),
            name_of(entry),
        )
        for entry in entries
    ]
    return padded(rows)


def _library(library: Mapping[str, Any]) -> str:
    if not library["online"]:
        return f"{library['path']} (away or empty)"
    at = library["scanned_at"]
    scanned = "not scanned yet" if at is None else f"scanned {ago(at)}"
    return f"{library['path']} ({scanned})"


def _repair(repair: Mapping[str, Any]) -> str:
    return f"{ago(repair['at'])}: {repair['text']} (seen? delete {repair['report']})"


def _labelled(label: str, values: Sequence[str], style: str = "") -> list[Row]:
    rows = [("" if at else label, value, style) for at, value in enumerate(values[:_MOST])]
    if len(values) > _MOST:
        rows.append(("", f"and {len(values) - _MOST} more", ""))
    return rows


def live(status: Mapping[str, Any]) -> RenderableType:
    """Lay out `status_rows` for a terminal, to be shown again and again."""
    return facts(status_rows(status))


def song_rows(entry: Entry) -> list[Row]:
    """List all that is known of a song."""
    state = entry["state"].replace("_", " ")
    if entry["state"] == "working":
        state = stage_of(entry)
    elif entry["finished_at"] and entry["state"] != "pending":
        state = f"{state}, {ago(entry['finished_at'])}"
    elif waits := _waits(entry):
        state = f"{state}, {waits}"
    quality = NONE
    if entry["quality"] is not None:
        meter = f"{bar(entry['quality'])} " if sys.stdout.isatty() else ""
        quality = f"{meter}{entry['quality']:.2f}"
    lines = "1 line" if entry["lines"] == 1 else f"{entry['lines']} lines"
    words = f"{entry['words']} in {lines}" if entry["words"] else NONE
    if entry["words"] and entry["words_timed"] is not None:
        words += f", {entry['words_timed']} with times in {entry['lines_with_words']}"
    models = [entry[key] for key in ("separator", "aligner")]
    models = [name for name in models if name not in (None, "", "none", "source")]
    took = entry["stages"].items()
    stages = [f"{stage} {seconds:.1f} s" for stage, seconds in took if seconds >= 0.05]
    length = entry["duration"]
    return [
        ("song", name_of(entry), ""),
        ("number", str(entry["id"]), ""),
        ("file", entry["path"], ""),
        ("length", NONE if not length else f"{int(length) // 60}:{int(length) % 60:02}", ""),
        ("state", state, STYLES.get(entry["state"], "")),
        ("reason", entry["error"] or _result_of(entry) or entry["why"] or NONE, ""),
        ("quality", quality, ""),
        ("words", words, ""),
        ("source", entry["source"] or NONE, ""),
        ("language", entry["language"] or NONE, ""),
        ("models", ", ".join(models) or NONE, ""),
        ("stages", ", ".join(stages) or NONE, ""),
        *_labelled("written", entry["written"] or [NONE]),
        *_labelled("notes", entry["notes"] or [NONE]),
        *([("missing", f"since {ago(entry['missing_since'])}", "")] * bool(entry["missing_since"])),
    ]


TITLES = ("id", "song", "state", "quality", "why")
STATE_AT = 2


def queue_row(entry: Entry) -> list[str]:
    """Make a song's row of a table."""
    quality = "-" if entry["quality"] is None else f"{entry['quality']:.2f}"
    state = entry["state"].replace("_", " ")
    return [str(entry["id"]), name_of(entry), state, quality, reason_of(entry)]


def print_songs(entries: Sequence[CatalogEntry]) -> None:
    """Print songs as a table."""
    print_columns(TITLES, [queue_row(entry.as_dict()) for entry in entries], STATE_AT)


def reason_of(entry: Entry) -> str:
    """Say in a few words why a song is in its state."""
    if entry["state"] == "working":
        return stage_of(entry)
    if entry["state"] == "pending" and entry["waits_for"]:
        return f"waits for {entry['waits_for']}"
    # The reason alone: `show` has its remedy.
    reason = _result_of(entry) if entry["finished_at"] is not None else None
    text = (reason or entry["why"]).replace(entry["path"], "it")
    if entry["state"] == "no_lyrics":
        text = text.split(" (")[0]
    if entry["state"] in ("done", "lines"):
        text = text.split(": ")[0]
    waits = _waits(entry)
    return f"{text} ({waits})" if waits and reason else text


def _result_of(entry: Entry) -> str | None:
    """Return the reason of a song's result; one that is queued anew has that of before, which
    says nothing about now."""
    queued = entry["state"] == "pending" and not entry["error"]
    return None if queued else entry["reason"]


def _waits(entry: Entry) -> str:
    if entry["waits_for"]:
        return f"waits for {entry['waits_for']}"
    due = entry["next_attempt_at"]
    later = due is not None and due > time.time() and entry["finished_at"] is not None
    return f"again {ago(due)}" if later else ""
