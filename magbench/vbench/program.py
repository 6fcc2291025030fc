"""One run of the `vbench` program: its command line, its time-out, its log, its JSON.

What has to be known of it (vbench/cli/evaluate.py and vbench/__init__.py of the released code):

- it passes its arguments on through a shell, so the paths given to it are plain relative names;
- it starts whatever `python` comes first on the PATH, so its own folder is put there;
- its exit code is 0 whether or not the evaluation worked: what counts is the file it leaves,
  ``OUTPUT_PATH/*_eval_results.json``: {dimension: [mean, [{"video_path": ..., "video_results": ...}, ...]]}.
"""

from __future__ import annotations

import math
import os
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from magbench.core.errors import MagbenchError
from magbench.core.parsing import read_object
from magbench.core.subprocesses import run_program
from magbench.vbench.dimensions import Dimension

VIDEOS = "videos"
RESULTS = "results"
LINE_LENGTH = 160
INSTALL = (
    "VBench needs an environment of its own, with a GPU: python -m venv vbench-env, then"
    " vbench-env/bin/pip install vbench, then --program vbench-env/bin/vbench"
)


@dataclass(frozen=True)
class Program:
    """``path`` of the program; ``timeout_s`` for one dimension of all videos."""

    path: Path
    timeout_s: float

    def evaluate(self, dimension: Dimension, folder: Path, log: Path) -> dict[str, float]:
        """File name -> score of each video in ``folder/videos``; videos that VBench left out are not in it.

        Raises:
            MagbenchError: why there is no result.
        """
        results = folder / RESULTS
        shutil.rmtree(results, ignore_errors=True)
        line = [str(self.path), "evaluate", "--videos_path", VIDEOS, "--dimension", dimension.name]
        line += ["--mode", "custom_input", "--output_path", RESULTS]
        paths = os.pathsep.join([str(self.path.resolve().parent), os.environ.get("PATH", os.defpath)])
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            file.write(f"$ {shlex.join(line)}\n".encode())
            file.flush()
            code = run_program(line, folder, file.fileno(), self.timeout_s, os.environ | {"PATH": paths})
        if code is None:
            raise MagbenchError(f"was stopped after {self.timeout_s:g} s; see {_short(log)}")
        found = sorted(results.glob("*_eval_results.json"))
        if len(found) != 1:
            raise MagbenchError(f"wrote {len(found)} results (exit code {code}): {_complaint(log)}; see {_short(log)}")
        return read_results(found[0], dimension)


def find_program(path: str, timeout_s: float) -> Program:
    """The program at ``path``, or of that name on the PATH; what to type if there is none."""
    found = shutil.which(path)
    if found is None:
        raise MagbenchError(f"program '{path}' is not there; {INSTALL}")
    return Program(Path(found).absolute(), timeout_s)


def read_results(path: Path, dimension: Dimension) -> dict[str, float]:
    """File name -> score in units of `Dimension.whole`. Anything but a finite number is an error."""
    try:
        content = read_object(path)
        _, videos = content[dimension.name]
        pairs = [(Path(video["video_path"]).name, float(video["video_results"])) for video in videos]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise MagbenchError(f"{path}: is not what VBench writes for {dimension.name} ({problem})") from error
    for name, value in pairs:
        if not math.isfinite(value):
            raise MagbenchError(f"{path}: {dimension.name} of {name} is {value}")
    if len(scores := dict(pairs)) < len(pairs):
        raise MagbenchError(f"{path}: {dimension.name} has {len(pairs)} results of {len(scores)} videos")
    return {name: value / dimension.whole for name, value in scores.items()}


_ERROR = re.compile(r"(?:\[rank\d+\]: )?((?:\w+\.)*\w*(?:Error|Exception|Interrupt)\b.*)")


def _complaint(log: Path) -> str:
    """The last error that the log names, but not that of torch's launcher; else its last line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()[1:] if line.strip()]
    errors = [found[1] for line in lines if (found := _ERROR.match(line)) and "ChildFailedError" not in line]
    return (errors or lines or ["it printed nothing"])[-1][:LINE_LENGTH]


def _short(log: Path) -> str:
    """Without what is another folder on another machine: reasons go into reports."""
    return f"{log.parent.name}/{log.name}"
