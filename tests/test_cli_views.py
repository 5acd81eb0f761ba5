"""What `status`, `show` and `queue` say, to a person and to a pipe."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from lyricsyncd.catalog.catalog import FILE_NAME, Catalog
from lyricsyncd.catalog.records import Fingerprint, Outcome, Priority, Rest, State
from lyricsyncd.cli import phrases, tables, views
from lyricsyncd.cli.queue import queue
from lyricsyncd.cli.show import show
from lyricsyncd.cli.status import status
from lyricsyncd.library.roots import obstacles
from lyricsyncd.library.status import status as reported_of
from lyricsyncd.model import Track

MUSIC = Path("/music")
LONG = "The Song With a Title That Goes On and On, Far Beyond the Edge of Any Terminal" * 3


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("LYRICSYNCD_CONFIG", str(tmp_path / "config.yaml"))
    (tmp_path / "config.yaml").write_text("{}")
    with Catalog(tmp_path / FILE_NAME) as catalog:
        yield catalog


def add(catalog: Catalog, name: str, outcome: Outcome | None = None, title: str = "") -> int:
    """A song in the catalog; with an outcome, it has been worked on."""
    path = MUSIC / name
    catalog.enqueue(path, Priority.IMPORT, "new file", library=MUSIC, fingerprint=Fingerprint(1, 1))
    id = catalog.ids([path])[path]
    if outcome is not None or title:
        assert catalog.claim("me", 60, only=[id]) is not None
        track = Track(path, artist="Ann", artists=("Ann",), title=title or None)
        catalog.found(id, "me", track)
    if outcome is not None:
        assert catalog.finish(id, "me", outcome)
    return id


def said(command: Any, *arguments: str) -> list[str]:
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


DONE = Outcome(State.DONE, "99% are in place: enough", quality=0.93, source="lrclib")
AWAY = Outcome(
    State.PENDING, "it cannot be reached", (0.0,), "Unreachable", "It cannot be reached", "host"
)


class TestASongThatIsQueuedAnew:
    def test_has_no_longer_the_reason_of_its_last_result(self, catalog: Catalog) -> None:
        id = add(catalog, "a.mp3", Outcome(State.IGNORED, "a person rejected these words"))
        assert "a person rejected these words" in said(queue, "--state", "ignored")[1]
        catalog.retry([id])
        assert "a person asked" in said(queue)[1]
        assert "reason    a person asked" in said(show, str(id))


class TestTheStatus:
    @pytest.mark.usefixtures("catalog")
    def test_of_a_service_that_does_not_run_says_how_to_start_it(self) -> None:
        assert said(status)[0] == "service  not running: start it with `lyricsyncd run`"

    @pytest.mark.usefixtures("catalog")
    def test_without_a_library_says_how_to_name_one(self) -> None:
        assert "library  none: name one with `lyricsyncd init --library DIR`" in said(status)

    @pytest.mark.usefixtures("catalog")
    def test_of_a_library_before_its_first_scan_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "music").mkdir()
        (tmp_path / "music" / "a.mp3").touch()
        (tmp_path / "config.yaml").write_text(f"libraries: [{{path: {tmp_path / 'music'}}}]\n")
        assert f"library  {tmp_path / 'music'} (not scanned yet)" in said(status)

    def test_has_the_total_the_share_and_the_last_results(self, catalog: Catalog) -> None:
        for number in range(3):
            add(catalog, f"{number}.mp3", DONE, f"Song {number}")
        add(catalog, "new.mp3")
        lines = said(status)
        assert "progress  75 %, 3 of 4 songs" in lines
        assert "songs     1 pending, 3 done" in lines
        assert any(line.startswith("latest    done  0.93  lrclib") for line in lines)

    def test_counts_songs_of_which_some_lines_have_word_times(self, catalog: Catalog) -> None:
        outcome = Outcome(
            State.MIXED,
            "About 84% of the words are expected to be in place: 31 of 40 lines are sure enough",
            quality=0.84,
            lines=40,
            words=300,
            lines_with_words=31,
            words_timed=240,
        )
        add(catalog, "a.mp3", outcome, "Song")
        assert "songs     1 mixed" in said(status)
        assert "words     300 in 40 lines, 240 with times in 31" in said(show, "a.mp3")
        assert any("31 of 40 lines" in line for line in said(queue, "--state", "mixed"))

    def test_is_not_complete_before_the_last_song(self, catalog: Catalog) -> None:
        for number in range(999):
            add(catalog, f"{number}.mp3")
        catalog.write(lambda db: db.execute("UPDATE tracks SET state = 'done' WHERE id > 1"))
        assert any("99 %" in line for line in said(status))

    def test_tells_the_pace_and_the_time_that_is_left(self, catalog: Catalog) -> None:
        for number in range(4):
            add(catalog, f"{number}.mp3", DONE)
        add(catalog, "new.mp3")
        ago = (time.time() - 120, time.time())
        catalog.write(lambda db: db.execute("UPDATE tracks SET started_at = ?", ago[:1]))
        reported = reported_of(catalog, [], running=True)
        assert reported["songs_per_hour"] == pytest.approx(120, rel=0.1)
        assert reported["seconds_left"] == pytest.approx(30, abs=4)
        assert any("about 30 s left" in value for _, value, _ in views.status_rows(reported))

    def test_tells_no_pace_where_nothing_is_to_be_done(self, catalog: Catalog) -> None:
        for number in range(4):
            add(catalog, f"{number}.mp3", DONE)
        assert reported_of(catalog, [], running=True)["seconds_left"] is None

    def test_tells_what_waits_for_what_and_until_when(self, catalog: Catalog) -> None:
        for number in range(3):
            add(catalog, f"{number}.mp3", AWAY)
        until = time.time() + 60
        catalog.note_rests([Rest("host", until, "host cannot be reached ([Errno 111])")])
        when = phrases.clock(until)
        assert f"waiting   3 songs wait for host (cannot be reached), next try {when}" in said(
            status
        )

    def test_says_of_a_song_that_waits_for_the_model_that_it_does(self, catalog: Catalog) -> None:
        id = add(catalog, "a.mp3", title="Song")
        catalog.progress(id, "me", "waiting", 0.0)
        assert any("waits for the model: Ann - Song" in line for line in said(status))
        assert not any("0%" in line for line in said(status))

    def test_says_why_the_models_rest(self, catalog: Catalog) -> None:
        catalog.note_quiet("quiet hours, 22:00-07:00")
        reported = reported_of(catalog, [], running=True)
        assert views.status_rows(reported)[0][1] == "resting: quiet hours, 22:00-07:00"

    def test_fits_a_narrow_terminal_with_a_line_for_each_result(self, catalog: Catalog) -> None:
        add(catalog, "a.mp3", DONE, LONG)
        reported = reported_of(catalog, [], running=True)
        terminal = Console(width=80, force_terminal=True, color_system=None, record=True)
        with terminal.capture() as capture:
            terminal.print(tables.facts(views.status_rows(reported)))
        lines = capture.get().splitlines()
        assert all(len(line) <= 80 for line in lines)
        assert sum("The Song" in line or "Any Terminal" in line for line in lines) == 1


class TestAPipe:
    """Programs and `less` get every line whole."""

    def test_gets_queue_without_wrapped_or_cut_lines(self, catalog: Catalog) -> None:
        add(catalog, "a.mp3", DONE, LONG)
        title, row = said(queue, "--state", "done")
        assert title.split() == ["id", "song", "state", "quality", "why"]
        assert LONG in row

    def test_gets_show_without_wrapped_or_cut_lines(self, catalog: Catalog) -> None:
        add(catalog, "a.mp3", DONE, LONG)
        assert f"song      Ann - {LONG}" in said(show, "a.mp3")

    def test_gets_one_line_for_a_name_with_line_breaks(self, catalog: Catalog) -> None:
        add(catalog, "a\n\x1b[31mb.mp3")
        assert len(said(queue)) == 2


class TestReasons:
    def test_are_short_in_the_queue(self, catalog: Catalog) -> None:
        failed = Outcome(
            State.FAILED,
            f"{MUSIC / 'a.mp3'} is no audio file",
            None,
            "AudioError",
            f"{MUSIC / 'a.mp3'} is no audio file. Give it as MP3",
        )
        add(catalog, "a.mp3", failed)
        assert said(queue, "--state", "failed")[1].endswith("it is no audio file")
        assert any("Give it as MP3" in line for line in said(show, "a.mp3"))

    def test_name_the_host_that_a_song_waits_for(self, catalog: Catalog) -> None:
        add(catalog, "a.mp3", AWAY)
        assert said(queue)[1].endswith("waits for host")

    def test_tell_when_a_song_is_tried_again(self, catalog: Catalog) -> None:
        add(catalog, "a.mp3", Outcome(State.PENDING, "the disk is full", (300.0,), "OSError", "?"))
        assert said(queue)[1].endswith("the disk is full (again in 5 min)")


class TestWhatIsNotThere:
    def test_is_none(self, catalog: Catalog) -> None:
        add(catalog, "a.mp3")
        lines = said(show, "a.mp3")
        for label in ("quality", "words", "source", "language", "written", "notes"):
            assert f"{label:<8}  none" in lines
        assert said(queue, "--state", "failed") == ["None: there is no such song"]

    def test_is_null_in_json(self, catalog: Catalog) -> None:
        add(catalog, "a.mp3")
        reported = json.loads("\n".join(said(show, "a.mp3", "--json")))
        assert reported["quality"] is None
        assert reported["written"] == []


class TestLibrariesThatCannotBeWatched:
    def test_none_is_named(self) -> None:
        (line,) = obstacles([])
        assert "lyricsyncd init --library DIR" in line

    def test_one_is_gone(self, tmp_path: Path) -> None:
        (line,) = obstacles([tmp_path / "gone"])
        assert "is not there" in line
        assert "mount it" in line

    def test_one_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert "is not a folder" in obstacles([tmp_path / "file"])[0]

    def test_one_is_empty_as_a_mount_point_is(self, tmp_path: Path) -> None:
        assert "is empty" in obstacles([tmp_path])[0]

    def test_one_with_music_is_watched(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp3").touch()
        assert obstacles([tmp_path]) == []


def test_wrong_settings_are_red_in_the_status(tmp_path: Path) -> None:
    with Catalog(tmp_path / FILE_NAME) as catalog:
        catalog.note_settings_error("there is no aligner 'sphynx'")
        rows = views.status_rows(reported_of(catalog, [], running=True))
    assert rows[0] == ("service", "running, but no song is taken up", "red")
    assert ("settings", "there is no aligner 'sphynx'", "red") in rows
