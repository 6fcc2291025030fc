"""A plot as inline SVG: axes, ticks, names off one another. Text in, text out; colours are the page's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from magbench.leaderboard.site.html import shown

WIDTH, HEIGHT = 480, 330
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 44
SIGN, LINE = 6.6, 14.0
"""Width of a letter and height of a line of a name, in units of the drawing."""


@dataclass(frozen=True)
class Scale:
    """From values to places along one side; ``log``: equal factors are equally far apart."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)


@dataclass(frozen=True)
class Plot:
    """The frame of a plot: two scales and a right margin for names."""

    x: Scale
    y: Scale
    right: float = WIDTH - RIGHT

    @classmethod
    def of(
        cls, x: tuple[float, float], y: tuple[float, float], *, log: bool = False, right: float = WIDTH - RIGHT
    ) -> Plot:
        """A plot of values in ``x`` and ``y``; ``right``: where its area ends."""
        return cls(Scale(*x, LEFT, right, log), Scale(*y, HEIGHT - BOTTOM, TOP), right)

    def svg(self, parts: Sequence[str], about: str, x: str, y: str, x_ticks: Sequence[tuple[float, str]]) -> str:
        """The whole drawing.

        Args:
            parts: what is drawn on the axes.
            about: what it shows, for those who cannot see it.
            x, y: names of the axes.
            x_ticks: value and text of each tick.
        """
        base = HEIGHT - BOTTOM
        lines = [f'<text class="axis" x="{LEFT}" y="{HEIGHT - 6}">{shown(x)}</text>']
        lines.append(f'<text class="axis" transform="translate(11 {base}) rotate(-90)">{shown(y)}</text>')
        for value in nice_ticks(self.y.low, self.y.high):
            at = f"{self.y(value):.1f}"
            lines.append(f'<path class="grid" d="M{LEFT} {at}H{self.right:.1f}"/>')
            lines.append(f'<text class="tick" x="{LEFT - 5}" y="{at}" dy="4" text-anchor="end">{value:g}</text>')
        for value, text in x_ticks:
            at = f"{self.x(value):.1f}"
            lines.append(f'<path class="grid" d="M{at} {TOP}V{base}"/>')
            lines.append(f'<text class="tick" x="{at}" y="{base + 16}" text-anchor="middle">{shown(text)}</text>')
        drawn = "\n".join([*lines, *parts])
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{shown(about)}">\n'
            f"<title>{shown(about)}</title>\n{drawn}\n</svg>"
        )


def nice_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Round numbers from ``low`` to ``high``, at most so many: steps of 1, 2 or 5 times a power of ten."""
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    while (high - low) / step > most - 1:
        step *= 2 if f"{step:e}"[0] in "15" else 2.5
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 10) + 0.0 for i in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float, text: Callable[[float], str], most: int = 5) -> list[tuple[float, str]]:
    """At most so many round numbers between ``low`` and ``high``, the closest together that are few enough."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for digits in ("1 1.5 2 3 4 5 6 8", "1 2 5", "1 3", "1"):
        found = [float(f"{digit}e{power}") for power in powers for digit in digits.split()]
        found = [value for value in found if low <= value <= high]
        if len(found) <= most:
            break
    return [(value, text(value)) for value in found[:: -(-len(found) // most) or 1]]


@dataclass(frozen=True)
class Named:
    """A point with a name: where it is drawn, its class, and whether the name is written."""

    text: str
    x: float
    y: float
    look: str
    written: bool = True


Box = tuple[float, float, float, float]


def names(points: Sequence[Named], right: float, lines: Sequence[Box] = ()) -> list[str]:
    """Names beside their points, in their order; one without a free place is left out.

    They keep off other names and points, and off upright and level ``lines``: left, top, right, bottom.
    """
    taken = [(p.x - 5, p.y - 5, p.x + 5, p.y + 5) for p in points] + [*lines]
    found = []
    for point in points:
        if not point.written:
            continue
        width = len(point.text) * SIGN
        for anchor, x, y in _places(point, width):
            box = (x, y - LINE * 0.8, x + width, y + LINE * 0.2)
            inside = box[0] >= LEFT and box[2] <= right and box[1] >= TOP - 4 and box[3] <= HEIGHT - BOTTOM
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                at = x if anchor == "start" else x + width
                end = ' text-anchor="end"' if anchor == "end" else ""
                found.append(
                    f'<text class="name {point.look}" x="{at:.1f}" y="{y:.1f}"{end}>{shown(point.text)}</text>'
                )
                break
    return found


def _places(point: Named, width: float) -> list[tuple[str, float, float]]:
    """Where a name may stand: (anchor, left end, base line), the best first."""
    shifts = [4.0, 15.0, -7.0, 26.0, -18.0]
    right = [("start", point.x + 9, point.y + shift) for shift in shifts]
    left = [("end", point.x - 9 - width, point.y + shift) for shift in shifts]
    return [place for both in zip(right, left, strict=True) for place in both]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
