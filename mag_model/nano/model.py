"""The nano backbone as models of the harness: (policy, generator, writer) with the weights that ship."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mag_model.memory.cache import Memory
from mag_model.memory.masks import kept_frames
from mag_model.memory.policy import CachePolicy, Mag
from mag_model.nano.backbone import Posed
from mag_model.nano.camera import on_plane, relative, to_and_fro
from mag_model.nano.checkpoint import digest, load_backbone, load_codec
from mag_model.nano.presets import PRESETS, Preset
from mag_model.nano.text import bags
from mag_model.rollout import rollout, seeded
from magbench import __version__
from magbench.core.errors import Unfit
from magbench.models.protocol import Reference, ReferenceInput

if TYPE_CHECKING:
    from magbench.models.protocol import Task

NANO = PRESETS["nano"]
IN_SPACE = 5
"""Camera numbers of suites in space: x, y, z, yaw and pitch."""


class NanoModel:
    """A policy on the nano backbone.

    Args:
        name: as registered.
        policy: what stays in memory.
        generator: training stage whose weights make the blocks.
        writer: training stage whose weights write the memory.
        folder: of weights that `magbench train` wrote; what it lacks, and all where it is None, is taken from the
            package.
    """

    threads = 1
    """Two threads are a fifth faster on an idle machine; many are ten times slower on a busy one."""

    def __init__(
        self,
        name: str,
        policy: CachePolicy,
        generator: str,
        writer: str,
        preset: Preset = NANO,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self.revision = f"{__version__}+{digest(preset, ('codec', generator, writer), folder)}, {policy}"
        self._policy = policy
        self._generator = load_backbone(preset, generator, folder)
        self._writer = self._generator if writer == generator else load_backbone(preset, writer, folder)
        self._codec = load_codec(preset, folder)
        self._memory = Memory()

    def stream(self, task: Task) -> Iterator[Tensor]:
        """Blocks of frames, (n, 3, H, W) float32 in [0, 1].

        Raises:
            Unfit: no camera, one that walks, or sizes that the preset was not made for.
        """
        spec = self._generator.spec
        height, width = (cells * self._codec.patch for cells in spec.grid)
        if tuple(task.context.shape[2:]) != (height, width):
            size = "x".join(str(side) for side in task.context.shape[:1:-1])
            raise Unfit(f"model {self.name} makes frames of {width}x{height}; the clip has {size}")
        if len(task.context) % spec.block:
            raise Unfit(
                f"model {self.name} needs a context in blocks of {spec.block} frames; the clip has {len(task.context)}"
            )
        self._memory = Memory()
        context = self._codec.encode(task.context)[None]
        pose = relative(self._cameras(task)[None])
        text = bags([task.prompt], spec.words)[:, None].expand(-1, pose.shape[1], -1) if spec.words else None
        blocks = rollout(
            Posed(self._generator, pose, torch.arange(pose.shape[1]), text),
            self._policy,
            context,
            task.frames,
            seeded(task.seed),
            writer=Posed.along(self._writer, pose),
            memory=self._memory,
        )
        for block in blocks:
            yield self._codec.decode(block[0])

    def _cameras(self, task: Task) -> Tensor:
        """(T, 3) float64 cameras on the plane of all frames."""
        numbers = None if task.pose is None else task.pose.shape[1]
        if task.pose is not None and numbers == self._generator.spec.pose:
            return task.pose.double()
        if task.pose is None or task.intrinsics is None or numbers != IN_SPACE:
            own = self._generator.spec.pose
            raise Unfit(
                f"model {self.name} needs {own} camera numbers a frame, or {IN_SPACE} with intrinsics; the clip has"
                f" {numbers or 'none'}"
            )
        height, width = task.context.shape[2:]
        try:
            return on_plane(task.pose, task.intrinsics, (height, width))
        except ValueError as error:
            raise Unfit(f"model {self.name} needs a camera that turns where it stands; in this clip {error}") from error

    def stream_at(self, history: int, pieces: int, seed: int) -> Iterator[Tensor]:
        """``pieces`` blocks of frames made behind ``history`` blocks of made-up memory, for timing."""
        spec = self._generator.spec
        frame = kept_frames(self._policy, history, spec.block)
        frames, start = pieces * spec.block, history * spec.block
        like = torch.zeros(1, spec.tokens, spec.heads, spec.head_dim)
        self._memory = Memory.made_up(spec.layers, like, frame, frames, seed, self._policy.bits)
        pose = to_and_fro(start + frames, spec.pose)
        blocks = rollout(
            Posed.along(self._generator, pose),
            self._policy,
            torch.zeros(1, 0, spec.channels, *spec.grid),
            frames,
            seeded(seed),
            writer=Posed.along(self._writer, pose),
            memory=self._memory,
            start=start,
        )
        for block in blocks:
            yield self._codec.decode(block[0])

    def memory_bytes(self) -> int:
        """Bytes of keys and values held now."""
        return self._memory.bytes


def mag() -> NanoModel:
    """MAG: a trained memory model packs each block into one frame, a generator trained on it reads."""
    return NanoModel("mag", Mag(first_block_whole=False), generator="joint", writer="memory")


def _through_codec(given: ReferenceInput) -> Tensor:
    codec = load_codec(NANO)
    height, width = given.video.shape[2:]
    if height % codec.patch or width % codec.patch:
        raise Unfit(f"the codec takes sides that are multiples of {codec.patch}; the clip has {width}x{height}")
    return codec.decode(codec.encode(given.video[given.switch :]))


def codec() -> Reference:
    """The codec's ceiling: what any nano model would score if it remembered everything."""
    return Reference(
        "codec",
        "the true return through the nano codec: the ceiling of every nano model",
        _through_codec,
        revision=f"{__version__}+{digest(NANO, ('codec',))}",
    )
