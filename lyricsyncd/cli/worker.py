"""``lyricsyncd worker ADDRESS``: place words for a service on another computer."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from lyricsyncd.errors import UsageError


@click.command()
@click.argument("address", metavar="ADDRESS")
@click.option(
    "--path-map",
    "path_maps",
    multiple=True,
    metavar="THERE=HERE",
    help="A music folder as the service calls it, and as it is called here.",
)
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file.")
def worker(address: str, path_maps: tuple[str, ...], config: Path | None) -> None:
    """Place words for the service whose dask scheduler listens at ADDRESS, as tcp://nas:8786.

    The computer needs the music in reach, under any name, and the models. It does one song at a
    time for each graphics card; without one, as many as `daemon.workers` says. From the
    configuration it takes `models`, and of `daemon` the limits and certificates.
    """
    from lyricsyncd.cli import logs
    from lyricsyncd.config.reader import load
    from lyricsyncd.work.dask_protocol import check_installed

    folders = dict(_folders(text) for text in path_maps)
    settings = load(config)
    check_installed()
    from lyricsyncd.work.dask_worker import serve

    logs.to_stderr(level=logging.WARNING)
    logging.getLogger("lyricsyncd").setLevel(logging.INFO)
    serve(address, settings, folders)


def _folders(text: str) -> tuple[str, str]:
    there, equals, here = text.partition("=")
    if not (equals and there.startswith("/") and here.startswith("/")):
        raise UsageError(
            f"'{text}' is no pair of folders", remedy="Write it as /volume1/music=/mnt/music"
        )
    return there, here
