"""``lyricsyncd models calibrate``: confidences that were fitted to songs with human timings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lyricsyncd.errors import UsageError
from lyricsyncd.judging import fitting
from lyricsyncd.judging.calibration import Calibration
from lyricsyncd.judging.fitting import Case, cross_validated, fit
from lyricsyncd.judging.predictors import PREDICTORS

DEMO = Path(__file__).parent.parent / "demo" / "songs"

PLUGIN = '''
from pathlib import Path
from lyricsyncd.align.emissions.sphinx import PhoneStateModel


class Acme:
    """The phone states as another package would bring a model, not calibrated yet."""

    calibration = Path(__file__).with_name("acme.json")

    def __init__(self, context):
        model = PhoneStateModel.load()
        self.name, self.hop, self.lag = "acme", model.hop, model.lag
        self.compile, self.features, self.score = model.compile, model.features, model.score
'''


def calibrate(*arguments: str | Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would; ``path`` has packages that are installed."""
    environment = {**os.environ, "PYTHONPATH": str(path or "")}
    return subprocess.run(
        [sys.executable, "-m", "lyricsyncd", "models", "calibrate", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def sampled(song: str, weights: list[float], n: int, seed: int) -> Case:
    """A case whose words are in place with the probability that some weights predict."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0.0, 1.0, (n, len(PREDICTORS)))
    x[:, 0] = 1.0
    p = 1.0 / (1.0 + np.exp(-x @ np.array(weights)))
    return Case(song, "words", x, (rng.random(n) < p).astype(np.float64), 1.0)


class TestTheFit:
    WEIGHTS = (0.5, 2.0, -1.0, *(0.0,) * (len(PREDICTORS) - 3))

    def test_finds_the_weights_that_words_were_drawn_with(self) -> None:
        everything = [sampled(f"song {i}", list(self.WEIGHTS), 2000, i) for i in range(4)]
        found = fit(everything, cross_validated(everything))
        # The ridge shrinks them, the largest most.
        np.testing.assert_allclose(found.weights, self.WEIGHTS, rtol=0.2, atol=0.15)

    def test_judges_every_song_by_the_others_alone(self) -> None:
        everything = [sampled(f"song {i}", list(self.WEIGHTS), 300, i) for i in range(3)]
        opposite = sampled("opposite", [-weight for weight in self.WEIGHTS], 300, 9)
        rows = cross_validated([*everything, opposite])
        judged = next(row for row in rows if row.case is opposite)
        right = (judged.confidence > 0.5) == (opposite.in_place > 0.5)
        assert right.mean() < 0.4, "its own weights would have been right"

    def test_gives_a_predictor_that_never_changes_no_weight(self) -> None:
        cases = [sampled(f"song {i}", list(self.WEIGHTS), 200, i) for i in range(2)]
        for case in cases:
            case.predictors[:, 5] = 3.0
        found = fit(cases, cross_validated(cases))
        assert found.weights[5] == pytest.approx(0.0)
        assert np.isfinite(found.weights).all()

    def test_needs_more_than_one_song(self) -> None:
        with pytest.raises(UsageError, match="needs 2 songs with human timings"):
            list(fitting.cases([], fitting.Opener()))


class TestTheCommand:
    def test_never_overwrites_what_came_with_the_package(self) -> None:
        done = calibrate(DEMO, "--write")
        assert done.returncode == 2
        assert "The calibration of sphinx is part of its package" in done.stderr
        assert len(done.stderr.splitlines()) == 1

    def test_says_what_a_folder_lacks(self, tmp_path: Path) -> None:
        for path in DEMO.glob("The_Star*"):
            shutil.copy(path, tmp_path)
        done = calibrate(tmp_path, "--separator", "mix")
        assert done.returncode == 2
        assert "needs 2 songs with human timings, and there are 1" in done.stderr

    @pytest.mark.slow
    @pytest.mark.song
    def test_calibrates_a_model_of_another_package_on_the_demo_songs(self, tmp_path: Path) -> None:
        (tmp_path / "acme_model.py").write_text(PLUGIN, encoding="utf-8")
        info = tmp_path / "acme_model-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-model\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[lyricsyncd.aligners]\nacme = acme_model:Acme\n")
        arguments = (DEMO, "--aligner", "acme", "--separator", "mix", "--write", "--json")
        done = calibrate(*arguments, path=tmp_path)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert (result["aligner"], result["songs"]) == ("acme", 2)
        assert result["written"] == str(tmp_path / "acme.json")
        assert result["error"] < 0.35, "two songs are few, but right and wrong words differ"
        written = Calibration.read(tmp_path / "acme.json")
        assert dict(zip(PREDICTORS, written.alone.weights, strict=True)) == result["weights"]
        assert list(written.alone.song) == result["song"]
        assert sorted(path.name for path in tmp_path.glob("acme*.json")) == ["acme.json"]
