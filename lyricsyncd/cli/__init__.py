"""Run the commands, each loaded when it is called, and report their errors.

A command is loaded when it is called, so that ``--help`` costs no more than this file. Each is a
click command in the module of its noun; the table below names it, with the line of the help.
"""

from __future__ import annotations

import difflib
import errno
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import click

from lyricsyncd import __version__
from lyricsyncd.errors import LyricsyncError

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it: 128 + SIGINT."""

_COMMANDS = {
    "init": ("init:init", "Write a configuration."),
    "sync": ("sync:sync", "Place the words of songs on their audio, now."),
    "run": ("run:run", "Run the service in the foreground."),
    "service": ("service:service", "Let systemd keep it running."),
    "scan": ("scan:scan", "Look for songs and queue them."),
    "status": ("status:status", "Show what the service does."),
    "show": ("show:show", "Show what is known of a song."),
    "queue": ("queue:queue", "List what comes next."),
    "retry": ("queue:retry", "Queue a song once more."),
    "skip": ("queue:skip", "Leave a song alone from now on."),
    "pause": ("queue:pause", "Take up no new songs."),
    "resume": ("queue:resume", "Go on after a pause."),
    "lyrics": ("lyrics:lyrics", "Find the words of a song only."),
    "apply": ("apply:apply", "Write lyrics that are there already; no model runs."),
    "karaoke": ("karaoke:karaoke", "Write a song without its vocals, and the vocals alone."),
    "convert": ("convert:convert", "Convert lyrics from one format into another."),
    "undo": ("undo:undo", "Restore what was there before."),
    "approve": ("decide:approve", "Accept the words of a song as they were placed."),
    "reject": ("decide:reject", "Say that words are not a song's."),
    "shift": ("decide:shift", "Move all words of a song in time."),
    "set": ("decide:set_song", "Choose a song's language, words or offset."),
    "pronounce": ("pronounce:pronounce", "Show how words would be sung."),
    "publish": ("publish:publish", "Give reviewed word times to LRCLIB."),
    "worker": ("worker:worker", "Place words for a service on another computer."),
    "models": ("models:models", "Install, list and remove the large models."),
    "uninstall": ("uninstall:uninstall", "Remove the service, its state and its models."),
    "doctor": ("doctor:doctor", "Check that all is there that is needed."),
}
"""Command → (module:function within this package, short help)."""


@dataclass
class Invocation:
    """The options that every command has."""

    verbose: bool = False


class _Group(click.Group):
    """Hold the commands of the table, each loaded when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click has it so
        return [name for name, (target, _) in _COMMANDS.items() if _exists(target)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module, function = _COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(f"{__name__}.{module}"), function)
        _give_verbose(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        # What starts with a dash is an option; click knows those better.
        if not name.startswith("-") and name not in self.list_commands(ctx):
            near = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise click.UsageError(f"There is no command '{name}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, _COMMANDS[name][1]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _exists(target: str) -> bool:
    return importlib.util.find_spec(f"{__name__}.{target.split(':')[0]}") is not None


def _verbose_option() -> click.Option:
    def note(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
        if value:
            ctx.ensure_object(Invocation).verbose = True

    return click.Option(
        ["-v", "--verbose"],
        is_flag=True,
        expose_value=False,
        callback=note,
        help="Tell more: how a song was done, and where an error came from.",
    )


def _give_verbose(command: click.Command) -> None:
    """Let ``-v`` stand behind every command, not only before it."""
    if not any("-v" in parameter.opts for parameter in command.params):
        command.params.append(_verbose_option())
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            _give_verbose(subcommand)


@click.group(
    cls=_Group,
    params=[_verbose_option()],
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`lyricsyncd COMMAND --help` says more.",
)
@click.version_option(__version__, prog_name="lyricsyncd")
def cli() -> None:
    """Word-by-word synced lyrics for every song you own."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the console script ``lyricsyncd``; end the process with the exit status."""
    sys.exit(_run(cli, arguments, "lyricsyncd"))


def sync_main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the console script ``lyric-sync``, which is ``lyricsyncd sync``."""
    command = cli.get_command(click.Context(cli), "sync")
    assert command is not None, "sync is part of every version"
    sys.exit(_run(command, arguments, "lyric-sync"))


def _run(command: click.Command, arguments: Sequence[str] | None, name: str) -> int:
    """Run a command; every failure is one line on stderr and an exit status."""
    invocation = Invocation()
    for stream in (sys.stdout, sys.stderr):
        # A title that the terminal's encoding lacks must not end the command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        status = command.main(
            None if arguments is None else list(arguments),
            prog_name=name,
            standalone_mode=False,
            obj=invocation,
        )
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - nothing above would report it
        if invocation.verbose:
            import traceback

            traceback.print_exception(error)
        message, status = _description(error, name)
        if message:
            click.echo(f"{name}: {message}", err=True)
        _let_go_of_stdout()
    return status if isinstance(status, int) else 0


def _description(error: BaseException, name: str) -> tuple[str, int]:
    """Describe an error in one line; return that and the exit status."""
    if isinstance(error, LyricsyncError):
        return _one_line(str(error)), error.exit_status
    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
        assert isinstance(error, click.UsageError)
        error.show()
        return "", error.exit_code
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx is not None else name
        return _one_line(f"{error.format_message()} Try '{path} --help'"), error.exit_code
    if isinstance(error, click.ClickException):
        return _one_line(error.format_message()), error.exit_code
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return "", INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return "", 1
    if isinstance(error, OSError) and error.errno in _MACHINE:
        where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        return _one_line(f"{where}{os.strerror(error.errno)}"), 1
    if isinstance(error, MemoryError):
        return "there is not enough memory", 1
    what = _one_line(str(error)) or "no message"
    return f"{type(error).__name__}: {what}. This is a bug; run again with -v for the details", 1


_MACHINE = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EIO,
    errno.EMFILE,
    errno.ENAMETOOLONG,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ENOSPC,
    errno.EPERM,
    errno.EROFS,
    errno.ESTALE,
}
"""Errors of the machine and not of this program: a full disk, say."""


def _one_line(text: str) -> str:
    from lyricsyncd.printable import escaped

    return escaped(" ".join(text.split()))


def _let_go_of_stdout() -> None:
    """Drop what cannot be written any more, lest Python complains of it on its way out."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (OSError, ValueError):
            sys.stdout = None  # as Python itself has it without one
