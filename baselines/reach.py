"""What `magbench reach` prints: policies on a suite, or after hours of video, without any model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mag_model.memory.ages import AGES, remembered
from mag_model.memory.views import reach_of
from magbench.render.grid import Grid

if TYPE_CHECKING:
    from mag_model.memory.policy import CachePolicy

Titled = tuple[Grid, str]


def on_suite(policies: Mapping[str, CachePolicy], name: str, block: int) -> Titled:
    """The share of each return's views that can be read, and bytes."""
    from magbench import api

    suite = api.load_suite(name)
    clips = []
    for clip in suite.clips:
        pose = clip.pose if clip.pose is not None and clip.pose.shape[1] == 3 else None
        clips.append((clip.revisit, pose, clip.switch, clip.out_of_window(suite.window)))
    found = [reach_of(name, policy, clips, block) for name, policy in policies.items()]
    found.sort(key=lambda one: (-(one.far or 0), one.kept))
    rows = [
        (one.policy, *(_share(value, one.at_most) for value in (one.far, one.seen)), f"{one.kept:.3f}") for one in found
    ]
    title = f"{suite.name}: views that a block can read, no model"
    return _grid(("policy", "held, out of window", "held, seen", "bytes"), rows, title)


def after_hours(policies: Mapping[str, CachePolicy], hours: float, fps: int, block: int) -> Titled:
    """Of what was shown so long ago, the share that can be read, and bytes."""
    made = round(hours * 3600 * fps) // block * block
    ages = {label: min(seconds * fps, made) for label, seconds in AGES.items() if seconds <= hours * 3600}
    found = {name: remembered(policy, made, block, tuple(ages.values())) for name, policy in policies.items()}
    ordered = sorted(found.items(), key=lambda pair: (-sum(pair[1].known), pair[1].kept))
    rows = [(name, *(_share(share, one.at_most) for share in one.known), f"{one.kept:.6f}") for name, one in ordered]
    title = f"{hours:g} hours at {fps} frames a second: what can be read of what was shown so long ago"
    return _grid(("policy", *(f"to {label}" for label in ages), "bytes"), rows, title)


def _share(value: float | None, at_most: bool) -> str:
    return "-" if value is None else f"{'<= ' * at_most}{value:.3f}"


def _grid(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], title: str) -> Titled:
    return Grid(header, tuple(rows), (False,) * len(rows), left=1), title
