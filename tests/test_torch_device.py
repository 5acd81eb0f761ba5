"""What models compute in, by the memory that there is. Needs no torch."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.models.torch_device import precision

GB = 1_000_000_000
TORCH, CTRANSLATE2 = ("float32", "float16"), ("float16", "int8_float16")


@pytest.mark.parametrize(
    ("weights", "free", "offered", "expected"),
    [
        (95_000_000, 8 * GB, TORCH, "float32"),
        (315_000_000, 2 * GB, TORCH, "float16"),
        (1_550_000_000, 24 * GB, CTRANSLATE2, "float16"),
        (1_550_000_000, 4 * GB, CTRANSLATE2, "int8_float16"),
        (1_550_000_000, 1 * GB, CTRANSLATE2, "int8_float16"),
        (2_100_000_000, None, TORCH, "float32"),
    ],
)
def test_the_finest_that_leaves_room_is_taken(
    weights: int, free: int | None, offered: tuple[str, ...], expected: str
) -> None:
    assert precision(weights, free, offered) == expected


@given(st.integers(1, 10**10), st.integers(0, 10**11), st.integers(0, 10**11))
def test_more_memory_is_never_coarser(weights: int, some: int, more: int) -> None:
    offered = ("float32", "float16", "int8")
    less, greater = sorted((some, more))
    at = [offered.index(precision(weights, free, offered)) for free in (less, greater)]
    assert at[1] <= at[0]


def test_memory_of_large_blocks_is_kept_for_the_next_and_goes_back_when_asked() -> None:
    script = """if True:
        import ctypes
        from pathlib import Path
        from lyricsyncd.models import torch_device
        from lyricsyncd.processes import memory

        if not hasattr(ctypes.CDLL(None), "mallopt"):
            raise SystemExit(77)

        def resident():
            return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

        torch_device.reuse_memory()
        before = resident()
        block = bytearray(b"x") * 200_000_000
        del block
        assert resident() > before + 150_000_000, "it was given back at once"
        memory.trim()
        assert resident() < before + 50_000_000, "it is kept for good"
    """
    done = subprocess.run([sys.executable, "-c", script], check=False)
    if done.returncode == 77:
        pytest.skip("another C library than glibc")
    assert done.returncode == 0
