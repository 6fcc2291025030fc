"""Films whose camera is known, for a mirrored suite that the nano models can follow: python benchmarks/films.py DIR

Each is a straight pan to the right over one of the photographs of `revisit-photo`, 32x32 pixels, `STEP` view widths a
frame. Then: magbench suite mirror DIR SUITE --frames 49 --gap 2 --window 9 --track 0.24
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from magbench.suites.embedded.revisit_nano import FPS, film
from magbench.suites.worlds.canvas import CANVAS, PIXELS_PER_VIEW
from magbench.suites.worlds.photographs import PHOTOGRAPHS, load_canvas
from magbench.video.io import write_lossless

STEP = 0.24
FRAMES = 25


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def main(folder: Path) -> None:
    """Write the films."""
    middle = CANVAS / PIXELS_PER_VIEW / 2
    place = (np.arange(FRAMES) - FRAMES // 2) * STEP
    cameras = np.stack([middle + place, np.full(FRAMES, middle), np.zeros(FRAMES)], axis=1)
    for photograph in PHOTOGRAPHS:
        write_lossless(folder / f"{photograph.name}.mkv", film(load_canvas(photograph, CANVAS), cameras), FPS)
    click.echo(f"{folder}: {len(PHOTOGRAPHS)} films of {FRAMES} frames")


if __name__ == "__main__":
    main()
