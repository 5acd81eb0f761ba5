"""Trouble while a song is written: its disk fills, its folder is locked, others change it too.

Real file systems and real processes. Whatever happens, the song is whole, as it was or as another
program left it, and no rubbish is left.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

import mutagen
import pytest

from lyricsyncd import formats
from lyricsyncd.config.schema import Output
from lyricsyncd.errors import WriteError
from lyricsyncd.tags import Journal, atomic, made_by_us, undo, write_lyrics
from lyricsyncd.tags.songfile import is_shared, same_audio
from tests.noise_songs import encode
from tests.waiting import until

LYRICS = formats.read(b"[00:01.00]Row, row\n[00:04.00]Boat\n", "lrc")
MANY = LYRICS.with_lines(LYRICS.lines * 2000)
"""More than the padding of tags holds: the file grows."""
EMBED = Output(preset="embed")
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount, or to become another user")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode(tmp_path_factory.mktemp("songs") / "song.flac", 2)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.db")


def mounted(folder: Path, *options: str) -> Iterator[Path]:
    folder.mkdir()
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip("may not mount here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def leave(folder: Path, room: int) -> Path:
    """Fill a disk but for so many bytes."""
    filler = folder / "filler"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    filler.write_bytes(b"x" * max(0, free - room))
    return filler


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@as_root
class TestAFullDisk:
    @pytest.fixture
    def small(self, tmp_path: Path) -> Iterator[Path]:
        yield from mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=4m", "none")

    @pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 1.02])
    def test_leaves_the_song_as_it_was(
        self, share: float, original: Path, small: Path, journal: Journal
    ) -> None:
        """It fills before the copy, during it, and when the tags need more room than there is."""
        song = small / "song.flac"
        song.write_bytes(original.read_bytes())
        before = song.stat()
        filler = leave(small, int(share * before.st_size))
        with pytest.raises(WriteError, match="Free some space") as refused:
            write_lyrics(song, MANY, EMBED, journal=journal)
        assert refused.value.transient
        after = song.stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        assert song.read_bytes() == original.read_bytes()
        assert names(small) == {"song.flac", "filler"}
        assert journal.entries() == ()
        filler.unlink()
        assert write_lyrics(song, MANY, EMBED, journal=journal).written == (song,)
        assert same_audio(original, song)

    def test_of_the_journal_lets_nothing_be_written(
        self, original: Path, small: Path, tmp_path: Path
    ) -> None:
        song = tmp_path / "song.flac"
        song.write_bytes(original.read_bytes())
        filler = leave(small, 0)
        with pytest.raises(WriteError, match="nothing was written"):
            write_lyrics(song, LYRICS, EMBED, journal=Journal(small / "journal.db"))
        assert song.read_bytes() == original.read_bytes()
        assert names(tmp_path) == {"song.flac", "small"}
        filler.unlink()
        assert write_lyrics(song, LYRICS, EMBED, journal=Journal(small / "journal.db")).written


WRITER = """
import itertools, os, shutil, sys, tempfile
from pathlib import Path
from lyricsyncd import formats
from lyricsyncd.config.schema import OutputFile
from lyricsyncd.errors import WriteError
from lyricsyncd.tags import Journal, write_lyrics
import av, mutagen.flac
song, state, user, name = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
output = tuple(OutputFile(format="lrc_standard", to=to) for to in ("tag", "sidecar"))
# Whatever is imported late may be out of reach of the user that this becomes.
with tempfile.TemporaryDirectory() as folder:
    other = Path(shutil.copy(song, folder))
    lyrics = formats.read(b"[00:01.00]Row", "lrc")
    write_lyrics(other, lyrics, output, journal=Journal(other.with_name("journal.db")))
