"""The page in a real browser, on real servers: what a person sees, hears and does there."""

from __future__ import annotations

import csv
import gzip
import re
import socket
import sqlite3
import statistics
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd.catalog.catalog import FILE_NAME, Outcome, Priority, State
from lyricsyncd.catalog.drafts import Draft
from lyricsyncd.model import Line, Lyrics, Track, Word
from lyricsyncd.web.page import Page as Files
from tests import service_home, test_web_page, web_api
from tests.browser import DESKTOP, PHONE, Visit
from tests.web_api import SONG, Home

pytestmark = pytest.mark.usefixtures("own_folders")

ROOT = Path(__file__).parent.parent
UI = ROOT / "lyricsyncd" / "web" / "ui"
TOKEN = "a long secret"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
FIRST_LOAD_BYTES, FIRST_LOAD_REQUESTS = 60_000, 20
ALL_BYTES = 90_000
NODES = 500


def slow(test: Any) -> Any:
    """Mark a test that waits for a browser: with the processor to itself it never waits in vain."""
    return pytest.mark.slow(pytest.mark.alone(test))


def loaded_first() -> set[str]:
    """The modules that are imported before anything is shown."""
    found, left = set[str](), ["main.js"]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            text = (UI / name).read_text(encoding="utf-8")
            left += re.findall(r"from '\./([\w/]+\.js)'", text)
    return found


def packed(file: Path) -> int:
    return len(gzip.compress(file.read_bytes(), 9))


class TestTheFilesOfThePage:
    def test_are_small(self) -> None:
        first = sum(packed(UI / name) for name in (*loaded_first(), "index.html", "app.css"))
        assert first < FIRST_LOAD_BYTES
        kinds = {".html", ".css", ".js", ".svg", ".webmanifest"}
        assert sum(packed(file) for file in UI.rglob("*") if file.suffix in kinds) < ALL_BYTES

    def test_are_named_for_preloading_as_far_as_they_are_loaded_first(self) -> None:
        index = (UI / "index.html").read_text(encoding="utf-8")
        named = re.findall(r'(?:href|src)="{assets}/([\w/]+\.js)"', index)
        assert set(named) == loaded_first()

    def test_ask_nothing_of_another_host(self) -> None:
        for file in UI.rglob("*"):
            if file.suffix in {".html", ".css", ".js", ".webmanifest"}:
                text = file.read_text(encoding="utf-8")
                for name in ("http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"):
                    text = text.replace(name, "")
                text = text.replace("http://www.w3.org/1998/Math/MathML", "")
                assert "://" not in text, file
                assert 'src="//' not in text, file

    def test_are_all_served(self) -> None:
        page = Files()
        for file in UI.rglob("*"):
            if file.is_file():
                name = file.relative_to(UI).as_posix()
                assert page.answer(name, {}).status_code == 200

    def test_carry_the_licences_of_what_is_not_ours(self) -> None:
        assert "Permission is hereby granted" in (UI / "vendor/preact.LICENSE.txt").read_text()
        assert "Apache License" in (UI / "vendor/htm.LICENSE.txt").read_text()

    def test_make_markup_of_no_text(self) -> None:
        for file in UI.glob("*.js"):
            text = file.read_text(encoding="utf-8")
            for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write"):
                assert word not in text, file

    @slow
    def test_are_in_both_packages(self, tmp_path: Path) -> None:
        pytest.importorskip("hatchling")
        build = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path)]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        (wheel,), (source,) = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
        with zipfile.ZipFile(wheel) as archive:
            in_wheel = set(archive.namelist())
        with tarfile.open(source) as tar:
            in_source = {name.partition("/")[2] for name in tar.getnames()}
        files = {file.relative_to(ROOT).as_posix() for file in UI.rglob("*") if file.is_file()}
        assert files <= in_wheel
        assert files <= in_source


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with web_api.home(tmp_path) as made:
        yield made


def truth(confidence: float = 0.9) -> Lyrics:
    """The words of the demo song where they are sung."""
    lines: dict[str, list[Word]] = {}
    with SONG.with_suffix(".words.csv").open(encoding="utf-8") as file:
        times = [(float(row["word_start"]), float(row["word_end"])) for row in csv.DictReader(file)]
    at = iter(times)
    for line in SONG.with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        lines[line] = [Word(text, *next(at), confidence) for text in line.split()]
    made = (Line(tuple(words), words[0].start, words[-1].end) for words in lines.values())
    return Lyrics(tuple(made), language="en")


