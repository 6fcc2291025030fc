"""Networks on a card only while they are used, for cards that cannot hold them all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def staged(device: str | torch.device, *modules: nn.Module) -> Iterator[None]:
    """The modules are on ``device`` inside the block, and back where each of them was after it, also if it fails."""
    places = [next(module.parameters()).device for module in modules]
    try:
        for module in modules:
            module.to(device)
        yield
    finally:
        for module, place in zip(modules, places, strict=True):
            module.to(place)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
