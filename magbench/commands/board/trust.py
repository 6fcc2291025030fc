"""`magbench board rescore`, `reproduce`, `fresh` and `notice`: what others say of a submission."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from magbench.commands.board.options import signed, sources, suite_of, today
from magbench.commands.console import say
from magbench.core.errors import MagbenchError

if TYPE_CHECKING:
    from magbench.leaderboard.attestation import Attestation


@click.command("rescore")
@click.argument("folder", metavar="SUBMISSION", type=click.Path(path_type=Path, file_okay=False))
@sources
@signed
def rescore(folder: Path, run: Path | None, suites: tuple[str, ...], who: str, date: str | None) -> None:
    """Score every video of SUBMISSION again, compare, and write an attestation into it."""
    from magbench.leaderboard.rescore import rescore as score_again
    from magbench.render.progress import ProgressBar

    with ProgressBar() as bar:
        progress = bar.named("rescore")
        found: Any = score_again(folder, suite_of(folder, suites), who, date or today(), run=run, progress=progress)
    _say(folder, found, f"its scores do not come out again (tolerance {found.tolerance:g})")


@click.command("reproduce")
@click.argument("folder", metavar="SUBMISSION", type=click.Path(path_type=Path, file_okay=False))
@click.argument("run", metavar="RUN_DIR", type=click.Path(path_type=Path, file_okay=False))
@signed
def reproduce(folder: Path, run: Path, who: str, date: str | None) -> None:
    """Compare SUBMISSION with your own run of the same model in RUN_DIR, and write an attestation into it."""
    from magbench.analysis.sources import read_folder
    from magbench.leaderboard.attestation import begin
    from magbench.leaderboard.runs_again import judge_same
    from magbench.leaderboard.submission import read_submission

    submission = read_submission(folder)
    begun = begin(submission, "reproduced", who, date or today())
    _say(folder, judge_same(submission, begun, read_folder(run, submission.about.model)))


@click.command("fresh")
@click.argument("folder", metavar="SUBMISSION", type=click.Path(path_type=Path, file_okay=False))
@click.option("--number", required=True, metavar="TEXT", help="A public random number of a day after the submission.")
@click.option("--n", type=click.IntRange(2), default=42, show_default=True, help="Clips to draw.")
@click.option("--model", metavar="MODEL", help="How the model is reached here [default: its submitted name].")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for the clips and the run [default: runs/fresh-MODEL].",
)
@signed
def fresh(folder: Path, number: str, n: int, model: str | None, out: Path | None, who: str, date: str | None) -> None:
    """Draw new clips, run the model of SUBMISSION on them, and say whether its score holds there.

    The clips follow from the submission's content and from --number, which nobody knew when it was made: what knew the
    published clips is of no use there.
    """
    from magbench import api
    from magbench.analysis.sources import read_folder
    from magbench.leaderboard.attestation import begin
    from magbench.leaderboard.runs_again import draw, judge_fresh, write_fresh
    from magbench.leaderboard.submission import read_submission
    from magbench.suites.registry import embedded_named

    submission = read_submission(folder)
    begun = begin(submission, "fresh", who, date or today())
    suite = embedded_named(submission.run.suite)
    chosen = draw(submission, suite, number, n)
    root = out or Path("runs") / f"fresh-{folder.parent.name}"
    write_fresh(submission, suite, chosen, root / "suite")
    api.evaluate([model or submission.about.model], root / "suite", out=root / "run")
    drawn = f"{submission.name} and '{number}': {', '.join(map(str, chosen))}"
    _say(folder, judge_fresh(submission, begun, read_folder(root / "run"), drawn))


def _say(folder: Path, found: Attestation, otherwise: str = "its score does not hold") -> None:
    """Print what was found; an error where the submission does not stand."""
    say(f"{folder}: {found.found}")
    if not found.verdict:
        raise MagbenchError(f"{folder}: {otherwise}")


@click.command("notice")
@click.argument("folder", metavar="SUBMISSION", type=click.Path(path_type=Path, file_okay=False))
@click.option("--status", required=True, type=click.Choice(["withdrawn", "superseded", "quarantined"]))
@click.option("--reason", required=True, metavar="TEXT", help="In a sentence.")
@click.option("--by", "successor", default="", metavar="MODEL/REVISION-DATE", help="The submission that supersedes it.")
@signed
def notice(folder: Path, status: str, reason: str, successor: str, who: str, date: str | None) -> None:
    """Write down what became of SUBMISSION: it stays on the board, with the reason, and without a rank."""
    from magbench.leaderboard.submission import NOTICE, write_notice

    told = {"status": status, "reason": reason, "who": who, "date": date or today(), "superseded_by": successor}
    write_notice(folder, told)
    click.echo(f"{folder / NOTICE}")
