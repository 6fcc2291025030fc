"""Joint training without data: it can be stopped at any step, nobody else is trained, and the world is what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mag_model.memory.policy import FullHistory, Mag
from mag_model.nano.backbone import Backbone, Posed
from mag_model.nano.text import bags
from mag_model.rollout import rollout, seeded
from mag_model.training import cells
from mag_model.training.checkpoint import Progress
from mag_model.training.dmd import Cast, Matching, match
from magbench.core.errors import MagbenchError
from tests.tiny import SPEC as PLAIN
from tests.tiny import clip_of, random_backbone

SPEC = replace(cells.SPEC, dim=24, heads=2, hidden=24, layers=1)
HOW = Matching(frames=18, window=6, critic_updates=2, batch=2)


def parts() -> Cast:
    return Cast(*(random_backbone(seed, SPEC) for seed in (0, 1, 2)), Mag(first_block_whole=False))


def test_twenty_steps_in_pieces_are_twenty_steps_to_the_bit(tmp_path: Path) -> None:
    whole = match(parts(), cells.Cells(), HOW, Progress("dmd", "tiny", 3, 20), tmp_path / "whole.safetensors")
    pieces: dict[str, Tensor] = {}
    for until in (7, 13, None):
        # Other weights to begin with: all that counts is in the checkpoint.
        mine = parts()
        if until != 7:
            torch.nn.init.zeros_(mine.generator.head.weight)
        progress = Progress("dmd", "tiny", 3, 20)
        pieces = match(mine, cells.Cells(), HOW, progress, tmp_path / "pieces.safetensors", until=until)
    assert whole.keys() == pieces.keys()
    assert all(torch.equal(whole[name], pieces[name]) for name in whole)
    assert (tmp_path / "whole.safetensors").read_bytes() == (tmp_path / "pieces.safetensors").read_bytes()
    other = Progress("dmd", "tiny", 4, 20)
    with pytest.raises(MagbenchError, match="seed is 3, not 4"):
        match(parts(), cells.Cells(), HOW, other, tmp_path / "pieces.safetensors")


def test_writer_and_teacher_stay_as_they_are(tmp_path: Path) -> None:
    mine = parts()
    lines: list[dict[str, float]] = []
    match(mine, cells.Cells(), HOW, Progress("dmd", "tiny", 0, 2), tmp_path / "x.safetensors", note=lines.append)
    for network, seed in ((mine.writer, 1), (mine.teacher, 2)):
        before = random_backbone(seed, SPEC).state_dict()
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert [line["step"] for line in lines] == [1, 2]
    assert all(line["critic"] > 0 and line["gradient"] > 0 for line in lines)


def test_no_window_of_the_cells_shows_a_place_twice() -> None:
    for first in range(0, len(cells.PLACE) - 6 + 1, 3):
        assert len(set(cells.PLACE[first : first + 6].tolist())) == 6


def test_what_is_read_is_what_was_filmed() -> None:
    random = torch.Generator().manual_seed(0)
    scenes = cells.draw(8, random)
    style, code = cells.read(scenes.film(random))
    assert torch.equal(style, scenes.style[:, None, None].expand_as(style))
    assert torch.equal(code, scenes.code[:, cells.PLACE])
    assert scenes.text.shape == (8, 18, len(cells.STYLES) + 1)
    assert torch.equal(scenes.text[..., :-1].argmax(-1), scenes.style[:, None].expand(-1, 18))


def test_a_bag_of_words() -> None:
    found = bags(["Red, blue and red", "", "nothing known"], ("blue", "green", "red"))
    assert found.tolist() == [[0.5, 0, 0.5, 0], [0, 0, 0, 1], [0, 0, 0, 1]]


def test_text_is_heard_and_no_text_is_the_empty_one() -> None:
    spec = replace(PLAIN, words=("red", "blue"))
    network, (latents, pose) = random_backbone(0, spec), clip_of(spec, 6)

    def made(text: Tensor | None) -> Tensor:
        told = Posed(network, pose, torch.arange(6), text)
        return torch.cat(list(rollout(told, FullHistory(), latents[:, :3], 6, seeded(0))), 1)

    red, blue, none = (bags([word] * 2, spec.words)[:, None].expand(-1, 6, -1) for word in ("red", "blue", ""))
    assert torch.equal(made(none), made(None))
    assert not torch.allclose(made(red), made(blue))
    assert not torch.allclose(made(red), made(None))


def test_a_network_without_words_has_no_text() -> None:
    assert "text.weight" not in Backbone(PLAIN).state_dict()
    assert "text.weight" in Backbone(SPEC).state_dict()
