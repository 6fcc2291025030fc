"""Long rollouts under every cache policy: 480 generated frames, ten returns, what is left, what it costs.

    python -m benchmarks.long_rollout OUT

A clip gives 24 frames of a camera that goes along a line. Then the camera goes back over them, away beyond the start,
over them again, away beyond the end, and so on: legs of 24 frames, every second one a return. Scores are those of the
returns against the truth; what lies beyond was never given. Writes ``long.csv`` (a row a policy, clip and return),
``long.md`` and a plot, light and dark, in OUT. Stopped, the same command goes on. Bytes are counted after each
return's last block; milliseconds are processor time of one thread a block, medians over a leg: they may be taken beside
other work, but are then larger.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING

import click
import numpy as np
import torch

from magbench.core.files import write_atomic
from magbench.core.parallel import threads
from magbench.core.plugins import POLICIES, plugins
from magbench.metrics.frame.lpips import lpips
from magbench.metrics.frame.psnr import psnr
from magbench.models.protocol import Task
from magbench.models.registry import load_model
from magbench.render.grid import Grid
from magbench.render.text import markdown
from magbench.render.theme import DARK, LIGHT, Theme, looks, new_figure, write_png
from magbench.suites.embedded.revisit_nano import FPS, film, scene
from magbench.video.io import to_float, to_uint8

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEG, AWAY = 24, 12
"""Frames of a leg, and how far away the camera goes: there and back is a leg too."""
CLIPS = {"slow": (0.11, 1000), "medium": (0.24, 1001)}
"""View widths a frame, and the scene of revisit-nano's test range, beyond those of its clips."""

WHOLE = "full_history"


@dataclass(frozen=True)
class Return:
    """One return of one clip under one policy.

    Attributes:
        number: from 1 on.
        frame: its last generated frame.
        psnr, lpips: means over its frames, against the truth.
        bytes: of history after its last block.
        cpu_ms: processor time of a block, the median of the leg.
    """

    policy: str
    clip: str
    number: int
    frame: int
    psnr: float
    lpips: float
    bytes: int
    cpu_ms: float


