"""`magbench board`: checking and building here, the other commands in the files beside."""

from __future__ import annotations

from pathlib import Path

import click

from magbench.commands.board import hub, renewal, trust
from magbench.commands.board.options import EARLIER, PAGE, PUBLISHED, SUBMISSIONS, references, trusted
from magbench.commands.console import say
from magbench.core.errors import MagbenchError


@click.group()
def board() -> None:
    """Check submissions, score them again, and build the board."""


for command in (trust.rescore, trust.reproduce, trust.fresh, trust.notice, renewal.renew, hub.publish, hub.card):
    board.add_command(command)


@board.command("check")
@click.argument("submissions", nargs=-1, type=click.Path(path_type=Path, file_okay=False))
@references
def check(submissions: tuple[Path, ...], runs: tuple[Path, ...]) -> None:
    """Check submissions, or all below leaderboards/submissions; runs nothing of them.

    One line a finding: severity, file, what is wrong. Exit code 1 if there is an error.
    """
    from magbench.leaderboard.check import check_all
    from magbench.leaderboard.submission import find_submissions

    roots = submissions or (SUBMISSIONS,)
    folders = [folder for root in roots for folder in find_submissions(root)]
    if not folders:
        raise MagbenchError(f"{', '.join(map(str, roots))}: holds no submission")
    own = trusted(runs)
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


@board.command("build")
@click.argument("root", default=SUBMISSIONS, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=PAGE,
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
@references
def build(root: Path, out: Path, count: int, suites: tuple[str, ...], runs: tuple[Path, ...]) -> None:
    """Build the boards of all submissions below ROOT: one page, a page a model, players, and board.json."""
    from magbench.leaderboard.build import RANKED
    from magbench.leaderboard.build import build as build_boards
    from magbench.leaderboard.earlier import earlier_boards, read_earlier
    from magbench.leaderboard.page import write_page
    from magbench.leaderboard.papers import paper_board, read_papers
    from magbench.leaderboard.watch import player_note, players

    unread: list[str] = []
    boards = build_boards(root, trusted(runs), unread.append)
    clips = players(boards, suites, count, unread.append)
    others = [board for kept in read_earlier(EARLIER) for board in earlier_boards(kept)]
    others += [paper_board(papers) for papers in read_papers(PUBLISHED / "papers")]
    page = write_page(boards, out, clips, player_note(boards, count), others)
    for built in boards:
        trusts = [entry.trust for entry in built.entries]
        counts = (f"{trusts.count(trust)} {trust}" for trust in (*RANKED, "reported", "quarantined"))
        say(f"{built.name}: {', '.join(counts)}")
    click.echo(f"{page}")
    for line in unread:
        say(f"left out: {line}", err=True)
    if unread:
        raise MagbenchError(f"{len(unread)} submissions were left out, the board is made of the others")
