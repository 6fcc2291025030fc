"""The `magbench` command: its subcommands, exit codes, and the two groups that need the model beside the harness."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click

from magbench import __version__
from magbench.commands.main_group import Commands
from magbench.commands.options import names, pairs
from magbench.core.errors import MagbenchError, unknown


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="magbench")
def main() -> None:
    """Does a video model still know the place when the camera comes back, and what does that cost?

    Start with `magbench run`: a few minutes on a laptop, then look at runs/revisit-nano.
    """


@main.command()
@click.argument("stage", type=click.Choice(["base", "memory", "joint", "window", "flow", "teacher", "dmd"]))
@click.option(
    "--preset",
    default="nano",
    show_default=True,
    help="Sizes of the model: nano; nano_text takes text; pico for a first try; small for a GPU.",
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", required=True)
@click.option(
    "--steps", type=click.IntRange(1), metavar="N", help="Length of the whole schedule [default: the stage's]."
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    metavar="M",
    help="Stop after M minutes, preparation included; exit code 0.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Processor threads.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="Not of dmd.")
def train(
    stage: str,
    preset: str,
    out: Path,
    steps: int | None,
    minutes: float | None,
    seed: int,
    threads: int | None,
    device: str,
) -> None:
    """Train one STAGE of the model: base, then memory, then joint; window starts from base. Stopped, the same command
    goes on. flow goes on from joint, to make in four steps what the flow of base gives in eight; dmd from there without
    data, by what teacher knows: these two need a preset that takes text, nano_text or pico.

    A stage starts from the weights of the one before in --out; of presets nano and nano_text, where there are none,
    from those that ship, and says so. `nano:DIR/+POLICY` is then a model: `magbench run --models nano:DIR/+window`.
    Preset small, 96x64, is trained on rooms too, which the extra 3d draws.
    """
    import torch

    from mag_model.nano.presets import PRESETS
    from mag_model.training import loop, train_dmd
    from mag_model.training.stages import STAGES
    from magbench.commands.train import follow

    if preset not in PRESETS:
        raise unknown("preset", preset, PRESETS)
    if stage == train_dmd.STAGE and device != "cpu":
        raise click.UsageError(f"{stage} is trained on the CPU, not on {device}")
    if device == "cuda" and not torch.cuda.is_available():
        raise click.UsageError("torch finds no GPU here: --device cpu")
    recipe = partial(loop.train, device=device)
    chosen = train_dmd.train_dmd if stage == train_dmd.STAGE else partial(recipe, STAGES[stage])
    start = partial(chosen, PRESETS[preset], out, steps=steps, minutes=minutes, seed=seed, threads=threads)
    follow(start, stage, out)


@main.command()
@click.argument("name", type=click.Choice(["trap", "block", "pair", "lineage", "recent", "sink", "kept", "writer"]))
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="[default: runs/ablations]"
)
@click.option(
    "--seeds", type=click.IntRange(1), metavar="N", help="Of each arm of what trains [default: trap 3, the others 1]."
)
@click.option("--updates", type=click.IntRange(1), metavar="N", help="trap: of each generator [default: its own].")
@click.option(
    "--minutes",
    type=click.FloatRange(0),
    metavar="M",
    help="Of what trains: begin nothing after M minutes; tabulate what is there.",
)
@click.option("--start", type=click.Choice(["reads", "text"]), help="trap: from this start alone [default: both].")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="The others: only the first N clips.")
def ablate(
    name: str,
    out: Path | None,
    seeds: int | None,
    updates: int | None,
    minutes: float | None,
    start: str | None,
    limit: int | None,
) -> None:
    """Vary one thing, and tabulate and plot what it changes. Stopped, the same command goes on.

    trap: does a teacher that knows the text make a generator ignore history, and does the historical consistency loss
    cure it? Two starts, four values of lambda, trained here.

    block: block sizes from 1 to 5. pair: who writes what, each writer with a reader that was trained for it. Both train
    small networks, a quarter of an hour for one core, and try them on paths of 120 frames.

    lineage: full history, a window, strided frames and MAG, each with a generator that was trained for its cache for as
    many steps from the same weights. It trains networks of the size that ships, more than an hour for one core.

    recent: newest blocks kept whole. sink: first frames kept. kept: which frame of a block. writer: who writes the
    memory. These train nothing: the weights that ship, on the clips of revisit-nano.
    """
    folder = out or Path("runs") / "ablations"
    trained = name in ("trap", "block", "pair", "lineage")
    if limit is not None and trained:
        raise click.UsageError(f"--limit is not for {name}")
    if (seeds, minutes) != (None, None) and not trained:
        raise click.UsageError(f"--seeds and --minutes are for trap, block, pair and lineage, not for {name}")
    if (updates, start) != (None, None) and name != "trap":
        raise click.UsageError(f"--updates and --start are for trap, not for {name}")
    if name == "trap":
        for page in _trap(folder, seeds or 3, updates, minutes, start):
            click.echo(page)
    elif trained:
        click.echo(_trained(folder, name, seeds or 1, minutes))
    else:
        click.echo(_settings(folder, name, limit))


def _trap(folder: Path, seeds: int, updates: int | None, minutes: float | None, start: str | None) -> Iterator[Path]:
    """Train the arms of the trap; a page for each start of which an arm is done."""
    import time
    from dataclasses import replace

    from mag_model.training import trap
    from magbench.report import ablation

    sizes = trap.Sizes() if updates is None else replace(trap.Sizes(), updates=updates)
    end = None if minutes is None else time.monotonic() + 60 * minutes
    for one in trap.STARTS if start is None else (start,):
        found = trap.run(
            folder / "trap", seeds, sizes, (one,), click.echo, lambda: end is not None and time.monotonic() > end
        )
        trials = [ablation.read_trial(path) for path in found]
        head = f"# The trap and its cure, {trap.STARTS[one]}\n\n{sizes.updates} updates of each generator."
        if any(trial.seed is not None for trial in trials):
            yield ablation.write_report(trials, trap.MEASURES, head, folder, f"trap-{one}")


def _trained(folder: Path, name: str, seeds: int, minutes: float | None) -> Path:
    """Train, run and score the pairs of an ablation; the page."""
    import time

    from baselines.bench import Bench, long_clips
    from baselines.trained import ABLATIONS
    from magbench import api
    from magbench.commands.ablate import Sheet, latency_lines, tabulate
    from magbench.report.columns import LPIPS, PRIMARY, PSNR, RETAINED, SSIM

    chosen, place = ABLATIONS[name], folder / "trained"
    end = None if minutes is None else time.monotonic() + 60 * minutes
    ready, stopped = [], False
    for bench in (Bench(place, seed) for seed in range(seeds)):
        stopped = stopped or not bench.train_all(chosen.pairs, click.echo, end)
        ready += [bench] * bench.has(chosen.pairs)
    if not ready:
        raise MagbenchError(f"{place}: time was up before one seed was trained; the same command goes on")
    suite = api.load_suite(chosen.suite) if chosen.suite else long_clips(place / "suite")
    found = [bench.contest(chosen, suite) for bench in ready]
    lines = {line: models for contest in found for line, models in contest.lines.items()}
    more = latency_lines(found[0].timed) if chosen.rebuilds else ()
    sheet = Sheet(name, chosen.head, lines, (RETAINED, PSNR, SSIM, LPIPS, PRIMARY), more)
    models = [model for contest in found for model in contest.models]
    return tabulate(folder, place / f"run-{suite.name}", sheet, models, suite=suite)


def _settings(folder: Path, name: str, limit: int | None) -> Path:
    """Run and score the models of an ablation that trains nothing; the page."""
    from baselines.ablations import ABLATIONS
    from magbench.commands.ablate import Sheet, tabulate

    chosen = ABLATIONS[name]
    lines = {line: {setting: model.name for setting, model in mine.items()} for line, mine in chosen.lines.items()}
    models = [model.model() for model in chosen.models]
    return tabulate(folder, folder / "run", Sheet(name, chosen.head, lines), models, limit)


@main.command()
@click.argument("suite", required=False)
@click.option("--policies", callback=names, metavar="A,B,...", help="NAME[:FIELD=NUMBER] [default: all registered].")
@click.option("--block", type=click.IntRange(1), default=3, show_default=True, metavar="N", help="Frames of a block.")
@click.option("--hours", type=click.FloatRange(0.01), metavar="H", help="After H hours, instead of on a suite.")
@click.option("--fps", type=click.IntRange(1), default=16, show_default=True, metavar="N", help="Of these hours.")
def reach(suite: str | None, policies: list[str] | None, block: int, hours: float | None, fps: int) -> None:
    """What can a cache policy know at all?

    Of each policy, without any model: the share of the return's views that a block can read, over frames out of window
    and over all that were seen before, and its bytes against full history's. Read a model's score against it: what is
    not held was forgotten by the policy, the rest by the network. SUITE is revisit-nano unless another is given.

    With --hours: after so many hours of video, the share that a block can read of what was shown so long ago.
    """
    from baselines.policy_spec import named_policy
    from baselines.reach import after_hours, on_suite
    from magbench.commands.console import print_grid
    from magbench.core.plugins import POLICIES, loaded

    if hours is not None and suite is not None:
        raise click.UsageError("SUITE and --hours do not go together")
    chosen = {name: named_policy(name) for name in policies or loaded(POLICIES)}
    if hours is None:
        print_grid(*on_suite(chosen, suite or "revisit-nano", block))
    else:
        print_grid(*after_hours(chosen, hours, fps, block))


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
    from magbench.render.progress import ProgressBar

    request = store.Request(tuple(only or ()), places, folder, revision, accept_licence)
    click.echo(listing.licence(name), err=True)
    with ProgressBar() as progress:
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
