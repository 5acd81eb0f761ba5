"""A sidecar is ours to change only while it is what we wrote; it is changed whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lyricsyncd.errors import WriteError
from lyricsyncd.tags import Journal, atomic, stamp, undo
from lyricsyncd.tags.sidecar import Outcome, Request, remove_sidecar, write_sidecar

OURS = stamp.signed(f"[re:{stamp.TOOL}]\n[00:01.00]Row, row\n")
OURS_TOO = stamp.signed(f"[re:{stamp.TOOL}]\n[00:02.00]Row your boat\n")
THEIRS = b"[00:01.00]mine, by hand\n"


@pytest.fixture
def song(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    path = folder / "song.mp3"
    path.write_bytes(b"not listened to")
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.db")


@pytest.fixture
def request_(song: Path, journal: Journal) -> Request:
    return Request(song, journal)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestWhatIsOurs:
    def test_a_new_sidecar_is_written(self, song: Path, request_: Request) -> None:
        path = song.with_suffix(".lrc")
        assert write_sidecar(path, OURS, request_) == (Outcome.WRITTEN, "")
        assert path.read_bytes() == OURS

    def test_plain_words_of_a_person_are_kept_with_two_ways_to_have_them_timed(
        self, song: Path, request_: Request
    ) -> None:
        path = song.with_suffix(".lrc")
        path.write_text("Row, row\nGently down the stream\n")
        outcome, why = write_sidecar(path, OURS, request_)
        assert outcome is Outcome.KEPT
        assert "its words have no times" in why
        assert f"sync --replace {song}" in why
        assert "rename it to song.txt" in why
        assert path.read_text() == "Row, row\nGently down the stream\n"

    def test_timed_words_of_a_person_are_kept_with_a_way_to_replace_them(
        self, song: Path, request_: Request
    ) -> None:
        path = song.with_suffix(".lrc")
        path.write_bytes(THEIRS)
        outcome, why = write_sidecar(path, OURS, request_)
        assert outcome is Outcome.KEPT
        assert f"sync --replace {song}" in why
        assert "rename" not in why

    def test_what_we_wrote_is_replaced(self, song: Path, request_: Request) -> None:
        path = song.with_suffix(".lrc")
        write_sidecar(path, OURS, request_)
        assert write_sidecar(path, OURS_TOO, request_)[0] is Outcome.WRITTEN
        assert path.read_bytes() == OURS_TOO

    def test_what_a_person_wrote_is_kept(self, song: Path, request_: Request) -> None:
        path = song.with_suffix(".lrc")
        path.write_bytes(THEIRS)
        outcome, why = write_sidecar(path, OURS, request_)
        assert outcome is Outcome.KEPT
        assert "not ours" in why
        assert path.read_bytes() == THEIRS

    def test_what_a_person_edited_after_us_is_kept(self, song: Path, request_: Request) -> None:
        path = song.with_suffix(".lrc")
        write_sidecar(path, OURS, request_)
        path.write_bytes(OURS.replace(b"Row, row", b"Row, Row"))
        assert write_sidecar(path, OURS_TOO, request_)[0] is Outcome.KEPT

    def test_without_the_journal_the_mark_tells(self, song: Path, tmp_path: Path) -> None:
        path = song.with_suffix(".lrc")
        path.write_bytes(OURS)
        fresh = Request(song, Journal(tmp_path / "other.db"))
        assert write_sidecar(path, OURS_TOO, fresh)[0] is Outcome.WRITTEN

    def test_a_mark_on_edited_words_is_no_proof(self, song: Path, request_: Request) -> None:
        path = song.with_suffix(".lrc")
        path.write_bytes(OURS.replace(b"Row, row", b"Mine"))
        assert write_sidecar(path, OURS_TOO, request_)[0] is Outcome.KEPT

    def test_what_has_no_mark_is_known_by_the_journal(self, song: Path, request_: Request) -> None:
        path = song.with_suffix(".txt")
        write_sidecar(path, b"Row\n", request_)
        assert write_sidecar(path, b"Row your boat\n", request_)[0] is Outcome.WRITTEN

    def test_the_same_lyrics_are_not_written_again(self, song: Path, request_: Request) -> None:
        path = song.with_suffix(".lrc")
        write_sidecar(path, OURS, request_)
        os.utime(path, ns=(1, 1))
        assert write_sidecar(path, OURS, request_)[0] is Outcome.UNCHANGED
        assert path.stat().st_mtime_ns == 1

    def test_a_new_version_of_us_does_not_rewrite_the_library(
        self, song: Path, request_: Request
    ) -> None:
        path = song.with_suffix(".lrc")
        path.write_bytes(OURS.replace(b"lyricsyncd 0", b"lyricsyncd 9"))
        assert write_sidecar(path, OURS, request_)[0] is Outcome.UNCHANGED

    def test_the_same_lyrics_by_a_person_stay_the_persons(
        self, song: Path, request_: Request, journal: Journal
    ) -> None:
        path = song.with_suffix(".txt")
        path.write_bytes(b"Row\n")
        assert write_sidecar(path, b"Row\n", request_)[0] is Outcome.UNCHANGED
        assert journal.entries() == ()
        assert write_sidecar(path, b"Row, row\n", request_)[0] is Outcome.KEPT

    def test_a_persons_choice_gives_way_to_a_persons_choice_only(
        self, song: Path, journal: Journal
    ) -> None:
        path = song.with_suffix(".lrc")
        by_hand = Request(song, journal, by_hand=True)
        write_sidecar(path, b"[00:01.00]chosen\n", by_hand)
        assert write_sidecar(path, OURS, Request(song, journal))[0] is Outcome.KEPT
        assert write_sidecar(path, b"[00:02.00]other\n", by_hand)[0] is Outcome.WRITTEN

    def test_force_replaces_and_the_journal_keeps(self, song: Path, journal: Journal) -> None:
        path = song.with_suffix(".lrc")
        path.write_bytes(THEIRS)
        assert write_sidecar(path, OURS, Request(song, journal, force=True))[0] is Outcome.WRITTEN
        undo(journal, [song])
        assert path.read_bytes() == THEIRS

    def test_one_sidecar_of_two_songs_goes_to_the_first(
        self, song: Path, request_: Request, journal: Journal
    ) -> None:
        twin = song.with_suffix(".flac")
        twin.write_bytes(b"x")
        path = song.with_suffix(".lrc")
        write_sidecar(path, OURS, request_)
        outcome, why = write_sidecar(path, OURS_TOO, Request(twin, journal))
        assert outcome is Outcome.KEPT
        assert "song.mp3" in why
        song.unlink()
        assert write_sidecar(path, OURS_TOO, Request(twin, journal))[0] is Outcome.WRITTEN

    @pytest.mark.parametrize("make", ["link", "folder", "fifo", "large"])
    @pytest.mark.parametrize("force", [False, True])
    def test_what_is_no_plain_small_file_is_kept(
        self, song: Path, journal: Journal, make: str, force: bool
    ) -> None:
        path = song.with_suffix(".lrc")
        if make == "link":
            path.symlink_to("elsewhere.lrc")
        elif make == "folder":
            path.mkdir()
        elif make == "fifo":
            os.mkfifo(path)
        else:
            with path.open("wb") as file:
                file.truncate(atomic.MAX_BYTES + 1)
        before = path.lstat()
        outcome, _ = write_sidecar(path, OURS, Request(song, journal, force=force))
        assert outcome is Outcome.KEPT
        assert path.lstat().st_ino == before.st_ino

    def test_only_ours_is_removed(self, song: Path, journal: Journal) -> None:
        path = song.with_suffix(".elrc")
        request = Request(song, journal, force=True)
        assert remove_sidecar(path, request) is Outcome.UNCHANGED
        path.write_bytes(THEIRS)
        assert remove_sidecar(path, request) is Outcome.KEPT
        assert path.read_bytes() == THEIRS
        path.write_bytes(OURS)
        assert remove_sidecar(path, request) is Outcome.REMOVED
        assert not path.exists()

    def test_a_dry_run_touches_nothing(self, song: Path, journal: Journal) -> None:
        dry = Request(song, journal, dry_run=True)
        assert write_sidecar(song.with_suffix(".lrc"), OURS, dry)[0] is Outcome.WRITTEN
        assert names(song.parent) == ["song.mp3"]
        assert not journal.path.parent.exists()


class TestTheMark:
    @given(body=st.text(), at=st.integers(min_value=0), byte=st.binary(min_size=1, max_size=1))
    def test_any_changed_byte_breaks_it(self, body: str, at: int, byte: bytes) -> None:
        data = stamp.signed(f"[re:{stamp.TOOL}]\n{body}")
        assert stamp.verify(data)
        at %= len(data)
        edited = data[:at] + byte + data[at + 1 :]
        if edited != data:
            assert not stamp.verify(edited)

    @given(body=st.text())
    def test_text_without_a_mark_is_as_it_was(self, body: str) -> None:
        data = stamp.signed(body)
        assert data == body.encode()
        assert not stamp.verify(data)
        assert stamp.stripped(data) == data

    def test_two_marks_prove_nothing(self) -> None:
        assert not stamp.verify(OURS + OURS)
        assert not stamp.verify(stamp.signed(f"{stamp.TOOL}\n{stamp.TOOL}"))


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["we", "force", "by hand", "remove", "person", "person deletes", "undo"]),
        st.sampled_from([b"one\n", b"two\n", OURS, OURS_TOO]),
    ),
    max_size=10,
)


class TestOwnership:
    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(actions=ACTIONS)
    def test_no_order_of_events_loses_what_a_person_wrote(
        self, actions: list[tuple[str, bytes]], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """Persons write words of their own; whatever is requested without force, these are
        there until a person replaces or deletes them; with force, undo brings them back."""
        folder = tmp_path_factory.mktemp("ownership")
        song, path = folder / "a.mp3", folder / "a.lrc"
        song.write_bytes(b"")
        journal = Journal(folder / "state" / "journal.db")
        persons: bytes | None = None
        forced = False
        for number, (who, data) in enumerate(actions):
            if who == "person":
                persons, forced = b"by a person %d\n" % number + data, False
                path.write_bytes(persons)
            elif who == "person deletes":
                # Where nothing is, a person does not say that there should be nothing.
                if path.exists():
                    path.unlink()
                    persons, forced = None, False
            elif who == "undo":
                undo(journal)
                forced = False
                assert (path.read_bytes() if path.exists() else None) == persons
            elif who == "remove":
                remove_sidecar(path, Request(song, journal))
            else:
                request = Request(song, journal, force=who == "force", by_hand=who == "by hand")
                write_sidecar(path, data, request)
                forced = forced or who == "force"
            if persons is not None and not forced:
                assert path.read_bytes() == persons
        undo(journal)
        assert (path.read_bytes() if path.exists() else None) == persons


class TestAttributes:
    def test_a_new_sidecar_has_the_songs_mode_and_is_no_program(
        self, song: Path, request_: Request
    ) -> None:
        song.chmod(0o775)
        path = song.with_suffix(".lrc")
        write_sidecar(path, OURS, request_)
        assert stat.S_IMODE(path.stat().st_mode) == 0o664

    def test_a_replaced_sidecar_keeps_mode_owner_and_attributes(
        self, song: Path, request_: Request
    ) -> None:
        path = song.with_suffix(".lrc")
        write_sidecar(path, OURS, request_)
        path.chmod(0o640)
        if os.geteuid() == 0:
            os.chown(path, 1234, 5678)
        try:
            os.setxattr(path, "user.colour", b"green")
        except OSError:
            pytest.skip("no extended attributes here")
        before = path.stat()
        write_sidecar(path, OURS_TOO, request_)
        after = path.stat()
        assert after.st_ino != before.st_ino
        assert (after.st_mode, after.st_uid, after.st_gid) == (
            before.st_mode,
            before.st_uid,
            before.st_gid,
        )
        assert os.getxattr(path, "user.colour") == b"green"

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    def test_a_new_sidecar_belongs_to_the_songs_owner(self, song: Path, request_: Request) -> None:
        os.chown(song, 1234, 5678)
        path = song.with_suffix(".lrc")
        write_sidecar(path, OURS, request_)
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 5678)


class TestWhatGoesWrong:
    def test_a_song_that_went_away_gets_no_sidecar(self, song: Path, request_: Request) -> None:
        song.unlink()
        with pytest.raises(WriteError, match="moved or deleted"):
            write_sidecar(song.with_suffix(".lrc"), OURS, request_)
        assert names(song.parent) == []
        assert request_.journal.entries() == ()

    def test_a_folder_that_went_away_is_an_error(self, song: Path, request_: Request) -> None:
        song.unlink()
        song.parent.rmdir()
        with pytest.raises(WriteError, match="moved or deleted"):
            write_sidecar(song.with_suffix(".lrc"), OURS, request_)

    def test_without_a_journal_nothing_is_written(self, song: Path, tmp_path: Path) -> None:
        (tmp_path / "state").write_bytes(b"a file where a folder should be")
        journal = Journal(tmp_path / "state" / "journal.db")
        with pytest.raises(WriteError, match="STATE_DIRECTORY"):
            write_sidecar(song.with_suffix(".lrc"), OURS, Request(song, journal))
        assert names(song.parent) == ["song.mp3"]

    def test_a_journal_that_cannot_be_repaired_lets_nothing_be_written(
        self, song: Path, journal: Journal
    ) -> None:
        journal.path.parent.mkdir()
        journal.path.write_bytes(b"no database at all" * 100)
        # Where the damaged one is kept there is a folder.
        (journal.path.parent / "journal.db.broken").mkdir()
        with pytest.raises(WriteError, match="cannot be replaced"):
            write_sidecar(song.with_suffix(".lrc"), OURS, Request(song, journal))
        assert names(song.parent) == ["song.mp3"]

    def test_a_full_disk_leaves_the_old_and_no_rubbish(self, song: Path, journal: Journal) -> None:
        """A limit on file sizes stands in for the disk; the error is another, the way is one."""
        path = song.with_suffix(".lrc")
        write_sidecar(path, OURS, Request(song, journal))
        reported = run_limited(
            song,
            journal,
            # The journal fits; the lyrics do not.
            "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))",
            "OURS_TOO + b'x' * 300_000",
            expect=None,
        )
        assert "limit of file sizes" in reported
        assert path.read_bytes() == OURS
        assert names(song.parent) == ["song.lrc", "song.mp3"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
    def test_without_permission_the_error_names_the_folder(
        self, song: Path, journal: Journal
    ) -> None:
        song.parent.chmod(0o755)
        journal.path.parent.mkdir()
        journal.path.parent.chmod(0o777)
        for parent in song.parents:
            if parent.stat().st_mode & 0o005 != 0o005 and parent.owner() == "root":
                parent.chmod(parent.stat().st_mode | 0o005)
        reported = run_limited(song, journal, "import os; os.setuid(65534)", "OURS")
        assert f"Let the user with id 65534 write to {song.parent}" in reported
        assert names(song.parent) == ["song.mp3"]

    @pytest.mark.parametrize(
        ("code", "remedy", "transient"),
        [
            (errno.ENOSPC, "Free some space", True),
            (errno.EDQUOT, "Free some space", True),
            (errno.EROFS, "Mount the file system", False),
            (errno.EACCES, "Let the user", False),
            (errno.ESTALE, "network share", True),
            (errno.EINVAL, "Check the file system", False),
        ],
    )
    def test_every_refusal_has_a_remedy(self, code: int, remedy: str, transient: bool) -> None:
        error = atomic._refusal(Path("/music/a.lrc"), OSError(code, os.strerror(code)))
        assert "/music" in str(error)
        assert remedy in error.remedy
        assert error.transient is transient

    def test_a_file_that_changes_while_we_look_is_kept(self, song: Path, journal: Journal) -> None:
        path = song.with_suffix(".lrc")
        write_sidecar(path, OURS, Request(song, journal))
        found = atomic.read_state(path)
        path.write_bytes(THEIRS)
        with pytest.raises(atomic.Changed):
            atomic.replace(path, OURS_TOO, song=song, found=found)
        with pytest.raises(atomic.Changed):
            atomic.replace(path, OURS_TOO, song=song, found=None)
        assert path.read_bytes() == THEIRS
        assert names(song.parent) == ["song.lrc", "song.mp3"]

    def test_a_change_of_the_last_moment_goes_back_however_that_is_done(
        self, song: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, ours = song.with_suffix(".lrc"), song.with_name("new")
        path.write_bytes(OURS)
        ours.write_bytes(OURS_TOO)
        found = atomic.read_state(path)
        assert found is not None
        path.write_bytes(THEIRS)
        exchange, times = atomic._exchange, iter((True, False))
        monkeypatch.setattr(atomic, "_exchange", lambda a, b: next(times) and exchange(a, b))
        with pytest.raises(atomic.Changed):
            atomic._rename_over(ours, path, found)
        assert path.read_bytes() == THEIRS

    def test_a_file_that_is_taken_away_at_the_last_moment_is_not_made_anew(
        self, song: Path
    ) -> None:
        path, ours = song.with_suffix(".lrc"), song.with_name("new")
        path.write_bytes(OURS)
        ours.write_bytes(OURS_TOO)
        found = atomic.read_state(path)
        assert found is not None
        path.rename(song.with_name("elsewhere"))
        with pytest.raises(FileNotFoundError):
            atomic._rename_over(ours, path, found)
        assert not path.exists()

    def test_names_may_be_any_bytes(self, tmp_path: Path, journal: Journal) -> None:
        song = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 \n\x01.mp3"))
        song.write_bytes(b"")
        path = song.with_suffix(".lrc")
        assert write_sidecar(path, OURS, Request(song, journal))[0] is Outcome.WRITTEN
        assert journal.entries([song])[0].path == path
        assert undo(journal, [song]).removed == (path,)


class TestCrashes:
    def test_what_a_crash_left_is_cleared_at_the_next_write(
        self, song: Path, request_: Request
    ) -> None:
        left = song.parent / ".lyricsyncd-0123456789abcdef.part"
        left.write_bytes(b"half of a line")
        similar = song.parent / ".lyricsyncd-mine.tmp"
        similar.write_bytes(b"not made by us")
        write_sidecar(song.with_suffix(".lrc"), OURS, request_)
        assert names(song.parent) == [".lyricsyncd-mine.tmp", "song.lrc", "song.mp3"]

    def test_what_another_process_is_writing_stays(self, song: Path, request_: Request) -> None:
        with atomic.temporary_beside(song) as busy:
            write_sidecar(song.with_suffix(".lrc"), OURS, request_)
            assert busy.exists()
        assert not busy.exists()

    @pytest.mark.parametrize("attempt", range(6))
    def test_a_kill_leaves_old_or_new_never_a_mix(
        self, song: Path, journal: Journal, attempt: int
    ) -> None:
        path = song.with_suffix(".lrc")
        program = f"""
