"""`magbench submit` and `magbench board`: from a finished run to a row on a board that others can check."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from magbench.commands.console import say
from magbench.core.errors import MagbenchError

if TYPE_CHECKING:
    from magbench.leaderboard.attestation import Attestation
    from magbench.runs.records import Record

PUBLISHED = Path("leaderboards")
SUBMISSIONS = PUBLISHED / "submissions"
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
def submit(folder: Path, model: str, told: Path | None, to: Path, date: str | None, hub: str | None) -> None:
    """Make a submission of one model of the finished run in RUN_DIR, and check it.

    A submission holds records, hashes and (where small) the videos, and who made what; never a table. With --hub,
    stopped, the same command goes on; it needs a token (`hf auth login`, or HF_TOKEN).
    """
    from magbench.core.parsing import read_yaml_object
    from magbench.leaderboard.check import check
    from magbench.leaderboard.sharing.offer import Offer
    from magbench.leaderboard.submit import prepare, write

    known: dict[str, Any] = {"date": date or _today()}
    if told is not None:
        known |= read_yaml_object(told)
    elif sys.stdin.isatty():
        known |= {key: click.prompt(question) for key, question in QUESTIONS.items()}
    ready = prepare(folder, model, known)
    offer = None if hub is None else Offer.begin(ready, hub)
    target = write(ready, to) if offer is None else ready.there(to) or write(ready, to, offer.videos)
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


def _today() -> str:
    return datetime.now(timezone.utc).date().isoformat()


@click.group()
def board() -> None:
    """Check submissions, score them again, and build the board."""


def _references(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--references",
        "runs",
        type=click.Path(path_type=Path, dir_okay=False),
        multiple=True,
        metavar="RECORDS.parquet",
        help="A run that the board trusts, for its references and clips [default: leaderboards/*/records.parquet].",
    )(command)


def _trusted(runs: Sequence[Path]) -> list[Record]:
    """The records of the runs that are given, else of those that are published here."""
    from magbench.runs.records import read_parquet

    return [record for path in runs or sorted(PUBLISHED.glob("*/records.parquet")) for record in read_parquet(path)]


@board.command("check")
@click.argument("submissions", nargs=-1, type=click.Path(path_type=Path, file_okay=False))
@_references
def board_check(submissions: tuple[Path, ...], runs: tuple[Path, ...]) -> None:
    """Check submissions, or all below leaderboards/submissions; runs nothing of them.

    One line a finding: severity, file, what is wrong. Exit code 1 if there is an error.
    """
    from magbench.leaderboard.check import check_all
    from magbench.leaderboard.submission import find_submissions

    roots = submissions or (SUBMISSIONS,)
    folders = [folder for root in roots for folder in find_submissions(root)]
    if not folders:
        raise MagbenchError(f"{', '.join(map(str, roots))}: holds no submission")
    own = _trusted(runs)
    if not own:
        click.echo("warning: no --references: nothing is held against a run of the board's own", err=True)
    bad = 0
    for checked in check_all(folders, own):
        bad += not checked.passes
        say(f"{'ok  ' if checked.passes else 'FAIL'} {checked.folder}")
        for fault in checked.faults:
            say(f"     {fault}")
    if bad:
        raise MagbenchError(f"{bad} of {len(folders)} submissions have errors")


def _signed(command: Callable[..., None]) -> Callable[..., None]:
    """Add --who and --date."""
    who = click.option("--who", required=True, metavar="NAME", help="In whose name.")
    return who(click.option("--date", metavar="YYYY-MM-DD", help="[default: today]")(command))


@board.command("rescore")
@click.argument("folder", metavar="SUBMISSION", type=click.Path(path_type=Path, file_okay=False))
@_signed
def board_rescore(folder: Path, who: str, date: str | None) -> None:
    """Score every video of SUBMISSION again, compare, and write an attestation into it."""
    from magbench import api
    from magbench.leaderboard.rescore import rescore
    from magbench.leaderboard.submission import read_submission
    from magbench.render.progress import ProgressBar

    run = read_submission(folder).run
    name = run.suite if run.split == "test" else f"{run.suite}:{run.split}"
    with ProgressBar() as progress:
        found: Any = rescore(folder, api.load_suite(name), who, date or _today(), progress=progress.named("rescore"))
    say(f"{folder}: {found.found}")
    if not found.verdict:
        raise MagbenchError(f"{folder}: its scores do not come out again (tolerance {found.tolerance:g})")


@board.command("reproduce")
@click.argument("folder", metavar="SUBMISSION", type=click.Path(path_type=Path, file_okay=False))
@click.argument("run", metavar="RUN_DIR", type=click.Path(path_type=Path, file_okay=False))
@_signed
def board_reproduce(folder: Path, run: Path, who: str, date: str | None) -> None:
    """Compare SUBMISSION with your own run of the same model in RUN_DIR, and write an attestation into it."""
    from magbench.analysis.sources import read_folder
    from magbench.leaderboard.attestation import begin
    from magbench.leaderboard.runs_again import judge_same
    from magbench.leaderboard.submission import read_submission

    submission = read_submission(folder)
    begun = begin(submission, "reproduced", who, date or _today())
    _said(folder, judge_same(submission, begun, read_folder(run, submission.about.model)))


@board.command("fresh")
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
@_signed
def board_fresh(
    folder: Path, number: str, n: int, model: str | None, out: Path | None, who: str, date: str | None
) -> None:
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
    begun = begin(submission, "fresh", who, date or _today())
    suite = embedded_named(submission.run.suite)
    chosen = draw(submission, suite, number, n)
    root = out or Path("runs") / f"fresh-{folder.parent.name}"
    write_fresh(submission, suite, chosen, root / "suite")
    api.evaluate([model or submission.about.model], root / "suite", out=root / "run")
    drawn = f"{submission.name} and '{number}': {', '.join(map(str, chosen))}"
    _said(folder, judge_fresh(submission, begun, read_folder(root / "run"), drawn))


def _said(folder: Path, found: Attestation) -> None:
    say(f"{folder}: {found.found}")
    if not found.verdict:
        raise MagbenchError(f"{folder}: its score does not hold")


@board.command("notice")
@click.argument("folder", metavar="SUBMISSION", type=click.Path(path_type=Path, file_okay=False))
@click.option("--status", required=True, type=click.Choice(["withdrawn", "superseded", "quarantined"]))
@click.option("--reason", required=True, metavar="TEXT", help="In a sentence.")
@click.option("--by", "successor", default="", metavar="MODEL/REVISION-DATE", help="The submission that supersedes it.")
@_signed
def board_notice(folder: Path, status: str, reason: str, successor: str, who: str, date: str | None) -> None:
    """Write down what became of SUBMISSION: it stays on the board, with the reason, and without a rank."""
    from magbench.leaderboard.submission import NOTICE, write_notice

    told = {"status": status, "reason": reason, "who": who, "date": date or _today(), "superseded_by": successor}
    write_notice(folder, told)
    click.echo(f"{folder / NOTICE}")


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
@click.option(
    "--clips",
    "count",
    type=click.IntRange(0),
    default=4,
    show_default=True,
    metavar="N",
    help="For how many clips a player is written.",
)
@click.option(
    "--suite",
    "suites",
    multiple=True,
    metavar="SUITE",
    help="Where the truth of a board's players is, if its suite is not one that is drawn here.",
)
@_references
def board_build(root: Path, out: Path, count: int, suites: tuple[str, ...], runs: tuple[Path, ...]) -> None:
    """Build the boards of all submissions below ROOT: one page, a page a model, players, and board.json."""
    from magbench.leaderboard.build import RANKED, build
    from magbench.leaderboard.page import write_page
    from magbench.leaderboard.papers import read_papers
    from magbench.leaderboard.watch import player_note, players

    unread: list[str] = []
    boards = build(root, _trusted(runs), unread.append)
    clips, papers = players(boards, suites, count, unread.append), read_papers(PUBLISHED / "papers")
    page = write_page(boards, out, clips, player_note(boards, count), papers)
    for built in boards:
        trusts = [entry.trust for entry in built.entries]
        counts = (f"{trusts.count(trust)} {trust}" for trust in (*RANKED, "reported", "quarantined"))
        say(f"{built.name}: {', '.join(counts)}")
    click.echo(f"{page}")
    for line in unread:
        say(f"left out: {line}", err=True)
    if unread:
        raise MagbenchError(f"{len(unread)} submissions were left out, the board is made of the others")


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
