"""A map of two rooms that is made by hand: one behind the other, with a step and a lower ceiling between."""

from __future__ import annotations

import numpy as np

from magbench.suites.worlds.doom.wad import LINE, NO_SIDE, SECTOR, SIDE, THING, VERTEX, Map


def two_rooms() -> Map:
    """Room 0: x 0 to 400, floor 0, ceiling 128. Room 1: x 400 to 800, floor 16, ceiling 96. Both y 0 to 400."""
    corners = [(0, 0), (0, 400), (400, 400), (400, 0), (800, 400), (800, 0)]
    walls = [(0, 1, 0), (1, 2, 0), (3, 0, 0), (2, 4, 1), (4, 5, 1), (5, 3, 1)]
    lines = [(start, end, 1, 0, 0, number, NO_SIDE) for number, (start, end, _) in enumerate(walls)]
    lines.append((2, 3, 4, 0, 0, 6, 7))  # from north to south: its right is the west
    sides = [(0, 0, b"-", b"-", b"WALL", sector) for _, _, sector in walls]
    sides += [(0, 0, b"-", b"-", b"-", sector) for sector in (0, 1)]
    sectors = [(0, 128, b"FLAT", b"FLAT", 160, 0, 0), (16, 96, b"FLAT", b"F_SKY1", 160, 9, 0)]
    things = [(64, 64, 0, 1, 7), (200, 200, 0, 3004, 7)]  # where the player starts, and a monster
    return {
        "VERTEXES": np.array(corners, VERTEX).tobytes(),
        "LINEDEFS": np.array(lines, LINE).tobytes(),
        "SIDEDEFS": np.array(sides, SIDE).tobytes(),
        "SECTORS": np.array(sectors, SECTOR).tobytes(),
        "THINGS": np.array(things, THING).tobytes(),
        **{name: b"" for name in ("SEGS", "SSECTORS", "NODES", "REJECT", "BLOCKMAP")},
    }
