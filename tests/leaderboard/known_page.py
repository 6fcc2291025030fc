"""A small page whose rows, frames and curves are known, made without a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from magbench.leaderboard.page import claim, write_contents
from magbench.leaderboard.site import model, player, plots
from magbench.leaderboard.site.content import Content
from magbench.leaderboard.site.html import safe_names
from magbench.leaderboard.site.looks import classes
from magbench.leaderboard.site.player import PlayerClip, Shown
from magbench.report.columns import BLOCK, HISTORY, PRIMARY, PSNR
from magbench.suites.clip import NO_REVISIT, Clip

TOY, OTHER = "toy-v1-test-aaaaaaaaaaaa", "other-v2-test-bbbbbbbbbbbb"
COLUMNS = [
    (PRIMARY.key, "ordered score ↑", "", "higher"),
    (PSNR.key, "PSNR dB ↑", "dB", "higher"),
    (HISTORY.key, "history", "B", "lower"),
    (BLOCK.key, "s / block ↓", "s", "lower"),
]
FRAMES, SWITCH, WINDOW, SIZE = 12, 6, 4, 32


def row(name: str, trust: str, values: list[float | None], **more: Any) -> dict[str, Any]:
    """A row as ``rows_of`` gives it."""
    cells = {
        key: {"mean": value, "low": None if value is None else value * 0.9, "high": value and value * 1.1, "n": 3}
        for (key, *_), value in zip(COLUMNS, values, strict=True)
    }
    return {"model": name, "trust": trust, "rank": None, "bounds": None, "complete": True, "cells": cells, **more}


def rows() -> list[dict[str, Any]]:
    """Six rows of two families: a variant, one without PSNR, one without any score, one withdrawn, a reference."""
    made = {"machine": "a machine", "submitter": "somebody", "date": "2026-01-31", "command": "magbench run"}
    return [
        row("alpha", "fresh", [0.9, 100.0, 4e6, 0.5], rank=1, bounds=(1, 1), family="x", policy="mag", **made),
        row("alpha-2", "rescored", [0.8, 9.5, 2e6, 0.25], rank=2, bounds=(2, 3), family="x", variant=True, **made),
        row("beta", "rescored", [0.7, 10.25, 1e6, 0.125], rank=2, bounds=(2, 3), family="y", policy="window", **made),
        row(
            "gamma",
            "reported",
            [0.6, None, None, None],
            family="y",
            policy="window",
            source="Somebody et al., 2026, table 3",
            url="https://example.org/paper",
        ),
        row("delta", "quarantined", [None] * 4, family="y", faults=["error: records.parquet: a score is too high"]),
        row("old", "reported", [0.5, 2.0, None, None], family="z", status="superseded", superseded_by="beta"),
        row("oracle", "reference", [1.0, 50.0, None, None]),
    ]


def clip(name: str) -> Clip:
    """Frame t is of one colour, (20 t, 0, 0); gaps of the return: 1, 3, 5, 7, 9 and a view that was never seen."""
    frames = np.zeros((FRAMES, SIZE, SIZE, 3), np.uint8)
    frames[..., 0] = 20 * np.arange(FRAMES)[:, None, None]
    revisit = np.full(FRAMES, NO_REVISIT)
    revisit[SWITCH:-1] = np.arange(SWITCH - 1)[::-1] + 1
    return Clip(
        id=name, caption="", category="pan", speed="slow", fps=16, switch=SWITCH, frames=frames, pose=None,
        revisit=revisit,
    )  # fmt: skip


def clips(names: tuple[str, ...] = ("alpha", "beta", "alpha-2")) -> list[PlayerClip]:
    """Two clips. The first model's frames are (20 t, 0, 40), the others' (0, 20 t, 0)."""
    found = []
    for one in (clip("first"), clip("second")):
        other = np.roll(one.frames, 1, axis=-1)[SWITCH:]
        blue = one.frames[SWITCH:].copy()
        blue[..., 2] = 40
        score = [0.5, 0.25, 1.0, 0.0, 0.75, 0.5]
        made = [
            Shown(name, blue if i == 0 else other, {PRIMARY.key: score, PSNR.key: [30.0] * 6})
            for i, name in enumerate(names)
        ]
        found.append(PlayerClip(TOY, one, WINDOW, tuple(made)))
    return found


def content(
    name: str,
    found: list[dict[str, Any]],
    columns: Sequence[tuple[str, str, str, str]] = COLUMNS,
    clips: Sequence[str] = ("first", "second"),
) -> Content:
    """A board of some rows, each with a page."""
    labels = [one["model"] for one in found if one["trust"] != "reference"]
    looks, title = classes(labels), name.replace("-", " ")
    folder = safe_names([name])[name]
    places = {label: f"models/{folder}/{file}.html" for label, file in safe_names(labels).items()}
    watch = "../../index.html#clip=toy-v1-test-aaaaaaaaaaaa%2Fsecond&shown=beta"
    strip = plots.strip(clips, {clip: 0.5 for clip in clips[:-1]}, "look", {"second": watch})
    pages = {
        places[one["model"]]: model.page(
            title,
            one,
            columns,
            model.Details(strip=strip, watch=watch, reproduce=[one.get("command", "")]),
            f"../../index.html#suite={name}",
        )
        for one in found
        if one["model"] in places
    }
    return Content(name, title, columns, found, None, looks, places, pages, [], WINDOW)


def write(out: Path) -> Path:
    """Two boards and the player; returns the page."""
    claim(out)
    watched = player.write_clips(clips(), out)
    second = [row("beta", "rescored", [0.4, 1.0, 10.0, 1.0], rank=1, family="y", policy="window")]
    return write_contents([content(TOY, rows()), content(OTHER, second)], watched, out)
