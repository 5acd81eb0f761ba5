"""``lyricsyncd run``: the service, in the foreground."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lyricsyncd.cli.options import CONTEXT, config_option

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config


@click.command(context_settings=CONTEXT)
@config_option
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
    from lyricsyncd.config import paths
    from lyricsyncd.config.reader import exposed_secrets, load
    from lyricsyncd.processes import memory
    from lyricsyncd.service.service import Service

    def settings() -> Config:
        loaded = load(config)
        for file in exposed_secrets(config, os.environ):
            logging.getLogger(__name__).warning(
                "every user of this computer can read the secrets in %s: chmod o-r", file
            )
        return loaded

    logs.to_stderr(log_format)
    memory.give_back_large_blocks()
    file = paths.config_path(config) or paths.user_config_path()
    Service(settings, paths.state_dir(), file=file.absolute()).run()
