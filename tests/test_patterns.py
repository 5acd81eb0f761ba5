"""Patterns: what they match, that any text may be one, and that none takes long."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from lyricsyncd import patterns
from lyricsyncd.config.reader import load
from lyricsyncd.config.schema import Library
from lyricsyncd.errors import ConfigError
from lyricsyncd.library import ignore_file
from lyricsyncd.library.rules import Rules
from lyricsyncd.library.walk import walk
from lyricsyncd.patterns import Glob, PatternError

LONG = "a" * 250
DEEP = "/".join(["a" * 200] * 20)


def matches(pattern: str, path: str) -> bool:
    return patterns.compiled((pattern,)).match_file(path)


def steps(pattern: str, path: str) -> int:
    """Lines of Python that matching takes; none of them repeats within a regular expression."""
    glob, count = Glob(pattern), 0

    def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        glob.match_file(path)
    finally:
        sys.settrace(before)
    return count


def bound(pattern: str, path: str) -> int:
    """Every folder of the pattern meets every one of the path, and every piece every name."""
    names, folders = path.count("/") + 1, pattern.count("/") + 2
    return 40 * names * folders + 8 * names * (pattern.count("*") + 1) + 60


class TestPatterns:
    @pytest.mark.parametrize(
        ("pattern", "path", "matched"),
        [
            ("Jazz/**", "Jazz/a.mp3", True),
            ("Jazz/**", "Jazz/x/a.mp3", True),
            ("Jazz/**", "Jazz/", False),
            ("Jazz/**", "Pop/Jazz/a.mp3", False),
            ("Jazz/", "Jazz/a.mp3", True),
            ("Jazz/", "Jazz/", True),
            ("a.mp3/", "a.mp3", False),
            ("Jazz", "Pop/Jazz/a.mp3", True),
            ("/Jazz", "Pop/Jazz/a.mp3", False),
            ("*.flac", "x/y/a.flac", True),
            ("*.flac", "x/a.flac.mp3", False),
            ("x/*.mp3", "x/a.mp3", True),
            ("x/*.mp3", "x/y/a.mp3", False),
            ("**/live/*", "a/b/live/c.mp3", True),
            ("**/live/*", "live/c.mp3", True),
            ("a/**/b", "a/b/c.mp3", True),
            ("a/**/b", "a/x/y/b", True),
            ("**", "a.mp3", True),
            ("a?c.mp3", "abc.mp3", True),
            ("a?c.mp3", "aéc.mp3", True),
            ("a[0-9].mp3", "a7.mp3", True),
            ("a[!0-9].mp3", "a7.mp3", False),
            ("a[^0-9].mp3", "ax.mp3", True),
            ("[]-]x", "]x", True),
            ("[a\\]b]x", "]x", True),
            ("(a+b).mp3", "(a+b).mp3", True),
            ("\\#1.mp3", "#1.mp3", True),
            ("\\!x.mp3", "!x.mp3", True),
            ("a\\*.mp3", "ab.mp3", False),
            ("a.mp3  ", "a.mp3", True),
            ("a\\ ", "a ", True),
            (" a", "a", False),
        ],
    )
    def test_are_those_of_gitignore(self, pattern: str, path: str, matched: bool) -> None:
        assert matches(pattern, path) is matched

    @pytest.mark.parametrize(
        ("pattern", "path"),
        [
            ("Album [FLAC-24bit]/**", "Album [FLAC-24bit]/a.mp3"),
            ("[z-a]*.mp3", "[z-a] song.mp3"),
            ("x[abc", "x[abc"),
            ("[]", "[]"),
            ("[a\\", "[a\\"),
        ],
    )
    def test_take_brackets_that_are_no_range_as_they_stand(self, pattern: str, path: str) -> None:
        if pattern.endswith("\\"):
            with pytest.raises(PatternError, match="backslash"):
                Glob(pattern)
        else:
            assert matches(pattern, path)

    def test_of_several_the_last_one_that_matches_decides(self) -> None:
        spec = patterns.compiled(("*.mp3", "!keep.mp3", "x/keep.mp3"))
        assert spec.match_file("a.mp3")
        assert not spec.match_file("y/keep.mp3")
        assert spec.match_file("x/keep.mp3")

    @pytest.mark.parametrize(
        "text", ["", " ", "/", "//", "!", "a\0b", "a\nb", "a\\", "a" * 5000, "a/" * 65 + "b"]
    )
    def test_that_cannot_match_are_none(self, text: str) -> None:
        with pytest.raises(PatternError):
            Glob(text)

    @given(st.text("ab*?/!-.", min_size=1, max_size=9), st.text("ab-.!/", min_size=1, max_size=9))
    def test_match_what_pathspec_does(self, pattern: str, path: str) -> None:
        # A second slash in a row is one to us, and matches nothing elsewhere.
        assume("//" not in pattern + path and not path.startswith((".", "/")))
        assume(pattern != "!")
        try:
            ours = matches(pattern, path)
        except PatternError:
            ours = False
        assert ours is GitIgnoreSpec.from_lines([pattern]).match_file(path)

    @given(st.text(max_size=300), st.text(min_size=1, max_size=300))
    def test_may_be_any_text(self, pattern: str, path: str) -> None:
        with contextlib.suppress(PatternError):
            matches(pattern, path)

    @given(st.text("a*?[]-/!\\b", max_size=300), st.text("ab/", min_size=1, max_size=300))
    def test_take_steps_that_their_lengths_bound(self, pattern: str, path: str) -> None:
        try:
            taken = steps(pattern, path)
        except PatternError:
            return
        assert taken <= bound(pattern, path)

    @pytest.mark.parametrize("path", [LONG, DEEP, "/".join("a" * 2040)])
    @pytest.mark.parametrize(
        "pattern",
        ["*a" * 100 + "b", "*?" * 100 + "b", "**/*a*a*a*a*b", "**/a/" * 30 + "b", "*" * 4000],
    )
    def test_that_would_backtrack_for_years_do_not(self, pattern: str, path: str) -> None:
        assert steps(pattern, path) <= bound(pattern, path)

    @given(st.text("ab*?[]-!\\+(){}|^$.", min_size=1), st.text("ab*?[]-!\\+(){}|^$."))
    def test_are_made_of_pieces_that_each_match_one_length(self, pattern: str, name: str) -> None:
        with contextlib.suppress(PatternError):
            for segment in Glob(pattern)._segments:
                for piece in segment or ():
                    found = piece.regex.search(name)
                    assert found is None or len(found.group()) == piece.size


class TestInTheConfiguration:
    def test_a_bad_one_is_refused_with_its_line(self, tmp_path: Path) -> None:
        file = tmp_path / "config.yaml"
        file.write_text("libraries:\n  - path: /music\n    exclude:\n      - ok\n      - 'x\\'\n")
        with pytest.raises(ConfigError, match=r"line 5: libraries\[0\]\.exclude\[1\].*backslash"):
            load(file)

    def test_a_range_that_runs_backwards_is_plain_text(self, tmp_path: Path) -> None:
        for folder in ("Album [FLAC-24bit]", "Album C"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "a.mp3").write_bytes(b"x")
        rules = Rules.of(Library(path=tmp_path, exclude=("Album [FLAC-24bit]/**",)))
        assert [path.parent.name for seen in walk(rules) for path in seen.songs] == ["Album C"]
        assert not rules.admits(tmp_path / "Album [FLAC-24bit]" / "a.mp3")


class TestIgnoreFiles:
    """In a library of one song in a folder, and one beside that."""

    @pytest.fixture
    def music(self, tmp_path: Path) -> Path:
        for name in ("x/a.mp3", "x/y/b.mp3", "c.mp3"):
            song = tmp_path / "music" / name
            song.parent.mkdir(parents=True, exist_ok=True)
            song.write_bytes(b"x")
        return tmp_path / "music"

    def songs(self, music: Path) -> set[str]:
        """What a scan takes, which is also what is taken when single files come."""
        rules = Rules(music)
        walked = {path for seen in walk(rules) for path in seen.songs}
        assert walked == {path for path in music.rglob("*.mp3") if rules.admits(path)}
        return {path.name for path in walked}

    def test_a_bad_line_is_left_out_and_reported_once_and_the_others_hold(
        self, music: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (music / ".lyricsyncignore").write_text("# mine\nbad\\\n/\na*.mp3\n", encoding="utf-8")
        assert self.songs(music) == {"b.mp3", "c.mp3"}
        assert self.songs(music) == {"b.mp3", "c.mp3"}
        assert len(caplog.messages) == 1
        assert ".lyricsyncignore: line 2 (bad\\): it ends in a lone backslash" in caplog.text
        assert "line 3 (/)" in caplog.text

    def test_one_of_bad_lines_alone_leaves_nothing_out(self, music: Path) -> None:
        (music / "x" / ".lyricsyncignore").write_text("/\n", encoding="utf-8")
        assert self.songs(music) == {"a.mp3", "b.mp3", "c.mp3"}

    def test_an_empty_one_leaves_its_folder_out(self, music: Path) -> None:
        (music / "x" / ".lyricsyncignore").touch()
        assert self.songs(music) == {"c.mp3"}

    def test_the_nearer_one_decides(self, music: Path) -> None:
        (music / ".lyricsyncignore").write_text("*.mp3\n", encoding="utf-8")
        (music / "x" / ".lyricsyncignore").write_text("!b.mp3\n", encoding="utf-8")
        assert self.songs(music) == {"b.mp3"}

    def test_those_above_count_where_a_scan_begins_below_them(self, music: Path) -> None:
        (music / ".lyricsyncignore").write_text("x/\n", encoding="utf-8")
        assert list(walk(Rules(music), music / "x" / "y")) == []
        (music / ".lyricsyncignore").write_text("b.mp3\n", encoding="utf-8")
        assert [len(seen.songs) for seen in walk(Rules(music), music / "x" / "y")] == [0]

    @pytest.mark.parametrize("kind", ["fifo", "device", "folder", "nowhere", "circle"])
    def test_what_is_no_file_is_passed_over_and_not_read(
        self, music: Path, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        file = music / ".lyricsyncignore"
        if kind == "fifo":
            os.mkfifo(file)
        elif kind == "folder":
            file.mkdir()
        else:
            target = {"device": "/dev/zero", "nowhere": "/nowhere", "circle": file.name}[kind]
            file.symlink_to(target)
        assert self.songs(music) == {"a.mp3", "b.mp3", "c.mp3"}
        assert ("not a regular file" in caplog.text) is (kind in ("fifo", "device", "folder"))

    def test_a_link_to_a_file_is_followed(self, music: Path) -> None:
        (music / "patterns").write_text("a.mp3\n", encoding="utf-8")
        (music / ".lyricsyncignore").symlink_to("patterns")
        assert self.songs(music) == {"b.mp3", "c.mp3"}

    def test_one_that_is_too_large_leaves_its_folder_out_and_is_reported(
        self, music: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (music / "x" / ".lyricsyncignore").write_bytes(b"nothing\n" * 10_000)
        assert self.songs(music) == {"c.mp3"}
        assert "larger than 64 kB" in caplog.text

    def test_that_no_more_files_can_be_opened_leaves_nothing_out(self, music: Path) -> None:
        (music / ".lyricsyncignore").write_text("a.mp3\n", encoding="utf-8")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        rules = Rules(music)
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            with pytest.raises(OSError, match="Too many open files") as caught:
                rules.admits(music / "c.mp3")
            with pytest.raises(OSError, match="Too many open files"):
                list(walk(rules))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert caught.value.errno == errno.EMFILE

    @given(content=st.binary(max_size=500))
    def test_may_hold_any_bytes(self, content: bytes) -> None:
        lines = patterns.read_lines(content)
        lines.spec.match_file("x/a.mp3")
        assert all("\n" not in line for line in lines.bad)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
    def test_one_that_may_not_be_read_leaves_its_folder_out(self, tmp_path: Path) -> None:
        file = tmp_path / ".lyricsyncignore"
        file.write_text("a\n", encoding="utf-8")
        file.chmod(0)
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_uid == os.getuid() and "pytest" in folder.name:
                folder.chmod(0o755)
        script = (
            "import os, sys; from pathlib import Path; from lyricsyncd.library import ignore_file;"
            "os.setuid(65534); lines = ignore_file.read(Path(sys.argv[1])); print(lines.empty)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, file], capture_output=True, text=True, check=True
        )
        assert done.stdout == "True\n"
        assert "no permission to read it" in done.stderr


def test_a_message_is_one_line_whatever_the_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "a\n2026 CRITICAL forged\x1b[31m"
    folder.mkdir()
    os.mkfifo(folder / ".lyricsyncignore")
    assert ignore_file.read(folder / ".lyricsyncignore") is None
    (message,) = caplog.messages
    assert message.isprintable()
