"""`magbench board publish`: the board on the hub."""

from __future__ import annotations

from pathlib import Path

import click

from magbench.commands.board import SUBMISSIONS, board, build_page, page_option, references

HUB = "Needs a token that may write: `hf auth login`, or HF_TOKEN. HF_ENDPOINT names another hub."


@board.command("publish", epilog=HUB)
@click.argument("root", default=SUBMISSIONS, type=click.Path(path_type=Path, file_okay=False))
@click.option("--hub", "name", required=True, metavar="ORG/NAME", help="The data set and the space.")
@click.option("--pr", "pull", is_flag=True, help="Offer it as pull requests instead of committing.")
@page_option
@references
def board_publish(root: Path, name: str, pull: bool, out: Path, runs: tuple[Path, ...]) -> None:
    """Build the page of all submissions below ROOT, and put both on the hub.

    The submissions become a data set, the page a static space. What is there already is not sent again: stopped, the
    same command goes on. A submission that is there is never changed.
    """
    from magbench.hub.client import KINDS
    from magbench.leaderboard.sharing.publish import publish

    page = build_page(root, out, runs)
    for branch in publish(root, page.parent, name, pull):
        done = f"{branch.changed} files changed" if branch.changed else "unchanged"
        click.echo(f"{KINDS[branch.kind]}: {done}, commit {branch.listing.revision[:12]}: {branch.address}")
