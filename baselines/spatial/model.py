"""An explicit memory as a model of the harness: (method, policy), and whatever the suite tells of its cameras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from baselines.spatial.camera import PLANE, SPACE, Pinhole
from baselines.spatial.deep_scene import DeepScene
from baselines.spatial.flat_scene import flat_scene
from baselines.spatial.held_view import HeldView
from baselines.spatial.methods import METHODS
from baselines.spatial.scene import Scene
from mag_model.memory.frame_kv import FrameKV
from mag_model.memory.policy import CachePolicy
from magbench import __version__
from magbench.core.errors import Unfit
from magbench.video.io import to_float, to_uint8

if TYPE_CHECKING:
    from magbench.models.protocol import Task

BLOCK = 3
"""Frames that are made, and written to memory, together: as in the networks that the policies come from."""


class SpatialModel:
    """Holds the frames that a policy keeps, and answers by the camera.

    Args:
        name: as in tables.
        method: one of ``METHODS``.
        policy: what stays in memory. It must not look at contents: there are no keys.
    """

    threads = 1
    sees_depth = True

    def __init__(self, name: str, method: str, policy: CachePolicy) -> None:
        self.name = name
        self.revision = f"{__version__}, {method}, {policy}"
        self._method = METHODS[method]
        self._policy = policy
        self._held: dict[int, HeldView] = {}

    def stream(self, task: Task) -> Iterator[Tensor]:
        """Blocks of frames, (n, 3, H, W) float32 in [0, 1].

        Raises:
            Unfit: no camera, or one of which nothing is known.
        """
        pose, scene = self._space(task)
        past, given = FrameKV.empty(_numbered(range(1))), len(task.context)
        self._held = {}
        for start in range(0, given, BLOCK):
            frames = range(start, min(start + BLOCK, given))
            past = self._write(past, frames, [_given(task, frame) for frame in frames])
        for start in range(given, task.frames, BLOCK):
            frames = range(start, min(start + BLOCK, task.frames))
            read = self._policy.read(past, torch.tensor(frames)).numbers.tolist()
            if not read:
                raise Unfit(f"model {self.name} holds no frame at frame {start}")
            held = [self._held[number] for number in read]
            made = [self._method(scene, held, pose[frame]) for frame in frames]
            yield to_float(np.stack([view.image for view in made]))
            past = self._write(past, frames, made)

    def memory_bytes(self) -> int:
        """Bytes of the frames held now, with their depth and cameras."""
        return sum(view.bytes for view in self._held.values())

    def _space(self, task: Task) -> tuple[np.ndarray, Scene]:
        numbers = 0 if task.pose is None else task.pose.shape[1]
        if task.pose is None or numbers not in (PLANE, SPACE):
            raise Unfit(f"model {self.name} needs {PLANE} or {SPACE} camera numbers a frame; the clip has {numbers}")
        pose = task.pose.double().numpy()
        lens = None if task.intrinsics is None else Pinhole(*task.intrinsics.tolist())
        if numbers == SPACE and lens is None:
            raise Unfit(f"model {self.name} needs the lens of a camera in space; the clip does not tell")
        if task.depth is None or lens is None:
            return pose, flat_scene(pose, lens)
        return pose, DeepScene(lens)

    def _write(self, past: FrameKV, frames: range, views: Sequence[HeldView]) -> FrameKV:
        held = self._held | dict(zip(frames, views, strict=True))
        kept = self._policy.write(past, _numbered(frames))
        self._held = {number: held[number] for number in kept.numbers.tolist()}
        return kept


def _numbered(frames: range) -> FrameKV:
    frame = torch.tensor(frames)
    return FrameKV.numbered(frame, frame)


def _given(task: Task, frame: int) -> HeldView:
    assert task.pose is not None
    image = to_uint8(task.context[frame : frame + 1])[0]
    depth = None if task.depth is None else task.depth[frame].numpy()
    return HeldView(image, task.pose[frame].double().numpy(), np.ones(image.shape[:2], bool), depth, given=True)
