"""Decide what may be done when, and with how much of the computer."""

from __future__ import annotations

import dataclasses
import datetime
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd import registry
from lyricsyncd.config.values import size
from lyricsyncd.errors import WriteError
from lyricsyncd.processes import memory
from lyricsyncd.processes.cores import available_cores
from lyricsyncd.processes.limits import ResourceLimits
from lyricsyncd.work import gpu, schedule

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.pipeline.settings import PlacingSettings

log = logging.getLogger(__name__)

LIMIT_FLOOR_S = 900.0
LIMIT_PER_SECOND = 20.0
"""A song may keep the models busy for this many times its length, and at least for the floor:
generous even on the smallest computer, and still an end to what hangs."""
LIMIT_UNKNOWN_S = 3600.0
WORKER_BYTES = 1024**3
"""Memory for each of several workers: twice the peak of the profile lite with a song of 4 min."""
MOST_WORKERS = 8
"""Most workers by default: finding words, and the disk, keep up with no more."""
_LITE_MODELS = {"auto", "spleeter", "none", "mix", "sphinx", "phonemes"}
PREFETCH_BYTES = 2 * 1024**3
"""Memory for the models from which on the next song is decoded in advance by default."""


def resource_limits(config: Config) -> ResourceLimits:
    """Return how much of the computer the model worker may take."""
    daemon = config.daemon
    return ResourceLimits(memory_limit(config), daemon.nice, daemon.ionice)


def memory_limit(config: Config) -> int | None:
    """Return the bytes of memory that the model worker may use; ``None``: no limit is known."""
    chosen = size(config.daemon.memory_limit)
    return memory.default_limit() if chosen is None else chosen


def workers(config: Config) -> int:
    """Return how many songs are placed at once on this computer.

    ``auto``: one for each core, as far as memory goes, where the models are those of the profile
    lite; the large models fill all cores, or the graphics card, by themselves.
    """
    wanted = config.daemon.workers
    if wanted != "auto":
        return int(wanted)
    if not _is_lite(config):
        return 1
    limit = memory_limit(config)
    fitting = 1 if limit is None else limit // WORKER_BYTES
    return max(1, min(MOST_WORKERS, available_cores(), fitting))


def _is_lite(config: Config) -> bool:
    models = config.models
    names = {models.separator, *models.aligner.split("+")}
    if config.profile == "full" or not names <= _LITE_MODELS:
        return False
    if config.profile == "lite" or models.device == "cpu":
        return True
    # With ``auto``, large models are used where there is a graphics card.
    return not models.device.startswith("cuda") and not _has_graphics_card()


def _has_graphics_card() -> bool:
    try:
        return bool(gpu.cards())
    except gpu.NoAnswerError:
        return False


def reduced(settings: PlacingSettings, crashes: int) -> tuple[PlacingSettings, str]:
    """Reduce the settings for a song that took the model worker down before, and say how.

    First smaller models and no recogniser; then the processor instead of the graphics card as well.
    """
    if crashes == 0:
        return settings, ""
    models = dataclasses.replace(settings.models, profile="lite", recogniser="none")
    note = "smaller models were used: the larger ones were lost"
    if crashes > 1:
        models = dataclasses.replace(models, device="cpu")
        note = "smaller models were used, on the processor: the larger ones were lost"
    return dataclasses.replace(settings, models=models), note


def read_in_advance(song: Path) -> None:
    """Have the system read a file that will soon be decoded, so that no slow disk is waited for."""
    try:
        with song.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
    except OSError as error:
        log.debug("%s", error)


def decodes_in_advance(config: Config) -> bool:
    """Return whether a second decoded song fits into memory beside the one in the models."""
    wanted = config.daemon.decode_ahead
    if wanted != "auto":
        return wanted == "always"
    limit = memory_limit(config)
    return limit is not None and limit >= PREFETCH_BYTES


def time_limit(duration: float | None) -> float:
    """Return the seconds for which a song of a length may keep the models busy."""
    if duration is None:
        return LIMIT_UNKNOWN_S
    return max(LIMIT_FLOOR_S, LIMIT_PER_SECOND * duration)


def writes_sidecars(config: Config) -> bool:
    """Return whether the configuration wants files beside the songs, and not tags alone."""
    from lyricsyncd.config.schema import Output

    output = config.output
    if isinstance(output, Output):
        return registry.presets.open(output.preset).sidecars
    return any(file.to == "sidecar" for file in output)


def check_writable(song: Path, config: Config) -> None:
    """Refuse a song beside which no sidecar could be written, before any work is done for it."""
    if writes_sidecars(config) and not os.access(song.parent, os.W_OK):
        real = Path(os.path.realpath(song.parent))
        roots = (os.path.realpath(library.path) for library in config.libraries)
        if not any(real.is_relative_to(root) for root in roots):
            raise WriteError(
                f"The folder {song.parent} is linked from {real}, which cannot be written to",
                remedy="Give the service's user the right to, and where systemd or a container"
                " closes it, name that folder under `libraries`, too",
            )
        raise WriteError(
            f"The folder {song.parent} cannot be written to",
            remedy="Give the service's user the right to, or choose the output preset embed",
        )


def quiet_reason(config: Config, now: datetime.time) -> str:
    """Return why the hours of the day allow only what a person waits for; empty otherwise."""
    daemon = config.daemon
    if not schedule.is_idle(daemon.quiet_hours, daemon.active_hours, now):
        return ""
    if daemon.quiet_hours is not None:
        return f"quiet hours, {daemon.quiet_hours}"
    return f"outside the active hours, {daemon.active_hours}"
