"""The folder where suites and weights are kept."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Folder in which suites and weights are kept: ``MAGBENCH_CACHE``, or ``magbench`` in the user's cache."""
    return Path(os.environ.get("MAGBENCH_CACHE") or Path.home() / ".cache" / "magbench")
