"""Write the instrumental and the vocals of a song to files, for karaoke.

Both are as long as the song, sample for sample, and together they are the song: nothing is made
louder or quieter, and no encoder's delay is left in. The song is decoded, separated and encoded a
block at a time, so memory does not grow with its length (but for models that need all of it).
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.errors import ModelError, WriteError
from lyricsyncd.media_types import STEM_ENDINGS

if TYPE_CHECKING:
    import av
    import numpy as np
    from numpy.typing import NDArray

    from lyricsyncd.separate.base import Separator

    Samples = NDArray[np.float32]

FORMATS = ("flac", "opus")
_RATE = 44_100
_OPUS_RATE = 48_000
_OPUS_BITS = 160_000

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Stems:
    """The files of a song's stems."""

    instrumental: Path
    vocals: Path


def stems_of(song: Path, folder: Path, suffix: str = "flac") -> Stems:
    """Return where the stems of a song lie in a folder: ``NAME.instrumental.flac`` and
    ``NAME.vocals.flac``."""
    return Stems(*(folder / f"{song.stem}{ending}.{suffix}" for ending in STEM_ENDINGS))


def write_stems(
    song: Path,
    folder: Path,
    separator: Separator,
    suffix: str = "flac",
    progress: Progress | None = None,
) -> Stems:
    """Write the instrumental and the vocals of a song; both files are complete, or neither is new.

    Parameters
    ----------
    separator : Separator
        See `lyricsyncd.separate.VocalSeparator.opened`.
    folder : Path
        Made where it is not there.
    suffix : str
        One of `FORMATS`: FLAC keeps every sample, Opus takes a sixth of the room.

    Raises
    ------
    AudioError
        The song cannot be decoded.
    ModelError
        No separator is installed, or it fails.
    WriteError
        The files cannot be written.
    """
    from lyricsyncd import audio

    rate = _rate_of(separator)
    duration = audio.probe(song).duration
    stems = stems_of(song, folder, suffix)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            _Encoder.of(stems.instrumental, suffix, rate) as band,
            _Encoder.of(stems.vocals, suffix, rate) as voice,
        ):
            done = 0
            for rest, vocals in _parted(separator, audio.blocks(song, rate), rate):
                band.add(rest)
                voice.add(vocals)
                done += len(vocals)
                if progress is not None and duration > 0.0:
                    progress("separate", min(1.0, done / rate / duration))
            band.finish()
            voice.finish()
    except OSError as error:
        raise WriteError(
            f"the stems cannot be written to {folder}: {error.strerror or error}",
            remedy="Make room there, or name another folder",
        ) from error
    return stems


def write_pair(song: Path, target: Path, separator: Separator) -> bytes:
    """Write a song's vocals and the rest of it as the channels of one file, for a browser to mix.

    Two files would drift apart while they are played.

    Returns
    -------
    bytes
        The peaks of the vocals, see `lyricsyncd.playback.peaks`.

    Raises
    ------
    As `write_stems`.
    """
    import av
    import numpy as np

    from lyricsyncd import audio
    from lyricsyncd.playback.peaks import envelope
    from lyricsyncd.playback.renditions import write_aac

    rate = _rate_of(separator)
    voice: list[Samples] = []

    def frames() -> Iterator[av.AudioFrame]:
        for rest, vocals in _parted(separator, audio.blocks(song, rate), rate):
            pair = np.stack([vocals.mean(axis=1), rest.mean(axis=1)])
            voice.append(pair[0])
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pair), "fltp", "stereo")
            frame.sample_rate = rate
            yield frame

    try:
        write_aac(target, rate, frames())
    except OSError as error:
        raise WriteError(
            f"the stems cannot be written to {target.parent}: {error.strerror or error}",
            remedy="Make room there",
        ) from error
    return envelope(np.concatenate(voice), rate) if voice else b""


def _rate_of(separator: Separator) -> int:
    if not separator.sample_rates:
        raise ModelError(
            "the vocals cannot be separated: no separator is installed",
            remedy="Install one: lyricsyncd models install",
        )
    return separator.sample_rates[-1]


def _parted(
    separator: Separator, blocks: Iterable[Samples], rate: int
) -> Iterator[tuple[Samples, Samples]]:
    """Yield what is left of the mix without its vocals, and the vocals, block by block."""
    import numpy as np

    # The separator lags behind what it has read: the mix waits for it.
    waiting: deque[Samples] = deque()

    def read() -> Iterator[Samples]:
        for block in blocks:
            waiting.append(block)
            yield block

    for vocals in separator.separate(read(), rate):
        mix: list[Samples] = []
        missing = len(vocals)
        while missing > 0:
            block = waiting.popleft()
            mix.append(block[:missing])
            if len(block) > missing:
                waiting.appendleft(block[missing:])
            missing -= len(mix[-1])
        if mix:
            yield np.concatenate(mix) - vocals, vocals


class _Encoder:
    """Encode stereo blocks to a file, which is put in its place when it is finished."""

    def __init__(self, path: Path, suffix: str, rate: int) -> None:
        import av.audio.stream

        self._path = path
        # One name, so that what a killed process left is written over.
        self._work = path.with_name(f".{path.name}.part")
        self._rate = rate
        opus = suffix == "opus"
        self._container = av.open(os.fspath(self._work), "w", format="ogg" if opus else "flac")
        self._stream = self._container.add_stream(
            "libopus" if opus else "flac", rate=_OPUS_RATE if opus else rate
        )
        assert isinstance(self._stream, av.audio.stream.AudioStream)
        self._stream.layout = "stereo"
        if opus:
            self._stream.bit_rate = _OPUS_BITS
        else:
            self._stream.format = "s16"
        self._at = 0

    @classmethod
    @contextlib.contextmanager
    def of(cls, path: Path, suffix: str, rate: int) -> Iterator[_Encoder]:
        """Open an encoder, and remove what is not finished."""
        encoder = cls(path, suffix, rate)
        try:
            yield encoder
        finally:
            encoder._container.close()
            encoder._work.unlink(missing_ok=True)

    def add(self, block: Samples) -> None:
        """Encode a block of shape (n, 2), full scale ±1."""
        import av
        import numpy as np

        whole = np.rint(np.clip(block, -1.0, 1.0) * np.float32(32767.0)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(whole).reshape(1, -1), format="s16", layout="stereo"
        )
        frame.sample_rate, frame.pts = self._rate, self._at
        self._at += len(block)
        self._mux(frame)

    def finish(self) -> None:
        """Write what the encoder holds back, and put the file in its place."""
        self._mux(None)
        self._container.close()
        self._work.replace(self._path)

    def _mux(self, frame: av.AudioFrame | None) -> None:
        self._container.mux(self._stream.encode(frame))
