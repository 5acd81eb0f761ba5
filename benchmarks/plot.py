"""Figures of the benchmarks as SVG, drawn by hand: two shapes are no reason for a library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

_TEXT = 'font-family="sans-serif" font-size="12" fill="#555"'
_INK = "#3b6ea5"
_LEAST_S, _MOST_S = 0.005, 20.0


def errors_by_song(rows: Sequence[tuple[str, Sequence[float]]], title: str) -> str:
    """How far the words of each song are off: middle half as a box, 5 to 95 % as a line.

    Parameters
    ----------
    rows : sequence of (song, absolute errors in seconds)
    """
    left, width, row_height, top = 260, 520, 24, 48
    bottom = top + row_height * len(rows)

    def x(seconds: float) -> float:
        share = math.log(min(max(seconds, _LEAST_S), _MOST_S) / _LEAST_S)
        return left + width * share / math.log(_MOST_S / _LEAST_S)

    parts = [f'<text x="{left}" y="20" {_TEXT} font-weight="bold">{escape(title)}</text>']
    for tick in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0):
        stroke = "#c33" if tick == 0.3 else "#ccc"
        parts.append(_line(x(tick), top - 6, x(tick), bottom, stroke))
        label = f'<text x="{x(tick):.1f}" y="{top - 10}" {_TEXT} text-anchor="middle">{tick:g} s'
        parts.append(f"{label}</text>")
    for number, (song, errors) in enumerate(rows):
        y = top + row_height * (number + 0.5)
        low, first, middle, third, high = (
            x(float(value)) for value in np.percentile(errors, (5, 25, 50, 75, 95))
        )
        within = 100.0 * np.mean(np.asarray(errors) <= 0.3)
        name = song.replace("_-_", " – ").replace("_", " ")
        name = name if len(name) <= 34 else f"{name[:33]}…"
        parts += [
            f'<text x="{left - 10}" y="{y + 4:.1f}" {_TEXT} text-anchor="end">'
            f"{escape(name)}</text>",
            _line(low, y, high, y, _INK),
            f'<rect x="{first:.1f}" y="{y - 6:.1f}" width="{max(third - first, 1):.1f}"'
            f' height="12" fill="{_INK}" fill-opacity="0.45"/>',
            _line(middle, y - 6, middle, y + 6, _INK, 2),
            f'<text x="{left + width + 10}" y="{y + 4:.1f}" {_TEXT}>{within:.0f} %</text>',
        ]
    head = f'<text x="{left + width + 10}" y="{top - 10}" {_TEXT}>≤ 0.3 s</text>'
    return _svg([head, *parts], left + width + 70, bottom + 12)


def reliability(confidence: Sequence[float], right: Sequence[float], title: str) -> str:
    """Share of words in place against what their confidence says; a dot a tenth of the words."""
    side, left, top = 300, 60, 40
    order = np.argsort(confidence, kind="stable")
    parts = [
        f'<text x="{left}" y="20" {_TEXT} font-weight="bold">{escape(title)}</text>',
        f'<rect x="{left}" y="{top}" width="{side}" height="{side}" fill="none" stroke="#ccc"/>',
        _line(left, top + side, left + side, top, "#ccc"),
    ]
    for part in np.array_split(order, 10):
        said = float(np.mean(np.asarray(confidence)[part]))
        true = float(np.mean(np.asarray(right)[part]))
        at = f'cx="{left + side * said:.1f}" cy="{top + side * (1 - true):.1f}"'
        parts.append(f'<circle {at} r="4" fill="{_INK}"/>')
    for tick in (0.0, 0.5, 1.0):
        x, y = left + side * tick, top + side * (1 - tick)
        parts += [
            f'<text x="{x:.0f}" y="{top + side + 18}" {_TEXT} text-anchor="middle">{tick:g}</text>',
            f'<text x="{left - 8}" y="{y + 4:.0f}" {_TEXT} text-anchor="end">{tick:g}</text>',
        ]
    parts.append(f'<text x="{left}" y="{top + side + 38}" {_TEXT}>confidence → in place</text>')
    return _svg(parts, left + side + 30, top + side + 50)


def _line(x0: float, y0: float, x1: float, y1: float, stroke: str, width: int = 1) -> str:
    return (
        f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{stroke}"'
        f' stroke-width="{width}"/>'
    )


def _svg(parts: Sequence[str], width: float, height: float) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{body}\n</svg>\n'
