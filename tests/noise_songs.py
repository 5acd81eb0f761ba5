"""Songs of noise in every kind of file whose tags we write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np

CODECS = {
    "mp3": "libmp3lame", "flac": "flac", "ogg": "vorbis", "opus": "libopus", "m4a": "aac",
    "wav": "pcm_s16le", "aiff": "pcm_s16be", "wma": "wmav2", "wv": "wavpack",
}  # fmt: skip
"""Suffix → FFmpeg's encoder."""


def stream_like(container: Any, stream: Any) -> Any:
    """Add a stream that takes another's packets; before version 14 PyAV has it otherwise."""
    if hasattr(container, "add_stream_from_template"):
        return container.add_stream_from_template(stream)
    return container.add_stream(template=stream)


def encode(path: Path, seconds: int = 2) -> Path:
    """Write a song of the kind that the path's suffix says, with no tags of interest."""
    rng = np.random.default_rng(1)
    codec = CODECS[path.suffix[1:]]
    rate = 44100 if codec == "wmav2" else 48000
    with av.open(str(path), "w", format={"m4a": "ipod", "wma": "asf"}.get(path.suffix[1:])) as out:
        stream: Any = out.add_stream(codec, rate=rate)
        stream.layout = "stereo"
        stream.bit_rate = 96_000
        stream.codec_context.options = {"strict": "experimental"}
        for _ in range(seconds):
            noise = (rng.normal(size=(1, 2 * rate)) * 3000).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(noise, format="s16", layout="stereo")
            frame.sample_rate = rate
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path
