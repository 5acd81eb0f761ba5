"""Separate the vocals of songs: one file per separator, and `VocalSeparator` that runs one.

A separator of another package is a function ``ModelContext -> Separator`` (see
`lyricsyncd.separate.base`) under the entry point group ``lyricsyncd.separators``.
"""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.errors import ModelError
from lyricsyncd.models import installable
from lyricsyncd.models.device import check
from lyricsyncd.registry import NO_SETTINGS, ModelContext, PluginSettings, separators
from lyricsyncd.separate.base import Separator, Stem
from lyricsyncd.separate.raised import separate_raised

if TYPE_CHECKING:
    import os

    from lyricsyncd.separate.base import Found, Samples

__all__ = ["Reader", "Separator", "Stem", "VocalSeparator"]

log = logging.getLogger(__name__)

FULL_RATE = 44_100
LONGEST_RAISED_S = 900.0
"""Of longer songs the vocals are not held to be raised: 80 MB at 15 minutes."""

Progress = Callable[[str, float], None]
"""Called with the stage and the share of it that is done, 0-1."""
Reader = Callable[["Path", int], "Iterator[Samples]"]
"""Returns the blocks of a song at a sample rate, as `lyricsyncd.audio.blocks` does."""


class VocalSeparator:
    """Separate the vocals of songs, one after the other, with one loaded model.

    Parameters
    ----------
    model : str
        A name of `lyricsyncd.registry.separators`, or ``auto``: Demucs where it is installed and
        there is a graphics card, else Spleeter where that is installed, else the full mix with a
        warning.
        The model is opened with the first song.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    models_dir : Path, optional
        Where models are installed; by default where the user's settings say
        (`lyricsyncd.config.reader.load`).
    threads : int, optional
        Threads of the network; by default as many as the process may use.
    plugins : mapping, optional
        The settings of separators from other packages, by their names.

    Raises
    ------
    UsageError
        There is no such device.
    ModelError
        A graphics card is requested, and there is none.

    Examples
    --------
    >>> separator = VocalSeparator(device="cpu")
    >>> vocals, sr = separator.extract_vocals("song.mp3")  # doctest: +SKIP
    """

    def __init__(
        self,
        model: str = "auto",
        device: str = "auto",
        models_dir: str | os.PathLike[str] | None = None,
        *,
        threads: int | None = None,
        plugins: PluginSettings = NO_SETTINGS,
    ) -> None:
        check(device)
        self._model = model
        self._device = device
        self._models_dir = Path(models_dir) if models_dir is not None else None
        self._threads = threads
        self._settings = plugins.get(model, {})
        self.warning: str | None = None
        """Set once the model is open: a line for the user where ``auto`` found no separator."""

    def extract(
        self,
        path: str | os.PathLike[str],
        target_sr: int = 16_000,
        progress: Progress | None = None,
        read: Reader | None = None,
        *,
        before: Stem | None = None,
        side: bool = False,
    ) -> Stem:
        """Separate a song into vocals and mix, both mono at ``target_sr``.

        Parameters
        ----------
        before : Stem, optional
            The stem of this song whose vocals are raised in the mix (`lyricsyncd.separate.raised`),
            where it has what was ``found``.
        side : bool
            Whether the difference of the channels is wanted, too, of the vocals and of the mix.
        read : callable, optional
            In place of `lyricsyncd.audio.blocks`.

        Raises
        ------
        AudioError
            The song cannot be decoded; see `lyricsyncd.audio.blocks`.
        ModelError
            The model is missing or broken, or its device is not there.
        """
        import numpy as np

        from lyricsyncd import audio

        separator = self._separator
        rate = separator.sample_rates[0] if separator.sample_rates else target_sr
        reading = _Timed((read or audio.blocks)(Path(path), rate))
        weights = [(0.5, 0.5), (0.5, -0.5)] if side else [(0.5, 0.5)]
        of_mix = [_Mono(rate, target_sr, each) for each in weights]
        of_vocals = [_Mono(rate, target_sr, each) for each in weights]
        tapped = _tap(reading, of_mix, rate, audio.probe(path).duration, progress)
        held: list[Found] | None = [] if separator.sample_rates else None
        length_s = 0.0
        started = time.perf_counter()
        found = None if before is None else before.found
        if found is None:
            stream = separator.separate(tapped, rate)
        else:
            stream = separate_raised(separator, tapped, rate, found)
        for block in stream:
            for signal in of_vocals:
                signal.push(block)
            length_s += len(block) / rate
            if held is not None:
                held.append(block.astype(np.float16))
                if length_s > LONGEST_RAISED_S:
                    held = None
        wholes = [signal.end() for signal in of_mix]
        # Without a separator both are one array, not two equal ones.
        parted = [signal.end() for signal in of_vocals] if separator.sample_rates else wholes
        length = min(len(parted[0]), len(wholes[0]))
        elapsed = time.perf_counter() - started
        if progress is not None:
            progress("separate", 1.0)
        return Stem(
            vocals=np.ascontiguousarray(parted[0][:length]),
            mix=np.ascontiguousarray(wholes[0][:length]),
            sr=target_sr,
            separator=separator.name,
            raised=0 if before is None or found is None else before.raised + 1,
            found=np.concatenate(held) if held else None,
            seconds={"decode": reading.seconds, "separate": max(0.0, elapsed - reading.seconds)},
            warning=self.warning,
            side=parted[1][:length] if side else None,
            side_mix=wholes[1][:length] if side else None,
        )

    def extract_vocals(
        self, path: str | os.PathLike[str], target_sr: int = 16_000
    ) -> tuple[Samples, int]:
        """Separate the vocals of a song for recognition and alignment.

        Where ``auto`` finds no separator, the mix is returned and the log warns of it.

        Parameters
        ----------
        path : str or Path
            A song in any format that FFmpeg decodes, up to 30 minutes long.
        target_sr : int
            Wanted sample rate in Hz.

        Returns
        -------
        vocals : ndarray of float32, shape (n,)
            Mono, full scale ±1; sample 0 is the first that a player plays.
        sr : int
            Their sample rate in Hz: ``target_sr``.

        Raises
        ------
        AudioError
            The song cannot be decoded.
        ModelError
            The model is missing or broken, or does not fit into memory.
        """
        stem = self.extract(path, target_sr)
        self._warn()
        return stem.vocals, stem.sr

    def extract_vocals_full_rate(self, path: str | os.PathLike[str]) -> tuple[Samples, int]:
        """Separate the vocals of a song for listening, and for refining onsets.

        The model runs at its highest rate. See `extract_vocals` for what is raised,
        and for the mix in place of the vocals.

        Returns
        -------
        vocals : ndarray of float32, shape (n, 2)
            Stereo, full scale ±1; sample 0 is the first that a player plays.
        sr : int
            Their sample rate in Hz: 44,100.
        """
        import numpy as np
        import soxr

        from lyricsyncd import audio

        separator = self._separator
        rate = separator.sample_rates[-1] if separator.sample_rates else FULL_RATE
        vocals = np.concatenate(list(separator.separate(audio.blocks(path, rate), rate)))
        self._warn()
        if rate != FULL_RATE:
            vocals = soxr.resample(vocals, rate, FULL_RATE)
        return vocals, FULL_RATE

    def opened(self) -> Separator:
        """Return the separator itself, its model loaded.

        Raises
        ------
        ModelError
            The model is missing or broken, or does not fit into memory.
        """
        return self._separator

    def _warn(self) -> None:
        """Log why these are no vocals: the caller gets no `Stem` with the warning."""
        if self.warning is not None:
            log.warning("%s", self.warning)

    @cached_property
    def _separator(self) -> Separator:
        folder = self._models_folder()
        context = ModelContext(self._device, folder, threads=self._threads, settings=self._settings)
        if self._model != "auto":
            return separators.open(self._model, context)
        if _has_card_for_demucs(self._device):
            try:
                return separators.open("htdemucs_ft", context)
            except ModelError as error:
                self.warning = str(error)
        found = installable.state(installable.SPLEETER, folder)
        if found is installable.State.INSTALLED:
            return separators.open("spleeter", context)
        self.warning = (
            f"the vocals are not separated: the model 'spleeter' is {found.value}. "
            f"{installable.install_remedy(installable.SPLEETER)}"
        )
        return separators.open("none", context)

    def _models_folder(self) -> Path:
        if self._models_dir is not None:
            return self._models_dir
        from lyricsyncd.config.paths import models_dir
        from lyricsyncd.config.reader import load

        return models_dir(load().models.dir)


