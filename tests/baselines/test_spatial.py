"""Explicit memories on textured walls whose every view is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from baselines.spatial.camera import Pinhole
from baselines.spatial.deep_scene import DeepScene
from baselines.spatial.family import WARP
from baselines.spatial.flat_scene import flat_scene
from baselines.spatial.held_view import HeldView
from baselines.spatial.holes import inpainted
from baselines.spatial.methods import nearest_view, point_cloud, warp
from magbench.core.errors import MagbenchError, Unfit
from magbench.models.protocol import Task
from magbench.models.registry import load_model
from magbench.suites.worlds.canvas import make_canvas, render

H, W = 48, 64
LENS = Pinhole(40.0, 40.0, W / 2, H / 2)
WALL = 10.0
"""The wall is the plane x = WALL; before it, in some tests, stands a screen."""


def paint(y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Colours of the wall, smooth enough to be sampled."""
    waves = [np.sin(1.1 * y + 0.4 * z), np.cos(0.7 * z - 0.5 * y), np.sin(0.9 * (y + z) + 1)]
    return (127 + 100 * np.stack(waves, axis=-1)).round().astype(np.uint8)


def filmed(
    x: float, y: float, yaw: float, pitch: float = 0.0, screen: tuple[float, float, float] | None = None
) -> HeldView:
    """The wall, and a grey screen (x, least y, greatest y), from a place; each ray is followed by hand."""
    turn, tilt = np.radians(yaw), np.radians(pitch)
    u, v = np.meshgrid((np.arange(W) + 0.5 - W / 2) / 40, (np.arange(H) + 0.5 - H / 2) / 40)
    ahead_x, ahead_z = np.cos(tilt) + v * np.sin(tilt), np.sin(tilt) - v * np.cos(tilt)
    ray_x, ray_y = ahead_x * np.cos(turn) + u * np.sin(turn), ahead_x * np.sin(turn) - u * np.cos(turn)
    depth = (WALL - x) / ray_x
    image = paint(y + depth * ray_y, depth * ahead_z)
    if screen is not None:
        near = (screen[0] - x) / ray_x
        hit = (near > 0) & (y + near * ray_y >= screen[1]) & (y + near * ray_y <= screen[2])
        image[hit], depth = 200, np.where(hit, near, depth)
    pose = np.array([x, y, 0.0, yaw, pitch])
    return HeldView(image, pose, np.ones((H, W), bool), depth.astype(np.float32), given=True)


def off(image: np.ndarray, truth: HeldView, known: np.ndarray) -> float:
    """Mean difference in levels where something is known."""
    return float(np.abs(image.astype(float) - truth.image)[known].mean())


def test_depth_leads_to_another_place() -> None:
    here, there = filmed(0, 0, 5), filmed(2, -1.5, -8, 6)
    seen = DeepScene(LENS).seen_from(here, there.pose)
    assert seen.known.mean() > 0.5
    assert off(seen.image, there, seen.known) < 2
    assert seen.depth is not None
    np.testing.assert_allclose(seen.depth[seen.known], there.depth[seen.known], rtol=0.02)  # type: ignore[index]
    assert off(here.image, there, seen.known) > 40  # unwarped


def test_the_same_camera_gives_the_same_pixels() -> None:
    view = filmed(1, 2, 10, -4, screen=(6.0, 0.0, 3.0))
    for scene in (DeepScene(LENS), flat_scene(np.stack([view.pose, view.pose]), LENS)):
        seen = scene.seen_from(view, view.pose)
        assert seen.known.all()
        np.testing.assert_array_equal(seen.image, view.image)


def test_a_turn_needs_no_depth() -> None:
    here, there = filmed(0, 0, 0), filmed(0, 0, 14, 7)
    seen = flat_scene(np.stack([here.pose, there.pose]), LENS).seen_from(here, there.pose)
    assert 0.5 < seen.known.mean() < 0.9
    assert off(seen.image, there, seen.known) < 2


def test_what_is_hidden_is_not_known() -> None:
    """From the left, the screen hides another part of the wall than from the right."""
    screen = (5.0, -1.0, 1.0)
    here, there = filmed(0, 3, -20, screen=screen), filmed(0, -3, 20, screen=screen)
    seen = DeepScene(LENS).seen_from(here, there.pose)
    assert seen.known.mean() < 0.9
    assert off(seen.image, there, seen.known) < 6


def test_fusion_knows_more_than_one_frame() -> None:
    scene, asked = DeepScene(LENS), filmed(0, 0, 0)
    held = [filmed(0, 0, 25), filmed(0, 0, -25)]
    one, both = warp(scene, held, asked.pose), point_cloud(scene, held, asked.pose)
    assert both.known.mean() > 1.5 * one.known.mean()
    assert off(both.image, asked, both.known) < 2


def test_the_nearer_surface_hides_the_farther_one() -> None:
    screen, scene = (4.0, -1.5, 1.5), DeepScene(LENS)
    asked = filmed(0, 0, 0, screen=screen)
    held = [filmed(0, 0.3, 0), filmed(0, -0.5, 0, screen=screen)]  # the first never saw the screen
    fused = scene.seen_from(held[0], asked.pose)
    assert off(fused.image, asked, asked.image[..., 0] == 200) > 20
    made = point_cloud(scene, [held[1], held[0]], asked.pose)
    assert off(made.image, asked, asked.image[..., 0] == 200) < 15


