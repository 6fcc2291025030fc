"""A tiny backbone: the real class at a size that runs in milliseconds."""

from __future__ import annotations

import torch

from mag_model.nano.backbone import Backbone
from mag_model.nano.spec import BackboneSpec

SPEC = BackboneSpec(dim=48, layers=2, heads=3, hidden=64, channels=5, grid=(2, 3), block=3, pose=3, rope=(4, 4, 2))


def random_backbone(seed: int, spec: BackboneSpec = SPEC) -> Backbone:
    """A backbone whose every parameter matters: nothing is left at zero."""
    torch.manual_seed(seed)
    network = Backbone(spec)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return network.eval()


def clip_of(spec: BackboneSpec, frames: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents (2, frames, C, h, w) and cameras (2, frames, 3)."""
    random = torch.Generator().manual_seed(seed)
    latents = torch.randn(2, frames, spec.channels, *spec.grid, generator=random)
    return latents, torch.randn(2, frames, spec.pose, generator=random).double()
