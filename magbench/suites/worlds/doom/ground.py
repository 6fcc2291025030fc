"""Where one can stand in a map: a grid of floors, walls widened by a body; and the ways between its cells."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from magbench.suites.worlds.doom.wad import Map, sides, table

Array = NDArray[np.float64]
Cell = tuple[int, int]
"""Row (y) and column (x)."""

STEP = 16
"""Units between cells."""
BODY, STAIR, HEADROOM = 20.0, 24, 56
"""Units: half the width of a body, the highest stair, the least height of a room."""
WIDEST = 8
"""Cells to the nearest wall, counted up to here."""
BLOCKING = 1
"""Flag of a line that nobody passes."""
SOLID = {43: 16, 47: 16, 48: 16, 54: 32, 2028: 16, 30: 16, 31: 16, 32: 16, 33: 16, 37: 16, 35: 16}
"""Types of things that stand in the way, and their radius."""
BESIDE = ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))


class Ground:
    """The grid of one map.

    Attributes:
        free: (rows, columns) bool, whether one can stand there.
        floor: (rows, columns) height, NaN outside the map.
        clear: (rows, columns) cells to the nearest wall or drop, at most ``WIDEST``; 0 where one cannot stand.
    """

    def __init__(self, lumps: Map) -> None:
        lines, vertices, sectors = (table(lumps, lump) for lump in ("LINEDEFS", "VERTEXES", "SECTORS"))
        points = np.stack([vertices["x"], vertices["y"]], axis=1).astype(np.float64)
        start, end = points[lines["start"]], points[lines["end"]]
        right, left = sides(lines, table(lumps, "SIDEDEFS")["sector"].astype(int))
        low, high = points.min(axis=0), points.max(axis=0)
        self.x0, self.y0 = np.floor(low / STEP) * STEP + 8.5
        columns, rows = ((high - low) // STEP).astype(int) + 1
        self.xs, self.ys = self.x0 + STEP * np.arange(columns), self.y0 + STEP * np.arange(rows)
        sector = self._sectors(start, end, right, left)
        floor, ceiling = (sectors[name].astype(np.float64) for name in ("floor", "ceiling"))
        self.floor = np.where(sector >= 0, floor[sector], np.nan)
        self.free = (sector >= 0) & (ceiling[sector] - floor[sector] >= HEADROOM)
        other = np.where(left >= 0, left, 0)
        rise = np.abs(floor[right] - floor[other])
        room = np.minimum(ceiling[right], ceiling[other]) - np.maximum(floor[right], floor[other])
        blocked = (left < 0) | ((lines["flags"] & BLOCKING) > 0) | (rise > STAIR) | (room < HEADROOM)
        for index in np.flatnonzero(blocked):
            self._keep_off(start[index], end[index], BODY)
        for thing in table(lumps, "THINGS"):
            if radius := SOLID.get(int(thing["type"])):
                place = np.array([thing["x"], thing["y"]], np.float64)
                self._keep_off(place, place, BODY + radius)
        self.clear = self._clearance()

    def _sectors(
        self, start: Array, end: Array, right: NDArray[np.int64], left: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """(rows, columns) the sector of each cell, by the next line to its east; -1 outside."""
        sector = np.full((len(self.ys), len(self.xs)), -1)
        for row, y in enumerate(self.ys):
            crossed = np.flatnonzero((start[:, 1] > y) != (end[:, 1] > y))
            if not len(crossed):
                continue
            share = (y - start[crossed, 1]) / (end[crossed, 1] - start[crossed, 1])
            at = start[crossed, 0] + share * (end[crossed, 0] - start[crossed, 0])
            order = np.argsort(at)
            crossed, at = crossed[order], at[order]
            following = np.searchsorted(at, self.xs)
            line = crossed[np.minimum(following, len(at) - 1)]
            upward = end[line, 1] > start[line, 1]
            sector[row] = np.where(following < len(at), np.where(upward, left[line], right[line]), -1)
        return sector

    def _keep_off(self, one: Array, other: Array, distance: float) -> None:
        """Nobody stands nearer than this to the line from one point to another."""
        (left, low), (right, high) = np.minimum(one, other) - distance, np.maximum(one, other) + distance
        columns = slice(max(int((left - self.x0) // STEP), 0), max(int((right - self.x0) // STEP) + 2, 0))
        rows = slice(max(int((low - self.y0) // STEP), 0), max(int((high - self.y0) // STEP) + 2, 0))
        x, y = self.xs[columns][None] - one[0], self.ys[rows][:, None] - one[1]
        along = other - one
        length = along @ along
        share = np.clip((x * along[0] + y * along[1]) / length, 0, 1) if length else np.zeros_like(x + y)
        far = (x - share * along[0]) ** 2 + (y - share * along[1]) ** 2 >= distance**2
        self.free[rows, columns] &= far

    def _clearance(self) -> NDArray[np.int64]:
        clear, free = np.zeros(self.free.shape, int), self.free.copy()
        for _ in range(WIDEST):
            clear += free
            padded = np.pad(free, 1)
            for down, across in BESIDE:
                free = free & padded[1 + down : len(padded) - 1 + down, 1 + across : padded.shape[1] - 1 + across]
        return clear

    def cell(self, x: float, y: float) -> Cell:
        """The cell nearest to a place."""
        return round((y - self.y0) / STEP), round((x - self.x0) / STEP)

    def stands(self, x: float, y: float) -> bool:
        """Whether one can stand at a place."""
        row, column = self.cell(x, y)
        return 0 <= row < len(self.ys) and 0 <= column < len(self.xs) and bool(self.free[row, column])

    def beside(self, cell: Cell) -> Iterator[tuple[Cell, float]]:
        """The cells that one can step to, and how far they are, in cells."""
        row, column = cell
        for down, across in BESIDE:
            other = row + down, column + across
            if not (0 <= other[0] < len(self.ys) and 0 <= other[1] < len(self.xs) and self.free[other]):
                continue
            if abs(self.floor[other] - self.floor[cell]) > STAIR:
                continue
            if down and across and not (self.free[row, other[1]] and self.free[other[0], column]):
                continue
            yield other, 2**0.5 if down and across else 1.0

    def reach(self, start: Cell, limit: float) -> tuple[dict[Cell, float], dict[Cell, Cell]]:
        """Lengths (in cells) of the ways from a cell, and the cell before each.

        Ways keep off walls: a step next to one costs three times as much.

        Args:
            limit: length at which ways end.
        """
        cost, length, before = {start: 0.0}, {start: 0.0}, {}
        queue, done = [(0.0, start)], set()
        while queue:
            so_far, cell = heapq.heappop(queue)
            if cell in done or length[cell] > limit:
                continue
            done.add(cell)
            for other, far in self.beside(cell):
                dear = 1 + 2.0 / self.clear[other]
                if so_far + far * dear < cost.get(other, np.inf):
                    cost[other], length[other], before[other] = so_far + far * dear, length[cell] + far, cell
                    heapq.heappush(queue, (cost[other], other))
        return length, before

    def way(self, before: dict[Cell, Cell], end: Cell) -> Array:
        """(n, 3) x, y and floor along the way to a cell."""
        cells = [end]
        while cells[-1] in before:
            cells.append(before[cells[-1]])
        return np.array([(self.xs[c], self.ys[r], self.floor[r, c]) for r, c in reversed(cells)])

    def largest(self) -> list[Cell]:
        """The cells of the largest part in which one can walk about, sorted."""
        left: set[Cell] = {(row, column) for row, column in np.argwhere(self.free).tolist()}
        best: set[Cell] = set()
        while left:
            part: set[Cell] = set()
            queue = [left.pop()]
            while queue:
                cell = queue.pop()
                part.add(cell)
                found = [other for other, _ in self.beside(cell) if other in left]
                left.difference_update(found)
                queue += found
            best = max(best, part, key=len)
        return sorted(best)
