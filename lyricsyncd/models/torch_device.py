"""Where torch models run: the device asked for, its precision, and what to do when it is full.

Imported by back-ends that have torch, and by nothing else.
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
    """The torch device for ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises
    ------
    ModelError
        It is not there.
    """
    import torch

    there = torch.cuda.is_available()
    if device == "auto":
        return torch.device("cuda" if there else "cpu")
    if device.startswith("cuda"):
        number = int(device.partition(":")[2] or 0)
        if not there or number >= torch.cuda.device_count():
            raise ModelError(
                f"the device {device!r} is not there: torch finds no such card",
                remedy="Use `--device cpu`, or install torch for your card",
            )
    return torch.device(device)


def reuse_memory() -> None:
    """Have large tensors on the CPU take up memory that earlier ones left, in large pages.

    The C library asks the system for each block of more than 32 MiB anew and gives it back when it
    is free; the system hands out zeros, page by page. A network whose layers write such blocks all
    the time spends a third of its time on that. To be called before torch has made a tensor. Where
    the C library is another one, nothing happens. What is kept meanwhile goes back with `trim`.
    """
    # torch reads it once: its own name for asking for large pages (Linux).
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    with contextlib.suppress(AttributeError, OSError, TypeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(_M_MMAP_MAX, 0)
        set_option(_M_TRIM_THRESHOLD, 2**31 - 1)


def trim() -> None:
    """Give memory that is free back to the system, what `reuse_memory` keeps, too."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "int8_float16": 1, "int8": 1}
_FOR_WEIGHTS = 0.6
"""Share of the free memory that the weights may take: what runs through them needs the rest."""


def precision(weights: int, free: int | None, offered: Sequence[str]) -> str:
    """What a model is to compute in: the first of what it can that leaves room on the card.

    Parameters
    ----------
    weights : int
        How many it has.
    free : int or None
        Bytes left on the card; ``None`` where memory is no question.
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
        Where it is now.
    """
    import torch

    try:
        network.to(device)
    except (RuntimeError, MemoryError) as error:
        if device.type == "cpu" or not is_out_of_memory(error):
            raise
        log.warning("the model does not fit on %s: it goes on on the CPU", device)
        device = torch.device("cpu")
        network.to(device).float()
        _give_back()
    return device


def half_precision(device: torch.device) -> torch.dtype:
    """What large models compute in: bf16 or fp16 on a card, float32 on the CPU."""
    import torch

    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def free_bytes(device: torch.device) -> int | None:
    """Memory left on a card; ``None`` on the CPU."""
    import torch

    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    return int(free)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, and not the program, has failed for want of memory."""
    import torch

    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    told = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in told or "can't allocate memory" in told
    )


def in_batches(
    items: Sequence[T],
    size: int,
    run: Callable[[Sequence[T]], Sequence[S]],
    smaller_device: Callable[[], bool],
) -> list[S]:
    """Run items in batches; when memory runs out, in smaller ones, at last on a smaller device.

    Parameters
    ----------
    run
        Gives one result for each item of a batch.
    smaller_device
        Moves the model to a device with more memory; false where there is none.

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
            told: Any = error.with_traceback(None)
        _give_back()
        if len(batch) > 1:
            size = len(batch) // 2
        elif not smaller_device():
            reason = (str(told).splitlines() or [type(told).__name__])[0]
            raise ModelError(
                f"the model does not fit into memory: {reason[:120]}",
                remedy="Free some memory, or choose a smaller model",
            )
    return done


def _give_back() -> None:
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
