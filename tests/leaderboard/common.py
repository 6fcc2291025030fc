"""What the board's tests share."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from cli import main
from magbench.leaderboard.submission import find_submissions
from magbench.runs.records import Record, read_parquet

TOLD = {
    "submitter": "somebody",
    "relationship": "third party",
    "licence": "MIT",
    "training_data": "nothing of the suite",
    "date": "2026-01-31",
}


def magbench_(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def first_of(root: Path) -> Path:
    return next(folder for folder in find_submissions(root) if folder.parent.name == "first")


def own(made: Path) -> list[Record]:
    """The run that the board trusts."""
    return read_parquet(made / "run" / "records.parquet")
