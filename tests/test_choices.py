"""What a person sets for songs and for parts of a library, honoured by every later run.

The commands run as processes, on a library with real songs. Words that bring their times need no
model.
"""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd.catalog.catalog import FILE_NAME, Catalog
from lyricsyncd.catalog.drafts import Choices, pack_choices, unpack_choices, words_key
from lyricsyncd.config.schema import Config, Library, Override
from lyricsyncd.errors import ConfigError
from lyricsyncd.library import overrides
from lyricsyncd.library.plan import Pace, Planned, Work, seconds_of
from lyricsyncd.library.rules import Overridden, Rules
from lyricsyncd.lyrics.sung import from_plain
from lyricsyncd.model import Decision, Line, Lyrics, SongIdentification, Track, Word
from lyricsyncd.pipeline.result import SyncResult
from lyricsyncd.work.chosen import with_offset
from tests.service_home import SONG, TIMED, Home

LYRICS = Lyrics((Line((Word("star", 5.0, 5.8, 0.9),), 5.0, 5.8),), source="lrclib")


def rules_with(folder: Path, *found: dict[str, Any]) -> Rules:
    return Rules.of(Library(path=folder, overrides=tuple(map(Override.model_validate, found))))


class TestOverridesOfALibrary:
    def test_the_last_one_that_says_something_counts(self, tmp_path: Path) -> None:
        rules = rules_with(
            tmp_path,
            {"match": "Podcasts/**", "skip": True},
            {"match": "Podcasts/Songs/**", "skip": False, "language": "ja"},
            {"match": "*.live.mp3", "language": "fr"},
        )
        of = rules.overridden
        assert of(tmp_path / "Podcasts/a.mp3").skipped_by == "Podcasts/**"
        assert of(tmp_path / "Podcasts/Songs/a.mp3").skipped_by == ""
        assert of(tmp_path / "Podcasts/Songs/a.mp3").language == "ja"
        assert of(tmp_path / "Podcasts/Songs/a.live.mp3").language == "fr"
        assert of(tmp_path / "Rock/a.mp3") == Overridden()

    def test_are_for_the_songs_of_that_library_alone(self, tmp_path: Path) -> None:
        (tmp_path / "one").mkdir()
        (tmp_path / "two").mkdir()
        skip = {"match": "*.mp3", "skip": True}
        config = Config.model_validate(
            {
                "libraries": [
                    {"path": str(tmp_path / "one"), "overrides": [skip]},
                    {"path": str(tmp_path / "two")},
                ]
            }
        )
        for name, skipped in (("one", "*.mp3"), ("two", "")):
            song = tmp_path / name / "a.mp3"
            assert overrides.of_file(song, config).skipped_by == skipped
            assert overrides.of_song(song, tmp_path / name, config).skipped_by == skipped
            # Where its library is not known, a song belongs to the one that it lies in.
            assert overrides.of_song(song, None, config).skipped_by == skipped

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            ({"match": "Podcasts/**"}, "needs skip or language"),
            ({"match": "!Podcasts/**", "skip": True}, "takes nothing back"),
            ({"match": "x", "language": "klingon"}, "code of a language"),
            ({"skip": True}, "match"),
        ],
    )
    def test_that_say_nothing_are_refused(
        self, tmp_path: Path, wrong: dict[str, Any], reason: str
    ) -> None:
        from lyricsyncd.config.reader import load

        file = tmp_path / "config.yaml"
        file.write_text(json.dumps({"libraries": [{"path": "/music", "overrides": [wrong]}]}))
        with pytest.raises(ConfigError, match=reason):
            load(file)


class TestChoices:
    def test_are_stored_whole(self) -> None:
        chosen = Choices("ja", LYRICS, frozenset("a"), ((0, 1.5),), True, -0.25, True)
        assert unpack_choices(pack_choices(chosen)) == chosen

    def test_remember_which_words_are_repeats_that_may_not_be_sung(self) -> None:
        marked = from_plain("Row, row\n我们\n(x2)", Track())
        kept = unpack_choices(pack_choices(Choices(lyrics=marked))).lyrics
        assert kept is not None
        assert kept.repeats == marked.repeats == {1}
        assert kept.without_repeats({1}) == marked.without_repeats({1})

    def test_shift_the_words_of_every_run_but_those_that_lie_where_they_should(self) -> None:
        song = SongIdentification(Track(Path("a.mp3")))
        placed = SyncResult(song, LYRICS, 0.9, Decision.WORDS, "", aligner="sphinx")
        later = with_offset(placed, Choices(offset=0.5))
        assert (later.lyrics.words[0].start, later.offset) == (5.5, 0.5)
        assert with_offset(placed, Choices(offset=0.5, pins=((0, 5.0),))) is placed
        beside = Lyrics(LYRICS.lines, source="sidecar")
        own = SyncResult(song, beside, 0.9, Decision.WORDS, "", aligner="source")
        assert with_offset(own, Choices(offset=0.5)) is own