def placed(home: Home, name: str, state: State, lyrics: Lyrics | None = None, **names: Any) -> int:
    """A song of the library that has come to an end."""
    id = home.known(name, None)
    assert home.catalog.claim("test", 60, only=[id]) is not None
    home.catalog.found(id, "test", Track(**{"duration": 42.7, **names}))
    draft = Draft(lyrics or truth(), 0.62, state.value, "38 % of the words are sure", "en", "mix")
    failed = state in (State.FAILED, State.NO_LYRICS)
    quality = None if failed else 0.62
    outcome = Outcome(state, "38 % of the words are sure", quality=quality)
    home.catalog.finish(id, "test", outcome, None, None if failed else draft)
    return id


@pytest.fixture
def furnished(home: Home) -> Home:
    """A library with songs in several states."""
    furnish(home)
    return home


def furnish(home: Home) -> None:
    placed(home, "A/star.mp3", State.REVIEW, title="The Star", artist="Jane Taylor", album="Rhymes")
    placed(home, "A/done.mp3", State.DONE, title="Done", artist="Someone")
    placed(home, "B/failed.mp3", State.FAILED, title="Broken", artist="Nobody")
    home.known("B/waiting.mp3", None)


def address(home: Home) -> str:
    assert home.server.address is not None
    return home.server.address


FOCUS = """
(() => {
  const now = document.activeElement, last = window.lastFocus;
  window.lastFocus = now;
  // From the last on to the browser's own, or where it has none to the first.
  if (!now || now === document.body || now === window.firstFocus) return 'left';
  window.firstFocus ||= now;
  const box = now.getBoundingClientRect();
  if (!box.width || !box.height) return `${now.outerHTML.slice(0, 90)} is not seen`;
  if (!last || !last.isConnected || last === document.body) return 'next';
  const behind = last.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_FOLLOWING;
  return behind ? 'next' : `${now.outerHTML} is not behind ${last.outerHTML}`.slice(0, 900);
})()
"""
SCREENS = {
    "#/library": "The Star",
    "#/library?state=failed": "Broken",
    "#/queue": "Broken",
    "#/health": "Libraries",
    "#/song/1": "Twinkle,",
    "#/edit/1": "Every word has its place",
    "#/edit/3": "no placed words to edit",
    "#/song/3": "38 % of the words are sure",
    "#/song/99": "There is no song 99",
    "#/nowhere": "There is no such screen",
}


@slow
class TestEachScreen:
    @pytest.mark.parametrize("screen", SCREENS)
    @pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
    def test_opens_without_complaint_and_asks_only_us(
        self, furnished: Home, visit: Callable[..., Visit], screen: str, size: tuple[int, int]
    ) -> None:
        seen = visit(address(furnished), screen, size=size)
        seen.page.get_by_text(SCREENS[screen]).first.wait_for()
        seen.page.wait_for_timeout(500)
        # A browser says of each 404 that it got one.
        expected = {"#/song/99": "/tracks/99", "#/edit/3": "/tracks/3/draft"}.get(screen, "none")
        assert [each for each in seen.complaints if expected not in each] == []
        assert {url.split("/")[2] for url in seen.asked} == {address(furnished)}
        width = seen.page.evaluate("document.documentElement.scrollWidth")
        assert width <= size[0]

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
    def test_is_accessible_by_what_axe_checks(
        self, furnished: Home, visit: Callable[..., Visit], scheme: str, size: tuple[int, int]
    ) -> None:
        axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
        found = {}
        seen = visit(address(furnished), scheme=scheme, size=size, bypass_csp=True)
        for screen, text in SCREENS.items():
            seen.page.goto(f"http://{address(furnished)}/ui/{screen}")
            seen.page.get_by_text(text).first.wait_for()
            results = axe.run(seen.page)
            if results.violations_count:
                found[screen] = results.generate_report()
        assert found == {}

    def test_is_gone_through_by_tab_in_the_order_that_is_seen(
        self, furnished: Home, visit: Callable[..., Visit]
    ) -> None:
        page = visit(address(furnished)).page
        for screen, text in SCREENS.items():
            page.goto("about:blank")
            page.goto(f"http://{address(furnished)}/ui/{screen}")
            page.get_by_text(text).first.wait_for()
            page.wait_for_timeout(300)
            steps: list[str] = []
            for _ in range(80):
                page.keyboard.press("Tab")
                steps.append(page.evaluate(FOCUS))
                if steps[-1] == "left":
                    break
            # Through all of it and out again, from each to one behind it, each of them to be seen.
            assert steps[-1] == "left", (screen, steps)
            assert set(steps[:-1]) == {"next"}, (screen, steps)

    def test_tells_in_its_title_what_it_is(
        self, furnished: Home, visit: Callable[..., Visit]
    ) -> None:
        seen = visit(address(furnished), "#/song/1").page
        seen.wait_for_selector(".lyrics")
        assert seen.title() == "The Star · lyricsyncd"

    def test_loads_little_at_first(self, furnished: Home, visit: Callable[..., Visit]) -> None:
        seen = visit(address(furnished))
        seen.page.get_by_text("The Star").wait_for()
        files = [url for url in seen.asked if "/ui/" in url]
        assert len(files) < FIRST_LOAD_REQUESTS
        sizes = seen.page.evaluate(
            "performance.getEntriesByType('resource').filter(e => e.name.includes('/ui/'))"
            ".reduce((sum, e) => sum + e.encodedBodySize, 0)"
        )
        assert 0 < sizes < FIRST_LOAD_BYTES


