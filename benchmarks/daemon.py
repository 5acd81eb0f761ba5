"""What the daemon costs: scans of a large library, hearing of songs, and doing nothing.

    python -m benchmarks.daemon [--files 100000] [--moved 2000] [--idle 60] [--folder DIR]

The songs are sparse files: they have a size, and nothing is ever read of them, because the work is
paused. Real processes of the real service; figures are printed with the bar they must meet.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SONGS_A_FOLDER = 12
SETTLE_S = 2.0
_TIMEOUT_S = 300.0


class ServiceContext:
    """A service of its own: music, configuration and state in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.music = folder, folder / "music"
        self.music.mkdir()
        self.config = folder / "config.yaml"
        settings = {
            "libraries": [{"path": str(self.music)}],
            "lyrics": {"order": ["local"]},
            "daemon": {"settle": SETTLE_S, "rescan": None},
            "web": {"listen": "127.0.0.1:0"},
        }
        self.config.write_text(json.dumps(settings), encoding="utf-8")
        self.environment = {
            **os.environ,
            "STATE_DIRECTORY": str(folder / "state"),
            "CACHE_DIRECTORY": str(folder / "cache"),
            "LYRICSYNCD_CONFIG": str(self.config),
        }

    def call(self, *arguments: str) -> tuple[float, float, float]:
        """Run a command to its end: seconds, those of the processor, and MB at its largest."""
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "lyricsyncd", *arguments],
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"lyricsyncd {' '.join(arguments)} failed")
        took = time.monotonic() - began
        return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

    @contextmanager
    def service(self) -> Iterator[int]:
        """A running service's process id; once it watches, and is through its first scan."""
        process = subprocess.Popen(
            [sys.executable, "-m", "lyricsyncd", "run"],
            env=self.environment,
            stderr=(self.folder / "log").open("wb"),
        )
        try:
            self.until(lambda: "watching" in (self.folder / "log").read_text(), "it watches")
            time.sleep(2.0)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    @property
    def url(self) -> str:
        """Where the running service listens."""
        found: str = re.findall(r"listening on (\S+)", (self.folder / "log").read_text())[-1]
        return found

    def until(self, true: Callable[[], object], what: str) -> None:
        end = time.monotonic() + _TIMEOUT_S
        while not true():
            if time.monotonic() > end:
                raise SystemExit(f"waited in vain: {what}")
            time.sleep(0.02)

    def until_known(self, count: int) -> None:
        self.until(lambda: self.known() >= count, f"{count} songs are known")

    def rows(self, query: str) -> list[tuple[object, ...]]:
        db = sqlite3.connect(f"file:{self.folder}/state/catalog.db?mode=ro", uri=True)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def known(self) -> int:
        count = self.rows("SELECT COUNT(*) FROM tracks WHERE missing_since IS NULL")[0][0]
        assert isinstance(count, int)
        return count


def fill(folder: Path, count: int, prefix: str = "") -> None:
    """Sparse songs in albums, each with a cover; every third one with words beside it."""
    for number in range(count):
        album, song = divmod(number, SONGS_A_FOLDER)
        home = folder / f"Artist {album // 8:04d}" / f"{prefix}Album {album:05d}"
        if song == 0:
            home.mkdir(parents=True, exist_ok=True)
            (home / "cover.jpg").touch()
        name = f"{song + 1:02d} - A Song of Some Length {number}"
        with (home / f"{name}.flac").open("wb") as file:
            file.truncate(20_000_000 + number)
        if number % 3 == 0:
            (home / f"{name}.lrc").touch()


def reported(what: str, figure: float, unit: str, bar: float) -> None:
    """One line of the report."""
    mark = "ok" if figure <= bar else "MISSED"
    print(f"{what:<44} {figure:9.2f} {unit:<4} bar {bar:g} {unit}  {mark}", flush=True)


def scans(api: ServiceContext, files: int) -> None:
    """A first scan, and one with nothing changed."""
    fill(api.music, files)
    api.call("pause")
    seconds, processor, megabytes = api.call("scan")
    if api.known() != files:
        raise SystemExit(f"{api.known()} of {files} songs were found")
    reported(f"first scan of {files} files", seconds, "s", 60 * files / 100_000)
    print(f"  of which the processor was ours for {processor:.1f} s")
    reported("  memory", megabytes, "MB", 150)
    seconds, processor, megabytes = api.call("scan")
    reported("rescan with nothing changed", seconds, "s", 15 * files / 100_000)
    print(f"  of which the processor was ours for {processor:.1f} s")
    reported("  memory", megabytes, "MB", 150)


