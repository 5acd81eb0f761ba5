"""Sign browsers in and out."""

from __future__ import annotations

from collections.abc import Sequence

from lyricsyncd.web.guard import SESSION
from lyricsyncd.web.operation import Call, Json, Operation
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.sessions import Role, cookie, secrets_in
from lyricsyncd.web.shapes import service as shapes


def begin_session(call: Call) -> Json:
    if not call.sessions.needed:
        return Json({"needed": False}, {})
    role = call.sessions.of_token(call.body.token)
    if role is None:
        raise Problem(401, "That is not the token", remedy="It is web.token of the configuration")
    return Json({"needed": True}, {"Set-Cookie": _cookie(call, call.sessions.begin(role))})


def session_state(call: Call) -> dict[str, bool]:
    needed, role = call.sessions.needed, call.sessions.role(call.headers)
    return {
        "needed": needed,
        "signed_in": needed and role is not None,
        "may_change": role is Role.EDITOR,
    }


def end_session(call: Call) -> Json:
    for secret in secrets_in(call.headers.get("cookie", "")):
        call.sessions.end(secret)
    return Json({"needed": call.sessions.needed}, {"Set-Cookie": _cookie(call, "")})


def _cookie(call: Call, secret: str) -> str:
    secure = call.headers.get("origin", "").startswith("https:")
    return cookie(secret, secure=secure)


OPERATIONS: Sequence[Operation] = (
    Operation(
        "POST",
        SESSION,
        "Sign a browser in: the answer sets its cookie",
        begin_session,
        shapes.SessionAnswer,
        body=shapes.SessionShape,
        errors=(400, 413, 415),
    ),
    Operation(
        "GET",
        SESSION,
        "Whether a token is needed, and whether this browser has signed in",
        session_state,
        shapes.SessionState,
    ),
    Operation("DELETE", SESSION, "Sign a browser out", end_session, shapes.SessionAnswer),
)
