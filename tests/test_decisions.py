"""What a person decides about a song's words: written as by hand, and given back by undo."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mutagen
import pytest
from click.testing import CliRunner

from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Entry, Fingerprint, Outcome, State
from lyricsyncd.catalog.drafts import Choices, Considered, Draft, words_key
from lyricsyncd.catalog.kept import Outdated
from lyricsyncd.cli import cli
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import LyricsNotFound, UsageError
from lyricsyncd.library.decisions import (
    Action,
    Busy,
    Decisions,
)
from lyricsyncd.library.word_order import BrokenTimes, check_times
from lyricsyncd.model import Decision, Line, Lyrics, SongIdentification, Timing, Track, Word
from lyricsyncd.pipeline.finder import Finder
from lyricsyncd.pipeline.result import SyncResult
from lyricsyncd.playback.cache import peaks_cache
from lyricsyncd.tags import Journal
from lyricsyncd.work.chosen import find_chosen, for_review
from tests.test_identify import song

pytestmark = pytest.mark.usefixtures("own_folders")

LYRICS = Lyrics(
    (
        Line((Word("Twinkle,", 5.0, 5.8, 0.9), Word("twinkle", 6.0, 6.9, 0.2)), 5.0, 6.9),
        Line((Word("little", 7.0, 7.4, 0.8), Word("star", 7.5, 8.0, 0.1)), 7.0, 8.0),
    ),
    language="en",
    source="lrclib",
)
DRAFT = Draft(
    LYRICS, 0.38, "review", "38 %", "en", "spleeter", "sphinx", (Considered(LYRICS, 0.38),)
)


class Home:
    """A song in review, its catalog and its journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "music").mkdir()
        self.song = song(folder / "music", "a.mp3", artist="Jane", title="The Star")
        (folder / "state").mkdir()
        self.catalog = Catalog(folder / "state" / FILE_NAME)
        self.id = self.finish(DRAFT)

    def finish(self, draft: Draft | None, state: State = State.REVIEW) -> int:
        self.catalog.enqueue(
            self.song,
            20,  # type: ignore[arg-type]
            "test",
            library=self.folder / "music",
            force=True,
        )
        entry = self.catalog.claim("me", 60)
        assert entry is not None
        self.catalog.finish(entry.id, "me", Outcome(state, "why"), None, draft)
        return entry.id

    def entry(self) -> Entry:
        entry = self.catalog.get(self.id)
        assert entry is not None
        return entry

    def decisions(self, **output: Any) -> Decisions:
        config = Config.model_validate({"output": output} if output else {})
        return Decisions(self.catalog, config.output)

    def decide(self, action: Action, **output: Any) -> None:
        self.decisions(**output).decide(self.id, action)

    @property
    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / "music").iterdir()}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    made = Home(tmp_path)
    yield made
    made.catalog.close()


class TestASongOfWhichALineIsDoubtful:
    MIXED = dataclasses.replace(
        DRAFT,
        decision="mixed",
        lyrics=LYRICS.with_lines(
            (
                LYRICS.lines[0],
                dataclasses.replace(LYRICS.lines[1], start=7.2, doubtful=True, estimated=True),
            )
        ),
    )

    @pytest.fixture
    def mixed(self, api: Home) -> Home:
        api.finish(self.MIXED, State.MIXED)
        return api

    def test_is_kept_with_its_marks(self, mixed: Home) -> None:
        kept = mixed.catalog.draft(mixed.id)
        assert kept is not None
        assert kept.lyrics.lines == self.MIXED.lyrics.lines

    def test_is_shifted_without_the_times_of_the_doubtful_words(self, mixed: Home) -> None:
        mixed.decisions().shift(mixed.id, 1.0)
        assert b"[00:08.200]little star" in mixed.files["a.elrc"]
        entry = mixed.entry()
        assert (entry.state, entry.decision) == (State.MIXED, "mixed")
        assert (entry.lines_with_words, entry.words_timed) == (1, 2)

    def test_has_every_word_time_once_a_person_accepts_its_words(self, mixed: Home) -> None:
        mixed.decide(Action.ACCEPT)
        assert b"[00:07.000]<00:07.000>little" in mixed.files["a.elrc"]
        entry = mixed.entry()
        assert (entry.state, entry.decision) == (State.DONE, "words")
        assert (entry.lines_with_words, entry.words_timed) == (2, 4)
        mixed.decisions().shift(mixed.id, 1.0)
        assert b"[00:08.000]<00:08.000>little" in mixed.files["a.elrc"]


