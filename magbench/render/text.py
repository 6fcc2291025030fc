"""A grid as Markdown and as plain text."""

from __future__ import annotations

from magbench.render.grid import Grid


def markdown(grid: Grid) -> str:
    """A Markdown table; references in italics."""
    lines = ["| " + " | ".join(grid.header) + " |"]
    lines.append("|" + "|".join([" --- "] * grid.left + [" ---: "] * (len(grid.header) - grid.left)) + "|")
    for row, quiet in zip(grid.rows, grid.quiet, strict=True):
        cells = [row[0], f"*{row[1]}*" if quiet else f"**{row[1]}**", *row[2:]]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plain(grid: Grid) -> str:
    """Aligned columns for a pipe or a log file."""
    rows = [grid.header, *grid.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(grid.header))]

    def line(row: tuple[str, ...]) -> str:
        cells = [
            cell.ljust(width) if i < grid.left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(grid.header), "  ".join("-" * w for w in widths), *map(line, grid.rows)]) + "\n"
