"""Asking politely: what a service's answers, errors and bad days become."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricsyncd.errors import ConfigError, Refused, SourceError, Unreachable
from lyricsyncd.http import MAX_BYTES, Web, rate_limit, response_cache, shared_rate_limit
from lyricsyncd.http.response_cache import NOT_FOUND_S, ResponseCache, without_cache
from lyricsyncd.http.validation import host_of
from tests.clock import Clock
from tests.local_services import LOGIN_PAGE, Asked, Reply, as_html, as_json, serving

QUICK = Web(timeout=0.5, interval=0.0, backoff=0.01)


@pytest.fixture(autouse=True)
def _nobody_asked_yet() -> Iterator[None]:
    rate_limit.forget()
    yield
    rate_limit.forget()


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


class Script:
    """ResponseCache one after the other; the last one repeats."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def __call__(self, asked: Asked) -> Reply:  # noqa: ARG002
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class TestAnswers:
    def test_json_comes_parsed(self) -> None:
        with serving(lambda asked: as_json(asked.query)) as service:
            assert QUICK.get_json(service.url, {"q": "björk & co"}) == {"q": "björk & co"}
        assert service.asked[0].headers["user-agent"].startswith("lyricsyncd/")

    def test_a_404_is_no_error(self) -> None:
        with serving(Script(as_json({"name": "TrackNotFound"}, 404))) as service:
            assert QUICK.get_json(service.url, {}) is None
        assert len(service.asked) == 1

    def test_a_form_is_posted(self) -> None:
        with serving(lambda asked: as_json(asked.body.decode())) as service:
            assert QUICK.post_json(service.url, form={"a": "ü"}) == "a=%C3%BC"

    def test_redirects_are_followed(self) -> None:
        moved = Reply(301, headers={"Location": "/there"})
        with serving(Script(moved, as_json([1]))) as service:
            assert QUICK.get_json(service.url + "/here", {}) == [1]
        assert service.paths == ["/here", "/there"]

    def test_but_not_for_ever(self) -> None:
        web = Web(attempts=1, interval=0)
        script = Script(Reply(302, headers={"Location": "/again"}))
        with serving(script) as service, pytest.raises(Unreachable, match="circle"):
            web.get_json(service.url, {})
        assert len(service.asked) == 4


class TestBadDays:
    @pytest.mark.parametrize(
        "bad",
        [
            Reply(500, b"oops"),
            Reply(502, LOGIN_PAGE),
            Reply(408),
            as_html(LOGIN_PAGE),
            Reply(200, b'{"half": ', {"Content-Type": "application/json"}),
            Reply(200, b"[" * 100_000),
            as_json(["x" * 1000], cut=True),
            as_json([1], delay=1.0),
        ],
        ids=["500", "502", "408", "login page", "half json", "deep json", "cut", "slow"],
    )
    def test_are_tried_again_and_then_reported(self, bad: Reply) -> None:
        with serving(Script(bad)) as service, pytest.raises(Unreachable) as caught:
            QUICK.get_json(service.url, {})
        assert caught.value.transient
        assert len(service.asked) == 3

    def test_that_pass_are_forgotten(self) -> None:
        with serving(Script(Reply(500), as_json(["here"]))) as service:
            assert QUICK.get_json(service.url, {}) == ["here"]

    def test_a_trickle_ends(self) -> None:
        web = Web(timeout=0.2, attempts=1, interval=0)
        script = Script(Reply(200, b"[1]" + b" " * 200, trickle=0.02))
        with serving(script) as service, pytest.raises(Unreachable, match="too slowly"):
            web.get_json(service.url, {})

    def test_a_flood_is_cut_off(self) -> None:
        script = Script(Reply(200, b" " * (MAX_BYTES + 1)))
        with serving(script) as service, pytest.raises(SourceError, match="more than 8 MiB"):
            QUICK.get_json(service.url, {})

    @pytest.mark.parametrize("status", [400, 401, 403, 410, 451])
    def test_a_refusal_is_not_asked_again(self, status: int) -> None:
        with serving(Script(Reply(status))) as service, pytest.raises(Refused) as caught:
            QUICK.get_json(service.url, {})
        assert not caught.value.transient
        assert len(service.asked) == 1

    def test_nobody_at_the_port(self) -> None:
        with pytest.raises(Unreachable, match="cannot be reached"):
            QUICK.get_json(closed_port(), {})

    def test_no_such_host(self) -> None:
        with pytest.raises(Unreachable):
            Web(attempts=1, timeout=1).get_json("http://lyrics.invalid/", {})

    @pytest.mark.parametrize("url", ["lrclib.net", "ftp://lrclib.net", "http://"])
    def test_what_is_no_address_is_an_error_of_ours(self, url: str) -> None:
        with pytest.raises((ConfigError, Unreachable)):
            Web(attempts=1).get_json(url, {})


