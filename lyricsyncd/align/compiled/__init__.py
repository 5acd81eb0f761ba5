"""The recursions of the search in C, where a compiler was there when the package was built.

A frame is a few operations on some thousand states: numpy spends more time between them than in
them. `recursions.c` does the same operations in the same order, so that the results are the same to
the bit, and other threads run meanwhile. Without the library (`LIBRARY` is ``None``) the loops of
`lyricsyncd.align.viterbi`, `.posterior` and `.emissions.cepstra` do the work.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
DoubleArray = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

FILE = Path(__file__).with_name("recursions.so")


class _Steps(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int64) for name in ("n_states", "n_near", "n_far", "n_sources", "pad")),
        *((name, ctypes.c_void_p) for name in ("far", "sources", "far_first", "far_end")),
    )


class _Entries(ctypes.Structure):
    _fields_ = (
        ("n_columns", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("column", "state", "first", "end")),
    )


_PARAMETERS = {
    "trace": "nnn p s p pp p",
    "viterbi_frames": "nnn pp sp p pn p ep pp p pp",
    "forward_frames": "nn pp nn sp p p ep enn ppp",
    "backward_frames": "nn pp nn sp p p ep pppp",
    "noise_gains": "nn ppp",
}
_RESULTS = {"viterbi_frames": ctypes.c_int, "trace": ctypes.c_int64}
_TYPES = {
    "n": ctypes.c_int64,
    "p": ctypes.c_void_p,
    "s": ctypes.POINTER(_Steps),
    "e": ctypes.POINTER(_Entries),
}


def _load(file: Path) -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(str(file))
    except OSError:  # not built, or for another processor
        return None
    for name, kinds in _PARAMETERS.items():
        getattr(library, name).argtypes = [_TYPES[kind] for kind in kinds if kind != " "]
        getattr(library, name).restype = _RESULTS.get(name)
    return library


LIBRARY = _load(FILE)


def _pointer(array: npt.NDArray[Any] | None, dtype: type[np.generic]) -> int | None:
    """Return the address of a contiguous array; ``None`` for none."""
    if array is None:
        return None
    assert array.dtype == dtype, f"{array.dtype}, not {dtype.__name__}"
    assert array.flags.c_contiguous, "not contiguous"
    return array.ctypes.data


@dataclass(frozen=True)
class Steps:
    """The connections between states (`lyricsyncd.align.graph.Steps`), and which are in a band.

    Attributes
    ----------
    first, end : ndarray of int64, shape (T,)
        The band.
    unit : ndarray of int64, shape (S,)
    near : ndarray, shape (R, S)
        Scores or factors of entering a state from 1 ... R before it.
    far : ndarray of int64, shape (F,)
    sources : ndarray of int64, shape (K, F)
        Cells, not states: ``pad`` more.
    far_weights : ndarray, shape (F,)
        Penalties or factors.
    far_first, far_end : ndarray of int64, shape (T,)
    """

    first: IntArray
    end: IntArray
    unit: IntArray
    near: npt.NDArray[Any]
    far: IntArray
    sources: IntArray
    far_weights: npt.NDArray[Any]
    far_first: IntArray
    far_end: IntArray
    pad: int

    def structure(self) -> Any:
        """Return what C reads; it is valid as long as this is."""
        sizes = self.near.shape[1], len(self.near), len(self.far), len(self.sources), self.pad
        arrays = (self.far, self.sources, self.far_first, self.far_end)
        return _Steps(*sizes, *(_pointer(array, np.int64) for array in arrays))


@dataclass(frozen=True)
class Entries:
    """First states of words, and which are in a band.

    Attributes
    ----------
    column, state : ndarray of int64, shape (N,)
        The column of each among the penalties or factors, and its state.
    first, end : ndarray of int64, shape (T,)
    n_columns : int
        Of the penalties or factors.
    """

    column: IntArray
    state: IntArray
    first: IntArray
    end: IntArray
    n_columns: int

    def structure(self) -> Any:
        """Return what C reads; it is valid as long as this is."""
        arrays = (self.column, self.state, self.first, self.end)
        return _Entries(self.n_columns, *(_pointer(array, np.int64) for array in arrays))


def viterbi_frames(
    library: ctypes.CDLL,
    frames: tuple[int, int, int],
    steps: Steps,
    anchored: Entries,
    scores: FloatArray,
    penalties: FloatArray | None,
    columns: tuple[FloatArray, FloatArray],
    enter: FloatArray,
    codes: npt.NDArray[np.uint8] | None,
    codes_begin: IntArray | None,
) -> bool:
    """Advance a column over some frames; return whether it is in the second one afterwards.

    Parameters
    ----------
    frames : (int, int, int)
        The first of the block that back-pointers are kept of; the first, and the one after the
        last, to advance over.
    columns : (ndarray of float32, ndarray of float32), shape (pad + S,)
        The column, and one that is overwritten.
    enter : ndarray of float32
        Room for the widest frame of the band.
    """
    single = np.float32
    swapped = library.viterbi_frames(
        *frames,
        *(_pointer(array, np.int64) for array in (steps.first, steps.end)),
        ctypes.byref(steps.structure()),
        *(_pointer(array, single) for array in (steps.near, steps.far_weights, scores)),
        scores.shape[1],
        _pointer(steps.unit, np.int64),
        ctypes.byref(anchored.structure()),
        *(_pointer(array, single) for array in (penalties, *columns, enter)),
        _pointer(codes, np.uint8),
        _pointer(codes_begin, np.int64),
    )
    return bool(swapped)


def forward_frames(
    library: ctypes.CDLL,
    frames: tuple[int, int],
    low: int,
    steps: Steps,
    anchored: Entries,
    words: Entries,
    first_word: int,
    emission: DoubleArray,
    factors: DoubleArray | None,
    rows: DoubleArray,
    entered: DoubleArray,
    norms: DoubleArray,
) -> None:
    """Fill in the rows of alpha of a block but the first, the mass that enters words, the norms."""
    double = np.float64
    library.forward_frames(
        *frames,
        *(_pointer(array, np.int64) for array in (steps.first, steps.end)),
        *(low, rows.shape[1]),
        ctypes.byref(steps.structure()),
        *(_pointer(array, double) for array in (steps.near, steps.far_weights, emission)),
        ctypes.byref(anchored.structure()),
        _pointer(factors, double),
        ctypes.byref(words.structure()),
        *(first_word, entered.shape[1]),
        *(_pointer(array, double) for array in (rows, entered, norms)),
    )


def backward_frames(
    library: ctypes.CDLL,
    frames: tuple[int, int],
    low: int,
    steps: Steps,
    anchored: Entries,
    emission: DoubleArray,
    factors: DoubleArray | None,
    rows: DoubleArray,
    beta_emission: DoubleArray,
    norms: DoubleArray,
) -> None:
    """Fill in the rows of beta of a block but the last, b · beta, and the norms."""
    double = np.float64
    entering = np.empty(rows.shape[1])
    library.backward_frames(
        *frames,
        *(_pointer(array, np.int64) for array in (steps.first, steps.end)),
        *(low, rows.shape[1]),
        ctypes.byref(steps.structure()),
        *(_pointer(array, double) for array in (steps.near, steps.far_weights, emission)),
        ctypes.byref(anchored.structure()),
        *(_pointer(array, double) for array in (factors, rows, beta_emission, entering, norms)),
    )


def trace(
    library: ctypes.CDLL,
    block: tuple[int, int],
    state: int,
    steps: Steps,
    place: IntArray,
    codes: npt.NDArray[np.uint8],
    codes_begin: IntArray,
    states: IntArray,
) -> int:
    """Fill in the states of a block of frames, back from its last; return the state before it.

    Parameters
    ----------
    place : ndarray of int64, shape (S,)
        See `lyricsyncd.align.graph.Steps`.
    states : ndarray of int64, shape (T,)
        Those of the path, of all frames.
    """
    before = library.trace(
        *(*block, state),
        _pointer(steps.first, np.int64),
        ctypes.byref(steps.structure()),
        _pointer(place, np.int64),
        _pointer(codes, np.uint8),
        *(_pointer(array, np.int64) for array in (codes_begin, states)),
    )
    return int(before)


def noise_gains(library: ctypes.CDLL, power: DoubleArray) -> DoubleArray:
    """Return the gain of each filter at each frame, shape (T, filters)."""
    gain = np.empty_like(power)
    state = np.empty((4, power.shape[1]))
    library.noise_gains(
        *power.shape, *(_pointer(array, np.float64) for array in (power, state, gain))
    )
    return gain