if user:
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
reported = set()
print("ready", flush=True)
for number in itertools.count():
    lyrics = formats.read(f"[00:01.00]{name} {number}".encode(), "lrc")
    try:
        write_lyrics(song, lyrics, output, journal=Journal(state))
        what = "written"
    except WriteError as error:
        what = str(error)
    if what not in reported:
        reported.add(what)
        print(what, flush=True)
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A process that writes lyrics after lyrics into a song and beside it."""
    processes: list[subprocess.Popen[str]] = []

    def start(song: Path, name: str, user: int = 0) -> subprocess.Popen[str]:
        state = tmp_path / f"state {name}"
        state.mkdir()
        state.chmod(0o777)
        command = [sys.executable, "-c", WRITER, str(song), str(state / "journal.db")]
        command += [str(user), name]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


def said(process: subprocess.Popen[str], song: Path) -> str:
    """The output of a writer after it could write."""
    for _ in range(2):
        before = song.stat().st_ino
        until(lambda before=before: song.stat().st_ino != before, "it wrote")  # type: ignore[misc]
    process.kill()
    return process.communicate()[0]


@pytest.mark.slow
class TestOthersAtWork:
    @pytest.fixture
    def song(self, original: Path, tmp_path: Path) -> Path:
        path = tmp_path / "music" / "song.flac"
        path.parent.mkdir()
        path.write_bytes(original.read_bytes())
        return path

    @as_root
    def test_a_folder_locked_midway_costs_a_try(
        self, song: Path, original: Path, writer: Callable[..., subprocess.Popen[str]]
    ) -> None:
        for parent in song.parents:
            if parent.stat().st_mode & 0o005 != 0o005 and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o005)
        os.chown(song, NOBODY, NOBODY)
        os.chown(song.parent, NOBODY, NOBODY)
        process = writer(song, "one", NOBODY)
        for number in range(60):
            song.parent.chmod(0o555 if number % 2 else 0o755)
            time.sleep(0.013 * (number % 7))
            assert same_audio(original, song)
        song.parent.chmod(0o755)
        reported = said(process, song)
        assert "written" in reported
        assert f"Let the user with id {NOBODY} write to {song.parent}" in reported
        atomic.clear_abandoned(song.parent)
        assert names(song.parent) <= {"song.flac", "song.lrc", "song.elrc"}

    @pytest.mark.parametrize("way", ["replaced", "edited"])
    def test_what_another_program_writes_is_never_lost(
        self, way: str, song: Path, original: Path,
        writer: Callable[..., subprocess.Popen[str]],
    ) -> None:  # fmt: skip
        """A tagger saves titles, by a new file or in place; each is there when it looks again."""
        process = writer(song, "one")
        mine = song.parent.parent / "mine.flac"
        for number in range(100):
            if way == "replaced":
                mine.write_bytes(song.read_bytes())
                tags = mutagen.File(mine)
                tags["TITLE"] = str(number)
                tags.save()
                mine.replace(song)
            else:
                with song.open("r+b") as file:
                    tags = mutagen.File(file)
                    tags["TITLE"] = str(number)
                    file.seek(0)
                    tags.save(file)
                    # Ours may be at its swap: what it swapped out, it puts back or lets go.
                    until = time.monotonic() + 5
                    while (kept := os.fstat(file.fileno()).st_nlink) and (
                        song.stat().st_ino != os.fstat(file.fileno()).st_ino
                    ):
                        assert time.monotonic() < until, "it is neither put back nor let go"
                if not kept:
                    # Ours took its place while it was open: no program can be kept from that.
                    continue
            time.sleep(0.002 * (number % 11))
            assert mutagen.File(song)["TITLE"] == [str(number)]
            assert same_audio(original, song)
        assert "written" in said(process, song)
        atomic.clear_abandoned(song.parent)
        assert names(song.parent) <= {"song.flac", "song.lrc"}

    def test_a_song_that_comes_and_goes_is_never_half(
        self, song: Path, original: Path, writer: Callable[..., subprocess.Popen[str]]
    ) -> None:
        process = writer(song, "one")
        away = song.parent.parent / "away.flac"
        for number in range(100):
            song.rename(away)
            time.sleep(0.002 * (number % 5))
            assert not song.exists(), "what was taken away is not made anew"
            away.rename(song)
            time.sleep(0.003 * (number % 11))
            assert same_audio(original, song)
        reported = said(process, song)
        assert "written" in reported
        assert "Scan the library again" in reported
        atomic.clear_abandoned(song.parent)
        assert names(song.parent) <= {"song.flac", "song.lrc"}

    def test_two_services_on_one_song_take_turns(
        self, song: Path, original: Path, writer: Callable[..., subprocess.Popen[str]]
    ) -> None:
        processes = [writer(song, name) for name in ("one", "two")]
        for _ in range(100):
            time.sleep(0.03)
            assert same_audio(original, song)
            for text in mutagen.File(song).get("LYRICS", []):
                assert made_by_us(text.encode())
            with contextlib.suppress(FileNotFoundError):
                assert made_by_us(song.with_suffix(".lrc").read_bytes())
        reported = [said(process, song) for process in processes]
        assert all("written" in each for each in reported)
        assert "bug" not in "".join(reported)
        atomic.clear_abandoned(song.parent)
        assert names(song.parent) <= {"song.flac", "song.lrc"}


class TestASongThatIsTakenAway:
    """It is deleted just before one of the calls of the system that name it: each in turn."""

    CALLS: ClassVar = (
        (os, "stat"),
        (os, "lstat"),
        (os, "open"),
        (os, "access"),
        (os, "listxattr"),
        (os, "link"),
        (os.path, "isfile"),
        (os.path, "exists"),
        (io, "open"),
    )

    def taken_away(
        self, song: Path, number: int, patch: pytest.MonkeyPatch, do: Callable[[], object]
    ) -> bool:
        """Do something while the song is deleted before a call; false if there are fewer calls."""
        calls = 0

        def watched(call: Callable[..., object]) -> Callable[..., object]:
            def called(*args: object, **options: object) -> object:
                nonlocal calls
                if args and args[0] in (song, str(song), os.fsencode(song)):
                    calls += 1
                    if calls == number:
                        song.unlink()
                return call(*args, **options)

            return called

        with patch.context() as patched:
            for module, name in self.CALLS:
                patched.setattr(module, name, watched(getattr(module, name)))
            with contextlib.suppress(WriteError):
                do()
        return calls >= number

    @pytest.mark.parametrize("preset", ["embed", "navidrome", "plex"])
    def test_costs_one_line_not_a_traceback_and_is_not_made_anew(
        self, tmp_path: Path, original: Path, preset: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = 0
        for calls in itertools.count(1):
            folder = tmp_path / str(calls)
            folder.mkdir()
            song = Path(shutil.copy(original, folder))
            journal = Journal(folder / "state" / "journal.db")
            write = partial(write_lyrics, song, LYRICS, Output(preset=preset), journal=journal)
            if not self.taken_away(song, calls, monkeypatch, write):
                break
            assert not song.exists(), calls
            assert not list(folder.glob(".*")), calls
        assert calls > 2

    def test_or_given_back_while_it_is_undone(
        self, tmp_path: Path, original: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = 0
        for calls in itertools.count(1):
            folder = tmp_path / str(calls)
            folder.mkdir()
            song = Path(shutil.copy(original, folder))
            journal = Journal(folder / "state" / "journal.db")
            write_lyrics(song, LYRICS, EMBED, journal=journal)
            if not self.taken_away(song, calls, monkeypatch, partial(undo, journal)):
                break
            assert not song.exists(), calls
            assert not list(folder.glob(".*")), calls
        assert calls > 2


@as_root
class TestSharedBlocks:
    """File systems whose copies share their blocks, until one is written."""

    @pytest.fixture(params=["btrfs", "xfs"])
    def disk(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
        image = tmp_path / "image"
        with image.open("wb") as file:
            file.truncate(320 * 2**20)
        try:
            subprocess.run([f"mkfs.{request.param}", "-q", image], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip(f"no mkfs.{request.param} here")
        yield from mounted(tmp_path / "disk", "-o", "loop", str(image))

    def test_a_copy_that_shares_them_is_left_alone(
        self, disk: Path, original: Path, journal: Journal
    ) -> None:
        song, copy = disk / "song.flac", disk / "copy.flac"
        song.write_bytes(original.read_bytes())
        os.sync()
        assert not is_shared(song)
        subprocess.run(["cp", "--reflink=always", song, copy], check=True)
        report = write_lyrics(song, LYRICS, EMBED, journal=journal)
        assert "reflink" in str(report.kept[0])
        assert {path.suffix for path in report.written} == {".lrc"}
        assert song.read_bytes() == original.read_bytes()
        copy.unlink()
        until(lambda: not is_shared(song), "XFS has freed the copy's blocks, which it does later")
        assert write_lyrics(song, LYRICS, EMBED, journal=journal).written == (song,)
        assert same_audio(original, song)
        undo(journal)
        assert "LYRICS" not in mutagen.File(song)
