"""A suite from another package: coloured stripes that slide away and come back."""

import numpy as np

from magbench.suites.clip import NO_REVISIT, Clip
from magbench.suites.embedded_suite import Embedded

FRAMES, SWITCH, SIZE = 24, 12, 32


def clip(split, number):
    """Make one clip: frame t of the return shows what frame 23 - t showed on the way out."""
    colours = np.random.default_rng([number, split == "dev"]).integers(0, 256, (8, 3), dtype=np.uint8)
    picture = np.repeat(colours, 16, axis=0)[None].repeat(SIZE, axis=0)
    out = np.stack([picture[:, 3 * t : 3 * t + SIZE] for t in range(SWITCH)])
    revisit = np.full(FRAMES, NO_REVISIT)
    revisit[SWITCH:] = np.arange(SWITCH)[::-1]
    return Clip(
        id=f"stripes-{number}",
        caption="coloured stripes",
        category="pan",
        speed="slow",
        fps=16,
        switch=SWITCH,
        frames=np.concatenate([out, out[::-1]]),
        pose=None,
        revisit=revisit,
    )


SUITE = Embedded(
    name="stripes",
    version=1,
    fps=16,
    window=5,
    licence="Apache-2.0",
    clip=clip,
    counts={"test": 3},
    digest={"test": "dcdd29224ce6c53842b1ad68ba5b170e9538b746f96f085988571149db8ea581"},
    summary="coloured stripes that slide away and come back, 3 clips",
)
