"""Ablations that train: what each setting keeps, equal budgets, and what is tried on the true return."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from baselines import bench as bench_module
from baselines.bench import Bench, Rebuilt, long_clips
from baselines.trained import ABLATIONS, FRAMES, Pair, PairAblation
from cli import main
from mag_model.memory.masks import kept_frames
from mag_model.nano import presets
from mag_model.nano.checkpoint import load_codec, save_weights
from mag_model.nano.codec import PatchCodec
from magbench.generation.sources import make_task
from magbench.suites.clip import NO_REVISIT
from magbench.suites.worlds.canvas import CANVAS
from magbench.video.io import to_float

KEPT = {
    ("block", "1"): [0, 1, 2],
    ("block", "2"): [1, 3, 5],
    ("block", "3"): [2, 5, 8],
    ("block", "4"): [3, 7, 11],
    ("block", "5"): [4, 9, 14],
    ("pair", "last"): [2, 5, 8],
    ("pair", "middle"): [1, 4, 7],
    ("pair", "first"): [0, 3, 6],
    ("pair", "last, sink 2"): [0, 1, 2, 5, 8],
    ("pair", "untrained, last"): [2, 5, 8],
    ("lineage", "mag"): [2, 5, 8],
    ("lineage", "mag, begun as its writer"): [2, 5, 8],
    ("lineage", "full history"): [*range(9)],
    ("lineage", "strided"): [2, 5, 8],
    ("lineage", "window"): [*range(3, 9)],
}
EVERY = [(name, setting) for name, ablation in ABLATIONS.items() for setting in ablation.pairs]
WRITERS_TOO = [(name, setting) for name, setting in EVERY if name != "lineage"]


def against_2(pairs: Mapping[str, Pair]) -> PairAblation:
    """The ablation of block sizes, of some of them, held against a block of 2."""
    block = ABLATIONS["block"]
    return replace(block, pairs=pairs, head=replace(block.head, reference="2"))


@pytest.mark.parametrize(("name", "setting"), EVERY)
def test_what_is_read_is_what_the_setting_says(name: str, setting: str) -> None:
    pair = ABLATIONS[name].pairs[setting]
    assert kept_frames(pair.reader.policy, 3, pair.block).tolist() == KEPT[name, setting]


@pytest.mark.parametrize(("name", "setting"), WRITERS_TOO)
def test_pairs_have_one_budget_and_readers_begin_as_their_writers(name: str, setting: str) -> None:
    pair, first = ABLATIONS[name].pairs[setting], next(iter(ABLATIONS[name].pairs.values()))
    assert [stage.steps for stage in pair.stages] == [stage.steps for stage in first.stages]
    assert pair.reader.start == pair.reader.writer == pair.writer.name
    assert pair.writer.start is pair.writer.writer is None
    for stage in pair.stages:
        assert {stage.at(step)[0].clips.blocks * pair.block for step in range(stage.steps)} == {FRAMES}
    assert pair.writer.packs == ("untrained" not in setting)


@pytest.mark.parametrize("setting", ABLATIONS["lineage"].pairs)
def test_generators_for_every_cache_begin_alike_and_have_one_budget(setting: str) -> None:
    pair, mag = ABLATIONS["lineage"].pairs[setting], ABLATIONS["lineage"].pairs["mag"]
    (mine,), (first,) = pair.stages, mag.stages
    assert mine.start == ("memory" if setting == "mag, begun as its writer" else "base")
    assert not mine.packs  # nobody is shown the block that it is to make
    for step in range(first.steps):
        (clips, rate), (wanted, wanted_rate) = ((at.clips, r) for at, r in (mine.at(step), first.at(step)))
        assert rate == wanted_rate
        assert (clips.blocks, clips.batch, clips.span) == (wanted.blocks, wanted.batch, wanted.span)
    assert mine.writer == {"mag": "memory", "mag, begun as its writer": "memory", "strided": "base"}.get(setting)


def test_presets_of_block_sizes_differ_in_the_block_alone() -> None:
    found = {replace(pair.preset.backbone, block=0) for pair in ABLATIONS["block"].pairs.values()}
    assert len(found) == 1
    assert [pair.preset.backbone.block for pair in ABLATIONS["block"].pairs.values()] == [1, 2, 3, 4, 5]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, dict[str, Pair]]]:
    """Two block sizes of a tiny network, one step a stage, on a scene of noise and through a codec of noise."""
    folder, random = tmp_path_factory.mktemp("trained"), torch.Generator().manual_seed(0)
    np.save(folder / "scenes-train-1.npy", torch.randint(256, (1, 3, CANVAS, CANVAS), generator=random).byte().numpy())
    with pytest.MonkeyPatch.context() as patch:
        pairs = {}
        for block in ("2", "5"):
            pair = ABLATIONS["block"].pairs[block]
            backbone = replace(pair.preset.backbone, dim=32, hidden=32, heads=2, layers=2, channels=8)
            patch.setitem(presets.PRESETS, pair.preset.name, replace(pair.preset, backbone=backbone, scenes=1))
            pairs[block] = pair
            codec = PatchCodec.fit(torch.rand(9, 3, 32, 32, generator=random), 16, 8)
            (place := Bench(folder, 1).at(pair)).mkdir()
            save_weights(place / "codec.safetensors", codec.state_dict(), pair.preset, "codec")
        patch.setattr(bench_module, "CLIPS", 2)
        bench = Bench(folder, seed=1)
        said: list[str] = []
        assert not bench.train_all(pairs, said.append, end=time.monotonic())
        assert not said
        assert not bench.has(pairs)
        assert bench.train_all(pairs, said.append, steps=1)
        assert [line.split(":")[0] for line in said] == ["2, seed 1"] * 2 + ["5, seed 1"] * 2
        assert bench.has(pairs)
        yield bench, pairs


def test_what_is_trained_is_not_trained_again(trained: tuple[Bench, dict[str, Pair]]) -> None:
    bench, pairs = trained
    stamps = {path: path.stat().st_mtime_ns for path in bench.folder.rglob("*.safetensors")}
    assert bench.train_all(pairs, pytest.fail, steps=1)
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


def test_a_contest_names_each_model_once_and_all_of_them_make_the_return(
    trained: tuple[Bench, dict[str, Pair]], tmp_path: Path
) -> None:
    bench, pairs = trained
    suite = long_clips(tmp_path / "suite")
    assert [(clip.switch, len(clip)) for clip in suite.clips] == [(FRAMES, 2 * FRAMES)] * 2
    assert (suite.clips[0].revisit[FRAMES:] != NO_REVISIT).all()
    contest = bench.contest(against_2(pairs), suite)
    assert list(contest.lines) == ["generated, seed 1", "rebuilt, seed 1"]
    names = [name for line in contest.lines.values() for name in line.values()]
    assert sorted(names) == sorted(model.name for model in contest.models)
    assert len(set(names)) == 4
    for model in contest.models:
        frames = torch.cat(list(model.stream(make_task(suite.clips[0], 0))))
        assert frames.shape == (FRAMES, 3, 32, 32)
        assert bool(frames.isfinite().all())


def test_a_block_is_rebuilt_from_itself_alone(trained: tuple[Bench, dict[str, Pair]], tmp_path: Path) -> None:
    bench, pairs = trained
    suite = long_clips(tmp_path / "suite")
    clip, task = suite.clips[0], make_task(suite.clips[0], 0)
    codec = load_codec(pairs["5"].preset, bench.at(pairs["5"]))
    truth = to_float(clip.frames)
    alone = Rebuilt(bench, pairs["5"], None, suite.clips)
    assert torch.equal(torch.cat(list(alone.stream(task))), codec.decode(codec.encode(truth[FRAMES:])))
    other = clip.frames.copy()
    other[FRAMES + 12] = 255 - other[FRAMES + 12]
    found = []
    for shown in (clip, replace(clip, frames=other)):
        found += [torch.cat(list(Rebuilt(bench, pairs["5"], pairs["5"].writer, [shown]).stream(task)))]
    differs = (found[0] != found[1]).flatten(1).any(1)
    assert not differs[:10].any()
    assert not differs[15:].any()
    assert differs[10:15].any()


@pytest.mark.rare
def test_the_command_tabulates_what_is_trained(
    trained: tuple[Bench, dict[str, Pair]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, pairs = trained
    shutil.copytree(bench.folder, tmp_path / "trained")
    for pair in pairs.values():
        place = tmp_path / "trained" / bench.at(pair).name
        place.rename(place.with_name(place.name.replace("seed1", "seed0")))
    monkeypatch.setitem(ABLATIONS, "block", against_2(pairs))
    result = CliRunner().invoke(main, ["ablate", "block", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    page = (tmp_path / "block.md").read_text()
    for start in ("generated, seed 0 | **2** |", "rebuilt, seed 0 | **5** |", "the codec alone | **any** |", "| 5 | "):
        assert start in page
    assert {path.name for path in tmp_path.glob("block.*")} == {"block.md", "block.csv", "block.png"}
