"""Whether `magbench suite film` finds what films show again: python benchmarks/jittery_films.py [--split dev]

Films are drawn along jittery paths of `revisit-3d` (the way back on another line and at another speed than the way
out), with noise, blur, drift of exposure and H.264; what they show again is known by depth. Prints precision and recall
of the map of the same places, how far off each turn is, and how many films that never return were refused. Needs [3d].
Whatever is tuned is tuned with `--split dev`, whose maps are others.
"""

# ruff: noqa: I001  (the suite that it draws with is found only where that is installed)
from __future__ import annotations

import io

import av
import click
import cv2
import numpy as np
from magbench.suites.worlds.doom.camera import Camera, Screen
from magbench.suites.worlds.doom.film import film_depth
from magbench.suites.worlds.doom.planned import planned
from magbench.suites.worlds.visibility import View, places, project
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.suites.clip import SAME_VIEW
from magbench.suites.find_return import find_turn, find_way, look, see, spread

SCREEN = Screen("RES_640X480", 96, (640, 480), (576, 384), (384, 256))
OUT = 53
"""Frames of the way out in the planned paths."""
FRAMES = 105
COARSE = (64, 96)
LIFTS = (4, 8, 8)
"""Units by which a shaken camera is lifted, again and again, where a step of the floor is in its way."""
STEP = 3
"""Every so many frames truth is measured, as the finder looks."""

Array = NDArray[np.float64]


def along(poses: Array, places: Array) -> Array:
    """Poses between the planned ones."""
    low = np.floor(places).astype(int).clip(0, len(poses) - 2)
    part = (places - low)[:, None]
    step = poses[low + 1] - poses[low]
    step[:, 3:] = (step[:, 3:] + 180) % 360 - 180
    return poses[low] + part * step


def shaken(poses: Array, rng: np.random.Generator) -> Array:
    """A hand: slow drift of some units and degrees."""
    drift = rng.normal(size=(len(poses), 5))
    for axis in range(5):
        drift[:, axis] = np.convolve(np.pad(drift[:, axis], 8, mode="edge"), np.hanning(17) / 2.6, mode="valid")
    drift[:, 2] = np.abs(drift[:, 2])  # below the floor the engine draws nothing
    return poses + drift * np.array([3.0, 3.0, 1.0, 1.5, 0.0])  # the engine shears a picture instead of pitching


def drawn(camera: Camera, poses: Array) -> NDArray[np.uint8]:
    """The frames at poses (T, 5), which are changed in place where the engine refuses them.

    They are lifted out of steps of the floor; where that does not help, the camera stays where it was.
    """
    frames: list[NDArray[np.uint8]] = []
    for number, pose in enumerate(poses):
        for lift in LIFTS:
            pose[2] += lift
            try:
                frames.append(camera.frame(pose))
                break
            except MagbenchError:
                continue
        else:
            pose[:] = poses[number - 1]
            frames.append(camera.frame(pose))
    return np.stack(frames)


def path(plan: Array, returns: bool, rng: np.random.Generator) -> tuple[Array, int]:
    """(poses, turn) of a film: out, and back at 0.8 to 1.25 times the speed, or only out."""
    out = plan[:OUT]
    if not returns:
        return shaken(along(out, np.linspace(0, OUT - 1, FRAMES)), rng), 0
    speed = rng.uniform(0.8, 1.25)
    back = np.maximum(OUT - 1 - speed * np.arange(1, FRAMES - OUT + 1), 0)
    return shaken(along(out, np.concatenate([np.arange(OUT), back])), rng), OUT - 1


