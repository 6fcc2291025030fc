"""What a disk answers, as one line that says what to do: it is full, read-only, or a folder has gone."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from magbench.core.errors import MagbenchError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
KEPT = "finished work is kept, the same command goes on"


class DiskError(MagbenchError):
    """Results cannot be written: whatever comes next would fail too, so the work ends here."""


def explained(error: OSError, place: Path | None = None) -> DiskError:
    """An error of the operating system as one line; ``place``: what was written, where the error does not say."""
    named = error.filename2 or error.filename or place or ""
    path = os.fsdecode(named) if isinstance(named, bytes) else str(named)
    what = error.strerror or str(error)
    start = f"{path}: {what}" if path else what
    if error.errno in FULL:
        return DiskError(f"{start}{_room(path)}; free some space: {KEPT}")
    return DiskError(f"{start}; {KEPT} once that is mended")


def _room(path: str) -> str:
    """How much is left where ``path`` is."""
    place = Path(path or ".").absolute()
    for folder in (place, *place.parents):
        try:
            return f" ({shutil.disk_usage(folder).free / 1e6:.0f} MB free in {folder})"
        except OSError:
            continue
    return ""
