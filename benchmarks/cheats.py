"""What every cheat, every camera speed and the models score on a suite: python benchmarks/cheats.py revisit-nano

Prints a Markdown table, the official score beside the ordered one, then whether each bar is met. Exit code 1 if not.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from magbench.core.errors import MagbenchError
from magbench.core.seeds import task_seed
from magbench.generation.sources import make_task
from magbench.metrics import Pair, Truth
from magbench.metrics.legacy import legacy_of
from magbench.metrics.ordered import ordered_of
from magbench.models.protocol import ReferenceInput
from magbench.models.references import CHEATS, blurred, oracle
from magbench.models.registry import load_model
from magbench.suites.clip import Clip
from magbench.suites.embedded import revisit_nano, revisit_photo
from magbench.suites.format import Suite
from magbench.suites.registry import open_suite
from magbench.suites.worlds.canvas import CANVAS
from magbench.suites.worlds.photographs import PHOTOGRAPHS, load_canvas
from magbench.video.io import to_float, to_uint8

TWISTED = "the truth"
"""How the names of the right pixels of the wrong place begin."""
SPEEDS = (0.5, 0.75, 1.5, 2.0)
KINDS = ("truth", "speed", "model", "partial", "cheat")
"""Order in the table. ``partial``: neither a perfect return nor a cheat, to show that the score is graded."""

Camera = Callable[[NDArray[np.float64]], Tensor]
"""Places (n,) on the return, in frames and between them -> (n, 3, H, W) float32 in [0, 1]."""


def blended(truth: Tensor, places: NDArray[np.float64]) -> Tensor:
    """Mixtures of the two nearest true frames: all that can be done without the scene."""
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, len(truth) - 1)
    share = torch.from_numpy(places - low).float().view(-1, 1, 1, 1)
    return truth[low] * (1 - share) + truth[high] * share


def filmed(canvas: NDArray[np.uint8], cameras: NDArray[np.float64], places: NDArray[np.float64]) -> Tensor:
    """The scene filmed anew by cameras in between."""
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, len(cameras) - 1)
    share = (places - low)[:, None]
    return to_float(revisit_nano.film(canvas, cameras[low] * (1 - share) + cameras[high] * share))


def photograph(_: str, index: int) -> NDArray[np.uint8]:
    """The canvas of a clip of `revisit-photo`."""
    count = len(PHOTOGRAPHS)
    return load_canvas(PHOTOGRAPHS[(index + index // count) % count], CANVAS)


SCENES: dict[str, Callable[[str, int], NDArray[np.uint8]]] = {
    revisit_nano.NAME: revisit_nano.scene,
    revisit_photo.NAME: photograph,
}
"""Suite -> (split, number of the clip) -> its canvas."""


def camera(suite: Suite, index: int, clip: Clip, truth: Tensor) -> Camera:
    """The best way to be between two frames of this suite."""
    if suite.name not in SCENES or clip.pose is None:
        return partial(blended, truth)
    canvas, cameras = SCENES[suite.name](suite.split, index), clip.pose[clip.switch :]
    again = filmed(canvas, cameras, np.arange(len(truth), dtype=np.float64))
    if (again - truth).abs().max() > 2 / 255:
        raise MagbenchError(f"clip '{clip.id}' is not filmed from the scene that it should be filmed from")
    return partial(filmed, canvas, cameras)


def shifted(frames: Tensor, axis: int, share: float) -> Tensor:
    """(n, 3, H, W) frames moved by a share of their size, what leaves on one side coming in on the other."""
    return frames.roll(round(share * frames.shape[axis]), axis)


def held_edge(frames: Tensor, axis: int, share: float) -> Tensor:
    """The same, but what comes in is the border, held."""
    size = frames.shape[axis]
    return frames.index_select(axis, (torch.arange(size) - round(share * size)).clamp(0, size - 1))


def elsewhere(truth: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The right pixels of the wrong place; a grey picture with red and blue exchanged is the truth, and left out."""
    return ((name, frames) for name, frames in _twisted(truth) if (frames - truth).abs().mean() > 1 / 255)


def _twisted(truth: Tensor) -> Iterator[tuple[str, Tensor]]:
    yield "the truth upside down", truth.flip(2)
    yield "the truth mirrored", truth.flip(3)
    yield "the truth turned by half", truth.flip(2, 3)
    yield "the truth, red and blue exchanged", truth.flip(1)
    yield "the truth as a negative", 1 - truth
    yield "the truth shifted right by a third", shifted(truth, 3, 1 / 3)
    yield "the truth shifted down by a third", shifted(truth, 2, 1 / 3)
    yield "the truth shifted right by a third, its edge held", held_edge(truth, 3, 1 / 3)


