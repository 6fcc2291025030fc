"""The default run beside that of an older commit, in turn on one machine: python -m benchmarks.default_run

Makes a git worktree of the commit, runs ``magbench run`` with the same models and clips in both, ``--rounds`` times in
turn, and prints the seconds of each and their ratio. Exit code 1 if a video differs by a byte, or the ratio of the
fastest rounds is above the bar. Nothing else may run on the machine. New checkouts share this one's packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_generation

ROOT = Path(__file__).parents[1]


def run(tree: Path, out: Path, models: str, limit: int | None) -> float:
    """Run the command of a checkout; gives the seconds that it took."""
    arguments = ["run", "--out", str(out), *(["--models", models] if models else [])]
    arguments += [] if limit is None else ["--limit", str(limit)]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    start = time.perf_counter()
    code = "from cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tree, env=environment, check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - start


def frames(out: Path) -> dict[str, str]:
    """Of each generated video its folder and the sha256 of its frames."""
    found = {}
    for path in sorted(RunFolder(out).generations.glob("*/*")):
        made = read_generation(path)
        found[f"{path.parent.name}/{path.name}"] = "" if made is None else made.frames_sha256
    return found


@click.command(help=__doc__.partition("\n")[0])
@click.option("--commit", default="4bf9463", show_default=True)
@click.option("--models", default="", help="Names, as for `magbench run` [default: all models and references].")
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
            seconds: dict[Path, list[float]] = {old: [], ROOT: []}
            for number in range(rounds):
                for tree, taken in seconds.items():
                    taken.append(run(tree, Path(folder) / f"{tree.name}-{number}", models, limit))
                    click.echo(f"{commit if tree == old else 'now'}: {taken[-1]:.1f} s")
            before, after = (frames(Path(folder) / f"{tree.name}-0") for tree in (old, ROOT))
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(old)], cwd=ROOT, check=True)
    differ = [name for name, digest in before.items() if after.get(name) != digest]
    ratio = min(seconds[ROOT]) / min(seconds[old])
    click.echo(f"{len(before)} videos, {len(differ)} differ {differ[:3]}; {ratio:.2f} of the time, bar {bar:g}")
    sys.exit(1 if differ or ratio > bar or not before else 0)


if __name__ == "__main__":
    main()
