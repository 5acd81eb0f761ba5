"""The device that models run on: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``."""

from __future__ import annotations

import importlib.util
import re

from lyricsyncd.errors import ModelError, UsageError

_NAMES = re.compile(r"auto|cpu|cuda(:\d{1,3})?")


def check_name(device: str) -> None:
    """Reject what is not the name of a device.

    Raises
    ------
    UsageError
        It is not.
    """
    if not _NAMES.fullmatch(device):
        raise UsageError(f"'{device}' is not a device", remedy="Use auto, cpu, cuda or cuda:N")


def check(device: str) -> None:
    """Reject a graphics card that no installed library can use, before any work is done.

    A song for the graphics card must not silently run on the CPU, a hundred times slower. Loads
    onnxruntime, and torch where that is installed, for ``cuda`` only.

    Raises
    ------
    UsageError
        It is not the name of a device.
    ModelError
        A graphics card is requested, and neither onnxruntime nor torch finds one.
    """
    check_name(device)
    if device.startswith("cuda") and not (_onnxruntime_has_cuda() or _torch_has_cuda()):
        raise without_cuda(device)


def without_cuda(device: str) -> ModelError:
    """Return the error for a graphics card that is not there."""
    return ModelError(
        f"the device '{device}' is not there: no CUDA is found",
        remedy="Use the device cpu, or install onnxruntime-gpu and the CUDA libraries",
    )


def _onnxruntime_has_cuda() -> bool:
    import onnxruntime

    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()


def _torch_has_cuda() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())
