"""`magbench submit` and `magbench view`: what is made of one run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from magbench.commands.board.options import SUBMISSIONS, today
from magbench.commands.console import say
from magbench.core.errors import MagbenchError

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
@click.option(
    "--hub", metavar="ORG/NAME", help="Offer it as a pull request to this data set, with videos too large to carry."
)
@click.option(
    "--carry",
    type=click.FloatRange(0),
    metavar="MB",
    help="Videos up to so many MB together are carried [default: 20]; 0: hashes alone.",
)
def submit(
    folder: Path, model: str, told: Path | None, to: Path, date: str | None, hub: str | None, carry: float | None
) -> None:
    """Make a submission of one model of the finished run in RUN_DIR, and check it.

    A submission holds records, hashes and (where small) the videos, and who made what; never a table. With --hub,
    stopped, the same command goes on; it needs a token (`hf auth login`, or HF_TOKEN).
    """
    from magbench.core.parsing import read_yaml_object
    from magbench.leaderboard.check import check
    from magbench.leaderboard.sharing.offer import Offer
    from magbench.leaderboard.submit import CARRIED_MB, prepare, write

    known: dict[str, Any] = {"date": date or today()}
    if told is not None:
        known |= read_yaml_object(told)
    elif sys.stdin.isatty():
        known |= {key: click.prompt(question) for key, question in QUESTIONS.items()}
    ready = prepare(folder, model, known)
    offer = None if hub is None else Offer.begin(ready, hub)
    most = CARRIED_MB if carry is None else carry
    if offer is None:
        target = write(ready, to, carried_mb=most)
    else:
        target = ready.there(to) or write(ready, to, offer.videos, carried_mb=most)
    faults = check(target)
    for fault in faults:
        say(fault, err=True)
    say(target)
    if any(fault.severity == "error" for fault in faults):
        raise MagbenchError(f"{target}: has faults, a board would not take it")
    if offer is None:
        click.echo("next: magbench board check, then offer this folder as one change to the board's repository")
        return
    offer.submission(target)
    say(f"{offer.branch.address}: {offer.branch.changed} files sent, commit {offer.branch.head}")
    say(f"next: {offer.next}")


@click.command()
@click.argument("folder", metavar="RUN_DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where the page goes [default: RUN_DIR/view].",
)
@click.option("--suite", metavar="SUITE", help="Where the run's suite is, if not under its name.")
@click.option(
    "--clips",
    "count",
    type=click.IntRange(1),
    default=12,
    show_default=True,
    metavar="N",
    help="For how many clips, evenly apart.",
)
def view(folder: Path, out: Path | None, suite: str | None, count: int) -> None:
    """Watch the videos of a run side by side with the truth: a page to open from disk.

    Up to four models on one clock, frame by frame, with the score of each frame.
    """
    from magbench import api
    from magbench.leaderboard.page import write_view
    from magbench.leaderboard.watch import clips_of_run
    from magbench.runs.folder import RunFolder

    run = RunFolder(folder).read()
    opened = api.load_suite(suite or (run.suite if run.split == "test" else f"{run.suite}:{run.split}"))
    whole = len(opened.clips[: run.limit])
    note = f"{min(count, whole)} of {whole} clips are here." if count < whole else ""
    clips = clips_of_run(RunFolder(folder), opened, count)
    click.echo(f"{write_view(str(run), clips, out or folder / 'view', note)}")
