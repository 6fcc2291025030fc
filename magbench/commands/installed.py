"""`magbench ls` and `magbench doctor`: what is installed, and what is missing."""

from __future__ import annotations

import click

from magbench.core.errors import MagbenchError


@click.command("ls")
@click.argument("what", type=click.Choice(["models", "suites", "policies", "metrics"]))
def ls(what: str) -> None:
    """List what is installed, one line each."""
    from magbench.commands import console, listing

    console.print_lines(listing.LISTS[what]())


@click.command()
def doctor() -> None:
    """What is installed, what is missing, what to type."""
    from magbench.commands import console
    from magbench.commands.doctor import examine

    wrong = 0
    for finding in examine():
        console.print_finding(finding)
        wrong += not finding.ok
    if wrong:
        raise MagbenchError(f"{wrong} of the checks above did not pass")
