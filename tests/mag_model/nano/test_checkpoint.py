"""Weights files: what is written is read, and a wrong file is named in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mag_model.memory.attention import SequenceAttention
from mag_model.nano.backbone import Posed
from mag_model.nano.checkpoint import load_backbone, save_weights
from mag_model.nano.presets import PRESETS
from mag_model.nano.text import bags
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


def test_a_network_that_learns_text_begins_as_the_one_that_ships() -> None:
    plain, preset = load_backbone(PRESETS["nano"], "base"), PRESETS["nano_text"]
    network, spec = load_backbone(preset, "base"), preset.backbone
    random = torch.Generator().manual_seed(0)
    latents, pose = torch.randn(1, 6, spec.channels, *spec.grid, generator=random), torch.randn(1, 6, 3)
    sigma, frame = torch.rand(1, 6, generator=random), torch.arange(6)

    def seen(told: Posed) -> Tensor:
        with torch.no_grad():
            return told.at(frame)(latents, sigma, SequenceAttention(spec.turning.turns(frame)))

    for prompt in ("red and teal; mostly striped discs", ""):
        text = bags([prompt], spec.words)[:, None].expand(-1, 6, -1)
        assert torch.equal(seen(Posed(network, pose, frame, text)), seen(Posed(plain, pose, frame)))
    assert network.text.weight.requires_grad


def test_weights_of_a_preset_that_takes_text_are_its_own(tmp_path: Path) -> None:
    taught, folder = PRESETS["nano_text"], tmp_path
    network = load_backbone(taught, "base")
    torch.nn.init.ones_(network.text.weight)
    save_weights(folder / "base.safetensors", network.state_dict(), taught, "base")
    assert torch.equal(load_backbone(taught, "base", folder).text.weight, network.text.weight)
    with pytest.raises(MagbenchError, match="weights of preset 'nano_text', not of 'nano'"):
        load_backbone(PRESETS["nano"], "base", folder)


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
