"""The command line: what every command keeps to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from lyricsyncd import __version__
from lyricsyncd.cli import cli
from lyricsyncd.config import paths
from lyricsyncd.config.reader import load
from lyricsyncd.config.schema import Config
from lyricsyncd.models import installable

FULL = Path("/dev/full")


def run(
    *arguments: str | Path, home: Path, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The real command, as a person with an empty home has it."""
    return subprocess.run(
        [sys.executable, "-m", "lyricsyncd", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=cwd or home,
        env=surroundings(home, **environment),
        timeout=60,
        check=False,
    )


def surroundings(home: Path, **environment: str) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "PYTHONIOENCODING": "utf-8",
        **environment,
    }


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that a failed command says."""
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


# --- help ------------------------------------------------------------------------------------


def test_help_lists_the_commands_and_loads_none_of_them(tmp_path: Path) -> None:
    code = (
        "import sys, lyricsyncd.cli as c\n"
        "try: c.main(['--help'])\n"
        "finally: print(sorted(m for m in sys.modules if m.startswith('lyricsyncd.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=surroundings(tmp_path),
        check=True,
    )
    assert "sync" in done.stdout
    assert "init" in done.stdout
    assert done.stdout.endswith("['lyricsyncd.cli', 'lyricsyncd.errors']\n")


@pytest.mark.parametrize("command", ["sync", "init", "models"])
def test_every_command_has_help(tmp_path: Path, command: str) -> None:
    done = run(command, "-h", home=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: lyricsyncd {command} ")


def every_command(
    group: click.Group = cli, above: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Yield the commands and those below them by what a person types."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from every_command(command, (*above, name))
        else:
            yield " ".join((*above, name)), command


def without(option: str) -> set[str]:
    """The commands that do not take an option."""
    return {
        name
        for name, command in every_command()
        if not any(option in parameter.opts for parameter in command.params)
    }


def test_every_command_that_can_read_the_configuration_takes_it() -> None:
    assert without("--config") == {"convert", "pronounce", "service uninstall"}


def test_every_command_that_reports_does_so_in_json() -> None:
    assert without("--json") == {"convert", "run", "worker"}


@pytest.mark.parametrize(
    "command",
    ["show x", "queue", "retry x", "skip x", "pause", "resume", "undo x", "scan", "status"],
)
def test_a_configuration_that_is_named_is_checked(tmp_path: Path, command: str) -> None:
    (tmp_path / "c.yaml").write_text("qualty: {}\n", encoding="utf-8")
    done = run(*command.split(), "--config", tmp_path / "c.yaml", home=tmp_path)
    assert "qualty" in complaint(done)
    assert done.returncode == 2


def test_lyric_sync_is_sync(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import lyricsyncd.cli as c; c.sync_main(['-h'])"],
        capture_output=True,
        text=True,
        env=surroundings(tmp_path),
        check=True,
    )
    assert done.stdout.startswith("Usage: lyric-sync [OPTIONS] SONG...")


def test_it_tells_its_version(tmp_path: Path) -> None:
    assert run("--version", home=tmp_path).stdout == f"lyricsyncd, version {__version__}\n"


# --- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["snc"], "There is no command 'snc'. Did you mean 'sync'? Try 'lyricsyncd --help'"),
        (["--vresion"], "No such option"),
        (["sync"], "Name songs or folders; or all libraries, with --dry-run. Try 'lyricsyncd sync"),
        (["init", "--player"], "Option '--player' requires an argument."),
        (["models", "path", "--config", "none.yaml"], "there is no configuration none.yaml. Wri"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = run(*arguments, home=tmp_path)
    assert said in complaint(done)
    assert done.returncode == 2


def test_a_wrong_configuration_is_one_line_and_status_2(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("language: en\nqualty: {words: 1}\n")
    done = run("models", "path", "--config", config, home=tmp_path)
    assert done.returncode == 2
    assert complaint(done) == (
        f"lyricsyncd: {config}, line 2: there is no key 'qualty'. Did you mean 'quality'?\n"
    )


@pytest.mark.parametrize("where", [["-v", "models", "path"], ["models", "path", "-v"]])
def test_verbose_shows_where_an_error_came_from(tmp_path: Path, where: list[str]) -> None:
    done = run(*where, "--config", "none.yaml", home=tmp_path)
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("lyricsyncd: there is no configuration")


def test_a_bug_is_one_line_too(tmp_path: Path) -> None:
    code = (
        "import click, lyricsyncd.cli as c\n"
        "@click.command()\ndef broken(): raise KeyError('a\\nb')\n"
        "c.cli.get_command = lambda ctx, name: broken\n"
        "c.main(['init'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=surroundings(tmp_path),
        check=False,
    )
    assert done.returncode == 1
    assert "KeyError" in complaint(done)
    assert "This is a bug; run again with -v" in done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")
def test_a_full_disk_at_standard_output_is_one_line(tmp_path: Path) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "lyricsyncd", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=surroundings(tmp_path),
            check=False,
        )
    assert complaint(done) == "lyricsyncd: No space left on device\n"


def test_a_reader_that_goes_away_is_no_error_to_speak_of(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "lyricsyncd", "--help"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=surroundings(tmp_path),
        check=False,
    )
    os.close(writing)
    assert done.stderr == ""


def test_an_interrupt_ends_it_quietly_with_130(tmp_path: Path) -> None:
    code = (
        "import click, os, signal, lyricsyncd.cli as c\n"
        "@click.command()\ndef slow(): os.kill(os.getpid(), signal.SIGINT); input()\n"
        "c.cli.get_command = lambda ctx, name: slow\n"
        "c.main(['init'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=surroundings(tmp_path),
        check=False,
    )
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr.strip() == ""


# --- where things lie ------------------------------------------------------------------------


def test_the_service_manager_names_the_folders() -> None:
    environment = {"STATE_DIRECTORY": "/var/lib/l:/other", "CACHE_DIRECTORY": "/var/cache/l"}
    assert paths.state_dir(environment) == Path("/var/lib/l")
    assert paths.cache_dir(environment) == Path("/var/cache/l")


def test_else_the_desktop_does() -> None:
    environment = {"HOME": "/home/me", "XDG_STATE_HOME": "/state", "XDG_CACHE_HOME": "relative"}
    assert paths.state_dir(environment) == Path("/state/lyricsyncd")
    assert paths.cache_dir(environment) == Path("/home/me/.cache/lyricsyncd")
    assert paths.user_config_path(environment) == Path("/home/me/.config/lyricsyncd/config.yaml")


def test_models_lie_where_the_configuration_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_DIRECTORY", "/cache")
    assert paths.models_dir() == Path("/cache/models")
    assert paths.models_dir(Path("/models")) == Path("/models")


# --- init ------------------------------------------------------------------------------------


def test_init_writes_a_configuration_that_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "Music").mkdir()
    done = run("init", "--library", "Music", "--player", "Navidrome", home=tmp_path)
    assert done.returncode == 0, done.stderr
    written = tmp_path / ".config/lyricsyncd/config.yaml"
    assert str(written) in done.stdout
    assert "lyricsyncd models install lite" in done.stdout
    assert "lyricsyncd run" in done.stdout
    config = load(written, {})
    assert [library.path for library in config.libraries] == [tmp_path / "Music"]
    assert getattr(config.output, "preset", None) == "navidrome"


def test_init_names_the_command_for_models_until_all_are_there(tmp_path: Path) -> None:
    folder = tmp_path / ".cache/lyricsyncd/models"
    folder.mkdir(parents=True)
    for model in installable.MODELS.values():
        said = run("init", "--dry-run", "--json", home=tmp_path).stdout
        assert "models install lite" in said
        installable.path_of(model, folder).touch()
    assert "models install" not in run("init", "--dry-run", "--json", home=tmp_path).stdout


def test_init_looks_for_them_where_the_environment_says(tmp_path: Path) -> None:
    for model in installable.MODELS.values():
        path = installable.path_of(model, tmp_path / "elsewhere")
        path.parent.mkdir(exist_ok=True)
        path.touch()
    elsewhere = str(tmp_path / "elsewhere")
    done = run("init", "--dry-run", "--json", home=tmp_path, LYRICSYNCD_MODELS__DIR=elsewhere)
    assert "models install" not in done.stdout


def test_init_asks_nothing_where_nobody_is(tmp_path: Path) -> None:
    done = run("init", "--config", "c.yaml", home=tmp_path)
    assert done.returncode == 0
    assert "names no music folder yet" in done.stdout
    assert load(tmp_path / "c.yaml", {}) == Config()


def test_init_keeps_a_configuration_that_is_there(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("language: fr\n")
    done = run("init", "--config", config, home=tmp_path)
    assert done.returncode == 2
    assert "there is a configuration already" in complaint(done)
    assert config.read_text() == "language: fr\n"
    assert run("init", "--config", config, "--force", home=tmp_path).returncode == 0
    assert load(config, {}) == Config()
    assert (tmp_path / "c.yaml.bak").read_text() == "language: fr\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--library", "none"], "is not there. Check the path"),
        (["--library", "file"], "is not a folder. Check the path"),
        (["--player", "navidrom"], "no preset 'navidrom'. Did you mean 'navidrome'"),
    ],
)
def test_init_says_what_cannot_be(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "file").touch()
    done = run("init", "--config", "c.yaml", *arguments, home=tmp_path)
    assert said in complaint(done)
    assert done.returncode == 2
    assert not (tmp_path / "c.yaml").exists()


def test_init_can_be_tried_without_effect(tmp_path: Path) -> None:
    done = run("init", "--dry-run", "--library", tmp_path, home=tmp_path)
    assert done.returncode == 0
    assert f"path: {tmp_path}" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_init_tells_programs_what_it_did(tmp_path: Path) -> None:
    done = run("init", "--json", "--config", "c.yaml", "--library", tmp_path, home=tmp_path)
    reported = json.loads(done.stdout)
    assert reported["config"] == "c.yaml"
    assert reported["libraries"] == [str(tmp_path)]
    assert reported["written"] is True


def test_init_asks_a_person(tmp_path: Path) -> None:
    import pty

    (tmp_path / "Music").mkdir()
    master, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "lyricsyncd", "init", "--config", "c.yaml"],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        cwd=tmp_path,
        env=surroundings(tmp_path),
    ) as process:
        os.close(terminal)
        os.write(master, b"/nowhere\n\nplex\n")
        assert process.wait(30) == 0
    asked = os.read(master, 10000).decode()
    os.close(master)
    assert "Where is your music?" in asked
    assert "the music folder /nowhere is not there" in asked
    config = load(tmp_path / "c.yaml", {})
    assert [library.path for library in config.libraries] == [tmp_path / "Music"]
    assert getattr(config.output, "preset", None) == "plex"
