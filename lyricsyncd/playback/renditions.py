"""Make songs playable in browsers, on a time axis that is true.

Browsers seek wrongly in MP3 files with a variable bit rate, by up to seconds, and play neither
ALAC, WMA nor APE at all. MP3 is copied into an MP4 file, whose index is exact, without loss;
everything else that they do not play, or play off time, is encoded anew as AAC.

An encoder puts some samples before the sound (priming). `lyricsyncd.audio` leaves them out, and so
must a browser: an edit list of the MP4 file says how many they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyricsyncd.errors import AudioError
from lyricsyncd.processes.sandbox import READER, Sandbox

if TYPE_CHECKING:
    import av
    import av.audio.stream
    import av.container

CONVERTER = Sandbox("audio converter", processor_s=300.0, data_bytes=512 * 2**20, wall_s=900.0)
"""Converts songs: about 2 s of processor time for three minutes."""
AAC_PRIMING = 1024
"""Samples that FFmpeg's encoder puts before the sound."""
_AAC_RATE = 44_100
_AAC_BITS = 192_000
_MP4 = 'audio/mp4; codecs="mp4a.40.2"'
_AS_THEY_ARE = {
    ("flac", "flac"): "audio/flac",
    ("ogg", "opus"): 'audio/ogg; codecs="opus"',
    ("mov", "aac"): _MP4,
    **{("wav", f"pcm_{kind}"): "audio/wav" for kind in ("u8", "s16le", "s24le", "f32le")},
}
"""Container and codec of what browsers play and seek exactly. Not Vorbis, which Chromium plays
20 to 30 ms early."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """A form in which a song can be had.

    Attributes
    ----------
    name : str
        ``raw``: the file itself; ``mp4``: its packets in an MP4 file; ``aac``: encoded anew.
    media_type : str
        With codecs, as browsers want it for `canPlayType`.
    offset : float
        The time in the rendition, in seconds, at which the song's time is zero.
    """

    name: str
    media_type: str
    offset: float = 0.0


AAC = Rendition("aac", _MP4)
STEMS = Rendition("stems", _MP4)
"""The vocals on the left, the rest of the song on the right, to be mixed anew."""


def renditions(kind: str) -> list[Rendition]:
    """List the renditions of a kind of file, see `kind_of`; the best first, `AAC` always last."""
    container, _, codec = kind.partition("/")
    if codec == "mp3":
        return [Rendition("mp4", 'audio/mp4; codecs="mp3"'), AAC]
    if (media_type := _AS_THEY_ARE.get((container, codec))) is not None:
        return [Rendition("raw", media_type), AAC]
    return [AAC]


def kind_of(song: Path) -> str:
    """Read what a song's file is: container and codec, as ``mov/aac``.

    Raises
    ------
    AudioError
        It cannot be read.
    """
    return READER.run(_kind, song)


def convert(song: Path, name: str, target: Path) -> None:
    """Make the rendition of a name, ``mp4`` or ``aac``, in a process with limits.

    Raises
    ------
    AudioError
        The song cannot be converted.
    """
    CONVERTER.run({"mp4": remux, "aac": encode}[name], song, target)


def _kind(song: Path) -> str:
    from lyricsyncd import audio

    with audio.opened(song) as (container, stream):
        return f"{container.format.name.split(',')[0]}/{audio.codec_name(stream)}"


def remux(song: Path, target: Path) -> None:
    """Copy the audio packets of a song into an MP4 file.

    Raises
    ------
    AudioError
        As `lyricsyncd.audio.probe`.
    """
    from lyricsyncd import audio

    with audio.opened(song) as (container, stream), _mp4(target) as output:
        add = getattr(output, "add_stream_from_template", None)
        # Before version 14, PyAV has another name for it.
        copy = output.add_stream(template=stream) if add is None else add(stream)
        # What comes before the start is priming; a negative time becomes an edit list.
        start = stream.start_time or 0
        for packet in _packets(container, stream):
            packet.pts = None if packet.pts is None else packet.pts - start
            packet.dts = None if packet.dts is None else packet.dts - start
            packet.stream = copy
            output.mux(packet)


def encode(song: Path, target: Path) -> None:
    """Encode a song as AAC in an MP4 file.

    Raises
    ------
    AudioError
        As `lyricsyncd.audio.blocks`, but of silence and of what is missing at the end.
    """
    import av

    from lyricsyncd import audio

    with audio.opened(song) as (container, stream):
        resampler = av.AudioResampler("fltp", "stereo", _AAC_RATE)

        def frames() -> Iterator[av.AudioFrame]:
            for frame in audio.frames(container, stream):
                frame.pts = None
                yield from resampler.resample(frame)
            yield from resampler.resample(None)

        samples = write_aac(target, _AAC_RATE, frames())
    if not samples:
        raise AudioError(f"{song} holds no sound that can be decoded")


def write_aac(target: Path, rate: int, frames: Iterable[av.AudioFrame]) -> int:
    """Encode stereo frames as AAC in an MP4 file whose sound starts at zero.

    Parameters
    ----------
    rate : int
        Sample rate of the frames in Hz; their format is ``fltp``.

    Returns
    -------
    int
        The number of samples.
    """
    samples, shift = 0, None
    with _mp4(target) as output:
        encoder = output.add_stream("aac", rate=rate)
        encoder.bit_rate = _AAC_BITS
        encoder.layout = "stereo"
        for frame in chain(frames, [None]):
            if frame is not None:
                frame.pts, frame.time_base = samples, Fraction(1, rate)
                samples += frame.samples
            for packet in encoder.encode(frame):
                if packet.pts is None or packet.dts is None:
                    continue
                if shift is None:
                    # Some versions count from the priming, others from the sound.
                    shift = packet.pts + AAC_PRIMING
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                output.mux(packet)
    return samples


def _packets(
    container: av.container.InputContainer, stream: av.audio.stream.AudioStream
) -> Iterator[Any]:
    import av

    try:
        for packet in container.demux(stream):
            if packet.dts is not None:
                yield packet
    except av.error.FFmpegError:
        # A truncated end.
        return


def _mp4(target: Path) -> av.container.OutputContainer:
    import av

    # The index first, so that a browser need not fetch the end before it plays.
    container: av.container.OutputContainer = av.open(
        os.fspath(target), "w", format="mp4", options={"movflags": "+faststart"}
    )
    return container
