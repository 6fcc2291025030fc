"""Named sizes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mag_model.nano.spec import BackboneSpec
from magbench.suites.worlds.captions import VOCABULARY


@dataclass(frozen=True)
class Preset:
    """A backbone and its codec.

    Attributes:
        name: as in ``--preset``.
        backbone: sizes of the network.
        patch: side of the codec's patches in pixels.
        schedule: of each stage's steps, the share that is trained unless others are asked for.
        scenes: canvases that training clips are drawn from.
        rooms: places in 3-D maps that they are drawn from too, see :mod:`mag_model.training.rooms`.
        begins_as: preset of the same sizes without words, whose weights that ship serve this one: in a network that
            begins from them all text is silent until it is trained.
    """

    name: str
    backbone: BackboneSpec
    patch: int
    schedule: float = 1.0
    scenes: int = 288
    rooms: int = 0
    begins_as: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of a frame."""
        rows, columns = self.backbone.grid
        return rows * self.patch, columns * self.patch


def _block_preset(block: int) -> Preset:
    """The size at which block sizes are compared: patches of 16 pixels, so that long clips cost little."""
    backbone = BackboneSpec(
        dim=128, layers=3, heads=8, hidden=384, channels=48, grid=(2, 2), block=block, pose=3, rope=(4, 2, 2)
    )
    return Preset(f"block{block}", backbone, patch=16, schedule=0.1, scenes=96)


BLOCK_SIZES = (1, 2, 3, 4, 5)
"""Of the paper's table 4."""

NANO = BackboneSpec(dim=192, layers=4, heads=6, hidden=768, channels=36, grid=(4, 4), block=3, pose=3, rope=(8, 4, 4))

PRESETS = {
    "nano": Preset(name="nano", backbone=NANO, patch=8),
    "nano_text": Preset(name="nano_text", backbone=replace(NANO, words=VOCABULARY), patch=8, begins_as="nano"),
    "pico": Preset(
        name="pico",
        backbone=BackboneSpec(
            dim=64,
            layers=2,
            heads=4,
            hidden=256,
            channels=36,
            grid=(4, 4),
            block=3,
            pose=3,
            rope=(8, 4, 4),
            words=VOCABULARY,
        ),
        patch=8,
        schedule=0.1,
        scenes=48,
    ),
    "small": Preset(
        name="small",
        backbone=BackboneSpec(
            dim=384, layers=8, heads=6, hidden=1536, channels=48, grid=(8, 12), block=3, pose=3, rope=(16, 8, 8)
        ),
        patch=8,
        schedule=10.0,
        rooms=192,
    ),
    **{f"block{size}": _block_preset(size) for size in BLOCK_SIZES},
}
"""``nano``: the one whose weights ship; it takes no text. ``nano_text``: the same with text, for `teacher` and `dmd`;
it begins from the weights of ``nano``. ``pico``: for a first try, a minute or so a stage; it takes
text, and its scores are poor. ``small``: 96x64, canvases and rooms, for a GPU; nobody has trained it yet. ``block1`` to
``block5``: for `magbench ablate block`, alike in all other sizes."""
