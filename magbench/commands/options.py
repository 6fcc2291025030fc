"""Arguments and options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from magbench.core.errors import MagbenchError

if TYPE_CHECKING:
    from magbench.runs.failures import Failure

DEFAULT_SUITE = "revisit-nano"

Command = Callable[..., Any]


def names(_: click.Context, __: click.Parameter, value: str | None) -> list[str] | None:
    """Read ``a,b`` as ["a", "b"]; repeats are dropped."""
    if value is None:
        return None
    if value.rstrip().endswith(","):
        raise click.BadParameter(f"'{value}' ends with a comma: names are written without spaces, as a,b")
    found = list(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    if not found:
        raise click.BadParameter("no name given")
    return found


def numbers(_: click.Context, __: click.Parameter, value: str | None) -> list[int] | None:
    """Read ``10,20`` as [10, 20]."""
    if value is None:
        return None
    try:
        found = sorted({int(part) for part in value.split(",")})
    except ValueError:
        raise click.BadParameter(f"'{value}' is not a list of whole numbers") from None
    if found[0] < 0:
        raise click.BadParameter(f"{found[0]} is negative")
    return found


def width_height(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Read ``832x480`` as (480, 832), height first."""
    if value is None:
        return None
    width, _cross, height = value.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise click.BadParameter(f"'{value}' is not WIDTHxHEIGHT, as 832x480 is")
    return int(height), int(width)


def pairs(_: click.Context, __: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """Read ["a=x", "b=y"] as {"a": "x", "b": "y"}."""
    found = {}
    for value in values:
        key, _equals, text = value.partition("=")
        if not key or not text:
            raise click.BadParameter(f"'{value}' is not PART=PATH")
        found[key] = text
    return found


def share_of(_: click.Context, __: click.Parameter, value: str) -> str:
    """Check that ``3/64`` is a share."""
    from magbench.core.shard import Shard

    try:
        return str(Shard.parse(value))
    except MagbenchError as error:
        raise click.BadParameter(str(error)) from None


def suite_argument(command: Command) -> Command:
    """Add SUITE, which may also be given as --suite SUITE."""

    @click.argument("suite", required=False)
    @click.option("--suite", "named", metavar="SUITE", help=f"The same as the argument [default: {DEFAULT_SUITE}].")
    @wraps(command)
    def with_suite(*args: Any, suite: str | None, named: str | None, **options: Any) -> Any:
        if suite and named:
            raise click.UsageError(f"SUITE is given twice: {suite}, --suite {named}")
        return command(*args, suite=suite or named or DEFAULT_SUITE, **options)

    return with_suite


def run_options(command: Command, models: str = "Also references [default: all].") -> Command:
    """Add SUITE, --models, --out, --limit and --seeds to a command."""
    options = (
        suite_argument,
        click.option("--models", callback=names, metavar="A,B,...", help=models),
        out_option("Results folder [default: runs/SUITE]."),
        click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the suite's first N clips."),
        click.option(
            "--seeds",
            type=click.IntRange(1),
            default=1,
            metavar="K",
            show_default=True,
            help="Samples a clip.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


threads_option = click.option(
    "--threads",
    type=click.IntRange(1),
    metavar="N",
    help="Processor threads of a model [default: what it asks for; nano: 1].",
)
workers_option = click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="Processes that score [default: by the work and the cores]."
)


isolate_option = click.option(
    "--isolate", is_flag=True, help="Each model in a process of its own: if it crashes, the others go on."
)


shard_option = click.option(
    "--shard",
    default="1/1",
    callback=share_of,
    metavar="I/N",
    help="Only share I of N: N machines fill one folder, `magbench run` collects (docs/scale.md).",
)


def ray_options(command: Command) -> Command:
    """Add --ray and --gpus-per-model to a command."""
    where = "Make and score on a Ray cluster: its address, or local for all cores of this machine (docs/scale.md)."
    cards = "With --ray: cards for each model [default: 1 where the cluster has any]."
    gpus = click.option("--gpus-per-model", type=click.IntRange(0), metavar="N", help=cards)
    return click.option("--ray", metavar="ADDRESS", help=where)(gpus(command))


def out_option(text: str) -> Callable[[Command], Command]:
    """Add --out, a folder for results."""
    return click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help=text)


def finish_run(failures: Sequence[Failure], models: Sequence[str] | None) -> None:
    """:func:`finish`; where no model was asked for by name, those that the clips do not fit are only skipped."""
    from magbench.runs.failures import set_unfit_apart

    skipped, others = set_unfit_apart(failures) if models is None else ([], failures)
    finish(others, skipped)


def finish(failures: Sequence[object], skipped: Sequence[str] = ()) -> None:
    """Print one line for each that was skipped or failed, and end with exit code 1 if any failed."""
    for line in skipped:
        click.echo(f"skipped: {line}", err=True)
    for failure in failures:
        click.echo(f"failed: {failure}", err=True)
    if failures:
        raise MagbenchError(f"{len(failures)} failed, the rest is done; the same command tries them again")
