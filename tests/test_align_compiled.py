"""The compiled recursions: the same as those of numpy, to the bit."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.align import compiled
from lyricsyncd.align.emissions import cepstra
from lyricsyncd.align.features import word_frames
from lyricsyncd.align.posterior import posterior
from lyricsyncd.align.trellis import Band, Trellis
from lyricsyncd.align.viterbi import best_path, best_score
from tests.test_align_search import trellises

ROOT = Path(__file__).parent.parent
here = pytest.mark.skipif(compiled.LIBRARY is None, reason="no C compiler when it was installed")
any_trellis = trellises() | trellises(timed=True) | trellises(skippable=True)


@contextmanager
def _numpy_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "LIBRARY", None)
        yield


def _both(of: Callable[[], Any]) -> tuple[Any, Any]:
    with _numpy_only():
        plain = of()
    return of(), plain


def _banded(trellis: Trellis, reach: int) -> Band:
    path = best_path(trellis)
    assert path is not None
    frames = word_frames(trellis.graph, path.states)
    return Band.around(trellis.graph, *frames, trellis.n_frames, reach)


@here
class TestTheCompiledRecursionsGiveTheSame:
    @given(any_trellis, st.integers(0, 30))
    def test_best_path(self, trellis: Trellis, reach: int) -> None:
        banded = _banded(trellis, reach)
        for fast, plain in (
            _both(lambda: best_path(trellis)),
            _both(lambda: best_path(trellis, banded)),
        ):
            assert fast.score == plain.score
            assert fast.states.tolist() == plain.states.tolist()
        assert len(set(_both(lambda: best_score(trellis)))) == 1

    @given(trellises() | trellises(timed=True), st.integers(0, 30))
    def test_posteriors(self, trellis: Trellis, reach: int) -> None:
        path = best_path(trellis)
        assert path is not None
        frames = word_frames(trellis.graph, path.states)
        band = _banded(trellis, reach)
        fast, plain = _both(lambda: posterior(trellis, band, *frames, near=2))
        for event in ("onset", "offset"):
            for value in ("median", "spread", "near"):
                of_both = (getattr(getattr(found, event), value) for found in (fast, plain))
                np.testing.assert_array_equal(*of_both)
        np.testing.assert_array_equal(fast.starts.logs, plain.starts.logs)

    @given(st.integers(0, 2**32 - 1), st.integers(400, 20_000))
    def test_features(self, seed: int, n_samples: int) -> None:
        rng = np.random.default_rng(seed)
        audio = (rng.standard_normal(n_samples) * rng.random(n_samples)).astype(np.float32)
        np.testing.assert_array_equal(*_both(lambda: cepstra.features(audio)))


@pytest.mark.slow
class TestTheWheel:
    def built(self, folder: Path, **environment: str) -> Path:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True)
        (wheel,) = folder.glob("*.whl")
        return wheel

    @here
    def test_holds_the_library_for_this_platform(self, tmp_path: Path) -> None:
        wheel = self.built(tmp_path, LYRICSYNC_COMPILE="1")
        assert "-py3-none-any" not in wheel.name
        assert "lyricsyncd/align/compiled/recursions.so" in zipfile.ZipFile(wheel).namelist()

    def test_runs_everywhere_where_nothing_could_be_compiled(self, tmp_path: Path) -> None:
        wheel = self.built(tmp_path, CC="no-such-compiler")
        assert wheel.name.endswith("-py3-none-any.whl")
        assert not [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".so")]
