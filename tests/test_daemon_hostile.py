"""The service among songs that are a danger to parse: it stays up, and does every healthy one."""

from __future__ import annotations

import concurrent.futures
import re
from pathlib import Path

import httpx2
import pytest

from lyricsyncd.errors import AudioError
from tests.hostile_songs import HOSTILE
from tests.service_home import TIMEOUT_S, Home

pytestmark = [pytest.mark.slow, pytest.mark.daemon]

KINDS = (
    "compressed 20 MB.mp3",
    "compressed 200 MB.mp3",
    "TIT2 UTF-16.mp3",
    "chunks.aiff",
    "tags.mka",
)
"""Of each way in which a parser is lost one or two: processor time, memory, a crash."""


def serve(home: Home) -> str:
    """Start the service; the address of its control interface."""
    home.configure(web={"listen": "127.0.0.1:0"}, daemon={"settle": 0.3, "rescan": None})
    home.start()
    home.until(lambda: "listening on" in home.said(), "it listens")
    found: list[str] = re.findall(r"listening on (http\S+)", home.said())
    return found[-1]


def place(home: Home, kind: str, name: str = "") -> Path:
    song = home.music / (name or kind)
    part = home.folder / "part"
    part.write_bytes(HOSTILE[kind]())
    return part.rename(song)


def test_each_costs_only_itself_and_the_song_behind_it_is_done(home: Home) -> None:
    serve(home)
    for number, kind in enumerate(KINDS, 1):
        place(home, kind)
        home.drop(f"healthy {number}.mp3")
        home.until_counts(failed=number, done=number)
    failed = home.asked("queue", "--state", "failed")
    assert {song["error_class"] for song in failed} == {AudioError.__name__}
    reasons = [song["reason"] for song in failed]
    assert [reason for reason in reasons if "cannot be read safely" not in reason] == []
    assert "a bug" not in home.said()


def test_five_that_ask_for_the_words_of_one_do_not_close_the_interface(home: Home) -> None:
    address = serve(home)
    song = place(home, "compressed 20 MB.mp3")
    home.until(lambda: sum(home.counts().values()) == 1, "it is known")
    with concurrent.futures.ThreadPoolExecutor(5) as asking:
        words = f"{address}/api/v1/lyrics"
        answers = [
            asking.submit(httpx2.get, words, params={"path": str(song)}, timeout=TIMEOUT_S)
            for _ in range(5)
        ]
        while not all(answer.done() for answer in answers):
            assert httpx2.get(f"{address}/healthz", timeout=TIMEOUT_S).text == "ok\n"
            assert httpx2.get(f"{address}/api/v1/status", timeout=TIMEOUT_S).status_code == 200
    assert {answer.result().status_code for answer in answers} == {404}


def test_it_ends_at_once_when_asked_to_in_the_middle_of_one(home: Home) -> None:
    serve(home)
    place(home, "COMM.mp3")
    home.until(lambda: home.counts().get("working"), "it is being read")
    assert home.stop() == 0
    assert home.counts() == {"pending": 1}
