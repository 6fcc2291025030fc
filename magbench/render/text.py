"""A grid as Markdown, as plain text and as HTML."""

from __future__ import annotations

from html import escape

from magbench.render.grid import Grid


def markdown(grid: Grid) -> str:
    """Write a Markdown table; references in italics."""
    lines = ["| " + " | ".join(grid.header) + " |"]
    lines.append("|" + "|".join([" --- "] * grid.left + [" ---: "] * (len(grid.header) - grid.left)) + "|")
    for row, quiet in zip(grid.rows, grid.quiet, strict=True):
        cells = [row[0], f"*{row[1]}*" if quiet else f"**{row[1]}**", *row[2:]]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plain(grid: Grid) -> str:
    """Write aligned columns for a pipe or a log file."""
    rows = [grid.header, *grid.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(grid.header))]

    def line(row: tuple[str, ...]) -> str:
        cells = [
            cell.ljust(width) if i < grid.left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(grid.header), "  ".join("-" * w for w in widths), *map(line, grid.rows)]) + "\n"


def html(grid: Grid) -> str:
    """Write an HTML table; references in italics, numbers to the right."""

    def row(cells: tuple[str, ...], tag: str, quiet: bool) -> str:
        shown = [
            f'<{tag} style="text-align: {"left" if i < grid.left else "right"}">'
            + (f"<i>{escape(cell)}</i>" if quiet and i < grid.left else escape(cell))
            + f"</{tag}>"
            for i, cell in enumerate(cells)
        ]
        return f"<tr>{''.join(shown)}</tr>"

    body = [row(cells, "td", quiet) for cells, quiet in zip(grid.rows, grid.quiet, strict=True)]
    return "\n".join(
        ["<table>", f"<thead>{row(grid.header, 'th', False)}</thead>", "<tbody>", *body, "</tbody></table>"]
    )


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def latex_escape(text: str) -> str:
    """Give the text as LaTeX shows it: every special sign is escaped."""
    return "".join(_LATEX.get(sign, sign) for sign in text)
