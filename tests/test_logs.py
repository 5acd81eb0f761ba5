"""What the log tells to programs: JSON, an object a line, and priorities for the journal."""

from __future__ import annotations

import datetime
import json
import logging
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.cli import logs

TALK = """
import logging
from lyricsyncd.cli import logs
logs.to_stderr({style!r})
log = logging.getLogger("lyricsyncd.daemon")
log.info("%s: done", "song.mp3", extra={{"song": {{"path": "song.mp3", "state": "done"}}}})
logging.getLogger("httpx").info("a request")
log.debug("details")
try:
    raise ValueError("two\\nlines")
except ValueError:
    log.exception("one song failed")
"""


def said(style: str) -> str:
    """What a process of its own logs."""
    command = [sys.executable, "-c", TALK.format(style=style)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr


def record(message: str, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("lyricsyncd.x", logging.WARNING, __file__, 1, message, (), None)
    made.__dict__.update(more)
    return made


def test_json_is_an_object_a_line() -> None:
    began = time.time()
    done, failed = map(json.loads, said("json").splitlines())
    assert done["message"] == "song.mp3: done"
    assert done["level"] == "info"
    assert done["logger"] == "lyricsyncd.daemon"
    assert done["song"] == {"path": "song.mp3", "state": "done"}
    assert "exception" not in done
    moment = datetime.datetime.fromisoformat(done["time"])
    assert moment.tzinfo == datetime.timezone.utc
    assert began - 1 <= moment.timestamp() <= time.time()
    assert (failed["level"], failed["message"]) == ("error", "one song failed")
    assert failed["exception"].endswith("ValueError: two\nlines")
    assert "song" not in failed


def test_text_is_for_people() -> None:
    first = said("text").splitlines()[0]
    assert first.endswith("INFO song.mp3: done")
    with pytest.raises(ValueError, match=r"Expecting|Extra"):
        json.loads(first)


@given(st.text(st.characters()))
def test_any_name_is_one_line_that_reads_back(message: str) -> None:
    line = logs._Json().format(record(message))
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line)["message"] == message


def test_a_name_that_is_no_text_is_reported_too() -> None:
    name = b"caf\xe9.mp3".decode("utf-8", "surrogateescape")
    line = logs._Json().format(record(name, song={"path": str(Path("/music") / name)}))
    line.encode("utf-8")
    assert json.loads(line)["song"]["path"] == f"/music/{name}"
