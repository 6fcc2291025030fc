"""The group that every command hangs on: what is loaded when it is asked for, and how errors and signals end."""

from __future__ import annotations

import errno
import importlib
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TextIO

import click

from magbench.core.disk import explained
from magbench.core.errors import MagbenchError, NothingDone
from magbench.core.plugins import PluginWarning


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Warnings about plug-ins are lines for the user, each once, without a place in our code."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, PluginWarning):
                click.echo(f"warning: {message}", err=True)
            else:
                usual(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


HARNESS = {
    "run": "magbench.commands.run:run",
    "generate": "magbench.commands.run:generate",
    "score": "magbench.commands.run:score",
    "report": "magbench.commands.run:report",
    "compare": "magbench.commands.analyse:compare",
    "history-effect": "magbench.commands.analyse:history_effect",
    "vbench": "magbench.commands.analyse:vbench",
    "profile": "magbench.commands.profile:profile",
    "plan": "magbench.commands.plan:plan",
    "suite": "magbench.commands.suites:suite",
    "submit": "magbench.commands.board.submit:submit",
    "board": "magbench.commands.board.group:board",
    "view": "magbench.commands.board.submit:view",
    "ls": "magbench.commands.installed:ls",
    "doctor": "magbench.commands.installed:doctor",
}
"""Commands that are loaded when they are asked for."""


class Ended(BaseException):
    """The system asks this process to end; what it is in the middle of is cleared away."""


@contextmanager
def _asked_to_end() -> Iterator[None]:
    """Raise :class:`Ended` for the signals that would otherwise end the process where it stands."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise Ended(number)

    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    usual = [number for number in wanted if signal.getsignal(number) is signal.SIG_DFL]
    for number in usual:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in usual:
            signal.signal(number, signal.SIG_DFL)


class Commands(click.Group):
    """A group that turns what a user can mend into one line on stderr, and an interruption into advice."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *HARNESS})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in HARNESS:
            return super().get_command(ctx, name)
        module, _, attribute = HARNESS[name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _asked_to_end(), _plain_warnings():
                return super().invoke(ctx)
        except NothingDone as error:
            for failure in error.failures:
                click.echo(f"failed: {failure}", err=True)
            click.echo(f"error: {error}", err=True)
            ctx.exit(1)
        except MagbenchError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(1)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # who reads our output has gone: click's to answer
            click.echo(f"error: {explained(error)}", err=True)
            ctx.exit(1)
        except Ended as error:
            click.echo("ended: finished work is kept, the same command goes on from there", err=True)
            ctx.exit(128 + error.args[0])
        except KeyboardInterrupt:
            click.echo("interrupted: finished work is kept, the same command goes on from there", err=True)
            ctx.exit(130)
