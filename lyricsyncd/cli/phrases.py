"""Say names, numbers, stages and times in words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Entry = Mapping[str, Any]
"""A song as `lyricsyncd.catalog.records.Entry.as_dict` has it."""
_STAGES = {
    "find": "looks for the words",
    "waiting": "waits for the model",
    "separate": "separates the vocals",
    "align": "places the words",
    "transcribe": "recognises the words",
    "write": "is written",
}


def name_of(entry: Entry) -> str:
    """Return a short name for a person."""
    if entry["artist"] and entry["title"]:
        return f"{entry['artist']} - {entry['title']}"
    return str(entry["title"] or Path(entry["path"]).stem)


def stage_of(entry: Entry) -> str:
    """Say what is being done with a song."""
    stage, share = entry["stage"] or "find", entry["progress"] or 0.0
    return _STAGES.get(stage, stage) + (f", {share:.0%}" if share else "")


def songs(count: int) -> str:
    """Write a number of songs out."""
    return "1 song" if count == 1 else f"{count} songs"


def clock(moment: float) -> str:
    """Format a time of today without its day, another with it."""
    local, now = time.localtime(moment), time.localtime()
    same_day = local[:3] == now[:3]
    return time.strftime("%H:%M" if same_day else "%a %H:%M", local)


def ago(moment: float | None) -> str:
    """Format a time relative to now."""
    if moment is None:
        return "never"
    seconds = time.time() - moment
    if abs(seconds) < 1:
        return "now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"


def span(seconds: float) -> str:
    """Format a duration in its largest unit; hours with minutes."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    if seconds < 86400:
        minutes = round(seconds / 60)
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{round(seconds / 86400)} d"
