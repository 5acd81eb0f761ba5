"""The first run: a configuration without music folders is completed from the page, once."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lyricsyncd.config import setup, yaml_lines
from lyricsyncd.config.paths import is_system_folder
from lyricsyncd.config.reader import load
from lyricsyncd.config.schema import Output
from lyricsyncd.errors import ConfigError, UsageError
from lyricsyncd.web.operations import first_run
from tests import web_api
from tests.browser import DESKTOP, PHONE, Visit
from tests.web_api import SONG, Home

SETUP, PREVIEW = "/api/v1/setup", "/api/v1/setup/preview"


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "person" / "Music").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Home]:
    with web_api.home(tmp_path, fresh=True) as made:
        yield made


def choices(*libraries: Path | str, player: str = "navidrome") -> dict[str, Any]:
    return {"libraries": [str(each) for each in libraries], "player": player}


def everything_below(folder: Path) -> dict[Path, bytes | None]:
    """All files of a folder with their content."""
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if "catalog.db" not in path.name and "cache" not in path.parts
    }


class TestAConfigurationThatIsThere:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "# mine\n",
            "libraries:\n",
            "libraries: []  # none yet\nlanguage: en\n",
            "language: en\nlibraries: null\noutput:\n  #preset: generic\n",
            "output:\n  preset: plex  # as it is\n  karaoke: true\nweb:\n  token: a long secret\n",
            "output: {preset: plex, karaoke: true}\n",
            "output: {}\nlibraries: []",
            "output:\n    karaoke: true # my own\n",
            "output:\n  - {format: ttml}\nlibraries: []\n",
            "\ufeffweb: {listen: '127.0.0.1:1'}\r\nlibraries: [ ]\r\nlanguage: de\r\n",
        ],
    )
    def test_gets_the_choices_and_keeps_the_rest(self, tmp_path: Path, text: str) -> None:
        file = tmp_path / "config.yaml"
        file.write_text(text, encoding="utf-8", newline="")
        before = yaml_lines.parse(file.read_bytes()).data or {}
        folder = tmp_path / "a: b #1"
        made = setup.chosen(file, [folder, Path("/music")], "navidrome")
        after = yaml_lines.parse(made.encode()).data
        assert after["libraries"] == [{"path": str(folder)}, {"path": "/music"}]
        rest = {"libraries", "output"}
        assert {k: v for k, v in after.items() if k not in rest} == {
            k: v for k, v in before.items() if k not in rest
        }
        if isinstance(before.get("output"), list):
            assert after["output"] == before["output"]
        else:
            assert after["output"] == {**(before.get("output") or {}), "preset": "navidrome"}
        assert re.findall("#.*", text.replace("\r", "")) == re.findall(
            "#.*", made.replace(" #1", "").replace("\r", "")
        )

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("libraries: [{path: /a}]", "names music folders already"),
            ("{language: en}", "in an unusual way"),
            ("a: b: c", "line 1"),
            ("- a", "holds no settings"),
            ("language: en\n...\n", "in an unusual way"),
        ],
    )
    def test_is_left_to_a_person_where_that_is_safer(
        self, tmp_path: Path, text: str, why: str
    ) -> None:
        file = tmp_path / "config.yaml"
        file.write_text(text)
        with pytest.raises(ConfigError, match=why):
            setup.chosen(file, [Path("/music")], "plex")

    def test_is_kept_beside_the_new_one(self, tmp_path: Path) -> None:
        file = tmp_path / "config.yaml"
        file.write_text("web: {token: a long secret}\n")
        file.chmod(0o600)
        setup.write(file, setup.chosen(file, [tmp_path], "plex"))
        backup = tmp_path / "config.yaml.bak"
        assert backup.read_text() == "web: {token: a long secret}\n"
        assert [each.stat().st_mode & 0o777 for each in (file, backup)] == [0o600, 0o600]


class TestAMusicFolder:
    @pytest.mark.parametrize("name", ["/", "/proc", "/proc/self", "/sys/kernel", "/dev", "/run"])
    def test_is_none_of_the_system(self, name: str) -> None:
        with pytest.raises(UsageError, match="holds the system's files"):
            setup.checked_folder(Path(name))

    def test_is_none_by_a_link_either(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("/")
        with pytest.raises(UsageError, match="holds the system's files"):
            setup.checked_folder(tmp_path / "link")

    def test_may_be_on_a_disk_that_was_plugged_in(self) -> None:
        assert not is_system_folder(Path("/run/media/ann/Disk/Music"))
        assert is_system_folder(Path("/run/mediator"))

    @pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "~nobody-of-this-name/music"])
    def test_is_none_that_is_no_path(self, name: str) -> None:
        with pytest.raises(UsageError):
            setup.checked_folder(Path(name))


class TestTheChoices:
    def test_are_the_usual_folders_and_all_players(self, fresh: Home, tmp_path: Path) -> None:
        answer = fresh.get(SETUP).json()
        assert answer["needed"]
        assert str(tmp_path / "person" / "Music") in answer["suggested"]
        players = {each["name"]: each for each in answer["players"]}
        assert players["navidrome"]["files"] == ["NAME.lrc", "NAME.elrc"]
        assert players["embed"]["files"] == []
        assert players["embed"]["tags"]

    def test_are_shown_without_writing_anything(self, fresh: Home, tmp_path: Path) -> None:
        song = fresh.song("A/star.mp3", None)
        fresh.song("A/timed.mp3")
        before = everything_below(tmp_path)
        answer = fresh.post(PREVIEW, choices(fresh.music)).json()
        assert everything_below(tmp_path) == before
        assert (answer["songs"], answer["complete"]) == (2, True)
        assert answer["seconds"] > 0
        assert answer["example"] == {
            "song": str(song),
            "files": [str(song.with_suffix(".lrc")), str(song.with_suffix(".elrc"))],
            "kept": [],
            "tags": False,
        }
        assert answer["config"] == str(fresh.file)
        assert "genius" not in answer["sources"]

    def test_of_a_folder_without_end_are_shown_in_part(
        self, fresh: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(first_run, "_LOOK_S", 0.0)
        fresh.song()
        answer = fresh.post(PREVIEW, choices(fresh.music)).json()
        assert (answer["songs"], answer["complete"]) == (0, False)
        assert answer["example"] is None

    def test_are_given_as_a_command_that_does_the_same(self, fresh: Home) -> None:
        fresh.song()
        command = fresh.post(PREVIEW, choices(fresh.music)).json()["command"].split()
        subprocess.run([sys.executable, "-m", *command, "--dry-run"], check=True, timeout=60)
        subprocess.run([sys.executable, "-m", *command], check=True, timeout=60)
        by_command = fresh.file.read_bytes()
        fresh.file.unlink()
        fresh.post(SETUP, choices(fresh.music)).raise_for_status()
        assert fresh.file.read_bytes() == by_command

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (choices("/nowhere at all"), "is not there"),
            (choices("music"), "is no full path"),
            (choices("/etc/passwd"), "is not a folder"),
            (choices("/proc"), "holds the system's files"),
            (choices("/\udcff"), "is not there"),
            (choices("~", player="none such"), "none such"),
        ],
    )
    @pytest.mark.parametrize("path", [SETUP, PREVIEW])
    def test_that_cannot_be_are_refused(
        self, fresh: Home, path: str, body: dict[str, Any], why: str
    ) -> None:
        answer = fresh.post(path, body)
        assert answer.status_code == 422
        assert why in answer.json()["error"]
        assert not fresh.file.exists()

    def test_hold_from_then_on_and_can_be_made_once(self, fresh: Home, tmp_path: Path) -> None:
        fresh.post(SETUP, choices(fresh.music)).raise_for_status()
        made = load(fresh.file, {})
        assert [each.path for each in made.libraries] == [fresh.music]
        assert made.output == Output(preset="navidrome")
        written = fresh.file.read_bytes()
        for path in (SETUP, PREVIEW):
            answer = fresh.post(path, choices(tmp_path / "person"))
            assert answer.status_code == 409
        assert fresh.file.read_bytes() == written
        # Nor does it tell any more what there is.
        assert fresh.get(SETUP).json()["suggested"] == []

    def test_need_the_token_and_come_from_our_own_page(self, tmp_path: Path) -> None:
        with web_api.home(tmp_path, fresh=True, token="a long secret") as made:
            for answer in (made.get(SETUP), made.post(SETUP, choices(made.music))):
                assert answer.status_code == 401
            foreign = made.post(
                SETUP,
                choices(made.music),
                Origin="https://evil.example",
                Authorization="Bearer a long secret",
            )
            assert foreign.status_code == 403
            assert not made.file.exists()

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_that_cannot_be_written_are_shown_as_a_command(self, fresh: Home) -> None:
        fresh.file.parent.mkdir()
        fresh.file.parent.chmod(0o500)
        findings = fresh.post(PREVIEW, choices(fresh.music)).json()["findings"]
        assert findings[0]["topic"] == "settings"
        answer = fresh.post(SETUP, choices(fresh.music))
        assert answer.status_code == 422
        assert "lyricsyncd init --library" in answer.json()["remedy"]


@pytest.mark.slow
@pytest.mark.alone
class TestTheScreen:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
    def test_is_accessible(
        self, fresh: Home, visit: Callable[..., Visit], scheme: str, size: tuple[int, int]
    ) -> None:
        axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
        fresh.song("A/star.mp3")
        page = visit(web_address(fresh), scheme=scheme, size=size, bypass_csp=True).page
        page.get_by_role("heading", name="Welcome").wait_for()
        choose(page, fresh.music)
        page.get_by_role("button", name="Show me").click()
        page.get_by_role("button", name="Start", exact=True).wait_for()
        page.get_by_text("What is written to start").click()
        results = axe.run(page)
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]

    def test_comes_after_signing_in(self, tmp_path: Path, visit: Callable[..., Visit]) -> None:
        with web_api.home(tmp_path, fresh=True, token="a long secret") as made:
            page = visit(web_address(made)).page
            page.get_by_label("Token").fill("a long secret")
            page.keyboard.press("Enter")
            page.get_by_role("heading", name="Welcome").wait_for()
            page.get_by_role("checkbox", name="Music").wait_for()

    def test_says_why_a_folder_cannot_be(self, fresh: Home, visit: Callable[..., Visit]) -> None:
        page = visit(web_address(fresh)).page
        choose(page, "/nowhere at all")
        page.get_by_role("button", name="Show me").click()
        page.get_by_text("the music folder /nowhere at all is not there").wait_for()

    @pytest.mark.daemon
    def test_leads_by_keyboard_alone_from_no_configuration_to_placed_songs(
        self, tmp_path: Path, visit: Callable[..., Visit]
    ) -> None:
        person = tmp_path / "person"
        for suffix in (".mp3", ".txt"):
            shutil.copy(SONG.with_suffix(suffix), person / "Music" / f"star{suffix}")
        with socket.create_server(("127.0.0.1", 0)) as free:
            listen = f"127.0.0.1:{free.getsockname()[1]}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("LYRICSYNCD", "XDG"))}
        settings = {"LYRICSYNCD_WEB__LISTEN": listen, "LYRICSYNCD_DAEMON__SETTLE": "0.5s"}
        process = subprocess.Popen(
            [sys.executable, "-m", "lyricsyncd", "run"],
            env={**kept, **settings},
            stderr=subprocess.PIPE,
        )
        try:
            until_it_listens(listen)
            seen = visit(listen)
            page = seen.page
            page.get_by_role("checkbox", name="Music").wait_for()
            press_until(page, "Tab", page.get_by_role("radio", name="Any player"))
            page.keyboard.press("ArrowDown")
            press_until(page, "Tab", page.get_by_role("button", name="Show me"))
            page.keyboard.press("Enter")
            page.get_by_text("star.elrc").wait_for()
            config = person / ".config" / "lyricsyncd" / "config.yaml"
            assert not config.exists()
            press_until(page, "Tab", page.get_by_role("button", name="Start", exact=True))
            page.keyboard.press("Enter")
            page.get_by_role("row").get_by_text("star").first.wait_for()
            page.get_by_role("row").get_by_text("Word by word").wait_for(timeout=180_000)
            assert seen.complaints == []
            assert load(config, {}).output == Output(preset="navidrome")
            assert (person / "Music" / "star.elrc").exists()
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def web_address(home: Home) -> str:
    assert home.server.address is not None
    return home.server.address


def choose(page: Any, folder: Path | str) -> None:
    """Name a folder, in place of what is suggested."""
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_label("Full path of a folder").fill(str(folder))
    page.keyboard.press("Enter")
    page.get_by_role("checkbox", name=str(folder), checked=True).wait_for()


def press_until(page: Any, key: str, there: Any) -> None:
    """Press a key until something has the focus."""
    for _ in range(30):
        page.keyboard.press(key)
        if there.evaluate("e => e === document.activeElement"):
            return
    raise AssertionError(f"{key} does not lead there")


def until_it_listens(address: str) -> None:
    for _ in range(100):
        try:
            httpx2.get(f"http://{address}/healthz", timeout=5).raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the service does not listen")
