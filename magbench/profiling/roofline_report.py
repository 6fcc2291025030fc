"""What `magbench profile` prints and saves of models whose sizes are known: table, JSON, plot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from magbench.models.workload import Workload
from magbench.profiling.roofline import Device, Measured
from magbench.render.grid import NOTHING, Grid, human_bytes
from magbench.render.theme import dress, label_ends, looks, new_figure, save

FULL = "no room"
"""In place of a time: the device's memory was full."""


def price_grid(points: Sequence[Measured]) -> Grid:
    """Every point as ready text: measured, and after a slash what sizes alone say."""
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


def price_notes(workloads: Sequence[Workload], device: Device) -> list[tuple[str, ...]]:
    """At which sizes this was measured, and what the device can do."""
    shapes = [(work.name, work.shape) for work in workloads]
    speeds = f"{device.flops / 1e12:.3g} TFLOP/s in a matrix product, {device.bandwidth / 1e9:.3g} GB/s in a copy"
    return [*shapes, ("device", speeds)]


def source_notes(source: Mapping[str, Any]) -> list[tuple[str, str]]:
    """By which command and on what this was measured."""
    machine = ", ".join(f"{key} {value}" for key, value in source["machine"].items())
    made_by = f"magbench {source['magbench_version']}, commit {source['commit'] or 'unknown'}"
    return [("command", f"`{source['command']}`"), ("made by", made_by), ("machine", machine)]


def write_prices(
    points: Sequence[Measured],
    workloads: Sequence[Workload],
    device: Device,
    source: Mapping[str, Any],
    out: Path,
) -> None:
    """profile.json (every timed block, sizes), profile.md and profile.png.

    source: see :func:`magbench.core.provenance.provenance`.
    """
    from magbench.render.text import markdown

    out.mkdir(parents=True, exist_ok=True)
    content = {
        **source,
        "device": asdict(device),
        "shapes": {work.name: work.shape for work in workloads},
        "points": [asdict(point) for point in points],
    }
    (out / "profile.json").write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
    lines = [*price_notes(workloads, device), *source_notes(source)]
    notes = "".join(f"- {name}: {text}\n" for name, text in lines)
    (out / "profile.md").write_text(f"{markdown(price_grid(points))}\n{notes}")
    _draw(points, out / "profile.png")


def _draw(points: Sequence[Measured], path: Path) -> None:
    """Measured seconds drawn through, predicted ones dotted."""
    timed = [p for p in points if p.seconds is not None]
    models = list(dict.fromkeys(p.model for p in timed))
    style = looks(models)
    figure = new_figure(9.0, 5.2)
    axes, ends = figure.subplots(), []
    for model in models:
        own = [p for p in timed if p.model == model]
        x, y = [p.frames for p in own], [p.seconds or 0.0 for p in own]
        axes.plot(x, y, color=style[model].colour, lw=2, marker=style[model].marker, ms=5)
        axes.plot(x, [p.predicted_seconds for p in own], color=style[model].colour, lw=1, ls=":")
        ends.append((model, y[-1], style[model].colour))
    axes.set_ylim(bottom=0)
    dress(
        axes,
        "What the last block of a clip costs",
        "Median of several blocks behind made-up memory; dotted: from sizes and the device's measured speed",
        "latent frames of the clip",
        "time per block (s), lower is better",
    )
    if ends:
        label_ends(axes, ends, max(p.frames for p in timed))
    save(figure, path)


def _text(value: float | None, form: str) -> str:
    return NOTHING if value is None else format(value, form)


def _bytes(value: int | None) -> str:
    return NOTHING if value is None else human_bytes(value)
