"""The Spleeter 2-stem networks as one ONNX graph, from the weights of a torch checkpoint.

Hennequin et al., "Spleeter: a fast and efficient music source separation tool with pre-trained
models", JOSS 2020: one U-Net for the vocals and one for the accompaniment, each of which takes the
magnitude spectrogram of the mix; the mask is the ratio of their squared outputs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lyricsyncd.errors import ModelError
from lyricsyncd.models.checkpoint import Weights
from lyricsyncd.models.onnx_graph import Graph, float_value

INPUT, OUTPUT = "magnitude", "mask"
BINS = 1024
"""Frequency bins of the networks' input."""
FRAME_STEP = 64
"""Six halvings: the networks take a multiple of these frames, and of these bins."""
_SHAPE = ("batch", 2, "frames", BINS)
_ANY_BINS = ("batch", 2, "frames", "b")
"""The same in as many bytes, for any number of bins."""

_DEPTH = 6
_BATCH_NORM_EPSILON = 1e-3
_LEAK = 0.2
_MASK_EPSILON = 1e-10
_CROPPED = (1, 1, 2, 2)
"""top, left, bottom, right: what TensorFlow's "same" padding comes to for a 5×5 stride of 2."""


def spleeter_onnx(
    vocals: Weights,
    accompaniment: Weights,
    *,
    half: bool = True,
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """Write the ONNX file of ``magnitude (batch, 2, frames, 1024) -> mask`` of the same shape, 0-1.

    Parameters
    ----------
    vocals, accompaniment
        Weights of the two networks.
    half
        Store the large kernels as float16 (the mask changes by less than −65 dB).

    Raises
    ------
    ModelError
        The weights are not those of the expected network.
    """
    graph = Graph("spleeter_2stem")
    try:
        powers = []
        for weights in (vocals, accompaniment):
            estimate = graph.op("Mul", _u_net(graph, weights, half), INPUT)
            powers.append(graph.op("Mul", estimate, estimate))
    except KeyError as error:
        raise ModelError(f"the checkpoint lacks the weights {error}") from None
    epsilon = graph.constant(np.array([_MASK_EPSILON]))
    total = graph.op("Add", graph.op("Add", *powers), epsilon)
    graph.output(graph.op("Div", powers[0], total), OUTPUT)
    return graph.to_bytes({INPUT: _SHAPE}, {OUTPUT: _SHAPE}, metadata or {})


def with_any_bins(file: bytes) -> bytes:
    """Return a written file as one that takes any number of bins: it is all convolutions.

    What is below 8 kHz hardly depends on what is above: without the upper quarter the vocals of
    four songs differ from those with it by -28 to -56 dB.
    """
    for name in (INPUT, OUTPUT):
        file = file.replace(float_value(name, _SHAPE), float_value(name, _ANY_BINS))
    return file


def _u_net(graph: Graph, weights: Weights, half: bool) -> str:
    """Add one network up to its sigmoid; return the name of its output."""
    current, skips = INPUT, []
    for level in range(1, _DEPTH + 1):
        convolved = graph.op(
            "Conv",
            current,
            graph.constant(weights[f"down{level}_conv.1.weight"], half=half),
            graph.constant(weights[f"down{level}_conv.1.bias"]),
            kernel_shape=(5, 5),
            strides=(2, 2),
            pads=_CROPPED,
        )
        skips.append(convolved)
        if level < _DEPTH:
            norm = f"down{level}_act.0"
            normed = graph.op(
                "BatchNormalization",
                convolved,
                graph.constant(weights[f"{norm}.weight"]),
                graph.constant(weights[f"{norm}.bias"]),
                graph.constant(weights[f"{norm}.running_mean"]),
                graph.constant(weights[f"{norm}.running_var"]),
                epsilon=_BATCH_NORM_EPSILON,
            )
            current = graph.op("LeakyRelu", normed, alpha=_LEAK)
    current = skips.pop()
    for level in range(1, _DEPTH + 1):
        if level > 1:
            current = graph.op("Concat", skips.pop(), current, axis=1)
        # Here the norm comes after the ReLU: scale·max(x, 0) + shift = max(scale·x + shift, shift)
        # for a scale above zero, so that both fold into the kernel and one `Max`.
        scale, shift = _scale_and_shift(weights, f"up{level}.3")
        if not (scale > 0).all():
            raise ModelError("the checkpoint's norms are not those of the expected network")
        kernel = weights[f"up{level}.0.weight"] * scale[None, :, None, None]
        grown = graph.op(
            "ConvTranspose",
            current,
            graph.constant(kernel, half=half),
            graph.constant(weights[f"up{level}.0.bias"] * scale + shift),
            kernel_shape=(5, 5),
            strides=(2, 2),
            pads=_CROPPED,
        )
        current = graph.op("Max", grown, graph.constant(shift[:, None, None]))
    logits = graph.op(
        "Conv",
        current,
        graph.constant(weights["up7.0.weight"]),
        graph.constant(weights["up7.0.bias"]),
        kernel_shape=(4, 4),
        dilations=(2, 2),
        pads=(3, 3, 3, 3),
    )
    return graph.op("Sigmoid", logits)


def _scale_and_shift(
    weights: Weights, norm: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return batch normalisation in inference as one scale and one shift per channel."""
    deviation = np.sqrt(weights[f"{norm}.running_var"] + np.float32(_BATCH_NORM_EPSILON))
    scale = weights[f"{norm}.weight"] / deviation
    return scale, weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
