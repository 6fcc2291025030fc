"""A part's published files, as the tensors that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from mag_model.wan.published_names import Shape
from mag_model.wan.state_dict import check_config, check_floating, check_shapes, read_published, renamed
from mag_model.wan.weights.catalog import Part
from mag_model.wan.weights.lora import merged


def converted(
    part: Part, paths: Mapping[str, Path], shapes: Mapping[str, Shape], config: Mapping[str, int]
) -> dict[str, Tensor]:
    """The tensors under the network's own names, in the dtype that was published, adapters merged.

    Args:
        part: how they are published.
        paths: path in the repository -> file.
        shapes: what the network wants.
        config: what a ``config.json`` among the files must say.
    """
    own = dict(paths)
    adapter = None if part.adapter is None else own.pop(part.adapter.file)
    for path in own.values():
        if path.name == "config.json":
            check_config(path, config)
    first = next((path for path in own.values() if path.suffix != ".json"), Path(part.name))
    tensors = renamed(first, read_published(list(own.values()), part.branches), part.rename)
    check_shapes(first, {name: tuple(value.shape) for name, value in tensors.items()}, shapes)
    check_floating(first, tensors)
    if part.adapter is None or adapter is None:
        return tensors
    return merged(adapter, tensors, read_published([adapter], part.adapter.branches), part.adapter.alpha)