def _has_card_for_demucs(device: str) -> bool:
    """Return whether Demucs would run on a graphics card: a CPU is slower than the song."""
    if device == "cpu" or importlib.util.find_spec("demucs") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


class _Timed:
    """Iterate over blocks, and measure the time that they take to arrive."""

    def __init__(self, blocks: Iterator[Samples]) -> None:
        self._blocks = blocks
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Samples]:
        return self

    def __next__(self) -> Samples:
        started = time.perf_counter()
        try:
            return next(self._blocks)
        finally:
            self.seconds += time.perf_counter() - started


class _Mono:
    """Collect a stream of stereo blocks as mono at another rate.

    Parameters
    ----------
    weights : (float, float)
        Of the two channels: 0.5 and 0.5 for their middle, 0.5 and -0.5 for what is beside it.
    """

    def __init__(self, rate: int, target_sr: int, weights: tuple[float, float]) -> None:
        import numpy as np
        import soxr

        self._weights = np.array(weights, np.float32)
        self._stream = (
            soxr.ResampleStream(rate, target_sr, 1, dtype="float32") if rate != target_sr else None
        )
        self._held: list[Samples] = []

    def push(self, block: Samples) -> None:
        """Add a block of shape (n, 2)."""
        mono = block @ self._weights
        self._held.append(mono if self._stream is None else self._stream.resample_chunk(mono))

    def end(self) -> Samples:
        """Return everything, shape (n,)."""
        import numpy as np

        if self._stream is not None:
            self._held.append(self._stream.resample_chunk(np.zeros(0, np.float32), last=True))
        whole = np.concatenate(self._held)
        self._held = []
        return whole


def _tap(
    blocks: Iterable[Samples],
    mix: Sequence[_Mono],
    rate: int,
    duration: float,
    progress: Progress | None,
) -> Iterator[Samples]:
    """Pass the blocks on, copy them into the mix and report the progress."""
    done = 0
    for block in blocks:
        for signal in mix:
            signal.push(block)
        yield block
        done += len(block)
        if progress is not None and duration > 0:
            progress("separate", min(1.0, done / rate / duration))
