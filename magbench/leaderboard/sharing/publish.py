"""A board on the hub: its submissions as a data set, its page as a static space of the same name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from magbench.core.errors import MagbenchError
from magbench.core.parsing import read_json
from magbench.hub.push import Branch, Change, open_branch
from magbench.leaderboard.build import BuiltBoard, rows_of
from magbench.leaderboard.sharing.layout import README, check_unchanged, name_of, submission_files
from magbench.leaderboard.submission import find_submissions

FILES = 250
"""Files of one commit; a larger commit may take longer than the hub waits."""
KEPT = (".gitattributes",)
"""What the hub itself puts into a space."""
TITLE = "Board of magbench"

DATA_SET = """---
pretty_name: "{name}: what video models remember"
tags:
- magbench
- leaderboard
- video
configs:
- config_name: records
  data_files: submissions/*/*/*/records.parquet
---

# {name}

Submissions to a board of magbench: one folder each under `submissions/`, never changed once it is there. A table is
never submitted; the page is made of these files by `magbench board build`.
"""

SPACE = """---
title: Do video models remember?
emoji: 🎥
colorFrom: blue
colorTo: indigo
sdk: static
app_file: index.html
datasets:
- {name}
---

Made by `magbench board publish` of the submissions in the data set {name}.
"""


def publish(root: Path, page: Path, name: str, pull: bool) -> Iterator[Branch]:
    """Put the submissions below ``root`` into the data set ``name``, and the folder ``page`` into the space ``name``.

    Args:
        name: ORG/NAME of both on the hub; created where they are missing, unless ``pull``.
        pull: offer it as pull requests instead of committing.

    Yields:
        The data set, then the space, each once it is done.

    Raises:
        MagbenchError: a submission there is not here, or is another; no token, no permission, changed meanwhile.
    """
    submissions = find_submissions(root)
    data = open_branch(name, "dataset", TITLE if pull else "")
    _check_all_here(submissions, data)
    with TemporaryDirectory() as folder:
        readme = Path(folder) / README
        readme.write_text(DATA_SET.format(name=name), encoding="utf-8")
        changes = list(_commits(submissions, data))
        if README not in {file.path for file in data.listing.files}:
            changes.insert(0, Change("What this is", {README: readme}))
        for change in changes:
            data.commit(change)
        data.check()
        yield data
        readme.write_text(SPACE.format(name=name), encoding="utf-8")
        yield _page(page, readme, open_branch(name, "space", TITLE if pull else ""))


def check_page(page: Path, boards: Sequence[BuiltBoard]) -> None:
    """See whether a page is of these very boards.

    Raises:
        MagbenchError: it is not there, or of other submissions.
    """
    path = page / "board.json"
    shown = [(board["board"], board["rows"]) for board in read_json(path)] if path.is_file() else []
    if _standing(shown) != _standing((board.name, rows_of(board)) for board in boards):
        raise MagbenchError(f"{page}: is not of these submissions as they are now; `magbench board build` makes it")


STANDING = ("model", "trust", "rank", "status", "reason")


def _standing(boards: Iterable[tuple[str, Sequence[dict[str, Any]]]]) -> set[tuple[object, ...]]:
    """What would be wrong if the page were old: which submission stands where, with which trust."""
    submitted = ((name, row) for name, rows in boards for row in rows if row["trust"] != "reference")
    return {(name, *(row.get(key) for key in STANDING)) for name, row in submitted if not row.get("source")}


def _check_all_here(submissions: Sequence[Path], data: Branch) -> None:
    """A page that lacks what the data set holds would hide somebody's result."""
    here = {name_of(folder) for folder in submissions}
    paths = (file.path for file in data.listing.files)
    there = {path.split("/", 1)[1].rpartition("/")[0] for path in paths if path.endswith("/submission.yaml")}
    if lost := sorted(there - here):
        raise MagbenchError(
            f"{data.name}: holds {len(lost)} submissions that are not here, first {lost[0]}; get them by "
            f"`hf download {data.name} --repo-type dataset --local-dir DIR`"
        )


def _commits(submissions: Sequence[Path], data: Branch) -> Iterator[Change]:
    """Whole submissions, as many as fit into a commit."""
    files: dict[str, Path] = {}
    names: list[str] = []
    for folder in submissions:
        own = submission_files(folder)
        check_unchanged(own, data.listing, data.name)
        if names and len(files) + len(own) > FILES:
            yield Change(_title(names), files)
            files, names = {}, []
        files = {**files, **own}
        names.append(name_of(folder))
    yield Change(_title(names), files)


def _title(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} submissions, {names[0]} to {names[-1]}"


def _page(page: Path, readme: Path, space: Branch) -> Branch:
    """The page whole, in one commit: what is no longer of it goes."""
    files = {path.relative_to(page).as_posix(): path for path in sorted(page.rglob("*")) if path.is_file()}
    files[README] = readme
    old = [file.path for file in space.listing.files if file.path not in files and file.path not in KEPT]
    space.commit(Change("The page", files, old))
    space.check()
    return space
