"""Low-rank updates, merged into the weights that they were trained beside: W + B A alpha / r (arXiv 2106.09685)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from mag_model.wan.published_names import bare
from magbench.core.errors import MagbenchError

MARKS = {"lora_A": "A", "lora_B": "B"}


def merged(path: Path, weights: Mapping[str, Tensor], adapter: Mapping[str, Tensor], alpha: float) -> dict[str, Tensor]:
    """The weights with every pair of an adapter added, in float32 and back to the dtype of the weight.

    Args:
        path: of the adapter, for messages.
        weights: names as the network has them.
        adapter: PEFT's names: ``base_model.model.<module>.lora_A.weight`` (r, in) and ``.lora_B.weight`` (out, r).
        alpha: scale of the update before it is divided by its rank r.

    Raises:
        MagbenchError: half a pair, a weight that is not there, shapes that do not fit, or nothing to merge.
    """
    pairs: dict[str, dict[str, Tensor]] = {}
    for name, value in adapter.items():
        module, mark = _place(path, name)
        pairs.setdefault(f"{module}.weight", {})[mark] = value
    if not pairs:
        raise MagbenchError(f"{path}: no adapter in it")
    result = dict(weights)
    for name, pair in pairs.items():
        if len(pair) != 2:
            raise MagbenchError(f"{path}: '{name}' has lora_{'A' if 'A' in pair else 'B'} alone")
        if name not in weights:
            raise MagbenchError(f"{path}: it adapts '{name}', which the weights do not have")
        weight, a, b = weights[name], pair["A"].float(), pair["B"].float()
        rank = len(a)
        if b.shape != (weight.shape[0], rank) or a.shape[1:] != weight.shape[1:]:
            raise MagbenchError(
                f"{path}: '{name}' is {tuple(weight.shape)}, its adapter {tuple(b.shape)} x {tuple(a.shape)}"
            )
        result[name] = (weight.float() + b @ a * (alpha / rank)).to(weight.dtype)
    return result


def _place(path: Path, name: str) -> tuple[str, str]:
    """``base_model.model.blocks.0.ffn.0.lora_A.default.weight`` -> ("blocks.0.ffn.0", "A")."""
    words = name.removeprefix("base_model.").split(".")
    for mark, letter in MARKS.items():
        if mark in words:
            return bare(".".join(words[: words.index(mark)])), letter
    raise MagbenchError(f"{path}: '{name}' is neither a lora_A nor a lora_B")
