"""Draw word-timed lyrics as the README shows them: an SVG whose words light up when they are sung.

``python -m demo.make_picture .demo/library/…/The_Star.elrc docs/karaoke.svg``. The drawing brings
its own background, so that it reads on light pages and on dark ones.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import click

from lyricsyncd import formats
from lyricsyncd.model import Line, Lyrics

_WIDTH, _LINE_HEIGHT, _TOP, _LEFT = 560, 62, 64, 24
_LETTER = 12.05  # px a letter of 20 px monospace takes
_STAMP_WIDTH = 110
_DIM, _LIT = "#6e7681", "#ffd866"


def draw(lyrics: Lyrics, title: str, most_lines: int = 4) -> str:
    """The first lines of word-timed lyrics as an SVG document.

    Raises
    ------
    ValueError
        If they hold no word-timed line.
    """
    lines = [line for line in lyrics if line.timed_words][:most_lines]
    if not lines:
        raise ValueError("no word has a time")
    begin = _start(lines[0]) - 1
    last = lines[-1].words[-1]
    period = (last.end or last.start or begin) + 2 - begin
    label = quoteattr(f"{title}: each word with the second it is sung at")
    height = _TOP + _LINE_HEIGHT * len(lines)
    rows = [
        row
        for number, line in enumerate(lines)
        for row in _row(line, _TOP + _LINE_HEIGHT * number + 20, begin, period)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
            f'width="{_WIDTH}" height="{height}" role="img" aria-label={label}>',
            "<style>text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans "
            "Mono',monospace}.w{font-size:20px;font-weight:600}.s{font-size:12px;fill:#8b949e}"
            ".t{font-size:15px;fill:#79c0ff}.n{font-size:13px;fill:#8b949e}</style>",
            f'<rect width="{_WIDTH}" height="{height}" rx="10" fill="#161b22" stroke="#484f58"/>',
            *(
                f'<circle cx="{20 + 18 * number}" cy="20" r="6" fill="{colour}"/>'
                for number, colour in enumerate(("#ff5f56", "#ffbd2e", "#27c93f"))
            ),
            f'<text class="n" x="{_WIDTH / 2:.0f}" y="25" text-anchor="middle">'
            f"{escape(title)}</text>",
            *rows,
            "</svg>",
            "",
        ]
    )


def _start(line: Line) -> float:
    return line.words[0].start or 0.0


def _row(line: Line, y: float, begin: float, period: float) -> list[str]:
    """The stamp of a line, and its words with their seconds under them."""
    start = _start(line)
    row = [
        f'<text class="t" x="{_LEFT}" y="{y}">[{int(start) // 60:02d}:{start % 60:05.2f}]</text>'
    ]
    x = float(_LEFT + _STAMP_WIDTH)
    for word in line.words:
        at = word.start or 0.0
        share = (at - begin) / period
        row.append(
            f'<text class="w" x="{x:.0f}" y="{y}" fill="{_LIT}">{escape(word.text)}'
            f'<animate attributeName="fill" dur="{period:.2f}s" repeatCount="indefinite" '
            f'calcMode="discrete" keyTimes="0;{share:.4f}" values="{_DIM};{_LIT}"/></text>'
        )
        row.append(f'<text class="s" x="{x:.0f}" y="{y + 18}">{at:.2f}</text>')
        x += _LETTER * (max(len(word.text), 4) + 1)
    return row


@click.command(help=__doc__)
@click.argument("lyrics", type=click.Path(exists=True, path_type=Path))
@click.argument("picture", type=click.Path(path_type=Path))
def main(lyrics: Path, picture: Path) -> None:
    """Draw a file."""
    read = formats.read(lyrics.read_bytes(), "lrc")
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(draw(read, lyrics.name), encoding="utf-8")


if __name__ == "__main__":
    main()
