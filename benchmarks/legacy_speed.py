"""Our LPIPS matrix and scores beside the official algorithm, in one run on one core: python benchmarks/legacy_speed.py

The official algorithm is written out plainly: for each generated frame the network sees that frame and a true frame,
for every true frame (2 N^2 passes), all layers are upsampled and averaged, and the least is kept; then PSNR and SSIM
of the matches. At large sizes only a few rows of it are run, and the time is scaled by rows. Exit code 1 if the
numbers differ or a bar is missed.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from dataclasses import dataclass, replace

import click
import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from magbench.metrics import legacy
from magbench.metrics.frame.lpips import SCALE, SHIFT, _layers, batch_size

PEAK_BYTES = 2 * 10**9
SAME = {"LPIPS": 1e-6, "PSNR": 1e-4, "SSIM": 1e-5}


@dataclass(frozen=True)
class Case:
    """One size, the rows of the official matrix that are run, and how much faster ours has to be."""

    frames: int
    height: int
    width: int
    rows: int
    bar: float


CASES = {
    "tiny": Case(12, 64, 64, 12, 1),
    "128": Case(96, 128, 128, 96, 20),
    "480": Case(96, 480, 832, 2, 40),
}


def moving_scene(case: Case, seed: int) -> Tensor:
    """(n, 3, H, W) uint8: a window that moves over a wide picture of blobs, with some noise."""
    source = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 12, 60, generator=source)
    wide = F.interpolate(coarse, size=(case.height, 4 * case.width), mode="bicubic")[0].clamp(0, 1)
    steps = [round(i * 3 * case.width / case.frames) for i in range(case.frames)]
    frames = torch.empty(case.frames, 3, case.height, case.width, dtype=torch.uint8)
    for i, step in enumerate(steps):
        grain = torch.randn(3, case.height, case.width, generator=source)
        frames[i] = ((wide[:, :, step : step + case.width] + 0.03 * grain).clamp(0, 1) * 255).round().byte()
    return frames


def noisy(frames: Tensor) -> Tensor:
    """uint8 frames with a little noise, made one at a time: memory is measured."""
    source = torch.Generator().manual_seed(2)
    result = torch.empty_like(frames)
    for i, frame in enumerate(frames):
        result[i] = (frame + 4 * torch.randn(frame.shape, generator=source)).clamp(0, 255).round()
    return result


@torch.inference_mode()
def official_row(gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """(n,) LPIPS of one generated frame (3, H, W) uint8 against all true ones, each pair through the network."""
    together = batch_size(*gen.shape[1:])
    pairs = [(scaled(gen.expand(part.shape)), scaled(part)) for part in torch.split(truth, together)]
    return np.concatenate([plain_lpips(x, y) for x, y in pairs])


def scaled(frames: Tensor) -> Tensor:
    """uint8 to [-1, 1], then LPIPS's own shift and scale."""
    shift, scale = torch.tensor(SHIFT).view(3, 1, 1), torch.tensor(SCALE).view(3, 1, 1)
    return (frames.float() / 255 * 2 - 1 - shift) / scale


def plain_lpips(x: Tensor, y: Tensor) -> NDArray[np.float64]:
    """LPIPS of frames in its textbook order: features, difference, head, upsampling, mean."""
    size = x.shape[2:]
    total = torch.zeros(len(x), 1, *size)
    for layer in _layers():
        if layer.pool:
            x, y = F.max_pool2d(x, 3, 2), F.max_pool2d(y, 3, 2)
        x, y = (F.relu(F.conv2d(z, layer.weight, layer.bias, layer.stride, layer.padding)) for z in (x, y))
        unit_x, unit_y = (z / (z.square().sum(1, keepdim=True).sqrt() + 1e-10) for z in (x, y))
        seen = ((unit_x - unit_y) ** 2 * layer.head.view(1, -1, 1, 1)).sum(1, keepdim=True)
        total += F.interpolate(seen, size=size, mode="bilinear", align_corners=False)
    return total.double().mean((1, 2, 3)).numpy()