def answers(given: ReferenceInput, shot: Camera) -> Iterator[tuple[str, str, Tensor]]:
    """(kind, name, frames) of everything that sees the truth."""
    truth = given.video[given.switch :]
    count = len(truth)
    frame = np.arange(count, dtype=np.float64)
    yield "truth", "the true return", oracle().make(given)
    for speed in SPEEDS:
        yield "speed", f"the true return at {speed:g}x", shot(np.minimum(speed * frame, count - 1))
    late = count // 6
    yield "partial", "late by a sixth", truth[np.maximum(0, np.arange(count) - late)]
    yield "partial", "ahead by a sixth", truth[np.minimum(count - 1, np.arange(count) + late)]
    yield "partial", "stalled at three quarters", truth[np.minimum(np.arange(count), 3 * count // 4 - 1)]
    for share in (1 / 32, 1 / 16):
        yield "partial", f"blurred by {share:.3f} of the frame", blurred(truth, share)
    for make in CHEATS:
        reference = make()
        yield "cheat", reference.name, reference.make(given)
    for name, frames in elsewhere(truth):
        yield "cheat", name, frames
    half = shot(np.minimum(frame / 2, count - 1))
    half[1::2] = truth[:1]
    yield "cheat", "half speed, every other frame the first", half
    if given.switch >= count:
        yield "cheat", "the way out once more", given.video[given.switch - count : given.switch]


def given_for(suite: Suite, clip: Clip) -> ReferenceInput:
    """What references are made from."""
    place = [other.id for other in suite.clips].index(clip.id)
    after = suite.clips[place + 1 :] + suite.clips[:place]
    alike = next((c for c in after if (len(c), c.size, c.switch) == (len(clip), clip.size, clip.switch)), None)
    if alike is None:
        raise MagbenchError(f"{suite.name}: no other clip has the length and size of '{clip.id}'")
    video, other = to_float(clip.frames), to_float(alike.frames)
    return ReferenceInput(video, clip.switch, other, task_seed(clip.id, 0))


def in_bytes(frames: Tensor) -> Tensor:
    """(n, 3, H, W) uint8, as a finished video would be."""
    return torch.from_numpy(to_uint8(frames)).permute(0, 3, 1, 2)


Row = tuple[str, str]
Values = dict[Row, dict[int, tuple[float, ...]]]
"""Answer -> number of the clip -> the columns; a clip may have no such answer."""
COLUMNS = ("legacy LPIPS ↓", "legacy PSNR ↑", "score ↑", "score, out of window ↑", "coverage ↑")


def numbers(pair: Pair, far: NDArray[np.bool_]) -> tuple[float, ...]:
    """The columns of one answer to one clip; NaN where the clip has no range or no such frame."""
    official = legacy_of(pair)
    free = official.lpips, official.psnr
    found = ordered_of(pair)
    if found is None:
        return (*free, np.nan, np.nan, np.nan)
    away = float(found.score[far].mean()) if far.any() else np.nan
    return (*free, float(found.score.mean()), away, float(found.coverage.mean()))


@click.command()
@click.argument("name", default="revisit-nano")
@click.option("--models", default="mag", show_default=True, help="Models to stand beside, '' for none.")
@click.option("--limit", type=click.IntRange(1), help="Only the first clips.")
def main(name: str, models: str, limit: int | None) -> None:
    """Score every cheat on suite NAME."""
    torch.set_num_threads(1)
    suite = open_suite(name)
    loaded = [load_model(model) for model in models.split(",") if model]
    values: Values = defaultdict(dict)
    for index, clip in enumerate(suite.clips[:limit]):
        given = given_for(suite, clip)
        truth = given.video[clip.switch :]
        far = clip.out_of_window(suite.window)[clip.switch :]
        target = Truth(in_bytes(truth))
        made = [("model", model.name, torch.cat(list(model.stream(make_task(clip, 0))))) for model in loaded]
        for kind, answer, frames in (*answers(given, camera(suite, index, clip, truth)), *made):
            values[kind, answer][index] = numbers(Pair(in_bytes(frames), target), far)
        print(f"{clip.id}", file=sys.stderr)
    sys.exit(report(suite, values))


def report(suite: Suite, values: Values) -> int:
    """Print the table and the bars; 1 if one is missed."""
    clips = len(values["truth", "the true return"])
    none = (np.nan,) * len(COLUMNS)
    table = {row: np.array([found.get(index, none) for index in range(clips)]) for row, found in values.items()}
    means = {row: np.nanmean(rows, axis=0) for row, rows in table.items()}
    score = COLUMNS.index("score ↑")
    ranged = int(np.isfinite(table["truth", "the true return"][:, score]).sum())
    print(f"{suite.name} v{suite.version}, {suite.split} split, {clips} clips, {ranged} with a range\n")
    print("| answer | what | " + " | ".join(COLUMNS) + " | clips below 0.5x |")
    print("| --- | --- |" + " ---: |" * (len(COLUMNS) + 1))
    slow = table["speed", "the true return at 0.5x"][:, score]
    for row in sorted(means, key=lambda row: (KINDS.index(row[0]), -means[row][score])):
        below = int((table[row][:, score] < slow).sum())
        cells = " | ".join(
            f"{mean:.1f}" if "PSNR" in c else f"{mean:.3f}" for c, mean in zip(COLUMNS, means[row], strict=True)
        )
        print(f"| {row[1]} | {row[0]} | {cells} | {below} |")
    of = {kind: [means[row][score] for row in means if row[0] == kind] for kind in KINDS}
    bars = [("the truth scores 1", float(np.mean(of["truth"])), 1.0)]
    wrong = [means[row][score : score + 2].max() for row in means if row[1].startswith(TWISTED)]
    bars += [("nothing twisted reaches a quarter", 0.25, max(wrong))]
    bars += [("every speed above every cheat", min(of["speed"]), max(of["cheat"]))]
    bars += [("every model above every cheat", min(of["model"]), max(of["cheat"]))] if of["model"] else []
    print()
    for bar, high, low in bars:
        print(f"- {bar}: {'yes' if high >= low else 'NO'}, {high:.3f} against {low:.3f}")
    return int(any(high < low for _, high, low in bars))


if __name__ == "__main__":
    main()
