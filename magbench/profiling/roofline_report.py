"""What `magbench profile` prints and saves of models whose sizes are known: table, JSON, plot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magbench.models.workload import Workload
from magbench.profiling.roofline import Device, RooflinePoint
from magbench.render.grid import NOTHING, Grid, human_bytes
from magbench.render.labels import EndLabel, label_ends, room_for
from magbench.render.text import markdown
from magbench.render.theme import LINE, Look, Theme, dress, looks, new_figure, remove, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FULL = "no room"
"""In place of a time: the device's memory was full."""


def roofline_grid(points: Sequence[RooflinePoint]) -> Grid:
    """A row a model and length as text: measured, and after a slash what sizes alone predict."""
    rows = tuple(
        (
            str(p.frames),
            p.model,
            FULL if p.seconds is None else f"{p.seconds:#.3g} / {p.predicted_seconds:#.3g}",
            _text(p.p95, "#.3g"),
            _text(p.fps, ".1f"),
            _text(p.fps_decoded, ".1f"),
            f"{_bytes(p.history_bytes)} / {human_bytes(p.history_counted)}",
            f"{_bytes(p.peak_bytes)} / {human_bytes(p.peak_counted)}",
            NOTHING if p.flops_per_second is None else f"{p.flops_per_second / 1e12:.3g}",
            NOTHING if p.share is None else f"{100 * p.share:.0f} %",
        )
        for p in points
    )
    header = (
        *("latent frames", "model", "s/block / predicted", "p95", "FPS", "FPS decoded"),
        *("K/V / counted", "peak / counted", "TFLOP/s", "of matmul"),
    )
    return Grid(header, rows, (False,) * len(rows), left=2)


def roofline_notes(workloads: Sequence[Workload], device: Device) -> list[tuple[str, ...]]:
    """The sizes of each model, and what the device can do, each with a name."""
    shapes = [(work.name, work.shape) for work in workloads]
    speeds = f"{device.flops / 1e12:.3g} TFLOP/s in a matrix product, {device.bandwidth / 1e9:.3g} GB/s in a copy"
    return [*shapes, ("device", speeds)]


def source_notes(source: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The command, the version and the machine of the measurement, each with a name."""
    machine = ", ".join(f"{key} {value}" for key, value in source["machine"].items())
    made_by = f"magbench {source['magbench_version']}, commit {source['commit'] or 'unknown'}"
    return [("command", f"`{source['command']}`"), ("made by", made_by), ("machine", machine)]


def write_roofline(
    points: Sequence[RooflinePoint],
    workloads: Sequence[Workload],
    device: Device,
    source: Mapping[str, Any],
    out: Path,
) -> None:
    """Write profile.json (every timed block, sizes), profile.md, and the plot as profile.png and its variants.

    source: see :func:`magbench.core.provenance.provenance`.
    """
    content = {
        **source,
        "device": asdict(device),
        "shapes": {work.name: work.shape for work in workloads},
        "points": [asdict(point) for point in points],
    }
    (out / "profile.json").write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
    lines = [*roofline_notes(workloads, device), *source_notes(source)]
    notes = "".join(f"- {name}: {text}\n" for name, text in lines)
    (out / "profile.md").write_text(f"{markdown(roofline_grid(points))}\n{notes}")
    timed = [point for point in points if point.seconds is not None]
    if timed:
        style = looks(point.model for point in timed)
        save(lambda theme: _draw(theme, timed, style), out / "profile.png")
    else:
        remove(out / "profile.png")


def _draw(theme: Theme, points: Sequence[RooflinePoint], style: Mapping[str, Look]) -> Figure:
    """Measured seconds as a curve, predicted ones dotted."""
    figure = new_figure(theme, *room_for(list(style), 9.0, 5.2))
    axes, ends = figure.subplots(), []
    for model in dict.fromkeys(p.model for p in points):
        own = [p for p in points if p.model == model]
        x, y, colour = [p.frames for p in own], [p.seconds or 0.0 for p in own], theme.colour(style[model])
        axes.plot(x, y, color=colour, lw=LINE, marker=style[model].marker, ms=6)
        axes.plot(x, [p.predicted_seconds for p in own], color=colour, lw=1.4, ls=":")
        ends.append(EndLabel(model, y[-1], colour))
    axes.set_ylim(bottom=0)
    dress(
        axes,
        theme,
        "What the last block of a clip costs",
        "Median of several blocks behind a full history; dotted: predicted from sizes and the device's speed",
        "latent frames of the clip",
        "time per block (s), lower is better",
    )
    label_ends(axes, ends, max(p.frames for p in points))
    return figure


def _text(value: float | None, form: str) -> str:
    return NOTHING if value is None else format(value, form)


def _bytes(value: int | None) -> str:
    return NOTHING if value is None else human_bytes(value)
