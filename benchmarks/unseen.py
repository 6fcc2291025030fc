"""Is what a model makes of places that nobody showed it as sharp as real ones: python benchmarks/unseen.py

The clips of `revisit-nano-v2` that explore, frames of the way out. Of each model with one denoising step and with all
four: variance of the Laplacian over that of the true frames, and the Frechet distance to them. Intervals and
differences come from resampling clips. True frames of other clips, half of these against the development ones, say
what another sample of truth has; a smaller sample has a larger distance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mag_model.nano.model import NanoModel
from magbench.generation.sources import make_task
from magbench.metrics.detail import grey_of, laplacian_variance
from magbench.metrics.frechet import content, frechet
from magbench.models.references import BLUR, blurred
from magbench.models.registry import load_model
from magbench.suites.clip import Clip
from magbench.suites.registry import open_suite
from magbench.video.io import to_uint8

RESAMPLES = 100
Numbers = NDArray[np.float64]


def out_of(clip: Clip, video: Tensor) -> Tensor:
    """The frames (n, 3, H, W) of a whole video that show what no earlier frame showed, after the given ones."""
    return video[torch.from_numpy((clip.revisit < 0) & (np.arange(len(clip)) >= clip.switch))]


def truth(clip: Clip) -> Tensor:
    """(T, 3, H, W) uint8."""
    return torch.from_numpy(clip.frames.transpose(0, 3, 1, 2).copy())


def bytes_of(frames: Tensor) -> Tensor:
    """(n, 3, H, W) in [0, 1] -> uint8."""
    return torch.from_numpy(to_uint8(frames).transpose(0, 3, 1, 2).copy())


def made(model: NanoModel) -> Callable[[Clip], Tensor]:
    """What a model makes, behind what is given."""
    return lambda clip: torch.cat(
        [truth(clip)[: clip.switch], bytes_of(torch.cat(list(model.stream(make_task(clip, 0)))))]
    )


def with_steps(name: str, steps: int) -> NanoModel:
    """A shipped model with only its first denoising steps."""
    model = load_model(name)
    assert isinstance(model, NanoModel), name
    spec = model._generator.spec
    model._generator.spec = replace(spec, steps=spec.steps[:steps])
    return model


class Sample:
    """Frames of every clip, as what is compared: detail (clips,) and features, a list of (n, D)."""

    def __init__(self, clips: list[Clip], make: Callable[[Clip], Tensor]) -> None:
        frames = [out_of(clip, make(clip)) for clip in clips]
        grey = [grey_of(part.permute(0, 2, 3, 1).numpy()) for part in frames]
        self.detail = np.array([laplacian_variance(part).mean() for part in grey])
        self.features = [content(part) for part in frames]

    def distance(self, other: Sample, chosen: NDArray[np.int64]) -> float:
        """Frechet distance over the clips ``chosen`` of both."""
        return frechet(*(np.concatenate([side.features[i] for i in chosen]) for side in (self, other)))


def interval(values: Numbers) -> str:
    """`[low, high]` of 95 % of resampled values."""
    low, high = np.quantile(values, (0.025, 0.975))
    return f"[{low:.3f}, {high:.3f}]"


@click.command()
@click.argument("models", default="full_history,mag,window")
def main(models: str) -> None:
    """Measure MODELS."""
    torch.set_num_threads(1)
    clips, others = (
        [clip for clip in open_suite(name).clips if clip.explores]
        for name in ("revisit-nano-v2", "revisit-nano-v2:dev")
    )
    real = Sample(clips, truth)
    rows = {"the true frames, blurred": Sample(clips, lambda clip: bytes_of(blurred(truth(clip).float() / 255, BLUR)))}
    for name in models.split(","):
        for steps in (1, 4):
            rows[f"{name}, {steps} step{'s' * (steps > 1)}"] = Sample(clips, made(with_steps(name, steps)))
    random = np.random.default_rng(0)
    draws = [random.integers(0, len(clips), len(clips)) for _ in range(RESAMPLES)]
    whole = np.arange(len(clips))
    count = sum(map(len, real.features))
    print(
        f"{len(clips)} clips, {count} frames of places that were not shown; 95 % from {RESAMPLES} resamples of clips\n"
    )
    print("| answer | detail / truth's | Frechet distance |\n| --- | ---: | ---: |")
    found: dict[str, tuple[Numbers, Numbers]] = {}
    for name, row in rows.items():
        ratio = np.array([row.detail[d].mean() / real.detail[d].mean() for d in (whole, *draws)])
        apart = np.array([row.distance(real, d) for d in (whole, *draws)])
        found[name] = ratio, apart
        cells = (f"{v[0]:.3f} {interval(v[1:])}" for v in (ratio, apart))
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    dev = Sample(others, truth)
    theirs, n = np.concatenate(dev.features), len(others)
    half = np.array([frechet(np.concatenate([real.features[i] for i in d[:n]]), theirs) for d in draws])
    print(f"| true frames, {n} clips against {n} others | | {half.mean():.3f} {interval(half)} |\n")
    for name in models.split(","):
        four, one = found[f"{name}, 4 steps"], found[f"{name}, 1 step"]
        cells = (f"{a[0] - b[0]:+.3f} {interval(a[1:] - b[1:])}" for a, b in zip(four, one, strict=True))
        print(f"- {name}, four steps less one: detail {', Frechet '.join(cells)}")


if __name__ == "__main__":
    main()
