"""A change of `overrides` reaches the songs that are known already, and no others."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd.catalog.catalog import (
    FILE_NAME,
    Catalog,
    Entry,
    Fingerprint,
    Outcome,
    Priority,
    State,
)
from lyricsyncd.catalog.drafts import Choices, Draft
from lyricsyncd.catalog.records import BY_HAND
from lyricsyncd.config.schema import Config
from lyricsyncd.library import overrides
from lyricsyncd.library.rules import Overridden
from lyricsyncd.model import Lyrics
from tests.service_home import TEXT, Home

MUSIC = Path("/music")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / FILE_NAME) as catalog:
        yield catalog


def queued(catalog: Catalog, name: str) -> int:
    path = MUSIC / name
    stamp = Fingerprint(1, 1, 0)
    catalog.enqueue(path, Priority.BACKFILL, "scan", library=MUSIC, fingerprint=stamp)
    return catalog.ids([path])[path]


def placed(catalog: Catalog, name: str, **outcome: Any) -> int:
    """Add a song whose English words were placed."""
    id = queued(catalog, name)
    assert catalog.claim("me", 60, only=[id]) is not None
    values = {"quality": 0.6, "decision": "words", "aligner": "sphinx", "language": "en"}
    values |= {"placed_by": "models", "overrides": ""}
    catalog.finish(id, "me", Outcome(State.DONE, "why", **{**values, **outcome}))
    return id


def apply(catalog: Catalog, *found: dict[str, Any]) -> None:
    library = {"path": str(MUSIC), "overrides": list(found)}
    overrides.apply(catalog, Config.model_validate({"libraries": [library]}))


def of(catalog: Catalog, id: int) -> Entry:
    entry = catalog.get(id)
    assert entry is not None
    return entry


JAPANESE = {"match": "J-Pop/**", "language": "ja"}
SKIPPED = {"match": "Podcasts/**", "skip": True}


class TestAnotherLanguage:
    def test_has_words_placed_again_behind_all_others_and_kept_until_then(
        self, catalog: Catalog
    ) -> None:
        song, other = placed(catalog, "J-Pop/a.mp3"), placed(catalog, "Rock/b.mp3")
        waiting = queued(catalog, "Rock/c.mp3")
        apply(catalog, JAPANESE)
        assert of(catalog, other).state is State.DONE
        assert (of(catalog, song).state, of(catalog, song).quality) == (State.PENDING, 0.6)
        claims = [catalog.claim("me", 60, at_least=Priority.IMPROVE) for _ in range(3)]
        assert [entry and entry.id for entry in claims] == [waiting, song, None]

    def test_leaves_what_a_person_touched(self, catalog: Catalog) -> None:
        placed(catalog, "J-Pop/accepted.mp3", placed_by=BY_HAND)
        edited, chosen = placed(catalog, "J-Pop/a.mp3"), placed(catalog, "J-Pop/b.mp3")
        catalog.edit(edited, Draft(Lyrics.from_text("la"), 0.6, "words", ""), 0)
        catalog.choose(chosen, Choices(offset=0.5))
        apply(catalog, JAPANESE)
        assert catalog.counts()[State.DONE] == 3

    def test_leaves_words_that_were_placed_in_it_or_by_no_model(self, catalog: Catalog) -> None:
        placed(catalog, "J-Pop/a.mp3", language="ja")
        placed(catalog, "J-Pop/b.mp3", language="ja", overrides=None)
        placed(catalog, "J-Pop/c.mp3", aligner="source")
        placed(catalog, "J-Pop/d.mp3", language="en", overrides="language=ja")
        apply(catalog, JAPANESE)
        assert catalog.counts()[State.DONE] == 4

    def test_that_is_taken_back_takes_the_songs_out_of_the_queue(self, catalog: Catalog) -> None:
        song = placed(catalog, "J-Pop/a.mp3")
        apply(catalog, JAPANESE)
        apply(catalog)
        assert (of(catalog, song).state, of(catalog, song).overrides) == (State.DONE, "")

    def test_that_is_taken_back_later_has_them_placed_as_before(self, catalog: Catalog) -> None:
        song = placed(catalog, "J-Pop/a.mp3", language="ja", overrides="language=ja")
        apply(catalog)
        assert of(catalog, song).state is State.PENDING

    def test_that_did_not_help_is_not_tried_again(self, catalog: Catalog) -> None:
        song = placed(catalog, "J-Pop/a.mp3")
        apply(catalog, JAPANESE)
        assert catalog.claim("me", 60, at_least=Priority.IMPROVE) is not None
        assert catalog.keep(song, "me", overrides="language=ja")
        apply(catalog, JAPANESE)
        assert of(catalog, song).state is State.DONE


class TestAFolderThatIsSkippedFromNowOn:
    def test_has_nothing_left_to_wait_for(self, catalog: Catalog) -> None:
        working, waiting = queued(catalog, "Podcasts/a.mp3"), queued(catalog, "Podcasts/b.mp3")
        without, named = queued(catalog, "Podcasts/c.mp3"), queued(catalog, "Podcasts/d.mp3")
        assert catalog.claim("me", 60, only=[without]) is not None
        catalog.finish(without, "me", Outcome(State.NO_LYRICS, "none", retry=(60.0,)))
        catalog.retry([named])
        assert catalog.claim("me", 60, only=[working]) is not None
        apply(catalog, SKIPPED)
        for id in (working, waiting, without):
            assert of(catalog, id).state is State.IGNORED
            assert of(catalog, id).reason == "the configuration skips it: Podcasts/**"
        assert of(catalog, named).state is State.PENDING
        assert not catalog.heartbeat("me", 60, [working]), "it is given up"

    def test_keeps_the_words_that_it_has(self, catalog: Catalog) -> None:
        songs = [placed(catalog, f"Podcasts/{name}.mp3") for name in "abc"]
        apply(catalog, {"match": "Podcasts/**", "language": "ja"})
        assert catalog.claim("me", 60, only=songs[:1], at_least=Priority.IMPROVE) is not None
        catalog.improve(songs[1])
        apply(catalog, SKIPPED)
        assert {of(catalog, id).state for id in songs} == {State.DONE}


def test_a_result_agrees_with_settings_by_which_it_would_be_the_same() -> None:
    assert Overridden().agrees(None, "en")
    assert Overridden().agrees("", "en")
    assert not Overridden().agrees("language=ja", "ja")
    assert Overridden(language="ja").agrees("language=ja", "en")
    assert Overridden(language="ja").agrees("", "ja")
    assert not Overridden(language="ja").agrees(None, None)


@pytest.mark.slow
@pytest.mark.daemon
class TestTheService:
    """A real song and models (without the separator)."""

    def test_places_songs_again_but_those_that_a_person_changed(self, tmp_path: Path) -> None:
        home = Home(tmp_path)
        home.start()
        song, edited, other = (
            home.drop(f"{name}.mp3", words=TEXT) for name in ("J-Pop/a", "J-Pop/b", "Rock/c")
        )
        home.until_counts(done=3)
        words = edited.with_suffix(".elrc")
        words.write_text(words.read_text().replace("Twinkle", "Sparkle", 1))
        english = {path: path.with_suffix(".elrc").read_bytes() for path in (edited, other)}
        home.call("pause")
        waiting = home.drop("Podcasts/d.mp3", words=TEXT)
        home.until(lambda: home.counts().get("pending") == 1, "it waits")
        library = {"path": str(home.music), "overrides": [JAPANESE, SKIPPED]}
        home.configure(libraries=[library])
        planned = home.asked("scan", "--dry-run")["would_queue"]
        assert set(planned) == {str(song), str(edited)}
        assert home.process is not None
        home.process.send_signal(signal.SIGHUP)
        home.until(lambda: home.counts().get("ignored") == 1, "the podcast waits no more")
        assert home.asked("show", waiting)["state"] == "ignored"
        home.call("resume")
        home.until(lambda: home.asked("show", song)["language"] == "ja", "it is placed again")
        home.until(lambda: home.counts() == {"done": 3, "ignored": 1}, "all is done")
        assert {path: path.with_suffix(".elrc").read_bytes() for path in english} == english
        assert home.asked("scan", "--dry-run")["would_queue"] == []
        assert home.stop() == 0
        assert "2 songs are placed again" in home.said()
        assert "1 songs are left alone" in home.said()

    def test_is_not_needed_where_songs_are_done_by_hand(self, tmp_path: Path) -> None:
        home = Home(tmp_path)
        song = home.drop("J-Pop/a.mp3", words=TEXT)
        home.asked("scan", "--now")
        library = {"path": str(home.music), "overrides": [JAPANESE]}
        home.configure(libraries=[library])
        home.asked("scan", "--now")
        assert home.asked("show", song)["language"] == "ja"
