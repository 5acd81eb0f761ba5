"""Decode music to samples: any format, as a stream, at any sample rate.

Time zero is the first sample that a player plays: what an encoder put before it (MP3, AAC and
Opus priming) is left out wherever the file states its length.

Every failure is an `AudioError` with one line for the user; a hostile file can cause no other.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lyricsyncd.errors import AudioError
from lyricsyncd.media_types import DEMUXERS

if TYPE_CHECKING:
    import av
    import av.audio.stream
    import av.container
    import numpy as np
    import soxr
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

MAX_DURATION = 30 * 60.0
"""Longest song that is decoded, in seconds: longer ones are mixes, concerts or audio books."""
SILENCE_DBFS = -70.0

_ESTIMATED = frozenset({"aac", "ac3", "amr", "dts", "eac3", "mpeg", "mpegts"})
"""Containers whose header does not state the length; MP3 is checked separately."""
_RATES = range(4_000, 768_001)
_BLOCK_S = 1.0
_CLIP = 4.0
"""Float formats may exceed full scale; noise bytes read as floats exceed it by 10^38."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """The properties of a file, from its header or, where that lacks them, from its packets."""

    duration: float
    """Seconds."""
    sample_rate: int
    """Hz."""
    channels: int
    codec: str
    """FFmpeg's name: ``mp3``, ``flac``, ``vorbis``, ``aac`` …"""


def probe(path: str | os.PathLike[str]) -> AudioInfo:
    """Read the length and the format of a song without decoding it.

    Raises
    ------
    AudioError
        The file is not there, not audio, empty or broken at its head.
    """
    song = Path(path)
    with opened(song) as (container, stream):
        duration = _declared_duration(song, container, stream)
        if duration is None:
            duration = _demuxed_duration(container, stream)
        return AudioInfo(duration, stream.rate, stream.channels, codec_name(stream))


def packets_digest(path: str | os.PathLike[str]) -> str:
    """Hash a song's audio packets: equal for copies with other tags or other covers.

    Raises
    ------
    AudioError
        As `probe`.
    """
    import hashlib

    with opened(Path(path)) as (container, stream):
        # What is cut off at the start is stated outside of the packets.
        start = float((stream.start_time or 0) * (stream.time_base or 0))
        kind = f"{codec_name(stream)} {stream.rate} {stream.channels} {start:.3f}"
        digest = hashlib.sha256(kind.encode("ascii", "replace"))
        for packet in container.demux(stream):
            digest.update(bytes(packet))
        return digest.hexdigest()


def blocks(
    path: str | os.PathLike[str], sample_rate: int, *, max_duration: float = MAX_DURATION
) -> Iterator[Samples]:
    """Decode a song as a stream of stereo blocks.

    Parameters
    ----------
    sample_rate
        Target rate in Hz; the song is resampled to it (soxr, high quality).
    max_duration
        Seconds; a longer song is rejected, from its header where that is right.

    Yields
    ------
    Arrays of shape (n, 2), float32, full scale ±1, n > 0. Mono is duplicated, more than two
    channels are mixed down.

    Raises
    ------
    AudioError
        The file is not there, not audio, truncated, silent, too long or unreadable. Truncation
        and silence are known, and raised, at the end of the stream.
    """
    import numpy as np

    song = Path(path)
    with opened(song) as (container, stream):
        declared = _declared_duration(song, container, stream)
        if declared is not None and declared > max_duration:
            raise _too_long(song, declared, max_duration)
        if declared is None and _estimated_duration(container, stream) > max_duration:
            # The estimate rests on the first frame's bit rate and may be far off; reading the
            # packets is far quicker than decoding half an hour.
            length = _demuxed_duration(container, stream)
            if length > max_duration:
                raise _too_long(song, length, max_duration)
            container.seek(0)

        decoded, peak = 0.0, 0.0
        resampler = _Resampler(sample_rate)
        for block, rate in _decoded(container, stream):
            decoded += len(block) / rate
            if decoded > max_duration:
                raise _too_long(song, decoded, max_duration, at_least=True)
            peak = max(peak, float(np.abs(block).max()))
            yield from resampler.push(block, rate)
        yield from resampler.flush()

    if decoded == 0:
        raise AudioError(f"{song} holds no sound that can be decoded", remedy=_REPLACE)
    if declared is not None and declared - decoded > max(1.0, 0.03 * declared):
        raise AudioError(
            f"{song} is truncated or damaged: "
            f"{_clock(decoded)} of {_clock(declared)} can be decoded",
            remedy=_REPLACE,
        )
    if peak < 10 ** (SILENCE_DBFS / 20):
        raise AudioError(f"{song} holds only silence", remedy=_REPLACE)


def decode(
    path: str | os.PathLike[str], sample_rate: int, *, max_duration: float = MAX_DURATION
) -> Samples:
    """Decode a whole song as mono: shape (n,), float32, full scale ±1, at ``sample_rate``.

    Raises
    ------
    AudioError
        As `blocks`.
    """
    import numpy as np

    stream = blocks(path, sample_rate, max_duration=max_duration)
    return np.concatenate([block.mean(axis=1) for block in stream])


