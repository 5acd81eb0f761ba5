"""The phone states of the base install, searched in a wider band and with a calibration file of
their own.

A model from scratch needs no base class: it has the methods of
`lyricsyncd.align.emissions.AcousticModel` and, where the defaults do not suit it, the attributes of
`lyricsyncd.align.emissions.Traits`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lyricsyncd.align.emissions.sphinx import PhoneStateModel
from lyricsyncd.align.emissions.sphinx_model import load
from lyricsyncd.align.options import SearchOptions
from lyricsyncd.errors import UsageError
from lyricsyncd.registry import ModelContext, describe

CALIBRATION = Path(__file__).with_name("wide_band.calibration.json")
"""Weights of the phone states: the wider band hardly changes the confidences. A model with other
scores needs weights of its own, made by ``lyricsyncd models calibrate``."""
BAND_S = 12.0


@dataclass(frozen=True)
class WideBand(PhoneStateModel):
    """Compute posteriors within a wider band around the best path."""

    name: str = "wide_band"
    calibration: Path | None = CALIBRATION
    search_options: SearchOptions = field(default_factory=lambda: SearchOptions(band=BAND_S))


@describe("phone states, searched in a wider band", licence="BSD-2-Clause")
def open_wide_band(context: ModelContext) -> WideBand:
    """Open the model with the settings ``plugins: {wide_band: {band: SECONDS}}``."""
    band = context.settings.get("band", BAND_S)
    if not isinstance(band, (int, float)) or isinstance(band, bool) or not 1 <= band <= 60:
        raise UsageError(
            f"plugins.wide_band.band: expected seconds from 1 to 60, not {band!r}",
            remedy="Correct it in the configuration",
        )
    return WideBand(load(), search_options=SearchOptions(band=float(band)))
