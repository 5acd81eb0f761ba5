"""Print results, notes, progress and tables.

Results go to standard output, notes to standard error, and colour and bars only to a terminal.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from lyricsyncd.printable import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

_STAGE_WIDTH = len("proof of work")


def note(text: str) -> None:
    """Print a line that is no result, to standard error."""
    click.echo(escaped(" ".join(text.split())), err=True)


def say(text: str) -> None:
    """Print a line of a result; control characters of names in it are escaped."""
    click.echo(escaped(text))


def print_json(value: Any) -> None:
    """Print a value as JSON in ASCII: names that are not UTF-8 survive as escapes."""
    click.echo(json.dumps(value, indent=2))


def print_utf8_json(value: Any) -> None:
    """Print a value that holds lyrics as JSON in UTF-8."""
    print_utf8(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_utf8(text: str) -> None:
    """Print lyrics in UTF-8, whatever the encoding of the terminal is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def person_there() -> bool:
    """Return whether a person at a terminal can answer questions."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def console(*, err: bool = False) -> Console:
    """Make a console of rich for standard output, or standard error."""
    from rich.console import Console

    return Console(stderr=err, highlight=False)


def bar(share: float, width: int = 10) -> str:
    """Draw a share of 0 to 1 as a bar of characters."""
    filled = round(max(0.0, min(1.0, share)) * width)
    return "█" * filled + "░" * (width - filled)


@contextmanager
def progress(what: str, *, shown: bool = True) -> Iterator[Callable[[str, float], None]]:
    """Show a progress bar for stages and their fractions; nothing without a terminal."""
    if not (shown and sys.stderr.isatty()):
        yield lambda _stage, _fraction: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Column

    screen = console(err=True)
    bar_width = min(20, screen.width // 4)
    # A long name would push the bar out of sight.
    room = max(1, screen.width - bar_width - _STAGE_WIDTH - len("0:00:00") - 3)
    name = Column(max_width=room, no_wrap=True, overflow="ellipsis")
    stage = Column(min_width=_STAGE_WIDTH, no_wrap=True)
    what = escaped(what)
    columns = (
        TextColumn("{task.fields[song]}", markup=False, table_column=name),
        BarColumn(bar_width=bar_width),
        TextColumn("{task.description}", markup=False, table_column=stage),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as shown_bar:
        task = shown_bar.add_task("", total=1.0, song=what)
        # The bar of a stage without a known fraction moves to and fro.
        yield lambda stage, fraction: shown_bar.update(
            task, description=escaped(stage), completed=fraction, total=1.0 if fraction else None
        )
