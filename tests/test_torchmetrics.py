"""The torchmetrics door gives the numbers of the harness, and sums over processes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_frames, read_generation
from magbench.runs.records import read_records
from magbench.scoring.score import score
from magbench.suites.format import Suite
from magbench.torchmetrics import AlignedLPIPS, AlignedPSNR, AlignedSSIM, OrderedScore, ReturnScore


@pytest.mark.parametrize(
    ("metric", "key"),
    [
        (OrderedScore, ("ordered", "score")),
        (AlignedPSNR, ("aligned", "psnr")),
        (AlignedSSIM, ("aligned", "ssim")),
        (AlignedLPIPS, ("aligned", "lpips")),
        (lambda: ReturnScore("legacy", "psnr"), ("legacy", "psnr")),
    ],
)
def test_it_equals_the_run(registered: None, suite: Suite, tmp_path, metric, key) -> None:
    generate(suite, ["tiny"], tmp_path, progress=Quiet())
    score(suite, tmp_path, progress=Quiet(), workers=1)
    folder = RunFolder(tmp_path)
    records = [r for path in folder.score_files() for r in read_records(path)]
    wanted = [r.value for r in records if (r.protocol, r.metric, r.region) == (*key, "all")]
    found = metric()
    for clip in suite.clips:
        place = folder.generation("tiny", clip.id, 0)
        made = read_generation(place)
        assert made is not None
        frames = (read_frames(place, made), clip.frames[clip.switch :])
        found.update(*(torch.from_numpy(f.transpose(0, 3, 1, 2).copy()).float() / 255 for f in frames))
    assert found.compute().item() == pytest.approx(np.mean(wanted), abs=1e-6)


def test_states_add_up_over_processes() -> None:
    frames = torch.rand(3, 4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    whole, parts = AlignedPSNR(), [AlignedPSNR(), AlignedPSNR()]
    for index in range(2):
        whole.update(frames[index], frames[2])
        parts[index].update(frames[index], frames[2])
    assert sum(p.total for p in parts) / sum(p.clips for p in parts) == whole.compute()


def test_names_that_mean_nothing_are_named() -> None:
    with pytest.raises(MagbenchError, match="unknown protocol 'orderd'; did you mean: ordered"):
        ReturnScore("orderd", "score")
    with pytest.raises(MagbenchError, match="unknown metric of aligned 'psn'; did you mean: psnr"):
        ReturnScore("aligned", "psn")
