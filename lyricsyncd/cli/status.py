"""``lyricsyncd status``: show what the service does, and how far it is."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lyricsyncd.cli import tables, views
from lyricsyncd.cli.console import print_json
from lyricsyncd.cli.options import CONTEXT, config_option, json_option
from lyricsyncd.cli.songs import open_catalog

if TYPE_CHECKING:
    from lyricsyncd.catalog.catalog import Catalog
    from lyricsyncd.config.schema import Config


_REFRESH_S = 1.0


@click.command(context_settings=CONTEXT)
@click.option("--watch", is_flag=True, help="Show it again every second, until Ctrl-C.")
@config_option
@json_option
def status(watch: bool, config: Path | None, as_json: bool) -> None:
    """Show what the service does, and how far it is."""
    from lyricsyncd.config.reader import load

    settings = load(config)
    with open_catalog() as catalog:
        if not watch:
            shown = _status(catalog, settings)
            if as_json:
                print_json(shown)
            else:
                tables.print_facts(views.status_rows(shown))
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
    from lyricsyncd.library.roots import libraries_of
    from lyricsyncd.service.lock import running

    libraries = libraries_of(settings.libraries)
    return status.status(catalog, libraries, running=running(catalog.path.parent))
