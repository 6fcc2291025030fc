"""Records of a made-up run: five models with known quality, references, 18 clips, known gaps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from magbench.runs.records import Record

SWITCH, FRAMES, BLOCK, WINDOW = 24, 48, 3, 9
SPEEDS = ("slow", "medium", "fast")
CLIPS = [f"{i:02d}-pan-{SPEEDS[i % 3]}" for i in range(18)]
FRAME_BYTES = 98_304
# name -> (kind, PSNR in the window, PSNR out of it, loss on fast cameras, frames kept per block)
MODELS = {
    "full_history": ("model", 29.8, 29.2, 0.3, 3.0),
    "mag": ("model", 29.4, 28.6, 0.6, 1.0),
    "strided": ("model", 27.0, 23.5, 4.0, 1.0),
    "window": ("model", 28.9, 12.5, 1.0, 0.0),
    "window_sink": ("model", 28.7, 13.4, 1.0, 0.0),
    "oracle": ("reference", 100.0, 100.0, 0.0, 0.0),
    "codec": ("reference", 30.6, 30.6, 0.0, 0.0),
    "freeze": ("reference", 15.0, 12.0, 0.5, 0.0),
    "reversed": ("reference", 13.8, 13.5, 0.5, 0.0),
    "wrong_scene": ("reference", 10.1, 10.1, 0.0, 0.0),
    "mean_frame": ("reference", 14.4, 14.1, 0.5, 0.0),
    "noise": ("reference", 8.2, 8.2, 0.0, 0.0),
}


def gaps(clip: str) -> list[int]:
    """Frames since the view was last seen: 2, 4, 6, ... later for faster cameras."""
    start = 2 + 2 * SPEEDS.index(clip.rsplit("-", 1)[1])
    return [start + 2 * i for i in range(FRAMES - SWITCH)]


def records(
    models: Iterable[str] = tuple(MODELS), clips: Iterable[str] = tuple(CLIPS), samples: int = 1
) -> list[Record]:
    """Every record of the run; the same numbers at every call."""
    found = []
    for model in models:
        for clip in clips:
            for sample in range(samples):
                found += _clip_records(model, clip, sample)
    return found


def _clip_records(model: str, clip: str, sample: int) -> list[Record]:
    kind, near, far, fast_loss, kept = MODELS[model]
    rng = np.random.default_rng([sorted(MODELS).index(model), CLIPS.index(clip), sample])
    gap = gaps(clip)
    out = np.array(gap) >= WINDOW
    loss = fast_loss if clip.endswith("fast") else 0.0
    noise = rng.normal(0, 0.8) + rng.normal(0, 0.4, len(gap))
    psnr = np.where(out, far, near) - loss + (0 if near == 100 else noise)
    near_enough = np.clip(psnr / 32, 0, 1)
    aligned = {"psnr": psnr, "ssim": psnr / 100, "lpips": 1 - psnr / 100}
    scores = {
        "ordered": {"score": near_enough, "coverage": np.sqrt(near_enough), "lpips": 1 - near_enough},
        "aligned": aligned,
        "legacy": aligned | {"psnr": psnr + 0.7},
    }
    common: dict[str, Any] = {
        "suite": "revisit-nano",
        "suite_version": 1,
        "suite_digest": "d" * 64,
        "split": "test",
        "model": model,
        "revision": f"{model}-1",
        "kind": kind,
        "clip": clip,
        "category": "pan",
        "speed": clip.rsplit("-", 1)[1],
        "sample": sample,
        "seed": 1,
        "metric_version": 1,
        "protocol_version": 1,
        "generation_sha256": "e" * 64,
        "magbench_version": "0.1.0",
    }
    frame = list(range(SWITCH, FRAMES))
    rows = []
    for protocol, metrics in scores.items():
        for metric, values in metrics.items():
            same = common | {
                "protocol": protocol,
                "metric": metric,
                "unit": "dB" if metric == "psnr" else "",
                "better": "lower" if metric == "lpips" else "higher",
            }
            per = {"per_frame": values.tolist(), "frame": frame, "gap": gap}
            rows.append(Record(**same, region="all", value=float(values.mean()), n=len(gap), **per))
            for region, chosen in (("out_of_window", out), ("in_window", ~out)):
                value = float(values[chosen].mean()) if chosen.any() else None
                rows.append(Record(**same, region=region, value=value, n=int(chosen.sum())))
    return rows + (_costs(common, model, kept, rng) if kind == "model" else [])


def _costs(common: dict[str, Any], model: str, kept: float, rng: np.random.Generator) -> list[Record]:
    starts = list(range(SWITCH, FRAMES, BLOCK))
    blocks = np.array(starts) / BLOCK
    held = (blocks + 1) * kept + (6 if kept == 0 else 0) + (3 if model == "window_sink" else 0)
    seconds = 0.05 + 0.002 * held + rng.exponential(0.004, len(starts))
    history = held * FRAME_BYTES
    rows: list[tuple[str, str, str, float, list[float] | None]] = [
        ("ttff_s", "s", "lower", 0.2, None),
        ("block_s", "s", "lower", float(np.median(seconds[1:])), seconds.tolist()),
        ("fps", "frames/s", "higher", float(24 / seconds.sum()), None),
        ("history_bytes", "B", "lower", float(history[-1]), history.tolist()),
        ("peak_rss_bytes", "B", "lower", 6e8, None),
    ]
    return [
        Record(
            **(common | {"protocol": "cost", "metric": metric, "unit": unit, "better": better}),
            region="all",
            value=value,
            n=len(starts),
            per_frame=per,
            frame=starts if per else None,
            gap=None,
        )
        for metric, unit, better, value, per in rows
    ]
