"""Measure the page against its budgets: a real service with many songs, and a real Chromium.

    python -m benchmarks.page [--songs 100000] [--idle 60] [--folder DIR]

Needs Debian's ``chromium`` and the test dependencies. The songs are sparse files, but for one of
the demo that is played and edited; the service is paused, so that no song is placed beside what is
measured. Times are those of this computer: the load before is printed with them. Words that light
up late because frames are dropped are not judged.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import statistics
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.daemon import ServiceContext, fill, reported, usage
from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Outcome, State
from lyricsyncd.catalog.drafts import Draft
from lyricsyncd.model import Line, Lyrics, Track, Word

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
SLOW_LINE = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 1_600_000 / 8,
}
"""A phone on a poor network: 1.6 Mbit/s, 150 ms; and a quarter of this computer's speed."""
_SLOWED = 4
_PLAYED_S = 12.0
_SMOOTH_MS = 20.0
"""Milliseconds between frames above which it is the computer that is late, and not the page."""

NOTES = """
window.notes = { frames: [], drawn: [], keys: [], lit: [], rows: 0 };
const ask = requestAnimationFrame.bind(window);
window.requestAnimationFrame = act => ask(at => {
  const began = performance.now();
  act(at);
  notes.drawn.push(performance.now() - began);
});
let last = 0;
const frame = at => {
  if (window.counting) {
    if (last) notes.frames.push(at - last);
    last = at;
    ask(frame);
  }
};
window.count = on => {
  window.counting = on;
  last = 0;
  Object.assign(notes, { frames: [], drawn: [], keys: [], lit: [] });
  if (on) ask(frame);
};
addEventListener('keydown', event => ask(() => {
  const after = new MessageChannel();
  after.port1.onmessage = () => notes.keys.push(performance.now() - event.timeStamp);
  after.port2.postMessage(0);
}), true);
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () { window.audio = this; return play.call(this); };
const seen = new Set();
new MutationObserver(changes => {
  if (!notes.rows && document.querySelector('.row .what')) notes.rows = performance.now();
  for (const { type, target } of changes) {
    if (type !== 'attributes' || !target.classList.contains('now') || seen.has(target)) continue;
    seen.add(target);
    if (window.audio && !window.audio.paused) {
      notes.lit.push([Number(target.dataset.i), window.audio.currentTime]);
    }
  }
}).observe(document, { subtree: true, childList: true, attributeFilter: ['class'] });
"""
"""Notes what is asked for: frames, the time that drawing takes, keys until they are seen, words."""


def words() -> list[Word]:
    """The words of the demo song where they are sung."""
    with SONG.with_suffix(".words.csv").open(encoding="utf-8") as file:
        times = [(float(row["word_start"]), float(row["word_end"])) for row in csv.DictReader(file)]
    text = SONG.with_suffix(".txt").read_text(encoding="utf-8").split()
    return [Word(word, *time, 0.5) for word, time in zip(text, times, strict=True)]


def furnish(api: ServiceContext, songs: int) -> int:
    """Make a library; return the number of the song that can be played."""
    fill(api.music, songs)
    song = api.music / SONG.name
    shutil.copyfile(SONG, song)
    api.call("pause")
    api.call("scan")
    catalog = Catalog(api.folder / "state" / FILE_NAME)
    try:
        entry = catalog.by_path(song)
        assert entry is not None
        catalog.resume()
        assert catalog.claim("benchmark", 60, only=[entry.id]) is not None
        catalog.found(entry.id, "benchmark", Track(song, title="The Star", duration=42.7))
        sung = words()
        lines = [tuple(sung[at : at + 5]) for at in range(0, len(sung), 5)]
        lyrics = Lyrics(tuple(Line(line, line[0].start, line[-1].end) for line in lines))
        draft = Draft(lyrics, 0.62, "review", "38 % of the words are sure", "en", "mix")
        outcome = Outcome(State.REVIEW, draft.reason, quality=draft.score)
        catalog.finish(entry.id, "benchmark", outcome, None, draft)
        catalog.pause()
        return entry.id
    finally:
        catalog.close()


