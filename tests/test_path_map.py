"""Paths in the names that other programs and computers have for the same folders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.config.path_map import translated


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/music/a.mp3", "/mnt/a.mp3"),
        ("/music/jazz/a.mp3", "/jazz/a.mp3"),
        ("/musical/a.mp3", "/musical/a.mp3"),
        ("/music", "/mnt"),
        ("/music/", "/mnt"),
        ("/else/a.mp3", "/else/a.mp3"),
        ("/all", "/"),
        ("/all/a.mp3", "/a.mp3"),
        ("/music/caf\udce9.mp3", "/mnt/caf\udce9.mp3"),
    ],
)
def test_the_longest_folder_that_a_path_is_in_is_replaced(path: str, there: str) -> None:
    path_map = {"/music": "/mnt", "/music/jazz/": "/jazz/", "/all": "/"}
    assert translated(path, path_map) == there


def test_everything_may_lie_in_one_folder() -> None:
    assert translated("/a/b.mp3", {"/": "/music"}) == "/music/a/b.mp3"


@given(st.lists(st.text("abc", min_size=1), min_size=1))
def test_there_and_back_is_the_same(names: list[str]) -> None:
    path = "/".join(["/here", *names])
    there = translated(path, {"/here": "/there"})
    assert translated(there, {"/there": "/here"}) == path
