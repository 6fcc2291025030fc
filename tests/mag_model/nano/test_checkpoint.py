"""Weights files: what is written is read, and a wrong file is named in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mag_model.nano.checkpoint import load_backbone, save_weights
from mag_model.nano.presets import PRESETS
from magbench.core.errors import MagbenchError
from tests.tiny import SPEC, random_backbone

TINY = replace(PRESETS["nano"], name="tiny", backbone=SPEC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_weights(tmp_path / "base.safetensors", random_backbone(0).state_dict(), TINY, "base")
    return tmp_path


def test_weights_come_back_in_half_precision(folder: Path) -> None:
    loaded = load_backbone(TINY, "base", folder).state_dict()
    for name, value in random_backbone(0).state_dict().items():
        assert torch.equal(loaded[name], value.half().float())


def test_equal_weights_give_equal_bytes(folder: Path) -> None:
    again = save_weights(folder / "again.safetensors", random_backbone(0).state_dict(), TINY, "base")
    assert again.read_bytes() == (folder / "base.safetensors").read_bytes()


def test_weights_of_another_preset(folder: Path) -> None:
    with pytest.raises(MagbenchError, match="base.safetensors: weights of preset 'tiny', not of 'other'"):
        load_backbone(replace(TINY, name="other"), "base", folder)


def test_weights_of_another_stage(folder: Path) -> None:
    (folder / "base.safetensors").rename(folder / "memory.safetensors")
    with pytest.raises(MagbenchError, match="weights of part 'base', not of 'memory'"):
        load_backbone(TINY, "memory", folder)


def test_weights_of_another_size(folder: Path) -> None:
    wider = replace(TINY, backbone=replace(SPEC, hidden=80))
    with pytest.raises(MagbenchError, match="base.safetensors: tensor 'layers.0.down.weight'"):
        load_backbone(wider, "base", folder)


def test_truncated_weights(folder: Path) -> None:
    path = folder / "base.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(MagbenchError, match="base.safetensors: not a whole safetensors file"):
        load_backbone(TINY, "base", folder)


def test_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match="no weights of 'base'"):
        load_backbone(TINY, "base", tmp_path)
