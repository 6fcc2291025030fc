"""The side-by-side player: its place on a page, and the plain data that its script reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magbench.leaderboard.site.html import rounded, script_data, shown
from magbench.leaderboard.site.sheets import write_sheet
from magbench.report.columns import LPIPS, PRIMARY, PSNR
from magbench.runs.records import Record
from magbench.suites.clip import Clip

CURVES = {
    PRIMARY.key: ("ordered score", "higher"),
    PSNR.key: ("PSNR, dB", "higher"),
    LPIPS.key: ("LPIPS", "lower"),
}
"""The curves under the scrubber: key -> name, which way is better."""

AT_ONCE = 4
"""Models beside the truth."""


@dataclass(frozen=True)
class Shown:
    """One model's return of a clip.

    Attributes:
        name: its label on the board.
        frames: (T - switch, H, W, 3) uint8.
        curves: key of ``CURVES`` -> value of each of the frames, None where there is none.
    """

    name: str
    frames: NDArray[np.uint8]
    curves: Mapping[str, Sequence[float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class PlayerClip:
    """A clip with its truth, and what the models made of it. ``window``: that of the suite, in frames."""

    board: str
    clip: Clip
    window: int
    shown: tuple[Shown, ...]


def curves_of(records: Iterable[Record], clip: Clip) -> dict[str, list[float | None]]:
    """The curves of one model's records of one clip, a value for each frame of the return."""
    named = {(c.protocol, c.metric): c.key for c in (PRIMARY, PSNR, LPIPS)}
    found: dict[str, list[float | None]] = {}
    for record in records:
        key = named.get((record.protocol, record.metric))
        if key is None or record.region != "all" or record.per_frame is None or record.frame is None:
            continue
        values: list[float | None] = [None] * (len(clip) - clip.switch)
        for frame, value in zip(record.frame, record.per_frame, strict=True):
            if clip.switch <= frame < len(clip):
                values[frame - clip.switch] = round(value, 3)
        found[key] = values
    return found


def write_clips(clips: Iterable[PlayerClip], root: Path) -> list[dict[str, Any]]:
    """Write the sheets of some clips below ``root``; returns what the script reads, one dictionary a clip."""
    found = []
    for one in clips:
        clip, frames = one.clip, one.clip.frames
        found.append(
            {
                "board": one.board,
                "clip": clip.id,
                "about": ", ".join(word for word in (clip.category, clip.speed) if word),
                "fps": clip.fps,
                "switch": clip.switch,
                "window": one.window,
                "gap": clip.gap.tolist(),
                "truth": write_sheet(frames, root),
                "shown": [
                    {"name": row.name, "sheet": write_sheet(row.frames, root), "curves": dict(row.curves)}
                    for row in one.shown
                ],
            }
        )
    return found


def data_script(clips: Sequence[Mapping[str, Any]], looks: Mapping[str, str]) -> str:
    """``clips.js``: everything that the player's script reads."""
    curves = [{"key": key, "name": name, "better": better} for key, (name, better) in CURVES.items()]
    used = {row["name"]: looks.get(row["name"], "look") for clip in clips for row in clip["shown"]}
    return script_data("magbenchClips", rounded({"clips": list(clips), "curves": curves, "looks": used}))


def section(note: str) -> str:
    """The player's place on a page; its script fills it. ``note``: what is not there, as HTML."""
    speeds = "".join(
        f'<option value="{value}"{" selected" if value == "1" else ""}>{value} &times;</option>'
        for value in ("0.1", "0.25", "0.5", "1", "2")
    )
    chosen = "".join(f'<select data-slot="{i}" aria-label="Model {i + 1}"></select>' for i in range(AT_ONCE))
    curves = "".join(f'<option value="{shown(key)}">{shown(name)}</option>' for key, (name, _) in CURVES.items())
    return f"""<section id="player" aria-label="Side by side">
<h2>See for yourself</h2>
<noscript><p>The player needs JavaScript; the tables do not.</p></noscript>
<div class="player" hidden>
<div class="filters">
<label>Clip <select id="clip"></select></label>
<fieldset class="slots"><legend>Models</legend>{chosen}</fieldset>
<label>View <select id="view"><option value="side">side by side</option>\
<option value="wipe">wipe: truth | model</option>\
<option value="difference">difference from the truth, &times; 4</option></select></label>
</div>
<div class="tiles" id="tiles" tabindex="0" role="group" aria-label="Frames"></div>
<p class="moment" id="moment" aria-live="off"></p>
<div class="scrubber">
<p class="range" id="range"></p>
<svg id="curve" preserveAspectRatio="none" role="img"></svg>
<input id="frame" type="range" min="0" value="0" step="1" aria-label="Frame">
</div>
<div class="filters controls">
<button type="button" id="back" aria-label="One frame back" title="one frame back (left)">&#9664;&#xFE0E;</button>
<button type="button" id="play" title="play or pause (space)">Play</button>
<button type="button" id="step" aria-label="One frame on" title="one frame on (right)">&#9654;&#xFE0E;</button>
<label>Speed <select id="speed">{speeds}</select></label>
<label>Curve <select id="metric">{curves}</select></label>
<label class="wipe" hidden>Wipe <input id="wipe" type="range" min="0" max="100" value="50"></label>
</div>
<p class="hint">Keys: space plays and pauses, left and right step a frame, Home and End go to its ends, s, w and d
choose the view. Shaded: the view was last seen out of the window. {note}</p>
</div>
</section>"""
