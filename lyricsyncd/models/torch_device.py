"""The device and the precision of torch models, and what happens when memory runs out.

Only back ends that need torch import this.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from lyricsyncd.errors import ModelError

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
"""glibc's names and numbers, see mallopt(3)."""

T = TypeVar("T")
S = TypeVar("S")


def resolve(device: str) -> torch.device:
    """Return the torch device for ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises
    ------
    ModelError
        It is not there.
    """
    import torch

    available = torch.cuda.is_available()
    if device == "auto":
        return torch.device("cuda" if available else "cpu")
    if device.startswith("cuda"):
        number = int(device.partition(":")[2] or 0)
        if not available or number >= torch.cuda.device_count():
            raise ModelError(
                f"the device {device!r} is not there: torch finds no such card",
                remedy="Use `--device cpu`, or install torch for your card",
            )
    return torch.device(device)


def reuse_memory() -> None:
    """Make large tensors on the CPU reuse the memory of earlier ones, in large pages.

    The C library requests each block of more than 32 MiB from the system anew and returns it when
    it is free; the system zeroes it, page by page. A network whose layers write such blocks spends
    a third of its time on that. Call this before torch has made a tensor. With another C library
    nothing happens. `lyricsyncd.processes.memory.trim` returns what is retained.
    """
    # torch reads it once: its own setting for large pages (Linux).
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    with contextlib.suppress(AttributeError, OSError, TypeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(_M_MMAP_MAX, 0)
        set_option(_M_TRIM_THRESHOLD, 2**31 - 1)


_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "int8_float16": 1, "int8": 1}
_FOR_WEIGHTS = 0.6
"""Share of the free memory that the weights may take: activations need the remainder."""


def precision(weights: int, free: int | None, offered: Sequence[str]) -> str:
    """Choose a precision: the finest that leaves room on the graphics card.

    Parameters
    ----------
    weights : int
        Their number.
    free : int or None
        Bytes left on the graphics card; ``None`` where memory is not limited.
    offered : sequence of str
        From the finest to the smallest, by the names of torch and CTranslate2: ``float32``,
        ``bfloat16``, ``float16``, ``int8_float16``, ``int8``.

    Returns
    -------
    str
        One of ``offered``, the last where none fits.
    """
    for name in offered:
        if free is None or weights * _BYTES[name] <= _FOR_WEIGHTS * free:
            return name
    return offered[-1]


def placed(network: Any, device: torch.device) -> torch.device:
    """Move a network to a device, or, where it does not fit, leave it on the CPU in full precision.

    Returns
    -------
    torch.device
        The device it is on now.
    """
    import torch

    try:
        network.to(device)
    except (RuntimeError, MemoryError) as error:
        if device.type == "cpu" or not is_out_of_memory(error):
            raise
        log.warning("the model does not fit on %s: it runs on the CPU", device)
        device = torch.device("cpu")
        network.to(device).float()
        _release()
    return device


def half_precision(device: torch.device) -> torch.dtype:
    """Return the precision of large models: bf16 or fp16 on a graphics card, float32 on the CPU."""
    import torch

    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def free_bytes(device: torch.device) -> int | None:
    """Return the free memory of a graphics card; ``None`` on the CPU."""
    import torch

    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    return int(free)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that a device ran out of memory."""
    import torch

    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in message or "can't allocate memory" in message
    )


def in_batches(
    items: Sequence[T],
    size: int,
    run: Callable[[Sequence[T]], Sequence[S]],
    smaller_device: Callable[[], bool],
) -> list[S]:
    """Run items in batches; when memory runs out, in smaller ones, finally on another device.

    Parameters
    ----------
    run
        Returns one result for each item of a batch.
    smaller_device
        Moves the model to a device with more memory; returns false where there is none.

    Raises
    ------
    ModelError
        Not even one item fits anywhere.
    """
    done: list[S] = []
    while len(done) < len(items):
        batch = items[len(done) : len(done) + size]
        try:
            done.extend(run(batch))
            continue
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            failure: Any = error.with_traceback(None)
        _release()
        if len(batch) > 1:
            size = len(batch) // 2
        elif not smaller_device():
            reason = (str(failure).splitlines() or [type(failure).__name__])[0]
            raise ModelError(
                f"the model does not fit into memory: {reason[:120]}",
                remedy="Free some memory, or choose a smaller model",
            )
    return done


def _release() -> None:
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