class TestAccepting:
    def test_writes_every_word_by_hand(self, api: Home) -> None:
        before = api.files
        api.decide(Action.ACCEPT)
        assert api.entry().state is State.DONE
        assert (api.entry().decision, api.entry().quality) == ("words", 0.38)
        assert b"<00:06.000>twinkle" in api.files["a.elrc"]
        writes = Journal().of_song(api.song)
        assert writes
        assert all(each.by_hand for each in writes)
        api.decisions().undo(api.id)
        assert api.files == before
        assert api.entry().state is State.IGNORED

    def test_writes_lines_only_where_that_is_wanted(self, api: Home) -> None:
        api.decide(Action.LINES)
        assert api.entry().state is State.LINES
        assert b"<" not in api.files["a.lrc"]
        assert b"[00:05.00]" in api.files["a.lrc"]

    def test_into_tags_keeps_the_peaks(self, api: Home) -> None:
        key = api.entry().fingerprint.key
        peaks_cache().put(f"{key}.vocals", b"v")
        api.decide(Action.ACCEPT, preset="embed")
        assert mutagen.File(api.song).tags.getall("SYLT")
        now = Fingerprint.of(api.song)
        assert now.key != key
        assert api.entry().fingerprint == now
        assert peaks_cache().get(f"{now.key}.vocals") is not None
        # And it can be decided again.
        api.decide(Action.LINES, preset="embed")

    def test_changes_nothing_in_a_dry_run(self, api: Home) -> None:
        before = api.files
        decided = api.decisions().decide(api.id, Action.ACCEPT, dry_run=True)
        assert decided.written
        assert api.files == before
        assert api.entry().state is State.REVIEW

    def test_is_refused_where_it_cannot_be_meant(self, api: Home) -> None:
        decisions = api.decisions()
        with pytest.raises(Outdated):
            decisions.decide(api.id, Action.ACCEPT, revision=7)
        with pytest.raises(UsageError, match="no song 99"):
            decisions.decide(99, Action.ACCEPT)
        api.catalog.retry([api.id])
        assert api.catalog.claim("me", 60) is not None
        with pytest.raises(Busy, match="in work"):
            decisions.decide(api.id, Action.ACCEPT)
        api.catalog.skip([api.id])
        api.song.write_bytes(b"another file")
        with pytest.raises(Busy, match="has changed"):
            decisions.decide(api.id, Action.ACCEPT)

    def test_needs_placed_words(self, api: Home) -> None:
        api.catalog.write(lambda db: db.execute("DELETE FROM drafts"))
        with pytest.raises(UsageError, match="no placed words"):
            api.decide(Action.ACCEPT)

    def test_leaves_a_persons_own_file_and_says_so(self, api: Home) -> None:
        for suffix in (".lrc", ".elrc"):
            api.song.with_suffix(suffix).write_text("[00:01.00]mine\n")
        before = api.files
        with pytest.raises(Busy, match="Nothing could be written"):
            api.decide(Action.ACCEPT)
        assert api.files == before
        assert api.entry().state is State.REVIEW


class TestRejecting:
    def test_takes_back_what_was_written_and_remembers_the_words(self, api: Home) -> None:
        before = api.files
        api.decide(Action.ACCEPT)
        api.decide(Action.REJECT)
        assert api.files == before
        assert (api.entry().state, api.entry().reason) == (
            State.IGNORED,
            "a person rejected these words",
        )
        assert api.catalog.choices(api.id).rejected == {words_key(LYRICS)}

    def test_can_be_taken_back(self, api: Home) -> None:
        api.decide(Action.REJECT)
        api.decide(Action.UNREJECT)
        assert api.entry().state is State.PENDING
        assert not api.catalog.choices(api.id).rejected

    def test_an_instrumental_has_no_lyrics(self, api: Home) -> None:
        before = api.files
        api.decide(Action.ACCEPT)
        api.decide(Action.INSTRUMENTAL)
        assert api.entry().state is State.INSTRUMENTAL
        assert api.files == before


