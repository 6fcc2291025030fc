"""The released configurations: how many frames a late block reaches, its own three included."""

from __future__ import annotations

import pytest

from baselines.wan_recipes import RELEASED
from mag_model.memory.masks import reach
from mag_model.wan.weights.catalog import checkpoint

REACH = {
    **{"mag": 21 + 2 + 3, "self-forcing": 21, "causvid": 21, "longlive": 12, "reward-forcing": 9},
    **{"rolling-forcing": 21},
}


@pytest.mark.parametrize("name", RELEASED)
def test_a_late_block_reaches_the_published_number_of_frames(name: str) -> None:
    together = checkpoint(name).spec.rolling_window_blocks
    found = reach(RELEASED[name].policy, 40, 3, together)
    assert found.making + 3 * together == found.writing + 3 == REACH[name]


def test_only_mag_has_a_writer_of_its_own_which_sees_no_prompt() -> None:
    apart = {name for name, way in RELEASED.items() if way.writer != "generator" or not way.writer_sees_prompt}
    assert apart == {"mag"}
