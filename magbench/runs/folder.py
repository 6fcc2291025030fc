"""What a run is of, and the folder that belongs to it.

::

    OUT/run.json                                     what the run is of; every command on the folder checks it
    OUT/generations/MODEL/CLIP@SAMPLE/               see :mod:`magbench.runs.generation`
    OUT/scores/MODEL/CLIP@SAMPLE.jsonl               see :mod:`magbench.runs.records`
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from magbench.core.errors import MagbenchError
from magbench.core.files import first_problem, write_atomic
from magbench.suites.clip import Clip
from magbench.suites.format import Suite

RUN_FILE = "run.json"


class Run(BaseModel):
    """One suite, the first ``limit`` of its clips (None: all), ``seeds`` samples a clip."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    suite: str
    version: int
    split: str
    digest: str
    seeds: PositiveInt
    limit: PositiveInt | None

    def tasks(self, suite: Suite) -> list[tuple[Clip, int]]:
        """Every (clip, sample) that a complete model has, in order."""
        return [(clip, sample) for clip in suite.clips[: self.limit] for sample in range(self.seeds)]


def run_of(suite: Suite, *, seeds: int, limit: int | None) -> Run:
    """Describe a run of ``suite``."""
    try:
        return Run(
            suite=suite.name,
            version=suite.version,
            split=suite.split,
            digest=suite.digest,
            seeds=seeds,
            limit=limit,
        )
    except ValidationError as error:
        raise MagbenchError(first_problem(error)) from error


def read_run(out: Path) -> Run:
    """What ``out`` belongs to."""
    path = out / RUN_FILE
    try:
        return Run.model_validate_json(path.read_bytes())
    except OSError as error:
        raise MagbenchError(f"{out}: is not the folder of a run, it has no {RUN_FILE}") from error
    except ValidationError as error:
        raise MagbenchError(f"{path}: {first_problem(error)}") from error


def claim(out: Path, run: Run) -> None:
    """Make ``out`` the folder of ``run``, or check that it is. One with other things in it is refused."""
    if out.exists() and not out.is_dir():
        raise MagbenchError(f"{out}: is not a folder")
    if not (out / RUN_FILE).exists():
        if out.exists() and any(not path.name.startswith(".") for path in out.iterdir()):
            raise MagbenchError(f"{out}: holds files but no {RUN_FILE}; give a new or empty folder")
        try:
            write_atomic(out / RUN_FILE, run.model_dump_json(indent=2) + "\n")
        except OSError as error:
            raise MagbenchError(f"{out}: cannot be written ({error.strerror})") from error
        return
    there, here = read_run(out).model_dump(), run.model_dump()
    for field, value in there.items():
        if value != here[field]:
            raise MagbenchError(f"{out}: belongs to another run: {field} {value} there, {here[field]} here")
