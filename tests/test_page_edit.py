"""The editor of the page in a real browser: times are corrected by hand, by key and by pointer."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from demo import make_page_pictures
from lyricsyncd.catalog.catalog import Outcome, State
from lyricsyncd.catalog.drafts import Considered, Draft
from lyricsyncd.library.decisions import Decisions
from lyricsyncd.model import Lyrics, ParallelKind, ParallelText, Track, Word
from lyricsyncd.playback.cache import peaks_cache
from lyricsyncd.playback.peaks import of_song
from tests import web_api
from tests.browser import DESKTOP, PHONE, Visit
from tests.test_page import HOSTILE, NOTES, address, placed, service, truth
from tests.web_api import Home

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.usefixtures("own_folders")]
FIRST = 5.291
"""Where the first word of the song starts."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with web_api.home(tmp_path) as made:
        yield made


def misplaced(lines: dict[int, float]) -> Lyrics:
    """The words of the song, some lines of which lie elsewhere and are doubtful."""
    made = truth()

    def moved(word: Word, by: float) -> Word:
        assert word.start is not None
        assert word.end is not None
        return dataclasses.replace(word, start=word.start + by, end=word.end + by, confidence=0.2)

    return made.with_lines(
        dataclasses.replace(line, words=tuple(moved(word, lines[k]) for word in line.words))
        if k in lines
        else line
        for k, line in enumerate(made)
    )


def song(home: Home, state: State = State.REVIEW, lyrics: Lyrics | None = None) -> int:
    """A song with kept words and peaks."""
    id = placed(home, "star.mp3", state, lyrics, title="The Star", artist="Jane Taylor")
    entry = home.catalog.get(id)
    assert entry is not None
    for of in ("vocals", "mix"):
        peaks_cache().put(f"{entry.fingerprint.key}.{of}", of_song(entry.path))
    return id


def decisions(home: Home) -> Decisions:
    return Decisions(home.catalog, home.config.output)


def kept(home: Home, id: int) -> list[Word]:
    draft = home.catalog.draft(id)
    assert draft is not None
    return list(draft.lyrics.words)


def starts(home: Home, id: int) -> list[float]:
    return [word.start for word in kept(home, id) if word.start is not None]


def editor(home: Home, visit: Callable[..., Visit], id: int, **settings: Any) -> Page:
    page: Page = visit(address(home), f"#/edit/{id}", **settings).page
    page.get_by_role("region", name="Words").wait_for()
    page.get_by_role("button", name="Play", exact=True, disabled=False).wait_for()
    return page


def word(page: Page, number: int) -> Locator:
    return page.locator(f"[data-i='{number}']")


def save(page: Page) -> None:
    page.keyboard.press("Control+s")
    page.get_by_role("status").get_by_text("Saved").wait_for(state="attached")


def times_of(lyrics: Lyrics) -> list[float]:
    return [word.start for word in lyrics.words if word.start is not None]


