"""The units under a systemd that runs: started, watched, reloaded, stopped, as at home."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import booted
from tests.booted import Machine
from tests.service_home import SONG, TEXT, TIMED

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.daemon]

CONFIG, MUSIC = Path("/etc/lyricsyncd/config.yaml"), Path("/srv/music")
KARAOKE = Path("/srv/karaoke")
TOKEN, MORE = Path("/home/keeper/token"), Path("/var/tmp/more")
SETTINGS = {
    "libraries": [{"path": str(MUSIC)}, {"path": str(MORE)}],
    "web": {"token": {"file": str(TOKEN)}},
    "lyrics": {"order": ["local"]},
    "output": {"karaoke": True, "karaoke_folder": str(KARAOKE)},
    "daemon": {"settle": 0.2},
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if why := booted.why_not():
        pytest.skip(why)
    machine = Machine(tmp_path_factory.mktemp("machine"))
    yield machine
    machine.stop()


@pytest.fixture(scope="module")
def home(machine: Machine) -> Machine:
    """A server with music that a group may write to, and our service installed."""
    machine.run("groupadd", "music")
    machine.write(CONFIG, json.dumps(SETTINGS).encode())
    machine.write(MUSIC / "Ann" / "star.elrc", TIMED.encode())
    machine.write(MUSIC / "Ann" / "star.mp3", SONG.read_bytes())
    machine.run("chgrp", "-R", "music", MUSIC)
    machine.run("chmod", "-R", "g+rwX", MUSIC)
    machine.write(MORE / "notes.txt", b"")
    machine.write(TOKEN, b"a secret of twenty letters")
    machine.write(TOKEN.parent / "diary", b"")
    machine.run("chmod", "700", TOKEN.parent)
    machine.run("systemctl", "mask", "--now", "systemd-tmpfiles-clean.timer")
    drop_in = f"[Service]\nEnvironment=PYTHONPATH={booted.PROJECT}\nRestartSec=1s\n"
    machine.write(Path("/etc/systemd/system/lyricsyncd.service.d/test.conf"), drop_in.encode())
    said = machine.lyricsyncd("service", "install", "--system")
    assert "Made the user lyricsyncd" in said
    assert f"Made the folder {KARAOKE}" in said
    assert f"must be able to write to {MORE}" in said
    assert f"must be able to write to {MUSIC}" not in said
    machine.run("chown", "lyricsyncd", MORE)
    return machine


def test_the_hardened_service_starts_and_does_a_song(home: Machine) -> None:
    # Type=notify: `systemctl restart` comes back when we have said READY=1.
    assert home.shown("ActiveState") == "active"
    sidecar = MUSIC / "Ann" / "star.lrc"
    home.until(lambda: home.status("test", "-e", sidecar) == 0, "the song is done")
    assert home.run("stat", "-c", "%U:%G", sidecar) == "lyricsyncd:music\n"
    home.until(lambda: "1 songs done" in home.shown("StatusText"), "the status line says so")
    (line,) = [line for line in home.log().splitlines() if line.startswith("Ann/star.mp3")]
    assert line.startswith("Ann/star.mp3: done, ")
    assert "star.mp3" in home.run("journalctl", "-t", "lyricsyncd", "-p", "6")
    assert "star.mp3" not in home.log("-p", "warning")
    assert home.status("systemd-analyze", "security", "--threshold=20", "lyricsyncd") == 0


def inside(pid: str, user: str) -> list[str]:
    """The beginning of a command that sees what a service sees."""
    return ["nsenter", "-m", "-t", pid, "setpriv", f"--reuid={user}", "--clear-groups"]


def test_it_sees_what_the_configuration_names_below_a_home_and_temporary_folders(
    home: Machine,
) -> None:
    here = inside(home.shown("MainPID"), "lyricsyncd")
    assert home.run(*here, "cat", TOKEN) == "a secret of twenty letters"
    assert home.run(*here, "ls", TOKEN.parent) == "token\n"
    assert home.status(*here, "touch", MORE / "song.lrc") == 0
    assert home.status("test", "-e", MORE / "song.lrc") == 0


def test_it_may_write_stems_where_they_are_wanted_and_nothing_beside(home: Machine) -> None:
    here = [*inside(home.shown("MainPID"), "lyricsyncd"), "--regid=lyricsyncd"]
    home.run(*here, "touch", KARAOKE / "star.vocals.flac")
    home.run("chmod", "777", "/srv")
    assert home.status(*here, "touch", "/srv/elsewhere") == 1
    home.run("chmod", "755", "/srv")


def test_root_looks_after_it_without_being_reported_where_it_is(home: Machine) -> None:
    status = json.loads(home.lyricsyncd("status", "--json"))
    assert (status["running"], status["state"]) == (True, "/var/lib/lyricsyncd")
    home.lyricsyncd("scan")
    home.lyricsyncd("undo", MUSIC / "Ann" / "star.mp3")
    owners = home.run("find", "/var/lib/lyricsyncd", "/var/cache/lyricsyncd", "-printf", "%u\n")
    assert set(owners.split()) == {"lyricsyncd"}
    assert home.status("test", "-e", MUSIC / "Ann" / "star.lrc") == 1
    nobody = ["setpriv", "--reuid=65534", "--clear-groups", "env", "HOME=/nowhere"]
    said = home.run(*nobody, booted.PYTHON / "bin/python", "-m", "lyricsyncd", "status")
    assert "Put sudo before it" in said


def test_a_bad_configuration_is_reported_and_the_old_one_kept(home: Machine) -> None:
    home.write(CONFIG, b"quality: {words: 7}")
    assert home.status("systemctl", "reload", "lyricsyncd") == 0
    home.until(lambda: "stays as it was" in home.log("-p", "err"), "the mistake is logged")
    assert home.shown("ActiveState") == "active"
    home.write(CONFIG, json.dumps({**SETTINGS, "quality": {"words": 0.8}}).encode())
    assert home.status("systemctl", "reload", "lyricsyncd") == 0
    home.until(lambda: "was read again" in home.log(), "the new one is taken")
    assert home.shown("NRestarts") == "0"


def test_a_song_in_work_is_released_in_time_when_it_is_stopped(home: Machine) -> None:
    # More than it may take, and systemd would kill it and say so.
    limit = b"[Service]\nTimeoutStopSec=10s\n"
    home.write(Path("/etc/systemd/system/lyricsyncd.service.d/stop.conf"), limit)
    home.run("systemctl", "daemon-reload")
    home.write(MUSIC / "Ann" / "long.txt", TEXT.encode())
    home.write(MUSIC / "Ann" / "long.mp3", SONG.read_bytes() + b"another")
    home.until(lambda: "model worker" in home.processes(), "the models work")
    home.run("systemctl", "stop", "lyricsyncd")
    assert (home.shown("Result"), home.shown("ActiveState")) == ("success", "inactive")
    assert "lyricsyncd" not in home.processes()
    songs = json.loads(home.lyricsyncd("status", "--json"))["songs"]
    assert songs["working"] == 0
    home.run("systemctl", "start", "lyricsyncd")
    assert home.shown("ActiveState") == "active"


def test_one_that_hangs_is_started_anew_by_the_watchdog(home: Machine) -> None:
    home.write(
        Path("/etc/systemd/system/lyricsyncd.service.d/watch.conf"),
        b"[Service]\nWatchdogSec=4s\n",
    )
    home.run("systemctl", "daemon-reload")
    home.run("systemctl", "restart", "lyricsyncd")
    before = home.shown("MainPID")
    home.run("sleep", "6")
    assert home.shown("MainPID") == before
    home.run("kill", "-STOP", before)
    home.until(
        lambda: (
            home.shown("MainPID") not in (before, "0") and home.shown("ActiveState") == "active"
        ),
        "it runs again",
    )
    assert home.shown("NRestarts") == "1"


def test_it_goes_and_leaves_what_it_knows(home: Machine) -> None:
    home.lyricsyncd("service", "uninstall", "--system")
    assert home.shown("LoadState") == "not-found"
    assert home.status("test", "-e", "/var/lib/lyricsyncd/catalog.db") == 0


def test_a_service_of_ones_own_does_a_song_too(machine: Machine) -> None:
    machine.run("useradd", "--create-home", "--uid", "1234", "anna")
    home, runtime = Path("/home/anna"), Path("/run/user/1234")
    own = [f"HOME={home}", f"XDG_RUNTIME_DIR={runtime}", "LYRICSYNCD_WEB__LISTEN=null"]
    as_anna = ["setpriv", "--reuid=anna", "--regid=anna", "--init-groups", "env", *own]
    python = booted.PYTHON / "bin/python"
    if machine.status(*as_anna, python, "-c", "import lyricsyncd") != 0:
        pytest.skip("this Python lies where only root may go")
    machine.run("install", "-d", "-o", "anna", "-m", "700", runtime)
    machine.run("systemctl", "set-environment", *own)
    machine.run("systemd-run", "--uid=anna", "-p", "Delegate=yes", booted.SYSTEMD or "", "--user")
    machine.until(
        lambda: (
            machine.status(*as_anna, "systemctl", "--user", "is-system-running") in (0, 1)
            and machine.status("test", "-e", runtime / "systemd/private") == 0
        ),
        "there is a systemd of one's own",
    )
    settings = {"libraries": [{"path": str(home / "Music")}], "lyrics": {"order": ["local"]}}
    machine.write(home / ".cache/huggingface/hub/version.txt", b"1")
    unit = home / ".config/systemd/user/lyricsyncd.service.d/test.conf"
    machine.write(home / ".config/lyricsyncd/config.yaml", json.dumps(settings).encode())
    machine.write(unit, f"[Service]\nEnvironment=PYTHONPATH={booted.PROJECT}\n".encode())
    machine.write(home / "Music/star.elrc", TIMED.encode())
    machine.write(home / "Music/star.mp3", SONG.read_bytes())
    machine.run("chown", "-R", "anna:", home)
    said = machine.run(*as_anna, python, "-m", "lyricsyncd", "service", "install")
    assert "Wrote" in said
    machine.until(lambda: machine.status("test", "-e", home / "Music/star.lrc") == 0, said)
    active = [*as_anna, "systemctl", "--user", "is-active", "lyricsyncd"]
    assert machine.run(*active) == "active\n"
    shown = [*as_anna, "systemctl", "--user", "show", "lyricsyncd", "--value", "-p", "MainPID"]
    pid = machine.run(*shown).strip()
    here = inside(pid, "anna")
    assert machine.status(*here, "touch", home / ".cache/huggingface/hub/new") == 0
    assert machine.status(*here, "touch", home / "new") == 1
    machine.run(*as_anna, python, "-m", "lyricsyncd", "service", "uninstall")
    assert machine.run(*active) == "inactive\n"
