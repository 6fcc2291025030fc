"""Named sizes."""

from __future__ import annotations

from dataclasses import dataclass

from mag_model.nano.spec import BackboneSpec


@dataclass(frozen=True)
class Preset:
    """A backbone and its codec.

    Attributes:
        name: as in ``--preset``.
        backbone: sizes of the network.
        patch: side of the codec's patches in pixels.
    """

    name: str
    backbone: BackboneSpec
    patch: int


PRESETS = {
    "nano": Preset(
        name="nano",
        backbone=BackboneSpec(
            dim=192, layers=4, heads=6, hidden=768, channels=36, grid=(4, 4), block=3, pose=3, rope=(8, 4, 4)
        ),
        patch=8,
    )
}
