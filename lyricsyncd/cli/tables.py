"""Lay out labelled values and tables for a terminal, and as plain lines.

A terminal gets colours, and lines that fit it. A pipe gets every line whole: columns that are
padded with spaces, nothing wrapped or cut.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import click

from lyricsyncd.cli.console import console
from lyricsyncd.printable import escaped

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

Row = tuple[str, str, str]
"""A label, a value, and the value's style; an empty label continues the row before."""
CUT = "not bold"
"""The style of a value that is cut where it does not fit a terminal."""
STYLES = {
    "done": "green",
    "mixed": "green3",
    "lines": "yellow",
    "review": "dark_orange",
    "failed": "red",
    "working": "cyan",
}
"""Colours of the states of songs."""


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
        for line in padded([titles, *rows]):
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
        table.add_row(*(_cell(text, styled=at == styled) for at, text in enumerate(row)))
    console().print(table)


def _cell(text: str, *, styled: bool) -> Text:
    from rich.text import Text

    return Text(escaped(text), STYLES.get(text, "") if styled else "")


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    from rich.cells import cell_len

    return [max(cell_len(escaped(text)) for text in column) for column in zip(*rows, strict=True)]


def _too_wide(rows: Sequence[Sequence[str]]) -> bool:
    return sum(width + 2 for width in _widths(rows)) > console().width


def padded(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines, with spaces between columns of one width."""
    from rich.cells import cell_len

    widths = _widths(rows)
    return [
        "  ".join(
            escaped(text) + " " * (width - cell_len(escaped(text)))
            for text, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
