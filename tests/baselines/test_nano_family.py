"""Every registered policy runs on the nano backbone, and so do weights that somebody trained."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mag_model.nano.checkpoint import shipped
from mag_model.nano.presets import PRESETS
from magbench.core.errors import MagbenchError
from magbench.core.plugins import POLICIES, plugins
from magbench.core.progress import Quiet
from magbench.generation.runner import generate
from magbench.generation.sources import make_task
from magbench.models.naming import resolve
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_generation
from magbench.suites.format import Suite
from magbench.suites.registry import open_suite


@pytest.fixture(scope="module")
def nano() -> Suite:
    """One clip that returns for two blocks only."""
    suite = open_suite("revisit-nano")
    whole = suite.clips[0]
    assert whole.pose is not None
    end = whole.switch + 6
    clip = replace(whole, frames=whole.frames[:end], pose=whole.pose[:end], revisit=whole.revisit[:end])
    return replace(suite, clips=[clip])


@pytest.mark.parametrize("policy", plugins(POLICIES))
def test_every_registered_policy_runs_and_says_what_it_holds(policy: str, nano: Suite, tmp_path: Path) -> None:
    assert generate(nano, [f"nano:{policy}"], tmp_path, progress=Quiet()) == []
    made = read_generation(RunFolder(tmp_path).generation(f"nano:{policy}", nano.clips[0].id, 0))
    assert made is not None and made.history_bytes is not None
    assert min(made.history_bytes) > 0


@pytest.mark.parametrize(
    ("short", "text"),
    [
        ("window", "nano:window"),
        ("strided", "nano:strided:sink=0"),
        ("mag", "nano:mag:first_block_whole=0"),
    ],
)
def test_short_names_are_members_of_the_family(short: str, text: str, nano: Suite) -> None:
    one, other = resolve(short).load(), resolve(text).load()
    assert one.revision == other.revision
    task = make_task(nano.clips[0], 0)
    assert torch.equal(next(one.stream(task)), next(other.stream(task)))


def test_weights_that_were_trained_get_a_row(nano: Suite, tmp_path: Path) -> None:
    folder = tmp_path / "trained"
    shutil.copytree(shipped(PRESETS["nano"]), folder)
    candidate = resolve(f"nano:{folder}/+window")
    assert candidate.name.startswith("nano:trained-") and candidate.name.endswith("+window")
    assert generate(nano, [f"nano:{folder}/+window"], tmp_path / "out", progress=Quiet()) == []
    assert RunFolder(tmp_path / "out").generated_models() == [candidate.name]
    changed = bytearray((folder / "base.safetensors").read_bytes())
    changed[-1] ^= 1
    (folder / "base.safetensors").write_bytes(bytes(changed))
    assert resolve(f"nano:{folder}/+window").name != candidate.name


def test_a_number_that_a_policy_does_not_have_is_named() -> None:
    with pytest.raises(MagbenchError, match="unknown number of policy window 'frame'; did you mean: frames"):
        resolve("nano:window:frame=3")


def test_weights_that_are_missing_are_not_taken_from_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "trained"
    shutil.copytree(shipped(PRESETS["nano"]), folder)
    (folder / "memory.safetensors").unlink()
    assert resolve(f"nano:{folder}/+window").name.endswith("+window")
    with pytest.raises(
        MagbenchError, match=r"holds no memory\.safetensors, which mag needs; `magbench train memory --out"
    ):
        resolve(f"nano:{folder}/+mag")
