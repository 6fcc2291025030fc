"""``magbench suite export``: what may be shown to a model, and nothing of the answer.

For models that are run elsewhere or by hand. The given part of each clip, its caption, where the camera goes, and how
many frames are wanted at which rate; not one frame of the true return, and not which view comes back when.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from magbench import __version__
from magbench.core.files import file_sha256, folder_written
from magbench.core.rows import write_rows
from magbench.core.seeds import task_seed
from magbench.suites.clip import Clip
from magbench.suites.format import Suite, pose_names
from magbench.suites.space import INTRINSICS
from magbench.video.io import write_lossless

MANIFEST = "manifest.json"
COLUMNS = ("clip", "context", "caption", "pose", "fps", "width", "height", "context_frames", "return_frames", "seed")
"""Where a suite knows them, fx, fy, cx and cy of the camera follow, in pixels."""

README = """\
What a model may be shown of {name} v{version}, {split} split: {clips} clips.

clips.csv      one line a clip: the given part (context, a lossless video), the caption, the camera, and how many
               frames are wanted after the given ones, at which rate and size
context/       the given part of each clip, frames 0 to context_frames - 1
poses/         the camera of every frame, the wanted ones included, for suites that have one
manifest.json  the suite's digest, and the file that is expected back for each clip

Make one video a clip, named by the clip (CLIP.mp4, .mkv, .webm, .npz or a folder CLIP of PNGs), with the wanted frames
alone or after the given ones. Then score them:

    magbench score --suite {name} --videos DIR --model NAME --out OUT
"""


def export(suite: Suite, folder: Path, limit: int | None = None) -> None:
    """Write what a model may be shown of the first ``limit`` clips (None: all); the folder must be new."""
    clips = suite.clips[:limit]
    named = {"name": suite.name, "version": suite.version, "split": suite.split, "clips": len(clips)}
    with folder_written(folder) as half:
        known = any(clip.intrinsics is not None for clip in clips)
        write_rows(half / "clips.csv", (*COLUMNS, *(INTRINSICS if known else ())), _rows(half, clips, known))
        (half / "README.txt").write_text(README.format(**named), encoding="utf-8")
        files = sorted(path for path in half.rglob("*") if path.is_file())
        manifest = {
            **named,
            "digest": suite.digest,
            "magbench_version": __version__,
            "expected": {clip.id: f"{clip.id}.mp4" for clip in clips},
            "return_frames": {clip.id: len(clip) - clip.switch for clip in clips},
            "sha256": {path.relative_to(half).as_posix(): file_sha256(path) for path in files},
        }
        (half / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _rows(folder: Path, clips: tuple[Clip, ...], with_intrinsics: bool) -> Iterator[tuple[object, ...]]:
    for clip in clips:
        context, pose = f"context/{clip.id}.mkv", ""
        write_lossless(folder / context, clip.frames[: clip.switch], clip.fps)
        if clip.pose is not None:
            pose = f"poses/{clip.id}.csv"
            numbers = ((t, *row) for t, row in enumerate(clip.pose.tolist()))
            write_rows(folder / pose, ("frame", *pose_names(clip.pose)), numbers)
        height, width = clip.size
        wanted = len(clip) - clip.switch
        seed = task_seed(clip.id, 0)
        camera = [""] * len(INTRINSICS) if clip.intrinsics is None else clip.intrinsics.tolist()
        row = (clip.id, context, clip.caption, pose, clip.fps, width, height, clip.switch, wanted, seed)
        yield *row, *(camera if with_intrinsics else ())
