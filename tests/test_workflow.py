"""The workflow that publishes a version."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

WORKFLOWS = Path(__file__).parent.parent / ".github" / "workflows"
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v[\d.]+$")


def test_names_every_action_by_the_commit_of_a_version() -> None:
    used = [
        line.strip(" -")
        for file in WORKFLOWS.glob("*.yml")
        for line in file.read_text(encoding="utf-8").splitlines()
        if "uses:" in line
    ]
    assert used
    assert [line for line in used if not PINNED.fullmatch(line)] == []


def test_pushes_no_image_that_was_not_tried_on_its_processor() -> None:
    jobs = yaml.safe_load((WORKFLOWS / "release.yml").read_text(encoding="utf-8"))["jobs"]
    tried, pushed = jobs["tried"], jobs["image"]
    assert pushed["needs"] == "tried"
    processors = {"ubuntu-24.04": "linux/amd64", "ubuntu-24.04-arm": "linux/arm64"}
    on = {processors[runner] for runner in tried["strategy"]["matrix"]["runner"]}
    targets = pushed["strategy"]["matrix"]["include"]
    assert {each for target in targets for each in target["platforms"].split(",")} <= on
    assert tried["steps"][-1]["run"] == "sudo make image test-image"