def positions(frames: int) -> np.ndarray:
    """(LEG + frames,) where on its line the camera is, in steps: given, back, away, forth, away, ..."""
    out, beyond = list(range(LEG)), list(range(1, AWAY + 1))
    back = out[::-1]
    before = [-step for step in beyond + beyond[::-1]]
    after = [LEG - 1 + step for step in beyond + beyond[::-1]]
    lap = back + before + out + after
    return np.array(out + lap * -(-frames // len(lap)))[: LEG + frames].astype(np.float64)


def roll(policy: str, clip: str, frames: int) -> list[Return]:
    """Make one clip and score its returns."""
    step, number = CLIPS[clip]
    place = positions(frames)
    pose = np.stack([place * step, 0.3 * np.sin(place * math.pi / LEG), np.zeros_like(place)], axis=1) + [3.0, 8.0, 0.0]
    truth = film(scene("test", number), pose)
    model = load_model(f"nano:{policy}")
    task = Task(to_float(truth[:LEG]), "", torch.from_numpy(pose).float(), len(truth), FPS, number)
    made, held, spent, start = [], [], [], time.thread_time()
    for piece in model.stream(task):
        spent.append(1000 * (time.thread_time() - start))
        made.append(to_uint8(piece))
        held.append(model.memory_bytes() or 0)
        start = time.thread_time()
    shown, real = to_float(np.concatenate(made)), to_float(truth[LEG:])
    found = []
    for first in range(0, frames, 2 * LEG):
        leg, blocks = slice(first, first + LEG), slice(first * len(made) // frames, (first + LEG) * len(made) // frames)
        found.append(
            Return(
                policy,
                clip,
                first // (2 * LEG) + 1,
                first + LEG,
                float(psnr(shown[leg], real[leg]).mean()),
                float(lpips(shown[leg], real[leg]).mean()),
                held[blocks][-1],
                median(spent[blocks]),
            )
        )
    return found


@click.command(help=__doc__.partition("\n")[0])
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--policies", default=None, help="Names with their numbers [default: every registered one].")
@click.option("--frames", type=click.IntRange(2 * LEG), default=480, show_default=True, help="That are generated.")
def main(out: Path, policies: str | None, frames: int) -> None:
    names = policies.split(",") if policies else list(plugins(POLICIES))
    found: list[Return] = []
    for clip in CLIPS:
        for policy in names:
            kept = out / "returns" / f"{policy.replace(':', '-')}-{clip}-{frames}.json"
            if not kept.is_file():
                with threads(1):
                    returns = roll(policy, clip, frames)
                write_atomic(kept, json.dumps([asdict(one) for one in returns]))
                click.echo(f"{policy} {clip}: {returns[0].psnr:.1f} to {returns[-1].psnr:.1f} dB")
            found += [Return(**row) for row in json.loads(kept.read_text())]
    rows = [",".join(asdict(found[0])), *(",".join(map(_number, asdict(one).values())) for one in found)]
    write_atomic(out / "long.csv", "\n".join(rows) + "\n")
    table = markdown(grid(found))
    write_atomic(out / "long.md", table)
    for theme in (LIGHT, DARK):
        write_png(draw(theme, found), out / f"long{theme.suffix}.png")
    click.echo(table)


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def at(found: list[Return], policy: str, number: int) -> list[Return]:
    """A policy's return of one number, of each clip."""
    return [one for one in found if (one.policy, one.number) == (policy, number)]


def grid(found: list[Return]) -> Grid:
    """A row a policy, what the last return shows best first; means over clips."""
    last = max(one.number for one in found)
    shown = sorted({1, (last + 1) // 2, last})
    names = sorted(dict.fromkeys(one.policy for one in found), key=lambda p: -fmean(r.psnr for r in at(found, p, last)))
    header = ("policy", *(f"PSNR, return {n}" for n in shown), "drift, dB", "LPIPS, last")
    header += ("bytes, first", "bytes, last", "CPU ms a block, first", "last")
    rows = []
    for name in names:
        first, end = at(found, name, 1), at(found, name, last)
        decibels = [fmean(one.psnr for one in at(found, name, number)) for number in shown]
        rows.append(
            (
                name,
                *(f"{value:.2f}" for value in decibels),
                f"{decibels[-1] - decibels[0]:+.2f}",
                f"{fmean(one.lpips for one in end):.3f}",
                *(f"{fmean(one.bytes for one in part) / 1e6:.2f} MB" for part in (first, end)),
                *(f"{fmean(one.cpu_ms for one in part):.0f}" for part in (first, end)),
            )
        )
    return Grid(header, tuple(rows), (False,) * len(rows), left=1)


def draw(theme: Theme, found: list[Return]) -> Figure:
    """PSNR of each return, a pane a policy; dashed: full history."""
    names = list(dict.fromkeys(one.policy for one in found))
    style = looks(names)
    figure = new_figure(theme, 8, 1.2 * -(-len(names) // 5) + 0.8)
    panes = figure.subplots(-(-len(names) // 5), 5, sharex=True, sharey=True, squeeze=False).flat
    numbers = sorted({one.number for one in found})
    curves = {name: [fmean(one.psnr for one in at(found, name, number)) for number in numbers] for name in names}
    for axes, name in zip(panes, names, strict=False):
        if WHOLE in curves:
            axes.plot(numbers, curves[WHOLE], color=theme.reference, lw=1, ls="--", zorder=1)
        axes.plot(numbers, curves[name], color=theme.colour(style[name]), lw=1.8, zorder=2)
        axes.set_title(name, fontsize=8, color=theme.ink)
        axes.set_facecolor(theme.ground)
        axes.tick_params(labelsize=7, colors=theme.quiet)
        for spine in axes.spines.values():
            spine.set_color(theme.spine)
    for axes in list(figure.axes)[len(names) :]:
        axes.set_axis_off()
    figure.supxlabel(f"return, every {2 * LEG} generated frames", color=theme.quiet, fontsize=9)
    figure.supylabel(f"PSNR (dB), mean of {len(CLIPS)} clips; dashed: full history", color=theme.quiet, fontsize=9)
    return figure


if __name__ == "__main__":
    main()
