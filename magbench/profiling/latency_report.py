"""What `magbench profile` prints and saves of timed models: grids, profile.json, plot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magbench.core.errors import MagbenchError
from magbench.core.files import claim
from magbench.core.parsing import read_object
from magbench.profiling.latency import SLOPE_FROM, ProfilePoint, slopes
from magbench.profiling.plot import BUSY, draw_profile
from magbench.render.grid import NOTHING, Grid, human_bytes
from magbench.render.labels import room_for
from magbench.render.theme import Theme, looks, new_figure, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure


MARK = " †"
"""Behind a time that was taken while other work had the machine."""


def point_grid(points: Sequence[ProfilePoint]) -> Grid:
    """A row a model and history, as text."""
    rows = tuple(
        (
            p.model,
            str(p.history),
            f"{p.seconds:.4f}{MARK if p.disturbed else ''}",
            f"{p.fps:.1f}",
            NOTHING if p.history_bytes is None else human_bytes(p.history_bytes),
        )
        for p in points
    )
    return Grid(("model", "history, blocks", "s/block", "FPS", "history"), rows, (False,) * len(rows), left=1)


def slope_grid(points: Sequence[ProfilePoint], start: int = SLOPE_FROM) -> Grid:
    """A row a model: its slope, and the ratio to the first model's, as text."""
    found = slopes(points, start)
    busy = busy_models(points)
    rows = tuple(
        (
            s.model,
            NOTHING if s.seconds_per_block is None else f"{s.seconds_per_block:.3g}{MARK if s.model in busy else ''}",
            NOTHING if s.ratio is None or {s.model, found[0].model} & busy else f"{s.ratio:.3f}",
        )
        for s in found
    )
    last = max(p.history for p in points)
    what = f"slope, s/block per block of history, {start} to {last}"
    header = ("model", what, f"ratio to {found[0].model}")
    return Grid(header, rows, (False,) * len(rows), left=1)


def busy_models(points: Sequence[ProfilePoint]) -> set[str]:
    """Models of which a point could only be timed while other work had the machine."""
    return {p.model for p in points if p.disturbed}


def busy_notes(points: Sequence[ProfilePoint]) -> list[str]:
    """What has to be said of disturbed times."""
    busy, left_out = busy_models(points), sum(p.left_out for p in points)
    notes = [f"{left_out} blocks that other work disturbed were timed again and are left out"] if left_out else []
    if busy:
        notes.append(
            f"†: timed while other work had the machine, so it says little about {', '.join(sorted(busy))}; profile"
            " again on a machine with nothing beside it"
        )
    return notes


def write_profile(
    points: Sequence[ProfilePoint], source: Mapping[str, Any], out: Path, start: int = SLOPE_FROM
) -> None:
    """Write profile.json (every timed block, slopes), and the plot as profile.png and its variants.

    source: see :func:`magbench.core.provenance.provenance`.
    """
    content = {
        **source,
        "slope_from": start,
        "slopes": [asdict(s) for s in slopes(points, start)],
        "points": [asdict(p) for p in points],
    }
    (out / "profile.json").write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
    series = curves(content)
    style = looks(series)

    def draw(theme: Theme) -> Figure:
        figure = new_figure(theme, *room_for(list(series), 9.0, 5.2))
        draw_profile(figure.subplots(), theme, series, style)
        return figure

    save(draw, out / "profile.png")


def check_folder(out: Path) -> None:
    """Refuse a folder that is neither a run's nor holds an earlier profile, before anything is measured."""
    if (out / "profile.json").is_file():
        read_profile(out / "profile.json")
    claim(out, ("run.json", "profile.json"), "run or profile")


def read_profile(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Read profile.json: model -> (blocks of history, seconds a block).

    Raises:
        MagbenchError: it is not a profile.
    """
    try:
        return curves(read_object(path))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MagbenchError(f"{path}: not a profile ({error})") from error


def curves(content: Mapping[str, Any]) -> dict[str, list[tuple[int, float]]]:
    """Model -> (blocks of history, seconds a block), from the content of profile.json.

    Histories that the device had no room for are left out. A model with disturbed times has ``BUSY`` behind its name.
    """
    found: dict[str, list[tuple[int, float]]] = {}
    busy = {point["model"] for point in content["points"] if point.get("disturbed")}
    for point in content["points"]:
        if point["seconds"] is None:
            continue
        name = point["model"] + BUSY if point["model"] in busy else point["model"]
        found.setdefault(name, []).append((int(point["history"]), float(point["seconds"])))
    return found
