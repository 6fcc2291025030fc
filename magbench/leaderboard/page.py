"""The board as a folder of static files: opened from disk or any host, without network, framework or build step.

::

    index.html                 tables, plots and the player; readable without JavaScript, but for the player
    models/BOARD/MODEL.html    a page a row
    board.json                 the rows, for other programs
    clips.js, sheets/          what the player shows, and its frames
    board.css, *.js            style and scripts

Text and data are the same for the same submissions on every machine and day; the pictures hold the same pixels.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from magbench.core.errors import MagbenchError
from magbench.core.files import write_atomic
from magbench.leaderboard.build import BuiltBoard
from magbench.leaderboard.site import index, looks, player
from magbench.leaderboard.site.content import Content, content, told_content
from magbench.leaderboard.site.html import document, rounded, safe_names, shown
from magbench.leaderboard.site.player import PlayerClip

STYLE, SCRIPTS = "board.css", ("link.js", "board.js", "player.js")
CLIPS = "clips.js"
FOLDERS = ("models", "sheets")
OURS = ("index.html", "board.json", CLIPS, STYLE, *SCRIPTS, *FOLDERS)


def write_page(
    boards: Sequence[BuiltBoard],
    out: Path,
    clips: Iterable[PlayerClip] = (),
    note: str = "",
    others: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write the whole folder; returns ``index.html``.

    Args:
        clips: what the player shows.
        note: what it does not show, in words.
        others: boards whose rows are not computed here: of papers, and as they stood earlier.

    Raises:
        MagbenchError: the folder holds files that are not a board's.
    """
    claim(out)
    watched = player.write_clips(clips, out)
    folders = safe_names(board.name for board in boards)
    whole = [content(board, watched, folders[board.name]) for board in boards]
    whole += [told_content(board) for board in others]
    return write_contents(whole, watched, out, note)


def write_contents(whole: Sequence[Content], watched: Sequence[Mapping[str, Any]], out: Path, note: str = "") -> Path:
    """Write everything but the sheets, which ``watched`` (see :func:`player.write_clips`) tells of."""
    plain = rounded([one.plain for one in whole])
    write_atomic(out / "board.json", json.dumps(plain, sort_keys=True, allow_nan=False, separators=(",", ":")) + "\n")
    _write_assets(out, watched, {label: look for one in whole for label, look in one.looks.items()})
    for one in whole:
        for name, text in one.pages.items():
            write_atomic(out / name, text)
    scripts = ("link.js", "board.js", *((CLIPS, "player.js") if watched else ()))
    body = index.body(whole, player.section(shown(note)) if watched else index.no_player(note))
    write_atomic(out / "index.html", document("magbench: do video models remember?", body, scripts=scripts))
    return out / "index.html"


def write_view(title: str, clips: Iterable[PlayerClip], out: Path, note: str = "") -> Path:
    """Write the player alone; returns its page.

    Raises:
        MagbenchError: the folder holds files that are not a board's.
    """
    claim(out)
    watched = player.write_clips(clips, out)
    _write_assets(out, watched, looks.classes({row["name"] for clip in watched for row in clip["shown"]}))
    body = f"<main>\n<h1>{shown(title)}</h1>\n{player.section(shown(note))}\n</main>"
    write_atomic(out / "index.html", document(title, body, scripts=("link.js", CLIPS, "player.js")))
    return out / "index.html"


def claim(out: Path) -> None:
    """Make an empty place for a page: what an earlier one left is removed, so that no row outlives its submission.

    Raises:
        MagbenchError: the folder holds files that are not a board's.
    """
    there = [path.name for path in out.iterdir() if not path.name.startswith(".")] if out.is_dir() else []
    if foreign := sorted(set(there) - set(OURS)):
        raise MagbenchError(f"{out}: holds '{foreign[0]}', which is not of a board; give a new or empty folder")
    full = sorted(set(there) & set(FOLDERS))
    if full and not set(there) >= {"index.html", CLIPS, STYLE, *SCRIPTS}:
        raise MagbenchError(f"{out}: holds '{full[0]}', but not the page that it would belong to; give a new folder")
    for name in FOLDERS:
        shutil.rmtree(out / name, ignore_errors=True)


def _write_assets(out: Path, clips: Sequence[Mapping[str, Any]], styles: Mapping[str, str]) -> None:
    """Write style, scripts and what the player reads. ``styles``: label -> classes of its colour."""
    assets = files("magbench.leaderboard").joinpath("assets")
    write_atomic(out / STYLE, assets.joinpath(STYLE).read_text(encoding="utf-8") + looks.style())
    for name in SCRIPTS:
        write_atomic(out / name, assets.joinpath(name).read_text(encoding="utf-8"))
    write_atomic(out / CLIPS, player.data_script(clips, styles))
