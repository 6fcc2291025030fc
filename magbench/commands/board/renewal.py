"""`magbench board renew`: a board after a metric was raised."""

from __future__ import annotations

from pathlib import Path

import click

from magbench.commands.board.options import (
    EARLIER,
    PAGE,
    SUBMISSIONS,
    references,
    signed,
    sources,
    suite_of,
    today,
    trusted,
)
from magbench.commands.console import say
from magbench.core.errors import MagbenchError


@click.command("renew")
@click.argument("root", default=SUBMISSIONS, type=click.Path(path_type=Path, file_okay=False))
@click.option("--tag", required=True, metavar="TAG", help="What the board as it stands is kept under.")
@click.option("--about", required=True, metavar="TEXT", help="Why there is a later one, in a sentence.")
@click.option(
    "--page",
    type=click.Path(path_type=Path, file_okay=False),
    default=PAGE,
    show_default=True,
    metavar="DIR",
    help="The page of the board as it stands.",
)
@click.option(
    "--keep",
    "kept",
    type=click.Path(path_type=Path, file_okay=False),
    default=EARLIER,
    show_default=True,
    metavar="DIR",
    help="Where boards as they stood are kept.",
)
@references
@sources
@signed
def renew(
    root: Path,
    tag: str,
    about: str,
    page: Path,
    kept: Path,
    runs: tuple[Path, ...],
    run: Path | None,
    suites: tuple[str, ...],
    who: str,
    date: str | None,
) -> None:
    """After a metric was raised: keep the board as it stands under TAG, and score again what is below ROOT.

    First run the suite again, so that the board's own references are of today's metrics. A submission that is of
    today's already is left as it is, so that the same command goes on where it was stopped.
    """
    from magbench.leaderboard import earlier
    from magbench.leaderboard.renew import is_outdated
    from magbench.leaderboard.renew import renew as score_again
    from magbench.leaderboard.submission import find_submissions, read_submission
    from magbench.render.progress import ProgressBar

    own = trusted(runs)
    old = [folder for folder in find_submissions(root) if is_outdated(read_submission(folder))]
    if not old:
        raise MagbenchError(f"{root}: every submission is of today's metrics already")
    say(f"{earlier.keep(page, kept, tag, about)}")
    left: list[str] = []
    with ProgressBar() as bar:
        for folder in old:
            try:
                progress = bar.named("renew")
                score_again(folder, suite_of(folder, suites), own, who, date or today(), run=run, progress=progress)
                say(f"renewed {folder}")
            except MagbenchError as error:
                left.append(str(error))
    for line in left:
        say(f"left out: {line}", err=True)
    if left:
        raise MagbenchError(f"{len(left)} of {len(old)} submissions could not be scored again")
