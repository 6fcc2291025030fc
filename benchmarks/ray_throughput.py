"""How much faster several Ray workers make a run than one: python -m benchmarks.ray_throughput [--waiting]

Eight stand-in models of one second a clip on revisit-nano. A *busy* one computes for a second of processor time, so
that it needs a core of its own; a *waiting* one sleeps, as a process does whose model works on an accelerator. Both
runs hold everything: starting the workers, making, scoring, writing. Prints seconds, their ratio, the machine's load.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import torch
from torch import Tensor

from magbench.models.protocol import Task

SECONDS = 1.0
MODELS = 8


class StandIn:
    """Shows the last given frame, after a second."""

    revision = "1"

    def __init__(self, name: str) -> None:
        self.name = name

    def stream(self, task: Task) -> Iterator[Tensor]:
        yield task.context[-1:]
        if self.name.startswith("waiting"):
            time.sleep(SECONDS)
        else:
            end = time.process_time() + SECONDS
            while time.process_time() < end:
                torch.ones(64, 64).sum()
        yield task.context[-1:].repeat(task.frames - len(task.context) - 1, 1, 1, 1)

    def memory_bytes(self) -> int | None:
        return None


globals().update(
    {name: StandIn(name) for kind in ("busy", "waiting") for name in (f"{kind}{n}" for n in range(MODELS))}
)
"""A model is named as a variable of this file."""


def seconds(workers: int, kind: str, clips: int) -> tuple[float, int]:
    """Of a run of so many clips a model on a local cluster with so many actors, and its number of videos.

    It has a processor more for scoring, of every three one.
    """
    import ray

    from magbench.api import load_suite
    from magbench.cluster.driver import Cluster, run_on
    from magbench.core.progress import Quiet

    processors = workers + max(1, -(-workers // 3))
    given = [f"{Path(__file__).resolve()}:{kind}{number}" for number in range(MODELS)]
    suite = load_suite("revisit-nano")
    samples = -(-clips // len(suite.clips))  # the suite has fewer clips: some are made more than once
    limit = -(-clips // samples)
    ray.init("local", num_cpus=processors, include_dashboard=False, log_to_driver=False)
    try:
        with tempfile.TemporaryDirectory() as out:
            start = time.monotonic()
            run = Path(out) / "run"
            failures = run_on(Cluster("local"), suite, given, run, limit=limit, seeds=samples, progress=Quiet())
            if failures:
                raise click.ClickException(str(failures[0]))
            return time.monotonic() - start, MODELS * limit * samples
    finally:
        ray.shutdown()


@click.command()
@click.option("--waiting", is_flag=True, help="Stand-ins that wait, as for an accelerator.")
@click.option("--workers", default=4, show_default=True)
@click.option("--clips", default=32, show_default=True)
def main(waiting: bool, workers: int, clips: int) -> None:
    """Time one worker against several."""
    kind = "waiting" if waiting else "busy"
    print(f"{MODELS} {kind} models x {clips} clips; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    one, videos = seconds(1, kind, clips)
    print(f"1 worker: {one:.0f} s for {videos} videos", flush=True)
    several, _ = seconds(workers, kind, clips)
    print(f"{workers} workers: {several:.0f} s, {one / several:.2f}x; load now {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