class TestLimits:
    def test_a_host_is_not_asked_faster_than_allowed(self) -> None:
        web = Web(interval=0.05)
        with serving(Script(as_json([]))) as service:
            threads = [
                threading.Thread(target=lambda: [web.get_json(service.url, {}) for _ in range(4)])
                for _ in range(3)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        times = sorted(asked.at for asked in service.asked)
        # Twelve questions have eleven pauses between them, from any thread.
        assert len(times) == 12
        assert times[-1] - times[0] >= 11 * 0.05 * 0.9

    def test_retry_after_is_waited_for_where_it_is_short(self) -> None:
        busy = Reply(429, headers={"Retry-After": "1"})
        with serving(Script(busy, as_json([1]))) as service:
            assert QUICK.get_json(service.url, {}) == [1]
        assert service.asked[1].at - service.asked[0].at >= 0.99

    @pytest.mark.parametrize("status", [429, 503])
    def test_and_kept_to_where_it_is_long(self, status: int) -> None:
        with serving(Script(Reply(status, headers={"Retry-After": "600"}))) as service:
            with pytest.raises((Refused, Unreachable)) as caught:
                QUICK.get_json(service.url, {})
            assert caught.value.transient
            assert caught.value.retry_after == 600
            with pytest.raises(Refused, match="no more requests") as again:
                QUICK.get_json(service.url + "/other", {})
            assert again.value.retry_after == pytest.approx(600, abs=5)
        assert len(service.asked) == 1

    def test_a_retry_after_may_be_a_date_or_nonsense(self) -> None:
        date = Reply(429, headers={"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"})
        with serving(Script(date)) as service, pytest.raises(Refused) as caught:
            QUICK.get_json(service.url, {})
        assert caught.value.retry_after == rate_limit.HOLD_MAX_S
        rate_limit.forget()
        with serving(Script(Reply(429, headers={"Retry-After": "soon"}), as_json(1))) as service:
            assert QUICK.get_json(service.url, {}) == 1

    def test_a_host_that_keeps_failing_is_left_alone(self) -> None:
        with serving(Script(Reply(500))) as service:
            for _ in range(20):
                with pytest.raises(Unreachable) as caught:
                    QUICK.get_json(service.url, {})
            assert "tried again in" in caught.value.message
            assert caught.value.retry_after is not None
        assert len(service.asked) == rate_limit.FAILURES * QUICK.attempts

    def test_and_one_that_keeps_refusing_too(self) -> None:
        with serving(Script(Reply(403))) as service:
            for _ in range(20):
                with pytest.raises(Refused) as caught:
                    QUICK.get_json(service.url, {})
        # By then it is "not now": nothing is known of the songs that were not asked for.
        assert caught.value.transient
        assert len(service.asked) == rate_limit.FAILURES

    def test_one_answer_is_enough_to_be_trusted_again(self) -> None:
        with serving(Script(Reply(403), Reply(403), as_json([]), Reply(403))) as service:
            for _ in range(6):
                with contextlib.suppress(Refused):
                    QUICK.get_json(service.url, {})
        assert len(service.asked) == 6

    def test_one_host_does_not_suffer_for_another(self) -> None:
        with serving(Script(as_json(["fine"]))) as good:
            for _ in range(5):
                with pytest.raises(Unreachable):
                    QUICK.get_json("http://localhost:1", {})
            assert QUICK.get_json(good.url, {}) == ["fine"]

    def test_does_not_count_against_another_service_on_the_same_computer(self) -> None:
        with serving(Script(Reply(500))) as bad, serving(Script(as_json(["fine"]))) as good:
            for _ in range(5):
                with pytest.raises(Unreachable):
                    QUICK.get_json(bad.url, {})
            assert QUICK.get_json(good.url, {}) == ["fine"]
            assert [rest.host for rest in rate_limit.rests()] == [host_of(bad.url)]


class TestAHostThatIsAway:
    def test_is_left_alone_after_one_question(self) -> None:
        for _ in range(3):
            with pytest.raises(Unreachable) as caught:
                QUICK.get_json("http://localhost:1", {})
            assert caught.value.host == "localhost:1"
        (rest,) = rate_limit.rests()
        assert rest.host == "localhost:1"
        assert "cannot be reached" in rest.why
        assert 0 < rest.seconds <= rate_limit.AWAY_PAUSES_S[0]
        assert rate_limit.resting("localhost:1")

    def test_is_asked_once_when_the_rest_ends(self) -> None:
        with serving(Script(Reply(500))) as service:
            for _ in range(rate_limit.FAILURES):
                with pytest.raises(Unreachable):
                    QUICK.get_json(service.url, {})
            asked = len(service.asked)
            rate_limit.end_rests()
            assert not rate_limit.resting(host_of(service.url))
            with pytest.raises(Unreachable):
                QUICK.get_json(service.url, {})
            assert len(service.asked) == asked + 1
            assert rate_limit.resting(host_of(service.url))

    def test_is_asked_as_before_once_it_has_answered(self) -> None:
        with serving(Script(as_json(["fine"]))) as service:
            rate_limit.failed(host_of(service.url), Unreachable("away"), away=True)
            rate_limit.end_rests()
            assert QUICK.get_json(service.url, {}) == ["fine"]
        assert rate_limit.rests() == []

    def test_is_not_knocked_at_by_all_songs_that_a_person_asked_for_before(self) -> None:
        rate_limit.failed("host", Unreachable("away"), away=True)
        rate_limit.end_rests(requested_ago=60.0)
        assert rate_limit.resting("host")

    def test_that_asked_to_be_left_alone_is(self) -> None:
        rate_limit.hold("host", 60.0)
        rate_limit.end_rests()
        assert rate_limit.resting("host")


class TestTheCache:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def web(self, tmp_path: Path, clock: Clock) -> Web:
        cache = ResponseCache(tmp_path / "deep" / "answers.sqlite", clock=clock)
        return Web(timeout=0.5, interval=0, backoff=0.01, attempts=1, cache=cache)

    def test_what_was_found_is_not_asked_again(self, web: Web, clock: Clock) -> None:
        with serving(Script(as_json({"words": "la"}))) as service:
            for _ in range(3):
                assert web.get_json(service.url, {"q": "x"}) == {"words": "la"}
            assert len(service.asked) == 1
            assert web.get_json(service.url, {"q": "y"})
            assert len(service.asked) == 2
            clock.now += response_cache.FOUND_S + 1
            assert web.get_json(service.url, {"q": "x"})
            assert len(service.asked) == 3

    def test_an_answer_that_a_wrong_clock_noted_is_not_believed_for_years(
        self, web: Web, clock: Clock
    ) -> None:
        with serving(Script(as_json([1]), as_json([2]))) as service:
            clock.now += 20 * 365 * 86400.0
            assert web.get_json(service.url, {}) == [1]
            clock.now -= 20 * 365 * 86400.0
            assert web.get_json(service.url, {}) == [2]
            assert web.get_json(service.url, {}) == [2]
            assert len(service.asked) == 2

    def test_nor_does_it_push_out_those_of_a_right_one(self, tmp_path: Path, clock: Clock) -> None:
        cache = ResponseCache(tmp_path / "answers.sqlite", most_rows=50, clock=clock)
        clock.now += 20 * 365 * 86400.0
        for number in range(49):
            cache.put(b"wrong %d" % number, b"[1]")
        clock.now -= 20 * 365 * 86400.0
        for number in range(400):
            clock.now += 1.0
            cache.put(b"right %d" % number, b"[1]")
        assert cache.get(b"right 399") is not None
        assert cache.get(b"right 395") is not None

    @pytest.mark.parametrize("nothing", [as_json({}, 404), as_json([])], ids=["404", "empty list"])
    def test_what_was_not_found_is_asked_again_on_a_growing_schedule(
        self, web: Web, clock: Clock, nothing: Reply
    ) -> None:
        with serving(Script(nothing)) as service:
            asked_on: list[int] = []
            begin = clock.now
            for day in range(80):
                clock.now = begin + day * 86400.0
                count = len(service.asked)
                assert not web.get_json(service.url, {})
                if len(service.asked) > count:
                    asked_on.append(day)
        assert asked_on == [0, 1, 8, 35, 62]
        assert NOT_FOUND_S == (86400, 7 * 86400, 30 * 86400)

    def test_a_refusal_is_kept_for_an_hour(self, web: Web, clock: Clock) -> None:
        with serving(Script(Reply(403))) as service:
            for _ in range(2):
                with pytest.raises(Refused, match="403"):
                    web.get_json(service.url, {})
            assert len(service.asked) == 1
            clock.now += 3601
            with pytest.raises(Refused):
                web.get_json(service.url, {})
            assert len(service.asked) == 2

    def test_but_not_for_another_key(self, web: Web) -> None:
        with serving(Script(Reply(401), as_json(["yes"]))) as service:
            with pytest.raises(Refused):
                web.get_json(service.url, {}, {"Authorization": "Bearer wrong"})
            assert web.get_json(service.url, {}, {"Authorization": "Bearer right"}) == ["yes"]

    def test_what_could_not_be_reached_is_asked_again(self, web: Web) -> None:
        with serving(Script(Reply(500), as_json(["here"]))) as service:
            with pytest.raises(Unreachable):
                web.get_json(service.url, {})
            assert web.get_json(service.url, {}) == ["here"]

    def test_a_login_page_is_never_kept(self, web: Web) -> None:
        with serving(Script(as_html(LOGIN_PAGE), as_json(["here"]))) as service:
            with pytest.raises(Unreachable, match="not JSON"):
                web.get_json(service.url, {})
            assert web.get_json(service.url, {}) == ["here"]

    def test_who_asks_anew_is_answered_anew(self, web: Web) -> None:
        with serving(Script(as_json([]), as_json(["new"]))) as service:
            assert web.get_json(service.url, {}) == []
            with without_cache():
                assert web.get_json(service.url, {}) == ["new"]
            assert web.get_json(service.url, {}) == ["new"]

    def test_lasts_longer_than_the_process(self, tmp_path: Path) -> None:
        path = tmp_path / "answers.sqlite"
        with serving(Script(as_json([7]))) as service:
            for _ in range(2):
                cache = ResponseCache(path)
                web = Web(interval=0, cache=cache)
                assert web.get_json(service.url, {}) == [7]
                cache.close()
        assert len(service.asked) == 1
        assert path.stat().st_mode & 0o077 == 0

    def test_is_bounded(self, tmp_path: Path) -> None:
        cache = ResponseCache(tmp_path / "a", most_rows=300, most_bytes=1 << 20)
        for number in range(1000):
            cache.put(number.to_bytes(4, "big"), b"[%d]" % number)
        cache.close()
        with sqlite3.connect(tmp_path / "a") as db:
            count = db.execute("SELECT COUNT(*) FROM answers").fetchone()[0]
        assert count <= 500
        assert ResponseCache(tmp_path / "a").get((999).to_bytes(4, "big")) is not None

    def test_that_is_broken_is_made_anew(self, tmp_path: Path) -> None:
        path = tmp_path / "answers.sqlite"
        path.write_bytes(b"SQLite format 3\0" + b"nonsense" * 100)
        cache = ResponseCache(path)
        cache.put(b"k", b"[1]")
        kept = cache.get(b"k")
        assert kept is not None
        assert kept.body == b"[1]"

    def test_that_breaks_in_use_is_made_anew(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = tmp_path / "answers.sqlite"
        cache = ResponseCache(path)
        for number in range(200):
            cache.put(b"%d" % number, b"[%d]" % number * 50)
        path.write_bytes(b"no database any more" * 5000)
        for _ in range(2):
            cache.put(b"k", b"[1]")
        kept = cache.get(b"k")
        assert kept is not None
        assert kept.body == b"[1]"
        assert caplog.text.count("is not used") == 1

    def test_that_cannot_be_written_costs_one_warning(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "file").write_text("")
        web = Web(interval=0, cache=ResponseCache(tmp_path / "file" / "answers.sqlite"))
        with serving(Script(as_json([1]))) as service:
            for _ in range(3):
                assert web.get_json(service.url, {}) == [1]
        assert len(service.asked) == 3
        assert caplog.text.count("is not used") == 1

    def test_serves_many_threads(self, tmp_path: Path) -> None:
        cache = ResponseCache(tmp_path / "a")

        def work(name: bytes) -> None:
            for number in range(50):
                key = name + bytes([number])
                cache.put(key, b"[1]")
                assert cache.get(key) is not None

        threads = [threading.Thread(target=work, args=(bytes([at]),)) for at in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(cache.get(bytes([at, 49])) for at in range(4))


class TestALibrarysSession:
    def test_asks_as_we_do(self, tmp_path: Path) -> None:
        from lyricsyncd.http.transport import session

        web = Web(interval=0, cache=ResponseCache(tmp_path / "a"))
        with serving(lambda asked: as_json([asked.query, asked.headers["cookie"]])) as service:
            asking = session(web)
            asking.headers["cookie"] = "a=b"
            for _ in range(2):
                found = asking.get(service.url, params={"q": "ü"}).json()
                assert found == [{"q": "ü"}, "a=b"]
        assert len(service.asked) == 1
        assert service.asked[0].headers["user-agent"].startswith("lyricsyncd/")

    def test_recognises_of_a_404_and_of_our_errors(self) -> None:
        from lyricsyncd.http.transport import session

        with serving(Script(Reply(404), Reply(403))) as service:
            asking = session(QUICK)
            assert asking.get(service.url).status_code == 404
            with pytest.raises(Refused):
                asking.get(service.url)


def test_a_dead_host_costs_thousands_of_songs_nothing() -> None:
    knocks: list[float] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        listener.settimeout(0.1)
        over = threading.Event()

        def hang_up() -> None:
            while not over.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                knocks.append(time.monotonic())
                connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        web = Web(timeout=0.5, interval=0.05, backoff=0.01)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/api/get"
        failed = 0
        for number in range(10_000):
            try:
                web.get_json(url, {"track_name": str(number)})
            except Unreachable:
                failed += 1
        over.set()
        thread.join()
    assert failed == 10_000
    assert 1 <= len(knocks) <= 2 * rate_limit.FAILURES * web.attempts


class TestSeveralProcesses:
    """The service and a command share one address: they must share one pace."""

    ASK = """
import sys
from pathlib import Path
from lyricsyncd.errors import SourceError
from lyricsyncd.http import Web
from lyricsyncd.http.response_cache import ResponseCache
web = Web(interval=0.3, cache=ResponseCache(Path(sys.argv[1]) / "answers.sqlite"))
print("ready", flush=True)
for number in range(int(sys.argv[4])):
    sys.stdin.readline()
    try:
        web.get_json(sys.argv[2], {"q": sys.argv[3] + str(number)})
    except SourceError as error:
        print(error, flush=True)
"""

    def asking(self, folder: Path, url: str, name: str, times: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", self.ASK, str(folder), url, name, str(times)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def test_take_turns(self, tmp_path: Path) -> None:
        with serving(lambda asked: as_json(asked.query)) as service:
            both = [self.asking(tmp_path, service.url, name, 4) for name in "ab"]
            for each in both:
                assert each.stdin is not None
                each.stdin.write("\n" * 4)
                each.stdin.flush()
            for each in both:
                each.communicate()
        at = sorted(asked.at for asked in service.asked)
        assert len(at) == 8
        # The turns are kept exactly; what comes over the wire may be late by a moment.
        assert at[-1] - at[0] >= 7 * 0.3 - 0.25

    def test_all_leave_a_host_alone_that_asked_one_of_them(self, tmp_path: Path) -> None:
        busy = Reply(429, headers={"Retry-After": "600"})
        with serving(Script(busy)) as service:
            for name in "ab":
                said, _ = self.asking(tmp_path, service.url, name, 1).communicate("\n")
                assert "accepts no more requests" in said
        assert len(service.asked) == 1

    @pytest.mark.parametrize("note", [b"9e99 9e99", b"nan nan", b"rubbish", b"", b"1 2 3"])
    def test_a_note_that_cannot_be_true_is_not_believed(self, tmp_path: Path, note: bytes) -> None:
        shared_rate_limit.take(tmp_path, "host", wait=0.0, interval=1.0, max_wait=1.0)
        (path,) = (tmp_path / shared_rate_limit.FOLDER).iterdir()
        path.write_bytes(note)
        assert shared_rate_limit.take(tmp_path, "host", wait=0.0, interval=1.0, max_wait=1.0) == 0.0
        assert shared_rate_limit.take(tmp_path, "host", wait=0.0, interval=1.0, max_wait=1.0) != 0.0

    def test_without_a_folder_to_write_to_each_keeps_its_own(self, tmp_path: Path) -> None:
        (tmp_path / shared_rate_limit.FOLDER).write_text("in the way")
        assert (
            shared_rate_limit.take(tmp_path, "host", wait=0.25, interval=1.0, max_wait=1.0) == 0.25
        )
