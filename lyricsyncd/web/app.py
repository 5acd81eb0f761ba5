"""Build the ASGI application from the table of operations."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any
from urllib.parse import parse_qsl

import anyio
import anyio.to_thread
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from lyricsyncd.errors import LyricsyncError
from lyricsyncd.playback.maker import Maker
from lyricsyncd.web import openapi
from lyricsyncd.web.answers import response_of
from lyricsyncd.web.context import ServiceContext
from lyricsyncd.web.guard import OPEN, PAGE, Guard
from lyricsyncd.web.operation import PREFIX, Call, Operation
from lyricsyncd.web.operations import OPERATIONS
from lyricsyncd.web.page import Page
from lyricsyncd.web.reply import Problem, as_json, problem
from lyricsyncd.web.sessions import Sessions
from lyricsyncd.web.stream import Stream
from lyricsyncd.web.webhooks import describe

log = logging.getLogger(__name__)

THREADS = 4
"""Requests that are handled at once; the others wait. Those that open songs wait for each other
only, so that a slow disk delays no other request."""
_WAITING = 32
"""Requests that wait for a free thread, at most."""
_BODY_S = 15.0
"""Seconds within which the body of a request must arrive."""

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


def application(
    context: ServiceContext,
    *,
    sessions: Sessions,
    host: str,
    stream: Stream,
    maker: Maker,
    origins: Iterable[str] = (),
    page: bool = True,
) -> Guard:
    """Make the application.

    Parameters
    ----------
    sessions, host, origins
        See `guard.Guard`.
    stream : Stream
        Answers `GET /events`.
    maker : Maker
        Makes peaks and renditions.
    page : bool
        Whether the page is served.
    """
    limiter, for_songs = anyio.CapacityLimiter(THREADS), anyio.CapacityLimiter(THREADS)
    routes: list[Route] = []
    for operation in OPERATIONS:
        if operation.path in OPEN:
            alone = anyio.CapacityLimiter(1)
            endpoint = _shared(_endpoint(operation, context, sessions, maker, alone))
        else:
            turns = for_songs if operation.opens_songs else limiter
            endpoint = _endpoint(operation, context, sessions, maker, turns)
        for path in (operation.path, operation.also_at):
            if path is not None:
                path = path.replace("{id}", "{id:int}")
                routes.append(Route(path, endpoint, methods=[operation.method]))
    routes.append(Route(f"{PREFIX}/events", stream.endpoint, methods=["GET"]))
    files = Page()
    for path in ("/", PAGE):
        routes.append(Route(path, files.redirect if page else _no_page, methods=["GET"]))
    below = files.endpoint if page else _no_page
    routes.append(Route(f"{PAGE}/{{name:path}}", below, methods=["GET"]))
    for path in ("/openapi.json", f"{PREFIX}/openapi.json"):
        routes.append(Route(path, _openapi, methods=["GET"]))
    handlers: Any = {
        HTTPException: _http_error,
        LyricsyncError: _our_error,
        ClientDisconnect: _gone,
        Exception: _bug,
    }
    starlette = Starlette(routes=_one_route_a_path(routes), exception_handlers=handlers)
    return Guard(starlette, sessions=sessions, host=host, origins=origins)


def _one_route_a_path(routes: list[Route]) -> list[Route]:
    """Join the routes of each path, so that the answer to a wrong method lists all right ones."""
    by_path: dict[str, dict[str, Any]] = {}
    for route in routes:
        by_method = by_path.setdefault(route.path, {})
        by_method.update(dict.fromkeys(route.methods or (), route.endpoint))

    def joined(by_method: dict[str, Any]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            found: Response = await by_method[request.method](request)
            return found

        return endpoint

    return [Route(path, joined(by), methods=list(by)) for path, by in by_path.items()]


def _endpoint(
    operation: Operation,
    context: ServiceContext,
    sessions: Sessions,
    maker: Maker,
    limiter: anyio.CapacityLimiter,
) -> Endpoint:
    def answered(call: Call, request: Request) -> Response:
        return response_of(operation.handle(call), operation, request)

    async def endpoint(request: Request) -> Response:
        id = request.path_params.get("id", 0)
        if id >= 2**63:
            raise Problem(404, f"There is no song {id}")
        query = None if operation.query is None else _query(request, operation.query)
        body = await _body(request, operation) if operation.takes_body else None
        call = Call(context, id, query, body, sessions, maker, request.headers)
        if limiter.statistics().tasks_waiting >= _WAITING:
            raise Problem(503, "There is too much to do", remedy="Try again later")
        return await anyio.to_thread.run_sync(answered, call, request, limiter=limiter)

    return endpoint


def _shared(endpoint: Endpoint) -> Endpoint:
    """Give one answer to all requests that arrive while it is being made, so that any number of
    health checks costs one."""
    making: asyncio.Task[Response] | None = None

    async def shared(request: Request) -> Response:
        nonlocal making
        if making is None or making.done():
            making = asyncio.create_task(endpoint(request))
        return await asyncio.shield(making)

    return shared


def _query(request: Request, model: type[BaseModel]) -> BaseModel:
    # Paths need not be valid text; `?q=&after=` asks for nothing in particular.
    text = request.scope["query_string"].decode("ascii", "replace")
    pairs = parse_qsl(text, errors="surrogateescape")
    values: dict[str, Any] = {}
    for name, value in pairs:
        values[name] = [*values.get(name, []), value] if name == "state" else value
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise Problem(400, describe(error)) from None


async def _body(request: Request, operation: Operation) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # A web page can send anything but JSON without a preflight request; Jellyfin is no page, and
    # declares its JSON as plain text.
    page = "origin" in request.headers or "sec-fetch-site" in request.headers
    webhook = operation.takes_events and kind == "text/plain" and not page
    if kind != "application/json" and not webhook:
        raise Problem(415, "The body must be application/json")
    try:
        content = await asyncio.wait_for(request.body(), _BODY_S)
    except asyncio.TimeoutError:
        raise Problem(408, "The body did not come in time") from None
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise Problem(400, "The body is not JSON") from None
    if operation.body is None:
        return found
    try:
        return operation.body.model_validate(found)
    except ValidationError as error:
        raise Problem(400, describe(error)) from None


async def _no_page(_request: Request) -> Response:
    return problem(404, "The page is switched off", remedy="Set web.page to true")


async def _openapi(_request: Request) -> Response:
    return as_json(openapi.document())


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail, headers=error.headers)


async def _our_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, LyricsyncError)
    if isinstance(error, Problem):
        return problem(error.status, error.message, remedy=error.remedy, **error.more)
    if not error.transient:
        log.error("%s", error)
    return problem(503 if error.transient else 500, error.message, remedy=error.remedy)


async def _gone(_request: Request, _error: Exception) -> Response:
    return problem(400, "The client went away")


async def _bug(_request: Request, _error: Exception) -> Response:
    # The server logs it.
    return problem(500, "Something went wrong; see the log")