def worn(frames: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Exposure drifts, the lens blurs a little, the sensor is noisy, and H.264 at crf 28 has its way."""
    drift = 1 + 0.15 * np.sin(np.linspace(0, rng.uniform(3, 8), len(frames)) + rng.uniform(0, 6))
    seen = []
    for frame, gain in zip(frames, drift, strict=True):
        soft = cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.4, 1.1)).astype(float) * gain
        seen.append((soft + rng.normal(0, 5, frame.shape)).clip(0, 255).astype(np.uint8))
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream("libx264", rate=16, options={"crf": "28", "preset": "veryfast"})
        stream.height, stream.width, stream.pix_fmt, stream.thread_count = *frames.shape[1:3], "yuv420p", 1
        for frame in seen:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        output.mux(stream.encode())
    file.seek(0)
    with av.open(file, "r") as container:
        return np.stack([np.asarray(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)])


def truth(depth: NDArray[np.float32], poses: Array, lens: Array) -> Array:
    """(T / STEP, T / STEP) share of frame i that frame j < i shows."""
    views = [View(plane, pose, lens) for plane, pose in zip(depth, poses, strict=True)]
    shares = np.zeros((len(views), len(views)))
    for i, view in enumerate(views):
        points, far = places(view), ~np.isfinite(view.depth)
        shares[i, :i] = [shown(points, far, other).mean() for other in views[:i]]
    return shares


def shown(points: Array, far: NDArray[np.bool_], view: View) -> NDArray[np.bool_]:
    """Whether a view shows places (h, w, 3): its surfaces within a pixel of there span that depth, to a twentieth."""
    height, width = view.depth.shape
    column, row, ahead = project(points, view)
    inside = (ahead > 1) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    column, row = (np.where(inside, axis, 0).astype(int) for axis in (column, row))
    depth = np.minimum(view.depth, 1e7)
    near, deep = (way(depth, np.ones((3, 3), np.uint8))[row, column] for way in (cv2.erode, cv2.dilate))
    spans = (0.95 * near - 2 <= ahead) & (ahead <= 1.05 * deep + 2)
    return inside & np.where(far, deep >= 1e7, spans)


@click.command()
@click.option("--films", default=30, show_default=True)
@click.option("--never", default=10, show_default=True)
@click.option("--split", default="test", show_default=True, help="Of revisit-3d, whose paths are filmed: test or dev.")
def main(films: int, never: int, split: str) -> None:
    """Draw the films, look at them, and compare."""
    lens = SCREEN.intrinsics() * COARSE[1] / SCREEN.size[0]
    plans = planned(split)
    hit = false = missed = near_false = near_missed = refused = lost = undrawn = 0
    off: list[int] = []
    for number in range(films + never):
        rng, plan, returns = np.random.default_rng([7, number]), plans[number % len(plans)], number < films
        poses, turn = path(plan.poses, returns, rng)
        try:
            with Camera(plan.place, SCREEN) as camera:
                frames = worn(drawn(camera, poses), rng)
        except MagbenchError as error:
            undrawn += 1
            print(f"{plan.id}: cannot be drawn, and is in no total ({error})")
            continue
        looked = look(frames)
        try:
            way = find_way(looked)
        except MagbenchError as error:
            refused, lost = refused + (not returns), lost + returns
            print(f"{plan.id} {'returns' if returns else 'never returns'}: refused ({error})", flush=True)
            continue
        found, seen = find_turn(looked, way), see(looked, way)
        if not returns:
            print(f"{plan.id} never returns: TAKEN, turn {found}", flush=True)
            continue
        true = truth(film_depth(plan.shape, lens, COARSE, poses[::STEP]), poses[::STEP], lens)
        mine = spread(seen, len(frames))[::STEP, ::STEP]
        back = np.arange(len(true))[:, None] * STEP > turn
        asked = back & (np.arange(len(true))[None] * STEP < turn) & np.tri(len(true), k=-1, dtype=bool)
        said, is_so = (mine >= SAME_VIEW) & asked, (true >= SAME_VIEW) & asked
        clear = np.abs(true - SAME_VIEW) > 0.15
        hit, false, missed = hit + (said & is_so).sum(), false + (said & ~is_so).sum(), missed + (~said & is_so).sum()
        near_false, near_missed = (
            near_false + (said & ~is_so & ~clear).sum(),
            near_missed + (~said & is_so & ~clear).sum(),
        )
        off.append(abs(found - turn))
        mistakes = f"{(said & is_so).sum()} right, {(said & ~is_so).sum()} false, {(~said & is_so).sum()} missed"
        print(f"{plan.id} turn {found} for {turn}; {mistakes}", flush=True)
    if not off:
        raise SystemExit("no film was drawn and taken")
    print(f"films drawn: {films + never - undrawn} of {films + never}")
    print(f"precision {hit / (hit + false):.3f}, recall {hit / (hit + missed):.3f} of {hit + missed} pairs")
    print(f"beside true shares of 0.35 to 0.65: precision {hit / (hit + false - near_false):.3f}, ", end="")
    print(f"recall {hit / (hit + missed - near_missed):.3f}")
    print(f"turn within 3 frames in {sum(each <= 3 for each in off)} of {len(off)}, median {np.median(off):.0f} off")
    print(f"refused: {refused} of {never} that never return, {lost} of {films} that do")


if __name__ == "__main__":
    main()
