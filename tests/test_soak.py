"""Everything that can go wrong, one after the other, to one service: no song is lost, none is
written twice, and none of a person's files changes.

A real service on real files; signals, mounts, a full disk and a torn catalog are real.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from watchdog.events import (
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from lyricsyncd.catalog import backup
from lyricsyncd.catalog.catalog import Catalog
from tests.service_home import SONG, TEXT, TIMED, Home, worker_of

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.daemon]

YEAR = 365 * 86400.0


class Writes(FileSystemEventHandler):
    """How often each lyrics file was put in place: by a link if it is new, else by a rename."""

    def __init__(self) -> None:
        self.count: Counter[Path] = Counter()

    def on_any_event(self, event: FileSystemEvent) -> None:
        if isinstance(event, FileMovedEvent):
            path = Path(os.fsdecode(event.dest_path))
        elif isinstance(event, FileCreatedEvent):
            path = Path(os.fsdecode(event.src_path))
        else:
            return
        # The songs bring their .elrc themselves.
        if path.suffix == ".lrc":
            self.count[path] += 1


class ServiceContext(Home):
    """A home with a second library on a disk that may be unplugged, and a third on a small one."""

    def __init__(self, folder: Path) -> None:
        self.plugged, self.disk, self.small = folder / "usb", folder / "disk", folder / "small"
        for each in (self.plugged, self.disk, self.small):
            each.mkdir(parents=True)
        self.port = 0
        self.songs: dict[Path, Path] = {}
        super().__init__(folder)
        self.writes = Writes()

    def configure(self, **changes: object) -> None:
        super().configure(
            libraries=[{"path": str(path)} for path in (self.music, self.plugged, self.small)],
            web={"listen": None},
            **changes,
        )

    def put(self, folder: Path, name: str, words: str | None = TIMED) -> Path:
        folder.mkdir(exist_ok=True)
        if words is not None:
            suffix = ".elrc" if words.startswith("[") else ".txt"
            (folder / name).with_suffix(suffix).write_text(words, encoding="utf-8")
        # Content of its own: no song is taken for another.
        (folder / name).write_bytes(SONG.read_bytes() + name.encode())
        return folder / name

    def until_done(self, number: int) -> None:
        self.until(lambda: self.counts().get("done", 0) >= number, f"{number} songs are done")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ServiceContext]:
    api = ServiceContext(tmp_path)
    with contextlib.ExitStack() as stack:
        mount("-t", "tmpfs", "-o", "size=1m", "none", str(api.small))
        stack.callback(umount, api.small)
        mount("--bind", str(api.disk), str(api.plugged))
        stack.callback(umount, api.plugged)
        yield api
        api.kill()


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"file systems cannot be mounted here: {done.stderr.strip()}")


def umount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)


class Nobody(BaseHTTPRequestHandler):
    """LRCLIB for a song that it does not know."""

    def do_GET(self) -> None:
        search = self.path.startswith("/api/search")
        body = b"[]" if search else b'{"code":404,"name":"TrackNotFound","message":"none"}'
        self.send_response(200 if search else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_a_year_of_trouble_in_two_minutes(api: ServiceContext) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Nobody)
    port = server.server_address[1]
    server.server_close()
    online = {"order": ["local", "lrclib"], "lrclib": {"url": f"http://127.0.0.1:{port}"}}
    observer = Observer()
    for folder in (api.music, api.disk, api.small):
        observer.schedule(api.writes, str(folder), recursive=True)
    observer.start()
    chance = random.Random(11)
    songs: list[Path] = []

    # The service is killed, again and again, while songs come.
    api.configure(daemon={"settle": 0.2})
    for round_ in range(4):
        songs += [api.put(api.music / f"album {round_}", f"{n}.mp3") for n in range(4)]
        api.start()
        time.sleep(chance.uniform(0.0, 1.0))
        api.kill()
        api.log.unlink()
    api.start()
    api.until_done(len(songs))

    # The models are killed in the middle of a song.
    songs.append(api.put(api.music, "to be placed.mp3", TEXT))
    service = api.process.pid if api.process is not None else 0
    api.until(lambda: worker_of(service), "the models run")
    worker = worker_of(service)
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    api.until_done(len(songs))

    # A disk is unplugged, and comes back.
    songs += [api.put(api.plugged, f"usb {n}.mp3") for n in range(3)]
    api.until_done(len(songs))
    subprocess.run(["umount", str(api.plugged)], check=True)
    api.call("scan")
    assert api.counts()["done"] == len(songs)
    mount("--bind", str(api.disk), str(api.plugged))
    api.call("scan")
    assert api.counts()["done"] == len(songs)

    # A disk is full.
    junk = api.small / "junk"
    tight = api.put(api.small, "tight.mp3")
    fill(junk)
    api.until(lambda: state(api, tight) == "pending" and error(api, tight), "it is full")
    assert api.asked("show", tight)["error_class"] in ("WriteError", "OSError")
    junk.unlink()
    api.call("retry", tight)
    songs.append(tight)
    api.until_done(len(songs))

    # The network is away, and comes back.
    api.configure(daemon={"settle": 0.2}, lyrics=online)
    assert api.process is not None
    api.process.send_signal(signal.SIGHUP)
    api.until(lambda: "was read again" in api.said(), "the configuration is read")
    unknown = api.put(api.music, "unknown.mp3", None)
    api.until(lambda: error(api, unknown), "the network is missed")
    assert (state(api, unknown), api.asked("show", unknown)["error_class"]) == (
        *("pending",),
        "Unreachable",
    )
    server = ThreadingHTTPServer(("127.0.0.1", port), Nobody)
    Thread(target=server.serve_forever, daemon=True).start()
    api.call("retry", unknown)
    api.until(lambda: state(api, unknown) == "no_lyrics", "it was looked for")
    server.shutdown()
    server.server_close()

    # The clock was a year ahead, and is set right.
    assert api.stop() == 0
    with Catalog(api.folder / "state" / "catalog.db") as catalog:
        late = api.put(api.music, "late.mp3")
        catalog.clock = lambda: time.time() + YEAR
        catalog.enqueue(late, 10, "test", library=api.music)  # type: ignore[arg-type]
        backup.back_up(catalog)
    songs.append(late)
    api.start()
    api.until_done(len(songs))
    assert "the clock went back" in api.said()

    # The catalog is torn, in a version that is older than its songs are.
    api.kill()
    tear(api.folder / "state" / "catalog.db")
    api.start()
    api.until(lambda: "the catalog was broken" in api.said(), "the copy is taken")
    api.until_done(len(songs))

    # And nothing of all that shows.
    assert api.stop() == 0
    time.sleep(0.5)
    observer.stop()
    observer.join()
    counts = api.counts()
    assert counts == {"done": len(songs), "no_lyrics": 1}
    for song in songs:
        assert song.read_bytes() == SONG.read_bytes() + song.name.encode()
        assert song.with_suffix(".lrc").exists()
    twice = {path.name: count for path, count in api.writes.count.items() if count != 1}
    assert twice == {}
    assert len(api.writes.count) == len(songs)
    leftovers = [path for path in api.folder.rglob(".*") if path.parent.name != "state"]
    assert leftovers == []


def state(api: ServiceContext, song: Path) -> str:
    with contextlib.suppress(AssertionError):
        return str(api.asked("show", song)["state"])
    return ""


def error(api: ServiceContext, song: Path) -> str | None:
    with contextlib.suppress(AssertionError):
        reported: str | None = api.asked("show", song)["error"]
        return reported
    return None


def fill(junk: Path) -> None:
    with contextlib.suppress(OSError), junk.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


def tear(catalog: Path) -> None:
    with contextlib.closing(sqlite3.connect(catalog)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = catalog.stat().st_size
    with catalog.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
