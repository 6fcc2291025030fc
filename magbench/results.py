"""One run, as Python sees it: its table and records as data frames, its comparisons, its exports."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from magbench.report.tables import Table
    from magbench.runs.failures import Failure


class Results:
    """A run that was made now or earlier, or a published one.

    Attributes:
        folder: the run's folder.
        failures: what could not be made or scored now, with the reason; empty if all went well.
        imported: what became of the videos, for a run of finished ones; "" for others.
        skipped: models that nobody asked for by name and that the suite does not fit, a line each with the reason.
    """

    def __init__(
        self,
        folder: Path,
        failures: Sequence[Failure] = (),
        summary: Table | None = None,
        imported: str = "",
        skipped: Sequence[str] = (),
    ) -> None:
        self.folder, self.failures, self.imported, self.skipped = folder, tuple(failures), imported, tuple(skipped)
        if summary is not None:
            self.summary = summary
        else:
            self.summary  # noqa: B018  # a folder that is no run's is an error now, not later

    @cached_property
    def summary(self) -> Table:
        """The table behind all others: a row a model with means, intervals and ranks."""
        from magbench.report.report import summarise

        return summarise(self.folder)

    @property
    def title(self) -> str:
        """The suite that the run is of, its version and split."""
        from magbench.runs.folder import RunFolder

        return str(RunFolder(self.folder).read())

    @property
    def models(self) -> list[str]:
        """Names of the models, best first; references are left out."""
        return self.summary.models

    def table(self) -> pd.DataFrame:
        """A row a model or reference, best first.

        Columns: ``rank`` with its bounds, ``kind``, ``revision``, ``clips``; for each score its mean, the bounds of its
        95 % interval and the number of clips ``n`` behind it; costs likewise. What has no value is NaN.
        """
        from magbench.report.export.dataframes import table_frame

        return table_frame(self.summary)

    def records(self) -> pd.DataFrame:
        """A row a score of a clip, with the provenance that it carries."""
        from magbench.analysis.sources import read_folder
        from magbench.report.export.dataframes import records_frame

        return records_frame(read_folder(self.folder))

    def compare(self, a: str, b: str) -> pd.DataFrame:
        """Two models of this run on the same clips and seeds: a row a score.

        Columns: mean of A and of B, their difference with its 95 % interval, p (signs flipped), p after Holm's
        correction, the noise level, n, and a verdict.

        Raises:
            MagbenchError: an unknown name, or sides that cannot be paired.
        """
        from magbench.report.compare import compare_models
        from magbench.report.export.dataframes import comparison_frame

        return comparison_frame(compare_models(a, b, self.folder))

    def to_markdown(self) -> str:
        """The main table as Markdown."""
        from magbench.render.text import markdown
        from magbench.report.grids import main_grid

        return markdown(main_grid(self.summary))

    def to_latex(self) -> str:
        """The main table as LaTeX with booktabs; bold only where a model is apart from all others."""
        from magbench.report.export.latex import latex_table

        return latex_table(self.summary)

    def to_html(self) -> str:
        """The main table as an HTML table."""
        from magbench.render.text import html
        from magbench.report.grids import main_grid

        return html(main_grid(self.summary))

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        return f"Results('{self.folder}', {len(self.models)} models)"

    def files(self) -> dict[Path, str]:
        """The files of the report that are there, each with what it shows."""
        from magbench.report.report import FILES

        return {self.folder / file: about for file, about in FILES.items() if (self.folder / file).is_file()}
