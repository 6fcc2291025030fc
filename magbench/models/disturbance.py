"""Whether other work had the machine while something was timed.

On Linux the scheduler counts, for every thread, the time on a core and the time that it was ready and had none
(/proc/PID/task/TID/schedstat), and the machine counts what its host took away (steal in /proc/stat). On an accelerator
nvidia-smi tells of other processes, where it may look.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

LIMIT = 0.05
"""Share of the time that was wanted and not had, above which a timing is disturbed."""
LEAST_TICKS = 20
"""Of the machine's clock; in fewer a share means nothing."""
SMI_S = 5.0
"""Seconds that nvidia-smi may take."""

Threads = Mapping[str, tuple[int, int]]
"""Thread -> nanoseconds on a core, and ready without one."""


@dataclass(frozen=True)
class Disturbance:
    """What was seen beside a timing.

    Attributes:
        waited: share of the time in which threads of this process were ready that they had no core, or in which the
            host took the cores away, whichever is more; None where the system does not tell. Of a stream that an
            accelerator computes: share of all its time in which the thread that drives it was ready and had no core.
        sharers: other processes on the accelerator; None without one, or where nobody tells.
    """

    waited: float | None = None
    sharers: int | None = None

    @property
    def disturbed(self) -> bool | None:
        """Whether the timing says little about the model; None where nothing is known."""
        if self.waited is None and self.sharers is None:
            return None
        return (self.waited or 0.0) > LIMIT or bool(self.sharers)


class Watch:
    """Looks at the machine from its making until :meth:`seen`.

    Args:
        alone: whether this process computes what is timed, and nothing else. Where an accelerator does, the harness
            decodes and saves beside it: then only the thread that makes this object and asks it counts.
    """

    def __init__(self, alone: bool = True) -> None:
        self._alone = alone
        self._start, self._threads, self._machine = time.perf_counter_ns(), threads(), stolen()

    def seen(self) -> Disturbance:
        """What was seen since."""
        now, machine = threads(), stolen()
        lost = _lost(self._threads, now) if self._alone else self._held_up(now)
        shares = [share for share in (lost, _taken(self._machine, machine)) if share is not None]
        return Disturbance(max(shares, default=None), sharers())

    def _held_up(self, now: Threads) -> float | None:
        me = str(threading.get_native_id())
        if me not in self._threads or me not in now:
            return None
        return (now[me][1] - self._threads[me][1]) / (time.perf_counter_ns() - self._start)


def threads() -> Threads:
    """The scheduler's counts for every thread of this process; none where there are none."""
    found = {}
    for file in Path("/proc/self/task").glob("*/schedstat"):
        try:
            ran, waited, _ = map(int, file.read_text().split())
        except (OSError, ValueError):  # it ended meanwhile
            continue
        found[file.parent.name] = (ran, waited)
    return found


def stolen() -> tuple[int, int] | None:
    """(time that the host took, time that was used or taken) of all cores since the start, in ticks."""
    try:
        ticks = list(map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:9]))
    except (OSError, ValueError, IndexError):
        return None
    if len(ticks) < 8:
        return None
    return ticks[7], sum(ticks) - ticks[3] - ticks[4]  # all but idle and waiting for a disk


def _lost(before: Threads, after: Threads) -> float | None:
    if not before or not after:
        return None
    ran = sum(now[0] - before.get(thread, (0, 0))[0] for thread, now in after.items())
    waited = sum(now[1] - before.get(thread, (0, 0))[1] for thread, now in after.items())
    return waited / (ran + waited) if ran + waited > 0 else 0.0


def _taken(before: tuple[int, int] | None, after: tuple[int, int] | None) -> float | None:
    if before is None or after is None:
        return None
    used = after[1] - before[1]
    return (after[0] - before[0]) / used if used >= LEAST_TICKS else None


def sharers() -> int | None:
    """Other processes on the accelerator in use."""
    if not torch.cuda.is_initialized() or not (program := shutil.which("nvidia-smi")):
        return None
    card = str(torch.cuda.get_device_properties(torch.cuda.current_device()).uuid)
    question = [program, "--query-compute-apps=gpu_uuid,pid", "--format=csv,noheader"]
    try:
        said = subprocess.run(question, capture_output=True, text=True, timeout=SMI_S, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    pids = [line.split(",")[1].strip() for line in said.splitlines() if card in line.split(",")[0]]
    return len([pid for pid in pids if pid != str(os.getpid())]) if str(os.getpid()) in pids else max(0, len(pids) - 1)
