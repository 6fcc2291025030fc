"""Where pairs of :mod:`baselines.trained` are trained, and what they are tried on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.trained import FRAMES, Pair, PairAblation
from mag_model.memory.masks import block_masks
from mag_model.nano.backbone import Backbone, Posed
from mag_model.nano.camera import relative
from mag_model.nano.checkpoint import digest, load_backbone, load_codec
from mag_model.nano.model import NanoModel
from mag_model.rollout import seeded
from mag_model.training.loop import train
from mag_model.training.loss import predict, write_sequence
from mag_model.training.stages import Stage
from magbench import __version__
from magbench.models.protocol import Task, VideoModel
from magbench.suites.clip import Clip
from magbench.suites.embedded import revisit_nano
from magbench.suites.format import Suite, load_suite, write_suite
from magbench.video.io import to_float

CLIPS = 21
"""Every kind of path at every speed once."""


class Rebuilt:
    """The true return, each block rebuilt by the writer in one pass from what it kept of it alone.

    Reconstruction as in the paper's table 4. It is no model, since it is shown the truth.

    Args:
        bench: where it was trained.
        pair: of which block size and codec.
        writer: who rebuilds; None = nothing but the codec stands between.
        clips: all that will be asked for, found again by their cameras.
    """

    threads = 1

    def __init__(self, bench: Bench, pair: Pair, writer: Stage | None, clips: Sequence[Clip]) -> None:
        folder, parts = bench.at(pair), ("codec",) if writer is None else ("codec", writer.name)
        self.name = f"{pair.size}-{parts[-1]}-rebuilds-seed{bench.seed}"
        self.revision = f"{__version__}+{digest(pair.preset, parts, folder)}"
        self._codec, self._pair = load_codec(pair.preset, folder), pair
        self._writer = None if writer is None else load_backbone(pair.preset, writer.name, folder)
        self._clips = {_key(clip.pose): clip for clip in clips if clip.pose is not None}

    def stream(self, task: Task) -> Iterator[Tensor]:
        """(n, 3, H, W) float32 in [0, 1], all of the return at once."""
        assert task.pose is not None
        clip = self._clips[_key(task.pose.numpy())]
        latents = self._codec.encode(to_float(clip.frames[clip.switch :]))
        if self._writer is not None:
            latents = self._rebuilt(self._writer, latents, task.pose, task.seed)
        yield self._codec.decode(latents)

    def memory_bytes(self) -> None:
        """Holds no history."""

    @torch.inference_mode()
    def _rebuilt(self, writer: Backbone, latents: Tensor, pose: Tensor, seed: int) -> Tensor:
        """(F, C, h, w) of as many; ``pose`` (T, P) of the whole clip, which they end."""
        size, policy = self._pair.block, self._pair.reader.policy
        masks, frame = block_masks(policy, 1, size), torch.arange(size)
        blocks = latents.unflatten(0, (-1, size))
        cameras = relative(pose[None].double())[0, -len(latents) :].unflatten(0, (-1, size))
        told = Posed(writer, cameras, frame)
        history = write_sequence(told, blocks, frame, masks)
        noise = seeded(seed)(blocks.shape)
        return predict(told, noise, torch.ones(blocks.shape[:2]), frame, history, masks.after, masks).flatten(0, 1)


def _key(pose: NDArray[np.floating[Any]]) -> bytes:
    return pose.astype(np.float32).tobytes()


class InFrames:
    """A model whose history is told in frames, so that block sizes can be timed side by side."""

    def __init__(self, model: NanoModel, block: int) -> None:
        self.name, self._model, self._block = model.name, model, block

    def stream_at(self, history: int, pieces: int, seed: int) -> Iterator[Tensor]:
        return self._model.stream_at(history // self._block, pieces, seed)

    def memory_bytes(self) -> int:
        return self._model.memory_bytes()


@dataclass(frozen=True)
class Contest:
    """What a run is asked for.

    Attributes:
        lines: line of the plot -> setting -> name of its model.
        models: all of them.
        timed: setting -> what is timed.
    """

    lines: Mapping[str, Mapping[str, str]]
    models: Sequence[VideoModel]
    timed: Mapping[str, InFrames]


@dataclass(frozen=True)
class Bench:
    """Where pairs are trained and tried.

    Attributes:
        folder: of all of it.
        seed: of initial weights, clips and noise.
    """

    folder: Path
    seed: int

    def at(self, pair: Pair) -> Path:
        """The folder of its weights."""
        return self.folder / f"{pair.size}-seed{self.seed}"

    def has(self, pairs: Mapping[str, Pair]) -> bool:
        """Whether all of them are trained."""
        return all(self._file(pair, stage).exists() for pair in pairs.values() for stage in pair.stages)

    def train_all(
        self, pairs: Mapping[str, Pair], say: Callable[[str], None], end: float | None = None, steps: int | None = None
    ) -> bool:
        """Train what is not there yet; whether all is there now.

        Args:
            say: told what is done.
            end: of ``time.monotonic()``, at which it stops, resumable; None = no end.
            steps: of each stage; None = its own.
        """
        for setting, pair in pairs.items():
            for stage in pair.stages:
                if not self._file(pair, stage).exists():
                    left = None if end is None else (end - time.monotonic()) / 60
                    if (left is not None and left <= 0) or not self._train(pair, stage, left, steps or stage.steps):
                        return False
                    say(f"{setting}, seed {self.seed}: {stage.name} done")
        return True

    def _train(self, pair: Pair, stage: Stage, minutes: float | None, steps: int) -> bool:
        made = train(
            stage,
            pair.preset,
            self.at(pair),
            steps=steps,
            minutes=minutes,
            seed=self.seed,
            threads=1,
            pool_in=self.folder,
            evaluate_every=None,
        )
        return made is not None

    def _file(self, pair: Pair, stage: Stage) -> Path:
        return self.at(pair) / f"{stage.name}.safetensors"

    def contest(self, ablation: PairAblation, suite: Suite) -> Contest:
        """What the ablation asks a run for, of this seed."""
        pairs, told = ablation.pairs, f"seed {self.seed}"
        made = {setting: self.model(pair) for setting, pair in pairs.items()}
        lines: dict[str, Mapping[str, VideoModel]] = {f"generated, {told}": made}
        if ablation.rebuilds:
            lines[f"rebuilt, {told}"] = {s: Rebuilt(self, pair, pair.writer, suite.clips) for s, pair in pairs.items()}
            if self.seed == 0:
                lines["the codec alone"] = {"any": Rebuilt(self, pairs[ablation.head.reference], None, suite.clips)}
        return Contest(
            {line: {setting: model.name for setting, model in mine.items()} for line, mine in lines.items()},
            list({model.name: model for mine in lines.values() for model in mine.values()}.values()),
            {setting: InFrames(model, pairs[setting].block) for setting, model in made.items()},
        )

    def model(self, pair: Pair) -> NanoModel:
        """The pair, as a model of the harness."""
        stage, name = pair.reader, f"{pair.size}-{pair.reader.name}-seed{self.seed}"
        return NanoModel(name, stage.policy, stage.name, stage.writer or stage.name, pair.preset, self.at(pair))


def long_clips(folder: Path) -> Suite:
    """The suite of test scenes of `revisit-nano` on paths of 60 frames out and 60 back, made once in ``folder``."""
    if not folder.exists():
        clips = (revisit_nano.clip("test", number, switch=FRAMES, frames=2 * FRAMES) for number in range(CLIPS))
        write_suite(
            folder,
            clips,
            name="revisit-nano-long",
            version=1,
            split="test",
            fps=revisit_nano.FPS,
            window=revisit_nano.WINDOW,
            licence=revisit_nano.LICENCE,
        )
    return load_suite(folder)
