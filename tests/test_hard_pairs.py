"""The right song among near misses, and never a live version for a studio track."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lyricsyncd.errors import LyricsNotFound
from lyricsyncd.http import Web, rate_limit
from lyricsyncd.lyrics import choose
from lyricsyncd.lyrics.lrclib import LrclibSource
from lyricsyncd.model import Track
from lyricsyncd.text.match import take_apart
from tests.hard_pairs import Pair, catalogue, pairs
from tests.local_services import Entry, Lrclib, serving

LEAST = 0.97


@dataclass(frozen=True)
class Choice:
    pair: Pair
    entry: Entry | None
    why: str

    @property
    def right(self) -> bool:
        wanted = self.pair.right
        if self.entry is None or wanted is None:
            return self.entry is wanted
        return (self.entry.artist, self.entry.title) == (wanted.artist, wanted.title)


@pytest.fixture(scope="module")
def choices() -> list[Choice]:
    """What is chosen for each pair, over a real connection."""
    rate_limit.forget()
    entries = catalogue()
    found = []
    with serving(Lrclib(entries)) as service:
        source = LrclibSource(service.url, Web(interval=0.0))
        for pair in pairs():
            track = Track(
                artist=", ".join(pair.artists),
                artists=pair.artists,
                title=pair.title,
                album=pair.album or None,
                duration=pair.duration,
            )
            try:
                chosen = choose(track, [source])
                entry = entries[int(chosen.id or 0) - 1]
                found.append(Choice(pair, entry, chosen.why[0]))
            except LyricsNotFound as error:
                found.append(Choice(pair, None, error.message))
    return found


def test_there_are_two_hundred() -> None:
    assert len(pairs()) >= 200
    assert sum(pair.right is None for pair in pairs()) >= 10


@pytest.mark.slow
def test_nearly_all_are_right(choices: list[Choice]) -> None:
    wrong = [choice for choice in choices if not choice.right]
    reported = "\n".join(
        f"{c.pair.artist} - {c.pair.title}: {c.entry}; {c.why[:300]}" for c in wrong
    )
    assert len(wrong) <= (1 - LEAST) * len(choices), reported


@pytest.mark.slow
def test_no_live_version_is_taken_for_a_studio_track(choices: list[Choice]) -> None:
    for choice in choices:
        if choice.pair.wants_studio and choice.entry is not None:
            assert not take_apart(choice.entry.title).versions & {"live", "karaoke", "demo"}


@pytest.mark.slow
def test_wrong_words_are_rarer_than_none(choices: list[Choice]) -> None:
    wrong = [choice for choice in choices if not choice.right and choice.entry is not None]
    assert len(wrong) <= 0.01 * len(choices), [(c.pair.title, c.entry, c.why) for c in wrong]
