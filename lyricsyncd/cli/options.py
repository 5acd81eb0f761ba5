"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

CONTEXT = {"help_option_names": ["-h", "--help"]}
"""Settings of each command."""
config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="Configuration file."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Show what would be done, and do nothing."
)
encoding_option = click.option(
    "--encoding",
    metavar="E",
    help="Encoding of the lyrics file, such as cp1250 or gb18030; by default it is detected.",
)
