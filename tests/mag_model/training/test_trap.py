"""The trap's ablation: probes are shares, what is there is kept, and a stop in between changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from mag_model.training import trap
from mag_model.training.cells import EVERY, HELD_OUT, NOISE, PLACE, SPEC, STYLES, TRAINED, Cells, draw, read
from tests.tiny import random_backbone

SIZES = trap.Sizes(reads=2, text=2, teacher=2, updates=2, batch=2)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trap, "SCENES", 4)
    monkeypatch.setattr(trap, "SHARES", (0.0, 0.6))


@pytest.mark.rare
def test_a_stop_changes_nothing_and_what_is_there_is_kept(tmp_path: Path) -> None:
    whole = trap.run(tmp_path / "whole", 1, SIZES, ("text",))
    assert [path.stem for path in whole] == ["text-start", "text-lambda0-seed0", "text-lambda0.6-seed0"]
    asked = 0

    def third() -> bool:
        nonlocal asked
        asked += 1
        return asked == 2

    halves = trap.run(tmp_path / "halves", 1, SIZES, ("text",), stop=third)
    assert len(halves) == 1
    halves = trap.run(tmp_path / "halves", 1, SIZES, ("text",))
    assert [p.read_text() for p in halves] == [p.read_text() for p in whole]
    stamps = [path.stat().st_mtime_ns for path in whole]
    assert trap.run(tmp_path / "whole", 1, SIZES, ("text",)) == whole
    assert [path.stat().st_mtime_ns for path in whole] == stamps
    assert json.loads(whole[2].read_text())["lambda"] == 0.6


def test_an_arm_for_each_start_lambda_and_seed_whole_comparisons_first() -> None:
    names = [arm.name for arm in trap.arms(2, tuple(trap.STARTS))]
    assert names[:3] == ["reads-lambda0-seed0", "reads-lambda0.6-seed0", "reads-lambda0-seed1"]
    assert len(set(names)) == len(names) == 8


def test_probes_are_shares_of_each_scene() -> None:
    found = trap.probe(random_backbone(0, SPEC), random_backbone(1, SPEC))
    assert found.keys() == trap.MEASURES.keys()
    assert all(len(values) == 4 and min(values) >= 0 and max(values) <= 1 for values in found.values())


def test_the_distance_to_the_nearest_cell() -> None:
    latents = draw(2, torch.Generator().manual_seed(0)).film(torch.Generator().manual_seed(1))
    assert latents.shape == (2, len(PLACE), SPEC.channels, *SPEC.grid)
    far = trap._distance(latents)
    assert float(far.mean()) == pytest.approx(NOISE, rel=0.1)
    off = EVERY[:1, :, None, None].expand(-1, -1, *SPEC.grid)[:, None] + 0.01
    assert float(trap._distance(off).max()) == pytest.approx(0.01, rel=1e-2)


def test_texts_of_probes_are_in_no_training_but_their_words_are() -> None:
    assert sorted((*TRAINED, *HELD_OUT)) == list(range(len(STYLES)))
    words = [{word for style in styles for word in STYLES[style].split()} for styles in (TRAINED, HELD_OUT)]
    assert words[0] == words[1] == set(SPEC.words)
    random = torch.Generator().manual_seed(0)
    assert set(draw(2000, random).style.tolist()) == set(TRAINED)
    assert set(draw(200, random, HELD_OUT).style.tolist()) == set(HELD_OUT)
    _, text = Cells().tell(2000, 3, random)
    told = {" ".join(SPEC.words[word] for word in row.nonzero().flatten().tolist()) for row in text[:, 0]}
    assert told == {STYLES[style] for style in TRAINED}


def test_a_cell_is_read_as_what_it_was_drawn_from() -> None:
    random = torch.Generator().manual_seed(0)
    scenes = draw(20, random, tuple(range(len(STYLES))))
    style, code = read(scenes.film(random))
    assert (style == scenes.style[:, None, None]).all()
    assert (code == scenes.code[:, PLACE]).all()


def test_no_window_of_the_teacher_holds_a_place_twice() -> None:
    for first in range(0, len(PLACE) - trap.WINDOW + 1, SPEC.block):
        assert len(set(PLACE[first : first + trap.WINDOW].tolist())) == trap.WINDOW
