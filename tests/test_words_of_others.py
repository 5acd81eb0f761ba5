"""Words of other songs, tried on a short one, with the models of the base install."""

from __future__ import annotations

from pathlib import Path

import pytest

from lyricsyncd import Lyrics, LyricSyncPipeline
from lyricsyncd.config.schema import Config
from lyricsyncd.model import Decision
from tests import lite_models

pytestmark = [pytest.mark.song, pytest.mark.slow]

SONGS = Path(__file__).parents[1] / "demo" / "songs"
LAMB = """\
Mary had a little lamb,
Its fleece was white as snow,
And everywhere that Mary went
The lamb was sure to go.
It followed her to school one day
Which was against the rules,
It made the children laugh and play
To see a lamb at school."""
SHIP = """\
I saw a ship go sailing,
Go sailing on the sea,
And oh but it was laden
With pretty things for me.
There were comfits in the cabin,
And apples in the hold,
The sails were made of silk,
And the masts were made of gold."""
TYGER = """\
Tyger Tyger burning bright
In the forests of the night
What immortal hand or eye
Could frame thy fearful symmetry
In what distant deeps or skies
Burnt the fire of thine eyes
On what wings dare he aspire
What the hand dare seize the fire"""


@pytest.fixture(scope="module")
def pipeline() -> LyricSyncPipeline:
    models = {"dir": lite_models.installed()}
    return LyricSyncPipeline(config=Config.model_validate({"models": models}))


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
@pytest.mark.parametrize("text", [LAMB, SHIP, TYGER], ids=["lamb", "ship", "tyger"])
@pytest.mark.parametrize("song", ["The_Star", "Au_clair_de_la_lune"])
def test_are_not_written_though_they_have_the_rhythm_of_the_song(
    pipeline: LyricSyncPipeline, song: str, text: str, times: int
) -> None:
    words = Lyrics.from_text("\n\n".join([text] * times))
    result = pipeline.sync(SONGS / f"{song}.mp3", lyrics=words, language="en")
    assert result.quality_score < 0.4
    assert result.decision in (Decision.NONE, Decision.REVIEW)
