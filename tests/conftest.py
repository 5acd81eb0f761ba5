"""What all tests share: how hard hypothesis searches, and packages that add back ends.

``LYRICSYNCD_TEST_EXAMPLES=10000`` makes hypothesis search long and patiently.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from lyricsyncd import formats, lyrics, media_types, registry

settings.register_profile(
    "default",
    max_examples=int(os.environ.get("LYRICSYNCD_TEST_EXAMPLES", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("default")


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Install a package with entry points: ``plugin("lyricsyncd.sources", name="module:thing")``.

    What is remembered of installed packages is forgotten before and after.
    """

    def install(group: str, **targets: str) -> None:
        folder = tmp_path / "site"
        info = folder / "theirs-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
        points = "".join(f"{name} = {target}\n" for name, target in targets.items())
        (info / "entry_points.txt").write_text(f"[{group}]\n{points}")
        monkeypatch.syspath_prepend(folder)
        forget()

    def forget() -> None:
        registry.forget_plugins()
        formats.forget_plugins()
        media_types.lyrics_suffixes.cache_clear()
        lyrics.sources.cache_clear()

    yield install
    monkeypatch.undo()
    forget()
