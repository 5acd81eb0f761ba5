"""Songs that newer models may place better: which they are, when, and what may take their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lyricsyncd.catalog.catalog import (
    FILE_NAME,
    Catalog,
    Entry,
    Fingerprint,
    Outcome,
    Priority,
    Queued,
    State,
)
from lyricsyncd.catalog.drafts import Draft
from lyricsyncd.catalog.queries import MODELS
from lyricsyncd.catalog.records import BETTER, BY_HAND
from lyricsyncd.config.reader import load
from lyricsyncd.config.schema import Config
from lyricsyncd.model import Decision, Line, Lyrics, SongIdentification, Track, Word
from lyricsyncd.pipeline.identity import models_identity
from lyricsyncd.pipeline.result import SyncResult
from lyricsyncd.pipeline.settings import ModelSettings
from lyricsyncd.service.improvements import Improvements
from lyricsyncd.work.improvement import is_better
from tests.service_home import TEXT, Home
from tests.waiting import work_off

LYRICS = Lyrics((Line((Word("star", 5.0, 5.8, 0.9),), 5.0, 5.8),), source="lrclib")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / FILE_NAME) as catalog:
        catalog.note(MODELS, "new")
        yield catalog


def done(catalog: Catalog, name: str = "a.mp3", **outcome: object) -> int:
    """Add a song that is done."""
    path = catalog.path.parent / name
    catalog.enqueue(path, Priority.BACKFILL, "scan", fingerprint=Fingerprint(1, 1, 0))
    entry = catalog.claim("me", 60)
    assert entry is not None
    values = {"quality": 0.6, "decision": "words", "aligner": "sphinx", "placed_by": "old"}
    state = State(str(outcome.pop("state", "done")))
    catalog.finish(entry.id, "me", Outcome(state, "why", **{**values, **outcome}))  # type: ignore[arg-type]
    return entry.id


def claimed(catalog: Catalog) -> Entry | None:
    return catalog.claim("me", 60, at_least=Priority.IMPROVE)


class TestSongsThatCouldBeBetter:
    def test_are_those_that_other_models_placed_the_least_sure_first(
        self, catalog: Catalog
    ) -> None:
        first = done(catalog, "a", quality=0.9)
        second = done(catalog, "b", quality=0.5, placed_by=None)
        done(catalog, "c", placed_by="new")
        done(catalog, "d", aligner="source")
        done(catalog, "e", state="instrumental", decision="none", aligner="none")
        assert catalog.improvable(9) == [second, first]
        assert catalog.count_improvable() == 2
        assert catalog.is_improvable(first)

    def test_are_none_that_a_person_decided_about(self, catalog: Catalog) -> None:
        done(catalog, "a", placed_by=BY_HAND)
        edited = done(catalog, "b")
        catalog.edit(edited, Draft(LYRICS, 0.6, "words", ""), 0)
        assert catalog.improvable(9) == []

    def test_are_none_before_it_is_known_what_places_songs(self, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        with Catalog(tmp_path / "other" / FILE_NAME) as catalog:
            done(catalog)
            assert catalog.improvable(9) == []


class TestASongThatIsToBeImproved:
    def test_comes_after_all_others_and_stays_as_it_was(self, catalog: Catalog) -> None:
        id = done(catalog, state="mixed", decision="mixed")
        before = catalog.get(id)
        assert catalog.improve(id)
        assert not catalog.improve(id), "it is queued already"
        assert catalog.claim("me", 60) is None, "unless it is wanted"
        entry = claimed(catalog)
        assert entry is not None
        assert entry.for_improvement
        assert catalog.keep(id, "me", "new")
        after = catalog.get(id)
        assert before is not None
        assert after is not None
        assert (after.state, after.quality, after.finished_at, after.placed_by) == (
            State.MIXED,
            before.quality,
            before.finished_at,
            "new",
        )
        assert catalog.improvable(9) == []

    def test_stays_as_it_was_at_the_next_start(self, catalog: Catalog) -> None:
        id = done(catalog)
        catalog.improve(id)
        claimed(catalog)
        catalog.take_up()
        assert catalog.keep_all() == 1
        entry = catalog.get(id)
        assert entry is not None
        assert (entry.state, entry.placed_by) == (State.DONE, "old")

    @pytest.mark.parametrize("in_work", [False, True])
    def test_is_placed_like_any_other_once_its_file_changes(
        self, catalog: Catalog, in_work: bool
    ) -> None:
        id = done(catalog)
        path = catalog.path.parent / "a.mp3"
        catalog.improve(id)
        same = catalog.enqueue(path, Priority.PLAYING, "it plays", fingerprint=Fingerprint(1, 1))
        assert same is Queued.UNCHANGED
        if in_work:
            claimed(catalog)
        catalog.enqueue(path, Priority.IMPORT, "new file", fingerprint=Fingerprint(2, 2))
        if in_work:
            catalog.keep(id, "me", "new")
        entry = catalog.claim("me", 60)
        assert entry is not None
        assert not entry.for_improvement
        assert entry.fingerprint == Fingerprint(2, 2)


@pytest.mark.parametrize(
    ("score", "decision", "better"),
    [
        (0.66, Decision.WORDS, True),
        (0.64, Decision.WORDS, False),
        (0.9, Decision.MIXED, False),
        (0.9, Decision.REVIEW, False),
    ],
)
def test_only_a_clearly_higher_score_with_no_fewer_word_times_is_better(
    catalog: Catalog, score: float, decision: Decision, better: bool
) -> None:
    entry = catalog.get(done(catalog))
    assert entry is not None
    result = SyncResult(SongIdentification(Track(entry.path)), LYRICS, score, decision, "")
    assert is_better(entry, result) is better


def test_what_places_songs_is_known_by_models_calibrations_and_settings(tmp_path: Path) -> None:
    settings = ModelSettings(folder=tmp_path)
    seen = [models_identity(settings)]
    (tmp_path / "net.onnx").write_bytes(b"12")
    seen.append(models_identity(settings))
    (tmp_path / "net.calibration.json").write_text("{}")
    seen.append(models_identity(settings))
    (tmp_path / "net.calibration.json").write_text("[]")
    seen.append(models_identity(settings))
    seen.append(models_identity(ModelSettings(folder=tmp_path, separator="none")))
    assert len(set(seen)) == len(seen)
    (tmp_path / ".net.onnx.part").write_bytes(b"1")
    assert models_identity(settings) == seen[3]


class TestTheService:
    def ticking(
        self, catalog: Catalog, load: Callable[[], float] = lambda: 0.0, **quality: object
    ) -> Improvements:
        component = Improvements(catalog, lambda: None, idle_s=100, pause_s=10, load=load)
        config = Config.model_validate(
            {
                "quality": quality,
                "daemon": {"executor": "dask", "dask_address": "tcp://nowhere:1"},
            }
        )
        component.start(config)
        return component

    def test_improves_one_song_after_the_other_once_nothing_else_is_done(
        self, catalog: Catalog
    ) -> None:
        ids = [done(catalog, "a", quality=0.4), done(catalog, "b", quality=0.5)]
        component = self.ticking(catalog, improve=True)
        for now in (0, 50, 90):
            component.tick(now)
        assert claimed(catalog) is None
        component.tick(110)
        entry = claimed(catalog)
        assert entry is not None
        assert entry.id == ids[0]
        component.tick(121)
        assert claimed(catalog) is None, "one at a time"
        catalog.keep(ids[0], "me")
        component.tick(132)
        entry = claimed(catalog)
        assert entry is not None
        assert entry.id == ids[1], "what could not be improved is not tried again"
        catalog.keep(ids[1], "me")
        catalog.enqueue(catalog.path, Priority.IMPORT, "new")
        component.tick(143)
        catalog.claim("me", 60)
        catalog.finish(3, "me", Outcome(State.FAILED, ""))
        component.tick(154)
        assert catalog.counts()[State.PENDING] == 0

    def test_improves_none_unless_it_is_wanted_and_the_computer_is_idle(
        self, catalog: Catalog
    ) -> None:
        done(catalog)
        components = (self.ticking(catalog), self.ticking(catalog, lambda: 0.9, improve=True))
        for component in components:
            for now in (0, 110, 400):
                component.tick(now)
            assert claimed(catalog) is None
        assert catalog.noted("could_be_better") == "1"


@pytest.mark.slow
def test_a_result_is_replaced_by_a_clearly_better_one_and_never_what_a_person_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    song = home.drop(words=TEXT)
    home.asked("scan", "--now")
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    written = song.with_suffix(".elrc")
    with Catalog(tmp_path / "state" / FILE_NAME) as catalog:
        (entry,) = catalog.entries()
        score, current = entry.quality, entry.placed_by
        assert score is not None
        assert current is not None
        catalog.note(MODELS, current)

        def improved(quality: float) -> Entry:
            catalog.write(
                lambda db: db.execute(
                    "UPDATE tracks SET quality = ?, placed_by = 'old'", (quality,)
                )
            )
            assert catalog.improve(entry.id)
            work_off(catalog, load(home.config))
            found = catalog.get(entry.id)
            assert found is not None
            return found

        better = improved(score - 0.2)
        assert better.quality == pytest.approx(score)
        assert better.placed_by == current
        before = written.stat().st_mtime_ns
        same = improved(score - 0.01)
        assert (same.quality, same.placed_by) == (score - 0.01, current)
        assert written.stat().st_mtime_ns == before
        written.write_text(written.read_text().replace("Twinkle", "Sparkle", 1))
        touched = improved(0.1)
        assert (touched.quality, touched.placed_by) == (0.1, BY_HAND)
        assert "Sparkle" in written.read_text()
        assert BETTER not in home.call("show", song)