class TestWhatWasChosen:
    """What later runs do with it, on real files."""

    @pytest.fixture
    def finder(self) -> Finder:
        return Finder(Config.model_validate({"lyrics": {"order": ["local"]}}))

    def test_rejected_words_are_not_tried_again(self, api: Home, finder: Finder) -> None:
        api.song.with_suffix(".txt").write_text(LYRICS.text)
        found = find_chosen(finder, api.song, Choices(), look_up=True)
        assert found is not None
        rejected = Choices(rejected=frozenset({words_key(found.lyrics)}))
        with pytest.raises(LyricsNotFound, match="a person rejected"):
            find_chosen(finder, api.song, rejected, look_up=True)
        assert find_chosen(finder, api.song, rejected, look_up=False) is None

    def test_chosen_words_come_first(self, api: Home, finder: Finder) -> None:
        api.song.with_suffix(".txt").write_text("something else")
        choices = Choices(lyrics=LYRICS.without_times(), language="de", pins=((1, 6.0),))
        found = find_chosen(finder, api.song, choices, look_up=False)
        assert found is not None
        assert (found.lyrics.text, found.language) == (LYRICS.text, "de")
        assert found.all_found
        assert found.pins == ((1, 6.0),)

    def test_a_chosen_language_holds_for_words_that_are_found(
        self, api: Home, finder: Finder
    ) -> None:
        api.song.with_suffix(".txt").write_text(LYRICS.text)
        found = find_chosen(finder, api.song, Choices(language="fr"), look_up=False)
        assert found is not None
        assert found.language == "fr"

    def test_what_is_placed_for_review_is_not_written(self) -> None:
        result = SyncResult(SongIdentification(Track()), LYRICS, 0.9, Decision.WORDS, "good")
        looked_at = for_review(result)
        assert looked_at.to_write is None
        assert looked_at.decision is Decision.REVIEW
        nothing = dataclasses.replace(result, decision=Decision.NONE)
        assert for_review(nothing) is nothing


class TestShifting:
    def test_moves_every_time(self) -> None:
        moved = LYRICS.shifted(0.25)
        assert [word.start for word in moved.words] == [5.25, 6.25, 7.25, 7.75]
        assert [line.end for line in moved] == [7.15, 8.25]
        assert moved.shifted(-0.25) == LYRICS
        assert LYRICS.shifted(-6.0).words[0].start == 0.0
        plain = LYRICS.without_times()
        assert plain.shifted(1.0) == plain

    def test_writes_as_finely_as_before(self, api: Home) -> None:
        api.decide(Action.LINES)
        api.decisions().shift(api.id, -0.5)
        assert api.entry().state is State.LINES
        assert b"[00:04.50]" in api.files["a.lrc"]
        api.decide(Action.ACCEPT)
        api.decisions().shift(api.id, 0.25, absolute=True)
        assert b"<00:05.250>Twinkle" in api.files["a.elrc"]
        draft = api.catalog.draft(api.id)
        assert draft is not None
        assert (draft.offset, draft.by_hand) == (0.25, True)

    def test_of_a_song_in_review_writes_nothing(self, api: Home) -> None:
        before = api.files
        api.decisions().shift(api.id, 1.0)
        assert api.files == before
        assert api.entry().state is State.REVIEW


class TestCorrecting:
    def words(self, *times: tuple[float | None, float | None], voice: str | None = None) -> Lyrics:
        return Lyrics((Line(tuple(Word("la", *time) for time in times), voice=voice),))

    def test_is_stored_for_the_next_decision(self, api: Home) -> None:
        corrected = LYRICS.shifted(1.0)
        assert api.decisions().save(api.id, corrected, 1) == 2
        api.decide(Action.ACCEPT)
        assert b"<00:07.000>twinkle" in api.files["a.elrc"]
        draft = api.catalog.draft(api.id)
        assert draft is not None
        assert draft.lyrics.source == "lrclib"

    @pytest.mark.parametrize(
        "times",
        [
            [(2.0, 3.0), (1.0, 1.5)],
            [(1.0, 1.01), (1.02, 2.0)],
            [(1.0, 2.0), (1.5, 2.5)],
            [(1.0, 0.5)],
            [(1.0, 1.02)],
            [(-1.0, 1.0)],
            [(None, 1.0)],
        ],
    )
    def test_of_impossible_times_is_refused(
        self, api: Home, times: list[tuple[float | None, float | None]]
    ) -> None:
        with pytest.raises(BrokenTimes, match="The word"):
            api.decisions().save(api.id, self.words(*times), 1)
        assert api.catalog.revision(api.id) == 1

    @pytest.mark.parametrize(
        "times", [[(1.0, 1.03), (1.03, 2.0)], [(None, None), (1.0, None), (1.5, 2.0)], []]
    )
    def test_of_possible_times_is_not(self, times: list[tuple[float | None, float | None]]) -> None:
        check_times(self.words(*times))

    def test_two_voices_may_sing_at_once(self) -> None:
        lead, backing = self.words((1.0, 3.0)), self.words((1.5, 2.0), voice="bg")
        check_times(Lyrics((*lead.lines, *backing.lines)))


