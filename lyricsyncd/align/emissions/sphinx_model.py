"""Read the en-us acoustic model that ships inside the PocketSphinx wheel.

A phonetically tied mixture model: each of the 42 context-independent phones owns a codebook of 128
Gaussians in three feature streams; each triphone state ("senone") is a set of mixture weights over
its phone's codebook. The file formats are CMU Sphinx's own (``mdef`` in its binary form, ``means``,
``variances``, ``sendump``).
"""

from __future__ import annotations

import importlib.util
import struct
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lyricsyncd.errors import ModelError

FloatArray = npt.NDArray[np.float32]

# Places of a phone in its word, in the order of the model file ("ibes").
INSIDE, BEGIN, END, SINGLE = range(4)

_LOG_BASE = float(np.log(1.0001))
_SENDUMP_SHIFT = 10
_VARIANCE_FLOOR = 1e-4
_BYTE_ORDER_MARK = 0x11223344


@dataclass(frozen=True)
class HmmParameters:
    """Gaussians, mixture weights and the map from triphones to senones.

    Attributes
    ----------
    phones : tuple of str
        Context-independent phones: ARPAbet and a few fillers.
    silence : int
        The silence phone's number.
    filler : ndarray of bool, shape (phones,)
    means, variances : ndarray of float32, shape (phones, 3, 128, 13)
    weights : ndarray of float32, shape (3, 128, senones)
        Mixture weights, linear.
    codebook : ndarray of int64, shape (senones,)
        The phone whose Gaussians a senone mixes.
    """

    phones: tuple[str, ...]
    silence: int
    filler: npt.NDArray[np.bool_]
    means: FloatArray
    variances: FloatArray
    weights: FloatArray
    codebook: npt.NDArray[np.int64]
    _senones: npt.NDArray[np.int64]
    _tree: npt.NDArray[np.void]
    _found: dict[tuple[int, int, int, int], int] = field(default_factory=dict, repr=False)

    @property
    def number(self) -> dict[str, int]:
        """Phone name → number."""
        return {name: i for i, name in enumerate(self.phones)}

    def with_means(self, means: FloatArray) -> HmmParameters:
        """Return the model with other means of its Gaussians (adapted to a singer)."""
        return replace(self, means=means)

    def states(self, phone: int, left: int, right: int, place: int) -> tuple[int, int, int]:
        """Return the senones of the three states of a phone between two others.

        A triphone that the training data lacked backs off: to the same context elsewhere in a word,
        then to silence as the context across the word's edge, then to the phone without context.
        """
        key = (phone, left, right, place)
        if key not in self._found:
            self._found[key] = self._nearest(*key)
        first, second, third = self._senones[self._found[key]]
        return int(first), int(second), int(third)

    def _nearest(self, phone: int, left: int, right: int, place: int) -> int:
        if self.filler[phone]:
            return phone
        places = [place, *(p for p in range(4) if p != place)]
        edge_left = self.silence if place in (BEGIN, SINGLE) else left
        edge_right = self.silence if place in (END, SINGLE) else right
        for context in ((left, right), (edge_left, edge_right)):
            for at in places:
                found = self._triphone(phone, *context, at)
                if found is not None:
                    return found
        return phone

    def _triphone(self, phone: int, left: int, right: int, place: int) -> int | None:
        """Descend the context tree: place → phone → left → right."""
        first, count = 0, 4
        left = self.silence if self.filler[left] else left
        right = self.silence if self.filler[right] else right
        for context in (place, phone, left, right):
            level = self._tree[first : first + count]
            (hits,) = np.nonzero(level["context"] == context)
            if len(hits) == 0:
                return None
            node = level[hits[0]]
            if node["count"] == 0:
                return int(node["down"])
            first, count = int(node["down"]), int(node["count"])
        return None


@lru_cache(maxsize=1)
def load() -> HmmParameters:
    """Read the model of the installed ``pocketsphinx`` wheel (which is not imported).

    Raises
    ------
    ModelError
        The wheel is not installed, or its model is not the one we know how to read.
    """
    spec = importlib.util.find_spec("pocketsphinx")
    if spec is None or spec.origin is None:
        raise ModelError(
            "The acoustic model is missing: the package pocketsphinx is not installed",
            remedy="Install it with: pip install pocketsphinx",
        )
    return read(Path(spec.origin).parent / "model" / "en-us" / "en-us")


