"""Files that are a danger to parse: each costs itself an error, and nobody else anything."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricsyncd.config.schema import Output
from lyricsyncd.errors import AudioError, LyricsyncError, WorkerLost
from lyricsyncd.identify import read_tags
from lyricsyncd.identify.tags import parse_tags
from lyricsyncd.lyrics.local import LocalSource
from lyricsyncd.model import Line, Lyrics, Track
from lyricsyncd.processes import sandbox
from lyricsyncd.processes.sandbox import Sandbox
from lyricsyncd.tags import Journal, write_sandboxed
from tests import hostile_songs
from tests import sandbox_tasks as tasks
from tests.hostile_songs import HOSTILE, MB, SONG, compressed, frame, mp3
from tests.waiting import until

WORDS = Lyrics((Line.from_text("Twinkle, twinkle", 1.0),))


@functools.cache
def compressed_zeros() -> bytes:
    return compressed(b"TIT2", 600 * MB)


def bomb_bytes() -> bytes:
    return mp3(compressed_zeros())


@pytest.fixture
def child() -> Iterator[Sandbox]:
    """A child with limits that are soon reached."""
    child = Sandbox("test reader", processor_s=2.0, data_bytes=128 * MB, wall_s=60.0)
    yield child
    child.close()


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return Path(shutil.copy(SONG, tmp_path / "song.mp3"))


class TestAWarning:
    def test_of_a_reader_reaches_the_log_and_names_the_file(
        self, song: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        words = song.with_suffix(".lrc")
        words.write_text("[00:01.00]Sung one\n[00:05.00]Sung two\n(in the booklet)\n")
        assert LocalSource().find(Track(song))
        (record,) = [each for each in caplog.records if each.levelname == "WARNING"]
        assert record.getMessage().startswith(f"{words}: 1 lines without a time")
        assert record.name.startswith("lyricsyncd.")

    def test_is_logged_a_limited_number_of_times(
        self, child: Sandbox, song: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        child.run(tasks.warn, song, 1000)
        assert len(caplog.records) == sandbox._MOST_WARNINGS


@pytest.fixture
def slow_module(tmp_path: Path) -> Path:
    """A module that takes three seconds of processor time to load."""
    module = tmp_path / "slow_module.py"
    module.write_text(
        "import time\nNAME = 'slow'\nwhile time.process_time() < 3.0:\n    import json\n"
    )
    return module


class TestALimit:
    def test_processor_time_ends_the_call(self, child: Sandbox, song: Path) -> None:
        with pytest.raises(AudioError, match=r"song\.mp3 .* 2 s of processor time") as raised:
            child.run(tasks.spin, song)
        assert not raised.value.transient

    def test_does_not_count_the_modules_that_a_call_loads(
        self, child: Sandbox, slow_module: Path
    ) -> None:
        assert child.run(tasks.load, slow_module) == "slow"

    def test_is_there_after_a_call_has_loaded_modules(
        self, child: Sandbox, slow_module: Path
    ) -> None:
        with pytest.raises(AudioError, match="2 s of processor time"):
            child.run(tasks.load_and_spin, slow_module)

    def test_memory_ends_the_call(self, child: Sandbox, song: Path) -> None:
        with pytest.raises(AudioError, match="128 MB of memory"):
            child.run(tasks.hoard, song)

    def test_memory_is_limited_by_the_system_and_leaves_no_core(
        self, child: Sandbox, song: Path
    ) -> None:
        assert child.run(tasks.limits_of, song) == (128 * MB, 0)

    def test_a_crash_of_a_parser_is_the_files_fault(self, child: Sandbox, song: Path) -> None:
        with pytest.raises(AudioError, match="SIGSEGV"):
            child.run(tasks.die, song, signal.SIGSEGV)

    def test_a_disk_that_does_not_answer_is_not(self, song: Path) -> None:
        child = Sandbox("test reader", processor_s=2.0, data_bytes=128 * MB, wall_s=0.5)
        with pytest.raises(AudioError, match="within") as raised:
            child.run(tasks.hang, song)
        assert raised.value.transient
        child.close()

    def test_nor_is_a_child_that_is_killed_from_outside(self, child: Sandbox, song: Path) -> None:
        with pytest.raises(WorkerLost, match="SIGKILL"):
            child.run(tasks.die, song, signal.SIGKILL)
        assert child.run(tasks.pid_of, song)


class TestAfterwards:
    def test_another_file_is_read(self, child: Sandbox, song: Path, tmp_path: Path) -> None:
        other = Path(shutil.copy(song, tmp_path / "other.mp3"))
        first = child.run(tasks.pid_of, other)
        with pytest.raises(AudioError):
            child.run(tasks.spin, song)
        assert child.run(tasks.pid_of, other) not in (first, os.getpid())

    def test_the_file_is_not_parsed_again(self, child: Sandbox, song: Path) -> None:
        with pytest.raises(AudioError):
            child.run(tasks.die, song, signal.SIGSEGV)
        with pytest.raises(AudioError, match="SIGSEGV"):
            child.run(tasks.pid_of, song)

    def test_until_it_has_changed(self, child: Sandbox, song: Path) -> None:
        with pytest.raises(AudioError):
            child.run(tasks.die, song, signal.SIGSEGV)
        song.write_bytes(song.read_bytes()[:-1])
        assert child.run(tasks.pid_of, song)

    def test_callers_that_wait_for_the_same_file_do_not_try_it_each(
        self, child: Sandbox, song: Path, tmp_path: Path
    ) -> None:
        log = tmp_path / "log"
        errors: list[LyricsyncError] = []

        def ask() -> None:
            try:
                child.run(tasks.note_and_crash, song, log)
            except LyricsyncError as error:
                errors.append(error)

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(errors) == 5
        assert log.read_text() == "tried\n"


class TestACall:
    def test_errors_keep_their_kind_and_remedy(self, child: Sandbox, song: Path) -> None:
        with pytest.raises(AudioError, match="not for us") as raised:
            child.run(tasks.refuse, song)
        assert raised.value.remedy == "Choose another"

    def test_the_child_is_the_same_for_the_next(self, child: Sandbox, song: Path) -> None:
        assert child.run(tasks.pid_of, song) == child.run(tasks.pid_of, song)

    def test_can_be_interrupted(self, child: Sandbox, song: Path) -> None:
        def interrupt() -> None:
            note = song.with_name("pid")
            until(lambda: note.exists() and note.read_text(), "the child")
            child.interrupt()

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(WorkerLost):
            child.run(tasks.hang, song)
        thread.join()

    def test_relative_paths_start_from_the_callers_folder(
        self, song: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert read_tags(song).title
        folder = song.parent / "deeper"
        folder.mkdir()
        monkeypatch.chdir(folder)
        assert read_tags(Path("../song.mp3")).path == Path("../song.mp3")


class TestReading:
    def test_is_what_it_is_without_limits(self, song: Path) -> None:
        assert read_tags(song) == parse_tags(song)

    @pytest.mark.slow
    def test_a_small_file_that_unpacks_to_much_is_refused(self, tmp_path: Path) -> None:
        bomb = tmp_path / "bomb.mp3"
        bomb.write_bytes(bomb_bytes())
        with pytest.raises(AudioError, match="cannot be read safely"):
            read_tags(bomb)
        assert LocalSource().find(Track(path=bomb)) == []

    def test_words_beside_such_a_song_are_still_found(self, tmp_path: Path) -> None:
        bomb = tmp_path / "bomb.mp3"
        bomb.write_bytes(bomb_bytes())
        bomb.with_suffix(".lrc").write_text("[00:01.00]Twinkle\n", encoding="utf-8")
        (found,) = LocalSource().find(Track(path=bomb))
        assert found.source == "sidecar"

    def test_of_very_many_lyrics_some_are_enough(self, tmp_path: Path) -> None:
        many = tmp_path / "many.flac"
        many.write_bytes(hostile_songs.flac(f"LYRICS=la la {number}" for number in range(1000)))
        assert 0 < len(LocalSource().find(Track(path=many))) < 100

    def test_more_tags_than_any_song_has_are_refused(self, tmp_path: Path) -> None:
        # They would cost whatever decodes the song the square of their number.
        many = tmp_path / "many.flac"
        many.write_bytes(hostile_songs.flac(f"K{number}=v" for number in range(20_000)))
        with pytest.raises(AudioError, match="20000 tags"):
            read_tags(many)
        assert LocalSource().find(Track(path=many)) == []

    def test_of_very_many_artists_too(self, tmp_path: Path) -> None:
        many = tmp_path / "many.flac"
        many.write_bytes(hostile_songs.flac(f"ARTIST=a{number}" for number in range(1000)))
        assert 0 < len(read_tags(many).artists) <= 100


class TestWriting:
    def test_into_tags_is_done_apart(self, song: Path, tmp_path: Path) -> None:
        report = write_sandboxed(
            song, WORDS, Output(preset="embed"), journal=Journal(tmp_path / "journal.db")
        )
        assert report.written == (song,)
        assert sandbox.WRITER.pid is not None
        (found,) = {each.id for each in LocalSource().find(Track(path=song))} & {"SYLT"}
        assert found == "SYLT"

    def test_a_dangerous_frame_is_carried_over_and_not_parsed(self, tmp_path: Path) -> None:
        bomb = tmp_path / "bomb.mp3"
        bomb.write_bytes(bomb_bytes())
        journal = Journal(tmp_path / "journal.db")
        assert write_sandboxed(bomb, WORDS, Output(preset="embed"), journal=journal).written
        assert compressed_zeros() in bomb.read_bytes()


def refused(song: Path) -> AudioError | None:
    """Why a song cannot be read; ``None`` if it can."""
    try:
        read_tags(song)
    except AudioError as error:
        return error
    return None


@pytest.mark.slow
class TestEveryHostileKind:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_costs_only_itself(self, name: str, song: Path, tmp_path: Path) -> None:
        hostile = tmp_path / name
        hostile.write_bytes(HOSTILE[name]())
        error = refused(hostile)
        assert error is None or (len(str(error).splitlines()) == 1 and not error.transient)
        LocalSource().find(Track(path=hostile))
        assert read_tags(song).title

    @pytest.mark.parametrize("name", HOSTILE)
    def test_is_written_into_or_left_as_it_is(self, name: str, tmp_path: Path) -> None:
        hostile = tmp_path / name
        content = HOSTILE[name]()
        hostile.write_bytes(content)
        journal = Journal(tmp_path / "journal.db")
        try:
            report = write_sandboxed(hostile, WORDS, Output(preset="embed"), journal=journal)
        except LyricsyncError:
            report = None
        if report is None or hostile not in report.written:
            assert hostile.read_bytes() == content

    def test_a_picture_of_a_healthy_size_is_no_reason_to_refuse_a_song(
        self, tmp_path: Path
    ) -> None:
        song = tmp_path / "song.mp3"
        song.write_bytes(mp3(frame(b"APIC", b"\0image/png\0\3\0" + bytes(40 * MB))))
        assert read_tags(song).duration
