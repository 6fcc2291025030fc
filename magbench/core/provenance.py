"""Where numbers come from: which magbench, which command, which kind of machine. No host name, no user."""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from magbench import __version__

DRIVER = Path("/proc/driver/nvidia/version")
"""Where Linux says which driver it has loaded for a card."""


def provenance() -> dict[str, Any]:
    """``magbench_version``, ``commit`` (None where it is not run from a clone), ``command`` and ``machine``."""
    return {"magbench_version": __version__, "commit": commit(), "command": command(), "machine": machine()}


def machine() -> dict[str, str | int]:
    """The kind of machine: processor, cores, threads, torch, system; where there is a card, its driver and CUDA too."""
    import torch

    found: dict[str, str | int] = {
        "cpu": cpu_model(),
        "cores": usable_cores(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
        found["gpu_bytes"] = torch.cuda.get_device_properties(0).total_memory
        found["driver"] = driver()
        found["cuda"] = str(torch.version.cuda)
        found["cudnn"] = str(torch.backends.cudnn.version())
    return found


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def cpu_model() -> str:
    """The processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def driver() -> str:
    """The version of the card's driver, "unknown" where the system does not say it."""
    found = re.search(r"\b\d+\.\d+(?:\.\d+)?\b", DRIVER.read_text()) if DRIVER.is_file() else None
    return found.group() if found else "unknown"


def commit() -> str | None:
    """Commit of the clone that this is run from, with ``+`` behind it where files were changed since."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        found = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None
    return found + ("+" if changed else "")


def _git(root: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True, text=True).stdout.strip()


def command() -> str:
    """What was typed."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