def read(folder: Path) -> HmmParameters:
    """Read a model folder.

    Raises
    ------
    ModelError
        A file is missing or not in the expected format.
    """
    try:
        return _read(folder)
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise ModelError(
            f"The acoustic model in {folder} cannot be read: {error}",
            remedy="Reinstall it with: pip install --force-reinstall pocketsphinx",
        ) from error


def _read(folder: Path) -> HmmParameters:
    phones, filler, silence, codebook, senones, tree = _read_mdef(folder / "mdef")
    return HmmParameters(
        phones=phones,
        silence=silence,
        filler=filler,
        means=_read_gaussians(folder / "means"),
        variances=np.maximum(_read_gaussians(folder / "variances"), _VARIANCE_FLOOR),
        weights=_read_sendump(folder / "sendump", len(codebook)),
        codebook=codebook,
        _senones=senones,
        _tree=tree,
    )


def _read_gaussians(path: Path) -> FloatArray:
    """Read a Sphinx "s3" parameter file, shape (codebooks, streams, densities, dimensions)."""
    data = path.read_bytes()
    at = data.index(b"endhdr\n") + len(b"endhdr\n")
    mark, codebooks, streams, densities = struct.unpack_from("<4I", data, at)
    if mark != _BYTE_ORDER_MARK:
        raise ValueError(f"{path.name} is not little-endian")
    at += 16
    dimensions = struct.unpack_from(f"<{streams}I", data, at)
    if len(set(dimensions)) != 1:
        raise ValueError(f"{path.name} has streams of different sizes")
    at += 4 * streams
    (count,) = struct.unpack_from("<I", data, at)
    values = np.frombuffer(data, "<f4", count, at + 4)
    return values.reshape(codebooks, streams, densities, dimensions[0]).astype(np.float32)


def _read_mdef(
    path: Path,
) -> tuple[
    tuple[str, ...],
    npt.NDArray[np.bool_],
    int,
    npt.NDArray[np.int64],
    npt.NDArray[np.int64],
    npt.NDArray[np.void],
]:
    data = path.read_bytes()
    if data[:4] != b"BMDF":
        raise ValueError("mdef is not in binary form")
    (header_size,) = struct.unpack_from("<i", data, 8)
    at = 12 + header_size
    n_phones, n_all, n_states, _, n_senones, _, n_sequences, _, n_tree, silence = (
        struct.unpack_from("<10i", data, at)
    )
    at += 40
    names_at, names = at, []
    for _ in range(n_phones):
        end = data.index(b"\0", at)
        names.append(data[at:end].decode("ascii"))
        at = end + 1
    at = names_at + ((at - names_at + 3) & ~3)
    node = np.dtype([("context", "<i2"), ("count", "<i2"), ("down", "<i4")])
    tree = np.frombuffer(data, node, n_tree, at)
    at += node.itemsize * n_tree
    phone = np.dtype([("sequence", "<i4"), ("transitions", "<i4"), ("attributes", "u1", 4)])
    table = np.frombuffer(data, phone, n_all, at)
    at += phone.itemsize * n_all + 4
    sequences = np.frombuffer(data, "<u2", n_sequences * n_states, at).reshape(-1, n_states)
    senones = sequences[table["sequence"]].astype(np.int64)
    # A triphone's second attribute is its base phone, whose codebook its senones mix.
    base = np.concatenate([np.arange(n_phones), table["attributes"][n_phones:, 1]])
    codebook = np.full(n_senones, -1, np.int64)
    codebook[senones] = base[:, None]
    filler = table["attributes"][:n_phones, 0].astype(np.bool_)
    return tuple(names), filler, int(silence), codebook, senones, tree


def _read_sendump(path: Path, n_senones: int) -> FloatArray:
    """Read mixture weights, stored as 8-bit logarithms, shape (streams, densities, senones)."""
    data = path.read_bytes()
    at = 0
    while True:  # header strings, each with its length, ended by an empty one
        (length,) = struct.unpack_from("<i", data, at)
        at += 4
        if length == 0:
            break
        at += length
    rows, columns = struct.unpack_from("<2i", data, at)
    at += 8
    streams = (len(data) - at) // (rows * columns)
    levels = np.frombuffer(data, np.uint8, streams * rows * columns, at)
    levels = levels.reshape(streams, rows, columns)[:, :, :n_senones]
    exponents = levels.astype(np.float32) * np.float32((1 << _SENDUMP_SHIFT) * _LOG_BASE)
    weights: FloatArray = np.exp(-exponents)
    return weights
