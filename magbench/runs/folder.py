"""A run and its folder: what the run is of, and where each of its files lies."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError

from magbench.core.errors import MagbenchError
from magbench.core.files import first_problem, folder_written, write_new
from magbench.core.parsing import read_described
from magbench.suites.clip import Clip
from magbench.suites.format import Suite


class Run(BaseModel):
    """What a run is of: one suite, the first ``limit`` of its clips (None: all), ``seeds`` samples a clip."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    suite: str
    version: int
    split: str
    digest: str
    seeds: PositiveInt
    limit: PositiveInt | None

    @classmethod
    def of(cls, suite: Suite, *, seeds: int, limit: int | None) -> Run:
        """Describe a run of ``suite``."""
        try:
            return cls(
                suite=suite.name,
                version=suite.version,
                split=suite.split,
                digest=suite.digest,
                seeds=seeds,
                limit=limit,
            )
        except ValidationError as error:
            raise MagbenchError(first_problem(error)) from error

    def tasks(self, suite: Suite) -> list[tuple[Clip, int]]:
        """Every (clip, sample) that a complete model has, in order."""
        return [(clip, sample) for clip in suite.clips[: self.limit] for sample in range(self.seeds)]

    def __str__(self) -> str:
        return f"{self.suite} v{self.version}, {self.split} split"


@dataclass(frozen=True)
class RunFolder:
    """The one place that knows the names of the files below a run's folder.

    ::

        run.json                                   what the run is of; every command on the folder checks it
        generations/MODEL/CLIP@SAMPLE/             one video, see :mod:`magbench.runs.generation`
        scores/MODEL/CLIP@SAMPLE.jsonl             its records, see :mod:`magbench.runs.records`
        generations_swapped/, scores_swapped/      likewise, for the history effect
        vbench/                                    what VBench said
        noise.json, profile.json                   noise panel of the run; profile of its models
        records.parquet, table.*, sheet.png, plots/    the report; all that a published folder needs
        published/                                 what a published folder held before a run was begun in it
    """

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    # What the run is of

    @property
    def description(self) -> Path:
        return self.path / "run.json"

    def read(self) -> Run:
        """What the folder belongs to; one without a description is an error."""
        if not self.description.exists():
            raise MagbenchError(f"{self}: is not the folder of a run, it has no {self.description.name}")
        return read_described(self.description, Run)

    def claim(self, run: Run) -> None:
        """Make this the folder of ``run``, or check that it is. One with other things in it is refused.

        Any number of processes may claim it at once: the first run to come has it, and all of that run may go on.
        """
        if self.path.exists() and not self.path.is_dir():
            raise MagbenchError(f"{self}: is not a folder")
        if not self.description.exists() and self._begin(run):
            return
        there, here = self.read().model_dump(), run.model_dump()
        for field, value in there.items():
            if value != here[field]:
                both = f"{field} {value} there, {here[field]} here"
                raise MagbenchError(f"{self}: belongs to another run: {both}; --out gives another folder")
        self._set_published_apart()

    def _begin(self, run: Run) -> bool:
        """Write the description; False where another process was first."""
        others = self.path.exists() and any(not path.name.startswith(".") for path in self.path.iterdir())
        if others and not self.description.exists():  # asked in this order: the description is the first file of a run
            raise MagbenchError(f"{self}: holds files but no {self.description.name}; give a new or empty folder")
        try:
            return write_new(self.description, run.model_dump_json(indent=2) + "\n")
        except OSError as error:
            raise MagbenchError(f"{self}: cannot be written ({error.strerror})") from error

    def _set_published_apart(self) -> None:
        """Copy a published folder's files to ``published/`` before the first own score: they stay as they are."""
        if not self.records.is_file() or self.scores.exists() or self.published.path.exists():
            return
        files = sorted(path for path in self.path.iterdir() if path.is_file())
        try:
            with folder_written(self.published.path) as half:
                for path in files:
                    shutil.copy2(path, half / path.name)
                if self.plots.is_dir():
                    shutil.copytree(self.plots, half / self.plots.name)
        except MagbenchError:
            if not self.published.path.is_dir():  # else another process of this run was first
                raise

    @property
    def published(self) -> RunFolder:
        """What a published folder held before a run was begun in it; its records stand beside the run's own."""
        return RunFolder(self.path / "published")

    # Videos and their scores

    @property
    def generations(self) -> Path:
        return self.path / "generations"

    @property
    def scores(self) -> Path:
        return self.path / "scores"

    @property
    def swapped_scores(self) -> Path:
        """Records of the history effect."""
        return self.path / "scores_swapped"

    def generation(self, model: str, clip: str, sample: int) -> Path:
        """The folder of one generated video."""
        return self.generations / model / f"{clip}@{sample}"

    def score(self, model: str, clip: str, sample: int) -> Path:
        """The records of one generated video."""
        return self.scores / model / f"{clip}@{sample}.jsonl"

    def swapped_generation(self, model: str, clip: str, sample: int) -> Path:
        """The folder of the video that was generated from a swapped history."""
        return self.path / "generations_swapped" / model / f"{clip}@{sample}"

    def swapped_score(self, model: str, clip: str, sample: int) -> Path:
        """The record of the history effect of one clip."""
        return self.swapped_scores / model / f"{clip}@{sample}.jsonl"

    def score_files(self, model: str = "*") -> list[Path]:
        """The records of every video, or of one model's, in order of file name."""
        return sorted(self.scores.glob(f"{model}/*.jsonl"))

    def swapped_score_files(self) -> list[Path]:
        """The records of the history effect, in order of file name."""
        return sorted(self.swapped_scores.glob("*/*.jsonl"))

    def generated_models(self) -> list[str]:
        """Models and references that have a folder of videos, sorted."""
        return sorted(path.name for path in self.generations.glob("*") if path.is_dir())

    def scored_models(self) -> list[str]:
        """Models and references that have a folder of scores, sorted."""
        return sorted(path.name for path in self.scores.glob("*") if path.is_dir())

    # What was measured beside the scores

    @property
    def noise(self) -> Path:
        return self.path / "noise.json"

    @property
    def profile(self) -> Path:
        return self.path / "profile.json"

    @property
    def vbench(self) -> Path:
        return self.path / "vbench"

    @property
    def vbench_records(self) -> Path:
        return self.vbench / "records.jsonl"

    @property
    def vbench_reasons(self) -> Path:
        """Why some videos have no value."""
        return self.vbench / "not_available.json"

    # The report

    @property
    def records(self) -> Path:
        """Every record of the run in one file."""
        return self.path / "records.parquet"

    @property
    def sheet(self) -> Path:
        return self.path / "sheet.png"

    @property
    def plots(self) -> Path:
        return self.path / "plots"

    def table(self, kind: str) -> Path:
        """The table as ``md``, ``csv`` or ``json``."""
        return self.path / f"table.{kind}"

    def is_run(self) -> bool:
        """Whether the folder is a run's, or a published one."""
        return self.description.is_file() or self.records.is_file()
