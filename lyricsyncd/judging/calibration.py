"""What an ear's hints are worth: the weights that turn them into confidences.

Every acoustic model scores differently, so the weights of one say nothing of another's. Those of
the model of the base install are in `lyricsyncd.judging.quality`; those of others lie beside them
in a file that ``python -m benchmarks.calibrate DIR --ear MODEL --write`` makes from songs with
human timings. A model without one is not calibrated, and leads to no decision by itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lyricsyncd.errors import ModelError

FILE_NAME = "calibration.json"
"""In a model's folder; beside an exported ``NAME.onnx`` it is ``NAME.calibration.json``."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights of two logistic regressions.

    Attributes
    ----------
    weights : tuple of float
        One a feature of `lyricsyncd.judging.quality.FEATURES`: from what is known of a word to the
        probability that it is in place.
    song : tuple of two floats
        Offset and slope, on the logistic scale, from a song's mean confidence to its score.
    """

    weights: tuple[float, ...]
    song: tuple[float, float]

    @classmethod
    def read(cls, path: Path, features: Sequence[str]) -> Calibration:
        """A file that `write` made, for these features.

        Raises
        ------
        ModelError
            It cannot be read, or is of another version's features.
        """
        remedy = "Make it anew with python -m benchmarks.calibrate, or remove it"
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            weights = {str(name): float(weight) for name, weight in told["weights"].items()}
            offset, slope = map(float, told["song"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"The calibration {path} cannot be read", remedy=remedy) from error
        if set(weights) != set(features):
            raise ModelError(f"The calibration {path} is of another version", remedy=remedy)
        values = tuple(weights[name] for name in features)
        if not all(map(math.isfinite, (*values, offset, slope))):
            raise ModelError(f"The calibration {path} has no numbers", remedy=remedy)
        return cls(values, (offset, slope))

    def write(self, path: Path, features: Sequence[str]) -> None:
        """Keep it in a file."""
        weights = dict(zip(features, self.weights, strict=True))
        text = json.dumps({"weights": weights, "song": self.song}, indent=2)
        path.write_text(text + "\n", encoding="utf-8")


def path_for(model: str | Path) -> Path:
    """Where the calibration of a model's folder, or of an exported file, lies."""
    model = Path(model)
    return model.with_suffix(f".{FILE_NAME}") if model.suffix == ".onnx" else model / FILE_NAME
