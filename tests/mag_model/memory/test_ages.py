"""What can be read of what was shown so long ago: against counts by hand."""

from __future__ import annotations

import pytest

from baselines.policies.heavy_hitters import HeavyHitters
from baselines.policies.mag_deep import MagDeep
from baselines.policies.pose_retrieval import PoseRetrieval
from baselines.policies.quantised import Quantised
from baselines.policies.strided import Strided
from baselines.policies.window import Window
from mag_model.memory.ages import remembered
from mag_model.memory.policy import CachePolicy, FullHistory, Mag

DAY = 24 * 3600 * 16


@pytest.mark.parametrize(
    ("policy", "known", "kept"),
    [
        (FullHistory(), (1, 1, 1), 1),
        (Window(frames=6), (1, 1 / 4, 0), 6 / 30),
        (Strided(stride=3, sink=0), (1 / 3, 1 / 3, 1 / 3), 1 / 3),
        (Mag(first_block_whole=False), (1, 1, 1), 1 / 3),  # packed: each frame stands for its block
        (PoseRetrieval(frames=1), (1, 1, 1), 1),
    ],
    ids=str,
)
def test_shares_of_thirty_frames(policy: CachePolicy, known: tuple[float, ...], kept: float) -> None:
    found = remembered(policy, 30, 3, (3, 15, 30))
    assert found.known == pytest.approx(known) and found.kept == pytest.approx(kept)
    assert not found.at_most


def test_a_cache_of_tokens_can_know_no_more_frames_than_it_has_room_for() -> None:
    found = remembered(HeavyHitters(frames=6, recent=3), 300, 3, (9, 90, 300))
    assert found.at_most
    assert found.known == pytest.approx((1, 9 / 81, 9 / 210))


def test_a_day_is_looked_at_at_once() -> None:
    assert remembered(Mag(first_block_whole=False), DAY, 3, (16, DAY)).known == (1, 1)
    deep = remembered(MagDeep(near=4, group=3), DAY, 3, (12, DAY))
    assert deep.known[0] == 1 and deep.known[1] == pytest.approx(1 / 3, abs=1e-4)
    assert deep.kept == pytest.approx(1 / 9, abs=1e-4)


def test_fewer_bits_weigh_less() -> None:
    """Of 32 channels in 32 bits: 16 bytes of codes and 4 of zero and step, of 128."""
    assert remembered(Quantised(4, Mag(first_block_whole=False)), 30, 3, (30,)).kept == pytest.approx(20 / 128 / 3)
