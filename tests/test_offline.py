"""The service while the network is away: what needs none goes on, what needs it waits.

Real processes; lyrics are looked up at addresses of this computer where nobody listens, where
connections hang, or where a service comes up later.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.local_services import Entry, Lrclib, serving
from tests.service_home import TEXT, Home

HOST = "127.0.0.1"


def asks(home: Home, url: str, **lrclib: Any) -> None:
    home.configure(lyrics={"order": ["local", "lrclib"], "lrclib": {"url": url, **lrclib}})


def closed_port() -> str:
    with socket.create_server((HOST, 0)) as server:
        return f"http://{HOST}:{server.getsockname()[1]}"


@contextmanager
def hanging_port() -> Iterator[str]:
    """An address whose connections are never made: the queue of those that wait is full."""
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(server.getsockname())
        try:
            yield f"http://{HOST}:{server.getsockname()[1]}"
        finally:
            for each in waiting:
                each.close()


def waiting_at(home: Home) -> dict[str, Any]:
    found = home.asked("status")["waiting"]
    return dict(found[0]) if found else {}


@pytest.mark.slow
@pytest.mark.daemon
class TestWithoutANetwork:
    def test_songs_with_words_beside_them_are_done(self, home: Home) -> None:
        for number in range(8):
            home.drop(f"a{number}.mp3", words=None)
            home.drop(f"b{number}.mp3")
        asks(home, closed_port())
        home.start()
        home.until_counts(done=8, pending=8)

    def test_they_are_not_held_up_by_connections_that_hang(self, home: Home) -> None:
        for number in range(4):
            home.drop(f"a{number}.mp3", words=None)
            home.drop(f"b{number}.mp3")
        with hanging_port() as url:
            asks(home, url, timeout=60)
            home.start()
            # The first look-up takes minutes to fail.
            home.until(lambda: home.counts().get("done") == 4, "songs with words are done")
            assert waiting_at(home) == {}
            assert home.stop() == 0

    def test_nor_is_a_song_that_the_model_places(self, home: Home) -> None:
        for number in range(3):
            home.drop(f"a{number}.mp3", words=None)
        home.drop("b.mp3", words=TEXT)
        with hanging_port() as url:
            asks(home, url, timeout=60)
            home.start()
            home.until(lambda: home.counts().get("done") == 1, "the song with words is done")

    def test_the_status_tells_what_waits_for_what_and_until_when(self, home: Home) -> None:
        for number in range(3):
            home.drop(f"{number}.mp3", words=None)
        url = closed_port()
        asks(home, url)
        home.start()
        home.until(lambda: waiting_at(home).get("songs") == 3, "all songs wait")
        reported = waiting_at(home)
        assert reported["host"] == url.removeprefix("http://")
        assert "cannot be reached" in reported["why"]
        assert 0 < reported["until"] - time.time() <= 31

    def test_the_log_tells_of_the_source_once_and_not_for_each_song(self, home: Home) -> None:
        for number in range(5):
            home.drop(f"{number}.mp3", words=None)
        asks(home, closed_port())
        home.start()
        home.until(lambda: waiting_at(home).get("songs") == 5, "all songs wait")
        assert home.said().count("cannot be reached") == 1
        assert "mp3: pending" not in home.said()

    def test_words_that_come_to_lie_beside_a_waiting_song_are_taken(self, home: Home) -> None:
        song = home.drop("a.mp3", words=None)
        asks(home, closed_port())
        home.start()
        home.until(lambda: waiting_at(home).get("songs") == 1, "it waits")
        song.with_suffix(".txt").write_text(TEXT, encoding="utf-8")
        home.until_counts(done=1)


@pytest.mark.slow
@pytest.mark.daemon
class TestANetworkThatComesBack:
    ENTRY = Entry("The Star", "Jane Taylor", duration=25.0, plain=TEXT)

    @pytest.mark.parametrize("by", ["reload", "retry", "the end of the rest"])
    def test_ends_the_rest(self, home: Home, by: str) -> None:
        songs = [home.drop(f"{number}.mp3", words=None) for number in range(3)]
        known = Lrclib([self.ENTRY])
        with socket.create_server((HOST, 0)) as server:
            port = server.getsockname()[1]
        asks(home, f"http://{HOST}:{port}")
        home.start()
        home.until(lambda: waiting_at(home).get("songs") == 3, "all songs wait")
        with serving(known, port=port) as service:
            assert not service.asked
            if by == "reload":
                assert home.process is not None
                home.process.send_signal(1)
            elif by == "retry":
                home.call("retry", songs[1])
            home.until(lambda: not home.asked("status")["waiting"], "nothing waits any more")
            home.until(lambda: "pending" not in home.counts(), "all songs are done")
            assert service.asked
        assert f"{HOST}:{port} answers again" in home.said()
