"""`magbench board publish` and `magbench board card`: results on the hub."""

from __future__ import annotations

from pathlib import Path

import click

from magbench.commands.board.options import PUBLISHED, SUBMISSIONS, references, trusted
from magbench.commands.console import say
from magbench.core.errors import MagbenchError

HUB = "Needs a token that may write: `hf auth login`, or HF_TOKEN. HF_ENDPOINT names another hub."


@click.command("publish", epilog=HUB)
@click.argument("root", default=SUBMISSIONS, type=click.Path(path_type=Path, file_okay=False))
@click.option("--hub", "name", required=True, metavar="ORG/NAME", help="The data set and the space.")
@click.option("--pr", "pull", is_flag=True, help="Offer it as pull requests instead of committing.")
@click.option(
    "--page",
    type=click.Path(path_type=Path, file_okay=False),
    default=PUBLISHED / "page",
    show_default=True,
    metavar="DIR",
    help="What `magbench board build` made of ROOT.",
)
@references
def publish(root: Path, name: str, pull: bool, page: Path, runs: tuple[Path, ...]) -> None:
    """Put all submissions below ROOT and their page on the hub.

    The submissions become a data set, the page a static space. What is there already is not sent again: stopped, the
    same command goes on. A submission that is there is never changed.
    """
    from magbench.hub.client import KINDS
    from magbench.leaderboard.build import build
    from magbench.leaderboard.sharing.publish import check_page
    from magbench.leaderboard.sharing.publish import publish as push

    unread: list[str] = []
    boards = build(root, trusted(runs), unread.append)
    if unread:
        raise MagbenchError(f"{len(unread)} submissions cannot be used, nothing is published; first: {unread[0]}")
    check_page(page, boards)
    for branch in push(root, page, name, pull):
        done = f"{branch.changed} files changed" if branch.changed else "unchanged"
        say(f"{KINDS[branch.kind]}: {done}, commit {branch.head[:12]}: {branch.address}")


@click.command("card", epilog=HUB)
@click.argument("folder", metavar="SUBMISSION", type=click.Path(path_type=Path, file_okay=False))
@click.option("--board", "name", required=True, metavar="ORG/NAME", help="The board's data set on the hub.")
@click.option("--hub", "model", metavar="ORG/MODEL", help="Offer it as a pull request to this model.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("card"),
    show_default=True,
    metavar="DIR",
    help="Where it is written.",
)
@references
def card(folder: Path, name: str, model: str | None, out: Path, runs: tuple[Path, ...]) -> None:
    """Write what says SUBMISSION's result elsewhere: the model's card, and a record for Every Eval Ever.

    Only of a row that somebody has scored again. Run it in a clone of the board, which says whether it is one.
    """
    from magbench.leaderboard.build import build
    from magbench.leaderboard.sharing.card import EVAL_RESULTS, offer_card, write_card
    from magbench.leaderboard.sharing.every_eval_ever import write_log
    from magbench.leaderboard.sharing.layout import README
    from magbench.leaderboard.sharing.result import result_of

    result = result_of(folder, build(folder.resolve().parents[2], trusted(runs)), name)
    branch = None
    if model is None:
        write_card(result, out)
    else:
        branch = offer_card(result, model, out)
    for path in (out / EVAL_RESULTS, out / README, write_log(result, model, out)):
        say(path)
    if branch is not None:
        done = f"{branch.changed} files changed" if branch.changed else "unchanged"
        say(f"{branch.address}: {done}, commit {branch.head[:12]}")
