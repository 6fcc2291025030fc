"""Weights on disk: safetensors in half precision, each with the stage and preset that it belongs to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from mag_model.nano.backbone import Backbone
from mag_model.nano.codec import PatchCodec
from mag_model.nano.presets import PRESETS, Preset
from mag_model.safetensors_file import open_safetensors, read_about
from magbench.core.errors import MagbenchError


def shipped(preset: Preset) -> Path:
    """The folder of the weights that ship in the package and serve this preset."""
    return Path(str(files("mag_model"))) / "weights" / (preset.begins_as or preset.name)


def save_weights(path: Path, tensors: dict[str, Tensor], preset: Preset, part: str) -> Path:
    """Write weights; all but the codec's in half precision."""
    dtype = torch.float32 if part == "codec" else torch.float16
    ready = {name: value.detach().to(dtype).contiguous() for name, value in tensors.items()}
    about = {"preset": preset.name, "part": part, "spec": asdict(preset.backbone)}
    # One entry, since the order of several varies: equal weights give equal bytes.
    save_file(ready, path, metadata={"about": json.dumps(about)})
    return path


def load_backbone(preset: Preset, part: str, folder: Path | None = None) -> Backbone:
    """The network of one training stage, ready to run, from ``folder`` or else from the package.

    One that begins from weights that know no text is the same function under any text.
    """
    network = Backbone(preset.backbone)
    path = find_weights(preset, part, folder)
    state = network.state_dict()
    silent = {"text.weight": torch.zeros_like(state["text.weight"])} if _wordless(path, preset) else {}
    shapes = {name: value.shape for name, value in state.items() if name not in silent}
    network.load_state_dict(_read(path, preset, part, shapes) | silent)
    return network.eval()


def load_codec(preset: Preset, folder: Path | None = None) -> PatchCodec:
    """The preset's codec, from ``folder`` or else from the package."""
    codec = PatchCodec(preset.patch, preset.backbone.channels)
    path = find_weights(preset, "codec", folder)
    codec.load_state_dict(_read(path, preset, "codec", {n: v.shape for n, v in codec.state_dict().items()}))
    return codec.eval()


def _wordless(path: Path, preset: Preset) -> bool:
    """Whether a file holds weights of the preset as which this one begins."""
    return preset.begins_as is not None and _named(path) == preset.begins_as


def _named(path: Path) -> object:
    """What a file of weights gives as the name of its preset."""
    with open_safetensors(path) as file:
        return read_about(file, path, "about").get("preset")


def preset_of(path: Path) -> Preset:
    """The preset that a file of weights says it belongs to."""
    name = _named(path)
    if not isinstance(name, str) or name not in PRESETS:
        raise MagbenchError(f"{path}: weights of preset '{name}', not of {' or '.join(PRESETS)}")
    return PRESETS[name]


def digest(preset: Preset, parts: tuple[str, ...], folder: Path | None = None) -> str:
    """Twelve hexadecimal digits that change whenever one of the files does."""
    total = hashlib.sha256()
    for part in parts:
        total.update(find_weights(preset, part, folder).read_bytes())
    return total.hexdigest()[:12]


def find_weights(preset: Preset, part: str, folder: Path | None) -> Path:
    """Find the file of one part: in ``folder`` if it is there, else in the package."""
    places = [place / f"{part}.safetensors" for place in (folder, shipped(preset)) if place is not None]
    for path in places:
        if path.exists():
            return path
    raise MagbenchError(f"{places[0]}: no weights of '{part}'; see magbench train --help")


def _read(path: Path, preset: Preset, part: str, shapes: dict[str, torch.Size]) -> dict[str, Tensor]:
    """Tensors in float32, checked against the preset, the part and the shapes that are expected."""
    with open_safetensors(path) as file:
        about = read_about(file, path, "about")
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    for name, value in stored.items():
        if not value.is_floating_point() or not torch.isfinite(value).all():
            raise MagbenchError(f"{path}: tensor '{name}' holds what is no finite number")
    tensors = {name: value.float() for name, value in stored.items()}
    names = (preset.name,) if preset.begins_as is None else (preset.name, preset.begins_as)
    for key, allowed in (("preset", names), ("part", (part,))):
        if about.get(key) not in allowed:
            raise MagbenchError(f"{path}: weights of {key} '{about.get(key)}', not of '{allowed[0]}'")
    found = {name: value.shape for name, value in tensors.items()}
    for name in sorted(shapes.keys() | found.keys()):
        if shapes.get(name) != found.get(name):
            raise MagbenchError(f"{path}: tensor '{name}' is {found.get(name)}, not {shapes.get(name)}")
    return tensors
