"""``command:FILE`` models: any program, run once per clip. FILE is YAML::

    name: mine
    command: python mine.py --context {context} --prompt {prompt} --seed {seed} --out {output}.mp4
    timeout_s: 600
    revision: "1"

The line is split as a shell would, then each argument's placeholders (see ``PLACEHOLDERS``) are filled in; no shell
runs, so a prompt may hold anything. The program starts in FILE's folder. Where it has to write its video is
``{output}`` with an ending: any form that :mod:`magbench.video.formats` reads (without ending, a folder of PNG files).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, PositiveFloat

from magbench.core.children import how_it_ended
from magbench.core.errors import MagbenchError, Unfit, unknown
from magbench.core.files import SAFE_NAME
from magbench.core.parsing import read_yaml
from magbench.core.subprocesses import run_program
from magbench.models.protocol import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

PLACEHOLDERS = {
    "context": "the given frames, a lossless video (FFV1 in Matroska)",
    "context_folder": "the same as a folder of PNGs: 00000.png, 00001.png, ...",
    "prompt": "the clip's text, '' where the suite has none",
    "pose": "camera numbers of all frames, those to come included: CSV with columns frame, p0, p1, ...",
    "frames": "frames of the whole clip, the given ones included",
    "new_frames": "frames to be made",
    "fps": "frames per second",
    "height": "of a frame, in pixels",
    "width": "of a frame, in pixels",
    "seed": "63 bits",
    "seed32": "its lowest 32 bits",
    "output": "where to write: the new frames alone, or the whole clip; told apart by length",
}
_PLACEHOLDER = re.compile(r"\{([a-z_0-9]+)\}")

COMMAND = "command:"
"""What the name of a program begins with."""
LOG_FILE = "command.log"
WORK_FOLDER = "command"
LINE_LENGTH = 100


class CommandFile(BaseModel):
    """The YAML file. ``revision`` has to change whenever the program's videos may; its command line counts anyway."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str
    command: str
    timeout_s: PositiveFloat = 3600.0
    revision: str = ""


@dataclass(frozen=True)
class Program:
    """A program as a model. ``arguments`` still hold their placeholders; ``folder`` is where it starts."""

    name: str
    arguments: tuple[str, ...]
    timeout_s: float
    revision: str
    folder: Path

    def prepare(self, task: Task, folder: Path) -> ProgramRun:
        """Write what the program reads for one task into ``folder``."""
        work = folder.absolute() / WORK_FOLDER
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        used = {name for argument in self.arguments for name in _PLACEHOLDER.findall(argument)}
        _write_inputs(task, work, used, self.name)
        height, width = task.context.shape[2:]
        values = {
            "context": str(work / "context.mkv"),
            "context_folder": str(work / "context"),
            "prompt": task.prompt,
            "pose": str(work / "pose.csv"),
            "frames": str(task.frames),
            "new_frames": str(task.frames - len(task.context)),
            "fps": str(task.fps),
            "height": str(height),
            "width": str(width),
            "seed": str(task.seed),
            "seed32": str(task.seed % 2**32),
            "output": str(work / "output"),
        }
        filled = tuple(_filled(argument, values) for argument in self.arguments)
        shape = (task.frames, height, width)
        return ProgramRun(filled, self.folder, self.timeout_s, work, shape, task.frames - len(task.context), task.fps)


