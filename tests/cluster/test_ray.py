"""A run on a Ray cluster gives the files of one process, whatever dies meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import cli
from magbench.cluster.driver import Cluster, run_on
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.scoring.score import score
from magbench.suites.format import Suite, load_suite
from tests.run_files import files

MODEL = """
import os, signal
import torch

class Noisy:
    name = "noisy"
    revision = "1"

    def stream(self, task):
        source = torch.Generator().manual_seed(task.seed)
        for _ in range(len(task.context), task.frames, 2):
            yield torch.rand(2, *task.context.shape[1:], generator=source)

    def memory_bytes(self):
        return None

class Killed(Noisy):
    name = "killed"

    def stream(self, task):
        os.kill(os.getpid(), signal.SIGKILL)

class Broken(Noisy):
    name = "broken"

    def stream(self, task):
        raise ValueError("out of paper")
"""


class Told(Quiet):
    """Calls ``what`` after so many steps."""

    def __init__(self, after: int, what: Callable[[], object]) -> None:
        self.left, self.what = after, what

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.what()


def magbench_(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return f"{path}:Noisy"


@pytest.fixture
def alone(tmp_path: Path, model: str, suite_folder: Path) -> dict[str, object]:
    """The files of one process."""
    suite, out = load_suite(suite_folder), tmp_path / "alone"
    assert not generate(suite, [model, "oracle", "noise"], out, seeds=2, progress=Quiet())
    assert not score(suite, out, progress=Quiet(), workers=1)
    found = files(out)
    assert len(found) == 2 * 3 * 3 * 2
    return found


@pytest.fixture
def ray_() -> Iterator[Any]:
    ray = pytest.importorskip("ray")
    yield ray
    ray.shutdown()


@pytest.mark.rare
def test_a_machine_killed_while_it_works_changes_nothing(
    ray_: Any, tmp_path: Path, model: str, suite_folder: Path, alone: dict[str, object]
) -> None:
    from ray.cluster_utils import Cluster as Machines

    machines = Machines(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        nodes = [machines.add_node(num_cpus=2) for _ in range(2)]
        ray_.init(address=machines.address, log_to_driver=False)
        told = Told(3, lambda: machines.remove_node(nodes[0], allow_graceful=False))
        here = Cluster(machines.address)
        out = tmp_path / "out"
        given = [model, "oracle", "noise"]
        assert not run_on(here, load_suite(suite_folder), given, out, seeds=2, progress=told)
        assert told.left < 0
        assert files(out) == alone
        made = {path: path.stat().st_mtime_ns for path in out.rglob("*.*")}
        assert not run_on(here, load_suite(suite_folder), given, out, seeds=2, progress=Quiet())
        assert made == {path: path.stat().st_mtime_ns for path in out.rglob("*.*")}
    finally:
        ray_.shutdown()
        machines.shutdown()


@pytest.mark.rare
def test_a_model_that_ends_its_process_costs_its_own_videos_alone(
    ray_: Any, tmp_path: Path, model: str, suite_folder: Path, alone: dict[str, object]
) -> None:
    ray_.init("local", num_cpus=3, log_to_driver=False, include_dashboard=False)
    place = model.removesuffix("Noisy")
    given = [f"{place}Killed", model, f"{place}Broken"]
    suite, out = load_suite(suite_folder), tmp_path / "out"
    failures = run_on(Cluster("local"), suite, given, out, limit=2, progress=Quiet())
    made = files(out)
    assert made == {name: alone[name] for name in made} and len(made) == 4
    lines = sorted(map(str, failures))
    assert len(lines) <= 4 and lines[-1].startswith("killed, clip ")
    assert "its process ended 3 times (ActorDiedError)" in lines[-1]
    assert "broken, clip a, sample 0: ValueError: out of paper (traceback in generations/broken/a@0/" in lines[0]
    assert len(list((out / "generations/broken").glob("*/error.txt"))) == 2


@pytest.mark.rare
def test_the_command_reports_a_run_on_ray(
    ray_: Any, tmp_path: Path, model: str, suite_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = magbench_(
        "run", suite_folder, "--models", "model.py:Noisy,oracle,wrong_scene", "--out", "out", "--ray", "local"
    )
    assert result.exit_code == 0, result.output
    assert "noisy" in result.output and Path("out/records.parquet").is_file()


def test_without_ray_the_extra_is_named(
    tmp_path: Path, suite: Suite, monkeypatch: pytest.MonkeyPatch, registered: None
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    result = magbench_("run", suite_folder_of(suite), "--models", "noise", "--out", tmp_path / "out", "--ray", "local")
    assert result.exit_code == 1
    assert "--ray needs Ray: pip install 'magbench[ray]'" in result.stderr


def suite_folder_of(suite: Suite) -> Path:
    source: Any = suite.clips[0].source
    return source.path.parent.parent
