"""Make what ships of revisit-3d from chosen plans: `python benchmarks/ship_3d.py PLANS CHOSEN.csv SPLIT`, with ViZDoom.

PLANS: the folder that plan_3d.py filled. CHOSEN.csv: columns plan (NNNN-KIND-SPEED-MAP) and caption, in the order of
the suite. Writes poses, captions and frame hashes at both sizes; of the test split the small frames and depth as well.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from magbench.core.rows import read_rows, write_rows
from magbench.suites.planes import depth_codes
from magbench.suites.worlds.doom.camera import SCREENS
from magbench.suites.worlds.doom.film import film, film_depth, once
from magbench.suites.worlds.doom.planned import CLIPS_FILE, COLUMNS, POSES_FILE, folder_of
from magbench.suites.worlds.doom.settle import settled, write_settled
from magbench.video.gray16 import write_gray16
from magbench.video.io import frames_sha256

FPS = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plans", type=Path)
    parser.add_argument("chosen", type=Path)
    parser.add_argument("split", choices=["test", "dev"])
    given = parser.parse_args()
    folder = folder_of(given.split)
    rows, poses = [], {}
    for number, row in enumerate(read_rows(given.chosen, ("plan", "caption"))):
        _, kind, speed, place = row.text("plan").split("-")
        name = f"{number:02d}-{kind}-{speed}"
        path = poses[name] = np.load(given.plans / f"{row.text('plan')}.npy")
        drawn = film(place, SCREENS["96x64"], path)
        lens, size = SCREENS["96x64"].intrinsics(), SCREENS["96x64"].size[::-1]
        codes, near = depth_codes(film_depth(place, lens, size, path))
        if given.split == "test":
            first, _ = once(path)
            write_settled(folder / "frames" / f"{name}.mkv", drawn[first], FPS)
            write_gray16(folder / "depths" / f"{name}.mkv", codes[first], FPS)
        small = frames_sha256(settled(drawn))
        large = frames_sha256(film(place, SCREENS["832x480"], path))
        rows.append((name, place, kind, speed, row.text("caption"), small, large, near))
        print(name, place, small[:12], large[:12], flush=True)
    write_rows(folder / CLIPS_FILE, COLUMNS, rows)
    np.savez_compressed(folder / POSES_FILE, **poses)


if __name__ == "__main__":
    main()