@dataclass(frozen=True)
class ProgramRun:
    """One run of a program.

    Attributes:
        shape: (T, H, W) of the whole clip.
        new: frames to be made.
        work: holds the program's inputs and output; it is removed if all went well, and stays for its author if not.
    """

    arguments: tuple[str, ...]
    folder: Path
    timeout_s: float
    work: Path
    shape: tuple[int, int, int]
    new: int
    fps: int

    @property
    def log(self) -> Path:
        """The command line, then all that the program printed."""
        return self.work.with_name(LOG_FILE)

    def stream(self) -> Iterator[Tensor]:
        """Run the program, and yield its return as one piece."""
        from magbench.video.io import to_float

        with self.log.open("wb") as log:
            log.write(f"$ {shlex.join(self.arguments)}\n".encode())
            log.flush()
            code = run_program(self.arguments, self.folder, log.fileno(), self.timeout_s)
        if code is None:
            raise MagbenchError(f"command was stopped after {self.timeout_s:g} s; see {self.log}")
        if code:
            raise MagbenchError(f"command {how_it_ended(code)}: {self._last_line()}; see {self.log}")
        try:
            frames = self._return()
        except MagbenchError as error:
            said = str(error).replace(f"{self.work}{os.sep}", "")
            raise MagbenchError(f"{said}; see {self.log}") from error
        yield to_float(frames)
        shutil.rmtree(self.work)

    def _last_line(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[1:]
        return next((line.strip()[:LINE_LENGTH] for line in reversed(lines) if line.strip()), "it printed nothing")

    def _return(self) -> NDArray[np.uint8]:
        """(new, H, W, 3) uint8: the output, without the given frames where it has them too."""
        from magbench.video.formats import READERS, form, read_finished

        found = sorted(path for path in self.work.iterdir() if path.name.partition(".")[0] == "output")
        if len(found) != 1:
            what = f"{len(found)} outputs ({', '.join(path.name for path in found)})" if found else "no output"
            raise MagbenchError(f"command wrote {what}")
        if form(found[0]) not in READERS or not (found[0].suffix or found[0].is_dir()):
            forms = ", ".join(filter(None, READERS))
            raise MagbenchError(f"command wrote {found[0].name}; a folder of PNG files or one of {forms} wanted")
        frames = read_finished(found[0], self.fps, self.shape)
        if len(frames) not in (self.new, self.shape[0]):
            wanted = f"{self.new} (the return) or {self.shape[0]} (the whole clip)"
            raise MagbenchError(f"{found[0].name} has {len(frames)} frames, {wanted} wanted")
        return frames[-self.new :]


def read_program(name: str) -> Program:
    """The program of ``command:FILE``; everything that can be wrong with FILE is said here."""
    path = Path(name.removeprefix(COMMAND))
    file = read_yaml(path, CommandFile)
    try:
        arguments = tuple(shlex.split(file.command))
    except ValueError as error:
        raise MagbenchError(f"{path}: command: {error}") from error
    if not SAFE_NAME.fullmatch(file.name):
        raise MagbenchError(f"{path}: name '{file.name}' may only hold letters, digits, '.', '_' and '-'")
    used = [word for argument in arguments for word in _PLACEHOLDER.findall(argument)]
    for word in used:
        if word not in PLACEHOLDERS:
            raise MagbenchError(f"{path}: {unknown('placeholder', word, PLACEHOLDERS)}")
    if "output" not in used:
        raise MagbenchError(f"{path}: command has no {{output}}: where should it write its video?")
    digest = sha256("\0".join(arguments).encode()).hexdigest()[:12]
    revision = f"{file.revision}+{digest}" if file.revision else digest
    return Program(file.name, arguments, file.timeout_s, revision, path.absolute().parent)


def _filled(argument: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values[match[1]], argument)


def _write_inputs(task: Task, work: Path, used: set[str], name: str) -> None:
    """Only what the command line asks for."""
    from magbench.core.rows import write_rows
    from magbench.video.io import to_uint8, write_lossless

    given = to_uint8(task.context)
    if "context" in used:
        write_lossless(work / "context.mkv", given, task.fps)
    if "context_folder" in used:
        _write_pngs(work / "context", given)
    if "pose" in used:
        if task.pose is None:
            raise Unfit(f"model {name} needs camera numbers ({{pose}}); the clip has none")
        header = ("frame", *(f"p{i}" for i in range(task.pose.shape[1])))
        write_rows(work / "pose.csv", header, ((t, *numbers) for t, numbers in enumerate(task.pose.tolist())))


def _write_pngs(folder: Path, frames: NDArray[np.uint8]) -> None:
    import cv2

    folder.mkdir()
    for index, frame in enumerate(frames):
        _, png = cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        (folder / f"{index:05d}.png").write_bytes(png.tobytes())
