"""Somebody else's program, run to its end, and stopped with all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from magbench.core.errors import MagbenchError


def run_program(
    arguments: Sequence[str], folder: Path, log: int, timeout_s: float, environment: Mapping[str, str] | None = None
) -> int | None:
    """Run a program in ``folder``.

    Args:
        log: file descriptor that gets all that it prints.
        environment: None = this process's.
    Returns:
        Its exit code, minus the signal's number if one ended it; None if it was stopped after ``timeout_s``.
    Raises:
        MagbenchError: it cannot be started.
    """
    try:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise MagbenchError(f"command '{arguments[0]}' cannot be started ({error.strerror})") from error
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None
    finally:  # after an error or an interruption it, and what it started, would run on
        with suppress(ProcessLookupError, PermissionError):  # gone already (macOS calls that forbidden)
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
