"""Report the state and the health of the service; pause and resume it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from lyricsyncd import __version__
from lyricsyncd.config.in_force import settings_in_force
from lyricsyncd.config.schema import Output
from lyricsyncd.library.roots import offline
from lyricsyncd.library.status import status
from lyricsyncd.unexpected import UNEXPECTED
from lyricsyncd.web import metrics
from lyricsyncd.web.health import findings
from lyricsyncd.web.operation import PREFIX, Call, Operation, Text
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.shapes import service as shapes


def service_status(call: Call) -> dict[str, Any]:
    values = status(call.context.catalog, call.context.rules(), running=True)
    # The catalog has it from the last heartbeat.
    return {"version": __version__, **values, "unexpected_errors": UNEXPECTED.count}


def health(call: Call) -> dict[str, Any]:
    context = call.context
    output = context.config().output
    return {
        "findings": [
            {
                "topic": each.topic,
                "verdict": each.verdict.value,
                "text": each.text,
                "remedy": each.remedy,
            }
            for each in findings(context.config(), context.catalog)
        ],
        "libraries": [
            {
                "path": str(rules.root),
                "online": not offline(rules.root),
                "scanned_at": context.catalog.scanned_at(rules.root),
            }
            for rules in context.rules()
        ],
        "resting": [
            {"host": rest.host, "until": rest.until, "why": rest.why}
            for rest in context.catalog.rests()
        ],
        "config": None if context.settings is None else str(context.settings.path),
        "player": output.preset if isinstance(output, Output) else None,
    }


def settings(call: Call) -> dict[str, Any]:
    file = call.context.settings
    found = settings_in_force(call.context.config())
    return {
        "file": None if file is None else str(file.path),
        "settings": [dataclasses.asdict(each) for each in found],
    }


def pause(call: Call) -> dict[str, Any]:
    call.context.catalog.pause()
    return {"paused": True}


def resume(call: Call) -> dict[str, Any]:
    call.context.catalog.resume()
    call.context.wake()
    return {"paused": False}


def healthz(call: Call) -> Text:
    if not call.context.alive():
        raise Problem(503, "A working thread has ended", remedy="Start the service anew")
    call.context.catalog.version()
    return Text("ok\n", "text/plain")


def _metrics(call: Call) -> Text:
    return Text(metrics.text(call.context.catalog, call.context.rules()), metrics.MEDIA_TYPE)


OPERATIONS: Sequence[Operation] = (
    Operation(
        "GET", f"{PREFIX}/status", "The state of the service", service_status, shapes.StatusAnswer
    ),
    Operation(
        "GET",
        f"{PREFIX}/health",
        "What the quick checks find",
        health,
        shapes.HealthAnswer,
        opens_songs=True,
    ),
    Operation(
        "GET",
        f"{PREFIX}/settings",
        "The settings in force, without secrets",
        settings,
        shapes.SettingsAnswer,
    ),
    Operation("POST", f"{PREFIX}/pause", "Take up no new songs", pause, shapes.PausedAnswer),
    Operation("POST", f"{PREFIX}/resume", "Go on after a pause", resume, shapes.PausedAnswer),
    Operation(
        "GET",
        "/healthz",
        "Whether the service works",
        healthz,
        "text/plain",
        errors=(503,),
        also_at=f"{PREFIX}/healthz",
    ),
    Operation(
        "GET",
        "/metrics",
        "Metrics for Prometheus",
        _metrics,
        metrics.MEDIA_TYPE,
        also_at=f"{PREFIX}/metrics",
    ),
)
