"""The whole service on one song: start it, drop a song into its folder, watch the words come.

Everything happens in one scratch folder (``.demo``), on this machine: no lyrics are looked up,
for the words lie beside the song. Exits with 1, and the end of the service's log, when the words
do not come or come in the wrong places.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.make_song import SONGS_DIR
from lyricsyncd import formats
from lyricsyncd.model import Lyrics

_LOG_LINES = 25
_STOP_S = 30.0
_LINES_ALONE_S = 3.0
_ASK_S = 1.0
"""Seconds between two questions to the service: each is a process."""
_WORST_MEDIAN_S = 0.3


class DemoError(Exception):
    """The show cannot go on; the message says why."""


def command() -> Path:
    """The installed ``lyricsyncd`` beside this Python."""
    path = Path(sys.executable).parent / "lyricsyncd"
    if not path.exists():
        raise DemoError(f"{path} is missing: install the package, or use `make demo`")
    return path


def stage(folder: Path) -> Path:
    """An empty library, its configuration and an empty state under ``folder``.

    Models of an earlier show stay.

    Returns
    -------
    Path
        The configuration.
    """
    for name in ("library", "state"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    (folder / "daemon.log").unlink(missing_ok=True)
    config = folder / "config.yaml"
    settings = {
        "libraries": [{"path": str(folder / "library")}],
        "lyrics": {"order": ["local"]},
        "models": {"dir": str(folder / "models")},
        "daemon": {"settle": 1.0},
        # The user's own service may listen.
        "web": {"listen": None},
    }
    config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return config


def surroundings(folder: Path) -> dict[str, str]:
    """Environment of the service: state and cache under ``folder``, no user's settings."""
    kept = {name: value for name, value in os.environ.items() if "LYRICSYNCD" not in name}
    return {
        **kept,
        "STATE_DIRECTORY": str(folder / "state"),
        "CACHE_DIRECTORY": str(folder / "cache"),
        "LYRICSYNCD_CONFIG": str(folder / "config.yaml"),
    }


