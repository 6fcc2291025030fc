"""Strict CSV: every row complete, every number a number, every complaint with its file and line."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from magbench.core.errors import MagbenchError
from magbench.core.parsing import read_text

LONGEST_HEADER = 2**16
"""Bytes in which the first line has to end."""


@dataclass(frozen=True)
class Row:
    """One line of a CSV file. ``line`` counts from 1, the header included."""

    path: Path
    line: int
    values: dict[str, str]

    def error(self, message: str) -> MagbenchError:
        return MagbenchError(f"{self.path}: line {self.line}: {message}")

    def text(self, column: str) -> str:
        """The value, "" where the file has no such optional column."""
        return self.values.get(column, "")

    def integer(self, column: str) -> int:
        try:
            value = int(self.values[column])
            if abs(value) >= 2**53:
                raise ValueError
            return value
        except ValueError:
            raise self.error(f"{column} '{self.values[column][:40]}' is not a whole number") from None

    def real(self, column: str) -> float:
        try:
            value = float(self.values[column])
        except ValueError:
            value = math.nan
        if not abs(value) < 1e15:  # NaN too
            raise self.error(f"{column} '{self.values[column][:40]}' is not a number")
        return value


def read_rows(path: Path, required: Sequence[str], optional: Sequence[str] | None = ()) -> list[Row]:
    """The rows of a CSV file with a header line.

    Args:
        required: columns that must be there.
        optional: columns that may be there besides; None allows any.
    """
    rows: list[Row] = []
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = next(reader, [])
        _check_header(path, header, required, optional)
        for values in reader:
            if not any(value.strip() for value in values) and len(values) <= 1:
                continue  # a blank line is no row
            if len(values) != len(header):
                raise MagbenchError(f"{path}: line {reader.line_num}: {len(values)} values in {len(header)} columns")
            rows.append(Row(path, reader.line_num, dict(zip(header, values, strict=True))))
    except csv.Error as error:
        raise MagbenchError(f"{path}: line {reader.line_num}: broken CSV ({error})") from error
    return rows


def _text(path: Path) -> str:
    """The text of the file. UTF-16 and UTF-32 are told by their first bytes."""
    try:
        text = read_text(path)
    except MagbenchError as error:
        if path.is_file() and path.read_bytes()[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise MagbenchError(f"{path}: is UTF-16 or UTF-32; save it as UTF-8") from error
        raise
    if "\0" in text[:4]:
        raise MagbenchError(f"{path}: is UTF-16 or UTF-32; save it as UTF-8")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise MagbenchError(f"{path}: line {line}: broken CSV (a NUL byte)")
    return text


def read_header(path: Path) -> list[str]:
    """The columns of a CSV file; none where the first line is broken."""
    if not path.is_file():
        raise MagbenchError(f"{path}: no such file")
    with path.open("rb") as file:
        start = file.read(LONGEST_HEADER).decode("utf-8-sig", errors="replace")
    try:
        return next(csv.reader(io.StringIO(start, newline=""), strict=True), [])
    except csv.Error:
        return []


def _check_header(path: Path, header: list[str], required: Sequence[str], optional: Sequence[str] | None) -> None:
    for column in required:
        if column not in header:
            if len(header) == 1 and (found := next((mark for mark in ";\t|" if mark in header[0]), None)):
                name = {";": "semicolons", "\t": "tabs"}.get(found, f"'{found}'")
                raise MagbenchError(f"{path}: its columns are separated by {name}; save it with commas")
            raise MagbenchError(f"{path}: column '{column}' is missing")
    for column in header:
        if header.count(column) > 1:
            raise MagbenchError(f"{path}: column '{column}' stands there twice")
        if optional is not None and column not in (*required, *optional):
            raise MagbenchError(f"{path}: column '{column}' is unknown")


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file; floats are written so that the same float is read back."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
