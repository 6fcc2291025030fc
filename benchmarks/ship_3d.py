"""Make what ships of revisit-3d, with ViZDoom.

`python benchmarks/ship_3d.py PLANS CHOSEN.csv SPLIT` makes it from chosen plans. PLANS: the folder of plan_3d.py,
CHOSEN.csv: columns plan (NNNN-KIND-SPEED-MAP) and caption, in the order of the suite. Writes poses, captions and
frame hashes; of the test split also hashes of the large frames, the small frames and the shapes of maps.

`python benchmarks/ship_3d.py --stretched` writes the frame hashes of the splits that stretch paths of the test split.
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
from magbench.suites.worlds.doom.stretched import COLUMNS as HASHES_COLUMNS
from magbench.suites.worlds.doom.stretched import EXPLORE, HASHES_FILE, LONG, SIZE, unhashed
from magbench.suites.worlds.doom.wad import shape
from magbench.video.io import frames_sha256

FPS = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plans", type=Path, nargs="?")
    parser.add_argument("chosen", type=Path, nargs="?")
    parser.add_argument("split", choices=["test", "dev"], nargs="?")
    parser.add_argument("--stretched", action="store_true")
    given = parser.parse_args()
    if given.stretched:
        ship_stretched()
    else:
        ship(given.plans, given.chosen, given.split)


def ship_stretched() -> None:
    """Write the hashes of both stretched splits."""
    rows = []
    for plan in [*unhashed(EXPLORE), *unhashed(LONG)]:
        rows.append((plan.id, frames_sha256(settled(film(plan.place, SCREENS[SIZE], plan.poses)))))
        print(*rows[-1], flush=True)
    write_rows(folder_of("test") / HASHES_FILE, HASHES_COLUMNS, rows)


def ship(plans: Path, chosen: Path, split: str) -> None:
    """Write what ships of a planned split."""
    folder = folder_of(split)
    folder.mkdir(exist_ok=True)
    rows, poses = [], {}
    for number, row in enumerate(read_rows(chosen, ("plan", "caption"))):
        _, kind, speed, place = row.text("plan").split("-")
        name = f"{number:02d}-{kind}-{speed}"
        path = poses[name] = np.load(plans / f"{row.text('plan')}.npy")
        drawn = film(place, SCREENS["96x64"], path)
        small, large = frames_sha256(settled(drawn)), ""
        if split == "test":
            first, _ = once(path)
            write_settled(folder / "frames" / f"{name}.mkv", drawn[first], FPS)
            large = frames_sha256(film(place, SCREENS["832x480"], path))
        rows.append((name, place, kind, speed, row.text("caption"), small, large))
        print(name, place, small[:12], large[:12], flush=True)
    write_rows(folder / CLIPS_FILE, COLUMNS, rows)
    np.savez_compressed(folder / POSES_FILE, **poses)
    if split != "test":
        return
    lumps = {name: shape(still_map(name)) for name in sorted({row[1] for row in rows})}
    flat: dict[str, Any] = {
        f"{name}/{lump}": np.frombuffer(data, np.uint8) for name in lumps for lump, data in lumps[name].items()
    }
    np.savez_compressed(folder / MAPS_FILE, **flat)


if __name__ == "__main__":
    main()
