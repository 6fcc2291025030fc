"""A suite of six made-up clips, for reports that need pixels."""

from __future__ import annotations

import numpy as np
import pytest

from magbench.suites.clip import NO_REVISIT, Clip
from magbench.suites.format import Suite, load_suite, write_suite
from tests.report.synthetic import CLIPS, FRAMES, SWITCH, WINDOW, gaps

MADE = CLIPS[:6]


def clip_of(name: str) -> Clip:
    rng = np.random.default_rng(CLIPS.index(name))
    gap = np.array(gaps(name))
    revisit = np.full(FRAMES, NO_REVISIT)
    revisit[SWITCH:] = np.maximum(np.arange(SWITCH, FRAMES) - gap, 0)
    frames = rng.integers(0, 256, (FRAMES, 32, 32, 3), dtype=np.uint8)
    speed = name.rsplit("-", 1)[1]
    return Clip(
        id=name,
        caption="",
        category="pan",
        speed=speed,
        fps=16,
        switch=SWITCH,
        frames=frames,
        pose=None,
        revisit=revisit,
    )


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    folder = tmp_path_factory.mktemp("suites") / "synthetic"
    clips = [clip_of(name) for name in MADE]
    write_suite(folder, clips, name="revisit-nano", version=1, split="test", fps=16, window=WINDOW, licence="CC0-1.0")
    return load_suite(folder)
