"""Run one training stage: resumable, within a time budget, with a log and scores on development scenes."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from mag_model.memory.masks import block_masks, kept_frames
from mag_model.nano.backbone import Backbone, Posed
from mag_model.nano.checkpoint import find_weights, load_backbone, load_codec, save_weights
from mag_model.nano.codec import PatchCodec
from mag_model.nano.presets import Preset
from mag_model.training.checkpoint import Progress, cut_log, restore, save
from mag_model.training.data import Batch, ClipShape, load_pool
from mag_model.training.evaluate import evaluate
from mag_model.training.flow_map import flow_map_loss
from mag_model.training.loss import FINE, denoising_loss, window_loss, write_sequence
from mag_model.training.probe import PackingProbe
from mag_model.training.rooms import Scenery, load_rooms
from mag_model.training.stages import Stage
from mag_model.training.texts import load_contents, texts_of
from magbench.core.files import claim
from magbench.core.progress import Progress as Shown
from magbench.core.progress import Quiet
from magbench.core.provenance import usable_cores
from magbench.suites.embedded.revisit_nano import SIZE
from magbench.suites.worlds.canvas import Contents

MADE = ("*.checkpoint.safetensors", "codec.safetensors", "scenes-train-*.npy", "rooms-train-*.npy")
"""What says that a folder was trained into before."""
MEAN_DECAY = 0.995
SAVE_EVERY = 50
EVALUATE_EVERY = 200
WITHOUT_TEXT = 0.15
"""Share of the clips whose text is the empty one, where the network takes text."""
UNSEEN = 0.1
"""Weight of a frame that no earlier block shows, where one that is wholly shown has 1: it cannot be remembered, and its
large error would drown what can be learned."""
NEW = 0.3
"""The same, where another network's flow is imitated: it says what an unseen frame shall be."""

QUIET = Quiet()

Report = Callable[[dict[str, float]], None]


