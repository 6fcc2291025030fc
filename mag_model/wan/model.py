"""Wan as a model of the harness: frames to latents, memory, generation, and decoding as soon as a block is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from mag_model.memory.cache import Memory
from mag_model.memory.frame_kv import Cameras
from mag_model.memory.policy import CachePolicy
from mag_model.rollout import rollout, seeded
from mag_model.wan.denoiser import Prompted
from mag_model.wan.network import Wan
from mag_model.wan.vae import WanVae, check_sides
from magbench.core.errors import MagbenchError, Unfit
from magbench.models.protocol import ReferenceInput, Task

Embed = Callable[[str], Tensor]
"""A prompt -> its encoding (1, words, dim) on the networks' device."""


class WanModel:
    """A policy on Wan.

    Args:
        name: as the harness knows it.
        revision: changes whenever outputs may.
        policy: what stays in memory.
        generator: makes the blocks.
        writer: writes the memory; the generator itself, or a memory model on the same device.
        codec: on the same device.
        embed: see :data:`Embed`.
        writer_sees_prompt: whether the writer is told the prompt; if not, it gets the empty text.
    """

    def __init__(
        self,
        name: str,
        revision: str,
        policy: CachePolicy,
        generator: Wan,
        writer: Wan,
        codec: WanVae,
        embed: Embed,
        writer_sees_prompt: bool,
    ) -> None:
        self.name, self.revision = name, revision
        self._policy, self._generator, self._writer = policy, generator, writer
        self._codec, self._embed, self._writer_sees_prompt = codec, embed, writer_sees_prompt
        self._memory = Memory()

    def stream(self, task: Task) -> Iterator[Tensor]:
        """Blocks of frames, (n, 3, H, W) float32 in [0, 1], on the networks' device.

        A block is three latent frames, twelve pixel frames; of the last one as many are given as the clip still needs.

        Raises:
            MagbenchError: a context that is no whole number of blocks, odd sides, a device without room.
        """
        self._check(task)
        self._memory = Memory()
        with room_for(self.name):
            yield from self._continued(task, None)

    def guided(self, given: ReferenceInput) -> Tensor:
        """The return, (T - switch, 3, H, W), as in :meth:`stream`; each finished block is remembered as it truly was.

        So a block is made from a true past, and no error reaches the next one. A model never sees the block that it
        is making, nor any later one.
        """
        task = Task(given.video[: given.switch], given.prompt, None, len(given.video), 0, given.seed)
        self._check(task)
        self._memory = Memory()
        with room_for(self.name), torch.no_grad():
            whole = self._codec.encode(self._codec.whole(given.video.to(self._generator.device)))
            return torch.cat([piece.cpu() for piece in self._continued(task, whole)])

    def memory_bytes(self) -> int:
        """Bytes of keys and values held now."""
        return self._memory.bytes

    @torch.no_grad()
    def _continued(self, task: Task, whole: Tensor | None) -> Iterator[Tensor]:
        """``whole``: latents of the whole clip, if what is made is not to be remembered, but the truth."""
        codec, given = self._codec, len(task.context)
        context = codec.encode(task.context.to(self._generator.device))
        size = (context.shape[-2], context.shape[-1])
        cameras = None
        if task.pose is not None:
            every = torch.arange(codec.filling_frames(task.frames)) * codec.stride
            cameras = Cameras(task.pose[None, every.clamp(max=len(task.pose) - 1)], torch.arange(len(every)))
        generator = Prompted.by(self._generator, self._embed(task.prompt), size, cameras)
        writer = generator
        if self._writer is not self._generator or not self._writer_sees_prompt:
            writer = Prompted.by(self._writer, self._embed(task.prompt if self._writer_sees_prompt else ""), size)
        blocks = rollout(
            generator,
            self._policy,
            context[None],
            codec.filling_frames(task.frames),
            seeded(task.seed),
            writer=writer,
            memory=self._memory,
            truth=None if whole is None else whole[None, len(context) :],
        )
        decoder = codec.decoder()
        for latent in context:
            decoder.push(latent[None])
        left = task.frames - given
        for block in blocks:
            made = decoder.push(block[0])[:left]
            left -= len(made)
            yield made

    def _check(self, task: Task) -> None:
        if self._policy.uses_cameras and (task.pose is None or task.pose.shape[1] != 3):
            raise Unfit(f"model {self.name}: its policy needs 3 camera numbers a frame; the clip has none such")
        spec, codec, given = self._generator.spec, self._codec, len(task.context)
        height, width = task.context.shape[2:]
        check_sides(height, width, codec.side * max(spec.patch[1:]))
        first = codec.pixel_frames(spec.block)
        further = codec.stride * spec.block
        if given < first:
            raise MagbenchError(
                f"model {self.name}: a context of {given} frames is shorter than the first block, {first} frames"
            )
        over = (given - first) % further
        if over:
            raise MagbenchError(
                f"model {self.name}: a context of {given} frames is no whole number of blocks; {given - over} and"
                f" {given - over + further} are"
            )


@contextmanager
def room_for(name: str) -> Iterator[None]:
    """Turn what torch says when a device is full into a line.

    Raises:
        MagbenchError: the device has no room left.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        size = f" of {torch.cuda.mem_get_info()[1] / 1e9:.0f} GB" if torch.cuda.is_available() else ""
        raise MagbenchError(
            f"model {name}: the device's memory{size} is full; take a policy that keeps less, or smaller frames"
        ) from error
