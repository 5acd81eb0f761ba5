"""Format what ``status``, ``show`` and ``queue`` print, from plain values.

A terminal gets colours, bars, and lines that fit it. A pipe gets every line whole: columns that are
padded with spaces, nothing wrapped or cut.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from lyricsyncd.cli.console import bar, console
from lyricsyncd.printable import escaped

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from lyricsyncd.catalog.catalog import Entry as CatalogEntry

Row = tuple[str, str, str]
"""A label, a value, and the value's style; an empty label continues the row before."""
CUT = "not bold"
"""The style of a value that is cut where it does not fit a terminal."""
Entry = Mapping[str, Any]
"""A song as `lyricsyncd.catalog.records.Entry.as_dict` has it."""

_STYLES = {
    "done": "green",
    "mixed": "green3",
    "lines": "yellow",
    "review": "dark_orange",
    "failed": "red",
    "working": "cyan",
}
_STAGES = {
    "find": "looks for the words",
    "waiting": "waits for the model",
    "separate": "separates the vocals",
    "align": "places the words",
    "transcribe": "recognises the words",
    "write": "is written",
}
_MOST = 20
"""Values of one label."""
NONE = "none"
_NO_LIBRARY = "none: name one with `lyricsyncd init --library DIR`"


# --- how rows are printed ---------------------------------------------------------------------


def print_facts(rows: Sequence[Row]) -> None:
    """Print labelled values."""
    if sys.stdout.isatty():
        console().print(facts(rows))
        return
    width = max((len(label) for label, _, _ in rows), default=0)
    for label, value, _ in rows:
        click.echo(f"{label:<{width}}  {escaped(value)}".rstrip())


def facts(rows: Sequence[Row]) -> Table:
    """Lay out labelled values for a terminal, long ones folded."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value, style in rows:
        cut = style == CUT
        overflow: Literal["ellipsis", "fold"] = "ellipsis" if cut else "fold"
        table.add_row(label, Text(escaped(value), style, no_wrap=cut, overflow=overflow))
    return table


def print_columns(titles: Sequence[str], rows: Sequence[Sequence[str]], styled: int) -> None:
    """Print a row a line; on a terminal, what does not fit is cut, the last column first.

    Parameters
    ----------
    styled : int
        The column with the state, whose colour is shown.
    """
    if not sys.stdout.isatty():
        for line in _padded([titles, *rows]):
            click.echo(line)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    last = len(titles) - 1
    for at, title in enumerate(titles):
        long = at in (1, last)
        table.add_column(
            title,
            no_wrap=True,
            overflow="ellipsis",
            justify="right" if at == 0 else "left",
            ratio=1 if long else None,
        )
    table.expand = _too_wide([titles, *rows])
    for row in rows:
        table.add_row(*(_cell(text, at == styled) for at, text in enumerate(row)))
    console().print(table)


def _cell(text: str, styled: bool) -> Text:
    from rich.text import Text

    return Text(escaped(text), _STYLES.get(text, "") if styled else "")


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    from rich.cells import cell_len

    return [max(cell_len(escaped(text)) for text in column) for column in zip(*rows, strict=True)]


def _too_wide(rows: Sequence[Sequence[str]]) -> bool:
    return sum(width + 2 for width in _widths(rows)) > console().width


def _padded(rows: Sequence[Sequence[str]]) -> list[str]:
    from rich.cells import cell_len

    widths = _widths(rows)
    return [
        "  ".join(
            escaped(text) + " " * (width - cell_len(escaped(text)))
            for text, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


# --- status -----------------------------------------------------------------------------------


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
    return _padded(rows)


def _library(library: Mapping[str, Any]) -> str:
    if not library["online"]:
        return f"{library['path']} (away or empty)"
    return f"{library['path']} (scanned {ago(library['scanned_at'])})"


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


# --- show -------------------------------------------------------------------------------------


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
        ("state", state, _STYLES.get(entry["state"], "")),
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


# --- queue ------------------------------------------------------------------------------------

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


# --- words ------------------------------------------------------------------------------------


def name_of(entry: Entry) -> str:
    """Return a short name for a person."""
    if entry["artist"] and entry["title"]:
        return f"{entry['artist']} - {entry['title']}"
    return str(entry["title"] or Path(entry["path"]).stem)


def stage_of(entry: Entry) -> str:
    """Say what is being done with a song."""
    stage, share = entry["stage"] or "find", entry["progress"] or 0.0
    return _STAGES.get(stage, stage) + (f", {share:.0%}" if share else "")


def songs(count: int) -> str:
    """Write a number of songs out."""
    return "1 song" if count == 1 else f"{count} songs"


def clock(moment: float) -> str:
    """Format a time of today without its day, another with it."""
    local, now = time.localtime(moment), time.localtime()
    same_day = local[:3] == now[:3]
    return time.strftime("%H:%M" if same_day else "%a %H:%M", local)


def ago(moment: float | None) -> str:
    """Format a time relative to now."""
    if moment is None:
        return "never"
    seconds = time.time() - moment
    if abs(seconds) < 1:
        return "now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"


def span(seconds: float) -> str:
    """Format a duration in its largest unit; hours with minutes."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    if seconds < 86400:
        minutes = round(seconds / 60)
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{round(seconds / 86400)} d"
