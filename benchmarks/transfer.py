"""Time the recipe's sequence alignment (`align_words`), and difflib on the same words.

    python -m benchmarks.transfer [--words 2000]

The recognised words are the known ones with a share replaced, misspelt, left out and put in, as a
recogniser does it.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from difflib import SequenceMatcher

from lyricsyncd.align import align_words
from lyricsyncd.align.transfer import matched
from lyricsyncd.model import Word

VOCABULARY = 400
"""Distinct words: songs repeat theirs."""
ROUNDS = 5


def song(n_words: int, rng: random.Random) -> tuple[list[Word], list[Word], list[int | None]]:
    """Make a transcript, its lyrics, and the word of the transcript that each known word is."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(rng.choices(letters, k=rng.randint(1, 9))) for _ in range(VOCABULARY)]
    known = [Word(rng.choice(words)) for _ in range(n_words)]
    transcript: list[Word] = []
    truth: list[int | None] = []
    for word in known:
        if rng.random() < 0.05:
            transcript.append(_recognised(rng.choice(words), len(transcript)))
        if rng.random() < 0.1:
            truth.append(None)
            continue
        text, chance = word.text, rng.random()
        if chance < 0.1:
            text = rng.choice(words)
        elif chance < 0.25:
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(letters) + text[at + 1 :]
        truth.append(len(transcript))
        transcript.append(_recognised(text, len(transcript)))
    return transcript, known, truth


def _recognised(text: str, number: int) -> Word:
    return Word(text, 0.4 * number, 0.4 * number + 0.3, 0.8)


def by_difflib(transcript: list[Word], known: list[Word]) -> list[int | None]:
    """The usual recipe: equal runs only."""
    pairs: list[int | None] = [None] * len(known)
    texts = [word.text for word in known], [word.text for word in transcript]
    for i, j, length in SequenceMatcher(None, *texts, autojunk=False).get_matching_blocks():
        pairs[i : i + length] = range(j, j + length)
    return pairs


def _right(pairs: list[int | None], truth: list[int | None]) -> float:
    """Return the share of the recognised words that were matched with the right known one."""
    asked = [(found, true) for found, true in zip(pairs, truth, strict=True) if true is not None]
    return sum(found == true for found, true in asked) / len(asked)


def _seconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--words", type=int, default=2000)
    given = parser.parse_args()
    transcript, known, truth = song(given.words, random.Random(0))
    ours = [None if m is None else m.index for m in matched(transcript, known)]
    theirs = by_difflib(transcript, known)
    took = _seconds(lambda: align_words(transcript, known))
    plain = _seconds(lambda: by_difflib(transcript, known))
    print(f"{len(known)} known words, {len(transcript)} recognised")
    print(f"align_words {took * 1000:7.1f} ms, {_right(ours, truth):.1%} of the words matched")
    print(f"difflib     {plain * 1000:7.1f} ms, {_right(theirs, truth):.1%}")
    print(f"ratio       {plain / took:7.1f} ×")


if __name__ == "__main__":
    main()
