"""Make what ships of revisit-3d from chosen plans: `python benchmarks/ship_3d.py PLANS CHOSEN.csv SPLIT`, with ViZDoom.

PLANS: the folder that plan_3d.py filled. CHOSEN.csv: columns plan (NNNN-KIND-SPEED-MAP) and caption, in the order of
the suite. Writes poses, captions, frame hashes at both sizes, shapes of maps, and of the test split the small frames.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from magbench.core.rows import read_rows, write_rows
from magbench.suites.worlds.doom.camera import SCREENS, still_map
from magbench.suites.worlds.doom.film import film, once
from magbench.suites.worlds.doom.planned import CLIPS_FILE, COLUMNS, MAPS_FILE, POSES_FILE, folder_of
from magbench.suites.worlds.doom.settle import settled, write_settled
from magbench.suites.worlds.doom.wad import shape
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
        if given.split == "test":
            first, _ = once(path)
            write_settled(folder / "frames" / f"{name}.mkv", drawn[first], FPS)
        small = frames_sha256(settled(drawn))
        large = frames_sha256(film(place, SCREENS["832x480"], path))
        rows.append((name, place, kind, speed, row.text("caption"), small, large))
        print(name, place, small[:12], large[:12], flush=True)
    write_rows(folder / CLIPS_FILE, COLUMNS, rows)
    np.savez_compressed(folder / POSES_FILE, **poses)
    lumps = {name: shape(still_map(name)) for name in sorted({row[1] for row in rows})}
    flat: dict[str, Any] = {
        f"{name}/{lump}": np.frombuffer(data, np.uint8) for name in lumps for lump, data in lumps[name].items()
    }
    np.savez_compressed(folder / MAPS_FILE, **flat)


if __name__ == "__main__":
    main()