class TestPlacingForReview:
    def test_queues_the_song_first(self, api: Home) -> None:
        words = LYRICS.without_times()
        api.decisions().place(api.id, words, [(2, 7.1), (0, 5.1)], 1)
        choices = api.catalog.choices(api.id)
        assert choices.only_draft
        assert choices.pins == ((0, 5.1), (2, 7.1))
        assert (api.entry().state, api.entry().priority) == (State.PENDING, 20)

    def test_of_what_cannot_be_placed_is_refused(self, api: Home) -> None:
        with pytest.raises(UsageError, match="no words"):
            api.decisions().place(api.id, Lyrics())
        with pytest.raises(UsageError, match="names no word"):
            api.decisions().place(api.id, LYRICS, [(4, 1.0)])
        for pins in ([(0, 2.0), (1, 1.0)], [(0, 2.0), (2, 2.01)], [(1, 2.0), (1, 3.0)]):
            with pytest.raises(UsageError, match="not in order"):
                api.decisions().place(api.id, LYRICS, pins)
        with pytest.raises(Outdated):
            api.decisions().place(api.id, LYRICS, [], 9)


class TestCommands:
    def run(self, *arguments: str, status: int = 0) -> str:
        done = CliRunner().invoke(cli, arguments)
        assert done.exit_code == status or done.exception is not None, done.output
        if status == 0:
            assert done.exception is None, done.exception
        return done.output

    def test_approve_shift_and_undo(self, api: Home) -> None:
        before = api.files
        reported = json.loads(self.run("approve", "a.mp3", "--dry-run", "--json"))
        assert reported["dry_run"]
        assert api.files == before
        self.run("approve", str(api.song))
        assert api.entry().state is State.DONE
        self.run("shift", str(api.id), "-0.5")
        assert b"<00:05.500>twinkle" in api.files["a.elrc"]
        self.run("set", str(api.id), "--offset", "0")
        assert b"<00:06.000>twinkle" in api.files["a.elrc"]
        self.run("approve", str(api.id), "--as", "lines")
        assert api.entry().state is State.LINES
        self.run("undo", str(api.song))
        assert api.files == before

    def test_reject_leaves_the_song_alone(self, api: Home) -> None:
        assert "rejected" in self.run("reject", str(api.id))
        assert api.entry().state is State.IGNORED

    def test_set_has_it_placed_anew(self, api: Home, tmp_path: Path) -> None:
        (tmp_path / "words.txt").write_text("Row row row\n")
        self.run("set", str(api.id), "--lyrics", str(tmp_path / "words.txt"), "--language", "de")
        choices = api.catalog.choices(api.id)
        assert choices.language == "de"
        assert choices.lyrics is not None
        assert choices.lyrics.text == "Row row row"
        assert api.entry().state is State.PENDING
        self.run("set", str(api.id), "--language", "auto")
        assert api.catalog.choices(api.id).language is None

    def test_set_takes_what_is_sung_in_the_encoding_that_is_named(
        self, api: Home, tmp_path: Path
    ) -> None:
        words = tmp_path / "words.txt"
        words.write_bytes("[Verse 1]\nŹdźbło\n\n[Solo]\nłza".encode("cp1250"))
        self.run("set", str(api.id), "--lyrics", str(words), "--encoding", "cp1250")
        choices = api.catalog.choices(api.id)
        assert choices.lyrics is not None
        assert choices.lyrics.text == "Źdźbło\nłza"

    def test_set_instrumental_ends_the_work_on_the_song(self, api: Home) -> None:
        self.run("set", str(api.id), "--instrumental")
        assert api.entry().state is State.INSTRUMENTAL

    @pytest.mark.parametrize(
        "arguments",
        [
            ("set", "1"),
            ("set", "1", "--offset", "1", "--instrumental"),
            ("set", "1", "--language", "klingon"),
            ("shift", "1", "nan"),
            ("shift", "1", "99999"),
            ("approve", "1", "--as", "poem"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, api: Home, arguments: tuple[str, ...]) -> None:
        before = api.files
        done = CliRunner().invoke(cli, arguments)
        assert done.exit_code == 2
        assert api.files == before


def test_lyrics_of_a_draft_have_word_times() -> None:
    assert LYRICS.timing is Timing.WORD
