"""The control interface of the service as a process."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.service_home import HEAVY, TEXT, Home

pytestmark = pytest.mark.daemon


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home(tmp_path) as home:
        home.configure(web={"listen": "127.0.0.1:0"}, daemon={"settle": 0.3, "rescan": None})
        yield home


def address(home: Home) -> str:
    """Where the service listens now."""
    home.until(lambda: "listening on" in home.said(), "it listens")
    found: list[str] = re.findall(r"listening on (http\S+)", home.said())
    return found[-1]


def ask(home: Home, path: str, **options: Any) -> httpx2.Response:
    return httpx2.get(f"{address(home)}/api/v1{path}", timeout=20, **options)


@pytest.mark.slow
def test_a_song_is_reported_of_followed_and_read(home: Home) -> None:
    home.start()
    song = home.drop(words=TEXT)
    event = {"event": "imported", "path": str(song)}
    answer = httpx2.post(f"{address(home)}/api/v1/events", json=event)
    assert answer.status_code == 202
    id = answer.json()["results"][0]["id"]
    home.until(lambda: ask(home, f"/tracks/{id}").json()["state"] == "done", "it is done")
    text = ask(home, "/lyrics", params={"path": str(song), "format": "lrc"}).text
    assert text.count("<") >= 44
    assert ask(home, "/status").json()["songs"]["done"] == 1
    # The page has all that it needs, and what a person decides holds.
    draft = ask(home, f"/tracks/{id}/draft").json()
    assert all(word[3] for line in draft["lyrics"]["lines"] for word in line["words"])
    assert len(ask(home, f"/tracks/{id}/peaks").content) > 4000
    home.until(lambda: ask(home, f"/{draft['audio'][0]['url']}").status_code == 200, "it plays")
    for action, state in (("lines", "lines"), ("accept", "done")):
        body = {"action": action, "revision": draft["revision"]}
        decided = httpx2.post(f"{address(home)}/api/v1/tracks/{id}/decision", json=body, timeout=20)
        assert decided.json()["track"]["state"] == state
    assert httpx2.get(f"{address(home)}/ui/").status_code == 200
    ask(home, "/health")
    # All of it is in use by now, and the service is small as ever.
    httpx2.get(f"{address(home)}/metrics")
    ask(home, "/openapi.json")
    assert home.process is not None
    maps = Path(f"/proc/{home.process.pid}/maps").read_text(encoding="utf-8")
    assert not {name for name in HEAVY if f"/{name}/" in maps}
    status = Path(f"/proc/{home.process.pid}/status").read_text(encoding="utf-8")
    (resident,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    assert int(resident) < 80 * 1024
    assert home.stop() == 0


def test_a_new_token_holds_from_the_reload_on(home: Home) -> None:
    home.start()
    assert ask(home, "/status").status_code == 200
    home.configure(web={"listen": "127.0.0.1:0", "token": "new"})
    assert home.process is not None
    home.process.send_signal(signal.SIGHUP)
    home.until(lambda: "was read again" in home.said(), "it is read again")
    assert ask(home, "/status").status_code == 401
    assert ask(home, "/status", headers={"Authorization": "Bearer new"}).status_code == 200
    # What is wrong changes nothing.
    home.configure(web={"listen": "0.0.0.0:0"})
    home.process.send_signal(signal.SIGHUP)
    home.until(lambda: "stays as it was" in home.said(), "it is refused")
    assert ask(home, "/status", headers={"Authorization": "Bearer new"}).status_code == 200


def test_open_to_the_world_without_a_token_it_does_not_start(home: Home) -> None:
    home.configure(web={"listen": "0.0.0.0:0"})
    said = home.call("run", status=2)
    assert len(said.splitlines()) == 1
    assert "listening on 0.0.0.0 needs a token" in said


@pytest.mark.slow
def test_a_port_that_is_taken_costs_no_song(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        home.configure(web={"listen": f"127.0.0.1:{other.getsockname()[1]}"})
        home.start()
        assert "cannot listen on" in home.said()
        home.drop()
        home.until_counts(done=1)
