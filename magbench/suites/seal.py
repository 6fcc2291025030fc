"""``magbench suite check`` and ``suite seal``: every byte of a suite read, and its hashes after a deliberate edit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256, write_atomic
from magbench.core.parallel import share, started
from magbench.core.rows import read_rows
from magbench.suites.clip import Clip
from magbench.suites.format import (
    CLIPS_FILE,
    HEADER_FILE,
    OPTIONAL,
    PATHS,
    REQUIRED,
    Suite,
    inside,
    load_suite,
    load_with,
    read_header,
)


def check_suite(folder: Path) -> Suite:
    """:func:`load_suite`, and every clip decoded: by the processes that made them, if there are any."""
    suite = load_suite(folder)
    _decode_all(suite)
    return suite


def _decode_all(suite: Suite) -> None:
    for _ in share(_decode, None, suite.clips, started()):
        pass


def _decode(_: None, clip: Clip) -> None:
    clip.source[:1]  # all of it is decoded, and a long one not held
    for planes in (clip.depth, clip.pixel_gap):
        np.asarray(planes)


def seal(folder: Path) -> tuple[Suite, str]:
    """Write the hashes of a suite anew after a deliberate edit.

    Every file that ``clips.csv`` names is listed, others are not. The edited suite is read in full before
    ``suite.yaml`` is written.

    Returns:
        The suite, and the digest that it had before.
    """
    header = read_header(folder)
    files = {CLIPS_FILE}
    for row in read_rows(inside(folder, CLIPS_FILE), REQUIRED, OPTIONAL):
        files |= {row.text(column) for column in PATHS if row.text(column)}
    for file in files:
        if not inside(folder, file).is_file():
            raise MagbenchError(f"{folder / file}: is missing")
    sealed = header.model_copy(update={"sha256": {file: file_sha256(folder / file) for file in sorted(files)}})
    suite = load_with(folder, sealed)
    _decode_all(suite)
    write_atomic(folder / HEADER_FILE, yaml.safe_dump(sealed.model_dump(), sort_keys=False))
    return suite, header.digest