def test_the_frame_that_shows_most_is_found() -> None:
    held = [filmed(0, 0, yaw) for yaw in (-60, -30, 4, 40)]
    poses = np.stack([view.pose for view in held])
    for scene in (DeepScene(LENS), flat_scene(poses, LENS)):
        made = nearest_view(scene, held, filmed(0, 0, 0).pose)
        np.testing.assert_array_equal(made.image, held[2].image)
        np.testing.assert_array_equal(made.pose, held[2].pose)
        assert not made.given


def test_holes_are_filled_and_nothing_else() -> None:
    image = np.full((H, W, 3), 90, np.uint8)
    image[:, 20:30] = 255
    known = np.ones((H, W), bool)
    known[:, 20:30] = False
    filled = inpainted(image, known, image)
    np.testing.assert_array_equal(filled[known], image[known])
    assert np.abs(filled.astype(int) - 90).max() < 8
    nothing = inpainted(image, np.zeros((H, W), bool), np.full((H, W, 3), 7, np.uint8))
    np.testing.assert_array_equal(nothing, 7)


def plane_task(frames: int, switch: int) -> tuple[Task, torch.Tensor]:
    """Out along a procedural canvas and back on the same cameras."""
    step = np.minimum(np.arange(frames), 2 * switch - 1 - np.arange(frames))
    pose = torch.from_numpy(np.stack([3 + 0.3 * step, 5 - 0.1 * step, 0.01 * step], axis=1))
    canvas = torch.from_numpy(make_canvas(np.random.default_rng(5))).permute(2, 0, 1)[None].double() / 255
    video = render(canvas, pose[None], (32, 32))[0].float()
    return Task(video[:switch], "", pose.float(), frames, 16, 0), video[switch:]


def error(name: str) -> float:
    task, truth = plane_task(36, 18)
    made = torch.cat(list(load_model(name).stream(task)))
    assert made.shape == truth.shape
    return float((made - truth).abs().mean())


def test_what_is_held_decides() -> None:
    rows = ["warp+full_history", "warp+strided:stride=6", "nearest_view+strided:stride=6", "warp+window"]
    errors = [error(name) for name in rows]
    assert errors == sorted(errors)
    assert errors[0] < 1 / 255
    assert errors[1] < errors[2] / 2
    assert errors[3] > 2 * errors[1]


def test_history_is_counted() -> None:
    task, _ = plane_task(36, 18)
    for name, frames in (("warp+window:frames=5", 5), ("point_cloud+full_history", 36)):
        model = load_model(name)
        list(model.stream(task))
        assert model.memory_bytes() == frames * (32 * 32 * 3 + 3 * 8 + 32 * 32 // 8)


def test_depth_is_used_where_it_is_told() -> None:
    views = [filmed(0.2 * t, 0.15 * t, 2.0 * t) for t in range(6)]
    asked = filmed(-1.0, 0, 3)
    pose = torch.from_numpy(np.stack([view.pose for view in [*views, asked]])).float()
    context = torch.from_numpy(np.stack([view.image for view in views])).permute(0, 3, 1, 2).float() / 255
    depth = torch.from_numpy(np.stack([view.depth for view in views]))  # type: ignore[arg-type]
    lens = torch.tensor([40.0, 40.0, W / 2, H / 2])
    truth = torch.from_numpy(asked.image).permute(2, 0, 1) / 255
    middle = (slice(None), slice(8, -8), slice(10, -10))
    found = []
    for told in (depth, None):
        task = Task(context, "", pose, 7, 16, 0, intrinsics=lens, depth=told)
        made = torch.cat(list(load_model("warp+full_history").stream(task)))[0]
        found.append(float((made - truth)[middle].abs().mean()))
    assert found[0] < 3 / 255 < found[1]


def test_who_cannot_be_served() -> None:
    task, _ = plane_task(36, 18)
    with pytest.raises(Unfit, match="needs 3 or 5 camera numbers a frame; the clip has 0"):
        next(load_model("warp+window").stream(Task(task.context, "", None, 36, 16, 0)))
    space = Task(task.context, "", torch.zeros(36, 5), 36, 16, 0)
    with pytest.raises(Unfit, match="needs the lens of a camera in space"):
        next(load_model("warp+window").stream(space))
    with pytest.raises(Unfit, match="holds no frame at frame 18"):
        next(load_model("warp+window:frames=0").stream(task))
    with pytest.raises(MagbenchError, match="policy 'ema_sink' looks at keys and values, which pictures do not have"):
        load_model("warp+ema_sink")
    with pytest.raises(MagbenchError, match=r"model name 'warp:window': did you mean 'warp\+window'\?"):
        load_model("warp:window")


def test_lists_name_them() -> None:
    assert dict(WARP.known())["window"].startswith("The held frame that overlaps the asked view most, warped there")
