"""Boards as they were before a metric was raised: kept under a tag, shown apart, never computed again.

A file for a tag, below ``leaderboards/earlier``: the boards of the page's ``board.json``, without papers' rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from magbench.core.errors import MagbenchError
from magbench.core.files import write_atomic
from magbench.core.parsing import parse_json, read_described, read_text

TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")

Word = Annotated[str, Field(min_length=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class EarlierCell(_Frozen):
    """A mean with its interval, None for none."""

    mean: FiniteFloat | None
    low: FiniteFloat | None
    high: FiniteFloat | None
    n: int


class EarlierRow(_Frozen):
    """A row as it stood; ``bounds``: the best and the worst rank."""

    model: Word
    trust: Literal["fresh", "reproduced", "rescored", "reported", "reference", "quarantined"]
    rank: int | None = None
    bounds: tuple[int, int] | None = None
    complete: bool = True
    policy: str = ""
    family: str = ""
    submission: str = ""
    revision: str = ""
    variant: bool = False
    cells: dict[str, EarlierCell] = {}


class EarlierBoard(_Frozen):
    """A board as it stood. ``columns``: (key, heading, unit, better)."""

    board: Word
    columns: list[tuple[str, str, str, str]]
    rows: list[EarlierRow]
    noise: FiniteFloat | None = None


class Earlier(_Frozen):
    """What was kept under a tag; ``about``: why there is a later one, in a sentence."""

    tag: Word
    about: Word
    boards: list[EarlierBoard] = Field(min_length=1)


def keep(page: Path, root: Path, tag: str, about: str) -> Path:
    """Keep a page's boards below ``root`` under a tag; what is kept under it already stays as it is.

    Raises:
        MagbenchError: the tag is no file's name, or the page holds no board of submissions.
    """
    if not TAG.fullmatch(tag):
        raise MagbenchError(f"--tag '{tag[:60]}' is not a tag, as ordered-1 is: letters, digits, '.', '_', '-'")
    target = root / f"{tag}.json"
    if target.exists():
        return target
    source = page / "board.json"
    boards: Any = parse_json(read_text(source), str(source))
    if not isinstance(boards, list) or not all(isinstance(board, Mapping) for board in boards):
        raise MagbenchError(f"{source}: is not a page's list of boards")
    found = [board for board in boards if "about" not in board]
    if not found:
        raise MagbenchError(f"{source}: holds no board of submissions")
    kept = Earlier.model_validate({"tag": tag, "about": about, "boards": found})
    write_atomic(target, json.dumps(kept.model_dump(), sort_keys=True, separators=(",", ":")) + "\n")
    return target


def read_earlier(root: Path) -> list[Earlier]:
    """Every file below ``root``, in order of tag.

    Raises:
        MagbenchError: a file is damaged.
    """
    return [read_described(path, Earlier) for path in sorted(root.glob("*.json"))]


def earlier_boards(kept: Earlier) -> list[dict[str, Any]]:
    """Its boards, as the page takes them."""
    return [
        {**board.model_dump(), "board": f"{_title(board.board)}, {kept.tag}", "about": f"As it stood. {kept.about}"}
        for board in kept.boards
    ]


def _title(name: str) -> str:
    """SUITE-vN-SPLIT-DIGEST12 as the page calls it."""
    suite, *rest = name.rsplit("-", 3)
    return f"{suite} {rest[0]}, {rest[1]}" if len(rest) == 3 else name
