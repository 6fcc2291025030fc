"""Training: the splits are disjoint, a step can be repeated, and an interrupted run ends as an uninterrupted one."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mag_model.nano import presets
from mag_model.training import loop as run_module
from mag_model.training import stages
from mag_model.training.checkpoint import cut_log
from mag_model.training.data import ClipShape, choose_frames, draw_batch, load_pool, shown_before
from mag_model.training.loop import train
from mag_model.training.probe import PackingProbe
from mag_model.training.stages import Cycle, Phase
from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.suites.embedded.revisit_nano import CLIPS, FIRST_SEED, SEEDS_PER_SPLIT, clip, scene, scene_seed
from magbench.suites.worlds.paths import KINDS, camera_path, revisits

SCENES = 2


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real stages on a backbone of 8 channels, with 6 steps each and no development scores."""
    nano = presets.PRESETS["nano"]
    spec = replace(nano.backbone, dim=48, heads=2, hidden=48, layers=2, channels=8)
    monkeypatch.setitem(presets.PRESETS, "tiny", replace(nano, name="tiny", backbone=spec))
    for name, stage in stages.STAGES.items():
        shape = ClipShape(blocks=2, batch=2, leap=2)
        monkeypatch.setitem(stages.STAGES, name, replace(stage, cycles=(Cycle(1e-3, (Phase(6, shape),)),)))
    monkeypatch.setattr(run_module, "evaluate", lambda *given: {})
    monkeypatch.setattr(run_module, "SAVE_EVERY", 2)


def run(stage: str, out: Path, **options: Any) -> Path | None:
    return train(stages.STAGES[stage], presets.PRESETS["tiny"], out, **options)


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    load_pool(folder, SCENES, workers=1, progress=Quiet())
    return folder / f"scenes-train-{SCENES}.npy"


def _folder(path: Path, scenes: Path) -> Path:
    path.mkdir()
    (path / scenes.name).symlink_to(scenes)
    return path


def test_seeds_of_the_splits_are_disjoint() -> None:
    first = {split: scene_seed(split, 0) for split in FIRST_SEED}
    last = {split: scene_seed(split, SEEDS_PER_SPLIT - 1) for split in FIRST_SEED}
    for a in first:
        for b in first:
            assert a == b or last[a] < first[b] or last[b] < first[a]
    assert max(CLIPS.values()) <= SEEDS_PER_SPLIT
    with pytest.raises(ValueError, match="not in"):
        scene_seed("train", SEEDS_PER_SPLIT)


def test_training_takes_scenes_from_the_training_split_alone(scenes: Path) -> None:
    pool = np.load(scenes)
    for index in range(SCENES):
        assert np.array_equal(pool[index].transpose(1, 2, 0), scene("train", index))


