"""The service as a process: files come and go, signals come, the process is killed.

Real songs, real models (without the separator), real signals. Where placing is not the point, the
words bring their times and no model is loaded.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd.catalog import backup
from lyricsyncd.catalog.catalog import Catalog, State
from tests.service_home import HEAVY, ROOT, SONG, TEXT, TIMED, TIMEOUT_S, Home, worker_of

pytestmark = [pytest.mark.slow, pytest.mark.daemon]


def test_a_dropped_song_gets_its_words_placed_beside_it(home: Home) -> None:
    home.start()
    song = home.drop(words=TEXT)
    home.until_counts(done=1)
    assert song.with_suffix(".elrc").read_text(encoding="utf-8").count("<") >= 44
    assert song.with_suffix(".lrc").exists()
    entry = home.asked("show", "song")
    assert entry["quality"] > 0.9
    assert entry["words"] == 44
    assert sorted(entry["written"]) == [str(song.with_suffix(s)) for s in (".elrc", ".lrc")]
    # Its own sidecars wake nobody: one line a song.
    time.sleep(1.5)
    assert home.said().count("song.mp3: done") == 1
    assert home.stop() == 0


def test_songs_that_were_there_before_and_those_in_new_folders_are_found(home: Home) -> None:
    home.drop("before/a.mp3")
    home.start()
    home.drop("new/folder/b.mp3")
    elsewhere = home.folder / "elsewhere"
    elsewhere.mkdir()
    shutil.copyfile(SONG, elsewhere / "c.mp3")
    (elsewhere / "c.elrc").write_text(TIMED, encoding="utf-8")
    elsewhere.rename(home.music / "moved")
    home.until_counts(done=3)


def test_a_slow_copy_is_waited_for(home: Home) -> None:
    home.configure(daemon={"settle": 1.0})
    home.start()
    home.drop("words.mp3").unlink()
    (home.music / "words.elrc").rename(home.music / "slow.elrc")
    content = SONG.read_bytes()
    with (home.music / "slow.mp3").open("wb") as file:
        for at in range(0, len(content), len(content) // 6):
            file.write(content[at : at + len(content) // 6])
            file.flush()
            time.sleep(0.3)
            assert "slow.mp3" not in home.said()
    home.until_counts(done=1)


def test_words_that_come_later_wake_a_song_that_had_none(home: Home) -> None:
    home.start()
    song = home.drop(words=None)
    home.until_counts(no_lyrics=1)
    song.with_suffix(".elrc").write_text(TIMED, encoding="utf-8")
    home.until_counts(done=1)


def test_a_deleted_song_is_forgotten_and_an_unplugged_disk_is_not(home: Home) -> None:
    home.drop("a.mp3")
    home.drop("b.mp3")
    home.start()
    home.until_counts(done=2)
    (home.music / "a.mp3").unlink()
    home.until_counts(done=1)
    home.stop()
    home.music.rename(home.folder / "unplugged")
    home.music.mkdir()
    home.start()
    home.until(lambda: "away or empty" in home.said(), "the disk is missed")
    assert home.counts() == {"done": 1}


def test_a_broken_song_fails_with_its_reason_and_the_next_one_is_done(home: Home) -> None:
    home.start()
    broken = home.drop("broken.mp3", TEXT)
    broken.write_bytes(b"\0" * 5000)
    home.drop("good.mp3")
    home.until_counts(done=1, failed=1)
    assert "broken.mp3" in home.asked("show", "broken")["error"]


def test_what_a_person_wrote_is_kept(home: Home) -> None:
    home.start()
    song = home.drop(words=TEXT)
    song.with_suffix(".lrc").write_text("[00:01.00]my own words\n", encoding="utf-8")
    home.until(lambda: home.counts().get("done") or home.counts().get("review"), "it is done")
    assert song.with_suffix(".lrc").read_text(encoding="utf-8") == "[00:01.00]my own words\n"


def test_a_killed_worker_costs_one_try_of_its_song(home: Home) -> None:
    home.start()
    assert home.process is not None
    service = home.process.pid
    home.drop(words=TEXT)
    home.until(lambda: worker_of(service), "the worker runs")
    worker = worker_of(service)
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    home.until_counts(done=1)
    assert "killed by SIGKILL" in home.said()


def test_the_service_itself_loads_no_model_and_stays_small(home: Home) -> None:
    home.drop(words=TEXT)
    home.drop("timed.mp3")
    home.start()
    home.until_counts(done=2)
    assert home.process is not None
    maps = Path(f"/proc/{home.process.pid}/maps").read_text(encoding="utf-8")
    assert not {name for name in HEAVY if f"/{name}/" in maps}
    status = Path(f"/proc/{home.process.pid}/status").read_text(encoding="utf-8")
    (resident,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    assert int(resident) < 80 * 1024


def test_the_daemon_imports_no_heavy_library() -> None:
    script = (
        "import sys; import lyricsyncd.cli.run, lyricsyncd.service.service;"
        "from pathlib import Path; from lyricsyncd.config.schema import Config;"
        "from lyricsyncd import LyricSyncPipeline;"
        "c = Config.model_validate({'lyrics': {'order': ['local']}});"
        f"LyricSyncPipeline(config=c).find(Path({str(SONG)!r}), lyrics='la');"
        "import lyricsyncd.tags, lyricsyncd.formats;"
        f"print(*sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []


class TestKilled:
    def test_at_any_moment_it_takes_up_where_it_was(self, home: Home) -> None:
        names = [f"{number}.mp3" for number in range(4)]
        for name in names:
            home.drop(name, TEXT if name == "0.mp3" else TIMED)
        originals = {name: (home.music / name).read_bytes() for name in names}
        chance = random.Random(7)
        for _ in range(6):
            home.start()
            time.sleep(chance.uniform(0.0, 1.2))
            home.kill()
            home.log.unlink()
        home.start()
        home.until_counts(done=4)
        assert {name: (home.music / name).read_bytes() for name in names} == originals
        left = {path.name for path in home.music.iterdir()} - {*names}
        suffixes = (".elrc", ".lrc", ".txt")
        assert {name for name in left if not name.endswith(suffixes)} == set()

    def test_its_worker_dies_with_it(self, home: Home) -> None:
        home.start()
        home.drop(words=TEXT)
        assert home.process is not None
        service = home.process.pid
        home.until(lambda: worker_of(service), "the worker runs")
        worker = worker_of(service)
        home.kill()
        home.until(lambda: not Path(f"/proc/{worker}").exists(), "the worker is gone")


def test_a_catalog_that_breaks_under_it_is_restored_and_the_work_goes_on(home: Home) -> None:
    for number in range(3):
        home.drop(f"{number}.mp3")
    home.start()
    home.until_counts(done=3)
    catalog = home.folder / "state" / "catalog.db"
    home.stop()
    with Catalog(catalog) as sound:
        backup.back_up(sound)
    written = {path.name: path.stat().st_mtime_ns for path in home.music.glob("*.lrc")}
    home.start()
    with catalog.open("r+b") as pages:
        pages.seek(4096)
        pages.write(os.urandom(catalog.stat().st_size - 4096))
    home.drop("new.mp3")
    home.until(lambda: "its last copy takes its place" in home.said(), "the copy takes over")
    home.until_counts(done=4)
    after = {path.name: path.stat().st_mtime_ns for path in home.music.glob("*.lrc")}
    assert {name: after[name] for name in written} == written
    assert home.stop() == 0


class TestSignals:
    def test_sigterm_in_the_middle_of_a_song_ends_it_in_time(self, home: Home) -> None:
        home.start()
        for number in range(4):
            home.drop(f"{number}.mp3", TEXT)
        home.until(lambda: home.asked("status")["working"], "a song is in work")
        began = time.monotonic()
        assert home.stop() == 0
        assert time.monotonic() - began < 10
        assert not home.asked("status")["working"]
        home.start()
        home.until_counts(done=4)
        assert all(entry["attempts"] == 0 for entry in [home.asked("show", "0.mp3")])

    def test_ctrl_c_is_an_orderly_end(self, home: Home) -> None:
        home.start()
        assert home.stop(signal.SIGINT) == 0

    def test_sighup_reads_the_configuration_again(self, home: Home) -> None:
        home.start()
        assert home.process is not None
        other = home.folder / "other"
        other.mkdir()
        home.configure(libraries=[{"path": str(other)}])
        home.process.send_signal(signal.SIGHUP)
        home.until(lambda: "was read again" in home.said(), "the configuration is read")
        shutil.copyfile(SONG, other / "song.mp3")
        home.until_counts(no_lyrics=1)

    def test_a_broken_configuration_changes_nothing(self, home: Home) -> None:
        home.start()
        assert home.process is not None
        home.config.write_text("libraries: [\n", encoding="utf-8")
        home.process.send_signal(signal.SIGHUP)
        home.until(lambda: "stays as it was" in home.said(), "the error is logged")
        home.configure()
        home.drop()
        home.until_counts(done=1)


class TestTogether:
    def test_two_services_on_one_state_folder_are_refused(self, home: Home) -> None:
        home.start()
        assert home.process is not None
        said = home.call("run", status=2)
        assert "Another lyricsyncd is at work" in said
        assert str(home.process.pid) in said

    def test_a_pause_stops_the_work_and_outlives_a_restart(self, home: Home) -> None:
        home.start()
        home.call("pause")
        home.drop()
        home.until_counts(pending=1)
        home.stop()
        home.start()
        time.sleep(1.0)
        assert home.counts() == {"pending": 1}
        home.call("resume")
        home.until_counts(done=1)

    def test_what_is_scanned_on_the_command_line_the_service_does(self, home: Home) -> None:
        home.start()
        elsewhere = home.folder / "elsewhere"
        elsewhere.mkdir()
        shutil.copyfile(SONG, elsewhere / "song.mp3")
        (elsewhere / "song.elrc").write_text(TIMED, encoding="utf-8")
        reported = home.asked("scan", elsewhere, "--now")
        assert reported["libraries"][0]["new"] == 1
        assert [song["state"] for song in reported["songs"]] == ["done"]

    def test_without_a_service_scan_now_does_it_itself(self, home: Home) -> None:
        home.drop(words=TEXT)
        reported = home.asked("scan", "--now")
        assert [song["state"] for song in reported["songs"]] == ["done"]
        assert (home.music / "song.elrc").exists()
        again = home.asked("scan", "--now")
        assert again["songs"] == []

    def test_retry_and_skip(self, home: Home) -> None:
        song = home.drop(words=None)
        home.asked("scan", "--now")
        assert home.counts() == {"no_lyrics": 1}
        home.call("skip", song)
        assert home.counts() == {"ignored": 1}
        home.call("retry", song)
        assert home.counts() == {"pending": 1}
        assert "song.mp3" in home.call("queue", "--json")
        assert "song" in home.call("queue")
        home.call("show", "nothing", status=2)

    def test_songs_are_listed_by_their_state(self, home: Home) -> None:
        home.drop("a.mp3", words=None)
        home.drop("b.mp3")
        home.asked("scan", "--now")
        for state, stem in (("no_lyrics", "a"), ("done", "b")):
            assert [Path(each["path"]).stem for each in home.asked("queue", "--state", state)] == [
                stem
            ]
        assert len(home.asked("queue", "--state", "done", "--state", "no_lyrics")) == 2
        assert "no such song" in home.call("queue", "--state", "failed")
        said = home.call("queue", "--state", "?", status=2)
        assert all(f"'{state.value}'" in said for state in State)

    def test_a_dry_scan_queues_nothing(self, home: Home) -> None:
        song = home.drop()
        assert home.asked("scan", "--dry-run")["would_queue"] == [str(song)]
        assert home.counts() == {}

    def test_lyrics_that_a_person_took_back_are_not_written_again(self, home: Home) -> None:
        song = home.drop(words=TEXT)
        home.asked("scan", "--now")
        home.call("undo", song)
        assert not song.with_suffix(".elrc").exists()
        os.utime(song)
        home.asked("scan", "--now")
        assert home.counts() == {"ignored": 1}
        assert not song.with_suffix(".elrc").exists()


class Away(BaseHTTPRequestHandler):
    """A service of lyrics that is down."""

    def do_GET(self) -> None:
        self.send_error(503)

    def log_message(self, *_: object) -> None:
        pass


def test_without_a_network_songs_wait_and_are_not_lost(home: Home) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Away)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    home.configure(lyrics={"order": ["local", "lrclib"], "lrclib": {"url": url, "timeout": 1}})
    home.drop("asks.mp3", words=None)
    home.drop("has.mp3")
    home.start()
    home.until_counts(done=1, pending=1)
    entry: dict[str, Any] = {}

    def failed_once() -> bool:
        entry.update(home.asked("show", "asks.mp3"))
        return entry["error"] is not None

    home.until(failed_once, "the look-up failed")
    server.shutdown()
    assert entry["error_class"] == "Unreachable"
    assert 200 < entry["next_attempt_at"] - time.time() <= 300


def test_systemd_is_reported_how_it_goes(home: Home) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(home.folder / "notify"))
        receiver.settimeout(TIMEOUT_S)
        home.start(NOTIFY_SOCKET=str(home.folder / "notify"), WATCHDOG_USEC="1500000")
        reported = [receiver.recv(4096).decode() for _ in range(4)]
        assert reported[0].startswith("READY=1")
        assert all(
            message.startswith("WATCHDOG=1\nSTATUS=Idle; 0 songs") for message in reported[1:]
        )
        assert home.process is not None
        home.process.send_signal(signal.SIGHUP)
        while not (message := receiver.recv(4096).decode()).startswith("RELOADING=1"):
            pass
        assert "MONOTONIC_USEC=" in message
        while receiver.recv(4096).decode() != "READY=1":
            pass
        home.process.send_signal(signal.SIGTERM)
        while not receiver.recv(4096).decode().startswith("STOPPING=1"):
            pass
