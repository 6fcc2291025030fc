"""Metrics of other packages: found, scored, shown; and harmless when they are broken, absent or imported first."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import magbench
from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.metrics import protocols
from magbench.metrics.pair import Pair, Truth
from magbench.metrics.spec import FrameMetric
from magbench.report.grids import every_score_grid, main_columns
from magbench.report.report import summarise
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_frames, read_generation
from magbench.runs.records import Record, read_records
from magbench.scoring import score as scoring
from magbench.suites.format import Suite, load_suite

ROOT = Path(magbench.__file__).parents[1]
MAE = """
from magbench.metrics.spec import FrameMetric, MainColumn

def _mae(gen, truth):
    return (gen.double() - truth.double()).abs().mean((1, 2, 3)).numpy()

METRIC = FrameMetric(name="mae", version=3, better="lower", about="mean absolute error", title="MAE", function=_mae,
                     main=MainColumn(4, "MAE ↓", interval=True), noise=0.001)
LARGE = FrameMetric(name="large", version=1, better="lower", about="of large frames", function=_mae, smallest=64,
                    noise=0.001)
"""
GOOD = {"mae": "stranger:METRIC", "large": "stranger:LARGE"}
REPORT = """
import json, sys
from pathlib import Path
from magbench.analysis.sources import read_folder
from magbench.commands.listing import metrics
from magbench.core.progress import Quiet
from magbench.report.grids import main_grid, retention_grid
from magbench.report.report import summarise
from magbench.scoring.score import score
from magbench.suites.format import load_suite

if __name__ == "__main__":
    out = Path(sys.argv[2])
    failures = score(load_suite(Path(sys.argv[1])), out, progress=Quiet(), workers=2)
    table = summarise(out)
    shown = {"failures": list(map(str, failures)), "listed": [line[0] for line in metrics()]}
    shown |= {"main": main_grid(table).header, "retention": retention_grid(table).header}
    print(json.dumps(shown))
"""
NAMES = "from magbench.metrics import METRICS; print([metric.name for metric in METRICS])"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run Python where a package ``stranger`` of one module is installed, with its entry points."""

    def run(source: str, entries: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
        site = tmp_path / "site"
        info = site / "stranger-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "stranger.py").write_text(source)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (info / "entry_points.txt").write_text("\n".join(["[magbench.metrics]", *lines]) + "\n")
        env = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}
        return subprocess.run([sys.executable, *words], env=env, capture_output=True, text=True, check=False)

    return run