@contextmanager
def service(config: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``lyricsyncd run`` while the block lasts; ended as a service manager would end it.

    Raises
    ------
    DemoError
        If it does not end on request.
    """
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [command(), "run", "--config", config],
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=surroundings(config.parent),
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise DemoError(f"The service did not stop within {_STOP_S:.0f} s") from None


def drop(name: str, library: Path) -> Path:
    """Copy a demo song into the library as its owner would, words first; the song's path."""
    album = library / "The Sampled Choir" / "Public Domain"
    album.mkdir(parents=True)
    for suffix in (".txt", ".mp3"):
        shutil.copyfile(SONGS_DIR / f"{name}{suffix}", album / f"{name}{suffix}")
    return album / f"{name}.mp3"


def known(song: Path, folder: Path) -> dict[str, Any]:
    """What the service knows of ``song``, as its user asks it; nothing before it has found it."""
    done = subprocess.run(
        [command(), "show", song, "--json"],
        env=surroundings(folder),
        capture_output=True,
        check=False,
    )
    entry: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    return entry


def failure(entry: Mapping[str, Any]) -> str | None:
    """Why no words will come, by what the service knows of a song; ``None`` while they may."""
    state, reason = entry.get("state"), entry.get("reason")
    waits_after_an_error = state == "pending" and reason and entry.get("next_attempt_at")
    if state in (None, "pending", "working", "done") and not waits_after_an_error:
        return None
    return f"The song is {state}: {reason or 'no reason is given'}"


def wait_for_words(
    song: Path,
    process: subprocess.Popen[bytes],
    timeout_s: float,
    console: Console,
    ask: Callable[[], Mapping[str, Any]] = dict,
) -> float:
    """Wait until the service has written word times beside ``song``; seconds that took.

    Parameters
    ----------
    ask : callable, optional
        Gives what the service knows of the song, as `known`.

    Raises
    ------
    DemoError
        If the service ends, gives the song up, writes line times alone, or lets ``timeout_s``
        seconds pass.
    """
    started = asked = time.monotonic()
    lines_since: float | None = None
    with console.status("") as status:
        while not song.with_suffix(".elrc").exists():
            now = time.monotonic()
            status.update(f"the service listens to the song … {now - started:.0f} s")
            if process.poll() is not None:
                raise DemoError(f"The service ended by itself with status {process.returncode}")
            if now - started > timeout_s:
                raise DemoError(f"No words after {timeout_s:.0f} s")
            if now - asked > _ASK_S:
                asked = now
                if (why := failure(ask())) and not song.with_suffix(".elrc").exists():
                    raise DemoError(why)
            if song.with_suffix(".lrc").exists():
                lines_since = lines_since or now
                if now - lines_since > _LINES_ALONE_S:
                    raise DemoError("The service trusted itself with line times only")
            time.sleep(0.2)
    return time.monotonic() - started


def onset_errors(lyrics: Lyrics, name: str) -> list[float]:
    """Seconds between each word's time in ``lyrics`` and the truth, smallest first.

    Raises
    ------
    DemoError
        If the words are not those of the song, or one has no time.
    """
    with (SONGS_DIR / f"{name}.words.csv").open(encoding="utf-8") as file:
        truth = [float(row["word_start"]) for row in csv.DictReader(file)]
    placed = [word.start for word in lyrics.words if word.start is not None]
    sung = (SONGS_DIR / f"{name}.txt").read_text(encoding="utf-8").split()
    if [word.text for word in lyrics.words] != sung or len(placed) != len(truth):
        raise DemoError("The words that were written are not the words of the song")
    return sorted(abs(start - true) for start, true in zip(placed, truth, strict=True))


def karaoke(lyrics: Lyrics) -> Table:
    """A row a line: when it begins, and its words with their seconds under them."""
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    table.add_column(justify="right", style="bold cyan")
    table.add_column()
    for line in lyrics:
        if not line.words:
            continue
        above, below = Text(no_wrap=True), Text(no_wrap=True, style="dim")
        for word in line.words:
            seconds = f"{word.start:.2f}" if word.start is not None else "–"
            width = max(len(word.text), len(seconds)) + 1
            above.append(word.text.ljust(width), style="bold")
            below.append(seconds.ljust(width))
        start = line.start if line.start is not None else line.words[0].start or 0.0
        table.add_row(f"{int(start) // 60}:{start % 60:05.2f}", above)
        table.add_row("", below)
    return table


def show(name: str, folder: Path, timeout_s: float, console: Console) -> None:
    """The whole show.

    Raises
    ------
    DemoError
        If anything is not as it should be.
    """
    config = stage(folder)
    console.print("[bold]1.[/] the models: vocals and phonemes (39 + 5 MB, fetched once)")
    installed = subprocess.run(
        [command(), "models", "install", "lite"], env=surroundings(folder), check=False
    )
    if installed.returncode:
        raise DemoError("The models could not be installed")
    console.print(f"[bold]2.[/] lyricsyncd run --config {config}")
    with service(config, folder / "daemon.log") as process:
        song = drop(name, folder / "library")
        console.print(f"[bold]3.[/] a new song, and its words without times: {song}")
        words = song.with_suffix(".elrc")
        seconds = wait_for_words(song, process, timeout_s, console, lambda: known(song, folder))
        lyrics = formats.read(words.read_bytes(), "lrc")
        errors = onset_errors(lyrics, name)
        console.print(f"[bold]4.[/] {seconds:.0f} s later every word has its time:\n")
        console.print(karaoke(lyrics))
        median = errors[len(errors) // 2]
        near = sum(error <= 0.3 for error in errors)
        console.print(
            f"\n{len(errors)} words, half of them within {median:.3f} s of the truth, "
            f"{near} within 0.3 s; the truth is known, for the song was made by rule."
        )
        if median > _WORST_MEDIAN_S:
            raise DemoError(f"Words are {median:.2f} s from where they are sung")
    console.print("[bold]5.[/] the service has stopped. What it wrote:")
    for path in sorted(song.parent.iterdir()):
        console.print(f"   {path}", style="dim" if path.suffix in (".mp3", ".txt") else "green")


@click.command(help=__doc__)
@click.option("--song", default="The_Star", help="Which song of demo/songs.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path(".demo"))
@click.option("--timeout", default=300.0, help="Seconds to wait for the words.")
def main(song: str, folder: Path, timeout: float) -> None:
    """Run the show; the log's end and status 1 when it fails."""
    console = Console(highlight=False, soft_wrap=True)
    log = folder.resolve() / "daemon.log"
    try:
        show(song, folder.resolve(), timeout, console)
    except DemoError as error:
        console.print(f"[bold red]{error}[/]")
        if log.exists():
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            console.print(f"The end of {log}:", style="dim")
            for line in lines[-_LOG_LINES:]:
                console.print(line, markup=False)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
