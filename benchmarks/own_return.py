"""What cheats and models score on a return to what they made themselves: python benchmarks/own_return.py mag,window

Prints a Markdown table over the clips of a suite that explore, then whether every cheat is below the weakest model that
remembers. Exit code 1 if not. Whatever is tuned is tuned with `--suite revisit-nano-v2:dev`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray

from mag_model.memory.policy import Mag
from mag_model.nano.checkpoint import preset_of
from mag_model.nano.model import NanoModel
from magbench.generation.sources import make_task
from magbench.metrics.own_return import measure
from magbench.models.references import BLUR, blurred
from magbench.models.registry import load_model
from magbench.stats.interval import bootstrap_mean
from magbench.stats.paired import compare_paired
from magbench.suites.clip import Clip
from magbench.suites.registry import open_suite
from magbench.video.io import to_float, to_uint8

Video = NDArray[np.uint8]
REMEMBERS = 0.5
"""A model whose mean similarity to its own earlier frames is above this remembers."""
COLUMNS = ("own return", "in order", "similar", "spread", "linked", "fresh", "sharp", "LPIPS", "SSIM", "PSNR")


def _way(clip: Clip) -> NDArray[np.int64]:
    """(n,) of each frame that is made, how far from the given ones its view lies: 0, 1, 2, ... and back."""
    first = np.arange(len(clip))
    for frame, earlier in enumerate(clip.revisit.tolist()):
        first[frame] = first[earlier] if earlier >= 0 else frame
    return first[clip.switch :] - clip.switch


def _noise(clip: Clip, count: int) -> Video:
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, *clip.size, 3), dtype=np.uint8)


def _to_and_fro(clip: Clip) -> NDArray[np.int64]:
    """(n,) given frames, played backwards from the last one, forwards, and so on, so that each view has its own."""
    period = 2 * (clip.switch - 1)
    place = _way(clip) % period
    return clip.switch - 1 - np.minimum(place, period - place)


CHEATS: dict[str, Callable[[Clip, Video], Video]] = {
    "the last given frame, held": lambda clip, v: v[clip.switch - 1 : clip.switch].repeat(len(_way(clip)), 0),
    "the mean of the given frames, held": lambda clip, v: (
        v[: clip.switch].mean(axis=0, keepdims=True).astype(np.uint8).repeat(len(_way(clip)), 0)
    ),
    "grey": lambda clip, v: np.full((len(_way(clip)), *clip.size, 3), 128, np.uint8),
    "one frame of noise, held": lambda clip, v: _noise(clip, 1).repeat(len(_way(clip)), 0),
    "noise": lambda clip, v: _noise(clip, len(_way(clip))),
    "noise, the same for each view": lambda clip, v: _noise(clip, len(clip))[_way(clip)],
    "a loop of the given frames": lambda clip, v: v[np.arange(len(_way(clip))) % clip.switch],
    "the given frames to and fro, the same for each view": lambda clip, v: v[_to_and_fro(clip)],
    "given frames at random, the same for each view": lambda clip, v: v[
        np.random.default_rng(0).integers(0, clip.switch, len(clip))[_way(clip)]
    ],
    "the true frames, blurred": lambda clip, v: to_uint8(blurred(to_float(v[clip.switch :]), BLUR)),
}
"""(clip, its frames) -> what is shown after the given ones."""


def numbers(clip: Clip, given: Video, made: Video, window: int) -> tuple[float, ...]:
    """The columns of one answer to one clip, over frames out of window."""
    found = measure(np.concatenate([given, made]), clip.revisit, clip.switch)
    assert found is not None, clip.id
    scores = found.scores
    far = clip.gap[scores.frame] >= window
    parts = (
        scores.similar,
        scores.spread,
        np.full(len(far), scores.linked),
        scores.fresh,
        np.full(len(far), scores.sharp),
    )
    own = scores.score, scores.ordered, *parts, *(found.values[name] for name in ("lpips", "ssim", "psnr"))
    return tuple(float(value[far].mean()) for value in own)


@click.command()
@click.argument("models", default="full_history,mag,strided,window_sink,window")
@click.option("--suite", "name", default="revisit-nano-v2", show_default=True)
@click.option(
    "--weights", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Of `train dmd`, beside."
)
def main(models: str, name: str, weights: Path | None) -> None:
    """Score every cheat, and MODELS; with --weights what `magbench train dmd --out DIR` left there, too."""
    torch.set_num_threads(1)
    suite = open_suite(name)
    loaded = [load_model(model) for model in models.split(",")]
    if weights is not None:
        preset = preset_of(weights / "dmd.safetensors")
        loaded.append(NanoModel("dmd", Mag(first_block_whole=False), "dmd", "memory", preset, weights))
    rows: dict[str, list[tuple[float, ...]]] = {}
    clips = [clip for clip in suite.clips if clip.explores]
    for clip in clips:
        video = clip.frames
        given = video[: clip.switch]
        answers = {"the true frames": video[clip.switch :]} | {name: make(clip, video) for name, make in CHEATS.items()}
        for model in loaded:
            answers[model.name] = to_uint8(torch.cat(list(model.stream(make_task(clip, 0)))))
        for name, made in answers.items():
            rows.setdefault(name, []).append(numbers(clip, given, made, suite.window))
        print(clip.id, file=sys.stderr)
    tables = {name: np.array(values) for name, values in rows.items()}
    print(f"{len(clips)} clips that explore, frames out of window, mean with 95 % interval\n")
    print("| answer | " + " | ".join(COLUMNS) + " |\n| --- |" + " ---: |" * len(COLUMNS))
    for name, table in sorted(tables.items(), key=lambda item: -item[1][:, 0].mean()):
        own = bootstrap_mean(table[:, 0])
        cells = [
            f"{own.mean:.3f} [{own.low:.3f}, {own.high:.3f}]",
            *(f"{mean:.3f}" for mean in table[:, 1:].mean(axis=0)),
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")
    first = loaded[0].name
    print()
    for model in loaded[1:]:
        apart = compare_paired(tables[model.name][:, 0], tables[first][:, 0]).difference
        print(f"- {model.name} - {first}: {apart.mean:+.3f} [{apart.low:+.3f}, {apart.high:+.3f}]")
    best = max(tables[name][:, 0].mean() for name in CHEATS)
    least = min(t[:, 0].mean() for t in (tables[m.name] for m in loaded) if t[:, 2].mean() > REMEMBERS)
    verdict = "yes" if best < least else "NO"
    print(f"- every cheat below every model that remembers: {verdict}, {best:.3f} against {least:.3f}")
    sys.exit(int(best >= least))


if __name__ == "__main__":
    main()