def hearing(api: ServiceContext, moved: int, trials: int = 5) -> None:
    """From a song's coming to its being queued; and many songs at once."""
    before = api.known()
    worst = 0.0
    for number in range(trials):
        began = time.monotonic()
        with (api.music / f"new {number}.flac").open("wb") as file:
            file.truncate(1_000_000 + number)
        before += 1
        api.until_known(before)
        worst = max(worst, time.monotonic() - began - SETTLE_S)
    reported(f"event to queued after settling ({trials} songs, worst)", worst, "s", 1)
    for kind in ("folder", "files"):
        aside = api.folder / "aside"
        fill(aside, moved, f"{kind} ")
        began = time.monotonic()
        if kind == "folder":
            aside.rename(api.music / "moved folder")
        else:
            for number, song in enumerate(sorted(aside.rglob("*.flac"))):
                song.rename(api.music / f"moved {number}.flac")
            shutil.rmtree(aside)
        before += moved
        api.until_known(before)
        took = time.monotonic() - began
        time.sleep(2 * SETTLE_S)
        many = api.rows("SELECT COUNT(*) FROM tracks WHERE attempts > 0 OR state != 'pending'")
        reported(
            f"{moved} songs moved in ({kind}): too many or few", abs(api.known() - before), "", 0
        )
        reported("  taken up twice", float(str(many[0][0])), "", 0)
        print(f"  all queued after {took:.1f} s, of which {SETTLE_S:g} s to settle")


def naming(api: ServiceContext, songs: int) -> None:
    """Songs that others name by their tags, under paths that they make up."""
    events = [
        {
            "event": "imported",
            "path": f"/made/up/{number}.flac",
            "tags": {"artist": "Somebody", "title": f"A Song of Some Length {number}"},
        }
        for number in range(songs)
    ]
    api.until(
        lambda: not api.rows("SELECT 1 FROM tracks WHERE name_key IS NULL LIMIT 1"),
        "songs can be found by their names",
    )
    body = json.dumps({"events": events}).encode()
    began = time.monotonic()
    request = urllib.request.Request(
        f"{api.url}/api/v1/events", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
        # Sparse files have no tags: each is looked into, and none is sure enough to be taken.
        answer.read()
    reported(f"{songs} songs reported by their names", time.monotonic() - began, "s", 2)


def idling(pid: int, seconds: float) -> None:
    """What doing nothing costs."""
    # Past the first copy of the catalog, which is taken half a minute after the start.
    time.sleep(45.0)
    first = usage(pid)
    time.sleep(seconds)
    last = usage(pid)
    reported("idle: memory (unshared and shared)", last[0], "MB", 80)
    reported(f"  growth in {seconds:g} s", last[0] - first[0], "MB", 0.5)
    reported("  growth of descriptors", last[1] - first[1], "", 0)
    reported("  processor", 100 * (last[2] - first[2]) / seconds, "%", 0.1)


def usage(pid: int) -> tuple[float, int, float]:
    """MB resident, open descriptors, and seconds of the processor so far."""
    proc = Path(f"/proc/{pid}")
    status = (proc / "status").read_text()
    (resident,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    fields = (proc / "stat").read_text().rpartition(") ")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    # schedstat counts in nanoseconds; stat's ticks are too coarse for so little.
    exact = sum(
        int((task / "schedstat").read_text().split()[0]) for task in (proc / "task").iterdir()
    )
    seconds = exact / 1e9 if exact else (int(fields[11]) + int(fields[12])) / ticks
    return int(resident) / 1024, len(list((proc / "fd").iterdir())), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--moved", type=int, default=2_000)
    parser.add_argument("--idle", type=float, default=60.0)
    parser.add_argument("--folder", type=Path, help="where the songs are made; a local disk")
    options = parser.parse_args()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        api = ServiceContext(Path(folder))
        scans(api, options.files)
        with api.service() as pid:
            reported("service on that library: memory", usage(pid)[0], "MB", 150)
            naming(api, min(500, options.files))
            hearing(api, options.moved)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        api = ServiceContext(Path(folder))
        fill(api.music, 1200)
        api.call("pause")
        with api.service() as pid:
            idling(pid, options.idle)


if __name__ == "__main__":
    main()