class TestMoving:
    def test_by_key_is_stored_as_set_by_hand(self, home: Home, visit: Callable[..., Visit]) -> None:
        id = song(home)
        page = editor(home, visit, id)
        word(page, 2).click()
        for key in (".", ".", ".", "Shift+ArrowRight", ","):
            page.keyboard.press(key)
        page.get_by_text("Set by you").wait_for()
        save(page)
        before, after = truth().words, kept(home, id)
        assert after[2].start == pytest.approx((before[2].start or 0) + 0.07, abs=0.0015)
        assert after[2].confidence == 1.0
        assert [each.start for each in after[3:]] == [each.start for each in before[3:]]
        draft = home.catalog.draft(id)
        assert draft is not None
        assert (draft.by_hand, draft.revision) == (True, 2)
        # Nothing was written: the song is still to be decided about.
        assert not list(home.music.glob("star*lrc"))

    def test_by_pointer_is_one_step_that_is_taken_back(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = song(home)
        page = editor(home, visit, id)
        box = page.locator(".detail canvas").bounding_box()
        assert box is not None
        # The first word is in the first lane; the first eight seconds are shown.
        at = box["x"] + box["width"] * FIRST / 8 + 12, box["y"] + 30
        page.mouse.move(*at)
        page.mouse.down()
        for step in range(1, 6):
            page.mouse.move(at[0] - 8 * step, at[1])
        page.mouse.up()
        page.get_by_text("Set by you").wait_for()
        field = page.get_by_label("Starts at")
        moved = float(field.input_value().partition(":")[2])
        first = truth().words[0].start
        assert first is not None
        assert moved == pytest.approx(first - 40 / box["width"] * 8, abs=0.02)
        page.keyboard.press("Control+z")
        page.get_by_text("Undone: dragging a word").wait_for(state="attached")
        assert float(field.input_value().partition(":")[2]) == pytest.approx(first, abs=0.001)
        assert page.get_by_role("button", name="Save", exact=True).is_disabled()
        page.keyboard.press("Control+Shift+z")
        assert float(field.input_value().partition(":")[2]) == pytest.approx(moved, abs=0.001)

    def test_by_number(self, home: Home, visit: Callable[..., Visit]) -> None:
        id = song(home)
        page = editor(home, visit, id)
        word(page, 1).click()
        page.get_by_label("Starts at").fill("6,25")
        page.keyboard.press("Enter")
        page.get_by_label("Ends at").fill("0:06.9")
        page.keyboard.press("Enter")
        page.get_by_label("Ends at").fill("nonsense")
        page.keyboard.press("Enter")
        save(page)
        assert (kept(home, id)[1].start, kept(home, id)[1].end) == (6.25, 6.9)

    def test_takes_a_line_along_or_the_song_as_far_as_the_pins(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        lyrics = misplaced({1: 0.4})
        id = song(home, lyrics=lyrics)
        page = editor(home, visit, id)
        line = lyrics.lines[0].words
        first = len(line)
        word(page, first).click()
        page.keyboard.press("2")
        wanted = truth().words[first].start
        page.get_by_label("Starts at").fill(str(wanted))
        page.keyboard.press("Enter")
        save(page)
        assert starts(home, id) == pytest.approx(times_of(truth()), abs=0.002)
        # One pin shifts all, a second one stretches what is between.
        word(page, 0).click()
        page.keyboard.press("p")
        word(page, first).click()
        page.keyboard.press("p")
        page.keyboard.press("3")
        last = len(truth().words) - 1
        word(page, last).click()
        page.keyboard.press("Shift+ArrowRight")
        word(page, 0).click()
        page.get_by_label("Starts at").fill(str(FIRST - 1))
        page.keyboard.press("Enter")
        save(page)
        after, before = starts(home, id), times_of(truth())
        assert after[0] == pytest.approx(FIRST - 1, abs=0.001)
        assert after[last] == pytest.approx(before[last] + 0.05, abs=0.001)
        for was, now in zip(before, after, strict=True):
            share = (was - before[0]) / (before[last] - before[0])
            assert now == pytest.approx(after[0] + share * (after[last] - after[0]), abs=0.06)

    def test_keeps_words_in_order_whatever_is_done(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        page = visit(address(home)).page
        broken = page.evaluate(RANDOM_STEPS)
        assert broken == []


RANDOM_STEPS = """async () => {
  const main = document.querySelector('script[src]').src;
  const book = await import(main.replace('main.js', 'book.js'));
  let seed = 7;
  const random = n => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed % n; };
  const broken = [];
  for (let song = 0; song < 60; song++) {
    let time = 1;
    const lines = Array.from({ length: 1 + random(4) }, () => ({ voice: random(4) ? null : 'bg',
      words: Array.from({ length: random(6) }, (_, i) => {
        time += random(80) / 100;
        const end = time + 0.2 + random(3) / 10;
        const parts = [['w', time, time + 0.1], [`${i}`, time + 0.1, null]];
        return random(8) ? [`w${i}`, time, end, random(100) / 100, true, parts]
          : [`w${i}`, null, null, null, true];
      }) }));
    let sheet = book.sheetOf(lines, new Set());
    if (!sheet.words.length) continue;
    for (let step = 0; step < 60; step++) {
      const i = random(sheet.words.length), was = sheet.words, to = random(1000) / 100;
      const scope = ['word', 'line', 'song'][random(3)];
      const act = random(6);
      if (act < 3) sheet = book.moved(sheet, i, to, scope);
      else if (act === 3) sheet = book.ended(sheet, i, to);
      else if (act === 4) sheet = book.shifted(sheet, to - 5);
      else sheet = book.repinned(sheet, (_, j) => j === i, Boolean(random(2)));
      const last = {};
      sheet.words.forEach((word, j) => {
        if (word.start == null) return;
        const before = last[word.voice], near = 1e-6;
        const wrong = word.start < 0 || word.end < word.start + 0.03 - near
          || (before && (word.start < before.start + 0.03 - near || before.end > word.start + near))
          || (act < 3 && was[j].pin && j !== i && word.start !== was[j].start)
          || (word.parts && (word.parts[0][1] !== word.start || word.parts[1][1] < word.start
            || word.parts[1][1] > word.end));
        if (wrong) broken.push([song, step, act, scope, i, j]);
        last[word.voice] = word;
      });
    }
  }
  return broken.slice(0, 5);
}"""


class TestUnsavedChanges:
    def test_survive_a_reload_and_are_gone_once_saved(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = song(home)
        page = editor(home, visit, id)
        word(page, 3).click()
        page.keyboard.press("Shift+ArrowLeft")
        page.get_by_text("Set by you").wait_for()
        page.reload()
        page.get_by_text("One change was not saved").wait_for()
        page.get_by_role("button", name="Go on with them").click()
        word(page, 3).click()
        page.get_by_text("Set by you").wait_for()
        save(page)
        page.reload()
        page.get_by_role("region", name="Words").wait_for()
        assert page.get_by_text("not saved").count() == 0
        # Pinned in this session, and still so in the next.
        assert "set by you" in (word(page, 3).get_attribute("aria-label") or "")

    def test_are_not_lost_to_a_change_made_elsewhere(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = song(home)
        page = editor(home, visit, id)
        word(page, 1).click()
        page.keyboard.press(".")
        lines = [{"words": [[each.text, each.start, each.end] for each in truth().lines[0].words]}]
        body = {"revision": 1, "lyrics": {"lines": lines}}
        home.client.put(f"/api/v1/tracks/{id}/draft", json=body).raise_for_status()
        page.get_by_text("changed meanwhile, elsewhere").wait_for()
        page.get_by_role("button", name="Save").click()
        page.get_by_text("have been changed meanwhile. Load them again").wait_for()
        page.get_by_role("button", name="Load them").click()
        n = len(truth().lines[0].words)
        page.locator(".word").nth(n).wait_for(state="detached")
        assert page.locator(".word").count() == n


class TestWordsThatAPersonSet:
    def test_are_not_those_that_are_merely_sure(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = song(home, lyrics=truth(confidence=1.0))
        decisions(home).shift(id, 0.25)
        page = editor(home, visit, id)
        word(page, 2).click()
        page.get_by_text("100 % sure").wait_for()
        assert page.locator(".word.pin").count() == 0
        page.keyboard.press("p")
        page.get_by_text("Set by you").wait_for()
        save(page)
        decisions(home).shift(id, -0.25)
        page.reload()
        page.get_by_role("region", name="Words").wait_for()
        assert page.locator(".word.pin").count() == 1
        # A pin that is taken back leaves what the service thought.
        word(page, 2).click()
        page.keyboard.press("p")
        page.get_by_text("100 % sure").wait_for()
        save(page)
        draft = home.catalog.draft(id)
        assert draft is not None
        assert draft.pinned == ()


class TestTappingAlong:
    def test_sets_each_word_where_it_was_tapped(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = song(home, lyrics=misplaced({0: 0.5}))
        page = editor(home, visit, id, script=NOTES)
        word(page, 0).click()
        page.keyboard.press("t")
        page.get_by_role("dialog", name="Tap along").wait_for()
        taps = []
        page.wait_for_timeout(1500)
        for _ in range(3):
            taps.append(page.evaluate("window.audio.currentTime"))
            page.keyboard.down(" ")
            page.wait_for_timeout(500)
            page.keyboard.up(" ")
            page.wait_for_timeout(200)
        page.keyboard.press("Backspace")
        page.get_by_text("2 set").wait_for()
        page.get_by_role("button", name="Done").click()
        save(page)
        after = kept(home, id)
        for tapped, each in zip(taps[:2], after, strict=False):
            assert each.start == pytest.approx(tapped, abs=0.25)
            assert each.confidence == 1.0
        # The rest of the line came along.
        before = misplaced({0: 0.5}).words
        by = (after[1].start or 0) - (before[1].start or 0)
        assert after[3].start == pytest.approx((before[3].start or 0) + by, abs=0.01)

    def test_gives_the_keyboard_back_to_the_word(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        page = editor(home, visit, song(home))
        word(page, 3).click()
        page.locator(".menu summary").click()
        page.keyboard.press("Shift+Tab")
        assert page.locator(".menu[open]").count() == 0
        page.keyboard.press("t")
        page.get_by_role("dialog", name="Tap along").wait_for()
        page.keyboard.press("Escape")
        # The line of the chosen word is tapped from its begin.
        assert page.evaluate("document.activeElement.dataset.i") == "3"

    def test_works_with_a_finger(self, home: Home, visit: Callable[..., Visit]) -> None:
        id = song(home)
        page = editor(home, visit, id, size=PHONE, has_touch=True)
        page.get_by_role("button", name="Tap along").tap()
        page.wait_for_timeout(2500)
        page.locator(".pad").tap()
        page.get_by_text("1 set").wait_for()
        page.get_by_role("button", name="Done").tap()
        page.get_by_role("dialog", name="Tap along").wait_for(state="detached")
        assert "set by you" in (word(page, 0).get_attribute("aria-label") or "")


CLICKS = """
window.beats = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at) {
  window.beats.push(at);
  window.clicks = this.context;
  return start.call(this, at);
};
window.tapLate = late => {
  const left = window.beats.slice(2);
  const look = () => {
    const { contextTime, performanceTime } = window.clicks.getOutputTimestamp();
    const now = contextTime + (performance.now() - performanceTime) / 1000;
    if (now >= left[0] + late) {
      left.shift();
      const key = new KeyboardEvent('keydown', { key: ' ', bubbles: true, cancelable: true });
      document.querySelector('.pad').dispatchEvent(key);
    }
    if (left.length) setTimeout(look, 4);
  };
  look();
};
"""
"""Taps along with the clicks as a person would, always as late."""


class TestHowLateAPersonTaps:
    def test_is_measured_once_on_a_device_and_taken_off_each_tap(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = song(home)
        page = editor(home, visit, id, script=CLICKS)
        page.keyboard.press("t")
        page.get_by_role("button", name="Measure it once").click()
        page.get_by_text("Tap with the clicks").wait_for()
        page.evaluate("tapLate(0.12)")
        measured = page.get_by_text("Taps on this device count")
        measured.wait_for()
        assert page.evaluate("+localStorage['lyricsyncd.tap-late']") == pytest.approx(
            0.12, abs=0.05
        )
        # The song goes on where it was, and nothing was set by the clicks.
        page.get_by_text("0 set").wait_for()
        page.reload()
        page.get_by_role("button", name="Play", exact=True, disabled=False).wait_for()
        page.keyboard.press("t")
        measured.wait_for()

    def test_is_not_believed_of_few_taps(self, home: Home, visit: Callable[..., Visit]) -> None:
        page = editor(home, visit, song(home))
        page.keyboard.press("t")
        page.get_by_role("button", name="Measure it once").focus()
        # Space is for the button there, and no tap.
        page.keyboard.press(" ")
        page.keyboard.press(" ")
        page.get_by_text("Too few taps").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Measure it once").wait_for()
        page.get_by_text("0 set").wait_for()


class TestPlacingAgain:
    def test_from_a_word_on_keeps_all_before_it(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = song(home, lyrics=misplaced({4: 1.2, 5: 1.2}))
        page = editor(home, visit, id)
        first = sum(len(line.words) for line in truth().lines[:4])
        word(page, first).click()
        page.locator(".menu summary").click()
        page.get_by_role("button", name="Place again from").click()
        page.get_by_text("Waiting", exact=True).wait_for()
        assert home.catalog.choices(id).pins == tuple(enumerate(times_of(truth())[:first]))

    def test_of_the_rest_is_a_key_and_waits_for_nothing_before_the_first_word(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = song(home)
        page = editor(home, visit, id)
        word(page, 0).click()
        page.keyboard.press("r")
        page.locator(".menu summary").click()
        assert page.get_by_role("button", name="Place again from").is_disabled()
        page.keyboard.press("Escape")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("r")
        page.get_by_text("Waiting", exact=True).wait_for()
        assert [number for number, _ in home.catalog.choices(id).pins] == [0]

    def test_sends_the_pins_and_shows_what_comes_of_it(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = song(home, lyrics=misplaced({0: 0.8}))
        page = editor(home, visit, id)
        word(page, 0).click()
        page.get_by_label("Starts at").fill(str(FIRST))
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Place again with one pin").click()
        page.get_by_text("Waiting", exact=True).wait_for()
        choices = home.catalog.choices(id)
        assert choices.pins == ((0, FIRST),)
        assert choices.only_draft
        # What the service does then.
        assert home.catalog.claim("test", 60, only=[id]) is not None
        home.catalog.found(id, "test", Track(duration=42.7, title="The Star"))
        draft = Draft(truth(), 0.97, "words", "All is sure", "en", "mix", pinned=(0,))
        home.catalog.finish(
            id, "test", Outcome(State.REVIEW, "All is sure", quality=0.97), None, draft
        )
        page.get_by_text("All is sure").wait_for()
        page.get_by_role("button", name="Place again with one pin", disabled=False).wait_for()
        assert "set by you" in (word(page, 0).get_attribute("aria-label") or "")

    def test_of_other_words_shows_how_they_differ(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = song(home)
        other = "Twinkle, twinkle, small planet\nHow I wonder what you are"
        draft = home.catalog.draft(id)
        assert draft is not None
        considered = (
            Considered(draft.lyrics, 0.62),
            Considered(Lyrics.from_text(other, source="lrclib"), 0.4),
        )
        home.catalog.edit(id, dataclasses.replace(draft, considered=considered), 1)
        page = editor(home, visit, id)
        page.get_by_role("button", name="Other words …").click()
        dialog = page.get_by_role("dialog", name="Other words")
        dialog.get_by_label("lrclib").check()
        assert dialog.locator("mark").all_inner_texts() == ["small", "planet"]
        dialog.get_by_role("button", name="Listen").click()
        dialog.get_by_role("button", name="Stop").click()
        dialog.get_by_role("button", name="Listen").wait_for()
        dialog.get_by_role("button", name="Place these words").click()
        dialog.wait_for(state="detached")
        lyrics = home.catalog.choices(id).lyrics
        assert lyrics is not None
        assert lyrics.text == other
        entry = home.catalog.get(id)
        assert entry is not None
        assert entry.state is State.PENDING

    def test_of_pasted_words_keeps_the_times_of_those_that_stay(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = song(home)
        page = editor(home, visit, id)
        page.get_by_role("button", name="Other words …").click()
        dialog = page.get_by_role("dialog", name="Other words")
        dialog.get_by_label("Write or paste").check()
        text = dialog.get_by_label("The words")
        text.fill(text.input_value().replace("little star,", "tiny little star,"))
        dialog.get_by_role("button", name="keep the times").click()
        page.get_by_text("1 of 45 words are doubtful").wait_for()
        save(page)
        before, after = truth().words, kept(home, id)
        assert [each.text for each in after[:5]] == [
            "Twinkle,", "twinkle,", "tiny", "little", "star,",
        ]  # fmt: skip
        assert after[3].start == pytest.approx(before[2].start, abs=0.03)
        assert [each.start for each in after[4:]] == [each.start for each in before[3:]]

    def test_is_offered_for_a_song_without_words(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = placed(home, "none.mp3", State.NO_LYRICS, title="None")
        page = visit(address(home), f"#/song/{id}").page
        page.get_by_role("button", name="Other words …").click()
        page.get_by_label("The words").fill("la la\nla")
        page.get_by_role("button", name="Place these words").click()
        page.get_by_text("Waiting", exact=True).wait_for()
        lyrics = home.catalog.choices(id).lyrics
        assert lyrics is not None
        assert lyrics.text == "la la\nla"


MIDDLE = """
import numpy as np

class Middle:
    name = "middle"
    sample_rates = (44_100,)

    def separate(self, blocks, sample_rate):
        for block in blocks:
            yield np.repeat(block.mean(axis=1, keepdims=True), 2, axis=1)

def opened(context):
    return Middle()
"""


def with_separator(home: Home, name: str) -> None:
    models = home.config.models.model_copy(update={"separator": name})
    home.config = home.config.model_copy(update={"models": models})


class TestSingingAlong:
    def test_parts_the_voice_from_the_rest_once_it_is_wanted_quieter(
        self, home: Home, visit: Callable[..., Visit], plugin: Callable[..., None], tmp_path: Path
    ) -> None:
        plugin("lyricsyncd.separators", middle="middle_separator:opened")
        (tmp_path / "site" / "middle_separator.py").write_text(MIDDLE, encoding="utf-8")
        with_separator(home, "middle")
        id = song(home)
        page = visit(address(home), f"#/song/{id}", script=NOTES).page
        page.get_by_role("button", name="Play", exact=True, disabled=False).click()
        page.get_by_role("button", name="Pause").wait_for()
        before = page.evaluate("window.audio.currentTime")
        page.get_by_label("Voice").fill("0")
        page.locator("p", has_text="The voice is separated").wait_for(state="detached")
        page.get_by_role("button", name="Pause").wait_for()
        source = page.evaluate("window.audio.src")
        assert source.endswith("as=stems")
        page.wait_for_timeout(1500)
        assert page.evaluate("window.audio.currentTime") > before + 1
        page.get_by_label("Voice").fill("100")
        assert page.evaluate("window.audio.src") == source

    def test_says_what_is_missing_where_no_separator_is_installed(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        with_separator(home, "mix")
        id = song(home)
        page = visit(address(home), f"#/song/{id}").page
        page.get_by_role("button", name="Play", exact=True, disabled=False).wait_for()
        page.get_by_label("Voice").fill("20")
        page.get_by_text("no separator is installed. Install one: lyricsyncd models").wait_for()
        assert page.get_by_label("Voice").input_value() == "100"


class TestDecisions:
    def test_to_accept_saves_first_and_leads_on(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        other = placed(home, "two.mp3", State.REVIEW, title="two")
        id = song(home)
        page = editor(home, visit, id)
        word(page, 0).click()
        page.keyboard.press("Shift+ArrowRight")
        page.get_by_role("button", name="Accept").click()
        page.wait_for_url(f"**/#/edit/{other}")
        entry = home.catalog.get(id)
        assert entry is not None
        assert entry.state is State.DONE
        assert starts(home, id)[0] == pytest.approx((truth().words[0].start or 0) + 0.05, abs=0.001)
        assert list(home.music.glob("star*lrc"))

    def test_a_written_song_is_written_anew_when_it_is_saved(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = song(home)
        home.post(f"/api/v1/tracks/{id}/decision", {"action": "accept"}).raise_for_status()
        file = home.music / "star.elrc"
        before = file.read_text(encoding="utf-8")
        page = editor(home, visit, id)
        word(page, 0).click()
        page.keyboard.press("Shift+ArrowLeft")
        save(page)
        assert file.read_text(encoding="utf-8") != before
        page.locator(".menu summary").click()
        page.get_by_role("button", name="History …").click()
        page.get_by_role("dialog").get_by_text("by hand").first.wait_for()

    def test_leave_letters_to_fields_and_to_those_who_switched_them_off(
        self, home: Home, visit: Callable[..., Visit]
    ) -> None:
        id = song(home)
        page = editor(home, visit, id)
        page.get_by_label("Starts at").focus()
        page.keyboard.type("a")
        page.keyboard.press("Escape")
        page.keyboard.press("Tab")
        page.locator(".list").focus()
        page.keyboard.press("?")
        page.get_by_label("single letters").uncheck()
        page.get_by_role("button", name="Close").click()
        page.keyboard.press("a")
        page.keyboard.press(".")
        page.wait_for_timeout(300)
        entry = home.catalog.get(id)
        assert entry is not None
        assert entry.state is State.REVIEW
        assert page.get_by_role("button", name="Save", exact=True).is_disabled()


def test_ten_corrections_of_three_misplaced_lines_take_a_keyboard_and_no_more(
    home: Home, visit: Callable[..., Visit], record_property: Callable[[str, object], None]
) -> None:
    """A person hears each word before it is moved, and each line after it was."""
    moved = {1: 0.4, 4: -0.35, 6: 0.3}
    id = song(home, lyrics=misplaced(moved))
    page = editor(home, visit, id)
    lines, corrections = truth().lines, 0
    begun = time.perf_counter()
    page.keyboard.press("2")
    for k, by in moved.items():
        page.keyboard.press("n")
        page.keyboard.press("Enter")
        page.wait_for_timeout(1200)
        steps = round(abs(by) / 0.05)
        for _ in range(steps):
            page.keyboard.press("Shift+ArrowLeft" if by > 0 else "Shift+ArrowRight")
        corrections += 1
        page.keyboard.press("Enter")
        page.wait_for_timeout(1500)
        page.keyboard.press("1")
        for _ in range(2):
            page.keyboard.press("ArrowRight")
            page.keyboard.press(".")
            page.keyboard.press(",")
            page.keyboard.press("Enter")
            page.wait_for_timeout(800)
            corrections += 1
        page.keyboard.press("2")
        page.keyboard.press("y")
        assert lines[k].words
    page.keyboard.press("ArrowUp")
    page.keyboard.press(".")
    page.keyboard.press(",")
    corrections += 1
    page.keyboard.press(" ")
    save(page)
    taken = time.perf_counter() - begun
    record_property("seconds", round(taken, 1))
    print(f"{corrections} corrections in {taken:.1f} s")  # noqa: T201
    assert corrections == 10
    assert starts(home, id) == pytest.approx(times_of(truth()), abs=0.02)


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop", "phone"]
)
def test_everything_in_the_editor_is_accessible_by_what_axe_checks(
    home: Home, visit: Callable[..., Visit], scheme: str, size: tuple[int, int]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    lyrics = misplaced({1: 0.1, 4: 0.1})
    line = lyrics.lines[0]
    beside = (ParallelText("Funkle, kleiner Stern", ParallelKind.TRANSLATION, "de"),)
    lyrics = lyrics.with_lines(
        dataclasses.replace(each, parallel=beside) if each is line else each for each in lyrics
    )
    id = song(home, lyrics=lyrics)
    page = editor(home, visit, id, scheme=scheme, size=size, bypass_csp=True)
    found = {}

    def look(name: str) -> None:
        results = axe.run(page)
        if results.violations_count:
            found[name] = results.generate_report()

    page.keyboard.press("Shift+ArrowRight")
    look("editor")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size[0]
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    look("keys")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    page.get_by_role("button", name="Other words …").click()
    page.get_by_role("dialog").wait_for()
    look("other words")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    page.locator(".menu summary").click()
    look("menu")
    page.get_by_role("button", name="History …").click()
    page.get_by_role("dialog").wait_for()
    look("history")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    page.get_by_role("button", name="Tap along").click()
    page.get_by_role("dialog").wait_for()
    look("tapping")
    page.get_by_role("button", name="Measure it once").click()
    page.get_by_text("Tap with the clicks").wait_for()
    look("measuring")
    page.goto(f"http://{address(home)}/ui/#/song/{id}")
    page.get_by_text("Funkle, kleiner Stern").wait_for()
    look("translation")
    assert found == {}


def test_hostile_words_stay_text_in_every_dialog(home: Home, visit: Callable[..., Visit]) -> None:
    id = song(home, lyrics=Lyrics.from_text(f"{HOSTILE} two\nthree"))
    draft = home.catalog.draft(id)
    assert draft is not None
    considered = (Considered(Lyrics.from_text(HOSTILE, source=HOSTILE), 0.4),)
    home.catalog.edit(id, dataclasses.replace(draft, considered=considered), 1)
    seen = visit(address(home), f"#/edit/{id}")
    seen.page.get_by_role("button", name="Other words …").click()
    seen.page.get_by_role("dialog").get_by_text("onerror").first.wait_for()
    assert seen.page.locator("#app script, #app img:not([src='icon.svg'])").count() == 0
    assert seen.complaints == []


def test_the_pictures_of_the_readme_show_the_page_as_it_is(
    home: Home, browser: Browser, tmp_path: Path
) -> None:
    made = make_page_pictures.take(browser, address(home), song(home), tmp_path)
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    for path in made:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert f"(docs/{path.name})" in readme
        assert (Path(__file__).parent.parent / "docs" / path.name).is_file()


@pytest.mark.daemon
def test_the_service_places_words_again_around_the_pin_of_a_person(
    tmp_path: Path, visit: Callable[..., Visit]
) -> None:
    from tests import service_home

    with service(tmp_path / "home") as (made, listen):
        made.drop("star.mp3", service_home.TEXT)
        made.until(lambda: sum(made.counts().values()) == 1, "the song")
        page = visit(listen).page
        page.get_by_role("row").get_by_text("star").first.click()
        page.get_by_role("link", name="Edit timing").click(timeout=180_000)
        page.get_by_role("region", name="Words").wait_for()
        word(page, 6).click()
        page.get_by_label("Starts at").fill("11.25")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Place again with one pin").click()
        page.get_by_text("Placed as a person wished").wait_for(timeout=180_000)
        word(page, 6).click()
        page.get_by_text("Set by you").wait_for()
        assert page.get_by_label("Starts at").input_value() == "0:11.250"
        word(page, 7).click()
        after = float(page.get_by_label("Starts at").input_value().partition(":")[2])
        assert after > 11.25
