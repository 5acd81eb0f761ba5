"""The image: a song gets its words, and nothing that a container must hold is left open.

``make image`` builds it; where it is not, or cannot be run (that needs root), these are left out.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import stat
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lyricsyncd import formats
from tests.container import host

pytestmark = pytest.mark.image
SONGS = host.ROOT / "demo" / "songs"
LIMIT = 500_000_000
"""Bytes that the image may take on a disk."""
OWNER = (1026, 100)
"""A user and a group as NAS systems number them."""


@pytest.fixture(scope="module")
def image() -> Iterator[host.Image]:
    if not host.here():
        pytest.skip("there is no image that could be run: make image, as root")
    with host.opened() as opened:
        yield opened


@pytest.fixture
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that users other than root can reach, unlike ``tmp_path``."""
    return reachable(tmp_path_factory)


def reachable(factory: pytest.TempPathFactory) -> Path:
    folder = factory.mktemp("container")
    for each in (folder, *folder.parents):
        if each.stat().st_uid == os.geteuid() and each != Path("/"):
            each.chmod(each.stat().st_mode | 0o055)
    return folder


def library(work: Path, owner: tuple[int, int] = OWNER) -> dict[str, str | Path]:
    """Make a library with the demo song and an empty /config, both of an owner."""
    music, config = work / "music", work / "config"
    album = music / "The Sampled Choir"
    for folder in (music, album, config):
        folder.mkdir()
        os.chown(folder, *owner)
    for suffix in (".mp3", ".txt"):
        song = Path(shutil.copy(SONGS / f"The_Star{suffix}", album))
        os.chown(song, *owner)
        song.chmod(0o664)
    return {"/music": music, "/config": config}


