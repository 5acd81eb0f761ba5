"""What a person sees: whether there is one, and what is shown to them.

Results go to standard output, all talk to standard error, and colour and bars only to a terminal.
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
    """One line of talk."""
    click.echo(escaped(" ".join(text.split())), err=True)


def say(text: str) -> None:
    """One line of a result, with names in it that others chose."""
    click.echo(escaped(text))


def print_json(value: Any) -> None:
    """Print a value as JSON, for other programs."""
    click.echo(json.dumps(value, indent=2))


def person_there() -> bool:
    """Whether questions would be answered."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def console(*, err: bool = False) -> Console:
    """A console of rich's for standard output, or standard error."""
    from rich.console import Console

    return Console(stderr=err, highlight=False)


def bar(share: float, width: int = 10) -> str:
    """A share of 0 to 1 as a bar of characters."""
    filled = round(max(0.0, min(1.0, share)) * width)
    return "█" * filled + "░" * (width - filled)


@contextmanager
def progress(what: str, *, shown: bool = True) -> Iterator[Callable[[str, float], None]]:
    """A bar that is told a stage's name and how much of it is done; nothing without a terminal."""
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
        # A stage that cannot tell how far it is moves to and fro.
        yield lambda stage, fraction: shown_bar.update(
            task, description=escaped(stage), completed=fraction, total=1.0 if fraction else None
        )
