"""Read the maps of a WAD file, make a still copy of one, and write a small WAD that holds it."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.suites.worlds.doom.script import place_camera

THING = np.dtype([("x", "<i2"), ("y", "<i2"), ("angle", "<i2"), ("type", "<i2"), ("flags", "<i2")])
LINE = np.dtype([(name, "<u2") for name in ("start", "end", "flags", "special", "tag", "right", "left")])
SIDE = np.dtype(
    [("x", "<i2"), ("y", "<i2"), ("upper", "S8"), ("lower", "S8"), ("middle", "S8"), ("sector", "<u2")],
)
SECTOR = np.dtype(
    [
        ("floor", "<i2"),
        ("ceiling", "<i2"),
        ("floor_flat", "S8"),
        ("ceiling_flat", "S8"),
        ("light", "<i2"),
        ("special", "<i2"),
        ("tag", "<i2"),
    ]
)
VERTEX = np.dtype([("x", "<i2"), ("y", "<i2")])
TABLES = {"THINGS": THING, "LINEDEFS": LINE, "SIDEDEFS": SIDE, "VERTEXES": VERTEX, "SECTORS": SECTOR}
LUMPS = (
    *("THINGS", "LINEDEFS", "SIDEDEFS", "VERTEXES", "SEGS"),
    *("SSECTORS", "NODES", "SECTORS", "REJECT", "BLOCKMAP"),
)
NO_SIDE = 0xFFFF
SKY = b"F_SKY1"

Map = dict[str, bytes]
"""Lump name -> bytes."""

STILL = frozenset(
    [1, 8, 10, 12, 15, 17, *range(18, 26), 27, 28, 30, 31, 32, 33, 34, 35, 37, 43, 47, 48, *range(50, 55)]
    + [*range(59, 63), *range(73, 83), *range(2001, 2009), 2010, 2011, 2012, 2028, 2046, 2047, 2048, 2049]
)
"""Things of one frame: decorations and what lies about. All else moves, blinks or is a monster, and is taken away."""

DOORS = frozenset(
    [1, 2, 3, 4, 16, 26, 27, 28, 29, 31, 32, 33, 34, 42, 46, 50, 61, 63, 75, 76, 86, 90, 99, 103, *range(105, 119)]
    + [*range(133, 138), 141, 145, 175, 196]
)
"""Specials of lines that open a door."""

EVERY_SKILL = 7
LIFT, GAIN = 130, 0.5
"""Light of a sector, 0 to 255, is brought to this plus this share of what it was: nothing is too dark to be seen."""
DOOR_EDGE = 4
"""An open door stops so many units under its lowest neighbour's ceiling."""


class Wad:
    """The directory of a WAD file.

    Raises:
        MagbenchError: no WAD file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path.read_bytes()
        kind, count, start = struct.unpack("<4sii", self.data[:12])
        if kind not in (b"IWAD", b"PWAD"):
            raise MagbenchError(f"{path}: is no WAD file")
        entries = struct.iter_unpack("<ii8s", self.data[start : start + 16 * count])
        self.entries = [(name.rstrip(b"\0").decode("latin1"), place, size) for place, size, name in entries]
        self.names = [name for name, _, _ in self.entries]

    def maps(self) -> list[str]:
        """Names of the maps, in the order of the file."""
        return [name for name, following in zip(self.names, self.names[1:], strict=False) if following == "THINGS"]

    def map(self, name: str) -> Map:
        """The lumps of one map."""
        if name not in self.maps():
            raise MagbenchError(f"{self.path}: has no map '{name}'")
        first = self.names.index(name) + 1
        entries = self.entries[first : first + len(LUMPS)]
        return {lump: self.data[place : place + size] for lump, place, size in entries if lump in LUMPS}


def table(lumps: Map, lump: str) -> NDArray[np.void]:
    """One lump as a structured array of its own."""
    return np.frombuffer(lumps[lump], TABLES[lump]).copy()


def still(lumps: Map) -> Map:
    """A copy of a map in which nothing ever changes: no monsters, no moving or blinking things, lights or floors.

    Doors stand open, and what is dark is lifted.
    """
    things, lines, sectors = (table(lumps, lump) for lump in ("THINGS", "LINEDEFS", "SECTORS"))
    things = things[np.isin(things["type"], list(STILL))]
    things["flags"] |= EVERY_SKILL
    _open_doors(lines, table(lumps, "SIDEDEFS")["sector"].astype(int), sectors)
    sectors["special"] = 0
    sectors["light"] = np.clip(sectors["light"] * GAIN + LIFT, 0, 255)
    lines["special"] = 0
    return lumps | {"THINGS": things.tobytes(), "LINEDEFS": lines.tobytes(), "SECTORS": sectors.tobytes()}


def shape(lumps: Map) -> Map:
    """What decides the depth of a map alone: its lines and sectors without the names of textures, and no things."""
    kept = {lump: table(lumps, lump) for lump in ("VERTEXES", "LINEDEFS", "SIDEDEFS", "SECTORS")}
    for column in ("x", "y", "upper", "lower", "middle"):
        kept["SIDEDEFS"][column] = np.zeros((), SIDE[column])
    kept["SECTORS"]["floor_flat"] = b""
    kept["SECTORS"]["ceiling_flat"][kept["SECTORS"]["ceiling_flat"] != SKY] = b""
    return {lump: array.tobytes() for lump, array in kept.items()}


def _open_doors(lines: NDArray[np.void], sector: NDArray[np.int64], sectors: NDArray[np.void]) -> None:
    """Open closed sectors that some line would open, in place."""
    right, left = sides(lines, sector)
    opened: set[int] = set()
    for index in np.flatnonzero(np.isin(lines["special"], list(DOORS))):
        if lines["tag"][index]:
            opened |= set(np.flatnonzero(sectors["tag"] == lines["tag"][index]).tolist())
        elif left[index] >= 0:
            opened.add(int(left[index]))
    for door in opened:
        if sectors["ceiling"][door] > sectors["floor"][door]:
            continue
        beside = np.concatenate([left[(right == door) & (left >= 0)], right[left == door]])
        ceilings = sectors["ceiling"][beside[beside != door]]
        ceilings = ceilings[ceilings > sectors["floor"][door]]
        if len(ceilings):
            sectors["ceiling"][door] = max(ceilings.min() - DOOR_EDGE, sectors["floor"][door])


def sides(lines: NDArray[np.void], sector: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The sectors on the right and on the left of each line; -1 where there is no left side."""
    two = lines["left"] != NO_SIDE
    return sector[lines["right"]], np.where(two, sector[np.where(two, lines["left"], 0)], -1)


def write_still(path: Path, name: str, lumps: Map) -> None:
    """Write a WAD with one still map, the script that places the camera, and no animated textures."""
    parts = [(name, b""), *((lump, lumps[lump]) for lump in LUMPS)]
    parts += [("LOADACS", b"PLACECAM\n"), ("A_START", b""), ("PLACECAM", place_camera()), ("A_END", b"")]
    parts += [("ANIMATED", b"\xff")]
    body, directory = b"", b""
    for lump, data in parts:
        directory += struct.pack("<ii8s", 12 + len(body), len(data), lump.encode())
        body += data
    path.write_bytes(struct.pack("<4sii", b"PWAD", len(parts), 12 + len(body)) + body + directory)
