"""A grid as Markdown, as plain text and as HTML."""

from __future__ import annotations

import re
from html import escape

from magbench.core.text import one_line
from magbench.render.grid import Grid

_MARKDOWN = re.compile(r"[\\`*<>\[\]|~&$]|:(?=//)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
"""Signs that mean something in Markdown; an underscore inside a word does not."""


def markdown_escape(text: str) -> str:
    """Give the text as Markdown shows it, on one line."""
    return _MARKDOWN.sub(lambda sign: f"\\{sign[0]}", one_line(text).strip())


def markdown(grid: Grid) -> str:
    """Write a Markdown table; references in italics."""
    lines = ["| " + " | ".join(map(markdown_escape, grid.header)) + " |"]
    lines.append("|" + "|".join([" --- "] * grid.left + [" ---: "] * (len(grid.header) - grid.left)) + "|")
    for row, quiet in zip(grid.rows, grid.quiet, strict=True):
        words = [markdown_escape(cell) for cell in row[: grid.left]]
        numbers = [one_line(cell).replace("|", "\\|") for cell in row[grid.left :]]
        words[1:2] = [f"*{name}*" if quiet else f"**{name}**" for name in words[1:2]]
        lines.append("| " + " | ".join([*words, *numbers]) + " |")
    return "\n".join(lines) + "\n"


def plain(grid: Grid) -> str:
    """Write aligned columns for a pipe or a log file."""
    rows = [tuple(map(one_line, row)) for row in (grid.header, *grid.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(grid.header))]

    def line(row: tuple[str, ...]) -> str:
        cells = [
            cell.ljust(width) if i < grid.left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join([line(rows[0]), "  ".join("-" * w for w in widths), *map(line, rows[1:])]) + "\n"


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
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}


def latex_escape(text: str) -> str:
    """Give the text as LaTeX shows it, on one line: every special sign is escaped (a quotation mark needs T1 fonts)."""
    return "".join(_LATEX.get(sign, sign) for sign in one_line(text))
