"""Weights as people publish them, read into one state dict: safetensors, whole or in shards, and torch's own files.

Torch files are pickles: they are read with ``weights_only=True`` alone.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mag_model.safetensors_file import open_safetensors
from mag_model.wan.published_names import Rename, Shape
from magbench.core.errors import MagbenchError
from magbench.core.parsing import read_object


def read_published(paths: Sequence[Path], branches: Sequence[str] = ()) -> dict[str, Tensor]:
    """The tensors of one network.

    Args:
        paths: one torch file, or one safetensors file, or all shards with their index; a ``config.json`` is left alone.
        branches: of a torch file that holds several state dicts, which to take: the first that is there; none = the
            file is the state dict.
    """
    weights = [path for path in paths if path.suffix in (".safetensors", ".pt", ".pth", ".bin")]
    indices = [path for path in paths if path.name.endswith(".index.json")]
    if not weights:
        raise MagbenchError(f"{paths[0].parent if paths else 'nothing'}: no .safetensors, .pt, .pth or .bin file")
    if len(weights) > 1 and len(indices) != 1:
        raise MagbenchError(f"{weights[0].parent}: {len(weights)} files of weights and no index of them")
    tensors: dict[str, Tensor] = {}
    where: dict[str, Path] = {}
    for path in weights:
        for name, value in _read(path, branches).items():
            if name in tensors:
                raise MagbenchError(f"{path}: tensor '{name}' is in {where[name].name} too")
            tensors[name], where[name] = value, path
    for index in indices:
        _check_index(index, {path.name for path in weights}, tensors.keys())
    return tensors


def renamed(path: Path, tensors: Mapping[str, Tensor], rename: Rename) -> dict[str, Tensor]:
    """The tensors under their own names; two may get the same name only if they are the same."""
    found: dict[str, Tensor] = {}
    for name, value in tensors.items():
        new = rename(name)
        if new in found and not torch.equal(found[new], value):
            raise MagbenchError(f"{path}: two different tensors would be '{new}', one of them '{name}'")
        found[new] = value
    return found


def check_shapes(path: Path, found: Mapping[str, Shape], wanted: Mapping[str, Shape]) -> None:
    """Refuse tensors that are missing, too many or of another shape, and name the first.

    Raises:
        MagbenchError: says how many of each kind there are.
    """
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    other = [name for name in wanted if name in found and tuple(found[name]) != tuple(wanted[name])]
    if not (missing or extra or other):
        return
    if wanted and len(missing) == len(wanted):
        raise MagbenchError(
            f"{path}: another network: of {len(found)} tensors none is wanted; '{extra[0] if extra else '-'}' is"
            f" there, '{missing[0]}' is not"
        )
    if other:
        name = other[0]
        first = f"tensor '{name}' is {_text(found[name])}, not {_text(wanted[name])}"
    elif missing:
        first = f"tensor '{missing[0]}' is missing"
    else:
        first = f"tensor '{extra[0]}' is not wanted"
    raise MagbenchError(
        f"{path}: {first} (of {len(wanted)}: {len(missing)} missing, {len(other)} of another shape; {len(extra)} extra)"
    )


def check_floating(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Refuse weights that are not floating point, as quantised ones are."""
    for name, value in tensors.items():
        if not torch.is_floating_point(value):
            raise MagbenchError(f"{path}: tensor '{name}' is {value.dtype}; quantised weights are not read")


def check_config(path: Path, wanted: Mapping[str, int]) -> None:
    """Compare a published ``config.json`` with the sizes that are wanted; what it does not state is not compared."""
    found = _json(path)
    for key, value in wanted.items():
        if found.get(key, value) != value:
            raise MagbenchError(f"{path}: another architecture: {key} is {found[key]}, not {value}")


def _text(shape: Shape) -> str:
    return "x".join(str(side) for side in shape) or "a number"


def _read(path: Path, branches: Sequence[str]) -> dict[str, Tensor]:
    return read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path, branches)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a file, mapped rather than copied where the system can."""
    with open_safetensors(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def safetensors_shapes(path: Path) -> dict[str, Shape]:
    """Names and shapes from the head of a file; its length is checked against them."""
    with open_safetensors(path) as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118


def _read_torch(path: Path, branches: Sequence[str]) -> dict[str, Tensor]:
    try:
        held: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path) or None)
    except pickle.UnpicklingError as error:
        if not zipfile.is_zipfile(path):
            raise MagbenchError(f"{path}: not a whole torch file") from error
        raise MagbenchError(f"{path}: holds more than tensors, and such a pickle is not read") from error
    except Exception as error:  # of bytes that are no pickle the reader can make anything
        raise MagbenchError(f"{path}: not a whole torch file ({_first_line(error)})") from error
    if branches:
        held = _branch(path, held, branches)
    if not isinstance(held, Mapping) or not held:
        raise MagbenchError(f"{path}: holds a {type(held).__name__}, not a state dict")
    for name, value in held.items():
        if not isinstance(value, Tensor):
            raise MagbenchError(f"{path}: '{name}' is a {type(value).__name__}, not a tensor")
    return dict(held)


def _branch(path: Path, held: Any, branches: Sequence[str]) -> Any:
    keys = [str(key) for key in held] if isinstance(held, Mapping) else []
    for branch in branches:
        if branch in keys:
            return held[branch]
    shown = ", ".join(keys[:4]) + (", ..." if len(keys) > 4 else "")
    raise MagbenchError(f"{path}: no '{branches[0]}' in it; it holds: {shown or 'nothing'}")


def _check_index(index: Path, shards: set[str], tensors: Any) -> None:
    """Every shard and every tensor that the index names is there."""
    listed = _json(index).get("weight_map")
    if not isinstance(listed, dict) or not all(isinstance(shard, str) for shard in listed.values()):
        raise MagbenchError(f"{index}: no weight_map in it, tensor -> file")
    for shard in sorted(set(listed.values()) - shards):
        raise MagbenchError(f"{index}: shard {shard} is not there")
    for name in listed:
        if name not in tensors:
            raise MagbenchError(f"{index}: tensor '{name}' is not in {listed[name]}")


def _json(path: Path) -> dict[str, Any]:
    try:
        return read_object(path)
    except MagbenchError as error:
        raise MagbenchError(f"{path}: not a whole JSON file ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]


def shapes_of(network: nn.Module) -> dict[str, Shape]:
    """Names and shapes of a network's tensors."""
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}