import itertools, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from lyricsyncd.tags import Journal, stamp
from lyricsyncd.tags.sidecar import Request, write_sidecar
request = Request(Path({str(song)!r}), Journal(Path({str(journal.path)!r})))
for number in itertools.count():
    body = f"[re:{{stamp.TOOL}}]\\n" + f"{{number}} row your boat\\n" * 20_000
    write_sidecar(Path({str(path)!r}), stamp.signed(body), request)
    print(number, flush=True)
"""
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(2):
                process.stdout.readline()
            time.sleep(0.004 * attempt)
            process.send_signal(signal.SIGKILL)
        assert stamp.verify(path.read_bytes())
        request = Request(song, journal)
        assert write_sidecar(path, OURS, request)[0] is Outcome.WRITTEN
        assert names(song.parent) == ["song.lrc", "song.mp3"]
        undo(journal)
        assert names(song.parent) == ["song.mp3"]


def run_limited(song: Path, journal: Journal, limit: str, data: str, expect: int | None = 1) -> str:
    """Write in a process of its own with less rights; returns what it says of the failure."""
    program = f"""
import sys
from pathlib import Path
from lyricsyncd.errors import WriteError
from lyricsyncd.tags import Journal, stamp
from lyricsyncd.tags.sidecar import Request, write_sidecar
OURS, OURS_TOO = {OURS!r}, {OURS_TOO!r}
{limit}
request = Request(Path({str(song)!r}), Journal(Path({str(journal.path)!r})))
try:
    write_sidecar(Path({str(song.with_suffix(".lrc"))!r}), {data}, request)
except WriteError as error:
    sys.exit(str(error))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert expect is None or done.returncode == expect, done.stderr
    return done.stderr
