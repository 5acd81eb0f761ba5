"""Take the README's pictures of the page: the service places two songs, a browser shows them.

``python -m demo.make_page_pictures``, with Debian's ``chromium`` and the test dependencies, writes
``docs/page-setup.png``, ``docs/page-song.png`` and ``docs/page-edit.png``. Nothing is
staged: the songs are those of the demo, and the words lie where the service put them.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml
from rich.console import Console

from demo import run_demo
from demo.make_song import SONGS_DIR
from demo.run_demo import DemoError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SONGS = ("The_Star", "Au_clair_de_la_lune")
_SIZE = {"width": 1280, "height": 800}
_FIRST_RUN_HEIGHT = 860
_SUNG_S = 13.4
"""A moment in the middle of a line of the first song."""


def take(browser: Browser, address: str, song: int, folder: Path) -> list[Path]:
    """Take the pictures of a song: as it is sung, and as it is edited."""
    made = []
    for name, scheme, act in (("song", "dark", _sung), ("edit", "light", _edited)):
        context = browser.new_context(color_scheme=scheme, viewport=_SIZE)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"http://{address}/ui/#/{name}/{song}")
        act(page)
        made.append(folder / f"page-{name}.png")
        page.screenshot(path=made[-1])
        context.close()
    return made


def _sung(page: Page) -> None:
    page.get_by_role("button", name="Play", exact=True, disabled=False).wait_for()
    page.get_by_label("Position in the song").fill(str(int(_SUNG_S - 3)))
    page.get_by_role("button", name="Play", exact=True).click()
    # The lines have scrolled by then, and a word is half lit.
    page.wait_for_timeout(3400)


def _edited(page: Page) -> None:
    page.get_by_role("button", name="Play", exact=True, disabled=False).wait_for()
    page.locator("[data-i='8']").click()
    page.keyboard.press("ArrowRight")
    page.mouse.move(640, 790)
    page.wait_for_timeout(1500)


def take_first_run(browser: Browser, address: str, music: Path, folder: Path) -> Path:
    """Take the picture of the first run: what would be done for a music folder."""
    context = browser.new_context(color_scheme="light", viewport=_SIZE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"http://{address}/ui/")
    page.get_by_role("heading", name="Welcome").wait_for()
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_label("Full path of a folder").fill(str(music))
    page.get_by_role("button", name="Add").click()
    page.get_by_label("Navidrome", exact=False).first.check()
    page.get_by_role("button", name="Show me").click()
    page.get_by_role("button", name="Start", exact=True).wait_for()
    page.mouse.move(5, 5)
    # From a heading on, and as high as what is below it: nothing is cut.
    page.set_viewport_size({"width": _SIZE["width"], "height": _FIRST_RUN_HEIGHT})
    page.evaluate(
        "document.querySelector('.page').scrollBy(0, what.getBoundingClientRect().y - 24)"
    )
    made = folder / "page-setup.png"
    page.screenshot(path=made)
    context.close()
    return made


def placed(address: str, wanted: int, timeout_s: float = 600.0) -> list[dict[str, Any]]:
    """Wait until the service has placed some songs; return them, the first dropped first.

    Raises
    ------
    DemoError
        They are not placed in time.
    """
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://{address}/api/v1/tracks", timeout=10) as answer:
                tracks = json.load(answer)["tracks"]
        except OSError:
            tracks = []
        done = [track for track in tracks if track["state"] in ("done", "mixed", "review")]
        if len(done) == wanted:
            return sorted(done, key=lambda track: str(track["path"]), reverse=True)
        time.sleep(1.0)
    raise DemoError(f"The songs were not placed within {timeout_s:.0f} s")


@click.command()
@click.option("--scratch", type=click.Path(path_type=Path), default=Path(".demo"))
@click.option("--into", type=click.Path(path_type=Path), default=Path("docs"))
def main(scratch: Path, into: Path) -> None:
    """Take the pictures."""
    from playwright.sync_api import sync_playwright

    scratch = scratch.resolve()
    config = run_demo.stage(scratch)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    settings["web"] = {"listen": address}
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    for name in SONGS:
        for suffix in (".mp3", ".txt"):
            shutil.copy(SONGS_DIR / f"{name}{suffix}", scratch / "library")
    environment = run_demo.surroundings(scratch)
    subprocess.run([run_demo.command(), "models", "install", "lite"], env=environment, check=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        # Root has no sandbox; songs start without a click.
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        with _music() as music, run_demo.service(_without_libraries(config), scratch / "first.log"):
            _wait_for(address)
            Console().print(f"wrote {take_first_run(browser, address, music, into)}")
        with run_demo.service(config, scratch / "daemon.log"):
            tracks = placed(address, len(SONGS))
            for path in take(browser, address, int(tracks[0]["id"]), into):
                Console().print(f"wrote {path}")
        browser.close()


@contextmanager
def _music() -> Iterator[Path]:
    """A music folder with the songs, at a path that looks like one of a person's."""
    music = Path(tempfile.gettempdir()) / "Music"
    music.mkdir()
    try:
        for name in SONGS:
            for suffix in (".mp3", ".txt"):
                shutil.copy(SONGS_DIR / f"{name}{suffix}", music)
        yield music
    finally:
        shutil.rmtree(music)


def _without_libraries(config: Path) -> Path:
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    fresh = config.with_name("fresh.yaml")
    fresh.write_text(yaml.safe_dump({**settings, "libraries": []}), encoding="utf-8")
    return fresh


def _wait_for(address: str, timeout_s: float = 60.0) -> None:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://{address}/healthz", timeout=10):
                return
        except OSError:
            time.sleep(0.3)
    raise DemoError(f"The service does not listen after {timeout_s:.0f} s")


if __name__ == "__main__":
    main()
