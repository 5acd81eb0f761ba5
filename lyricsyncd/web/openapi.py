"""Describe the interface in OpenAPI 3.1, from the table of operations."""

from __future__ import annotations

import functools
import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from lyricsyncd import __version__
from lyricsyncd.web.guard import SESSION
from lyricsyncd.web.operation import PREFIX, Operation
from lyricsyncd.web.operations import OPERATIONS
from lyricsyncd.web.sessions import COOKIE
from lyricsyncd.web.shapes.events import EventShape, EventsShape
from lyricsyncd.web.shapes.service import ErrorAnswer

_MEANINGS = {
    400: "The request is malformed",
    401: "A token is needed",
    403: "It is in no library, or not for you",
    404: "There is no such song",
    406: "The lyrics cannot be had in this format",
    413: "The request is too large",
    409: "Not as it is now: the song is in work, or its words are other ones by now",
    416: "The file has no such bytes",
    422: "The words or the song's file cannot be used",
    415: "The body is not application/json",
    429: "Too many requests",
    500: "A bug, or the catalog is broken",
    503: "Not now: the catalog cannot be used, or the service is not well",
}
_EVERYWHERE = (401, 403, 429, 500, 503)
_DESCRIPTION = """\
The control interface of lyricsyncd. `POST /api/v1/events` also takes what the webhooks of Lidarr
and Jellyfin send."""


@functools.cache
def document() -> dict[str, Any]:
    """Make the document."""
    models: set[type[BaseModel]] = {EventShape, EventsShape, ErrorAnswer}
    models |= {each.answer for each in OPERATIONS if not isinstance(each.answer, str)}
    models |= {each.query for each in OPERATIONS if each.query is not None}
    models |= {each.body for each in OPERATIONS if each.body is not None}
    _, definitions = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template="#/components/schemas/{model}",
    )
    schemas = definitions["$defs"]
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(
            operation, schemas
        )
    paths[f"{PREFIX}/events"]["get"] = {
        "summary": "What happens, as Server-Sent Events: `track`, `draft` and `status`",
        "operationId": "get_events",
        "parameters": [
            {
                "name": "Last-Event-ID",
                "in": "header",
                "schema": {"type": "string"},
                "description": "The id of the last event that was received.",
            }
        ],
        "responses": {
            "200": {"description": "A stream", "content": {"text/event-stream": {}}},
            **_errors(_EVERYWHERE),
        },
    }
    for query in (each.query for each in OPERATIONS if each.query is not None):
        schemas.pop(query.__name__, None)
    return {
        "openapi": "3.1.0",
        "info": {"title": "lyricsyncd", "version": __version__, "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
        # A configuration without a token needs none.
        "security": [{"token": []}, {"session": []}, {}],
    }


def _operation(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    tail = re.sub(r"\W+", "_", operation.path.removeprefix(PREFIX)).strip("_")
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": f"{operation.method.lower()}_{tail}",
        "responses": {
            str(operation.status): {"description": "Done", "content": _content(operation)},
            **_errors({*_EVERYWHERE, *operation.errors}),
        },
    }
    if operation.path == SESSION:
        # It is where the token is shown.
        described["security"] = []
    if operation.may_come_later:
        described["responses"]["202"] = {"description": "It is being made: ask again soon"}
    if parameters := _parameters(operation, schemas):
        described["parameters"] = parameters
    if operation.takes_events:
        kinds = [_ref(EventShape), _ref(EventsShape)]
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"anyOf": kinds}}},
        }
    elif operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(operation.body)}},
        }
    return described


def _content(operation: Operation) -> dict[str, Any]:
    if isinstance(operation.answer, str):
        schema = {"type": "string"} if operation.answer.startswith("text/") else {}
        return {operation.answer.partition(";")[0]: {"schema": schema}}
    content: dict[str, Any] = {"application/json": {"schema": _ref(operation.answer)}}
    if operation.also_answers:
        # With format=json, JSON may also be that format's.
        content["application/json"] = {"schema": {"anyOf": [_ref(operation.answer), {}]}}
    for media_type in operation.also_answers:
        content.setdefault(media_type, {"schema": {}})
    return content


def _parameters(operation: Operation, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if "{id}" in operation.path:
        number = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
        found.append({"name": "id", "in": "path", "required": True, "schema": number})
    if operation.query is not None:
        for name, described in schemas[operation.query.__name__]["properties"].items():
            schema: dict[str, Any] = dict(described)
            parameter: dict[str, Any] = {"name": name, "in": "query", "schema": schema}
            if description := schema.pop("description", None):
                parameter["description"] = description
            # A query has no null: what is not there is left out.
            choices = schema.pop("anyOf", [])
            schema.update(next((each for each in choices if each != {"type": "null"}), {}))
            for key in ("title", "default"):
                schema.pop(key, None)
            if "enum" in schema:
                # What is blank asks for nothing in particular.
                schema["enum"] = [*schema["enum"], ""]
            if schema.get("type") == "array":
                parameter |= {"style": "form", "explode": False}
            found.append(parameter)
    return found


def _errors(statuses: Any) -> dict[str, Any]:
    schema = {"schema": _ref(ErrorAnswer)}
    return {
        str(status): {
            "description": _MEANINGS[status],
            "content": {"application/json": schema},
        }
        for status in sorted(statuses)
    }


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
