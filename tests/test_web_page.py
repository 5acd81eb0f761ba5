"""The page: its files, sessions of browsers, and what a browser may do from where."""

from __future__ import annotations

import gzip
import http.client
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest
from pydantic import ValidationError

from lyricsyncd.config.schema import Config, Tokens
from lyricsyncd.web import guard
from lyricsyncd.web.page import POLICY, Page
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.sessions import COOKIE, LASTS_S, Sessions
from tests.clock import Clock
from tests.web_api import Home, home

TOKEN = "a long secret, with ünïcode"


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Home]:
    with home(tmp_path, token=TOKEN) as made:
        yield made


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Home]:
    with home(tmp_path) as made:
        yield made


def sign_in(made: Home, token: str = TOKEN, **headers: str) -> httpx2.Response:
    return made.post("/api/v1/session", {"token": token}, **headers)


class TestThePage:
    def test_is_open_and_strict(self, locked: Home) -> None:
        answer = locked.get("/ui/")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-security-policy"] == POLICY
        assert "require-trusted-types-for 'script'" in POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "unsafe" not in POLICY

    @pytest.mark.parametrize("path", ["/", "/ui"])
    def test_is_where_the_root_leads_relatively(self, locked: Home, path: str) -> None:
        answer = locked.get(path)
        assert answer.status_code == 307
        # Below a prefix it is still the page of this service.
        there = urljoin(f"https://example.org/music/lyrics{path}", answer.headers["location"])
        assert there == "https://example.org/music/lyrics/ui/"

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "same-origin"])
    def test_opens_from_a_link_of_any_page(self, api: Home, site: str) -> None:
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Host": "nas.local:8786"}
        assert api.client.get("/ui/", headers=headers).status_code == 200
        assert api.client.get("/", headers=headers).status_code == 307

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_takes_nothing(self, locked: Home, method: str) -> None:
        assert locked.client.request(method, "/ui/").status_code == 401

    @pytest.mark.parametrize(
        "path",
        [
            "/ui/../app.py",
            "/ui/%2e%2e/app.py",
            "/ui/..%2fapp.py",
            "/ui/assets-x/../../app.py",
            "/ui//etc/passwd",
            "/ui/%2fetc%2fpasswd",
            "/ui/index.html%00.js",
            "/ui/.",
            "/ui/nothing.js",
            "/ui/__init__.py",
        ],
    )
    def test_has_no_way_out(self, locked: Home, path: str) -> None:
        host, _, port = (locked.server.address or "").rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=5)
        connection.request("GET", path)  # as it stands
        answer = connection.getresponse()
        assert answer.status in (401, 404)
        assert b"import" not in answer.read()
        connection.close()


