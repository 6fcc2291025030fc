"""Joint training without data: it can be stopped at any step, nobody else is trained, and the world is what it says."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mag_model.memory.attention import SequenceAttention
from mag_model.memory.policy import FullHistory, Mag
from mag_model.nano import presets
from mag_model.nano.backbone import Backbone, Posed
from mag_model.nano.checkpoint import load_backbone, save_weights
from mag_model.nano.text import bags
from mag_model.rollout import rollout, seeded
from mag_model.training import cells, train_dmd
from mag_model.training.checkpoint import Progress
from mag_model.training.data import Batch
from mag_model.training.dmd import Cast, Matching, Openings, make_openings, match, windows_of_rollout
from mag_model.training.loss import FINE, Levels, window_loss
from mag_model.training.texts import Captioned, load_contents, recoloured, texts_of
from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.suites.worlds.canvas import FILLS, SHAPES
from tests.tiny import SPEC as PLAIN
from tests.tiny import clip_of, random_backbone

SPEC = replace(cells.SPEC, dim=24, heads=2, hidden=24, layers=1)
FRAMES = len(cells.PLACE)
HOW = Matching(frames=FRAMES, window=6, critic_updates=2, batch=2)


def _reached(progress: Progress, step: int) -> bool:
    return progress.step >= step


def parts() -> Cast:
    return Cast(*(random_backbone(seed, SPEC) for seed in (0, 1, 2)), Mag(first_block_whole=False))


@pytest.mark.parametrize("how", [HOW, replace(HOW, opening=6, openings=3, looks=2, head_start=4, critic_updates=1)])
def test_twenty_steps_in_pieces_are_twenty_steps_to_the_bit(how: Matching, tmp_path: Path) -> None:
    whole = match(parts(), cells.Cells(), how, Progress("dmd", "tiny", 3, 20), tmp_path / "whole.safetensors")
    pieces: dict[str, Tensor] = {}
    for until in (7, 13, 20):
        # Other weights to begin with: all that counts is in the checkpoint.
        mine = parts()
        if until != 7:
            torch.nn.init.zeros_(mine.generator.head.weight)
        progress = Progress("dmd", "tiny", 3, 20)
        path, done = tmp_path / "pieces.safetensors", partial(_reached, progress, until)
        pieces = match(mine, cells.Cells(), how, progress, path, stop=done)
    assert whole.keys() == pieces.keys()
    assert all(torch.equal(whole[name], pieces[name]) for name in whole)
    assert (tmp_path / "whole.safetensors").read_bytes() == (tmp_path / "pieces.safetensors").read_bytes()
    other = Progress("dmd", "tiny", 4, 20)
    with pytest.raises(MagbenchError, match="seed is 3, not 4"):
        match(parts(), cells.Cells(), how, other, tmp_path / "pieces.safetensors")


def test_writer_and_teacher_stay_as_they_are(tmp_path: Path) -> None:
    mine = parts()
    lines: list[dict[str, float]] = []
    match(mine, cells.Cells(), HOW, Progress("dmd", "tiny", 0, 2), tmp_path / "x.safetensors", note=lines.append)
    for network, seed in ((mine.writer, 1), (mine.teacher, 2)):
        before = random_backbone(seed, SPEC).state_dict()
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert [line["step"] for line in lines] == [1, 2]
    assert all(line["critic"] > 0 and line["gradient"] > 0 for line in lines)


def test_windows_of_a_rollout_follow_one_another() -> None:
    how = replace(HOW, window=3, windows=3)
    mine, seen = parts(), set()
    for seed in range(8):
        made, pose, text = windows_of_rollout(mine, Numbered(), how, torch.Generator().manual_seed(seed))
        assert made.shape[:2] == pose.shape[:2] == text.shape[:2] == (6, 3)
        frame = pose[..., 0].long().unflatten(0, (2, 3)).flatten(1)
        first = int(frame[0, 0])
        assert torch.equal(frame, first + torch.arange(9).expand(2, 9))
        assert torch.equal(text[..., 1].long(), pose[..., 0].long())
        seen.add(first)
    assert seen == {0, 3}


def test_a_rollout_goes_on_from_what_the_teacher_makes_and_no_window_holds_that() -> None:
    how = replace(HOW, frames=18, window=3, windows=2, opening=6, openings=3)
    begun = make_openings(parts().teacher, Numbered(), how, seed=0)
    assert begun.made.shape == (3, 6, SPEC.channels, *SPEC.grid)
    assert begun.pose.shape[:2] == begun.text.shape[:2] == (3, 18)
    seen = set()
    for seed in range(12):
        made, pose, _ = windows_of_rollout(parts(), Numbered(), how, torch.Generator().manual_seed(seed), begun)
        assert made.shape[:2] == (4, 3)
        seen.add(int(pose[0, 0, 0]))
    assert seen == {6, 9, 12}
    other = make_openings(random_backbone(9, SPEC), Numbered(), how, seed=0)
    one, two = (
        windows_of_rollout(parts(), Numbered(), how, torch.Generator().manual_seed(0), first)[0]
        for first in (begun, other)
    )
    assert not torch.equal(one, two)


def test_what_one_draws_of_openings_is_what_they_are() -> None:
    pose, text, made = torch.arange(3.0)[:, None, None], torch.arange(3.0)[:, None, None], torch.arange(3.0)
    drawn = Openings(pose, text, made).draw(64, torch.Generator().manual_seed(0))
    assert torch.equal(drawn[0].flatten(), drawn[2])
    assert torch.equal(drawn[1].flatten(), drawn[2])
    assert set(drawn[2].tolist()) == {0, 1, 2}


class Numbered:
    """A world in which a camera, and what is told of it, is the number of its frame."""

    def tell(self, batch: int, frames: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        number = torch.arange(frames).expand(batch, frames)[..., None].float()
        return number.double() * torch.tensor([1.0, 0, 0]), number * torch.eye(len(SPEC.words) + 1)[1]


def test_many_windows_are_matched_as_one_is(tmp_path: Path) -> None:
    how = replace(HOW, window=3, windows=4, levels=FINE)
    lines: list[dict[str, float]] = []
    progress = Progress("dmd", "tiny", 0, 2)
    match(parts(), cells.Cells(), how, progress, tmp_path / "x.safetensors", note=lines.append)
    assert all(line["critic"] > 0 and line["gradient"] > 0 for line in lines)


def test_a_look_is_an_update_of_the_critic_and_it_may_begin_alone(tmp_path: Path) -> None:
    before = random_backbone(0, SPEC).state_dict()
    lines: list[dict[str, float]] = []
    for steps, looks, same in ((2, 3, True), (3, 3, False), (2, 1, True)):
        mine, path = parts(), tmp_path / f"{steps}-{looks}.safetensors"
        how = replace(HOW, head_start=2, looks=looks)
        match(mine, cells.Cells(), how, Progress("dmd", "tiny", 0, steps), path, note=lines.append)
        after = mine.generator.state_dict()
        assert all(torch.equal(before[name], after[name]) for name in before) == same
    assert [line["gradient"] > 0 for line in lines] == [False, False, False, False, True, False, False]
    assert lines[0]["critic"] != lines[-2]["critic"]  # the last of three looks, the last of one


def test_no_window_of_the_cells_shows_a_place_twice() -> None:
    for first in range(0, len(cells.PLACE) - 6 + 1, 3):
        assert len(set(cells.PLACE[first : first + 6].tolist())) == 6


def test_what_is_read_is_what_was_filmed() -> None:
    random = torch.Generator().manual_seed(0)
    scenes = cells.draw(8, random)
    style, code = cells.read(scenes.film(random))
    assert torch.equal(style, scenes.style[:, None, None].expand_as(style))
    assert torch.equal(code, scenes.code[:, cells.PLACE])
    words = cells.SPEC.words
    assert scenes.text.shape == (8, FRAMES, len(words) + 1)
    for told, one in zip(scenes.text, scenes.style.tolist(), strict=True):
        heard = {word for word, share in zip(words, told[0].tolist(), strict=False) if share}
        assert heard == set(cells.STYLES[one].split()) and torch.equal(told, told[:1].expand(FRAMES, -1))


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


WORDS = ("black", "white", "red", "discs", "rings")


def _contents(folder: Path) -> None:
    """Two scenes: black and white discs, red rings."""
    painted = np.zeros((2, len(SHAPES), len(FILLS)))
    painted[0, SHAPES.index("discs"), 0] = painted[1, SHAPES.index("rings"), 0] = 1.0
    palette = np.array([[0.1, 0.1, 0.1], [0.9, 0.9, 0.9], [0.8, 0.15, 0.15]])
    np.savez(folder / "contents-train-2.npz", colours=[2, 1], palette=palette, painted=painted)


def test_captions_follow_the_colours_of_the_clip(tmp_path: Path) -> None:
    _contents(tmp_path)
    contents = load_contents(tmp_path, 2, 1, Quiet())
    nothing = torch.zeros(2, 3, 3)
    order = np.array([[0, 1, 2], [1, 0, 2]])
    batch = Batch(nothing, nothing, torch.arange(3), nothing, np.array([0, 1]), order, np.array([True, False]))
    told = texts_of(contents, batch, WORDS)
    assert told.shape == (2, 3, len(WORDS) + 1)
    assert told[0, 0].tolist() == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3, 0, 0])  # inverted: white and black
    assert told[1, 0].tolist() == [0, 0, 0, 0, 1, 0]  # green rings, and green is no known word
    np.testing.assert_allclose(recoloured(contents[1], np.array([1, 0, 2]), True).palette, [[0.85, 0.2, 0.85]])


def test_the_stage_trains_without_data_and_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = replace(PLAIN, words=WORDS)
    preset = replace(presets.PRESETS["pico"], name="tiny", backbone=spec, scenes=2)
    monkeypatch.setattr(train_dmd, "HOW", replace(HOW, frames=9, critic_updates=1))
    _contents(tmp_path)
    for seed, part in enumerate(("flow", "memory", "teacher")):
        save_weights(tmp_path / f"{part}.safetensors", random_backbone(seed, spec).state_dict(), preset, part)
    assert train_dmd.train_dmd(preset, tmp_path, steps=2, minutes=0) is None
    lines: list[dict[str, float]] = []
    assert train_dmd.train_dmd(preset, tmp_path, steps=2, report=lines.append) == tmp_path / "dmd.safetensors"
    assert [line["step"] for line in lines] == [1, 2]
    before, after = load_backbone(preset, "flow", tmp_path), load_backbone(preset, "dmd", tmp_path)
    assert any(not torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True))
    with pytest.raises(MagbenchError, match="takes no text"):
        train_dmd.train_dmd(presets.PRESETS["nano"], tmp_path)


def test_a_world_of_captions_tells_cameras_and_texts_alone(tmp_path: Path) -> None:
    _contents(tmp_path)
    world = Captioned(load_contents(tmp_path, 2, 1, Quiet()), WORDS)
    pose, text = world.tell(3, 12, torch.Generator().manual_seed(0))
    again, _ = world.tell(3, 12, torch.Generator().manual_seed(0))
    assert pose.shape == (3, 12, 3)
    assert torch.equal(pose, again)
    assert text.shape == (3, 12, len(WORDS) + 1)
    torch.testing.assert_close(text.sum(-1), torch.ones(3, 12))


def test_the_teacher_looks_both_ways() -> None:
    latents, pose = clip_of(PLAIN, 6)
    network = random_backbone(0)
    told = Posed.along(network, pose)
    first = window_loss(Levels(), told, latents, torch.arange(6), torch.Generator().manual_seed(0))
    assert first > 0
    latents.requires_grad_()
    frame = torch.arange(6)
    seen = told.at(frame)(latents, torch.zeros(2, 6), cells_attention(frame))
    (back,) = torch.autograd.grad(seen[:, 0].sum(), latents)
    assert back[:, 5].abs().max() > 0


def cells_attention(frame: Tensor) -> SequenceAttention:
    return SequenceAttention(PLAIN.turning.turns(frame))