@slow
class TestSigningIn:
    def test_needs_the_token_and_lasts(self, tmp_path: Path, visit: Callable[..., Visit]) -> None:
        with web_api.home(tmp_path, token=TOKEN) as made:
            made.known("a song.mp3", None)
            page = visit(address(made)).page
            page.get_by_label("Token").fill("wrong")
            page.get_by_role("button", name="Sign in").click()
            page.get_by_text("That is not the token").wait_for()
            page.get_by_label("Token").fill(TOKEN)
            page.keyboard.press("Enter")
            page.get_by_text("a song").first.wait_for()
            page.reload()
            page.get_by_text("a song").first.wait_for()
            # Scripts cannot read the session.
            assert page.evaluate("document.cookie") == ""

    def test_ends_with_signing_out(self, tmp_path: Path, visit: Callable[..., Visit]) -> None:
        with web_api.home(tmp_path, token=TOKEN) as made:
            page = visit(address(made), "#/health").page
            page.get_by_label("Token").fill(TOKEN)
            page.keyboard.press("Enter")
            # The settings in force are shown there, and no secret.
            page.get_by_text("web.token", exact=True).wait_for()
            page.get_by_role("button", name="others, too").click()
            page.get_by_text("quality.words", exact=True).wait_for()
            assert TOKEN not in page.content()
            page.get_by_role("button", name="Sign out").click()
            page.get_by_label("Token").wait_for()
            page.reload()
            page.get_by_label("Token").wait_for()

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_is_accessible(self, tmp_path: Path, visit: Callable[..., Visit], scheme: str) -> None:
        axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
        with web_api.home(tmp_path, token=TOKEN) as made:
            page = visit(address(made), scheme=scheme, bypass_csp=True).page
            page.get_by_label("Token").wait_for()
            results = axe.run(page)
            assert results.violations_count == 0, results.generate_report()

    def test_works_below_the_prefix_of_a_reverse_proxy(
        self, tmp_path: Path, visit: Callable[..., Visit]
    ) -> None:
        with (
            web_api.home(tmp_path, token=TOKEN) as made,
            test_web_page.proxy(made, keeps_host=True) as base,
        ):
            id = placed(made, "star.mp3", State.REVIEW, title="The Star")
            seen = visit(base.removeprefix("http://"))
            seen.page.get_by_label("Token").fill(TOKEN)
            seen.page.keyboard.press("Enter")
            seen.page.get_by_text("The Star").click()
            seen.page.get_by_role("button", name="Play").wait_for()
            assert seen.page.url.endswith(f"/music/lyrics/ui/#/song/{id}")
            assert all("/music/lyrics/" in url for url in seen.asked)


