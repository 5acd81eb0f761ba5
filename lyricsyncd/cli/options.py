"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

CONTEXT = {"help_option_names": ["-h", "--help"]}
"""Settings of each command."""
config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="Configuration file."
)


def _checked(_context: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    from lyricsyncd.config.reader import load

    if path is not None:
        load(path)


checked_config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    expose_value=False,
    callback=_checked,
    help="Configuration file: it is checked, the songs are those of the state all the same.",
)
"""Of commands that work on the catalog alone, so that one call suits all that do."""
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Show what would be done, and do nothing."
)
encoding_option = click.option(
    "--encoding",
    metavar="E",
    help="Encoding of the lyrics file, such as cp1250 or gb18030; by default it is detected.",
)
