"""WhisperX with its own voice activity detection, Whisper's real weights, and a small model trained
on a synthetic voice for its alignment. In an environment of its own: see the Makefile."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
import soxr

from demo.speech import speak
from lyricsyncd.errors import ModelError
from lyricsyncd.transcribe import open_transcriber
from lyricsyncd.transcribe.whisperx import WhisperX
from tests.models import synthetic
from tests.models.synthetic import Said
from tests.test_recipe import PLAIN, STAGES, environment, folder, for_this_machine, run
from tests.test_transcribe import whisper_base

__all__ = ["environment", "folder", "whisper_base"]

pytest.importorskip("whisperx")


LINES = (
    "twinkle twinkle little star",
    "how i wonder what you are",
    "up above the world so high",
    "like a diamond in the sky",
)


@pytest.fixture(scope="module")
def said() -> Said:
    """Lines with a second between them; the times are those of the lines."""
    pieces, times, at = [], [], 0
    for line in speak("en-us", LINES):
        audio = soxr.resample(line.audio, line.sample_rate, synthetic.RATE)
        pieces += [np.zeros(synthetic.RATE, np.float32), audio]
        at += synthetic.RATE
        times.append((at / synthetic.RATE, (at + len(audio)) / synthetic.RATE))
        at += len(audio)
    whole = np.concatenate([*pieces, np.zeros(synthetic.RATE, np.float32)])
    whole += np.random.default_rng(0).normal(0.0, 0.002, len(whole)).astype(np.float32)
    return Said(whole.astype(np.float32), LINES, tuple(times))


@pytest.fixture(scope="module")
def models_dir(whisper_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "faster-whisper-base").symlink_to(whisper_base)
    synthetic.train(folder / "facebook--wav2vec2-base-960h")
    return folder


@pytest.fixture(scope="module")
def opened(models_dir: Path) -> WhisperX:
    found = open_transcriber("whisperx", "base", "cpu", models_dir)
    assert isinstance(found, WhisperX)
    return found


def test_the_recipes_lines_run_as_they_stand(
    models_dir: Path, tmp_path: Path, folder: Path, environment: dict[str, str]
) -> None:
    """With WhisperX, which the recipe names; see `tests.test_recipe`."""
    (tmp_path / "models").symlink_to(models_dir)
    tell = "print(len(transcript.words), [word.text for word in refined_words])"
    code = for_this_machine(STAGES) + tell
    recognised, _, refined = run(
        [sys.executable, "-c", code], folder, environment
    ).stdout.partition(" ")
    assert int(recognised.splitlines()[-1]) >= 1
    assert refined.strip() == str(PLAIN)


@pytest.mark.parametrize("language", ["en", "en-GB", None])
def test_words_come_where_they_are_said(opened: WhisperX, said: Said, language: str | None) -> None:
    talk = io.StringIO()
    with redirect_stdout(talk):
        words = opened.transcribe(said.audio, language)
    assert talk.getvalue() == ""
    starts = [word.start or 0.0 for word in words]
    assert starts == sorted(starts)
    assert all(word.confidence is not None and 0 <= word.confidence <= 1 for word in words)
    assert all(word.end is not None and word.end >= (word.start or 0.0) for word in words)
    # Whisper itself is the real one; what aligns was trained on single words for seconds.
    known = " ".join(LINES).split()
    recognised = [word.text.lower().strip(".,!?") for word in words]
    matches = SequenceMatcher(a=known, b=recognised, autojunk=False).get_matching_blocks()
    pairs = [(m.a + i, m.b + i) for m in matches for i in range(m.size)]
    assert len(pairs) >= 0.8 * len(known)
    spans = [said.times[n] for n, line in enumerate(LINES) for _ in line.split()]
    near = [spans[a][0] - 0.5 <= starts[b] <= spans[a][1] + 0.5 for a, b in pairs]
    assert sum(near) >= len(near) / 2


def test_silence_says_nothing(opened: WhisperX) -> None:
    assert opened.transcribe(np.zeros(40 * 16_000, np.float32), "en") == []


def test_offline_it_says_what_to_put_where(
    opened: WhisperX, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError, match=r"model\.bin.*faster-whisper-small") as caught:
        open_transcriber("whisperx", "small", "cpu", tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="jonatasgrosman--wav2vec2-large-xlsr-53-french") as caught:
        opened._aligner("fr")
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().out == ""
