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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from benchmarks.kill import fingerprint
from magbench.cluster.driver import Cluster, run_on
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.runs.failures import Failure
from magbench.scoring.score import score
from magbench.suites.format import Suite
from magbench.suites.registry import open_suite

MACHINES = 3
Outcome = tuple[list[Failure], int]


@contextmanager
def simulated(cpus: int) -> Iterator[tuple[str, Callable[[], None]]]:
    """Three machines beside the first one, which only holds the cluster together.

    Yields:
        Their address, and what kills the one that is there longest and adds another; the main thread's to call.
    """
    import ray
    from ray.cluster_utils import Cluster as Machines

    machines = Machines(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [machines.add_node(num_cpus=cpus) for _ in range(MACHINES)]

    def kill() -> None:
        machines.remove_node(nodes.pop(0), allow_graceful=False)
        while len(nodes) < MACHINES:
            with suppress(Exception):  # a busy machine may be too slow for Ray's own time limits
                nodes.append(machines.add_node(num_cpus=cpus, wait=False))

    try:
        ray.init(address=machines.address, log_to_driver=False)
        yield machines.address, kill
    finally:
        ray.shutdown()
        machines.shutdown()


def tormented(suite: Suite, given: list[str] | None, out: Path, limit: int | None, every: float, cpus: int) -> Outcome:
    """Run on machines that die: what failed, and how many died."""
    failures: list[Failure] = []
    killed = 0
    with simulated(cpus) as (address, kill):

        def work() -> None:
            failures.extend(run_on(Cluster(address), suite, given, out, limit=limit, threads=1, progress=Quiet()))

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        while worker.is_alive():
            worker.join(every)
            if worker.is_alive():
                kill()
                killed += 1
    return failures, killed


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
    found, killed = tormented(suite, given, work / "ray", limit, every, cpus)
    alone, ray = (fingerprint(work / name) for name in ("alone", "ray"))
    apart = sorted(name for name in alone.keys() | ray.keys() if alone.get(name) != ray.get(name))
    told = f"{len(found)} failures, {len(apart)} of {len(alone)} files differ"
    print(f"Ray: {killed} machines killed in {time.monotonic() - start:.0f} s, {told}")
    for line in [*map(str, found), *apart][:20]:
        print(f"    {line}")
    sys.exit(1 if apart or len(found) != len(failures) else 0)


if __name__ == "__main__":
    main()