def test_a_batch_depends_on_its_generator_alone(scenes: Path) -> None:
    pool = torch.from_numpy(np.load(scenes))
    first, again, other = (
        draw_batch(pool, ClipShape(2, 2, leap=3), 3, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first.frames, again.frames)
    assert torch.equal(first.frame, again.frame)
    assert not torch.equal(first.frames, other.frames)
    assert first.frames.shape == (2, 6, 3, 32, 32)
    assert bool((first.frame.diff() >= 1).all())


def test_clips_that_are_whole_paths_are_the_same_for_every_block_size(scenes: Path) -> None:
    pool = torch.from_numpy(np.load(scenes))
    batches = [draw_batch(pool, ClipShape(60 // b, 2), b, np.random.default_rng(1)) for b in (1, 2, 3, 4, 5)]
    for batch in batches:
        assert torch.equal(batch.frames, batches[0].frames)
        assert torch.equal(batch.pose, batches[0].pose)
        assert torch.equal(batch.frame, torch.arange(60))


@pytest.mark.parametrize("block", [1, 2, 3, 4, 5])
def test_clips_of_every_stage_are_whole_blocks_of_any_size(block: int, scenes: Path) -> None:
    pool = torch.from_numpy(np.load(scenes))
    shapes = {phase.clips for stage in stages.STAGES.values() for cycle in stage.cycles for phase in cycle.phases}
    for shape in shapes:
        batch = draw_batch(pool, replace(shape, batch=2), block, np.random.default_rng(0))
        assert batch.frames.shape[1] == len(batch.frame) == shape.blocks * block
        assert bool(batch.pose.isfinite().all())
        assert bool((batch.frame.unflatten(0, (-1, block)).diff(dim=1) == 1).all())


@pytest.mark.parametrize("block", [1, 5])
def test_stages_take_a_step_at_other_block_sizes(
    block: int, scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of clips with 24 given frames and 48 in all, 5 divides neither."""
    monkeypatch.setattr("mag_model.training.evaluate.development_clips", lambda: [clip("dev", 0)])
    preset = presets.PRESETS[f"block{block}"]
    preset = replace(preset, backbone=replace(preset.backbone, dim=32, hidden=32, heads=2, layers=2, channels=8))
    folder = _folder(tmp_path / "run", scenes)
    for name in ("base", "memory", "joint"):
        assert train(stages.STAGES[name], preset, folder, scenes=SCENES, steps=1) is not None
    scores = json.loads((folder / "memory.jsonl").read_text().splitlines()[-1])
    assert {"return", "packed"} < scores.keys()
    assert all(math.isfinite(value) for value in scores.values())


@pytest.mark.parametrize("kept", [0, 2])
def test_the_probe_reads_the_kept_frame(kept: int) -> None:
    spec = presets.PRESETS["block3"].backbone
    probe = PackingProbe(spec, kept)
    random = torch.Generator().manual_seed(0)
    latents = torch.randn(2, 6, spec.channels, *spec.grid, generator=random)
    shape = (2, 6, spec.tokens, spec.heads, spec.head_dim)
    values = [torch.randn(shape, generator=random) for _ in range(spec.layers)]

    def error(values: list[torch.Tensor]) -> float:
        return float(probe([(v.flatten(1, 2), v.flatten(1, 2)) for v in values], latents).detach())

    before = error(values)
    for frame in range(3):
        other = [v.clone() for v in values]
        for v in other:
            v[:, frame::3] += 1
        assert (error(other) == before) == (frame != kept)


@pytest.mark.parametrize("kind", KINDS)
def test_chosen_blocks_are_whole_and_hold_what_they_repeat(kind: str) -> None:
    rng = np.random.default_rng(0)
    path = camera_path(kind, "fast", rng, switch=18, frames=48)
    seen = revisits(path)
    repeated = by_chance = 0
    for _ in range(50):
        frames = choose_frames(path, 12, 3, rng)
        assert np.array_equal(frames.reshape(4, 3) % 3, [[0, 1, 2]] * 4)
        assert np.array_equal(frames, np.unique(frames))
        repeated += np.isin(seen[frames], frames).sum()
        any_four = (np.sort(rng.permutation(16)[:4])[:, None] * 3 + np.arange(3)).reshape(-1)
        by_chance += np.isin(seen[any_four], any_four).sum()
    assert repeated > 2 * by_chance


def test_the_share_of_a_view_that_was_shown() -> None:
    still, half, away, inside = (0.0, 0.0, 0.0), (0.5, 0.0, 0.0), (3.0, 3.0, 0.0), (0.25, 0.25, math.log(0.5))
    wider = (0.0, 0.0, math.log(2))
    cameras = torch.tensor([[still, still, half, away, inside, wider]]).double()
    torch.testing.assert_close(shown_before(cameras, 1), torch.tensor([[0.0, 1.0, 0.5, 0.0, 1.0, 0.25]]))
    torch.testing.assert_close(shown_before(cameras, 2)[0, :3], torch.tensor([0.0, 0.0, 0.5]))


def test_learning_rate_rises_and_falls_in_each_cycle() -> None:
    shape = ClipShape(2, 2)
    cycles = (Cycle(1.0, (Phase(100, shape), Phase(100, shape))), Cycle(0.5, (Phase(100, shape),)))
    stage = replace(stages.STAGES["base"], cycles=cycles)
    rates = [stage.at(step)[1] for step in range(stage.steps)]
    assert rates[0] == pytest.approx(1 / 60, rel=1e-2)
    assert rates[100] == pytest.approx(0.05 + 0.95 / 2)
    assert rates[199] < 0.06
    assert max(rates[200:]) < 0.5
    with pytest.raises(ValueError, match="has 300 steps"):
        stage.at(300)


def test_three_stages_and_an_interrupted_one(tiny: None, scenes: Path, tmp_path: Path) -> None:
    whole = _folder(tmp_path / "whole", scenes)
    for stage in ("base", "memory", "joint"):
        path = run(stage, whole, scenes=SCENES, seed=3)
        assert path == whole / f"{stage}.safetensors"

    halves = _folder(tmp_path / "halves", scenes)
    stopped = False

    def stop(line: dict[str, float]) -> None:
        nonlocal stopped
        if not stopped:
            stopped = True
            raise KeyboardInterrupt

    assert run("base", halves, scenes=SCENES, seed=3, minutes=0) is None
    with pytest.raises(KeyboardInterrupt):
        run("base", halves, scenes=SCENES, seed=3, report=stop)
    assert run("base", halves, scenes=SCENES, seed=3) is not None
    there, here = (load_file(folder / "base.safetensors") for folder in (whole, halves))
    assert there.keys() == here.keys()
    assert all(torch.equal(there[name], here[name]) for name in there)
    steps = [[json.loads(line)["step"] for line in (folder / "base.jsonl").open()] for folder in (whole, halves)]
    assert steps[0] == steps[1]


def test_the_flow_of_another_network_is_imitated_and_can_be_stopped(tiny: None, scenes: Path, tmp_path: Path) -> None:
    whole = _folder(tmp_path / "whole", scenes)
    for stage in ("base", "memory", "joint"):
        run(stage, whole, scenes=SCENES, seed=3)
    parts = {path.name: path.read_bytes() for path in whole.glob("*.safetensors")}
    halves = _folder(tmp_path / "halves", scenes)
    for name, stored in parts.items():
        if "checkpoint" not in name:
            (halves / name).write_bytes(stored)
    assert run("flow", whole, scenes=SCENES, seed=3) is not None
    assert run("flow", halves, scenes=SCENES, seed=3, minutes=0) is None
    assert run("flow", halves, scenes=SCENES, seed=3) is not None
    assert (whole / "flow.safetensors").read_bytes() == (halves / "flow.safetensors").read_bytes()
    assert {name: (whole / name).read_bytes() for name in parts} == parts  # nobody else is trained
    before, after = (load_file(whole / f"{stage}.safetensors") for stage in ("joint", "flow"))
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_what_was_done_again_stands_in_the_log_once(tmp_path: Path) -> None:
    log = tmp_path / "base.jsonl"
    lines = [f'{{"step": {step}, "loss": 0.5}}\n' for step in (10, 20, 30)]
    log.write_text("".join(lines) + '{"step": 4')  # killed while it wrote, after a checkpoint of step 20
    cut_log(log, 20)
    assert log.read_text() == "".join(lines[:2])
    cut_log(log, 0)
    assert log.read_text() == ""
    cut_log(tmp_path / "none.jsonl", 5)
    assert not (tmp_path / "none.jsonl").exists()


def test_a_checkpoint_of_another_run_is_refused(tiny: None, scenes: Path, tmp_path: Path) -> None:
    folder = _folder(tmp_path / "run", scenes)
    run("base", folder, scenes=SCENES, seed=0, minutes=0)
    with pytest.raises(MagbenchError, match="another run: seed is 0, not 1"):
        run("base", folder, scenes=SCENES, seed=1)


def test_a_stage_without_the_weights_it_starts_from_says_so(tiny: None, scenes: Path, tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match="no weights of 'base'"):
        run("memory", _folder(tmp_path / "run", scenes), scenes=SCENES)


def test_a_stage_says_whose_weights_it_starts_from(tiny: None, scenes: Path, tmp_path: Path) -> None:
    folder = _folder(tmp_path / "run", scenes)
    said: list[str] = []
    run("base", folder, scenes=SCENES, seed=3, say=said.append)
    assert said == []
    run("memory", folder, scenes=SCENES, seed=3, say=said.append)
    assert said == [f"memory: base from {folder / 'base.safetensors'}"]


def test_the_preparation_counts_as_time(tiny: None, tmp_path: Path) -> None:
    """With no minutes at all the scenes are drawn, and training stops after its first step."""
    shown: list[str] = []

    class Shown:
        def stage(self, label: str, total: int) -> None:
            shown.append(f"{label}: {total}")

        def step(self) -> None:
            pass

    assert run("base", tmp_path / "new", scenes=2, seed=0, minutes=0, shown=Shown()) is None
    assert shown == ["draw 2 training scenes, once: 2"]


def test_a_folder_of_other_files_is_not_trained_into(tiny: None, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(MagbenchError, match="holds files that are not of a training"):
        run("base", tmp_path, scenes=2)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
