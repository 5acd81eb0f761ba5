"""``lyricsyncd worker ADDRESS``: lend this computer's models to a service elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lyricsyncd.errors import LyricsyncError, UsageError

if TYPE_CHECKING:
    from distributed import Nanny, Security

    from lyricsyncd.config import Config


@click.command()
@click.argument("address")
@click.option(
    "--path-map",
    "path_map",
    multiple=True,
    metavar="THERE=HERE",
    help="A folder as the service calls it, and as it is called here; may be given several times.",
)
@click.option("--name", help="What the cluster calls it; the computer's name by default.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file.")
def worker(address: str, path_map: tuple[str, ...], name: str | None, config: Path | None) -> None:
    """Place words for the service whose scheduler is at ADDRESS, as tcp://nas:8786.

    One song at a time for each graphics card, or one on the processor. The models are those that
    this computer's configuration names. It needs the extra `dask`.
    """
    import asyncio
    import importlib.util

    from lyricsyncd.config import load
    from lyricsyncd.daemon.cluster import SETTINGS_VARIABLE, security

    if importlib.util.find_spec("distributed") is None:
        raise UsageError(
            "The package distributed is not installed",
            remedy="pip install 'lyricsyncd[dask]'",
        )
    settings = load(config)
    own = {
        "path_map": dict(_folders(pair) for pair in path_map),
        "models": settings.models.model_dump(mode="json"),
    }
    variables = {SETTINGS_VARIABLE: json.dumps(own)}
    asyncio.run(_serve(address, name, variables, security(settings.daemon.dask_tls), settings))


def _folders(pair: str) -> tuple[str, str]:
    there, parted, here = pair.partition("=")
    if not (parted and there.startswith("/") and here.startswith("/")):
        raise UsageError(
            f"'{pair}' is no pair of folders", remedy="Write --path-map /music=/mnt/music"
        )
    return there.rstrip("/") or "/", here


def _cards(device: str) -> list[str]:
    """The numbers of the graphics cards to use; one nameless place without."""
    from lyricsyncd.daemon import gpu

    if device == "cpu":
        return [""]
    if device.startswith("cuda:"):
        return [device.removeprefix("cuda:")]
    try:
        return [str(number) for number in range(len(gpu.cards()))] or [""]
    except gpu.NoAnswerError:
        return [""]


async def _serve(
    address: str,
    name: str | None,
    variables: dict[str, str],
    keys: Security | None,
    settings: Config,
) -> None:
    import asyncio
    import os
    import signal
    import socket

    from distributed import Nanny

    from lyricsyncd.daemon.cluster import CONNECT_S, SLOT

    name = name or f"{socket.gethostname()}-{os.getpid()}"
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    cards = _cards(settings.models.device)
    nannies: list[Nanny] = []
    for card in cards:
        # A process of its own for each card, watched over, and started anew when it ends.
        only = {"CUDA_VISIBLE_DEVICES": card} if card and len(cards) > 1 else {}
        nanny = Nanny(
            address,
            nthreads=1,
            name=f"{name}-{card}" if card else name,
            resources={SLOT: 1},
            env={**variables, **only},
            security=keys,
            death_timeout=CONNECT_S,
        )
        nannies.append(nanny)
    try:
        try:
            await asyncio.wait_for(asyncio.gather(*nannies), 3 * CONNECT_S)
        except (OSError, RuntimeError, asyncio.TimeoutError) as error:
            raise LyricsyncError(
                f"The scheduler at {address} cannot be reached: {error}",
                remedy="Is `dask scheduler` running there?",
            ) from error
        click.echo(f"{len(nannies)} place(s) for songs at {address}", err=True)
        ended = [asyncio.ensure_future(nanny.finished()) for nanny in nannies]
        await asyncio.wait(
            [asyncio.ensure_future(end.wait()), *ended], return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        for nanny in nannies:
            await nanny.close(timeout=5)
