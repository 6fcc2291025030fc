"""The photographs that ship inside the scikit-image wheel, as square canvases; each with its credit.

They are read as files, offline: scikit-image itself is not imported, and nothing is downloaded. No model of this
repository was trained on them.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256

INSTALL = 'pip install "magbench[photo]"'


@dataclass(frozen=True)
class Photograph:
    """One photograph.

    Attributes:
        file: name in scikit-image's data folder.
        sha256: of the file: another picture under the same name is an error.
        credit: who made it, where scikit-image has it from, and its licence as scikit-image states it.
        top, left, side: the square that is used, in pixels of the photograph.
    """

    name: str
    file: str
    sha256: str
    credit: str
    top: int
    left: int
    side: int


PHOTOGRAPHS = (
    Photograph(
        "astronaut",
        "astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "NASA, Great Images, portrait of Eileen Collins; public domain",
        top=0,
        left=0,
        side=512,
    ),
    Photograph(
        "brick",
        "brick.png",
        "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
        "CC0Textures, Bricks25; CC0",
        top=0,
        left=0,
        side=512,
    ),
    Photograph(
        "camera",
        "camera.png",
        "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
        "Lav Varshney; CC0",
        top=0,
        left=0,
        side=512,
    ),
    Photograph(
        "chelsea",
        "chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "Stefan van der Walt; CC0",
        top=0,
        left=75,
        side=300,
    ),
    Photograph(
        "coffee",
        "coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "Rachel Michetti, courtesy of Pikolo Espresso Bar; CC0",
        top=0,
        left=100,
        side=400,
    ),
    Photograph(
        "grass",
        "grass.png",
        "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
        "linolafett, DeviantArt, Grass 01; CC0",
        top=0,
        left=0,
        side=512,
    ),
    Photograph(
        "gravel",
        "gravel.png",
        "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
        "CC0Textures, Gravel04; CC0",
        top=0,
        left=0,
        side=512,
    ),
    Photograph(
        "hubble",
        "hubble_deep_field.jpg",
        "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
        "NASA, HubbleSite, eXtreme Deep Field; public domain",
        top=0,
        left=64,
        side=872,
    ),
    Photograph(
        "ihc",
        "ihc.png",
        "f8dd1aa387ddd1f49d8ad13b50921b237df8e9b262606d258770687b0ef93cef",
        "Center for Microscopy And Molecular Imaging (CMMI); no known copyright restrictions",
        top=0,
        left=0,
        side=512,
    ),
    Photograph(
        "motorcycle",
        "motorcycle_left.png",
        "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
        "Nesic, Westling, Wang, Kitajima, Krathwohl, Scharstein, Middlebury 2014 stereo; no licence stated",
        top=0,
        left=120,
        side=500,
    ),
    Photograph(
        "retina",
        "retina.jpg",
        "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6",
        "Mikael Häggström, Wikimedia Commons; CC0",
        top=225,
        left=225,
        side=960,
    ),
    Photograph(
        "rocket",
        "rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "SpaceX, launch of DSCOVR; public domain",
        top=0,
        left=106,
        side=427,
    ),
)
"""The largest square in the middle of each; of the retina the one inside its round border. The right picture of the
motorcycle pair is left out: it shows the same place as the left one."""


def load_canvas(photograph: Photograph, side: int) -> NDArray[np.uint8]:
    """The photograph's square as (side, side, 3) uint8 RGB: each pixel is the mean of the area that it covers."""
    import cv2

    path = data_folder() / photograph.file
    if not path.is_file():
        raise MagbenchError(f"{path}: is missing; {INSTALL} brings it")
    if (found := file_sha256(path)) != photograph.sha256:
        raise MagbenchError(f"{path}: is another picture, sha256 {found[:12]}, not {photograph.sha256[:12]}")
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise MagbenchError(f"{path}: cannot be decoded as a picture")
    rows = slice(photograph.top, photograph.top + photograph.side)
    columns = slice(photograph.left, photograph.left + photograph.side)
    square = picture[rows, columns, ::-1].astype(np.float64)
    return np.floor(_resize(_resize(square, side, 0), side, 1) + 0.5).clip(0, 255).astype(np.uint8)


def data_folder() -> Path:
    """Folder in which scikit-image keeps its pictures."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise MagbenchError(f"the photographs come with scikit-image, which is not installed: {INSTALL}")
    return Path(spec.submodule_search_locations[0]) / "data"


def _resize(pixels: NDArray[np.float64], length: int, axis: int) -> NDArray[np.float64]:
    """Means over ``length`` equal parts of an axis. Single operations on float64 only: the same bits everywhere."""
    size = pixels.shape[axis]
    total = np.insert(np.cumsum(pixels, axis=axis), 0, 0, axis=axis)
    edges = np.arange(length + 1) * size / length
    below = np.minimum(edges.astype(np.int64), size - 1)
    part = (edges - below).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    low = total.take(below, axis)
    reached = low + part * (total.take(below + 1, axis) - low)
    return np.diff(reached, axis=axis) * (length / size)