def part(figures: Sequence[float], share: float) -> float:
    """The figure that a share of all stay below."""
    return sorted(figures)[min(len(figures) - 1, round(share * (len(figures) - 1)))]


@contextmanager
def opened(browser: Browser, api: ServiceContext, screen: str = "") -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(NOTES)
    page.goto(f"{api.url}/ui/{screen}")
    try:
        yield page
    finally:
        context.close()


def answers(api: ServiceContext) -> None:
    """Measure how soon the service answers for the library."""

    def asked(**query: str) -> float:
        began = time.perf_counter()
        address = f"{api.url}/api/v1/tracks/order?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=60) as answer:
            answer.read()
        return 1000 * (time.perf_counter() - began)

    reported("service: first answer with all songs", asked(sort="artist"), "ms", 500)
    sorted_ = [asked(sort=sort) for sort in ("artist", "title", "-score", "-finished") * 5]
    reported("service: all songs in an order, p95", part(sorted_, 0.95), "ms", 500)
    found = [asked(q=f"length {number}") for number in range(0, 50_000, 2_500)]
    reported("service: search, p95 of 20", part(found, 0.95), "ms", 100)


def loading(browser: Browser, api: ServiceContext) -> None:
    """Measure what the first load brings, and how long it takes on a poor line."""
    with opened(browser, api) as page:
        page.locator(".row .what").first.wait_for()
        sizes = page.evaluate(
            "performance.getEntriesByType('resource').map(e => [e.name, e.encodedBodySize])"
        )
        code = [size for name, size in sizes if "/ui/" in name]
        whole = page.evaluate("performance.getEntriesByType('navigation')[0].encodedBodySize")
        reported("first load: code, gzipped", (sum(code) + whole) / 1000, "kB", 60)
        reported("first load: requests for code", len(code) + 1, "", 20)
        reported("first load: rows shown", page.evaluate("notes.rows"), "ms", 1000)
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.add_init_script(NOTES)
    session = context.new_cdp_session(page)
    session.send("Network.emulateNetworkConditions", SLOW_LINE)
    session.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWED})
    page.goto(f"{api.url}/ui/")
    page.locator(".row .what").first.wait_for()
    reported("  on a poor line and a slow phone", page.evaluate("notes.rows"), "ms", 2500)
    context.close()


def library(browser: Browser, api: ServiceContext) -> None:
    """Measure what many songs cost the browser."""
    with opened(browser, api) as page:
        page.locator(".row .what").first.wait_for()
        page.evaluate("count(true)")
        page.evaluate(
            "new Promise(done => { const box = document.querySelector('.rows'); let left = 90;"
            " const step = () => { box.scrollTop += 2000; left -= 1;"
            " if (left) setTimeout(step, 16); else done(); }; step(); })"
        )
        frames = page.evaluate("notes.frames")
        reported("library: frames while scrolling, p95", part(frames, 0.95), "ms", 34)
        page.get_by_role("grid").focus()
        page.keyboard.press("End")
        page.wait_for_timeout(1500)
        nodes = page.evaluate("document.querySelectorAll('*').length")
        reported("library: nodes of the page at its end", nodes, "", 500)
        began = time.perf_counter()
        page.get_by_label("Search").fill("Star")
        page.get_by_text("1 song", exact=True).wait_for()
        took = 1000 * (time.perf_counter() - began)
        reported("library: from typing to what is found", took, "ms", 500)