class TestFiles:
    @pytest.fixture
    def page(self, tmp_path: Path) -> Page:
        (tmp_path / "index.html").write_text('<script type="module" src="{assets}/main.js">')
        (tmp_path / "main.js").write_text("import './parts/a.js'")
        (tmp_path / "parts").mkdir()
        (tmp_path / "parts" / "a.js").write_text("// ä" * 100, encoding="utf-8")
        (tmp_path / "app.webmanifest").write_text("{}")
        (tmp_path / "secret.key").write_text("x")
        return Page(tmp_path)

    def versioned(self, page: Page) -> str:
        return bytes(page.answer("index.html", {}).body).decode().split('src="')[1].split("/")[0]

    def test_have_the_right_types(self, page: Page) -> None:
        types = {
            "main.js": "text/javascript; charset=utf-8",
            "parts/a.js": "text/javascript; charset=utf-8",
            "app.webmanifest": "application/manifest+json",
        }
        for name, kind in types.items():
            assert page.answer(name, {}).headers["content-type"] == kind

    def test_of_other_kinds_are_not_there(self, page: Page) -> None:
        with pytest.raises(Problem):
            page.answer("secret.key", {})

    def test_are_checked_with_each_load(self, page: Page) -> None:
        answer = page.answer("main.js", {})
        assert answer.headers["cache-control"] == "no-cache"
        again = page.answer("main.js", {"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.body) == (304, b"")
        assert page.answer("main.js", {"if-none-match": '"other"'}).status_code == 200

    def test_are_stored_for_good_below_the_name_of_their_content(
        self, page: Page, tmp_path: Path
    ) -> None:
        folder = self.versioned(page)
        for name in ("main.js", "parts/a.js"):
            answer = page.answer(f"{folder}/{name}", {})
            assert "immutable" in answer.headers["cache-control"]
        # A page that was loaded before an upgrade gets its parts all the same, for now.
        assert page.answer("assets-old/main.js", {}).headers["cache-control"] == "no-cache"
        (tmp_path / "main.js").write_text("changed")
        assert self.versioned(Page(tmp_path)) != folder

    def test_travel_packed_where_the_browser_can_unpack(self, page: Page) -> None:
        packed = page.answer("parts/a.js", {"accept-encoding": "br, gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        plain = page.answer("parts/a.js", {})
        assert gzip.decompress(bytes(packed.body)) == plain.body
        assert plain.headers["vary"] == "Accept-Encoding"


class TestASession:
    def test_opens_what_the_token_opens(self, locked: Home) -> None:
        assert locked.get("/api/v1/status").status_code == 401
        answer = sign_in(locked)
        assert answer.json() == {"needed": True}
        set_cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in set_cookie
        assert "SameSite=Strict" in set_cookie
        assert "Path" not in set_cookie
        assert "Secure" not in set_cookie
        # The browser's own rule for a cookie without a path.
        (cookie,) = locked.client.cookies.jar
        assert cookie.path == "/api/v1"
        assert locked.get("/api/v1/status").status_code == 200
        assert locked.post("/api/v1/pause").status_code == 200
        assert locked.catalog.paused

    def test_is_secure_over_https(self, tmp_path: Path) -> None:
        with home(tmp_path, token=TOKEN, origins=["https://music.example"]) as made:
            answer = sign_in(made, Origin="https://music.example")
            assert "; Secure" in answer.headers["set-cookie"]

    def test_needs_the_token(self, locked: Home) -> None:
        for token in ("", "x", TOKEN + "x"):
            answer = sign_in(locked, token)
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers

    def test_is_not_guessed(self, locked: Home) -> None:
        answers = [sign_in(locked, str(n)).status_code for n in range(12)]
        assert answers[:10] == [401] * 10
        assert answers[-1] == 429

    def test_ends(self, locked: Home) -> None:
        sign_in(locked)
        (cookie,) = locked.client.cookies.jar
        assert "Max-Age=0" in locked.client.delete("/api/v1/session").headers["set-cookie"]
        headers = {"Cookie": f"{COOKIE}={cookie.value}"}
        assert (
            httpx2.get(f"http://{locked.server.address}/api/v1/status", headers=headers).status_code
            == 401
        )

    def test_is_asked_for_without_a_refusal(self, locked: Home) -> None:
        asked = locked.get("/api/v1/session")
        assert (asked.status_code, asked.json()) == (
            200,
            {"needed": True, "signed_in": False, "may_change": False},
        )
        sign_in(locked)
        assert locked.get("/api/v1/session").json() == {
            "needed": True,
            "signed_in": True,
            "may_change": True,
        }

    def test_is_not_needed_without_a_token(self, api: Home) -> None:
        answer = sign_in(api, "anything")
        assert (answer.status_code, answer.json()) == (200, {"needed": False})
        assert api.get("/api/v1/session").json() == {
            "needed": False,
            "signed_in": False,
            "may_change": True,
        }
        assert "set-cookie" not in answer.headers

    def test_survives_a_restart_and_no_other_token(self, locked: Home) -> None:
        sessions = Sessions(locked.catalog, Tokens(TOKEN))
        secret = sessions.begin()
        assert Sessions(locked.catalog, Tokens(TOKEN)).of_secret(secret)
        assert not Sessions(locked.catalog, Tokens("another")).of_secret(secret)
        assert not Sessions(locked.catalog, Tokens()).of_secret(secret)
        assert secret not in (locked.catalog.noted("sessions") or "")

    def test_lasts_a_year(self, locked: Home) -> None:
        clock = Clock()
        sessions = Sessions(locked.catalog, Tokens(TOKEN), clock)
        secret = sessions.begin()
        clock.now += LASTS_S - 1
        assert sessions.of_secret(secret)
        clock.now += 2
        assert not sessions.of_secret(secret)

    def test_is_one_of_a_limited_number(self, locked: Home) -> None:
        clock = Clock()
        sessions = Sessions(locked.catalog, Tokens(TOKEN), clock)
        secrets = []
        for _ in range(70):
            secrets.append(sessions.begin())
            clock.now += 1
        assert [sessions.of_secret(secret) is not None for secret in secrets] == [False] * 6 + [
            True
        ] * 64

    def test_has_a_pace_of_its_own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(guard, "BURST", 5.0)
        monkeypatch.setattr(guard, "RATE", 0.01)
        with home(tmp_path, token=TOKEN) as made:
            sign_in(made)
            assert [made.get("/api/v1/status").status_code for _ in range(20)] == [200] * 20

    @pytest.mark.parametrize(
        "cookie", ["x", f"{COOKIE}=", f"{COOKIE}=x", f"a={COOKIE}; ;=", "\xff"]
    )
    def test_is_nothing_that_looks_like_one(self, locked: Home, cookie: str) -> None:
        headers = {b"Cookie": cookie.encode("latin-1")}
        assert locked.client.get("/api/v1/status", headers=headers).status_code == 401


class TestOtherPages:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site", "Origin": "http://evil.example"},
        ],
    )
    def test_do_nothing_with_a_session(self, locked: Home, headers: dict[str, str]) -> None:
        sign_in(locked)
        assert locked.client.post("/api/v1/pause", headers=headers).status_code == 403
        assert locked.client.delete("/api/v1/session", headers=headers).status_code == 403
        assert not locked.catalog.paused
        assert locked.get("/api/v1/status").status_code == 200

    def test_the_refusal_names_the_remedy(self, api: Home) -> None:
        for headers in ({"Origin": "https://music.example"}, {"Host": "nas.local:8786"}):
            answer = api.client.post("/api/v1/pause", headers=headers)
            assert answer.status_code == 403
            assert "web.origins" in answer.json()["remedy"]


class _Proxy(http.server.BaseHTTPRequestHandler):
    """A reverse proxy that serves below /music/lyrics, and keeps or rewrites the Host header."""

    upstream = ""
    keeps_host = False

    def _pass_on(self) -> None:
        path = self.path.removeprefix("/music/lyrics")
        headers: dict[str, str] = {
            name: value for name, value in self.headers.items() if name.lower() != "host"
        }
        if self.keeps_host:
            headers["Host"] = self.headers["Host"]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = httpx2.request(
            self.command, f"http://{self.upstream}{path}", headers=headers, content=body
        )
        self.send_response(answer.status_code)
        for name, value in answer.headers.multi_items():
            if name.lower() not in ("content-length", "content-encoding", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = do_DELETE = _pass_on  # noqa: N815 - as the library has it

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def proxy(made: Home, *, keeps_host: bool) -> Iterator[str]:
    kind = type("Proxy", (_Proxy,), {"upstream": made.server.address, "keeps_host": keeps_host})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}/music/lyrics"
    finally:
        server.shutdown()
        server.server_close()


class TestBehindAReverseProxy:
    @pytest.mark.parametrize("keeps_host", [True, False])
    def test_the_page_signs_in_and_works(self, tmp_path: Path, keeps_host: bool) -> None:
        with home(tmp_path, token=TOKEN) as made, proxy(made, keeps_host=keeps_host) as base:
            origin = base.removesuffix("/music/lyrics")
            if not keeps_host:
                # On the same port: the proxy knows no other.
                at = {"listen": made.server.address, "origins": (origin,)}
                made.server.start(made.config.web.model_copy(update=at))
            with httpx2.Client(follow_redirects=True, timeout=10) as browser:
                page = browser.get(f"{base}/")
                assert str(page.url) == f"{base}/ui/"
                ours = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
                api = urljoin(str(page.url), "../api/v1/")
                signed = browser.post(f"{api}session", json={"token": TOKEN}, headers=ours)
                assert signed.status_code == 200, signed.text
                (cookie,) = browser.cookies.jar
                assert cookie.path == "/music/lyrics/api/v1"
                assert browser.post(f"{api}pause", headers=ours).status_code == 200
            assert made.catalog.paused


class TestOrigins:
    @pytest.mark.parametrize(
        ("text", "origin"),
        [
            ("https://music.example", "https://music.example"),
            ("https://Music.Example/", "https://music.example"),
            ("http://nas.local:8786", "http://nas.local:8786"),
            ("http://[::1]:8786", "http://[::1]:8786"),
        ],
    )
    def test_are_scheme_host_and_port(self, text: str, origin: str) -> None:
        assert Config.model_validate({"web": {"origins": [text]}}).web.origins == (origin,)

    @pytest.mark.parametrize(
        "text",
        ["music.example", "ftp://x", "https://x/y", "https://u@x", "https://", "https://x:0", "*"],
    )
    def test_are_nothing_else(self, text: str) -> None:
        with pytest.raises(ValidationError, match="expected scheme, host and port"):
            Config.model_validate({"web": {"origins": [text]}})

    def test_let_a_name_in_without_a_token(self, tmp_path: Path) -> None:
        with home(tmp_path, origins=["http://nas.local:8786"]) as made:
            headers = {"Host": "nas.local:8786", "Origin": "http://nas.local:8786"}
            assert made.client.post("/api/v1/pause", headers=headers).status_code == 200
            other = {"Host": "nas.other", "Origin": "http://nas.local:8786"}
            assert made.client.post("/api/v1/pause", headers=other).status_code == 403
