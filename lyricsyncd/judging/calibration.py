"""The weights that turn the predictors of words into confidences, one set per acoustic model.

Every acoustic model scores differently, so the weights of one are not those of another. A model
names the file of its weights (`lyricsyncd.align.emissions.Traits.calibration`), which ``lyricsyncd
models calibrate`` makes from songs with human timings. A model without one is not calibrated, and
leads to no decision by itself.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lyricsyncd.align.emissions import AcousticModel, Traits
from lyricsyncd.align.emissions.sphinx import CALIBRATION
from lyricsyncd.errors import ModelError
from lyricsyncd.judging.predictors import PREDICTORS, WITH_SECOND

_ADDED = ("vocalises",)
"""Predictors that older files lack; there they count for nothing."""


@dataclass(frozen=True, slots=True)
class Regressions:
    """Weights of two logistic regressions.

    Attributes
    ----------
    weights : tuple of float
        One per predictor, to the log-odds that a word is in place.
    song : tuple of two floats
        Offset and slope, on the logistic scale, from a song's mean confidence to its score.
    """

    weights: tuple[float, ...]
    song: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Calibration:
    """The weights of an acoustic model, alone and beside a second aligner.

    Attributes
    ----------
    alone : Regressions
        Over `lyricsyncd.judging.predictors.PREDICTORS`.
    with_second : Regressions or None
        Over `lyricsyncd.judging.predictors.WITH_SECOND`.
    second : str
        Name of the second aligner that they were fitted with.
    """

    alone: Regressions
    with_second: Regressions | None = None
    second: str = ""

    @classmethod
    def of(cls, acoustic_model: AcousticModel) -> Calibration | None:
        """Read the weights of a model; ``None`` where it is not calibrated.

        Raises
        ------
        ModelError
            There is a file, and it cannot be used.
        """
        path = Traits.of(acoustic_model).calibration
        return cls.read(path) if path is not None and path.is_file() else None

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """Read a file that `write` made.

        Raises
        ------
        ModelError
            It cannot be read, or has other predictors.
        """
        remedy = "Make it anew with `lyricsyncd models calibrate`, or remove it"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            alone = _regressions(content, PREDICTORS)
            both = content.get("with_second")
            with_second = None if both is None else _regressions(both, WITH_SECOND)
            second = "" if both is None else str(both["second"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(
                f"The calibration {path} cannot be read, or is of another version", remedy=remedy
            ) from error
        return cls(alone, with_second, second)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of a calibration's file."""
        content = _content(self.alone, PREDICTORS)
        if self.with_second is not None:
            both = _content(self.with_second, WITH_SECOND)
            content["with_second"] = {"second": self.second, **both}
        return content

    def write(self, path: Path) -> None:
        """Store the weights in a file; it is complete or as it was before."""
        text = json.dumps(self.to_dict(), indent=2)
        unfinished = path.with_name(f".{path.name}.part")
        try:
            unfinished.write_text(text + "\n", encoding="utf-8")
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def _regressions(content: dict[str, Any], names: Sequence[str]) -> Regressions:
    """Read weights; raises ValueError, TypeError or KeyError where they are not of these names."""
    given = {str(name): float(weight) for name, weight in content["weights"].items()}
    weights = {**dict.fromkeys(_ADDED, 0.0), **given}
    offset, slope = map(float, content["song"])
    values = tuple(weights[name] for name in names)
    if len(weights) != len(names) or not all(map(math.isfinite, (*values, offset, slope))):
        raise ValueError("other predictors, or no numbers")
    return Regressions(values, (offset, slope))


def _content(fitted: Regressions, names: Sequence[str]) -> dict[str, Any]:
    return {"weights": dict(zip(names, fitted.weights, strict=True)), "song": fitted.song}


@functools.cache
def phone_states() -> Calibration:
    """Read the weights of the phone states, which those of uncalibrated models are taken from
    where placements are only compared."""
    return Calibration.read(CALIBRATION)
