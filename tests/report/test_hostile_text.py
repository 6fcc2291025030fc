"""Text that was made to do harm, in every name that a table can have: each output shows it as text."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from magbench.commands import console
from magbench.core.errors import MagbenchError
from magbench.core.text import UNSEEN
from magbench.leaderboard.identities import FoundFault
from magbench.render.grid import Grid
from magbench.render.text import html, latex_escape, markdown, plain
from magbench.report.export.latex import latex_table
from magbench.report.export.text import csv_text
from magbench.report.grids import main_grid
from magbench.report.page import markdown_page
from magbench.report.tables import Table, build_table
from tests.report.synthetic import CLIPS, records

HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(2)>&lt;",
    "markdown": "a|b *c* _d_ `e` [f](javascript:g) ![h](https://example.org/i) ~~j~~ \\| $k$",
    "address": "https://example.org/x <https://example.org/y>",
    "lines": "one\n| two | three |\n\n# four",
    "latex": r"\input{/etc/passwd} $x$ a&b%c#d_e{f}~^ <g> |h| \\",
    "formula": '=HYPERLINK("https://example.org","x")',
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-2+3",
    "at": "@SUM(A1)",
    "spaced": " =1+1",
    "tabbed": "\t=1+1",
    "wide": "\uff1d1+1",
    "escape": "\x1b[31mred\x1b[0m \x1b]8;;https://example.org\x07link\x1b]8;;\x07 \x9b2J\x07\x08",
    "markup": "[bold red]x[/] [link=https://example.org]y[/link]",
    "turned": "abc\u202egnp.exe \u2066x\u2069 \u200b",
}
SEEN = {name: UNSEEN.sub("\ufffd", text).replace("\n", " ").replace("\t", " ") for name, text in HOSTILE.items()}
KINDS = pytest.mark.parametrize("kind", HOSTILE)
PROVENANCE = {"suite_version": 1, "split": "test"}


def table(name: str) -> Table:
    """A table in which every name is hostile: of a model, a reference, a revision, a clip, a speed and a score."""
    found = []
    for r in records(["mag", "window", "oracle"], CLIPS[:3]):
        names = {"mag": name, "window": "window", "oracle": f"{name} too"}
        change = {"model": names[r.model], "revision": name, "clip": f"{r.clip}{name}", "speed": name, "category": name}
        found.append(r.model_copy(update=change))
        if (r.protocol, r.metric) == ("aligned", "psnr"):
            found.append(r.model_copy(update={**change, "metric": f"{name} score"}))
    return build_table(found, sorted({(r.clip, r.sample) for r in found}))


def cells(text: str) -> list[list[str]]:
    """The tables of a Markdown page as another program reads them: rows of plain text; anything but text is named."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            parts = [child for child in token.children or () if child.type not in ("strong_open", "strong_close")]
            rows[-1].append(
                "".join(p.content if p.type == "text" else "" if p.type[:2] == "em" else p.type for p in parts)
            )
    return rows


@KINDS
def test_markdown_shows_it_as_text(kind: str) -> None:
    found = cells(markdown(Grid(("#", "model", HOSTILE[kind]), (("1", HOSTILE[kind], "0.5"),), (False,))))
    assert [[cell.strip() for cell in row] for row in found] == [
        ["#", "model", SEEN[kind].strip()],
        ["1", SEEN[kind].strip(), "0.5"],
    ]


@KINDS
def test_the_page_of_a_run_holds_no_other_markup_than_its_own(kind: str) -> None:
    name = HOSTILE[kind]
    provenance = {**PROVENANCE, "suite": name, "made_by": {"machine": name}, "generated_on": [name, "x"]}
    page = markdown_page(table(name), provenance, 9, {name: "> 47"})
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(page)
    inner = [child.type for token in tokens for child in token.children or ()]
    assert not {"link_open", "image", "html_inline", "s_open"} & set(inner)
    assert not {"html_block", "code_block", "fence", "blockquote_open"} & {token.type for token in tokens}
    titles = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    assert len([title for title in titles if title.startswith("four")]) == 0
    assert not UNSEEN.search(page)


@KINDS
def test_latex_shows_it_as_text(kind: str) -> None:
    """Each special sign is a command of its own; put back, the text is what it was."""
    back = {
        r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textless{}": "<",
        r"\textgreater{}": ">", r"\textbar{}": "|", r"\textquotedbl{}": '"', r"\&": "&", r"\%": "%", r"\$": "$",
        r"\#": "#", r"\_": "_", r"\{": "{", r"\}": "}",
    }  # fmt: skip
    escaped = latex_escape(HOSTILE[kind])
    pieces = re.findall(r"\\text\w+\{\}|\\[&%$#_{}]|[^\\&%$#_{}~^<>|\"]", escaped)
    assert "".join(pieces) == escaped
    assert "".join(back.get(piece, piece) for piece in pieces) == SEEN[kind]
    whole = latex_table(table(HOSTILE[kind]))
    assert len(whole.splitlines()) == 10 and not UNSEEN.search(whole) and "\\input" not in whole


@KINDS
def test_a_spreadsheet_takes_it_for_no_formula(kind: str) -> None:
    rows = list(csv.reader(io.StringIO(csv_text(table(HOSTILE[kind])))))
    assert len(rows) == 4 and len({len(row) for row in rows}) == 1
    for text in (cell for row in rows for cell in row):
        number = re.fullmatch(r"-?[\d.]+(e-?\d+)?", text)
        assert number or not text.strip().startswith(("=", "+", "-", "@", "\uff1d")), text
    name = rows[0].index("model")
    assert SEEN[kind] in {row[name].removeprefix("'") for row in rows}


COLOUR = re.compile(r"\x1b\[[\d;]*m")


@KINDS
@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_obeys_nothing_of_it(kind: str, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    import rich.console

    shown = io.StringIO()
    made = rich.console.Console(file=shown, force_terminal=terminal, width=500, color_system="standard")
    monkeypatch.setattr(rich.console, "Console", lambda: made)

    def output(action: object) -> str:
        import click

        @click.command()
        def command() -> None:
            action()  # type: ignore[operator]

        result = CliRunner().invoke(command, color=True, catch_exceptions=False)
        return result.output + shown.getvalue()

    grid = main_grid(table(HOSTILE[kind]))
    text = output(lambda: console.print_grid(grid, HOSTILE[kind]))
    assert SEEN[kind].strip() in text
    text += output(lambda: console.print_lines([(HOSTILE[kind], "x")]))
    text += output(lambda: console.say(FoundFault("error", HOSTILE[kind], HOSTILE[kind])))
    text += output(lambda: console.say(MagbenchError(f"{Path(HOSTILE[kind])}: is wrong")))
    own = COLOUR.sub("", text) if terminal else text
    assert not UNSEEN.search(own)
    if terminal:
        assert all(code in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[1;2m", "\x1b[2;1m") for code in COLOUR.findall(text))


@KINDS
def test_a_notebook_shows_it_as_text(kind: str) -> None:
    text = html(Grid(("#", "model", HOSTILE[kind]), (("1", HOSTILE[kind], "0.5"),), (False,)))
    assert set(re.findall(r"<\s*/?\s*(\w+)", text)) == {"table", "thead", "tbody", "tr", "th", "td"}


@KINDS
def test_plain_text_keeps_a_row_on_its_line(kind: str) -> None:
    text = plain(Grid(("#", "model", "n"), (("1", HOSTILE[kind], "0.5"),), (False,)))
    assert len(text.splitlines()) == 3 and not UNSEEN.search(text)