def mono(samples: Samples) -> Samples:
    """Mix channels down to one.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,) or (n, channels)

    Returns
    -------
    ndarray of float32, shape (n,)
        Their mean.

    Raises
    ------
    ValueError
        The array has another shape, such as (channels, n).
    """
    if samples.ndim == 1:
        return samples
    if samples.ndim != 2 or samples.shape[1] > max(samples.shape[0], 2):
        raise ValueError(f"samples must have shape (n,) or (n, channels), not {samples.shape}")
    mixed: Samples = samples.mean(axis=1)
    return mixed


_REPLACE = "Replace the file with a whole copy of the song"


class _NamedFile:
    """A file under the name ``song.EXT``: FFmpeg may use the ending, and must not interpret the
    rest of a name (bytes that are not UTF-8, "http:…")."""

    def __init__(self, file: IO[bytes], ending: str) -> None:
        self.name = f"song{ending}" if ending.isascii() and ending[1:].isalnum() else "song"
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell


@contextmanager
def opened(
    song: Path,
) -> Iterator[tuple[av.container.InputContainer, av.audio.stream.AudioStream]]:
    """Open the container and its first audio stream; errors become `AudioError`."""
    import av

    try:
        file = song.open("rb")
    except FileNotFoundError as error:
        raise AudioError(f"{song} is not there", remedy="Check the path") from error
    except IsADirectoryError as error:
        raise AudioError(f"{song} is a folder", remedy="Name the songs in it") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AudioError(
            f"{song} cannot be read: {reason}", remedy="Check its permissions and its disk"
        ) from error
    with file:
        if os.fstat(file.fileno()).st_size == 0:
            raise AudioError(f"{song} is empty (0 bytes)", remedy=_REPLACE)
        try:
            container = open_container(file, song.suffix)
        except OSError as error:
            if isinstance(error, av.error.FFmpegError):
                raise _not_audio(song) from error
            raise AudioError(
                f"{song} cannot be read: {error.strerror}", remedy="Check its disk"
            ) from error
        except refusals() as error:
            raise _not_audio(song) from error
        with container:
            # A cover picture is a video stream; only audio is used.
            streams = [s for s in container.streams.audio if s.codec_context is not None]
            if not streams:
                raise AudioError(f"{song} has no audio stream", remedy=_REPLACE)
            stream = streams[0]
            if stream.rate not in _RATES or not 1 <= stream.channels <= 64:
                raise AudioError(
                    f"{song} claims {stream.channels} channels at {stream.rate} Hz", remedy=_REPLACE
                )
            try:
                yield container, stream
            except AudioError:
                raise
            except refusals() as error:
                raise AudioError(f"{song} cannot be decoded: {error}", remedy=_REPLACE) from error


def open_container(file: IO[bytes], ending: str) -> av.container.InputContainer:
    """Open a file with FFmpeg, limited to formats of songs, and kept from opening other files.

    Raises
    ------
    Exception
        One of `refusals`.
    """
    import av

    # Before version 14 PyAV logs FFmpeg's own remarks; what is wrong is said once, by our errors.
    logging.getLogger("libav").setLevel(logging.CRITICAL + 1)
    container: av.container.InputContainer = av.open(
        _NamedFile(file, ending),
        "r",
        options={"format_whitelist": ",".join(DEMUXERS), "protocol_whitelist": "none"},
        **_lenient_about_metadata(),
    )
    return container


def _lenient_about_metadata() -> dict[str, Any]:
    """Return options to read names in a wrong encoding, which PyAV always does from 19 on."""
    import av

    return {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}


def codec_name(stream: av.audio.stream.AudioStream) -> str:
    """Return FFmpeg's name of a stream's codec."""
    codec = stream.codec_context.codec
    # Before version 14, PyAV has only the decoder's name: "mp3float".
    name: str = getattr(codec, "canonical_name", None) or codec.name.removesuffix("float")
    return name


def refusals() -> tuple[type[Exception], ...]:
    """List what PyAV raises for files that it cannot read.

    A `TypeError` or an `AttributeError` is never a file's fault: where a version of a library has
    another interface, that must not look like a broken song.
    """
    import av

    return av.error.FFmpegError, UnicodeDecodeError, MemoryError, OverflowError


def _not_audio(song: Path) -> AudioError:
    return AudioError(
        f"{song} is not an audio file that can be read",
        remedy="Give it as MP3, FLAC, Ogg, Opus, M4A or WAV",
    )


