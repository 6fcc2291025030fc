"""What a cache still holds of a return: against sets worked out by hand, and simple geometry."""

from __future__ import annotations

import numpy as np
import pytest

from baselines.policies.strided import Strided
from baselines.policies.window_sink import WindowSink
from mag_model.memory.policy import CachePolicy, FullHistory, Mag, Window
from mag_model.memory.views import held_views, reach_of
from magbench.suites.registry import open_suite

BLOCK = 3


def there_and_back(length: int) -> np.ndarray:
    """Frame t of the second half shows what frame length - 1 - t showed."""
    revisit = np.full(length, -1)
    revisit[length // 2 :] = np.arange(length // 2)[::-1]
    return revisit


def by_hand(kept: dict[int, set[int]], revisit: np.ndarray, switch: int) -> list[bool]:
    """Known, view by view, if the cache before each block holds what ``kept`` says."""
    known = {frame: frame < switch for frame in range(len(revisit))}
    for frame in range(switch, len(revisit)):
        block = frame // BLOCK
        held = kept[block] | set(range(block * BLOCK, min(frame, switch)))
        earlier = int(revisit[frame])
        while earlier >= 0 and not known[frame]:
            known[frame] = earlier in held and known[earlier]
            earlier = int(revisit[earlier])
    return [known[frame] for frame in range(switch, len(revisit))]


KEPT = {
    FullHistory(): lambda block: set(range(block * BLOCK)),
    Window(frames=6): lambda block: set(range(max(0, block * BLOCK - 6), block * BLOCK)),
    WindowSink(frames=6, sink=3): lambda block: (
        set(range(min(3, block * BLOCK))) | set(range(max(0, block * BLOCK - 3), block * BLOCK))
    ),
    Strided(sink=0): lambda block: {frame for frame in range(block * BLOCK) if frame % 3 == 2},
    Mag(first_block_whole=False): lambda block: set(range(block * BLOCK)),  # packed: each stands for its block
}


@pytest.mark.parametrize("policy", KEPT, ids=str)
@pytest.mark.parametrize("length", [12, 24, 30])
def test_each_policy_holds_what_a_count_by_hand_says(policy: CachePolicy, length: int) -> None:
    revisit, switch = there_and_back(length), length // 2
    kept = {block: KEPT[policy](block) for block in range(length // BLOCK)}  # type: ignore[index]
    found = held_views(policy, revisit, None, switch, BLOCK)
    assert found.held.astype(bool).tolist() == by_hand(kept, revisit, switch)
    assert found.seen.all()
    assert found.all_frames == length


def test_a_view_that_was_given_twice_is_held_if_one_of_them_is() -> None:
    revisit = np.array([-1, -1, -1, -1, -1, -1, 0, 1, 2, 6, 7, 8])
    assert held_views(Window(frames=3), revisit, None, 9, BLOCK).held.tolist() == [1, 1, 1]
    assert held_views(Window(frames=3), revisit, None, 6, BLOCK).held.tolist() == [0, 0, 0, 0, 0, 0]


def pan(places: list[float]) -> np.ndarray:
    return np.stack([np.array(places), np.zeros(len(places)), np.zeros(len(places))], axis=1)


def test_views_that_overlap_count_with_what_they_share() -> None:
    """Three given frames side by side, then views half a width apart from them."""
    pose = pan([0, 1, 2, 0.5, 1.5, 2.5])
    found = held_views(FullHistory(), np.full(6, -1), pose, 3, BLOCK)
    assert found.held == pytest.approx([1, 1, 0.5])
    only_last = held_views(Window(frames=1), np.full(6, -1), pose, 3, BLOCK)
    assert only_last.held == pytest.approx([0, 0.5, 0.5])


def test_what_was_made_without_knowing_does_not_become_knowledge() -> None:
    """The camera drifts away and back by small steps: each view overlaps the one before, and still nothing is known."""
    away = list(np.arange(0, 12) * 0.5)
    pose = pan([0.0] * 3 + away + away[::-1])
    found = held_views(Window(frames=3), np.full(27, -1), pose, 3, BLOCK)
    assert found.held[:2] == pytest.approx([1, 0.5])
    assert found.held[3:].max() <= 0.5 and found.held[-1] == 0
    whole = held_views(FullHistory(), np.full(27, -1), pose, 3, BLOCK)
    assert whole.held[-1] == 1 and whole.held[12] == 0


def test_a_wider_view_knows_the_part_that_was_given() -> None:
    pose = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, np.log(2)], [0, 0, np.log(0.5)], [0, 0, 0]])
    found = held_views(FullHistory(), np.full(6, -1), pose, 3, BLOCK)
    assert found.held == pytest.approx([0.25, 1, 1])


def test_on_the_default_suite_forgetting_is_the_policys() -> None:
    """Retention of the published run follows what the policies hold."""
    suite = open_suite("revisit-nano")
    clips = [(clip.revisit, clip.pose, clip.switch, clip.out_of_window(suite.window)) for clip in suite.clips[:12]]
    order = (FullHistory(), Mag(), Strided(sink=0), WindowSink(), Window())
    full, mag, strided, sink, window = (reach_of("", policy, clips, BLOCK).far or 0.0 for policy in order)
    assert full == mag == pytest.approx(1, abs=0.01)
    assert 1 > strided > sink > window > 0