def train(
    recipe: Stage,
    chosen: Preset,
    out: Path,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    scenes: int | None = None,
    pool_in: Path | None = None,
    evaluate_every: int | None = EVALUATE_EVERY,
    device: str = "cpu",
    report: Report = lambda line: None,
    say: Callable[[str], None] = lambda line: None,
    shown: Shown = QUIET,
) -> Path | None:
    """Train a stage; the same call again goes on where the last one stopped.

    Args:
        recipe: what is trained.
        chosen: at which size.
        out: folder for checkpoints, the log and the weights. Stages that start from earlier ones find their weights
            here, or else in the package.
        steps: length of the whole schedule, which shrinks or grows with it; None = the stage's, as the preset has it.
        minutes: stop after this much time, preparation included, resumable.
        seed: decides the initial weights, the clips and the noise.
        scenes: canvases to draw clips from; None = as many as the preset says.
        pool_in: folder where they are kept; None = ``out``.
        evaluate_every: steps between scores on development scenes, which are also taken at the end; None = never. Only
            of presets of their size.
        device: where the network is trained. Clips and noise are drawn on the CPU, the same for every device.
        report: called with each line of the log.
        say: called with a line on what is prepared, and what the stage starts from.
        shown: told how far the preparation is.

    Returns:
        The weights file, or None if the time was up before the last step.
    """
    if threads:
        torch.set_num_threads(threads)
    stage = recipe.name
    total = steps or max(1, round(recipe.steps * chosen.schedule))
    started = time.monotonic()
    claim(out, MADE, "training")
    for part in [part for part in dict.fromkeys((recipe.start, recipe.writer, recipe.flow)) if part]:
        say(came_from(stage, part, chosen, out))
    pool = load_pool(pool_in or out, scenes or chosen.scenes, usable_cores(), shown)
    rooms = load_rooms(pool_in or out, chosen.rooms, chosen.size, shown) if chosen.rooms else None
    scenery = Scenery(pool, chosen.size, rooms)
    words = chosen.backbone.words
    contents = load_contents(pool_in or out, len(pool), usable_cores(), shown) if words else []
    codec = _codec(chosen, recipe, scenery, out)
    torch.manual_seed(seed)
    network = Backbone(chosen.backbone) if recipe.start is None else load_backbone(chosen, recipe.start, out)
    network.to(device)
    writer = network
    if recipe.writer is not None:
        writer = load_backbone(chosen, recipe.writer, out).requires_grad_(False).to(device)
    guide = None if recipe.flow is None else load_backbone(chosen, recipe.flow, out).requires_grad_(False).to(device)
    trained = nn.ModuleDict({"network": network})
    if recipe.probe:
        network.point_at_blocks()
        trained["probe"] = PackingProbe(chosen.backbone, int(kept_frames(recipe.policy, 1, chosen.backbone.block)[-1]))
    trained.to(device)
    mean = {name: value.clone() for name, value in network.state_dict().items()}
    optimizer = torch.optim.AdamW(trained.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
    progress = Progress(stage, chosen.name, seed, total)
    checkpoint = out / f"{stage}.checkpoint.safetensors"
    if checkpoint.exists():
        restore(checkpoint, progress, trained, mean, optimizer)
    log = out / f"{stage}.jsonl"
    cut_log(log, progress.step)

    def note(line: dict[str, float]) -> None:
        with log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        report(line)

    before = progress.seconds
    while progress.step < total:
        step = progress.step
        loss = _step(recipe, trained, writer, guide, codec, scenery, contents, optimizer, step, total, seed)
        decay = min(MEAN_DECAY, (step + 1) / (step + 10))
        for name, value in network.state_dict().items():
            mean[name].lerp_(value, 1 - decay)
        progress.step += 1
        progress.seconds = before + time.monotonic() - started
        if progress.step % 10 == 0 or progress.step == total:
            note({"step": progress.step, "steps": total, "loss": loss, "seconds": round(progress.seconds, 1)})
        due = evaluate_every and (progress.step % evaluate_every == 0 or progress.step == total)
        if due and not recipe.both_ways and chosen.size == (SIZE, SIZE):
            note({"step": progress.step} | _scores(recipe, chosen, mean, writer, network, codec))
        out_of_time = minutes is not None and progress.seconds - before > 60 * minutes
        if progress.step % SAVE_EVERY == 0 or progress.step == total or out_of_time:
            save(checkpoint, progress, trained, mean, optimizer)
        if out_of_time and progress.step < total:
            return None
    return save_weights(out / f"{stage}.safetensors", mean, chosen, stage)


def came_from(stage: str, part: str, chosen: Preset, out: Path) -> str:
    """A line on where a stage takes the weights of a part from."""
    path = find_weights(chosen, part, out)
    own = "" if path.parent == out else f", which ships: {out} has none of its own"
    return f"{stage}: {part} from {path}{own}"


def _step(
    recipe: Stage,
    trained: nn.ModuleDict,
    writer: Backbone,
    guide: Backbone | None,
    codec: PatchCodec,
    scenery: Scenery,
    contents: list[Contents],
    optimizer: torch.optim.Optimizer,
    step: int,
    total: int,
    seed: int,
) -> float:
    """One update; everything random in it comes from (seed, step). Returns the denoising loss."""
    network = cast(Backbone, trained["network"])
    rng = np.random.default_rng([seed, step])
    random = torch.Generator().manual_seed(int(rng.integers(2**62)))
    phase, rate = recipe.at(step * recipe.steps // total)
    batch: Batch = scenery.draw(phase.clips, network.spec.block, rng)
    device = network.slot.device
    latents, pose = codec.encode(batch.frames).to(device), batch.pose.to(device)
    text = _told(contents, batch, network.spec.words, random)
    text = None if text is None else text.to(device)
    if recipe.both_ways:
        teacher, turn = Posed(network, pose, batch.frame, text), batch.frame
        return _updated(trained, optimizer, rate, window_loss(FINE, teacher, latents, turn, random))
    masks = block_masks(recipe.policy, phase.clips.blocks, network.spec.block)
    told, told_writer = Posed(network, pose, batch.frame, text), Posed(writer, pose, batch.frame)
    history = write_sequence(told_writer, latents, batch.frame, masks)
    if guide is not None:
        told_guide, weight = Posed(guide, pose, batch.frame), (NEW + (1 - NEW) * batch.shown).to(device)
        flow_loss = flow_map_loss(told, told_guide, latents, batch.frame, history, masks, weight, random)
        return _updated(trained, optimizer, rate, flow_loss)
    own = rng.random() < phase.own_block
    seen = masks.after if own else masks.before
    weight = torch.ones_like(batch.shown) if own else UNSEEN + (1 - UNSEEN) * batch.shown
    counted = seen.any(dim=1) if text is None else torch.ones(len(seen), dtype=torch.bool)
    loss = denoising_loss(
        network.spec, told, latents, batch.frame, history, seen, masks, counted, weight.to(device), random
    )
    total_loss = loss + recipe.probe * trained["probe"](history, latents) if recipe.probe else loss
    _updated(trained, optimizer, rate, total_loss)
    return loss.item()


def _told(contents: list[Contents], batch: Batch, words: tuple[str, ...], random: torch.Generator) -> Tensor | None:
    """(B, F, W + 1) captions, some of them empty; None where the network takes no text."""
    if not words:
        return None
    empty = torch.zeros(len(words) + 1)
    empty[-1] = 1
    dropped = torch.rand(len(batch.scene), generator=random) < WITHOUT_TEXT
    return torch.where(dropped[:, None, None], empty, texts_of(contents, batch, words))


def _updated(trained: nn.Module, optimizer: torch.optim.Optimizer, rate: float, loss: Tensor) -> float:
    """One update; the loss."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def _scores(
    recipe: Stage,
    preset: Preset,
    mean: dict[str, Tensor],
    writer: Backbone,
    network: Backbone,
    codec: PatchCodec,
) -> dict[str, float]:
    """Development scores of the running mean of the weights."""
    averaged, frozen = Backbone(preset.backbone), Backbone(preset.backbone)
    averaged.load_state_dict(mean)
    frozen.load_state_dict(writer.state_dict())
    return evaluate(recipe, averaged, averaged if writer is network else frozen, codec)


def _codec(preset: Preset, recipe: Stage, scenery: Scenery, out: Path) -> PatchCodec:
    """The codec in ``out``, put there if it is not yet: the one that the weights to start from were trained on, or, to
    start from nothing, one that is fitted to training scenes."""
    path = out / "codec.safetensors"
    if not path.exists() and recipe.start is not None and find_weights(preset, recipe.start, out).parent != out:
        shutil.copyfile(find_weights(preset, "codec", None), path)
    elif not path.exists():
        singly = ClipShape(blocks=12, batch=16)  # of one frame: a codec knows no blocks
        batches = [scenery.draw(singly, 1, np.random.default_rng([0, n])) for n in range(24)]
        frames = torch.cat([batch.frames.flatten(0, 1) for batch in batches])
        fitted = PatchCodec.fit(frames, preset.patch, preset.backbone.channels)
        save_weights(path, fitted.state_dict(), preset, "codec")
    return load_codec(preset, out)
