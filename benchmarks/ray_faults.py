"""A run on a simulated Ray cluster whose machines are killed: python -m benchmarks.ray_faults [--limit N] [--every 20]

Makes and scores revisit-nano in one process, then on three simulated machines, of which one is killed every so many
seconds and another joins in its place. The videos and scores must be the same files, what is measured apart. Prints how
many machines were killed. Exit code 1 if anything differs or fails.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from benchmarks.kill import fingerprint
from magbench.cluster.driver import Cluster, run_on
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.scoring.score import score
from magbench.suites.registry import open_suite

MACHINES = 3


class Killer(threading.Thread):
    """Kills the machine that is there longest, again and again, until it is stopped."""

    def __init__(self, machines: Any, nodes: list[Any], every: float, cpus: int) -> None:
        super().__init__(daemon=True)
        self.machines, self.nodes, self.every, self.cpus = machines, nodes, every, cpus
        self.killed, self.over = 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(self.every):
            self.machines.remove_node(self.nodes.pop(0), allow_graceful=False)
            self.killed += 1
            self.nodes.append(self.machines.add_node(num_cpus=self.cpus))


@contextmanager
def simulated(every: float, cpus: int) -> Iterator[tuple[str, Killer]]:
    """Three machines beside the first one, which only holds the cluster together: its address, and who kills."""
    import ray
    from ray.cluster_utils import Cluster as Machines

    machines = Machines(initialize_head=True, head_node_args={"num_cpus": 0})
    killer = Killer(machines, [machines.add_node(num_cpus=cpus) for _ in range(MACHINES)], every, cpus)
    try:
        ray.init(address=machines.address, log_to_driver=False)
        killer.start()
        yield machines.address, killer
    finally:
        killer.over.set()
        killer.join()
        ray.shutdown()
        machines.shutdown()


@click.command()
@click.option("--limit", type=int, help="Only the first clips [default: all].")
@click.option("--models", help="Names, comma-separated [default: all that are installed, and references].")
@click.option("--every", default=20.0, show_default=True, help="Seconds between two kills.")
@click.option("--cpus", default=1, show_default=True, help="Processors of each simulated machine.")
@click.option("--work", default="runs/ray-faults", type=click.Path(path_type=Path), show_default=True)
def main(limit: int | None, models: str | None, every: float, cpus: int, work: Path) -> None:
    """Compare a run on dying machines with one in one process."""
    shutil.rmtree(work, ignore_errors=True)
    suite, given = open_suite("revisit-nano"), models.split(",") if models else None
    failures = generate(suite, given, work / "alone", limit=limit, threads=1, progress=Quiet())
    failures += score(suite, work / "alone", progress=Quiet())
    print(f"one process: {len(failures)} failures", flush=True)
    start = time.monotonic()
    with simulated(every, cpus) as (address, killer):
        found = run_on(Cluster(address), suite, given, work / "ray", limit=limit, threads=1, progress=Quiet())
    alone, ray = (fingerprint(work / name) for name in ("alone", "ray"))
    apart = sorted(name for name in alone.keys() | ray.keys() if alone.get(name) != ray.get(name))
    told = f"{len(found)} failures, {len(apart)} of {len(alone)} files differ"
    print(f"Ray: {killer.killed} machines killed in {time.monotonic() - start:.0f} s, {told}")
    for line in [*map(str, found), *apart][:20]:
        print(f"    {line}")
    sys.exit(1 if apart or len(found) != len(failures) else 0)


if __name__ == "__main__":
    main()
