"""Forms of file that hold weights, and what they are trained on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from benchmarks.forms.target import Target
from mag_model.nano.checkpoint import load_codec, shipped
from mag_model.nano.presets import PRESETS
from mag_model.training import checkpoint
from mag_model.training.data import load_pool
from mag_model.wan.state_dict import check_config, read_published
from magbench.core.progress import Quiet

PRESET = next(iter(PRESETS.values()))


def _weights(folder: Path) -> Path:
    path = folder / "codec.safetensors"
    path.write_bytes((shipped(PRESET) / path.name).read_bytes())
    return path


def _trained() -> tuple[Any, torch.nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return checkpoint.Progress("base", "p", 0, 9, 3, 1.5), network, optimizer


def _checkpoint(folder: Path) -> Path:
    progress, network, optimizer = _trained()
    mean = {name: value.clone() for name, value in network.state_dict().items()}
    checkpoint.save(folder / "base.safetensors", progress, network, mean, optimizer)
    return folder / "base.safetensors"


def _restored(path: Path) -> object:
    progress, network, optimizer = _trained()
    mean: dict[str, torch.Tensor] = dict(network.state_dict())
    checkpoint.restore(path, progress, network, mean, optimizer)
    return progress, network.state_dict()


def _published(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        save_file({"a": torch.ones(2, 3), "b": torch.ones(4, dtype=torch.float16)}, folder / "one.safetensors")
        save_file({"c": torch.ones(2)}, folder / "two.safetensors")
        shards = {"a": "one.safetensors", "b": "one.safetensors", "c": "two.safetensors"}
        (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": shards}))
        (folder / "config.json").write_text(json.dumps({"dim": 1536, "num_layers": 30, "model_type": "t2v"}))
        return folder / name

    return make


def _read_published(path: Path) -> object:
    check_config(path.parent / "config.json", {"dim": 1536, "num_layers": 30})
    return read_published(sorted(path.parent.iterdir()))


def _pool(folder: Path) -> Path:
    np.save(folder / "scenes-train-1.npy", np.zeros((1, 3, 512, 512), np.uint8))
    return folder / "scenes-train-1.npy"


TARGETS: dict[str, Target] = {
    "codec.safetensors": Target(_weights, lambda path: load_codec(PRESET, path.parent)),
    "checkpoint": Target(_checkpoint, _restored),
    "published-safetensors": Target(_published("one.safetensors"), _read_published),
    "published-index": Target(_published("model.safetensors.index.json"), _read_published),
    "published-config": Target(_published("config.json"), _read_published),
    "scene-pool-npy": Target(_pool, lambda path: load_pool(path.parent, 1, 1, Quiet())),
}