def show(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Print a figure, which `make test-image` is to show."""
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")


def wait_for(condition: Callable[[], object], container: host.Container, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert container.process.poll() is None, container.output()
        assert time.monotonic() < end, container.output()
        time.sleep(0.1)


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: text.strip() for name, _, text in (line.partition(":") for line in lines)}


def descendants(pid: int) -> Iterator[int]:
    for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        yield child
        yield from descendants(child)


@dataclass
class Done:
    """A container whose song has its words."""

    container: host.Container
    music: Path
    config: Path
    seconds: float

    @property
    def words(self) -> Path:
        return self.music / "The Sampled Choir" / "The_Star.elrc"


@pytest.fixture(scope="module")
def done(image: host.Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """Run the image with no network, as an owner of its own, until the song has its words."""
    work = reachable(tmp_path_factory)
    volumes = library(work)
    settings = {"PUID": "1026", "PGID": "100", "UMASK": "027", "TZ": "Asia/Tokyo"}
    settings["LYRICSYNCD_LYRICS__ORDER"] = "[local]"
    begun = time.monotonic()
    with host.started(image, work, volumes=volumes, environment=settings, user=OWNER) as container:
        found = Done(container, work / "music", work / "config", 0.0)
        wait_for(found.words.exists, container, 240)
        found.seconds = time.monotonic() - begun
        yield found


class TestTheSong:
    def test_has_its_words_where_they_are_sung(
        self, done: Done, capsys: pytest.CaptureFixture[str]
    ) -> None:
        show(capsys, f"from the start to the words: {done.seconds:.1f} s")
        placed = formats.read(done.words.read_bytes(), "lrc").words
        with (SONGS / "The_Star.words.csv").open(encoding="utf-8") as file:
            truth = [float(row["word_start"]) for row in csv.DictReader(file)]
        errors = [abs((w.start or 0.0) - true) for w, true in zip(placed, truth, strict=True)]
        assert statistics.median(errors) < 0.3

    def test_lies_beside_the_song_with_its_owner_and_rights(self, done: Done) -> None:
        status = done.words.stat()
        assert (status.st_uid, status.st_gid) == OWNER
        assert stat.S_IMODE(status.st_mode) == 0o664

    def test_is_known_to_the_commands_inside(self, done: Done) -> None:
        shown = done.container.json("show", "The_Star")
        assert shown["state"] == "done"


class TestTheContainer:
    def test_takes_no_more_room_than_is_promised(
        self, image: host.Image, capsys: pytest.CaptureFixture[str]
    ) -> None:
        counted = subprocess.run(
            ["du", "-sx", "--block-size=1", "--apparent-size", image.root],
            capture_output=True,
            text=True,
            check=True,
        )
        size = int(counted.stdout.split()[0])
        show(capsys, f"size of the image: {size / 1e6:.0f} MB")
        assert size <= LIMIT

    def test_cannot_change_its_own_file_system(self, done: Done) -> None:
        tried = done.container.exec("sh", "-c", "echo x >/opt/lyricsyncd/x")
        assert "Read-only file system" in tried.stderr

    def test_runs_everything_as_the_owner_without_any_privilege(self, done: Done) -> None:
        found = [status(pid) for pid in (done.container.pid, *descendants(done.container.pid))]
        assert len(found) >= 2
        assert {each["Uid"] for each in found} == {"1026\t1026\t1026\t1026"}
        assert {each["CapBnd"] for each in found} == {"0000000000000000"}
        assert {each["NoNewPrivs"] for each in found} == {"1"}

    def test_starts_as_no_user_of_power_where_nothing_is_said(self, image: host.Image) -> None:
        assert image.settings["User"] == "1000:1000"

    def test_names_a_check_of_its_health_that_passes(self, image: host.Image, done: Done) -> None:
        kind, *check = image.settings["Healthcheck"]["Test"]
        assert kind == "CMD"
        checked = done.container.exec(*check)
        assert (checked.returncode, checked.stderr) == (0, "")

    def test_asks_for_the_token_that_it_made(self, done: Done) -> None:
        ask = (
            "import urllib.request as u, sys;"
            "print(u.urlopen(u.Request('http://127.0.0.1:8786/api/v1/status',"
            " headers={'Authorization': 'Bearer ' + sys.argv[1]})).status)"
        )
        token = done.config / "token"
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        known = done.container.exec("python", "-c", ask, token.read_text().strip())
        assert known.stdout.strip() == "200"
        unknown = done.container.exec("python", "-c", ask, "guessed")
        assert "401" in unknown.stderr

    def test_tells_the_time_of_its_zone(self, done: Done) -> None:
        assert done.container.exec("date", "+%Z").stdout.strip() == "JST"

    def test_has_its_models_inside_and_whole(self, done: Done) -> None:
        models = {each["name"]: each["state"] for each in done.container.json("models", "list")}
        assert (models["spleeter"], models["phonemes"]) == ("installed", "installed")

    def test_can_identify_songs_by_their_sound(self, done: Done) -> None:
        song = "/music/The Sampled Choir/The_Star.mp3"
        made = done.container.exec("python", "-m", "lyricsyncd.identify.acoustid", song)
        assert json.loads(made.stdout)["code"].startswith("AQ")

    def test_finds_nothing_wrong_with_itself(self, done: Done) -> None:
        found = done.container.json("doctor", "--offline")
        assert [each for each in found["findings"] if each["verdict"] == "failed"] == []
        assert found["well"]

    def test_makes_files_of_its_own_with_the_umask(self, done: Done) -> None:
        assert stat.S_IMODE((done.config / "config.yaml").stat().st_mode) == 0o640

    def test_keeps_all_that_must_last_in_its_one_folder(self, done: Done) -> None:
        names = {path.name for path in done.config.iterdir()}
        assert names == {"config.yaml", "state", "cache", "token"}


class TestAStopWithASongInWork:
    def test_is_quick_and_loses_nothing(
        self, image: host.Image, work: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        volumes = library(work)
        local = {"LYRICSYNCD_LYRICS__ORDER": "[local]"}
        words = work / "music" / "The Sampled Choir" / "The_Star.elrc"
        with host.started(image, work, volumes=volumes, environment=local, user=OWNER) as first:
            wait_for(lambda: first.json("show", "The_Star").get("state") == "working", first, 120)
            seconds = first.stop()
        show(capsys, f"stopped with a song in work: {seconds:.1f} s")
        assert first.process.returncode == 0, first.output()
        assert seconds < 10.0
        with host.started(image, work, volumes=volumes, environment=local, user=OWNER) as second:
            wait_for(words.exists, second, 240)
        assert second.process.returncode == 0, second.output()

    def test_is_heeded_before_the_service_is_up(self, image: host.Image, work: Path) -> None:
        with host.started(image, work, volumes=library(work), user=OWNER) as container:
            assert container.stop() < 10.0


class TestTheStart:
    """What the entry point says where it was not given what it needs."""

    def refused(self, image: host.Image, work: Path, **given: object) -> str:
        volumes = library(work)
        user = given.pop("user", OWNER)
        assert isinstance(user, tuple)
        settings = {name: str(value) for name, value in given.items()}
        with host.started(
            image, work, volumes=volumes, environment=settings, user=user
        ) as container:
            container.process.wait(60)
        assert container.process.returncode == 2
        (line,) = container.output().splitlines()
        return line

    def test_refuses_another_user_than_it_was_started_as(
        self, image: host.Image, work: Path
    ) -> None:
        line = self.refused(image, work, user=(1000, 1000), PUID=1026, PGID=100)
        assert "PUID=1026, but the container runs as user 1000" in line
        assert "--user 1026:100" in line

    def test_says_whose_the_folder_is_that_it_cannot_write_to(
        self, image: host.Image, work: Path
    ) -> None:
        line = self.refused(image, work, user=(1000, 1000))
        assert "/config cannot be written to by user 1000:1000" in line
        assert "PUID=1026 PGID=100" in line

    def test_refuses_a_umask_that_is_none(self, image: host.Image, work: Path) -> None:
        assert "UMASK=rwx is not octal" in self.refused(image, work, UMASK="rwx")

    def test_becomes_the_user_that_is_asked_for_where_it_is_started_as_root(
        self, image: host.Image, work: Path
    ) -> None:
        settings = {"PUID": "1026", "PGID": "100"}
        volumes = library(work, owner=(0, 0))
        with host.started(
            image, work, "models", "path", volumes=volumes, environment=settings, user=(0, 0)
        ) as container:
            container.process.wait(60)
        assert container.output().splitlines()[-1] == "/config/cache/models"
        made = (work / "config" / "state").stat()
        assert (made.st_uid, made.st_gid) == OWNER


class TestTheDoctorInside:
    def findings(
        self, image: host.Image, work: Path, volumes: dict[str, str | Path], user: tuple[int, int]
    ) -> dict[str, tuple[str, str]]:
        with host.started(
            image, work, "doctor", "--offline", "--json", volumes=volumes, user=user
        ) as container:
            container.process.wait(120)
        text = container.output()
        found = json.loads(text[text.index("{\n") :])["findings"]
        return {each["topic"]: (each["text"], each["remedy"]) for each in found}

    def test_says_whose_the_music_is_where_it_cannot_be_written(
        self, image: host.Image, work: Path
    ) -> None:
        volumes = library(work)
        os.chown(work / "config", 1000, 1000)
        text, remedy = self.findings(image, work, volumes, (1000, 1000))["library"]
        assert "cannot be written to" in text
        assert "PUID=1026 PGID=100" in remedy

    def test_says_that_music_is_mounted_read_only(self, image: host.Image, work: Path) -> None:
        volumes = library(work)
        volumes["/music"] = f"{volumes['/music']}:ro"
        text, remedy = self.findings(image, work, volumes, OWNER)["library"]
        assert "read-only" in text
        assert ":ro" in remedy

    def test_says_that_no_music_is_mounted(self, image: host.Image, work: Path) -> None:
        volumes = library(work)
        del volumes["/music"]
        text, remedy = self.findings(image, work, volumes, OWNER)["library"]
        assert "no folder of yours is mounted at /music" in text
        assert "volumes" in remedy
