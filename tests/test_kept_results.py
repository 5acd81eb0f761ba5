"""Results that are kept for review: words, confidences, candidates, peaks."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import time
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from lyricsyncd import audio
from lyricsyncd.catalog import drafts, kept
from lyricsyncd.catalog.catalog import Catalog, Fingerprint, Outcome, Priority, State
from lyricsyncd.catalog.drafts import Choices, Considered, Draft
from lyricsyncd.catalog.kept import Outdated
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import AudioError
from lyricsyncd.library.rules import Rules
from lyricsyncd.library.scan import reconcile
from lyricsyncd.model import Decision, Line, Lyrics, SongIdentification, Track, Word
from lyricsyncd.pipeline.result import SyncResult
from lyricsyncd.playback import peaks
from lyricsyncd.playback.cache import FileCache, file_changed, peaks_cache
from lyricsyncd.work import outcomes
from tests.service_home import SONG, TEXT
from tests.test_identify import song
from tests.waiting import work_off

WORDS = Lyrics(
    (
        Line((Word("Row,", 1.0, 1.25, 0.9), Word("row", 1.5, 2.0, 0.123)), 1.0, 2.0),
        Line(),
        Line((Word("光", 3.0, 3.5, None, space=False), Word("る", 3.5, 4.0)), 3.0, 4.0, voice="bg"),
        Line((Word("untimed"), Word("\udcff\0", space=False)), 5.0),
    ),
    language="en",
    source="lrclib",
    source_id="7",
    metadata={"title": "Row"},
)
DRAFT = Draft(
    WORDS,
    score=0.38,
    decision="review",
    reason="38 %",
    language="en",
    separator="spleeter",
    aligner="sphinx",
    considered=(Considered(WORDS.without_times(), 0.38), Considered(Lyrics.from_text("la la"))),
)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / "catalog.db") as catalog:
        yield catalog


def known(catalog: Catalog, name: str = "a.mp3", priority: Priority = Priority.BACKFILL) -> int:
    """Queue a song of a name."""
    path = Path("/music") / name
    catalog.enqueue(
        path, priority, "test", library=Path("/music"), fingerprint=Fingerprint(1, 1), force=True
    )
    return catalog.ids([path])[path]


def finish(catalog: Catalog, draft: Draft | None = DRAFT, state: State = State.REVIEW) -> int:
    """Take up the next song, and end with a draft."""
    entry = catalog.claim("me", 60)
    assert entry is not None
    assert catalog.finish(entry.id, "me", Outcome(state, "why"), None, draft)
    return entry.id


def _set_body(body: bytes, db: sqlite3.Connection) -> None:
    db.execute("UPDATE drafts SET body = ?", (body,))


class TestADraft:
    def test_is_kept_whole(self, catalog: Catalog) -> None:
        id = known(catalog)
        finish(catalog)
        found = catalog.draft(id)
        assert found is not None
        assert found.at > 0
        assert dataclasses.replace(found, at=0.0) == dataclasses.replace(DRAFT, revision=1)

    def test_of_a_result_that_came_too_late_is_dropped(self, catalog: Catalog) -> None:
        id = known(catalog)
        assert catalog.claim("me", 60) is not None
        catalog.skip([id])
        assert not catalog.finish(id, "me", Outcome(State.REVIEW, "why"), None, DRAFT)
        assert catalog.draft(id) is None

    def test_has_another_revision_each_time(self, catalog: Catalog) -> None:
        id = known(catalog)
        for revision in (1, 2, 3):
            known(catalog)
            finish(catalog)
            assert catalog.revision(id) == revision

    def test_that_is_damaged_is_none(self, catalog: Catalog) -> None:
        id = known(catalog)
        finish(catalog)
        for body in (b"", b"x", drafts.pack(DRAFT)[:-9], drafts._deflated({"lyrics": 1})):
            catalog.write(partial(_set_body, body))
            assert catalog.draft(id) is None

    def test_goes_with_its_song(self, catalog: Catalog) -> None:
        id = known(catalog)
        finish(catalog)
        catalog.choose(id, Choices(language="ja"))
        catalog.write(lambda db: db.execute("DELETE FROM tracks"))
        catalog.scanned(Path("/music"))
        assert catalog.draft(id) is None
        assert catalog.choices(id) == Choices()

    def test_of_a_written_song_goes_when_there_are_too_many(self, catalog: Catalog) -> None:
        old, new = known(catalog, "old.mp3"), known(catalog, "new.mp3")
        doubtful = known(catalog, "doubtful.mp3")
        assert [finish(catalog, state=State.DONE), finish(catalog, state=State.DONE)] == [old, new]
        assert finish(catalog) == doubtful
        catalog.write(lambda db: kept.prune(db, 1))
        found = {id for id in (old, new, doubtful) if catalog.draft(id)}
        assert found == {new, doubtful}


class TestAPersonsChange:
    def test_is_the_next_revision(self, catalog: Catalog) -> None:
        id = known(catalog)
        finish(catalog)
        assert catalog.edit(id, dataclasses.replace(DRAFT, offset=0.5), 1) == 2
        found = catalog.draft(id)
        assert found is not None
        assert (found.offset, found.by_hand) == (0.5, True)

    def test_of_an_older_revision_is_refused(self, catalog: Catalog) -> None:
        id = known(catalog)
        finish(catalog)
        catalog.edit(id, DRAFT, 1)
        with pytest.raises(Outdated, match="changed meanwhile"):
            catalog.edit(id, DRAFT, 1)

    def test_is_replaced_only_by_a_run_that_a_person_requested(self, catalog: Catalog) -> None:
        id = known(catalog)
        finish(catalog)
        mine = dataclasses.replace(DRAFT, reason="mine")
        catalog.edit(id, mine, 1)
        known(catalog)
        finish(catalog)
        assert (catalog.draft(id) or DRAFT).reason == "mine"
        known(catalog, priority=Priority.PERSON)
        finish(catalog)
        assert (catalog.draft(id) or mine).reason == DRAFT.reason

    def test_is_kept_however_many_there_are(self, catalog: Catalog) -> None:
        id = known(catalog)
        finish(catalog, state=State.DONE)
        catalog.edit(id, DRAFT, 1)
        catalog.write(lambda db: kept.prune(db, 0))
        assert catalog.draft(id) is not None


class TestChoices:
    @pytest.mark.parametrize(
        "choices",
        [
            Choices(),
            Choices(language="ja", lyrics=WORDS, rejected=frozenset({"a", "b"})),
            Choices(pins=((3, 1.5),), only_draft=True),
        ],
    )
    def test_are_kept(self, catalog: Catalog, choices: Choices) -> None:
        id = known(catalog)
        catalog.choose(id, Choices(language="de"))
        catalog.choose(id, choices)
        assert catalog.choices(id) == choices

    def test_words_are_known_again_in_another_spelling(self) -> None:
        key = drafts.words_key(Lyrics.from_text("Row, row\nyour boat"))
        assert key == drafts.words_key(Lyrics.from_text("row ROW your\n\nboat!"))
        assert key != drafts.words_key(Lyrics.from_text("row row the boat"))


class TestPeaks:
    def test_are_the_largest_magnitude_of_each_hundredth(self) -> None:
        samples = np.zeros(4410, np.float32)
        samples[441] = -1.0
        samples[4409] = 0.25
        assert peaks.envelope(samples, 44100) == bytes([0, 255, *[0] * 7, 128])

    @pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 11025])
    @pytest.mark.parametrize("length", [0, 1, 100, 12345])
    def test_there_is_one_for_each_hundredth(self, rate: int, length: int) -> None:
        found = peaks.envelope(np.ones(length, np.float32), rate)
        assert found == b"\xff" * int(np.ceil(length * 100 / rate))

    def test_of_a_file_are_those_of_its_sound(self) -> None:
        found = np.frombuffer(peaks.of_song(SONG), np.uint8).astype(float)
        exact = np.frombuffer(peaks.envelope(audio.decode(SONG, 44100), 44100), np.uint8).astype(
            float
        )
        assert len(found) == len(exact)
        assert np.corrcoef(found, exact)[0, 1] > 0.95

    def test_of_what_is_no_song_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "x.mp3").write_bytes(b"nothing")
        with pytest.raises(AudioError):
            peaks.of_song(tmp_path / "x.mp3")


class TestTheCacheOfFiles:
    def test_a_file_appears_whole_or_not_at_all(self, tmp_path: Path) -> None:
        files = FileCache(tmp_path / "new" / "cache", 100)

        def fail(path: Path) -> None:
            path.write_bytes(b"half")
            raise AudioError("broken")

        with pytest.raises(AudioError):
            files.make("a", fail)
        assert files.get("a") is None
        assert list(files.folder.iterdir()) == []
        files.put("a", b"whole")
        assert (files.get("a") or tmp_path).read_bytes() == b"whole"

    def test_what_was_not_used_for_longest_goes_first(self, tmp_path: Path) -> None:
        files = FileCache(tmp_path, 100)
        for name in "abc":
            files.put(name, bytes(40))
            time.sleep(0.02)
        assert files.get("a") is not None
        files.prune()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]

    def test_peaks_stay_with_a_song_whose_tags_are_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path))
        peaks_cache().put("old.vocals", b"v")
        file_changed("old", "new")
        assert peaks_cache().get("old.vocals") is None
        assert (peaks_cache().get("new.vocals") or tmp_path).read_bytes() == b"v"


@pytest.mark.slow
@pytest.mark.daemon
@pytest.mark.usefixtures("own_folders")
class TestTheRunner:
    """A real song and models (without the separator)."""

    @pytest.mark.parametrize("preset", ["generic", "embed"])
    def test_keeps_what_it_placed(self, catalog: Catalog, tmp_path: Path, preset: str) -> None:
        music = tmp_path / "music"
        music.mkdir()
        for name in ("a.mp3", "b.mp3"):
            path = song(music, name, artist="Jane", title="The Star")
            path.with_suffix(".txt").write_text(TEXT, encoding="utf-8")
        reconcile(catalog, Rules(music))
        config = Config.model_validate(
            {
                "lyrics": {"order": ["local"]},
                "models": {"separator": "mix"},
                "daemon": {"settle": 0, "workers": 2},
                "output": {"preset": preset},
            }
        )
        work_off(catalog, config)
        first, second = catalog.entries()
        draft = catalog.draft(first.id)
        assert draft is not None
        assert first.album == second.album
        assert [word.text for word in draft.lyrics.words] == TEXT.split()
        assert all(word.confidence for word in draft.lyrics.words)
        assert draft.decision == first.decision == "words"
        (considered,) = draft.considered
        assert considered.score == draft.score
        # The second takes the times of the first, and its peaks.
        assert second.reason is not None
        assert "whose times it takes" in second.reason
        for entry in (first, second):
            for kind in ("vocals", "mix"):
                file = peaks_cache().get(f"{Fingerprint.of(entry.path).key}.{kind}")
                assert file is not None
                assert abs(len(file.read_bytes()) / 100 - (entry.duration or 0)) < 0.5


class TestPinnedWords:
    """Words that a person set are known by their numbers, whatever their confidence is."""

    def sure(self) -> Lyrics:
        line = Line((Word("a", 1.0, 1.5, 1.0), Word("b", 2.0, 2.5, 1.0)), 1.0, 2.5)
        return Lyrics((line,))

    def test_outlast_storing(self) -> None:
        draft = dataclasses.replace(DRAFT, pinned=(1, 3), by_hand=True)
        again = drafts.unpack(drafts.pack(draft), revision=0, at=0.0, by_hand=True)
        assert again == draft

    def test_are_not_those_that_are_merely_sure(self) -> None:
        draft = dataclasses.replace(DRAFT, lyrics=self.sure(), by_hand=True)
        again = drafts.unpack(drafts.pack(draft), revision=0, at=0.0, by_hand=True)
        assert again is not None
        assert again.pinned == ()

    @pytest.mark.parametrize(("by_hand", "pinned"), [(True, (0, 1)), (False, ())])
    def test_of_an_earlier_version_are_those_of_full_confidence_in_what_a_person_changed(
        self, by_hand: bool, pinned: tuple[int, ...]
    ) -> None:
        packed = drafts.pack(dataclasses.replace(DRAFT, lyrics=self.sure()))
        values = json.loads(zlib.decompress(packed))
        del values["pinned"]
        old = zlib.compress(json.dumps(values).encode())
        again = drafts.unpack(old, revision=0, at=0.0, by_hand=by_hand)
        assert again is not None
        assert again.pinned == pinned

    def test_are_pins_of_the_placing_where_the_words_lie_there(self) -> None:
        result = SyncResult(SongIdentification(Track()), self.sure(), 0.9, Decision.WORDS, "fine")
        draft = outcomes.draft_of(result, [(1, 2.0005), (0, 1.4), (9, 1.0)])
        assert draft is not None
        assert draft.pinned == (1,)
