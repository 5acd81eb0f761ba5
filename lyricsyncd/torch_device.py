"""Where torch models run: the device asked for, its precision, and what to do when it is full.

Imported by back-ends that have torch, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from lyricsyncd.errors import ModelError

if TYPE_CHECKING:
    import torch

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
            raise ModelError(
                f"the model does not fit into memory: {str(told).splitlines()[0][:120]}",
                remedy="Free some memory, or choose a smaller model",
            )
    return done


def _give_back() -> None:
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