def plain_ssim(a: Tensor, b: Tensor) -> float:
    """SSIM of two frames (3, H, W) in [0, 1]: five Gaussian windows of 11 taps, valid region."""
    taps = torch.exp(-((torch.arange(11.0) - 5) ** 2) / (2 * 1.5**2))
    taps /= taps.sum()

    def window(image: Tensor) -> Tensor:
        kernel = taps.repeat(3, 1, 1, 1)
        return F.conv2d(F.conv2d(image, kernel.transpose(2, 3), groups=3), kernel, groups=3)

    mean_a, mean_b = window(a), window(b)
    var_a, var_b = window(a * a) - mean_a**2, window(b * b) - mean_b**2
    both = window(a * b) - mean_a * mean_b
    light = (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2)
    return float((light * (2 * both + 0.03**2) / (var_a + var_b + 0.03**2)).mean())


def official_scores(gen: Tensor, truth: Tensor, match: list[int]) -> tuple[list[float], list[float]]:
    """PSNR in dB and SSIM of generated frames against their matches."""
    pairs = [(a.float() / 255, (truth[j].float() / 127.5 - 1 + 1) / 2) for a, j in zip(gen, match, strict=True)]
    psnr = [20 * math.log10(1 / max(1e-12, math.sqrt(float(((a - b) ** 2).mean())))) for a, b in pairs]
    return psnr, [plain_ssim(a, b) for a, b in pairs]


def run(name: str, case: Case) -> bool:
    """Run one case and print its line; whether every number is the same and the bars are met."""
    truth = moving_scene(case, 1)
    gen = noisy(truth.roll(1, dims=0).flip(0))
    legacy(gen[:1], truth[:1])  # reads the weights

    start = time.process_time()
    ours = legacy(gen, truth)
    our_seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    rows = np.linspace(0, case.frames - 1, case.rows).round().astype(int).tolist()
    start = time.process_time()
    matrix = np.stack([official_row(gen[i], truth) for i in rows])
    psnr, ssim = official_scores(gen[rows], truth, matrix.argmin(axis=1).tolist())
    official_seconds = (time.process_time() - start) * case.frames / case.rows

    official = {"LPIPS": matrix.min(axis=1), "PSNR": np.array(psnr), "SSIM": np.array(ssim)}
    off = {metric: np.abs(ours.per_frame[metric.lower()][rows] - values).max() for metric, values in official.items()}
    same = (ours.match[rows] == matrix.argmin(axis=1)).all() and all(off[metric] < SAME[metric] for metric in SAME)
    factor = official_seconds / our_seconds
    print(
        f"| {name} | {case.frames} of {case.height}x{case.width} | {official_seconds:.1f} ({case.rows} rows run)"
        f" | {our_seconds:.1f} | {factor:.0f}x (bar {case.bar:.0f}x) | {peak / 1e9:.2f} GB"
        f" | {'same' if same else 'DIFFERENT'}: "
        + ", ".join(f"{metric} {value:.0e}" for metric, value in off.items())
        + " |",
        flush=True,
    )
    return bool(same and factor >= case.bar and peak <= PEAK_BYTES)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(CASES)))
@click.option("--rows", type=click.IntRange(1), help="Run at most this many rows of the official matrix.")
def main(names: tuple[str, ...], rows: int | None) -> None:
    """Run some CASES, or all but the tiny one. Each size's peak memory includes the sizes before it."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print("| case | frames | official, s | ours, s | faster | peak memory | largest difference |")
    print("| --- | --- | ---: | ---: | ---: | ---: | --- |")
    cases = {name: CASES[name] for name in names or ("128", "480")}
    good = [run(name, replace(case, rows=min(case.rows, rows or case.rows))) for name, case in cases.items()]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
