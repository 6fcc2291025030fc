"""What the commands around the board share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from magbench.runs.records import Record
    from magbench.suites.format import Suite

PUBLISHED = Path("leaderboards")
SUBMISSIONS = PUBLISHED / "submissions"
PAGE = PUBLISHED / "page"
EARLIER = PUBLISHED / "earlier"


def today() -> str:
    """The date, as 2026-01-31."""
    return datetime.now(timezone.utc).date().isoformat()


def references(command: Callable[..., None]) -> Callable[..., None]:
    """Add --references."""
    return click.option(
        "--references",
        "runs",
        type=click.Path(path_type=Path, dir_okay=False),
        multiple=True,
        metavar="RECORDS.parquet",
        help="A run that the board trusts, for its references and clips [default: leaderboards/*/records.parquet].",
    )(command)


def trusted(runs: Sequence[Path]) -> list[Record]:
    """The references' records of the runs that are given, else of those that are published here."""
    from magbench.leaderboard.own import read_references

    return read_references(runs or sorted(PUBLISHED.glob("*/records.parquet")))


def suite_of(folder: Path, suites: Sequence[str]) -> Suite:
    """The suite that a submission's run is of: one of ``suites`` by its content, else the one of its name."""
    from magbench import api
    from magbench.leaderboard.submission import read_submission

    run = read_submission(folder).run
    told = next((suite for suite in map(api.load_suite, suites) if suite.digest == run.digest), None)
    return told or api.load_suite(run.suite if run.split == "test" else f"{run.suite}:{run.split}")


def sources(command: Callable[..., None]) -> Callable[..., None]:
    """Add --suite and --videos."""
    suites = click.option(
        "--suite", "suites", multiple=True, metavar="SUITE", help="Where a suite is that its name does not find."
    )(command)
    return click.option(
        "--videos",
        "run",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="RUN_DIR",
        help="A run that has the videos which a submission does not carry; their hashes decide.",
    )(suites)


def signed(command: Callable[..., None]) -> Callable[..., None]:
    """Add --who and --date."""
    who = click.option("--who", required=True, metavar="NAME", help="In whose name.")
    return who(click.option("--date", metavar="YYYY-MM-DD", help="[default: today]")(command))