@slow
class TestAViewer:
    def test_is_shown_nothing_that_would_be_refused(
        self, tmp_path: Path, visit: Callable[..., Visit]
    ) -> None:
        with web_api.home(tmp_path, token=TOKEN, viewer_token="only to look") as made:
            furnish(made)
            made.catalog.pause()
            seen = visit(address(made))
            page, sent = seen.page, []
            page.get_by_label("Token").fill("only to look")
            page.keyboard.press("Enter")
            page.get_by_text("The Star").wait_for()
            page.on("request", lambda each: sent.append((each.method, each.url)))
            shown = set()

            def show(screen: str, text: str) -> None:
                # A new document: what the last one still waits for must not lead away.
                page.goto("about:blank")
                page.goto(f"http://{address(made)}/ui/{screen}")
                page.get_by_text(text).first.wait_for()

            for screen, text in SCREENS.items():
                if screen.startswith("#/edit"):
                    text = "Only to look and listen"
                show(screen, text)
                for key in ("j", " ", "a", "x", "o", "t", "?"):
                    page.keyboard.press(key)
                show(screen, text)
                for n in range(page.get_by_role("button").count()):
                    button = page.get_by_role("button").nth(n)
                    name = button.text_content() or ""
                    shown.add(name.strip())
                    if "Sign out" not in name and button.is_enabled():
                        button.click()
                        page.keyboard.press("Escape")
                        show(screen, text)
            assert {method for method, _ in sent} == {"GET"}
            assert {"Next", "Look again", "Sign out"} <= shown
            assert shown.isdisjoint({"Accept", "Try again", "Take back …", "Go on", "Edit timing"})
            assert [each for each in seen.complaints if "403" in each] == []


@slow
class TestHostileNames:
    def test_never_become_markup(self, home: Home, visit: Callable[..., Visit]) -> None:
        lyrics = Lyrics((Line((Word(HOSTILE, 1.0, 2.0, 0.9), Word("\u202eend", 2.0, 3.0, 0.1))),))
        names = {"title": HOSTILE, "artist": HOSTILE, "album": HOSTILE}
        id = placed(home, "a\udcff.mp3", State.REVIEW, lyrics, **names)
        placed(home, "b.mp3", State.FAILED, title=HOSTILE)
        made = "#app script, #app img:not([src='icon.svg'])"
        for screen in ("#/library", "#/queue", f"#/song/{id}", f"#/edit/{id}"):
            seen = visit(address(home), screen)
            seen.page.get_by_text(HOSTILE).first.wait_for()
            assert seen.page.locator(made).count() == 0
            assert seen.complaints == []


