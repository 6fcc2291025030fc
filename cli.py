"""The `magbench` command: arguments, help, exit codes. What a command does is imported when it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from magbench import __version__
from magbench.core.errors import MagbenchError, unknown

DEFAULT_SUITE = "revisit-nano"


class Commands(click.Group):
    """A group that turns what a user can mend into one line on stderr, and an interruption into advice."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MagbenchError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            click.echo("interrupted: finished work is kept, the same command goes on from there", err=True)
            ctx.exit(130)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="magbench")
def main() -> None:
    """Does a video model still know the place when the camera comes back, and what does that cost?

    Start with `magbench run`: a few minutes on a laptop, then look at runs/revisit-nano.
    """


def names(_: click.Context, __: click.Parameter, value: str | None) -> list[str] | None:
    """`a,b` -> ["a", "b"]; repeats are dropped."""
    if value is None:
        return None
    found = list(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    if not found:
        raise click.BadParameter("no name given")
    return found


def numbers(_: click.Context, __: click.Parameter, value: str | None) -> list[int] | None:
    """`10,20` -> [10, 20]."""
    if value is None:
        return None
    try:
        found = sorted({int(part) for part in value.split(",")})
    except ValueError:
        raise click.BadParameter(f"'{value}' is not a list of whole numbers") from None
    if found[0] < 0:
        raise click.BadParameter(f"{found[0]} is negative")
    return found


def height_width(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """`480x832` -> (480, 832)."""
    return None if value is None else sides(value, "HEIGHTxWIDTH, as 480x832 is")


def width_height(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """`832x480` -> (480, 832), height first."""
    if value is None:
        return None
    width, height = sides(value, "WIDTHxHEIGHT, as 832x480 is")
    return height, width


def sides(value: str, form: str) -> tuple[int, int]:
    """`480x832` -> (480, 832)."""
    first, _cross, second = value.partition("x")
    if not (first.isdecimal() and second.isdecimal() and int(first) and int(second)):
        raise click.BadParameter(f"'{value}' is not {form}")
    return int(first), int(second)


def pairs(_: click.Context, __: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """["a=x", "b=y"] -> {"a": "x", "b": "y"}."""
    found = {}
    for value in values:
        key, _equals, text = value.partition("=")
        if not key or not text:
            raise click.BadParameter(f"'{value}' is not PART=PATH")
        found[key] = text
    return found


def default_out(suite: str) -> Path:
    """runs/<suite>, for a folder its name."""
    return Path("runs") / Path(suite).name.replace(":", "-")


Command = Callable[..., Any]


def run_options(command: Command, models: str = "Also references [default: all].") -> Command:
    """SUITE, --models, --out, --limit, --seeds."""
    options = (
        click.argument("suite", default=DEFAULT_SUITE),
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


workers_option = click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="Processes that score [default: by the work and the cores]."
)


def out_option(text: str) -> Callable[[Command], Command]:
    return click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help=text)


@main.command()
@run_options
@workers_option
def run(
    suite: str, models: list[str] | None, out: Path | None, limit: int | None, seeds: int, workers: int | None
) -> None:
    """Generate, then score, then report. Stopped, the same command goes on where it was.

    SUITE is a name (see `magbench ls suites`), NAME:SPLIT, mag-bench:DIR, or a suite's folder.
    """
    from magbench.commands import steps

    finish(steps.run(suite, models, out or default_out(suite), limit=limit, seeds=seeds, workers=workers))


@main.command()
@run_options
def generate(suite: str, models: list[str] | None, out: Path | None, limit: int | None, seeds: int) -> None:
    """Only make the videos."""
    from magbench.commands import steps

    finish(steps.only_generate(suite, models, out or default_out(suite), limit=limit, seeds=seeds))


@main.command()
@click.argument("suite", required=False)
@click.option("--suite", "named", metavar="SUITE", help=f"The same as the argument [default: {DEFAULT_SUITE}].")
@click.option(
    "--videos",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Finished videos, made anywhere: one entry per clip, CLIP.mp4, .mkv, .webm, .npz or a folder of PNGs.",
)
@click.option("--model", metavar="NAME", help="What to call the model that made the videos.")
@out_option("Results folder [default: runs/SUITE].")
@workers_option
def score(
    suite: str | None,
    named: str | None,
    videos: Path | None,
    model: str | None,
    out: Path | None,
    workers: int | None,
) -> None:
    """Only score the videos that are there; with --videos, those of a folder, and report.

    Scores that are up to date are left alone.
    """
    from magbench.commands import steps

    if suite and named:
        raise click.UsageError(f"SUITE is given twice: {suite}, --suite {named}")
    if (videos is None) != (model is None):
        raise click.UsageError("--videos and --model go together")
    suite = suite or named or DEFAULT_SUITE
    folder = out or default_out(suite)
    if videos is None or model is None:
        finish(steps.only_score(suite, folder, workers=workers))
    else:
        finish(steps.score_videos(suite, videos, model, folder, workers=workers))


@main.command()
@click.argument("suite", default=DEFAULT_SUITE)
@out_option("Results folder [default: runs/SUITE].")
def report(suite: str, out: Path | None) -> None:
    """Only make tables, plots and contact sheet from the scores."""
    from magbench.commands import steps
    from magbench.suites.registry import open_suite

    steps.show_report(open_suite(suite), out or default_out(suite))


def finish(failures: Sequence[object]) -> None:
    """One line a failure, and exit code 1 if there is any."""
    for failure in failures:
        click.echo(f"failed: {failure}", err=True)
    if failures:
        raise MagbenchError(f"{len(failures)} failed, the rest is done; the same command tries them again")


@main.command("ls")
@click.argument("what", type=click.Choice(["models", "suites", "policies", "metrics"]))
def ls(what: str) -> None:
    """List what is installed, one line each."""
    from magbench.commands import console, listing

    console.print_lines(listing.LISTS[what]())


@main.group()
def suite() -> None:
    """Write a suite to disk, make or fetch one, or check one."""


@suite.command("make")
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--split", default="test", show_default=True, help="Which scenes: test or dev.")
def suite_make(name: str, folder: Path, split: str) -> None:
    """Write the embedded suite NAME to FOLDER."""
    from magbench.commands import steps

    steps.make(name, folder, split)


@suite.command("mirror")
@click.argument("videos", type=click.Path(path_type=Path, file_okay=False))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--frames", type=click.IntRange(3), default=105, show_default=True, help="Of a clip: odd, turn once.")
@click.option("--gap", type=click.IntRange(0), metavar="N", help="Frames of the way back that are given.")
@click.option("--fps", type=click.IntRange(1), metavar="N", help="Take frames at this rate [default: the videos'].")
@click.option("--size", callback=height_width, metavar="HxW", help="Cut and shrink to this [default: the videos'].")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N videos by name.")
@click.option("--window", type=click.IntRange(1), default=81, show_default=True, help="Frames that a window sees.")
@click.option("--track", type=float, metavar="STEP", help="Give a pose: STEP view widths a frame [default: none].")
@click.option("--name", help="Of the suite [default: FOLDER's].")
@click.option("--licence", default="not stated", show_default=True, help="Of the videos, for those who read the suite.")
def suite_mirror(
    videos: Path,
    folder: Path,
    frames: int,
    gap: int | None,
    fps: int | None,
    size: tuple[int, int] | None,
    limit: int | None,
    window: int,
    track: float | None,
    name: str | None,
    licence: str,
) -> None:
    """Make leave-and-return clips of the videos in VIDEOS, and write the suite to FOLDER.

    A clip is the beginning of a video and then the same frames backwards. The model is given the way out and --gap
    frames of the way back: by default as many as the official protocol gives, three quarters of the clip.
    """
    from magbench.commands import steps
    from magbench.suites.mirror import Mirroring

    how = Mirroring(frames=frames, gap=gap, fps=fps, size=size, limit=limit, window=window, track=track)
    steps.mirror(videos, folder, how, name or folder.name, licence)


@suite.command("fetch")
@click.argument("name", type=click.Choice(["mag-bench"]))
@click.option("--revision", help="Commit, tag or branch, resolved once [default: main, or what is there].")
@click.option("--csv", metavar="PATH", help="The table's path in the repository [default: found by its columns].")
@click.option("--videos", metavar="PATH", help="The repository's folder in which video_path starts [default: found].")
def suite_fetch(name: str, revision: str | None, csv: str | None, videos: str | None) -> None:
    """Fetch the official data set NAME from its hub; stopped, the same command goes on.

    Afterwards it is checked and needs no network. HF_ENDPOINT names another hub.
    """
    from magbench.commands import steps

    steps.fetch_official(revision, csv, videos)


@suite.command("check")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def suite_check(folder: Path) -> None:
    """Check every file of the suite in FOLDER: names, columns, sizes, sha256."""
    from magbench.commands import steps

    steps.check(folder)


@main.command()
@click.argument("stage", type=click.Choice(["base", "memory", "joint"]))
@click.option("--preset", default="nano", show_default=True, help="Sizes of the model.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", required=True)
@click.option("--steps", type=click.IntRange(1), metavar="N", help="Stop after N steps.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), metavar="M", help="Stop after M minutes.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Processor threads.")
def train(
    stage: str,
    preset: str,
    out: Path,
    steps: int | None,
    minutes: float | None,
    seed: int,
    threads: int | None,
) -> None:
    """Train one STAGE of the model: base, then memory, then joint. Stopped, the same command goes on."""
    from mag_model.nano.presets import PRESETS
    from mag_model.training import loop as training
    from magbench.commands.steps import train as follow

    if preset not in PRESETS:
        raise unknown("preset", preset, PRESETS)
    start = partial(training.train, stage, preset, out, steps=steps, minutes=minutes, seed=seed, threads=threads)
    follow(start, stage, out)


@main.command()
@click.argument("models", callback=names, metavar="MODEL[,MODEL...]")
@click.option(
    "--history",
    callback=numbers,
    metavar="N[,N...]",
    help="Blocks of history [default: 10,20,40,80,160,320]; for wan: models latent frames [default: 21,60,120,240].",
)
@click.option("--slope-from", default=40, show_default=True, metavar="N", help="Fit slopes to histories >= N.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Walks over the whole list.")
@click.option("--resolution", callback=width_height, metavar="WxH", help="Of wan: models [default: 832x480].")
@click.option("--decode", is_flag=True, help="Of wan: models also the frames a second with decoding.")
@out_option("Results folder [default: runs/profile].")
def profile(
    models: list[str],
    history: list[int] | None,
    slope_from: int,
    rounds: int,
    resolution: tuple[int, int] | None,
    decode: bool,
    out: Path | None,
) -> None:
    """Time and memory of a block against history.

    Seconds a block, FPS, bytes; slopes, and their ratio to the first MODEL's. Of wan: models also operations a second,
    against a matrix product, and beside each figure what sizes alone predict; without a GPU at reduced sizes.

    With --out set to a run's folder, the next `magbench report` draws this beside the run's own latency.
    """
    from magbench.commands import steps

    folder = out or Path("runs/profile")
    steps.profile(
        models,
        history,
        slope_from=slope_from,
        rounds=rounds,
        resolution=resolution,
        decode=decode,
        out=folder,
    )


@main.group()
def weights() -> None:
    """Published weights of Wan2.1 and of the checkpoints built on it."""


@weights.command("ls")
@click.argument("name", required=False)
def weights_ls(name: str | None) -> None:
    """The known checkpoints: what is here, what would be fetched, licence, repository.

    Of checkpoint NAME every file: commit, size and sha256.
    """
    from mag_model.wan.weights import listing
    from magbench.commands import console

    if name is None:
        console.print_lines(listing.rows())
    else:
        click.echo(listing.licence(name))
        console.print_lines(listing.files(name))


@weights.command("fetch")
@click.argument("name")
@click.option("--only", callback=names, metavar="PART,...", help="Parts, see `magbench weights ls` [default: all].")
@click.option(
    "--part",
    "places",
    multiple=True,
    callback=pairs,
    metavar="PART=PATH",
    help="Where a part is in the repository, a folder or a file, if not where it is known to be.",
)
@click.option("--revision", default="", metavar="REV", help="Branch, tag or commit [default: as locked, else pinned].")
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="A folder with the repository's files, instead of the hub.",
)
@click.option("--accept-licence", is_flag=True, help="You accept the terms of the licence that is shown.")
def weights_fetch(
    name: str,
    only: list[str] | None,
    places: dict[str, str],
    revision: str,
    folder: Path | None,
    accept_licence: bool,
) -> None:
    """Fetch checkpoint NAME once, as safetensors. Stopped, the same command goes on. HF_ENDPOINT names another hub."""
    from mag_model.wan.weights import listing, store
    from magbench.commands.console import ConsoleProgress

    request = store.Request(tuple(only or ()), places, folder, revision, accept_licence)
    click.echo(listing.licence(name), err=True)
    with ConsoleProgress() as progress:
        lines = store.fetch(name, request, progress)
    for line in (*lines, *listing.still_missing(name)):
        click.echo(line)


@weights.command("check")
@click.argument("name")
def weights_check(name: str) -> None:
    """Check every byte and every tensor of checkpoint NAME."""
    from mag_model.wan.weights import listing
    from magbench.commands import console

    wrong = 0
    for finding in listing.findings(name):
        console.print_finding(finding)
        wrong += not finding.ok
    if wrong:
        raise MagbenchError(f"{wrong} of the parts above did not pass")


@main.command()
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


@main.command("history-effect")
@partial(run_options, models="[default: all]")
def history_effect(suite: str, models: list[str] | None, out: Path | None, limit: int | None, seeds: int) -> None:
    """Does the return follow what was seen long ago?

    The same clips again, their far history swapped for another scene's: how far each model's return moves towards that
    scene. Models only; --out is a run's folder, whose own videos are used (and made where missing).
    """
    from magbench.commands import steps

    finish(steps.history_effect(suite, models, out or default_out(suite), limit=limit, seeds=seeds))


@main.command()
@click.argument("folder", metavar="RUN_DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--models", callback=names, metavar="A,B,...", help="Also references [default: every model].")
@click.option("--dimensions", callback=names, metavar="D,E,...", help="See docs/quality.md [default: all seven].")
@click.option("--program", default="vbench", show_default=True, metavar="PATH", help="VBench's own command.")
@click.option(
    "--timeout", type=click.FloatRange(0, min_open=True), default=240, show_default=True, metavar="MINUTES",
    help="For one dimension.",
)  # fmt: skip
def vbench(folder: Path, models: list[str] | None, dimensions: list[str] | None, program: str, timeout: float) -> None:
    """Have VBench judge the videos of a scored run.

    VBench needs an environment of its own, with a GPU. Values join the run's scores; the next `magbench report` shows
    them.
    """
    from magbench.commands import steps

    finish(steps.vbench(folder, models, dimensions, program, timeout * 60))


@main.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option(
    "--run", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("runs") / DEFAULT_SUITE,
    show_default=True, metavar="DIR", help="Folder of the run that holds both.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Every score that there is, not only the main ones.")
def compare(a: str, b: str, folder: Path, everything: bool) -> None:
    """Is model A better than model B?

    On the same clips and seeds: the mean difference of each score with its 95 % interval, p (signs flipped), p
    corrected over the table (Holm), and a verdict. A and B are models of one run, or two runs' folders: DIR, or
    DIR:MODEL.
    """
    from magbench.commands import steps

    steps.compare(a, b, folder, everything=everything)
