"""From the scores of a run to its records, tables, plots and contact sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from magbench import __version__
from magbench.analysis.noise_floor import read_noise
from magbench.analysis.retention_curve import gap_curves
from magbench.analysis.sources import published, with_extras
from magbench.core.errors import MagbenchError
from magbench.core.files import write_atomic
from magbench.core.parallel import share, started
from magbench.core.provenance import commit, machine
from magbench.report import page, plots, sheet
from magbench.report.columns import PRIMARY, column_of
from magbench.report.export import text
from magbench.report.gap import retention_against_gap
from magbench.report.latency import is_block, latency_against_history
from magbench.report.streaming import stream
from magbench.report.tables import Table, build_table, table_of
from magbench.runs.folder import Run, RunFolder
from magbench.runs.generation import read_generation
from magbench.runs.records import Record, read_records, write_parquet
from magbench.suites.format import Suite
from magbench.vbench.store import reasons

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


def report(suite: Suite, out: Path) -> Table:
    """Write ``FILES`` into the run's folder ``out``, from the scores that are there, and return the table."""
    from magbench.profiling.latency_report import read_profile

    folder = RunFolder(out)
    run = folder.read()
    if run.digest != suite.digest:
        raise MagbenchError(f"{out}: belongs to {run.suite} {run.digest[:12]}, not to {suite.name} {suite.digest[:12]}")
    records = with_extras(out, collect(out, suite)) + published(out)
    curves = gap_curves(records)
    tasks = run.tasks(suite)
    table = build_table(records, [(clip.id, sample) for clip, sample in tasks], _noise(out, records))
    half_lives = {curve.model: str(curve.half_life) for curve in curves if curve.model in table.models}
    provenance = _provenance(suite, run, len({clip.id for clip, _ in tasks}), records, out)
    write_parquet(folder.records, records)
    write_atomic(folder.table("md"), page.markdown_page(table, provenance, suite.window, half_lives, reasons(out)))
    write_atomic(folder.table("csv"), text.csv_text(table))
    write_atomic(folder.table("json"), text.json_text(table, provenance, half_lives))
    long = read_profile(folder.profile) if folder.profile.is_file() else None
    along, blocks = list(filter(plots.is_along, records)), list(filter(is_block, records))
    place = folder.plots
    pictures: list[Callable[[], None]] = [
        partial(
            plots.score_along_return, along, table, place / "score_along_return.png", window=suite.window, fps=suite.fps
        ),
        partial(retention_against_gap, curves, table, place / "retention_against_gap.png", window=suite.window),
        partial(latency_against_history, blocks, table, place / "latency_against_history.png", long),
        partial(plots.consistency_against_memory, table, place / "consistency_against_memory.png"),
        *sheet.drawings(suite, folder, [clip for clip, sample in tasks if sample == 0], table, records),
    ]
    for _ in share(_draw, None, pictures, started()):
        pass
    return table


def _draw(_: None, picture: Callable[[], None]) -> None:
    picture()


def summarise(out: Path, records: Sequence[Record]) -> Table:
    """Build the table of a run's folder, or of a published one, without its suite.

    A complete model has every (clip, sample) that any row has.
    """
    tasks = sorted({(record.clip, record.sample) for record in records})
    return build_table(records, tasks, _noise(out, records))


def streamed(out: Path) -> Table | None:
    """:func:`summarise` of a published folder, without its records in memory; None for other folders.

    Also None where the file does not hold what follows from scores, as those of early versions.
    """
    folder = RunFolder(out)
    if folder.score_files() or not folder.records.is_file():
        return None
    found = stream(folder.records)
    return table_of(found.scores, found.tasks, read_noise(out).level_of(found.primary)) if found.derived else None


def _noise(out: Path, records: Sequence[Record]) -> float | None:
    """The noise level of the primary score."""
    return read_noise(out).level([record for record in records if column_of(record) == PRIMARY])


def collect(out: Path, suite: Suite) -> list[Record]:
    """Every record of the run, in order of file name; a record of another suite is an error."""
    files = RunFolder(out).score_files()
    if not files:
        raise MagbenchError(f"{RunFolder(out).scores}: holds no scores")
    records = []
    for file in files:
        for record in read_records(file):
            if record.suite_digest != suite.digest:
                there = record.suite_digest[:12]
                raise MagbenchError(f"{file}: was scored on {record.suite} {there}, not on {suite.digest[:12]}")
            records.append(record)
    return records


def _provenance(suite: Suite, run: Run, clips: int, records: Sequence[Record], out: Path) -> dict[str, Any]:
    """Collect where the numbers come from. ``generated_on``: where costs were measured; ``machine``: this one."""
    folders = {RunFolder(out).generation(r.model, r.clip, r.sample) for r in records if r.kind == "model"}
    made = [made for made in map(read_generation, sorted(folders)) if made is not None]
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
        "generated_on": sorted({f"{m.device}, torch {m.torch}, {m.platform}" for m in made if m.device is not None}),
        "machine": machine(),
    }
