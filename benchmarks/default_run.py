"""The default run beside that of an older commit, in turn on one machine: python -m benchmarks.default_run

Makes a git worktree of the commit, runs ``magbench run`` with the same models, references and clips in both,
``--rounds`` times in turn, and prints the seconds of each, those of processors too, and the ratio. What only one of
them registers is left out. Exit code 1 if a video differs by a byte, or the ratio of the fastest rounds is above the
bar. Nothing else may run on the machine. New checkouts share this one's packages.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
import tomllib

from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_generation

ROOT = Path(__file__).parents[1]


def registered(tree: Path) -> list[str]:
    """The models and references of a checkout, in the order in which it runs them."""
    entries = tomllib.loads((tree / "pyproject.toml").read_text())["project"]["entry-points"]
    return [*entries["magbench.models"], *entries["magbench.references"]]


def run(tree: Path, out: Path, models: Sequence[str], limit: int | None) -> tuple[float, float]:
    """Run the command of a checkout; gives the seconds that it took, and those of processors."""
    arguments = ["run", "--out", str(out), "--models", ",".join(models)]
    arguments += [] if limit is None else ["--limit", str(limit)]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    start, spent = time.perf_counter(), _processor_seconds()
    code = "from cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tree, env=environment, check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - start, _processor_seconds() - spent


def _processor_seconds() -> float:
    """Of all processes that were waited for, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def frames(out: Path) -> dict[str, str]:
    """Of each generated video its folder and the sha256 of its frames."""
    found = {}
    for path in sorted(RunFolder(out).generations.glob("*/*")):
        made = read_generation(path)
        found[f"{path.parent.name}/{path.name}"] = "" if made is None else made.frames_sha256
    return found


@click.command(help=__doc__.partition("\n")[0])
@click.option("--commit", default="4bf9463", show_default=True)
@click.option("--models", default="", help="Names, as for `magbench run` [default: all that both register].")
@click.option("--limit", type=int, help="Only the first clips.")
@click.option("--rounds", type=click.IntRange(1), default=2, show_default=True)
@click.option("--bar", default=0.6, show_default=True, help="The ratio that must not be exceeded.")
def main(commit: str, models: str, limit: int | None, rounds: int, bar: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder) / "old"
        subprocess.run(["git", "worktree", "add", "-q", "--detach", str(old), commit], cwd=ROOT, check=True)
        try:
            entry_points = "from setuptools import setup; setup()"
            subprocess.run([sys.executable, "-c", entry_points, "-q", "egg_info"], cwd=old, check=True)
            chosen = models.split(",") if models else [name for name in registered(old) if name in registered(ROOT)]
            click.echo(f"{len(chosen)} models and references: {', '.join(chosen)}")
            seconds: dict[Path, list[float]] = {old: [], ROOT: []}
            for number in range(rounds):
                for tree, taken in seconds.items():
                    wall, processor = run(tree, Path(folder) / f"{tree.name}-{number}", chosen, limit)
                    taken.append(wall)
                    click.echo(f"{commit if tree == old else 'now'}: {wall:.1f} s, of processors {processor:.1f} s")
            before, after = (frames(Path(folder) / f"{tree.name}-0") for tree in (old, ROOT))
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(old)], cwd=ROOT, check=True)
    differ = [name for name, digest in before.items() if after.get(name) != digest]
    ratio = min(seconds[ROOT]) / min(seconds[old])
    click.echo(f"{len(before)} videos, {len(differ)} differ {differ[:3]}; {ratio:.2f} of the time, bar {bar:g}")
    sys.exit(1 if differ or ratio > bar or not before else 0)


if __name__ == "__main__":
    main()
