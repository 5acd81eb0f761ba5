"""Read weights from a torch checkpoint without torch, and without executing what is in it.

A pickle is a program; this reader allows the four names that a pickled dictionary of numpy arrays
needs and rejects every other, so that a hostile file can only be rejected.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
import zlib
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lyricsyncd.errors import ModelError

Weights = dict[str, NDArray[np.float32]]

_MAX_BYTES = 128 * 1024 * 1024
"""More than any supported checkpoint unpacks to; a zip bomb is rejected by its directory."""
_DTYPES = frozenset({"f4", "f8", "i4", "i8"})


_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, pickle.UnpicklingError, struct.error, EOFError, OSError),
    *(ValueError, LookupError, ArithmeticError, RuntimeError, MemoryError),
    *(TypeError, AttributeError),  # a pickle calls what it names with whatever it holds
)
"""What zipfile and pickle raise for bytes that are no checkpoint."""


def read_checkpoint(file: IO[bytes]) -> Weights:
    """Read the arrays of a torch checkpoint (zip) of pickled numpy arrays, by name.

    Raises
    ------
    ModelError
        The file is not such a checkpoint, or has anything but arrays.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            pickles = [i for i in archive.infolist() if i.filename.endswith("/data.pkl")]
            if len(pickles) != 1 or pickles[0].file_size > _MAX_BYTES:
                raise ModelError("the checkpoint does not hold one pickle of a plausible size")
            with archive.open(pickles[0]) as data:
                content = _ArrayUnpickler(data).load()
    except ModelError:
        raise
    except _DAMAGE as error:
        raise ModelError(f"the checkpoint cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise ModelError("the checkpoint is not a dictionary of arrays")
    weights: Weights = {}
    for name, array in content.items():
        if not isinstance(name, str) or not isinstance(array, _Array) or array.values is None:
            raise ModelError("the checkpoint holds something else than named arrays")
        weights[name] = array.values.astype(np.float32)
    return weights


class _NdArray:
    """Stand for ``numpy.ndarray`` as the name of a class."""


class _DType:
    """Stand for ``numpy.dtype``: a little-endian number type or nothing."""

    def __init__(self, code: object, *_flags: object) -> None:
        if not isinstance(code, str) or code not in _DTYPES:
            raise pickle.UnpicklingError(f"arrays of {code!r} are not expected")
        self.code = code

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in ("<", "|", "="):
            raise pickle.UnpicklingError("big-endian arrays are not expected")


class _Array:
    """Stand for ``numpy.core.multiarray._reconstruct``: an array, filled by its state."""

    def __init__(self, kind: object, _shape: object, _code: object) -> None:
        if kind is not _NdArray:
            raise pickle.UnpicklingError("only plain arrays are expected")
        self.values: NDArray[Any] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, dtype, fortran, raw = state
        if not isinstance(dtype, _DType) or not isinstance(raw, bytes):
            raise pickle.UnpicklingError("an array without numbers")
        flat = np.frombuffer(raw, dtype=f"<{dtype.code}")
        self.values = flat.reshape(shape, order="F" if fortran else "C")


def _encode(text: object, encoding: object) -> bytes:
    """Stand for ``_codecs.encode``: pickle protocol 2 stores bytes as latin-1 text."""
    if encoding != "latin1" or not isinstance(text, str):
        raise pickle.UnpicklingError("bytes in an unexpected encoding")
    return text.encode("latin-1")


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _NdArray,
    ("numpy", "dtype"): _DType,
    ("_codecs", "encode"): _encode,
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def persistent_load(self, _pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to other files")