@slow
class TestTheLibrary:
    def test_finds_and_sorts_songs_and_remembers_it_in_the_address(
        self, furnished: Home, visit: Callable[..., Visit]
    ) -> None:
        page = visit(address(furnished)).page
        page.get_by_text("4 songs").wait_for()
        page.keyboard.press("/")
        page.keyboard.type("star")
        page.get_by_text("1 song", exact=True).wait_for()
        assert page.url.endswith("?q=star")
        page.get_by_label("Search").fill("")
        page.get_by_text("4 songs").wait_for()
        page.get_by_role("button", name="Failed").click()
        page.wait_for_url("**/#/library?state=failed")
        page.reload()
        page.get_by_text("Broken").wait_for()
        page.get_by_label("Search").fill("broken")
        page.wait_for_url("**/#/library?state=failed&q=broken")
        page.get_by_role("link", name="Library").click()
        page.get_by_text("4 songs").wait_for()
        assert page.get_by_label("Search").input_value() == ""
        page.go_back()
        page.get_by_text("1 song", exact=True).wait_for()
        assert page.get_by_label("Search").input_value() == "broken"
        page.get_by_label("Search").fill("")
        page.wait_for_url("**/#/library?state=failed")
        assert page.get_by_role("row").count() == 1

    def test_is_come_back_to_as_it_was_left(
        self, furnished: Home, visit: Callable[..., Visit]
    ) -> None:
        page = visit(address(furnished), "#/library").page
        page.get_by_role("link", name="Review").click()
        page.get_by_role("row").get_by_text("The Star").click()
        page.get_by_role("link", name="Edit timing").click()
        page.get_by_role("region", name="Words").wait_for()
        page.get_by_role("link", name="Back to the song").click()
        page.get_by_role("link", name="Back to the library").click()
        page.get_by_role("heading", name="Review").wait_for()
        page.get_by_text("1 song", exact=True).wait_for()

    def test_is_used_by_keyboard(self, furnished: Home, visit: Callable[..., Visit]) -> None:
        page = visit(address(furnished)).page
        page.get_by_text("4 songs").wait_for()
        page.get_by_role("grid").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url("**/#/song/*")
        page.get_by_role("region", name="Lyrics").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("grid").wait_for()

    def test_does_the_same_with_many_songs_and_tells_which_it_was_not_done_with(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
        for name in ("one", "two", "three"):
            placed(home, f"{name}.mp3", State.REVIEW, title=name)
        placed(home, "broken.mp3", State.FAILED, title="broken")
        page = visit(address(home), bypass_csp=True).page
        page.get_by_text("4 songs").wait_for()
        page.get_by_role("button", name="Choose several").click()
        grid = page.get_by_role("grid")
        grid.focus()
        page.keyboard.press(" ")
        page.keyboard.press("End")
        page.keyboard.press("Shift+Space")
        page.get_by_text("4 songs chosen").wait_for()
        page.get_by_role("row", name="three").click()
        page.get_by_text("3 songs chosen").wait_for()
        page.get_by_role("button", name="Lines only").last.click()
        page.get_by_role("dialog", name="Lines only: 3 songs?").wait_for()
        results = axe.run(page)
        assert results.violations_count == 0, results.generate_report()
        page.get_by_role("dialog").get_by_role("button", name="Lines only").click()
        page.get_by_text("Done with 2 of 3 songs. 1: The song has no placed words").wait_for()
        assert home.catalog.counts()[State.LINES] == 2
        assert home.catalog.counts()[State.REVIEW] == 1
        grid.focus()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Choose several").wait_for()
        page.get_by_role("row", name="three").click()
        page.wait_for_url("**/#/song/*")

    def test_follows_what_happens(self, home: Home, visit: Callable[..., Visit]) -> None:
        id = home.known("a.mp3", None)
        page = visit(address(home)).page
        page.get_by_role("row").get_by_text("Waiting").wait_for()
        assert home.catalog.claim("test", 60, only=[id]) is not None
        page.get_by_role("row").get_by_text("Working").wait_for()
        home.catalog.finish(id, "test", Outcome(State.NO_LYRICS, "none"))
        page.get_by_role("row").get_by_text("No lyrics").wait_for()
        page.get_by_role("button", name="No lyrics 1").wait_for()
        home.known("b.mp3", None)
        page.get_by_text("2 songs").wait_for()

    def test_holds_a_hundred_thousand_songs(
        self, tmp_path: Path, visit: Callable[..., Visit]
    ) -> None:
        with web_api.home(tmp_path) as made:
            fill(made, 100_000)
            page = visit(address(made)).page
            page.get_by_text("100,000 songs").wait_for()
            page.get_by_text("Song 00000", exact=True).wait_for()
            page.get_by_role("grid").focus()
            page.keyboard.press("End")
            page.get_by_text("Song 99999", exact=True).wait_for()
            assert page.evaluate("document.querySelectorAll('*').length") < NODES
            # Back from a song the list is where it was left.
            page.keyboard.press("Enter")
            page.get_by_role("heading", name="Song 99999").wait_for()
            page.keyboard.press("Escape")
            page.get_by_role("row", selected=True).get_by_text("Song 99999").wait_for()
            assert page.get_by_role("row", selected=True).is_visible()
            page.get_by_label("Search").fill("54321")
            page.get_by_text("1 song", exact=True).wait_for()


def fill(home: Home, songs: int) -> None:
    """Fill the catalog with songs that lie nowhere."""
    home.known("0.mp3", None)
    database = sqlite3.connect(home.folder / FILE_NAME)
    columns = [row[1] for row in database.execute("PRAGMA table_info(tracks)") if row[1] != "id"]
    chosen = ", ".join(
        {"path": "path || n", "title": "printf('Song %05d', n)"}.get(c, c) for c in columns
    )
    with database:
        database.execute(
            "WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted"
            f" WHERE n < {songs - 1}) INSERT INTO tracks ({', '.join(columns)})"
            f" SELECT {chosen} FROM tracks, counted"
        )
        database.execute("DELETE FROM tracks WHERE title IS NULL")
    database.close()


NOTES = """
window.lit = []; window.frames_ = 0; const seen = new Set();
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () { window.audio = this; return play.call(this); };
const ask = requestAnimationFrame;
window.requestAnimationFrame = f => { window.frames_ += 1; return ask(f); };
new MutationObserver(changes => changes.forEach(({ target }) => {
  if (!target.classList.contains('now') || seen.has(target)) return;
  if (!window.audio || window.audio.paused) return;
  seen.add(target);
  window.lit.push([Number(target.dataset.i), window.audio.currentTime]);
})).observe(document, { subtree: true, attributeFilter: ['class'] });
"""

LIT = """
window.asked = [];
navigator.wakeLock.request = kind => { window.asked.push(kind); return { release() {} }; };
const tell = navigator.mediaSession.setPositionState.bind(navigator.mediaSession);
navigator.mediaSession.setPositionState = state => { window.shown = state; tell(state); };
"""


@slow
class TestASong:
    def test_lights_its_words_when_they_are_sung(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = placed(home, "star.mp3", State.DONE, title="The Star")
        page = visit(address(home), f"#/song/{id}", script=NOTES).page
        words = list(truth().words)
        sung = [word for word in words if word.start is not None and word.start < 12]
        page.get_by_role("button", name="Play").click()
        page.locator(".w").nth(len(sung)).and_(page.locator(".sung")).wait_for()
        lit: list[tuple[int, float]] = page.evaluate("window.lit")
        assert [number for number, _ in lit][: len(sung)] == list(range(len(sung)))
        late = [at - (words[number].start or 0) for number, at in lit]
        # Of the song's own time: a busy computer drops frames, but is never early.
        assert abs(statistics.median(late)) < 0.1
        assert min(late) > -0.1
        line = page.locator("li.on[aria-current=true]")
        assert line.count() == 1
        box = line.bounding_box()
        assert box is not None
        assert 0 < box["y"] < DESKTOP[1] / 2

    def test_is_played_by_keyboard(self, home: Home, visit: Callable[..., Visit]) -> None:
        id = placed(home, "star.mp3", State.DONE, title="The Star")
        page = visit(address(home), f"#/song/{id}", script=NOTES).page
        page.get_by_role("button", name="Play", disabled=False).wait_for()
        page.keyboard.press(" ")
        page.get_by_role("button", name="Pause").wait_for()
        page.keyboard.press(" ")
        page.get_by_role("button", name="Play").wait_for()
        before = page.evaluate("window.audio.currentTime")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("window.audio.currentTime") == pytest.approx(before + 5, abs=0.2)
        page.keyboard.press("ArrowDown")
        page.get_by_role("button", name="Pause").wait_for()
        starts = [line.words[0].start or 0 for line in truth()]
        now = page.evaluate("window.audio.currentTime")
        assert any(-0.1 < now - start < 2 for start in starts)
        # On a line, too, Space pauses.
        page.locator("button.line").first.focus()
        page.keyboard.press(" ")
        page.get_by_role("button", name="Play").wait_for()

    def test_goes_where_a_word_is_clicked(self, home: Home, visit: Callable[..., Visit]) -> None:
        id = placed(home, "star.mp3", State.DONE, title="The Star")
        page = visit(address(home), f"#/song/{id}", script=NOTES).page
        page.get_by_role("button", name="Play", disabled=False).wait_for()
        page.locator(".w").nth(3).click()
        page.get_by_role("button", name="Pause").wait_for()
        start = truth().words[3].start
        assert start is not None
        assert start - 0.1 < page.evaluate("window.audio.currentTime") < start + 3

    def test_rests_while_it_is_not_played(self, home: Home, visit: Callable[..., Visit]) -> None:
        id = placed(home, "star.mp3", State.DONE, title="The Star")
        page = visit(address(home), f"#/song/{id}", script=NOTES).page
        page.get_by_role("button", name="Play", disabled=False).wait_for()
        page.wait_for_timeout(3000)
        before = page.evaluate("window.frames_")
        page.wait_for_timeout(1500)
        # A loop would ask for sixty a second.
        assert page.evaluate("window.frames_") < before + 10

    def test_stops_following_a_finger_until_it_is_asked_to(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = placed(home, "star.mp3", State.DONE, title="The Star")
        page = visit(address(home), f"#/song/{id}").page
        page.get_by_role("region", name="Lyrics").hover()
        page.mouse.wheel(0, 300)
        page.get_by_role("button", name="Back to where it is sung").click()
        page.get_by_role("button", name="Back to where it is sung").wait_for(state="detached")

    def test_is_moved_for_good_or_on_this_device_alone(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = placed(home, "star.mp3", State.DONE, title="The Star")
        page = visit(address(home), f"#/song/{id}", size=PHONE).page
        page.get_by_role("button", name="Play", disabled=False).wait_for()
        for _ in range(3):
            page.get_by_role("button", name="Words later").click()
        page.get_by_text("Words 150 ms later on this device").wait_for()
        page.get_by_role("button", name="Is the song itself off?").click()
        page.get_by_text("0 ms", exact=True).wait_for()
        page.get_by_text("on this device").wait_for(state="detached")
        draft = home.catalog.draft(id)
        assert draft is not None
        assert draft.offset == 0.15
        first = truth().words[0].start
        assert first is not None
        assert draft.lyrics.words[0].start == pytest.approx(first + 0.15, abs=0.001)

    def test_is_shown_on_the_lock_screen_and_keeps_the_screen_lit(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = placed(home, "star.mp3", State.DONE, title="The Star", artist="Jane Taylor")
        page = visit(address(home), f"#/song/{id}", script=LIT).page
        page.get_by_role("button", name="Play", disabled=False).click()
        page.get_by_role("button", name="Pause").wait_for()
        session = "navigator.mediaSession"
        assert page.evaluate(f"{session}.metadata.title") == "The Star"
        assert page.evaluate(f"{session}.metadata.artist") == "Jane Taylor"
        assert page.evaluate(f"{session}.playbackState") == "playing"
        assert page.evaluate("window.shown.duration") == pytest.approx(42.7, abs=0.3)
        assert page.evaluate("window.asked") == ["screen"]
        page.get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Play").wait_for()
        assert page.evaluate(f"{session}.playbackState") == "paused"

    def test_of_lines_lights_whole_lines(self, home: Home, visit: Callable[..., Visit]) -> None:
        lines = tuple(Line((Word("so"), Word("long")), start, start + 2) for start in (0.5, 3.0))
        id = placed(home, "a.mp3", State.LINES, Lyrics(lines), title="Lines")
        page = visit(address(home), f"#/song/{id}").page
        page.get_by_role("button", name="Play", disabled=False).click()
        page.locator("li.on.all").first.wait_for()
        assert page.locator(".w.now, .w.sung").count() == 0

    def test_without_times_is_shown_as_text(self, home: Home, visit: Callable[..., Visit]) -> None:
        lyrics = Lyrics((Line((Word("only"), Word("words"))),))
        id = placed(home, "a.mp3", State.REVIEW, lyrics, title="Text")
        page = visit(address(home), f"#/song/{id}").page
        page.get_by_text("only words").wait_for()
        assert page.locator("button.line").count() == 0

    def test_jumps_where_motion_is_not_wanted(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = placed(home, "star.mp3", State.DONE, title="The Star")
        page = visit(address(home), f"#/song/{id}", reduced_motion="reduce").page
        page.get_by_role("button", name="Play", disabled=False).click()
        page.locator(".w.now").first.wait_for()
        style = "getComputedStyle(document.querySelector('.w.now'))"
        assert page.evaluate(f"{style}.backgroundImage") == "none"
        assert page.evaluate(f"{style}.transitionDuration") == "0s"


@slow
class TestDecisions:
    @pytest.mark.parametrize(
        ("name", "state"),
        [("Accept", State.DONE), ("Lines only", State.LINES), ("Wrong words", State.IGNORED)],
    )
    def test_of_a_doubtful_song_are_carried_out(
        self, home: Home, visit: Callable[..., Visit], name: str, state: State
    ) -> None:
        id = placed(home, "star.mp3", State.REVIEW, title="The Star")
        page = visit(address(home), f"#/song/{id}").page
        page.get_by_role("button", name=name).click()
        page.get_by_role("heading", name="Review").wait_for()
        entry = home.catalog.get(id)
        assert entry is not None
        assert entry.state is state
        assert bool(list(home.music.glob("star*lrc"))) == (state is not State.IGNORED)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_are_taken_back_after_what_would_happen_was_shown(
        self, home: Home, visit: Callable[..., Visit], scheme: str
    ) -> None:
        axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
        id = placed(home, "star.mp3", State.REVIEW, title="The Star")
        home.post(f"/api/v1/tracks/{id}/decision", {"action": "accept"}).raise_for_status()
        written = list(home.music.glob("star*lrc"))
        assert written
        page = visit(address(home), f"#/song/{id}", scheme=scheme, bypass_csp=True).page
        page.get_by_role("button", name="Take back …").click()
        page.get_by_role("dialog").get_by_text(written[0].name).wait_for()
        results = axe.run(page)
        assert results.violations_count == 0, results.generate_report()
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
        assert all(file.exists() for file in written)
        page.get_by_role("button", name="Take back …").click()
        page.get_by_role("dialog").get_by_role("button", name="Take back").click()
        page.get_by_text("Left alone", exact=True).wait_for()
        assert not any(file.exists() for file in written)

    def test_lead_from_one_doubtful_song_to_the_next(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        for name in ("one", "two"):
            placed(home, f"{name}.mp3", State.REVIEW, title=name)
        page = visit(address(home)).page
        page.get_by_role("link", name="Review").click()
        page.get_by_text("2 songs").wait_for()
        page.get_by_role("link", name="one").click()
        page.get_by_role("button", name="Next").click()
        page.get_by_role("heading", name="two").wait_for()
        page.get_by_role("button", name="Wrong words").click()
        page.get_by_role("heading", name="one").wait_for()
        page.get_by_role("button", name="Accept").click()
        page.get_by_text("Nothing waits for you here").wait_for()
        assert home.catalog.counts()[State.REVIEW] == 0

    def test_lead_nowhere_once_a_person_has_gone_elsewhere(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        for name in ("one", "two"):
            placed(home, f"{name}.mp3", State.REVIEW, title=name)
        page, waiting = visit(address(home), "#/song/1").page, []
        page.route("**/tracks/order*", lambda route: waiting.append(route))
        with page.expect_request("**/tracks/order*"):
            page.get_by_role("button", name="Next").click()
        page.evaluate("location.hash = '#/queue'")
        page.get_by_role("link", name="Library").wait_for()
        (route,) = waiting
        with page.expect_response("**/tracks/order*"):
            route.continue_()
        page.wait_for_timeout(500)
        assert page.url.endswith("#/queue")


@slow
class TestTheQueue:
    def test_lists_songs_in_the_order_in_which_they_are_taken_up(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        for name in ("a", "b", "c"):
            home.known(f"{name}.mp3", None)
        entry = home.catalog.by_path(home.music / "c.mp3")
        assert entry is not None
        home.catalog.retry([entry.id])
        page = visit(address(home), "#/queue").page
        waiting = page.locator("section").filter(has=page.get_by_role("heading", name="Waiting"))
        waiting.get_by_role("link", name="a", exact=True).wait_for()
        assert waiting.locator(".of b").all_inner_texts() == ["c", "a", "b"]

    def test_tries_a_failed_song_again(self, furnished: Home, visit: Callable[..., Visit]) -> None:
        page = visit(address(furnished), "#/queue").page
        row = page.get_by_role("listitem").filter(has_text="Broken")
        row.get_by_role("button", name="Try again").click()
        page.get_by_role("heading", name="Failed").wait_for(state="detached")
        entry = furnished.catalog.get(3)
        assert entry is not None
        assert (entry.state, entry.priority) == (State.PENDING, Priority.PERSON)

    def test_takes_back_what_was_done_last(self, home: Home, visit: Callable[..., Visit]) -> None:
        id = placed(home, "star.mp3", State.REVIEW, title="The Star")
        home.post(f"/api/v1/tracks/{id}/decision", {"action": "accept"}).raise_for_status()
        written = list(home.music.glob("star*lrc"))
        assert written
        page = visit(address(home), "#/queue", size=PHONE).page
        page.get_by_role("button", name="Take back …").click()
        page.get_by_role("dialog").get_by_text(written[0].name).wait_for()
        page.get_by_role("dialog").get_by_role("button", name="Take back").click()
        page.get_by_role("dialog").wait_for(state="detached")
        assert not any(file.exists() for file in written)

    def test_is_paused_and_goes_on(self, furnished: Home, visit: Callable[..., Visit]) -> None:
        page = visit(address(furnished), "#/queue").page
        page.get_by_role("button", name="Pause").click()
        page.get_by_text("Paused: no new songs").wait_for()
        assert furnished.catalog.paused
        page.goto(f"http://{address(furnished)}/ui/#/library")
        page.get_by_role("button", name="Go on").click()
        page.get_by_text("Paused: no new songs").wait_for(state="detached")
        assert not furnished.catalog.paused


@contextmanager
def service(folder: Path) -> Iterator[tuple[service_home.Home, str]]:
    """The service as a process, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    made = service_home.Home(folder)
    made.configure(web={"listen": listen})
    made.start()
    try:
        yield made, listen
    finally:
        made.stop()


@slow
@pytest.mark.daemon
def test_a_song_that_the_service_placed_lights_up_in_a_browser(
    tmp_path: Path, visit: Callable[..., Visit]
) -> None:
    with service(tmp_path / "home") as (made, listen):
        made.drop("star.mp3", service_home.TEXT)
        made.until(lambda: sum(made.counts().values()) == 1, "the song")
        page = visit(listen, script=NOTES).page
        page.get_by_role("row").get_by_text("star").first.click()
        page.locator(".w").first.wait_for(timeout=180_000)
        page.get_by_role("button", name="Play", disabled=False).click()
        page.locator(".w").nth(8).and_(page.locator(".sung")).wait_for()
        start = next(word.start for word in truth().words)
        first = page.evaluate("window.lit")[0][1]
        assert start is not None
        assert first == pytest.approx(start, abs=0.3)
