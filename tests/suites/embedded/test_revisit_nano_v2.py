"""revisit-nano-v2: v1's pixels, captions that name no place, clips that explore."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from magbench.suites.clip import NO_REVISIT
from magbench.suites.embedded import revisit_nano as v1
from magbench.suites.embedded.revisit_nano_v2 import EXPLORE, EXPLORING, GIVEN, SUITE, TURN, clip
from magbench.suites.seal import check_suite
from magbench.suites.worlds.canvas import FILLS, SHAPES, Contents
from magbench.suites.worlds.captions import COLOURS, VOCABULARY, caption, colour_names


def test_the_first_clips_are_those_of_v1_with_a_caption() -> None:
    old, new = v1.clip("dev", 3), clip("dev", 3)
    assert np.array_equal(old.frames, new.frames)
    assert np.array_equal(old.pose, new.pose)
    assert np.array_equal(old.revisit, new.revisit)
    assert (old.id, old.category, old.speed, old.switch) == (new.id, new.category, new.speed, new.switch)
    assert old.caption == ""
    words = new.caption.replace(",", "").replace(";", "").split()
    assert set(words) <= {*VOCABULARY, "and", "mostly"}
    assert not new.explores


def test_a_clip_that_explores_returns_to_nothing_that_was_given() -> None:
    found = clip("dev", v1.CLIPS["dev"] + 2)
    assert (found.category, found.switch, len(found)) == (EXPLORE, GIVEN, v1.FRAMES)
    assert found.explores
    assert (found.revisit[:TURN] == NO_REVISIT).all()
    assert found.revisit[TURN:].tolist() == list(range(TURN - 1, GIVEN - 1, -1))
    assert found.caption


def test_kinds_and_speeds_are_balanced() -> None:
    for count in EXPLORING.values():
        assert count % 12 == 0
    assert SUITE.counts == {split: v1.CLIPS[split] + EXPLORING[split] for split in v1.CLIPS}


def test_a_caption_says_what_is_painted_most_and_nothing_of_where() -> None:
    painted = np.zeros((len(SHAPES), len(FILLS)))
    painted[SHAPES.index("rings"), FILLS.index("dotted")] = 2.0
    painted[0, 0] = 1.0
    assert caption(Contents(np.array([[0.8, 0.1, 0.1], [0.12, 0.1, 0.1]]), painted)) == (
        "black and red; mostly dotted rings"
    )
    assert colour_names(np.array(list(COLOURS.values()))) == list(COLOURS)


@pytest.mark.rare
def test_it_is_what_it_was(tmp_path: Path) -> None:
    SUITE.write("dev", tmp_path / "made")
    assert check_suite(tmp_path / "made").digest == SUITE.digest["dev"]
