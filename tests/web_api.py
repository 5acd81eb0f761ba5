"""A control interface on a real port, over a catalog of its own, for tests."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Priority
from lyricsyncd.config.reader import load
from lyricsyncd.config.schema import Config
from lyricsyncd.library.watch import FileEvent
from lyricsyncd.web.context import ServiceContext, SettingsFile
from lyricsyncd.web.server import WebServer

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
TIMED = "[00:05.28]<00:05.28>Twinkle, <00:06.19>twinkle <00:07.09>\n"


class Home:
    """A library, a catalog and a server; ``ask`` speaks to it.

    A fresh one has no configuration: the music folder is there, and no library yet.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], *, fresh: bool = False) -> None:
        self.folder = folder
        self.music = folder / "music"
        self.music.mkdir()
        web = {"listen": "127.0.0.1:0", **settings}
        self.file = folder / "config" / "config.yaml"
        libraries = [] if fresh else [{"path": str(self.music)}]
        self.config = Config.model_validate({"libraries": libraries, "web": web})
        self.catalog = Catalog(folder / FILE_NAME)
        self.hints: list[FileEvent] = []
        self.woken = 0
        self.alive = True
        self.context = ServiceContext(
            self.catalog,
            lambda: self.config,
            self.hints.append,
            self._wake,
            lambda: self.alive,
            SettingsFile(self.file, self._reload),
        )
        self.server = WebServer(self.context)
        self.server.start(self.config.web)
        self.client = httpx2.Client(base_url=f"http://{self.server.address}", timeout=10)

    def _wake(self) -> None:
        self.woken += 1

    def _reload(self) -> None:
        self.config = load(self.file, {}).model_copy(update={"web": self.config.web})

    def close(self) -> None:
        self.client.close()
        self.server.stop()
        self.catalog.close()

    def song(self, name: str = "a.mp3", words: str | None = TIMED) -> Path:
        """A song in the library, with words beside it; the catalog does not know it."""
        song = self.music / name
        song.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SONG, song)
        if words is not None:
            song.with_suffix(".elrc").write_text(words, encoding="utf-8")
        return song

    def known(self, name: str = "a.mp3", words: str | None = TIMED) -> int:
        """A song that the catalog knows; its number."""
        song = self.song(name, words)
        self.catalog.enqueue(song, Priority.BACKFILL, "test", library=self.music)
        entry = self.catalog.by_path(song)
        assert entry is not None
        return entry.id

    def get(self, path: str, /, **query: Any) -> httpx2.Response:
        return self.client.get(path, params=query)

    def post(self, path: str, body: Any = None, /, **headers: str) -> httpx2.Response:
        if body is None:
            return self.client.post(path, headers=headers)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **headers}
        return self.client.post(path, content=content, headers=headers)

    def tell(self, *events: Any) -> Any:
        """Tell of events; the results."""
        answer = self.post("/api/v1/events", {"events": list(events)})
        assert answer.status_code == 202, answer.text
        return answer.json()["results"]


@contextmanager
def home(folder: Path, *, fresh: bool = False, **settings: Any) -> Iterator[Home]:
    made = Home(folder, settings, fresh=fresh)
    try:
        yield made
    finally:
        made.close()
