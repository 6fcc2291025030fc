"""Somebody else's program, run to its end, and stopped with all that it started."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from magbench.core import guardian
from magbench.core.children import end_group
from magbench.core.errors import MagbenchError

LEAVING_S = 10.0
"""Seconds that the guardian is given to end what it guards."""


def run_program(
    arguments: Sequence[str], folder: Path, log: int, timeout_s: float, environment: Mapping[str, str] | None = None
) -> int | None:
    """Run a program in ``folder``. It ends when we do, killed or not, with all that it started.

    Args:
        log: file descriptor that gets what it prints, the middle left out where that is much.
        environment: None = this process's.
    Returns:
        Its exit code, minus the signal's number if one ended it; None if it was stopped after ``timeout_s``.
    Raises:
        MagbenchError: it cannot be started.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", guardian.__file__, str(theirs.fileno()), str(log), *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=(theirs.fileno(), log),
            start_new_session=True,
        )
        theirs.close()
        try:
            said = _answer(ours, time.monotonic() + timeout_s)
        finally:  # after an error or an interruption it, and what it started, would run on
            ours.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(LEAVING_S)
            end_group(process.pid)
            process.wait()
    if said is None:
        return None
    what, _, number = said.partition(" ")
    if what == "error":
        raise MagbenchError(f"command '{arguments[0]}' cannot be started ({os.strerror(int(number))})")
    return int(number) if what == "code" else process.returncode


def _answer(tie: socket.socket, until: float) -> str | None:
    """The last line that the guardian says, "" if it is gone without one; None where that takes too long."""
    said = b""
    while True:
        tie.settimeout(max(0.001, until - time.monotonic()))
        try:
            found = tie.recv(1 << 10)
        except TimeoutError:
            return None
        except ConnectionError:
            found = b""
        said += found
        last = said.decode().splitlines()[-1:] if said.endswith(b"\n") else []
        if not found or (last and last != ["started"]):
            return "".join(last).replace("started", "")