@pytest.mark.usefixtures("registered")
def test_an_installed_metric_is_scored_shown_and_outlives_its_package(
    run: Run, suite_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, out = load_suite(suite_folder), tmp_path / "out"
    assert generate(suite, ["tiny", "oracle", "wrong_scene"], out, progress=Quiet()) == []
    script = tmp_path / "report.py"
    script.write_text(REPORT)
    done = run(MAE, GOOD, str(script), str(suite_folder), str(out))
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["failures"] == []
    assert {"mae", "large"} <= set(shown["listed"])
    assert shown["main"].index("MAE ↓") == shown["main"].index("LPIPS ↓") + 1
    assert "MAE, out of window" in shown["retention"]

    records = _scores(out)
    for name in ("tiny", "oracle"):
        (found,) = [r for r in records if (r.model, r.clip, r.metric, r.region) == (name, "b", "mae", "all")]
        assert (found.protocol, found.protocol_version, found.metric_version, found.better) == (
            "aligned",
            1,
            3,
            "lower",
        )
        assert found.per_frame == pytest.approx(_mean_absolute_error(suite, out, name), abs=1e-7)
    assert {(r.value, r.n) for r in records if r.metric == "large"} == {(None, 0)}

    monkeypatch.setattr(scoring, "score_records", lambda *_: pytest.fail("scored again"))  # here it is not installed
    before = {path: path.read_bytes() for path in out.glob("scores/*/*")}
    assert scoring.score(suite, out, progress=Quiet()) == []
    assert {path: path.read_bytes() for path in out.glob("scores/*/*")} == before
    table = summarise(out)
    assert "aligned_mae_out_of_window" not in {column.key for column in main_columns(table)}
    assert "aligned mae ↓, out of window" in every_score_grid(table).header
    assert all(row.complete for row in table.rows)

    monkeypatch.undo()
    path = next(iter(before))  # what has to be scored again keeps what only the absent package can make
    kept = [line for line in path.read_text().splitlines() if '"ssim"' not in line]
    path.write_text("\n".join(kept) + "\n")
    assert scoring.score(suite, out, progress=Quiet()) == []
    assert sorted(path.read_bytes().splitlines()) == sorted(before[path].splitlines())


def _scores(out: Path) -> list[Record]:
    return [record for path in sorted(out.glob("scores/*/*.jsonl")) for record in read_records(path)]


def _mean_absolute_error(suite: Suite, out: Path, model: str) -> Any:
    clip, folder = suite.clip("b"), RunFolder(out).generation(model, "b", 0)
    made = read_generation(folder)
    assert made is not None
    gap = read_frames(folder, made).astype(np.float64) - clip.frames[clip.switch :]
    return np.abs(gap / 255).mean(axis=(1, 2, 3))


def test_a_package_that_is_imported_before_magbench_is_found_too(run: Run) -> None:
    done = run(MAE, GOOD, "-W", "error", "-c", f"import stranger; {NAMES}")
    names = ast.literal_eval(done.stdout or "[]")
    assert names[:3] == ["psnr", "ssim", "lpips"] and {"large", "mae"} <= set(names), done.stderr


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("raise RuntimeError('no such operator')", "cannot be loaded: RuntimeError: no such operator"),
        ("import not_installed_anywhere", "cannot be loaded: No module named 'not_installed_anywhere'"),
        ("METRIC = 3", "is not a FrameMetric but of type int"),
        (MAE.replace('name="mae"', 'name="mad"'), "calls itself 'mad'"),
    ],
)
def test_a_broken_metric_is_named_and_left_out(run: Run, source: str, message: str) -> None:
    done = run(source, {"mae": "stranger:METRIC"}, "-c", NAMES)
    names = ast.literal_eval(done.stdout)
    assert names[:3] == ["psnr", "ssim", "lpips"] and "mae" not in names
    assert f"metric 'mae' (stranger:METRIC, of stranger) {message}; left out" in done.stderr


def test_a_name_that_is_taken_stays_what_it_was(run: Run) -> None:
    done = run(MAE, {"psnr": "stranger:METRIC"}, "-c", NAMES)
    assert ast.literal_eval(done.stdout)[:3] == ["psnr", "ssim", "lpips"]
    assert "metric 'psnr' (stranger:METRIC, of stranger): the name is that of magbench." in done.stderr


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda gen, truth: gen.nonsense, "metric 'odd': AttributeError: 'Tensor' object has no attribute 'nonsense'"),
        (lambda gen, truth: np.zeros(1), r"metric 'odd' gave values of shape \(1,\), not \(3,\)"),
    ],
)
def test_a_metric_that_fails_is_named(
    function: Callable[..., Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = FrameMetric(name="odd", version=1, better="lower", function=function)
    monkeypatch.setattr(protocols, "METRICS", (*protocols.OWN, odd))
    frames = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with pytest.raises(MagbenchError, match=message):
        protocols.ALIGNED.score(Pair(frames, Truth(frames)))


def test_small_frames_have_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    large = FrameMetric(name="large", version=1, better="lower", function=lambda gen, truth: np.ones(3), smallest=33)
    monkeypatch.setattr(protocols, "METRICS", (*protocols.OWN, large))
    frames = torch.rand(3, 3, 32, 40, generator=torch.Generator().manual_seed(0))
    assert protocols.ALIGNED.score(Pair(frames, Truth(frames)))["large"] is None
    assert list(protocols.aligned(frames, frames)) == ["psnr", "ssim", "lpips"]
