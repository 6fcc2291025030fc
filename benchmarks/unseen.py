"""Is what a model makes of places that nobody showed it as sharp as real ones: python benchmarks/unseen.py

The clips of `revisit-nano-v2` that explore, frames of the way out. Of each model with one denoising step and with all
four: variance of the Laplacian over that of the true frames, and over that of the true frames through the codec, which
no model can be expected to surpass; and the Frechet distance to the true frames. Intervals and differences come from
resampling clips. True frames of other clips, half of these against the development ones, say what another sample of
truth has; a smaller sample has a larger distance.

With --weights DIR the networks that `magbench train dmd --out DIR` starts from and leaves there: those before
distribution matching and after it, and the teacher, which makes six frames at a time from text and camera alone; also
what they keep of clips that return, and whether new places follow the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mag_model.memory.attention import SequenceAttention
from mag_model.memory.policy import FullHistory, Mag
from mag_model.nano.backbone import Posed
from mag_model.nano.camera import relative
from mag_model.nano.checkpoint import load_codec, preset_of
from mag_model.nano.model import NanoModel
from mag_model.nano.presets import PRESETS
from mag_model.nano.text import bags
from mag_model.rollout import seeded
from magbench.generation.sources import make_task
from magbench.metrics.detail import grey_of, laplacian_variance
from magbench.metrics.frechet import content, frechet
from magbench.models.protocol import Task
from magbench.models.references import BLUR, blurred
from magbench.models.registry import load_model
from magbench.stats.interval import bootstrap_mean
from magbench.suites.clip import Clip
from magbench.suites.registry import open_suite
from magbench.suites.worlds.captions import COLOURS
from magbench.video.io import to_uint8

RESAMPLES = 100
WINDOW = 6
"""Frames that the teacher was trained on."""
FINE_STEPS = 32
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


def share_of(frames: Tensor, names: set[str]) -> float:
    """Of frames (n, 3, H, W) uint8, the share of pixels to which one of these names of colours is the nearest."""
    places = np.array(list(COLOURS.values()))
    pixels = frames.permute(0, 2, 3, 1).reshape(-1, 3).numpy() / 255
    nearest = np.square(pixels[:, None] - places).sum(-1).argmin(1)
    return float(np.isin(nearest, [n for n, name in enumerate(COLOURS) if name in names]).mean())


def obeys(clips: list[Clip], model: NanoModel, draws: list[NDArray[np.int64]]) -> str:
    """How far the colours of new places follow the caption of another clip, the next one; see `share_of`."""
    told: list[float] = []
    not_told: list[float] = []
    for clip, other in zip(clips, clips[1:] + clips[:1], strict=True):
        foreign = {word for word in COLOURS if word in other.caption} - {
            word for word in COLOURS if word in clip.caption
        }
        for found, caption in ((told, other.caption), (not_told, clip.caption)):
            task = replace(make_task(clip, 0), prompt=caption)
            video = torch.cat([truth(clip)[: clip.switch], bytes_of(torch.cat(list(model.stream(task))))])
            found.append(share_of(out_of(clip, video), foreign))
    more = np.array(told) - np.array(not_told)
    means = interval(np.array([more[d].mean() for d in draws]))
    return f"{np.mean(told):.3f} of new pixels, {np.mean(not_told):.3f} under its own, {more.mean():+.3f} {means}"


def remembers(clips: list[Clip], model: NanoModel, window: int) -> str:
    """Aligned PSNR in dB of the returns of clips, frames out of window, with the interval of their mean."""
    found = []
    for clip in clips:
        far = torch.from_numpy(clip.out_of_window(window)[clip.switch :])
        shown, wanted = (video[clip.switch :][far].double() / 255 for video in (made(model)(clip), truth(clip)))
        found.append(float(-10 * (shown - wanted).square().mean((1, 2, 3)).log10().mean()))
    mean = bootstrap_mean(np.array(found))
    return f"{mean.mean:.2f} dB [{mean.low:.2f}, {mean.high:.2f}]"


class Teacher(NanoModel):
    """The teacher: `WINDOW` frames at once, both ways, whatever was there before, in `FINE_STEPS` along its flow."""

    def stream(self, task: Task) -> Iterator[Tensor]:
        network, spec = self._generator, self._generator.spec
        assert task.pose is not None
        pose, text = relative(task.pose[None].double()), bags([task.prompt], spec.words)[:, None]
        noise, frame, made = seeded(task.seed), torch.arange(WINDOW), len(task.context)
        levels = torch.arange(FINE_STEPS, -1, -1) / FINE_STEPS
        while made < task.frames:
            first = min(made, task.frames - WINDOW)
            told = Posed(network, pose[:, first : first + WINDOW], frame, text.expand(-1, WINDOW, -1))
            x = noise(torch.Size((1, WINDOW, spec.channels, *spec.grid)))
            with torch.inference_mode():
                for level, after in pairwise(levels.tolist()):
                    attention = SequenceAttention(told.rope.turns(frame))
                    x0 = told.at(frame)(x, torch.full((1, WINDOW), level), attention)
                    x = x0 + after / level * (x - x0)
            yield self._codec.decode(x[0, made - first :])
            made = first + WINDOW


def trained(folder: Path) -> dict[str, Callable[[], NanoModel]]:
    """The networks that a folder holds or starts from, by stage."""
    preset, packed = preset_of(folder / "dmd.safetensors"), Mag(first_block_whole=False)
    return {
        "base": lambda: NanoModel("base", FullHistory(), "base", "base", preset, folder),
        "joint": lambda: NanoModel("joint", packed, "joint", "memory", preset, folder),
        "flow": lambda: NanoModel("flow", packed, "flow", "memory", preset, folder),
        "dmd": lambda: NanoModel("dmd", packed, "dmd", "memory", preset, folder),
    }


def shipped(name: str) -> NanoModel:
    """A registered model of the nano backbone."""
    model = load_model(name)
    assert isinstance(model, NanoModel), name
    return model


def with_steps(model: NanoModel, steps: int) -> NanoModel:
    """A model with only its first denoising steps."""
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
@click.option("--weights", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Instead of MODELS.")
@click.option("--dev", is_flag=True, help="The development clips in place of the test clips, for whatever is chosen.")
def main(models: str, weights: Path | None, dev: bool) -> None:
    """Measure MODELS."""
    torch.set_num_threads(1)
    loads = {name: partial(shipped, name) for name in models.split(",")} if weights is None else trained(weights)
    test_and_dev = [open_suite(name) for name in ("revisit-nano-v2", "revisit-nano-v2:dev")]
    suite, other = reversed(test_and_dev) if dev else test_and_dev
    clips, others = ([clip for clip in one.clips if clip.explores] for one in (suite, other))
    real = Sample(clips, truth)
    codec = load_codec(PRESETS["nano"])
    coded = Sample(clips, lambda clip: bytes_of(codec.decode(codec.encode(truth(clip).float() / 255))))
    rows = {
        "the true frames through the codec": coded,
        "the true frames, blurred": Sample(clips, lambda clip: bytes_of(blurred(truth(clip).float() / 255, BLUR))),
    }
    for name, load in loads.items():
        for steps in (1, 4):
            rows[f"{name}, {steps} step{'s' * (steps > 1)}"] = Sample(clips, made(with_steps(load(), steps)))
    if weights is not None:
        teacher = Teacher(
            "teacher", FullHistory(), "teacher", "teacher", preset_of(weights / "dmd.safetensors"), weights
        )
        rows[f"teacher, {FINE_STEPS} steps"] = Sample(clips, made(teacher))
    random = np.random.default_rng(0)
    draws = [random.integers(0, len(clips), len(clips)) for _ in range(RESAMPLES)]
    whole = np.arange(len(clips))
    count = sum(map(len, real.features))
    print(
        f"{len(clips)} clips, {count} frames of places that were not shown; 95 % from {RESAMPLES} resamples of clips\n"
    )
    print("| answer | detail / truth's | detail / codec's | Frechet distance |\n| --- | ---: | ---: | ---: |")
    found: dict[str, tuple[Numbers, Numbers]] = {}
    for name, row in rows.items():
        ratio, share = (
            np.array([row.detail[d].mean() / all_of.detail[d].mean() for d in (whole, *draws)])
            for all_of in (real, coded)
        )
        apart = np.array([row.distance(real, d) for d in (whole, *draws)])
        found[name] = ratio, apart
        cells = (f"{v[0]:.3f} {interval(v[1:])}" for v in (ratio, share, apart))
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    n = min(len(clips), len(others))
    theirs = np.concatenate(Sample(others[:n], truth).features)
    half = np.array([frechet(np.concatenate([real.features[i] for i in d[:n]]), theirs) for d in draws])
    print(f"| true frames, {n} clips against {n} others | | | {half.mean():.3f} {interval(half)} |\n")
    for name in loads:
        four, one = found[f"{name}, 4 steps"], found[f"{name}, 1 step"]
        cells = (f"{a[0] - b[0]:+.3f} {interval(a[1:] - b[1:])}" for a, b in zip(four, one, strict=True))
        print(f"- {name}, four steps less one: detail {', Frechet '.join(cells)}")
    if weights is not None:
        back = [clip for clip in suite.clips if not clip.explores]
        for name, load in loads.items():
            print(f"- {name}, {len(back)} clips that return, out of window: {remembers(back, load(), suite.window)}")
            print(
                f"- {name}, colours that only another clip's caption names, under that: {obeys(clips, load(), draws)}"
            )
        for name in ("base", "joint", "flow"):
            after, before = found["dmd, 4 steps"], found[f"{name}, 4 steps"]
            cells = (f"{a[0] - b[0]:+.3f} {interval(a[1:] - b[1:])}" for a, b in zip(after, before, strict=True))
            print(f"- dmd less {name}, four steps: detail {', Frechet '.join(cells)}")


if __name__ == "__main__":
    main()
