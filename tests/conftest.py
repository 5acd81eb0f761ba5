"""Share fixtures: the effort of hypothesis, hosts never contacted, a catalog, plug-in packages.

``LYRICSYNCD_TEST_EXAMPLES=10000`` makes hypothesis search long and patiently.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from lyricsyncd import formats, lyrics, media_types, registry
from lyricsyncd.catalog.catalog import Catalog
from lyricsyncd.http import rate_limit
from lyricsyncd.processes import sandbox
from tests.browser import browser as browser
from tests.browser import visit as visit
from tests.clock import Clock
from tests.service_home import home as home

settings.register_profile(
    "default",
    max_examples=int(os.environ.get("LYRICSYNCD_TEST_EXAMPLES", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def _no_host_rests() -> Iterator[None]:
    """Start each test as a process that has sent no request yet.

    All servers of the tests are at one host, which would be left alone by every test after one in
    which it fails.
    """
    rate_limit.forget()
    yield
    rate_limit.forget()


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the state and the cache in folders of the test, where it uses them in this process."""
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))


@pytest.fixture
def clock() -> Clock:
    """A clock that stands until a test moves it."""
    return Clock()


@pytest.fixture
def catalog(tmp_path: Path, clock: Clock) -> Iterator[Catalog]:
    """An empty catalog that goes by the clock of the test."""
    with Catalog(tmp_path / "catalog.db", clock=clock) as catalog:
        yield catalog


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
        # Files are parsed in a process of their own, which starts with the first of them.
        monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        forget()

    def forget() -> None:
        registry.forget_plugins()
        formats.forget_plugins()
        media_types.lyrics_suffixes.cache_clear()
        lyrics.forget_plugins()
        sandbox.READER.close()

    yield install
    monkeypatch.undo()
    forget()
