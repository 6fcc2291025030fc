"""From the scores of a run to its records, tables, plots and contact sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magbench import __version__
from magbench.analysis.noise_floor import read_noise
from magbench.analysis.retention_curve import gap_curves, is_curved
from magbench.analysis.sources import in_parts, read_folder
from magbench.core.errors import MagbenchError
from magbench.core.files import write_atomic
from magbench.core.parallel import share, started
from magbench.core.provenance import commit, machine
from magbench.report import page, plots, sheet
from magbench.report.export import text
from magbench.report.gap import retention_against_gap
from magbench.report.latency import is_block, latency_against_history
from magbench.report.streaming import Streamed, gather, stream
from magbench.report.tables import Scores, Table, Task, table_of
from magbench.runs.folder import Run, RunFolder
from magbench.runs.generation import read_generation
from magbench.runs.records import Record, tables_of, tables_written
from magbench.suites.format import Suite
from magbench.vbench.store import reasons

if TYPE_CHECKING:
    import pyarrow as pa

FILES = {
    "table.md": "the tables, rounded",
    "table.csv": "every number in full",
    "table.json": "the same, with provenance",
    "records.parquet": "one row a score of a clip",
    "sheet.png": "frames of one return, a row a model",
    "plots/score_along_return.png": "who forgets, and when",
    "plots/retention_against_gap.png": "what is left of a view after so long",
    "plots/latency_against_history.png": "what a block costs",
    "plots/consistency_against_memory.png": "what remembering costs",
}
"""What :func:`report` writes into a run's folder, as far as it was measured. Beside each plot lie its dark version
(``_dark.png``) and both as SVG, beside the sheet its dark version; see :func:`magbench.render.theme.variants`."""
SHOWN = (is_curved, plots.is_along, is_block, sheet.is_noted)
"""Which records plots and the sheet look at one by one: four of a video at most."""


def report(suite: Suite, out: Path) -> Table:
    """Write ``FILES`` into the run's folder ``out``, from the scores that are there, and return the table."""
    from magbench.profiling.latency_report import read_profile

    folder = RunFolder(out)
    run = folder.read()
    if run.digest != suite.digest:
        raise MagbenchError(f"{out}: belongs to {run.suite} {run.digest[:12]}, not to {suite.name} {suite.digest[:12]}")
    if not folder.score_files():
        raise MagbenchError(f"{folder.scores}: holds no scores")
    shown: list[Record] = []
    with tables_written(folder.records) as write:
        found = gather(folder.records, _passed(_noted(in_parts(out, digest=suite.digest), shown), write))
    curves = gap_curves(shown)
    tasks = run.tasks(suite)
    table = table_of(found.scores, [(clip.id, sample) for clip, sample in tasks], _noise(out, found))
    half_lives = {curve.model: str(curve.half_life) for curve in curves if curve.model in table.models}
    provenance = _provenance(suite, run, len({clip.id for clip, _ in tasks}), found.scores, out)
    write_atomic(folder.table("md"), page.markdown_page(table, provenance, suite.window, half_lives, reasons(out)))
    write_atomic(folder.table("csv"), text.csv_text(table))
    write_atomic(folder.table("json"), text.json_text(table, provenance, half_lives))
    long = read_profile(folder.profile) if folder.profile.is_file() else None
    along, blocks = list(filter(plots.is_along, shown)), list(filter(is_block, shown))
    place = folder.plots
    pictures: list[Callable[[], None]] = [
        partial(
            plots.score_along_return, along, table, place / "score_along_return.png", window=suite.window, fps=suite.fps
        ),
        partial(retention_against_gap, curves, table, place / "retention_against_gap.png", window=suite.window),
        partial(latency_against_history, blocks, table, place / "latency_against_history.png", long),
        partial(plots.consistency_against_memory, table, place / "consistency_against_memory.png"),
        *sheet.drawings(suite, folder, [clip for clip, sample in tasks if sample == 0], table, shown),
    ]
    for _ in share(_draw, None, pictures, started()):
        pass
    return table


def _draw(_: None, picture: Callable[[], None]) -> None:
    picture()


def _noted(parts: Iterable[Sequence[Record]], shown: list[Record]) -> Iterator[Sequence[Record]]:
    """Hand parts on, and add to ``shown`` their records that are ``SHOWN``."""
    for part in parts:
        shown.extend(record for record in part if any(asks(record) for asks in SHOWN))
        yield part


def _passed(parts: Iterable[Sequence[Record]], write: Callable[[pa.Table], None]) -> Iterator[pa.RecordBatch]:
    """Hand parts on as batches of rows, and write them."""
    for table in tables_of(parts):
        write(table)
        yield from table.to_batches()


def summarise(out: Path) -> Table:
    """Build the table of a run's folder, or of a published one, without its suite.

    A complete model has every (clip, sample) that any row has. Never are all records in memory, but those of published
    files of early versions, which do not hold what follows from scores.
    """
    found = _looked_at(RunFolder(out))
    return table_of(found.scores, found.tasks, _noise(out, found))


def _looked_at(folder: RunFolder) -> Streamed:
    if folder.score_files():
        return _gathered(folder.scores, in_parts(folder.path))
    if folder.records.is_file() and (found := stream(folder.records)).derived:
        return found
    return _gathered(folder.records, [read_folder(folder.path)])


def _gathered(path: Path, parts: Iterable[Sequence[Record]]) -> Streamed:
    return gather(path, (batch for table in tables_of(parts) for batch in table.to_batches()))


def _noise(out: Path, found: Streamed) -> float | None:
    """The noise level of the primary score."""
    return read_noise(out).level_of(found.primary)


def _provenance(suite: Suite, run: Run, clips: int, scores: Sequence[Scores], out: Path) -> dict[str, Any]:
    """Collect where the numbers come from. ``generated_on``: where costs were measured; ``machine``: this one."""
    made = (
        read_generation(RunFolder(out).generation(of.model, clip, sample))
        for of in scores
        if of.kind == "model"
        for clip, sample in frozenset[Task]().union(*of.tasks.values())
    )
    return {
        "suite": suite.name,
        "suite_version": suite.version,
        "split": suite.split,
        "suite_digest": suite.digest,
        "clips": clips,
        "samples_per_clip": run.seeds,
        "window_frames": suite.window,
        "magbench_version": __version__,
        "commit": commit(),
        "generated_on": sorted({f"{m.device}, torch {m.torch}, {m.platform}" for m in made if m and m.device}),
        "machine": machine(),
    }
