"""The interface against its own description: schemathesis asks whatever the document allows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lyricsyncd.catalog.catalog import Outcome, State
from lyricsyncd.web import guard, openapi
from lyricsyncd.web.operations import OPERATIONS
from tests.test_decisions import DRAFT
from tests.web_api import home


def test_the_document_names_every_operation() -> None:
    paths = openapi.document()["paths"]
    for operation in OPERATIONS:
        assert operation.summary == paths[operation.path][operation.method.lower()]["summary"]
    assert "text/event-stream" in paths["/api/v1/events"]["get"]["responses"]["200"]["content"]


def test_every_reference_leads_somewhere() -> None:
    document = openapi.document()

    def references(value: object) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document) <= known


@pytest.mark.slow
def test_the_service_keeps_to_the_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BURST", 1e9)
    monkeypatch.setattr(guard, "DENIED_BURST", 1e9)
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    # Times that contradict each other are of the right shape all the same.
    (tmp_path / "schemathesis.toml").write_text(
        "[checks.positive_data_acceptance]\n"
        'expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 422, 429, "5xx"]\n'
    )
    with home(tmp_path, token="t") as api:
        for n in range(3):
            api.known(f"{n}.mp3")
        api.catalog.claim("test", 60)
        api.catalog.finish(1, "test", Outcome(State.REVIEW, "fine", quality=0.9), None, DRAFT)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run"),
                f"http://{api.server.address}/openapi.json",
                *("--header", "Authorization: Bearer t"),
                *("--exclude-operation-id", "get_events"),
                # It would ask the sources of lyrics.
                *("--exclude-operation-id", "post_tracks_id_candidates"),
                *("--max-examples", "25", "--seed", "1", "--suppress-health-check", "all"),
                *("--generation-database", "none", "--no-color"),
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
