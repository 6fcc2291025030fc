"""Other packages' plug-ins that are broken: one line each, and everything else goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from magbench.core.errors import MagbenchError
from magbench.core.plugins import METRICS, MODELS, Plugin, extras, plugins

ENTRIES = """
[magbench.models]
gone = nowhere.at_all:Model
no_attribute = json:Model
a/b = json:loads
raises = broken_module:Model
leaves = leaving_module:Model
mag = json:loads
[magbench.references]
no_reference = nowhere:x
[magbench.families]
no_family = nowhere:x
[magbench.policies]
no_policy = nowhere:x
[magbench.metrics]
no_metric = nowhere:x
[magbench.suites]
no_suite = nowhere:x
"""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that registers one broken plug-in of each kind once it is on the path."""
    folder = tmp_path_factory.mktemp("broken")
    info = folder / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    (folder / "broken_module.py").write_text("raise RuntimeError('boom')\n")
    (folder / "leaving_module.py").write_text("raise SystemExit(3)\n")
    return folder


def magbench(broken: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import cli; cli.main()", *words]
    environment = {**os.environ, "PYTHONPATH": f"{broken}{os.pathsep}{Path.cwd()}"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize(
    ("kind", "named", "stays"),
    [
        (
            "models",
            ("'gone' (nowhere.at_all:Model, of broken)", "'a/b'", "'mag' (json:loads"),
            ("mag ", "nano:window "),
        ),
        ("suites", ("'no_suite'",), ("revisit-nano",)),
        ("policies", ("'no_policy'",), ("full_history",)),
        ("metrics", ("'no_metric'",), ("lpips", "psnr")),
    ],
)
def test_a_list_names_what_it_leaves_out_and_goes_on(
    broken: Path, kind: str, named: tuple[str, ...], stays: tuple[str, ...]
) -> None:
    found = magbench(broken, "ls", kind)
    assert found.returncode == 0
    lines = found.stderr.splitlines()
    for name in named:
        (line,) = {line for line in lines if name in line}
        assert line.startswith("warning: ") and line.endswith("; left out")
    assert all(f"\n{name}" in f"\n{found.stdout}" for name in stays)


def test_a_run_of_everything_leaves_out_what_is_broken(broken: Path, tmp_path: Path) -> None:
    """All that is installed: the default. One short clip."""
    script = (
        "from magbench.models.registry import usable_names, families; import warnings; warnings.simplefilter('ignore');"
        "print(*usable_names(), *families())"
    )
    environment = {**os.environ, "PYTHONPATH": f"{broken}{os.pathsep}{Path.cwd()}"}
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    names = found.stdout.split()
    assert {"mag", "window", "oracle", "nano", "wan"} <= set(names)
    assert not {"gone", "no_attribute", "raises", "leaves", "a/b", "no_reference", "no_family"} & set(names)


def test_a_broken_model_that_is_asked_for_is_an_error(broken: Path, tmp_path: Path) -> None:
    found = magbench(broken, "run", "--models", "raises", "--limit", "1", "--out", str(tmp_path / "out"))
    assert found.returncode == 1
    assert "model 'raises' (broken_module:Model, of broken) cannot be loaded: RuntimeError: boom" in found.stderr
    assert "Traceback" not in found.stderr


def test_the_doctor_says_what_is_broken_and_looks_at_the_rest(broken: Path) -> None:
    found = magbench(broken, "doctor")
    assert found.returncode == 1
    for name in ("model gone", "model leaves", "suite no_suite", "policy no_policy"):
        assert any(name in line and not line.startswith("ok") for line in found.stdout.splitlines()), name
    assert any(line.startswith("ok") and "model mag " in line for line in found.stdout.splitlines())


def test_what_is_under_an_extra_is_there_only_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAGBENCH_METRICS", raising=False)
    plain = set(plugins(METRICS))
    assert {"lpips", "psnr", "ssim"} <= plain
    assert {name: found.extra for name, found in extras(METRICS).items()} == {
        "lpips_squeeze": "lpips",
        "lpips_vgg": "lpips",
        "ms_ssim": "torchmetrics",
        "vif": "torchmetrics",
    }
    monkeypatch.setenv("MAGBENCH_METRICS", "vif, ms_ssim")
    assert set(plugins(METRICS)) - plain == {"ms_ssim", "vif"}
    assert plugins(MODELS).keys() >= {"mag", "window"}


@pytest.mark.parametrize("name", ["vif", "ms_ssim"])
def test_metrics_under_an_extra_rank_a_worse_frame_lower(name: str) -> None:
    metric = extras(METRICS)[name].load()
    random = torch.Generator().manual_seed(0)
    truth = torch.nn.functional.interpolate(torch.rand(1, 3, 20, 20, generator=random), size=176, mode="bilinear")
    worse = [(truth + scale * torch.randn(truth.shape, generator=random)).clamp(0, 1) for scale in (0.02, 0.2)]
    same, near, far = (float(metric.function(gen, truth)[0]) for gen in (truth, *worse))
    assert same == pytest.approx(1.0, abs=1e-4) and same > near > far > 0
    apart = np.concatenate([metric.function(gen, truth) for gen in worse])
    together = metric.function(torch.cat(worse), truth.expand(2, -1, -1, -1))
    assert np.array_equal(apart, together)


@pytest.mark.parametrize("name", ["lpips_vgg", "lpips_squeeze"])
def test_a_trunk_that_is_not_here_is_said(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Or the package, where it is not installed."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    frames = torch.zeros(1, 3, 32, 32)
    with pytest.raises(MagbenchError, match=rf"{name} needs (the lpips package: pip install|torchvision's weights)"):
        extras(METRICS)[name].load().function(frames, frames)


def test_of_two_packages_that_claim_a_name_neither_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = tuple(Plugin("both", METRICS, f"module_{i}", "METRIC", "") for i in (1, 2))
    monkeypatch.setattr("magbench.core.plugins.registered", lambda group, folders: claims)
    with pytest.warns(
        UserWarning, match="'both' of magbench.metrics is there twice: module_1:METRIC, module_2:METRIC; left out"
    ):
        assert plugins(METRICS) == {}
