"""Right words score above the same words in another order; wrong ones hardly do."""

from __future__ import annotations

from pathlib import Path

import pytest

from lyricsyncd.align.aligner import Alignment, align
from lyricsyncd.align.emissions import SAMPLE_RATE
from lyricsyncd.align.emissions.sphinx import PhoneStateModel
from lyricsyncd.config.schema import Quality
from lyricsyncd.judging import quality
from lyricsyncd.judging.calibration import phone_states
from lyricsyncd.model import Decision
from lyricsyncd.separate import VocalSeparator

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parent.parent / "demo" / "songs"
SUNG = "The_Star"

# A verse that the song does not have, in a language that it is not in.
OTHER = (
    ["Широка", "страна", "моя", "родная"],
    ["много", "в", "ней", "лесов", "полей", "и", "рек"],
)


@pytest.fixture(scope="module")
def placed() -> dict[str, Alignment]:
    vocals = VocalSeparator("mix").extract(DEMO / f"{SUNG}.mp3").vocals
    acoustic_model = PhoneStateModel.load()
    own = [line.split() for line in (DEMO / f"{SUNG}.txt").read_text("utf-8").splitlines() if line]
    return {
        "own": align(vocals, own, "en", acoustic_model),
        "one line": align(vocals, [OTHER[0] + OTHER[1]], "ru", acoustic_model),
        "other": align(vocals, OTHER, "ru", acoustic_model),
        "four words": align(
            vocals[: 9 * SAMPLE_RATE],
            [["Twinkle,", "twinkle,", "little", "star,"]],
            "en",
            acoustic_model,
        ),
        "one word": align(vocals, [["star"], ["star"]], "en", acoustic_model),
    }


def test_a_songs_own_words_beat_their_reorderings(placed: dict[str, Alignment]) -> None:
    assert placed["own"].likelihood_ratio > 1.0
    assert placed["other"].likelihood_ratio < 0.5 * placed["own"].likelihood_ratio


def test_the_order_that_is_sung_is_no_background(placed: dict[str, Alignment]) -> None:
    """Of four words, two of them alike, every twelfth shuffle is."""
    assert placed["four words"].likelihood_ratio > 1.0


def test_words_in_one_order_only_have_no_background(placed: dict[str, Alignment]) -> None:
    assert placed["one word"].likelihood_ratio == 0.0


@pytest.mark.parametrize("text", ["one line", "other"])
def test_a_dozen_words_of_another_song_are_not_written(
    placed: dict[str, Alignment], text: str
) -> None:
    verdict = quality.judge(placed[text], Quality(), phone_states())
    assert verdict.score < 0.35
    assert verdict.decision in (Decision.NONE, Decision.REVIEW)
