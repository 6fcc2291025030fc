"""`magbench submit` and `magbench board`: from a finished run to a row on a board that others can check."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from magbench.core.errors import MagbenchError

SUBMISSIONS = Path("leaderboards") / "submissions"
QUESTIONS = {
    "submitter": "Your name, or your group's",
    "relationship": "Are you the model's author? (author / third party)",
    "licence": "Licence of the model",
    "training_data": "What was it trained on; may it have seen the suite?",
}


@click.command()
@click.argument("folder", metavar="RUN_DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--model", required=True, metavar="NAME", help="Which of the run's models.")
@click.option(
    "--from",
    "told",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.yaml",
    help="What only a person knows: submitter, relationship, licence, training_data [default: asked].",
)
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    default=SUBMISSIONS,
    show_default=True,
    metavar="DIR",
    help="Where submissions are kept.",
)
@click.option("--date", metavar="YYYY-MM-DD", help="Of the run [default: today].")
def submit(folder: Path, model: str, told: Path | None, to: Path, date: str | None) -> None:
    """Make a submission of one model of the finished run in RUN_DIR, and check it.

    A submission holds records, hashes and (where small) the videos, and who made what; never a table.
    """
    from magbench.core.parsing import read_text
    from magbench.leaderboard.check import check
    from magbench.leaderboard.submit import submit as make

    known: dict[str, Any] = {"date": date or datetime.now(timezone.utc).date().isoformat()}
    if told is not None:
        import yaml

        try:
            found: Any = yaml.safe_load(read_text(told))
        except yaml.YAMLError as error:
            raise MagbenchError(f"{told}: broken YAML ({' '.join(str(error).split())})") from error
        if not isinstance(found, dict):
            raise MagbenchError(f"{told}: holds a {type(found).__name__}, fields wanted: {', '.join(QUESTIONS)}")
        known |= {str(key): value for key, value in found.items()}
    elif sys.stdin.isatty():
        known |= {key: click.prompt(question) for key, question in QUESTIONS.items()}
    target = make(folder, model, known, to)
    faults = check(target)
    for fault in faults:
        click.echo(str(fault), err=True)
    click.echo(f"{target}")
    click.echo("next: magbench board check, then offer this folder as one change to the board's repository")
    if any(fault.severity == "error" for fault in faults):
        raise MagbenchError(f"{target}: has faults, a board would not take it")


@click.group()
def board() -> None:
    """Check submissions, score them again, and build the board."""


@board.command("check")
@click.argument("submissions", nargs=-1, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--references",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="RECORDS.parquet",
    help="The board's own run, whose references and clips submissions must have [default: those of the first].",
)
def board_check(submissions: tuple[Path, ...], references: Path | None) -> None:
    """Check submissions, or all below leaderboards/submissions; runs nothing of them.

    One line a finding: severity, file, what is wrong. Exit code 1 if there is an error.
    """
    from magbench.leaderboard.build import reference_board
    from magbench.leaderboard.check import check
    from magbench.leaderboard.submission import find_submissions
    from magbench.runs.records import read_parquet

    roots = submissions or (SUBMISSIONS,)
    folders = [folder for root in roots for folder in find_submissions(root)]
    if not folders:
        raise MagbenchError(f"{', '.join(map(str, roots))}: holds no submission")
    own = None if references is None else read_parquet(references)
    bad = 0
    for folder in folders:
        faults = check(folder, None if own is None else reference_board(own, [f for f in folders if f != folder]))
        bad += any(fault.severity == "error" for fault in faults)
        click.echo(f"{'FAIL' if any(f.severity == 'error' for f in faults) else 'ok  '} {folder}")
        for fault in faults:
            click.echo(f"     {fault}")
    if bad:
        raise MagbenchError(f"{bad} of {len(folders)} submissions have errors")


@board.command("rescore")
@click.argument("folder", metavar="SUBMISSION", type=click.Path(path_type=Path, file_okay=False))
@click.option("--who", required=True, metavar="NAME", help="In whose name.")
@click.option("--date", metavar="YYYY-MM-DD", help="[default: today]")
def board_rescore(folder: Path, who: str, date: str | None) -> None:
    """Score every video of SUBMISSION again, compare, and write an attestation into it."""
    from magbench import api
    from magbench.leaderboard.rescore import rescore
    from magbench.leaderboard.submission import read_submission
    from magbench.render.progress import ProgressBar

    run = read_submission(folder).run
    name = run.suite if run.split == "test" else f"{run.suite}:{run.split}"
    day = date or datetime.now(timezone.utc).date().isoformat()
    with ProgressBar() as progress:
        found: Any = rescore(folder, api.load_suite(name), who, day, progress=progress.named("rescore"))
    verdict = "the same" if found.verdict else "DIFFERENT"
    click.echo(f"{folder}: {verdict}, {found.values} values, largest difference {found.largest:.2g} {found.where}")
    if not found.verdict:
        raise MagbenchError(f"{folder}: its scores do not come out again (tolerance {found.tolerance:g})")


@board.command("build")
@click.argument("root", default=SUBMISSIONS, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("leaderboards") / "page",
    show_default=True,
    metavar="DIR",
    help="Where the page goes: a folder to open from disk or to put on any host.",
)
def board_build(root: Path, out: Path) -> None:
    """Build the boards of all submissions below ROOT: one page, with data as board.json."""
    from magbench.leaderboard.build import build
    from magbench.leaderboard.page import write_page

    boards = build(root)
    page = write_page(boards, out)
    for built in boards:
        trusts = [entry.trust for entry in built.entries]
        counts = (f"{trusts.count(trust)} {trust}" for trust in ("rescored", "reported", "quarantined"))
        click.echo(f"{built.name}: {', '.join(counts)}")
    click.echo(f"{page}")