def _too_long(song: Path, length: float, limit: float, *, at_least: bool = False) -> AudioError:
    return AudioError(
        f"{song} is {'over ' if at_least else ''}{_clock(length)} long; "
        f"songs up to {_clock(limit)} are taken",
        remedy="Split it into songs",
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _estimated_duration(
    container: av.container.InputContainer, stream: av.audio.stream.AudioStream
) -> float:
    """Return the length that FFmpeg estimates, 0 where it has none."""
    import av

    if stream.duration is not None and stream.time_base is not None:
        return max(0.0, float(stream.duration * stream.time_base))
    return max(0, container.duration or 0) / av.time_base


def _declared_duration(
    song: Path, container: av.container.InputContainer, stream: av.audio.stream.AudioStream
) -> float | None:
    """Return the length that the file states; ``None`` where FFmpeg could only estimate it."""
    kind = container.format.name
    if kind in _ESTIMATED or (kind == "mp3" and not _mp3_states_length(song)):
        return None
    return _estimated_duration(container, stream) or None


def _mp3_states_length(song: Path) -> bool:
    """Return whether the first MP3 frame is a Xing, Info or VBRI header with a frame count."""
    with song.open("rb") as file:
        head = file.read(10)
        while len(head) == 10 and head[:3] == b"ID3":
            # The size's four bytes hold seven bits each; a flag marks a footer.
            size = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
            file.seek(size + (10 if head[5] & 0x10 else 0), os.SEEK_CUR)
            head = file.read(10)
        frame = head + file.read(4096)
    for mark in (b"Xing", b"Info"):
        at = frame.find(mark)
        if at >= 0 and len(frame) >= at + 8:
            return bool(frame[at + 7] & 1)
    return b"VBRI" in frame


def _demuxed_duration(
    container: av.container.InputContainer, stream: av.audio.stream.AudioStream
) -> float:
    """Sum the lengths of all packets, which are read but not decoded."""
    import av

    total = 0
    try:
        for packet in container.demux(stream):
            total += packet.duration or 0
    except av.error.FFmpegError:
        pass  # a truncated end: what precedes it counts
    return float(total * stream.time_base) if stream.time_base is not None else 0.0


def _decoded(
    container: av.container.InputContainer, stream: av.audio.stream.AudioStream
) -> Iterator[tuple[Samples, int]]:
    """Yield blocks of about a second, shape (n, 2), and their rate, without broken packets."""
    import numpy as np

    held: list[Samples] = []
    count, rate = 0, 0

    def block() -> Samples:
        samples = np.nan_to_num(np.concatenate(held), copy=False)
        return np.clip(samples, -_CLIP, _CLIP, out=samples)

    for frame in frames(container, stream):
        if held and (frame.sample_rate != rate or count >= _BLOCK_S * rate):
            yield block(), rate
            held, count = [], 0
        rate = frame.sample_rate
        if rate not in _RATES:
            raise AudioError(f"a frame claims {rate} Hz", remedy=_REPLACE)
        samples = _stereo(frame)
        if len(samples):
            held.append(samples)
            count += len(samples)
    if held:
        yield block(), rate


def frames(
    container: av.container.InputContainer, stream: av.audio.stream.AudioStream
) -> Iterator[av.AudioFrame]:
    """Decode the frames of a stream, without broken packets."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError:
            # A truncated end; how much is missing shows in the length.
            return
        try:
            decoded = packet.decode()
        except (av.error.FFmpegError, ValueError):
            # A ValueError: of a codec that FFmpeg does not have.
            continue
        for frame in decoded:
            if isinstance(frame, av.AudioFrame):
                yield frame


def _stereo(frame: av.AudioFrame) -> Samples:
    """Convert a frame to shape (n, 2), float32; what is no number, or too large, stays so."""
    import av
    import numpy as np

    if not frame.layout.channels:
        return np.empty((0, 2), np.float32)
    if len(frame.layout.channels) > 2:
        # FFmpeg knows the layouts. Without a change of rate it buffers nothing, so that frames may
        # differ from each other.
        mixer = av.AudioResampler("fltp", "stereo")
        frame.pts = None
        planes = np.concatenate([out.to_ndarray() for out in mixer.resample(frame)], axis=1)
    else:
        planes = frame.to_ndarray()
        if not frame.format.is_planar:
            planes = planes.reshape(-1, len(frame.layout.channels)).T
    stereo = np.empty((planes.shape[1], 2), np.float32)
    stereo[:] = planes.T
    if planes.dtype.kind != "f":
        # The smallest number is −1; unsigned bytes have their zero in the middle.
        stereo /= np.float32(2 ** (8 * planes.dtype.itemsize - 1))
        if planes.dtype.kind == "u":
            stereo -= 1
    return stereo


class _Resampler:
    """Resample a stream whose rate may change (chained Ogg, concatenated MP3)."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._rate = target
        self._stream: soxr.ResampleStream | None = None

    def push(self, block: Samples, rate: int) -> Iterator[Samples]:
        import soxr

        if rate != self._rate:
            yield from self.flush()
            self._rate = rate
        if rate == self._target:
            yield block
            return
        if self._stream is None:
            self._stream = soxr.ResampleStream(rate, self._target, 2, dtype="float32")
        yield from self._some(self._stream.resample_chunk(block))

    def flush(self) -> Iterator[Samples]:
        """Yield what the filter still buffers."""
        import numpy as np

        if self._stream is not None:
            rest = self._stream.resample_chunk(np.zeros((0, 2), np.float32), last=True)
            self._stream = None
            yield from self._some(rest)

    @staticmethod
    def _some(block: Samples) -> Iterator[Samples]:
        if len(block):
            yield block
