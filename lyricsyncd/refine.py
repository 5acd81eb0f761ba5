"""`refine_timings` by the name under which scripts import it; see `lyricsyncd.align.refine`."""

from __future__ import annotations

from lyricsyncd.align.refine import refine_timings

__all__ = ["refine_timings"]
