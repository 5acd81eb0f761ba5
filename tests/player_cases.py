"""Lyrics, the enhanced LRC that we write of them, and what Navidrome and Jellyfin make of it.

What Navidrome makes of each text was read from the output of its own parser (its source of August
2026, built and run); Jellyfin's from the source of its reader and of the LrcParser below it.
"""

from __future__ import annotations

from dataclasses import dataclass

from lyricsyncd.model import Line, Lyrics, Word

Cues = list[tuple[str, int, int | None]]
G = "\u2060"


@dataclass(frozen=True)
class Case:
    """Lyrics; the text, of two decimals; and each line's start with its cues by both readers."""

    lines: tuple[Line, ...]
    text: str
    navidrome: list[tuple[int, Cues]]
    jellyfin: list[tuple[int, Cues]]

    @property
    def lyrics(self) -> Lyrics:
        """The lines as lyrics."""
        return Lyrics(self.lines)


ONE_TWO: Cues = [("one ", 1000, 1500), ("two", 1500, 2000)]
CASES: dict[str, Case] = {
    "words that follow each other": Case(
        (Line((Word("one", 1.0, 1.5), Word("two", 1.5, 2.0)), 1.0, 2.0),),
        "[00:01.00]<00:01.00>one <00:01.50>two<00:02.00>\n[00:02.00]\n",
        [(1000, ONE_TWO), (2000, [])],
        [(1000, ONE_TWO), (2000, [])],
    ),
    "a rest between words": Case(
        (Line((Word("one", 1.0, 1.25), Word("two", 3.0, 3.5)), 1.0, 3.5),),
        "[00:01.00]<00:01.00>one<00:01.25> <00:03.00>two<00:03.50>\n[00:03.50]\n",
        [(1000, [("one", 1000, 1250), (" ", 1250, 3000), ("two", 3000, 3500)]), (3500, [])],
        [(1000, [("one", 1000, 1250), ("two", 3000, 3500)]), (3500, [])],
    ),
    "a rest where no space parts the words": Case(
        (Line((Word("你", 1.0, 1.25, space=False), Word("好", 3.0, 3.5)), 1.0, 3.5),),
        f"[00:01.00]<00:01.00>你<00:01.25>{G}<00:03.00>好<00:03.50>\n[00:03.50]\n",
        [(1000, [("你", 1000, 1250), (G, 1250, 3000), ("好", 3000, 3500)]), (3500, [])],
        [(1000, [("你", 1000, 1250), (G, 1250, 3000), ("好", 3000, 3500)]), (3500, [])],
    ),
    "a short break between lines": Case(
        (
            Line((Word("one", 1.0, 1.5), Word("two", 1.5, 2.0)), 1.0, 2.0),
            Line((Word("three", 4.0, 4.5),), 4.0, 4.5),
        ),
        "[00:01.00]<00:01.00>one <00:01.50>two<00:02.00>\n[00:04.00]<00:04.00>three<00:04.50>\n"
        "[00:04.50]\n",
        [(1000, ONE_TWO), (4000, [("three", 4000, 4500)]), (4500, [])],
        [(1000, ONE_TWO), (4000, [("three", 4000, 4500)]), (4500, [])],
    ),
    "a long break between lines": Case(
        (
            Line((Word("one", 1.0, 1.5), Word("two", 1.5, 2.0)), 1.0, 2.0),
            Line((Word("three", 9.0, 9.5),), 9.0, 9.5),
        ),
        "[00:01.00]<00:01.00>one <00:01.50>two<00:02.00>\n[00:02.00]\n"
        "[00:09.00]<00:09.00>three<00:09.50>\n[00:09.50]\n",
        [(1000, ONE_TWO), (2000, []), (9000, [("three", 9000, 9500)]), (9500, [])],
        [(1000, ONE_TWO), (2000, []), (9000, [("three", 9000, 9500)]), (9500, [])],
    ),
    "a line without word times": Case(
        (
            Line.from_text("one two", 1.0, 2.0),
            Line((Word("three", 3.0, 3.5),), 3.0, 3.5),
        ),
        "[00:01.00]one two\n[00:03.00]<00:03.00>three<00:03.50>\n[00:03.50]\n",
        [(1000, []), (3000, [("three", 3000, 3500)]), (3500, [])],
        [(1000, []), (3000, [("three", 3000, 3500)]), (3500, [])],
    ),
}
