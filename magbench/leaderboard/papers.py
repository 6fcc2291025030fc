"""Numbers of papers: shown apart and without ranks, since nobody could check them, beside those that are measured.

A file for a suite, below ``leaderboards/papers``::

    suite: mag-bench
    about: what was measured, in a sentence
    rows:
      - model: MAG
        source: arXiv 2512.18741, table 2, history context
        url: https://arxiv.org/abs/2512.18741
        scores: {legacy_psnr_all: 18.99}
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from magbench.core.errors import unknown
from magbench.core.parsing import read_yaml
from magbench.report.columns import Column, specs
from magbench.report.grids import title

Word = Annotated[str, Field(min_length=1)]


class PaperRow(BaseModel):
    """One row of a table in a paper. ``scores``: key of a column -> value, in the column's unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Word
    source: Word
    url: str = ""
    scores: dict[str, FiniteFloat] = Field(min_length=1)


class Papers(BaseModel):
    """The rows of one suite."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: Word
    about: Word
    rows: list[PaperRow] = Field(min_length=1)


def read_papers(root: Path) -> list[Papers]:
    """Every file below ``root``, in order of name.

    Raises:
        MagbenchError: a file is damaged, or names a score that is not known here.
    """
    found = [(path, read_yaml(path, Papers)) for path in sorted(root.glob("*.yaml"))]
    for path, papers in found:
        for row in papers.rows:
            for key in row.scores:
                if key not in _columns():
                    raise unknown(f"{path}: score", key, _columns())
    return [papers for _, papers in found]


def paper_board(papers: Papers) -> dict[str, Any]:
    """A board of these rows alone, as the page takes it; in the file's order."""
    keys = dict.fromkeys(key for row in papers.rows for key in row.scores)
    chosen = [_columns()[key] for key in keys]
    return {
        "board": f"{papers.suite}, from papers",
        "about": papers.about,
        "columns": [(column.key, title(column), column.unit, column.better) for column in chosen],
        "rows": [_row(row, keys) for row in papers.rows],
        "noise": None,
    }


def _row(row: PaperRow, keys: Iterable[str]) -> dict[str, Any]:
    nothing = {"low": None, "high": None, "n": 0}
    return {
        "model": row.model,
        "trust": "reported",
        "rank": None,
        "bounds": None,
        "complete": True,
        "source": row.source,
        "url": row.url,
        "cells": {key: {"mean": row.scores.get(key), **nothing} for key in keys},
    }


def _columns() -> dict[str, Column]:
    """Every score over all frames, by key."""
    columns = (Column.of(spec, "all") for spec in specs().values())
    return {column.key: column for column in columns if not column.is_cost}
