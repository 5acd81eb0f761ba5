"""The token of a viewer: it opens what looks and listens, and nothing that changes anything."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricsyncd.catalog.catalog import Outcome, State
from lyricsyncd.config.schema import Tokens
from lyricsyncd.web import openapi
from lyricsyncd.web.guard import SESSION
from lyricsyncd.web.sessions import COOKIE, Role, Sessions
from tests.test_decisions import DRAFT
from tests.web_api import Home, home

pytestmark = pytest.mark.usefixtures("own_folders")

TOKEN, VIEWER = "a long secret, with ünïcode", "only to look"
PATHS = openapi.document()["paths"]
READING = sorted(path for path, methods in PATHS.items() if "get" in methods)
CHANGING = sorted(
    (method.upper(), path)
    for path, methods in PATHS.items()
    for method in methods
    if method != "get" and path != SESSION
)
STREAM = "/api/v1/events"


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Home]:
    """A service with a song to review, and with both tokens."""
    with home(tmp_path, token=TOKEN, viewer_token=VIEWER) as made:
        made.known("a.mp3")
        assert made.catalog.claim("test", 60) is not None
        made.catalog.finish(1, "test", Outcome(State.REVIEW, "fine", quality=0.9), None, DRAFT)
        yield made


def bearer(token: str) -> dict[bytes, bytes]:
    return {b"Authorization": b"Bearer " + token.encode()}


def sign_in(made: Home, token: str) -> None:
    assert made.post(SESSION, {"token": token}).status_code == 200


class TestAViewer:
    @pytest.mark.parametrize(("method", "path"), CHANGING)
    def test_changes_nothing_by_any_operation(self, shared: Home, method: str, path: str) -> None:
        before = shared.catalog.version(), sorted(shared.music.iterdir())
        path = path.replace("{id}", "1")
        answer = shared.client.request(method, path, headers=bearer(VIEWER))
        assert answer.status_code == 403
        assert answer.json() == {
            "error": "This token may look and listen, and change nothing",
            "remedy": "Use web.token of the configuration",
        }
        assert (shared.catalog.version(), sorted(shared.music.iterdir())) == before
        # With the other token it is refused for its missing body at most.
        answer = shared.client.request(method, path, headers=bearer(TOKEN))
        assert answer.status_code in (200, 415)

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "MADEUP"])
    def test_is_refused_before_it_is_known_whether_there_is_an_operation(
        self, shared: Home, method: str
    ) -> None:
        for path in ("/api/v1/added-later", "/api/v1/tracks/1", "/metrics", "/api/v1/session/"):
            answer = shared.client.request(method, path, headers=bearer(VIEWER))
            assert answer.status_code == 403

    @pytest.mark.parametrize("path", [path for path in READING if path != STREAM])
    def test_sees_all_that_there_is_to_see(self, shared: Home, path: str) -> None:
        before = shared.catalog.version()
        path = path.replace("{id}", "1")
        seen = shared.client.get(path, headers=bearer(VIEWER))
        assert seen.status_code in (200, 202, 404)
        assert seen.status_code == shared.client.get(path, headers=bearer(TOKEN)).status_code
        assert shared.catalog.version() == before

    def test_follows_what_happens(self, shared: Home) -> None:
        with shared.client.stream("GET", STREAM, headers=bearer(VIEWER)) as answer:
            assert answer.status_code == 200
            assert next(answer.iter_lines()).startswith("retry:")

    def test_may_show_the_token_as_a_password(self, shared: Home) -> None:
        basic = {"Authorization": "Basic " + base64.b64encode(f"x:{VIEWER}".encode()).decode()}
        assert shared.client.get("/api/v1/status", headers=basic).status_code == 200
        assert shared.client.post("/api/v1/pause", headers=basic).status_code == 403


class TestTheSessionOfAViewer:
    def test_has_no_more_rights_than_its_token(self, shared: Home) -> None:
        sign_in(shared, VIEWER)
        state = shared.get(SESSION).json()
        assert state == {"needed": True, "signed_in": True, "may_change": False}
        assert shared.get("/api/v1/status").status_code == 200
        assert shared.post("/api/v1/pause").status_code == 403
        assert not shared.catalog.paused

    def test_ends_by_signing_out(self, shared: Home) -> None:
        sign_in(shared, VIEWER)
        assert shared.client.delete(SESSION).status_code == 200
        assert shared.get("/api/v1/status").status_code == 401

    def test_becomes_that_of_an_editor_by_the_other_token(self, shared: Home) -> None:
        sign_in(shared, VIEWER)
        sign_in(shared, TOKEN)
        assert shared.get(SESSION).json()["may_change"] is True
        assert shared.post("/api/v1/pause").status_code == 200

    def test_ends_with_its_own_token_alone(self, shared: Home) -> None:
        sessions = Sessions(shared.catalog, Tokens(TOKEN, VIEWER))
        viewer, editor = sessions.begin(Role.VIEWER), sessions.begin(Role.EDITOR)
        for tokens, of_viewer, of_editor in (
            (Tokens(TOKEN, VIEWER), Role.VIEWER, Role.EDITOR),
            (Tokens(TOKEN, "another"), None, Role.EDITOR),
            (Tokens(TOKEN), None, Role.EDITOR),
            (Tokens("another", VIEWER), Role.VIEWER, None),
            # Keys tell the rights: each keeps those of the token that it showed.
            (Tokens(VIEWER, TOKEN), Role.EDITOR, Role.VIEWER),
        ):
            found = Sessions(shared.catalog, tokens)
            assert (found.of_secret(viewer), found.of_secret(editor)) == (of_viewer, of_editor)

    def test_gives_way_to_one_with_more_rights(self, shared: Home) -> None:
        both = []
        for token in (VIEWER, TOKEN):
            shared.client.cookies.clear()
            sign_in(shared, token)
            both.append(shared.client.cookies[COOKIE])
        shared.client.cookies.clear()
        # A browser has two where the page is reached at two prefixes.
        for secrets in (both, both[::-1]):
            cookies = "; ".join(f"{COOKIE}={secret}" for secret in secrets)
            answer = shared.client.post("/api/v1/resume", headers={"Cookie": cookies})
            assert answer.status_code == 200


class TestWithoutTheSecondToken:
    def test_there_are_no_viewers(self, tmp_path: Path) -> None:
        with home(tmp_path, token=TOKEN) as made:
            assert made.client.get("/api/v1/status", headers=bearer(VIEWER)).status_code == 401
            assert made.post(SESSION, {"token": VIEWER}).status_code == 401

    def test_a_token_that_a_reverse_proxy_adds_signs_the_page_in(self, shared: Home) -> None:
        state = shared.client.get(SESSION, headers=bearer(TOKEN)).json()
        assert state == {"needed": True, "signed_in": True, "may_change": True}


class TestWithoutThePage:
    @pytest.mark.parametrize("path", ["/", "/ui", "/ui/", "/ui/main.js", "/ui/nothing"])
    def test_there_is_the_api_alone(self, tmp_path: Path, path: str) -> None:
        with home(tmp_path, page=False) as made:
            answer = made.get(path)
            assert answer.status_code == 404
            assert answer.json() == {
                "error": "The page is switched off",
                "remedy": "Set web.page to true",
            }
            assert made.get("/api/v1/status").status_code == 200
