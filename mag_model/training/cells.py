"""A world small enough for many trainings: rows of cells, whose style a caption names and whose layout it does not.

A camera passes over nine places, one a frame, and comes back over the first three. A place is a grid of cells; a cell
is a style, the same all over a scene, plus a code of its own, plus noise. A style is a tone and a texture, and the
caption names both. So of every cell one part can be told and the other only remembered. Some pairs of tone and texture
are in no training, though each of their words is: probes ask for these. No stretch of six frames holds a place twice:
who looks at so short a window sees no return. Everything is latents; there are no pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from mag_model.nano.spec import BackboneSpec
from mag_model.nano.text import bags

TONES = ("black", "white", "red", "blue")
TEXTURES = ("plain", "striped", "dotted", "woven")
STYLES = tuple(f"{tone} {texture}" for tone in TONES for texture in TEXTURES)
HELD_OUT = tuple(number * (len(TEXTURES) + 1) for number in range(len(TONES)))
"""Styles that only probes see: each tone and each texture once."""
TRAINED = tuple(style for style in range(len(STYLES)) if style not in HELD_OUT)
CODES = 8
PART, NOISE = 0.8, 0.05
"""Weight of style and of code, and standard deviation of the noise."""

SPEC = BackboneSpec(
    dim=64,
    layers=2,
    heads=4,
    hidden=192,
    channels=12,
    grid=(2, 2),
    block=3,
    pose=3,
    rope=(4, 2, 2),
    words=TONES + TEXTURES,
)
PLACE = torch.cat([torch.arange(9), torch.arange(3).flip(0)])
"""(12,) the place of each frame."""
GIVEN, BACK = 6, slice(9, 12)
"""Frames that are given in tests, and frames of the return."""


def _directions(count: int, seed: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return normalize(torch.randn(count, SPEC.channels, generator=random), dim=-1) * SPEC.channels**0.5


STYLE = ((_directions(len(TONES), 7)[:, None] + _directions(len(TEXTURES), 9)) / 2**0.5).flatten(0, 1)
CODE = _directions(CODES, 8)
EVERY = (PART * (STYLE[:, None] + CODE)).flatten(0, 1)
"""(styles * codes, channels) every cell there is."""


@dataclass(frozen=True)
class Scenes:
    """Scenes: ``style`` (B,) and ``code`` (B, places, cells), int64, and cameras ``pose`` (B, F, 3)."""

    style: Tensor
    code: Tensor
    pose: Tensor

    @property
    def text(self) -> Tensor:
        """(B, F, W + 1) the caption, for each frame."""
        return captions(self.style)

    def film(self, random: torch.Generator) -> Tensor:
        """(B, F, C, h, w) latents."""
        cells = PART * (STYLE[self.style][:, None, None] + CODE[self.code[:, PLACE]])
        cells = cells + NOISE * torch.randn(cells.shape, generator=random)
        return cells.transpose(-1, -2).unflatten(-1, SPEC.grid)


def captions(style: Tensor) -> Tensor:
    """(B, F, W + 1) the captions of styles (B,)."""
    told = bags([STYLES[number] for number in style.tolist()], SPEC.words)
    return told[:, None].expand(-1, len(PLACE), -1)


def draw(batch: int, random: torch.Generator, styles: tuple[int, ...] = TRAINED) -> Scenes:
    """Scenes of any of ``styles``, whose camera starts anywhere, and goes either way."""
    style = torch.tensor(styles)[torch.randint(len(styles), (batch,), generator=random)]
    code = torch.randint(CODES, (batch, int(PLACE.max()) + 1, SPEC.tokens), generator=random)
    start = torch.rand(batch, 1, generator=random) * 8 - 4
    way = torch.randint(0, 2, (batch, 1), generator=random) * 2 - 1
    along = start + way * PLACE
    return Scenes(style, code, torch.stack([along, torch.zeros_like(along), torch.zeros_like(along)], -1).double())


def read(latents: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest style and code of each cell of (B, F, C, h, w), (B, F, cells) each."""
    cells = latents.flatten(-2).transpose(-1, -2)
    nearest = torch.cdist(cells.flatten(0, 2), EVERY).argmin(-1).view(cells.shape[:3])
    return nearest // CODES, nearest % CODES


class Cells:
    """A :class:`mag_model.training.dmd.World`."""

    def tell(self, batch: int, frames: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        scenes = draw(batch, random)
        return scenes.pose[:, :frames], scenes.text[:, :frames]