class TestAnEstimate:
    def test_takes_the_mean_length_for_songs_of_unknown_length(self, tmp_path: Path) -> None:
        shutil.copyfile(SONG, tmp_path / "b.mp3")
        known = Planned(tmp_path / "a.mp3", Work.QUEUED, length_s=100.0)
        unknown = Planned(tmp_path / "b.mp3", Work.NEW)
        alone = seconds_of([known], Pace(0.1, 5))
        assert alone == pytest.approx(10.0)
        both = seconds_of([known, unknown], Pace(0.1, 5))
        assert 1.0 < both - alone < 10.0
        assert seconds_of([known, unknown], Pace(0.1, 5), 2) == pytest.approx(both / 2)
        assert seconds_of([], Pace()) == 0.0


def with_overrides(home: Home, *found: dict[str, Any]) -> None:
    home.configure(libraries=[{"path": str(home.music), "overrides": list(found)}])


@pytest.mark.slow
class TestInALibrary:
    def test_a_skipped_folder_is_listed_and_left_alone_until_it_is_not_skipped(
        self, home: Home
    ) -> None:
        with_overrides(home, {"match": "Podcasts/**", "skip": True})
        home.drop("a.mp3")
        talk = home.drop("Podcasts/b.mp3")
        planned = home.asked("scan", "--dry-run")
        assert planned["would_queue"] == [str(home.music / "a.mp3")]
        assert planned["skipped"] == [{"path": str(talk), "reason": "overrides: Podcasts/**"}]
        assert planned["measured_with"] == 0
        assert planned["seconds"] > 0
        home.asked("scan", "--now")
        assert home.counts() == {"done": 1, "ignored": 1}
        assert home.asked("show", talk)["reason"] == "the configuration skips it: Podcasts/**"
        home.asked("scan", "--now", str(talk))
        assert home.counts() == {"done": 1, "ignored": 1}, "its folder is skipped for a scan, too"
        home.call("retry", talk)
        home.asked("scan", "--now")
        assert home.counts() == {"done": 2}, "a person named it"
        other, third = home.drop("Podcasts/c.mp3"), home.drop("Podcasts/d.mp3")
        home.asked("scan")
        assert home.asked("show", other)["state"] == "ignored", "it does not wait for its turn"
        (home.music / "Rock").mkdir()
        third.with_suffix(".elrc").rename(home.music / "Rock" / "d.elrc")
        third.rename(home.music / "Rock" / "d.mp3")
        home.asked("scan", "--now")
        assert home.asked("show", home.music / "Rock" / "d.mp3")["state"] == "done"
        home.configure()
        home.start()
        home.until(lambda: home.counts() == {"done": 4}, "it is no longer skipped")
        home.stop()

    def test_what_is_left_out_once_it_waits_waits_no_more(self, home: Home) -> None:
        home.drop("a.mp3")
        talk, old = home.drop("Podcasts/b.mp3"), home.drop("Old/c.mp3")
        home.asked("scan")
        home.configure(libraries=[{"path": str(home.music), "exclude": ["Podcasts"]}])
        (home.music / "Old" / ".lyricsyncignore").write_text("")
        home.start()
        home.until(lambda: home.counts() == {"done": 1, "ignored": 2}, "two are left out")
        for song in (talk, old):
            assert home.asked("show", song)["reason"].startswith("the configuration skips it: ")
            assert not song.with_suffix(".lrc").exists()
        (home.music / "Old" / ".lyricsyncignore").unlink()
        home.configure()
        assert home.process is not None
        home.process.send_signal(signal.SIGHUP)
        home.until(lambda: home.counts() == {"done": 3}, "nothing is left out any more")

    def test_songs_of_a_library_that_was_removed_wait_no_more(self, home: Home) -> None:
        song = home.drop("a.mp3")
        home.asked("scan")
        (home.folder / "other").mkdir()
        home.configure(libraries=[{"path": str(home.folder / "other")}])
        home.start()
        home.until(lambda: home.counts() == {"ignored": 1}, "it is left alone")
        assert "none of its libraries" in home.asked("show", song)["reason"]
        home.configure()
        assert home.process is not None
        home.process.send_signal(signal.SIGHUP)
        home.until(lambda: home.counts() == {"done": 1}, "it is of a library again")

    def test_songs_of_a_folder_that_a_person_names_need_no_library(self, home: Home) -> None:
        home.drop("../elsewhere/a.mp3")
        home.asked("scan", "--now", home.folder / "elsewhere")
        assert home.counts() == {"done": 1}

    def test_a_folder_s_language_is_that_of_its_songs_but_what_a_person_set_goes_over_it(
        self, home: Home
    ) -> None:
        with_overrides(home, {"match": "J-Pop/**", "language": "ja"})
        song, other = home.drop("J-Pop/a.mp3"), home.drop("b.mp3")
        assert home.asked("scan", "--dry-run")["languages"] == {str(song): "ja"}
        home.asked("scan", "--now")
        assert home.asked("show", song)["language"] == "ja"
        assert home.asked("show", other)["language"] != "ja"
        assert home.asked("sync", song)["language"] == "ja"
        home.call("set", song, "--language", "de")
        home.asked("scan", "--now")
        assert home.asked("show", song)["language"] == "de"
        assert home.asked("sync", song)["language"] == "de"
        assert home.asked("sync", song, "--language", "fr")["language"] == "fr"
        home.call("undo", song)
        home.call("retry", song)
        home.asked("scan", "--now")
        assert home.asked("show", song)["language"] == "ja", "undo forgot what was set"

    def test_instrumental_holds_for_later_runs_until_undo(self, home: Home) -> None:
        song = home.drop()
        home.asked("scan", "--now")
        home.call("set", song, "--instrumental")
        assert home.counts() == {"instrumental": 1}
        home.call("retry", song)
        home.asked("scan", "--now")
        assert home.counts() == {"instrumental": 1}
        assert "forget what was set" in home.call("undo", song, "--dry-run")
        assert home.asked("undo", song)["forgotten"] == [str(song)]
        assert home.counts() == {"ignored": 1}
        home.call("retry", song)
        home.asked("scan", "--now")
        assert home.counts() == {"done": 1}

    def test_an_offset_that_was_set_before_moves_the_words_once_they_are_placed(
        self, home: Home
    ) -> None:
        song = home.drop(words=None)
        words = home.folder / "words.elrc"
        words.write_text(TIMED, encoding="utf-8")
        home.asked("scan")
        home.call("set", song, "--lyrics", words, "--offset", "1.5")
        home.asked("scan", "--now")
        assert "<00:06.780>Twinkle" in song.with_suffix(".elrc").read_text(encoding="utf-8")
        home.call("undo", "--all")
        with Catalog(home.folder / "state" / FILE_NAME) as catalog:
            assert catalog.chosen_for() == []

    def test_rejected_words_are_remembered_beside_other_choices_and_forgotten_by_undo(
        self, home: Home
    ) -> None:
        song = home.drop()
        home.asked("scan", "--now")
        home.call("set", song, "--language", "de")
        home.asked("scan", "--now")
        home.call("reject", song)
        with Catalog(home.folder / "state" / FILE_NAME) as catalog:
            entry = catalog.by_path(song)
            assert entry is not None
            choices, draft = catalog.choices(entry.id), catalog.draft(entry.id)
            assert draft is not None
            assert choices == Choices("de", rejected=frozenset({words_key(draft.lyrics)}))
        assert home.asked("undo", song)["forgotten"] == [str(song)]
        home.call("retry", song)
        home.asked("scan", "--now")
        assert home.counts() == {"done": 1}

    def test_sync_takes_a_folder_and_tells_in_advance_what_it_would_do(self, home: Home) -> None:
        with_overrides(home, {"match": "Podcasts/**", "skip": True})
        songs = [home.drop("a.mp3"), home.drop("b/c.mp3")]
        home.drop("Podcasts/d.mp3")
        for named in ([], [home.music]):
            planned = home.asked("sync", *named, "--dry-run")
            assert planned["would_queue"] == sorted(map(str, songs))
            assert len(planned["skipped"]) == 1
        assert not songs[0].with_suffix(".lrc").exists()
        done = home.asked("sync", home.music)
        assert [report["decision"] for report in done] == ["words", "words"]
        (home.folder / "empty").mkdir()
        assert "no song in" in home.call("sync", home.folder / "empty", status=2)
        said = home.call("sync", home.music / "Podcasts", status=2)
        assert f"All songs in {home.music}/Podcasts are skipped: overrides: Podcasts/**" in said
        assert "Name songs or folders" in home.call("sync", status=2)
