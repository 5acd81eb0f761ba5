"""Spleeter's 2-stem model on onnxruntime: the vocals of a stereo mix, chunk by chunk.

The networks take the magnitudes of 1024 frequency bins, some hundreds of frames at once. They were
trained at 44.1 kHz on windows of 4096 samples, of which they take the lower half of the spectrum:
up to 11 kHz. Half the rate and half the window give the same bins for less memory, and the same
vocals: above 11 kHz the output is silent either way. Words are placed at 16 kHz, so at half the
rate the networks take the bins up to 8 kHz alone, which saves them a quarter of their work.

Two chunks are separated at once: the larger part of the networks' work, the transposed
convolutions, gains little from a second thread, and the transforms around them nothing.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np

from lyricsyncd.config.paths import models_dir
from lyricsyncd.models import installable
from lyricsyncd.models.onnx_session import open_session, run
from lyricsyncd.models.spleeter_network import (
    BINS,
    FRAME_STEP,
    INPUT,
    OUTPUT,
    with_any_bins,
)
from lyricsyncd.processes.cores import available_cores
from lyricsyncd.registry import ModelContext
from lyricsyncd.separate import spectrogram
from lyricsyncd.separate.base import Separator
from lyricsyncd.separate.spectrogram import OVERLAP, Samples

TRAINED_RATE = 44_100
TRAINED_WINDOW = 4096
PLACING_BINS = 768
"""Bins up to 8.3 kHz."""
CHUNK, CONTEXT = 320, 64
"""Frames whose mask is used, and context frames on both sides."""
_AT_ONCE = 2
"""Chunks that are separated at once, where there are as many cores: each takes 90 MB."""


class Spleeter:
    """Separate the vocals of a stereo mix. The session stays open for the next song.

    Parameters
    ----------
    model : Path
        The ONNX file that `lyricsyncd.models` installs.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    threads : int, optional
        Threads in all; by default as many as this process may use.
    chunk, context : int, optional
        Frames at once; ``chunk + 2 * context`` is best a multiple of 64.

    Raises
    ------
    ModelError
        The file is missing or broken, or the device is not there.
    """

    name = "spleeter"
    sample_rates = (TRAINED_RATE // 2, TRAINED_RATE)

    def __init__(
        self,
        model: Path,
        *,
        device: str = "auto",
        threads: int | None = None,
        chunk: int = CHUNK,
        context: int = CONTEXT,
    ) -> None:
        threads = threads or available_cores()
        self._at_once = min(_AT_ONCE, threads)
        self._session = open_session(
            model, device=device, threads=threads // self._at_once, edit=with_any_bins
        )
        self._chunk = chunk
        self._context = context

    def separate(self, blocks: Iterable[Samples], sample_rate: int) -> Iterator[Samples]:
        """Separate a stream: as many samples as the input, in blocks of another size.

        Parameters
        ----------
        blocks
            Arrays of shape (n, 2), float32, full scale ±1.
        sample_rate
            22050 or 44100 Hz.

        Raises
        ------
        ModelError
            The network failed, for lack of memory, say.
        """
        if sample_rate not in self.sample_rates:
            raise ValueError(f"Spleeter works at {self.sample_rates} Hz, not at {sample_rate}")
        return self._stream(blocks, TRAINED_WINDOW * sample_rate // TRAINED_RATE)

    def _stream(self, blocks: Iterable[Samples], size: int) -> Iterator[Samples]:
        """Separate with windows of ``size`` samples."""
        window = spectrogram.hann(size)
        hop = size // OVERLAP
        # Silence before the song puts each of its samples under a complete set of windows, and is
        # the context of the first chunk.
        edge = size - hop
        before = self._context * hop
        length = (self._chunk + 2 * self._context - 1) * hop + size
        tail: Samples = np.zeros((edge, 2), np.float32)
        skip = edge
        windows = _windows(blocks, before + edge, length, self._chunk * hop)
        for vocals, frames, left in self._in_order(windows, window, before):
            vocals[:edge] += tail
            tail = vocals[frames * hop :]
            done = vocals[skip : min(frames * hop, left)]
            skip = max(0, skip - frames * hop)
            if len(done):
                yield done

    def _in_order(
        self, windows: Iterator[tuple[Samples, int]], window: Samples, before: int
    ) -> Iterator[tuple[Samples, int, int]]:
        """Yield the vocals of each chunk, its frames, and the samples left from its first on.

        While some chunks are separated, the next ones are read.
        """
        hop = len(window) // OVERLAP
        begun: deque[tuple[Future[Samples], int, int]] = deque()

        def finished() -> tuple[Samples, int, int]:
            vocals, frames, left = begun.popleft()
            return vocals.result(), frames, left

        with ThreadPoolExecutor(self._at_once) as pool:
            for samples, known in windows:
                left = known - before
                if left <= 0:
                    break
                frames = min(self._chunk, -(-left // hop))
                last = left <= frames * hop
                if last:  # it releases the memory of all
                    wait(vocals for vocals, _, _ in begun)
                vocals = pool.submit(self._vocals, samples, window, frames, last=last)
                begun.append((vocals, frames, left))
                if len(begun) > self._at_once:
                    yield finished()
            while begun:
                yield finished()

    def _vocals(self, samples: Samples, window: Samples, frames: int, *, last: bool) -> Samples:
        """Return overlap-added vocals of ``frames`` frames, from frame ``context`` on."""
        size = len(window)
        bins = BINS if size == TRAINED_WINDOW else PLACING_BINS
        n_frames = frames + 2 * self._context
        n_frames += -n_frames % FRAME_STEP
        wanted = (n_frames - 1) * (size // OVERLAP) + size
        if len(samples) < wanted:
            samples = np.pad(samples, ((0, wanted - len(samples)), (0, 0)))
        spectra = spectrogram.stft(samples[:wanted], window)
        # Magnitudes grow with the window; the networks were trained on those of another.
        magnitudes = np.abs(spectra[:, :, :bins]) * np.float32(TRAINED_WINDOW / size)
        mask: Samples = run(self._session, {INPUT: magnitudes[None]}, OUTPUT, last=last)[0]
        core = slice(self._context, self._context + frames)
        spectra = spectra[:, core]
        spectra[:, :, :bins] *= mask[:, core]
        spectra[:, :, bins:] = 0
        return spectrogram.overlap_add(spectra, window)


def _windows(
    blocks: Iterable[Samples], silence: int, length: int, step: int
) -> Iterator[tuple[Samples, int]]:
    """Yield windows of a stream, each ``step`` after the one before, and how much of it is known.

    The stream is ``silence`` zeros and then the blocks. A window that extends beyond the end is
    padded with zeros; the number beside it counts the samples from its beginning to the end of the
    stream as far as it has been read, which is at least ``length`` before the end.
    """
    stream = itertools.chain([np.zeros((silence, 2), np.float32)], blocks)
    held: list[Samples] = []
    known = 0
    while True:
        for block in stream:
            held.append(block)
            known += len(block)
            if known >= length:
                break
        joined = np.concatenate(held)
        if known <= 0:
            return
        window = joined[:length]
        if len(window) < length:
            window = np.pad(window, ((0, length - len(window)), (0, 0)))
        yield window, known
        held = [joined[step:]]
        known = len(held[0])


def open_spleeter(context: ModelContext) -> Separator:
    """Open the installed Spleeter.

    Raises
    ------
    ModelError
        It is not installed, or damaged, or its device is not there.
    """
    model = installable.require(installable.SPLEETER, models_dir(context.models_dir))
    return Spleeter(model, device=context.device, threads=context.threads)
