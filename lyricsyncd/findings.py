"""Describe what a check of the installation found, and what to do about it.

The checks stand beside what they check, in a module ``checks`` of each package; `doctor` runs them
in the order in which a person should act on their findings.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(str, enum.Enum):
    """Severity of a finding."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check; ``remedy`` is empty where the verdict is `Verdict.OK`."""

    topic: str
    verdict: Verdict
    text: str
    remedy: str = ""


def ok(topic: str, text: str) -> Finding:
    """Report that something is as it should be."""
    return Finding(topic, Verdict.OK, text)


def warning(topic: str, text: str, remedy: str) -> Finding:
    """Report something that costs quality, speed or privacy, and its remedy."""
    return Finding(topic, Verdict.WARNING, text, remedy)


def failed(topic: str, text: str, remedy: str) -> Finding:
    """Report something that will not work, and its remedy."""
    return Finding(topic, Verdict.FAILED, text, remedy)