def singing(browser: Browser, api: ServiceContext, song: int) -> None:
    """Measure how late words light up; by the page's own clock, as it is seen a frame later."""
    starts = [word.start or 0.0 for word in words()]
    with opened(browser, api, f"#/song/{song}") as page:
        page.get_by_role("button", name="Play", exact=True, disabled=False).wait_for()
        page.get_by_label("Position in the song").fill("5")
        page.evaluate("count(true)")
        page.get_by_role("button", name="Play", exact=True).click()
        page.wait_for_timeout(1000 * _PLAYED_S)
        notes = page.evaluate("notes")
    late = [1000 * abs(at - starts[number]) for number, at in notes["lit"]]
    frames = part(notes["frames"], 0.95)
    print(f"song: {len(late)} words lit, frames p95 {frames:.1f} ms")
    reported("song: distance to when a word is sung, p50", statistics.median(late), "ms", 20)
    if frames <= _SMOOTH_MS:
        reported("song: the same, p95", part(late, 0.95), "ms", 20)
    else:
        print(f"song: the same, p95 {part(late, 0.95):.1f} ms: not judged, frames were dropped")
    reported("song: work for a frame, p95", part(notes["drawn"], 0.95), "ms", 4)


def editing(browser: Browser, api: ServiceContext, song: int) -> None:
    """Measure what drawing the waveform and answering a key cost."""
    with opened(browser, api, f"#/edit/{song}") as page:
        page.get_by_role("button", name="Play", exact=True, disabled=False).wait_for()
        page.locator("[data-i='3']").click()
        page.wait_for_timeout(1000)
        page.evaluate("count(true)")
        page.keyboard.press("Enter")
        page.wait_for_timeout(6000)
        reported("editor: canvas frame, p95", part(page.evaluate("notes.drawn"), 0.95), "ms", 4)
        page.keyboard.press(" ")
        page.evaluate("count(true)")
        for key in ("ArrowRight", "Shift+ArrowRight", ".", "n", "p", "Control+z", "+", "-") * 5:
            page.keyboard.press(key)
            page.wait_for_timeout(60)
        keys = page.evaluate("notes.keys")
        reported(f"editor: {len(keys)} keys until they are seen, p50", part(keys, 0.5), "ms", 50)
        reported("editor: the same, p95", part(keys, 0.95), "ms", 100)
        page.keyboard.press("Control+z")


def idling(browser: Browser, api: ServiceContext, pid: int, song: int, seconds: float) -> None:
    """Measure what a page costs that is open in the background."""
    for name, screen in (("library", ""), ("song", f"#/song/{song}"), ("editor", f"#/edit/{song}")):
        with opened(browser, api, screen) as page:
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable")

            def busy(session: Any = session) -> float:
                found = session.send("Performance.getMetrics")["metrics"]
                return float(
                    next(each["value"] for each in found if each["name"] == "TaskDuration")
                )

            page.wait_for_timeout(5000)
            page.evaluate("count(false)")
            before, used = busy(), processor(pid)
            page.wait_for_timeout(1000 * seconds)
            of_page, of_service = busy() - before, processor(pid) - used
            reported(f"idle {name}: the page's thread", 100 * of_page / seconds, "%", 1)
            reported(f"idle {name}: the service", 100 * of_service / seconds, "%", 1)
            frames = len(page.evaluate("notes.drawn"))
            reported(f"idle {name}: frames asked for", frames, "", 2)


def processor(pid: int) -> float:
    """Seconds of the processor so far, those of threads that have ended included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=100_000)
    parser.add_argument("--idle", type=float, default=60.0)
    parser.add_argument("--folder", type=Path, help="where the songs are made; a local disk")
    options = parser.parse_args()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, sync_playwright() as playwright:
        api = ServiceContext(Path(folder))
        song = furnish(api, options.songs)
        # Root has no sandbox; songs start without a click.
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        with api.service() as pid:
            answers(api)
            loading(browser, api)
            library(browser, api)
            singing(browser, api, song)
            editing(browser, api, song)
            idling(browser, api, pid, song, options.idle)
            reported("service with the page open: memory", usage(pid)[0], "MB", 120)
        browser.close()


if __name__ == "__main__":
    main()
