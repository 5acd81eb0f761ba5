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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lyricsyncd.align.emissions import AcousticModel, Traits
from lyricsyncd.align.emissions.sphinx import CALIBRATION
from lyricsyncd.errors import ModelError
from lyricsyncd.judging.predictors import PREDICTORS


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights of two logistic regressions.

    Attributes
    ----------
    weights : tuple of float
        One per predictor (`lyricsyncd.judging.predictors.PREDICTORS`), to the log-odds that a word
        is in place.
    song : tuple of two floats
        Offset and slope, on the logistic scale, from a song's mean confidence to its score.
    """

    weights: tuple[float, ...]
    song: tuple[float, float]

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
            weights = {str(name): float(weight) for name, weight in content["weights"].items()}
            offset, slope = map(float, content["song"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"The calibration {path} cannot be read", remedy=remedy) from error
        if set(weights) != set(PREDICTORS):
            raise ModelError(f"The calibration {path} is of another version", remedy=remedy)
        values = tuple(weights[name] for name in PREDICTORS)
        if not all(map(math.isfinite, (*values, offset, slope))):
            raise ModelError(f"The calibration {path} has no numbers", remedy=remedy)
        return cls(values, (offset, slope))

    def to_dict(self) -> dict[str, Any]:
        """Return the content of a calibration's file."""
        return {"weights": dict(zip(PREDICTORS, self.weights, strict=True)), "song": self.song}

    def write(self, path: Path) -> None:
        """Store the weights in a file; it is complete or as it was before."""
        text = json.dumps(self.to_dict(), indent=2)
        unfinished = path.with_name(f".{path.name}.part")
        try:
            unfinished.write_text(text + "\n", encoding="utf-8")
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


@functools.cache
def phone_states() -> Calibration:
    """Read the weights of the phone states, which those of uncalibrated models are taken from
    where placements are only compared."""
    return Calibration.read(CALIBRATION)
