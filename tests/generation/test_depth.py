"""What a model was shown beyond the pixels: lens and depth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.generation.sources import make_task
from magbench.models.protocol import Task
from magbench.runs.folder import RunFolder
from magbench.runs.generation import Generation, read_generation
from magbench.scoring.score_clip import Scene, cost_records
from magbench.suites.clip import Clip
from magbench.suites.format import Suite


def clip(depth: np.ndarray | None) -> Clip:
    return Clip(
        id="a",
        caption="",
        category="",
        speed="",
        fps=8,
        switch=4,
        frames=np.random.default_rng(0).integers(0, 255, (8, 32, 40, 3), np.uint8),
        pose=np.zeros((8, 5)),
        revisit=np.array([-1, -1, -1, -1, 3, 2, 1, 0]),
        intrinsics=np.array([20.0, 20.0, 20.0, 16.0]),
        depth=depth,
    )


def suite(depth: np.ndarray | None) -> Suite:
    return Suite("space", 1, "test", 8, 2, "none", "0" * 64, (clip(depth),))


@dataclass(eq=False)
class Looks:
    """Fails where it is not shown what the test expects."""

    expected: bool
    name: str = "looks"
    revision: str = "1"
    sees_depth: bool = True

    def stream(self, task: Task) -> Iterator[Tensor]:
        assert (task.depth is not None) == self.expected
        yield task.context[-1:].repeat(task.frames - len(task.context), 1, 1, 1)

    def memory_bytes(self) -> int:
        return 5


DEPTH = np.arange(1, 9, dtype=np.float32)[:, None, None] * np.ones((8, 32, 40), np.float32)


def generated(model: Looks, over: Suite, out: Path) -> Generation:
    assert generate(over, [model], out, progress=Quiet()) == []
    found = read_generation(RunFolder(out).generation(model.name, "a", 0))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("depth", "sees", "kind"), [(DEPTH, True, "reference"), (DEPTH, False, "model"), (None, True, "model")]
)
def test_who_sees_depth_has_no_rank(tmp_path: Path, depth: np.ndarray | None, sees: bool, kind: str) -> None:
    over = suite(depth)
    model = Looks(expected=sees and depth is not None, sees_depth=sees)
    generation = generated(model, over, tmp_path)
    assert generation.kind == kind
    costs = {record.metric: record.value for record in cost_records(Scene(over, over.clips[0]), generation)}
    assert costs["history_bytes"] == 5


def test_a_task_tells_the_lens_and_the_depth_of_given_frames_alone() -> None:
    task = make_task(clip(DEPTH), 0, depth=True)
    assert task.intrinsics is not None and task.depth is not None
    assert task.intrinsics.tolist() == [20, 20, 20, 16]
    torch.testing.assert_close(task.depth[:, 0, 0], torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert make_task(clip(DEPTH), 0).depth is None
