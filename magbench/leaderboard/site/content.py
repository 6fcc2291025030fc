"""From a board to everything that its pages say: rows, colours, curves, and the page of each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from magbench.analysis.retention import Ends, retained
from magbench.analysis.retention_curve import GapCurve, gap_curves
from magbench.leaderboard.build import BuiltBoard, Entry, headings, rows_of
from magbench.leaderboard.site import model, plots
from magbench.leaderboard.site.html import safe_names
from magbench.leaderboard.site.looks import classes
from magbench.leaderboard.site.table import Columns
from magbench.report.columns import PRIMARY
from magbench.runs.records import Record, read_parquet

Row = dict[str, Any]
Watched = Sequence[Mapping[str, Any]]
"""Clips that have players, as :func:`magbench.leaderboard.site.player.write_clips` gives them."""


@dataclass(frozen=True)
class Content:
    """What is written of one board.

    Attributes:
        looks: label -> classes of its colour.
        places: label -> path of its page.
        pages: path -> page.
        curves: of the rows whose retention is drawn.
        window: frames, see :func:`window_of`.
        about: what was measured, in words, where the title does not say it.
    """

    name: str
    title: str
    columns: Columns
    rows: Sequence[Row]
    noise: float | None
    looks: Mapping[str, str]
    places: Mapping[str, str]
    pages: Mapping[str, str]
    curves: Sequence[GapCurve]
    window: int
    about: str = ""

    @property
    def plain(self) -> dict[str, Any]:
        """For other programs."""
        found = {"board": self.name, "columns": self.columns, "rows": self.rows, "noise": self.noise}
        return found | ({"about": self.about} if self.about else {})


def content(board: BuiltBoard, watched: Watched, folder: str) -> Content:
    """Everything that is written of a board; ``folder``: of its models' pages, below ``models``."""
    rows, columns = rows_of(board), headings(board)
    title = f"{board.run.suite} v{board.run.version}, {board.run.split}"
    labels = [row["model"] for row in rows if row["trust"] != "reference"]
    looks = classes(labels)
    places = {label: f"models/{folder}/{name}.html" for label, name in safe_names(labels).items()}
    records = _drawn(board, rows)
    window = window_of([record for mine in records.values() for record in mine])
    curves = _curves(records, board.ends)
    details = _details(board, curves, looks, window, [clip for clip in watched if clip["board"] == board.name])
    back = f"../../index.html#suite={quote(board.name, safe='')}"
    pages = {
        places[row["model"]]: model.page(title, row, columns, details.get(row["model"], model.Details()), back)
        for row in rows
        if row["model"] in places
    }
    noise = board.ranked.noise
    return Content(board.name, title, columns, rows, noise, looks, places, pages, list(curves.values()), window)


def told_content(board: Mapping[str, Any]) -> Content:
    """A board whose rows are told, not computed: a paper's, or one as it stood earlier; rows have no page."""
    rows, title = board["rows"], board["board"]
    looks = classes(row["model"] for row in rows)
    return Content(title, title, board["columns"], rows, board["noise"], looks, {}, {}, [], 0, board["about"])


def window_of(records: Sequence[Record]) -> int:
    """The least gap, in frames, of any frame that a record counts as out of window; 0 where there is none."""
    far = {(r.model, r.clip, r.sample): r.n for r in records if _is(r, "out_of_window") and r.n}
    least = [
        sorted(r.gap)[-far[r.model, r.clip, r.sample]]
        for r in records
        if _is(r, "all") and r.gap and (r.model, r.clip, r.sample) in far
    ]
    return min(least, default=0)


def _is(record: Record, region: str) -> bool:
    return (record.protocol, record.metric, record.region) == (PRIMARY.protocol, PRIMARY.metric, region)


def _drawn(board: BuiltBoard, rows: Sequence[Row]) -> dict[str, list[Record]]:
    """Label -> its own records, of the first rows that have some, families' main rows alone."""
    by_label = {entry.label: entry for entry in board.entries if entry.scores}
    wanted = [row["model"] for row in rows if row["model"] in by_label and not row.get("variant")][: plots.CURVES]
    return {label: own_records(by_label[label]) for label in wanted}


def own_records(entry: Entry) -> list[Record]:
    """The records of a submission's model, under its label."""
    found = read_parquet(entry.submission.records, "model")
    return [record.model_copy(update={"model": entry.label}) for record in found]


def _curves(records: Mapping[str, Sequence[Record]], ends: Ends | None) -> dict[str, GapCurve]:
    """Retention against gap, in the order of the rows."""
    found = gap_curves(retained([record for mine in records.values() for record in mine], ends))
    by_model = {curve.model: curve for curve in found}
    return {label: by_model[label] for label in records if label in by_model}


def _details(
    board: BuiltBoard, curves: Mapping[str, GapCurve], looks: Mapping[str, str], window: int, watched: Watched
) -> dict[str, model.Details]:
    values = {row.model: row.values.get(PRIMARY.key, {}) for t in (board.ranked, board.others) for row in t.rows}
    clips = sorted({clip for one in values.values() for clip in one})
    found = {}
    for entry in board.entries:
        label, scored = entry.label, values.get(entry.label, {})
        places = {
            clip["clip"]: _player_link(board.name, clip["clip"], label)
            for clip in watched
            if any(row["name"] == label for row in clip["shown"])
        }
        found[label] = model.Details(
            strip=plots.strip(clips, scored, looks.get(label, "look"), places) if scored else "",
            curve=plots.against_gap([curves[label]] if label in curves else [], looks, window),
            watch=next(iter(places.values()), ""),
            reproduce=_commands(entry),
        )
    return found


def _player_link(board: str, clip: str, label: str) -> str:
    return f"../../index.html#clip={quote(f'{board}/{clip}', safe='')}&shown={quote(label, safe='')}"


def _commands(entry: Entry) -> list[str]:
    """What is typed to have the videos again, and then the scores."""
    about = entry.submission.about
    lines = [f"git checkout {about.magbench_commit}    # magbench"] if about.magbench_commit else []
    for what, artifact in (("code", about.code), ("weights", about.weights)):
        if artifact.url:
            lines.append(f"# {what}: {artifact.url}{f' at {artifact.commit}' if artifact.commit else ''}")
    place = f"leaderboards/submissions/{entry.submission.folder.parents[1].name}/{entry.submission.name}"
    return [*lines, about.command, f"magbench board rescore {place} --who YOU"]
