"""What the commands around the board share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from magbench.runs.records import Record

PUBLISHED = Path("leaderboards")
SUBMISSIONS = PUBLISHED / "submissions"


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


def signed(command: Callable[..., None]) -> Callable[..., None]:
    """Add --who and --date."""
    who = click.option("--who", required=True, metavar="NAME", help="In whose name.")
    return who(click.option("--date", metavar="YYYY-MM-DD", help="[default: today]")(command))
