"""magbench: does a video model still know the place when the camera comes back, and what does that cost?

::

    import magbench

    run = magbench.evaluate(["mag", "window"], suite="revisit-nano", limit=9)
    run.table()
    run.compare("mag", "window")

Everything in ``__all__`` is loaded when it is first asked for, so that the import itself costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from magbench.api import evaluate as evaluate
    from magbench.api import generate as generate
    from magbench.api import load_suite as load_suite
    from magbench.api import open_run as open_run
    from magbench.api import score as score
    from magbench.core.errors import MagbenchError as MagbenchError
    from magbench.metrics import aligned as aligned
    from magbench.metrics import legacy as legacy
    from magbench.metrics import ordered as ordered
    from magbench.metrics.frame.lpips import lpips as lpips
    from magbench.metrics.frame.psnr import psnr as psnr
    from magbench.metrics.frame.ssim import ssim as ssim
    from magbench.models.protocol import Reference as Reference
    from magbench.models.protocol import ReferenceInput as ReferenceInput
    from magbench.models.protocol import Task as Task
    from magbench.models.protocol import VideoModel as VideoModel
    from magbench.results import Results as Results
    from magbench.runs.records import Record as Record
    from magbench.suites.clip import Clip as Clip
    from magbench.suites.format import Suite as Suite

__version__ = "0.1.0"

_HOMES = {
    "evaluate": "magbench.api",
    "generate": "magbench.api",
    "load_suite": "magbench.api",
    "open_run": "magbench.api",
    "score": "magbench.api",
    "Results": "magbench.results",
    "MagbenchError": "magbench.core.errors",
    "Task": "magbench.models.protocol",
    "VideoModel": "magbench.models.protocol",
    "Reference": "magbench.models.protocol",
    "ReferenceInput": "magbench.models.protocol",
    "Clip": "magbench.suites.clip",
    "Suite": "magbench.suites.format",
    "Record": "magbench.runs.records",
    "aligned": "magbench.metrics",
    "ordered": "magbench.metrics",
    "legacy": "magbench.metrics",
    "psnr": "magbench.metrics.frame.psnr",
    "ssim": "magbench.metrics.frame.ssim",
    "lpips": "magbench.metrics.frame.lpips",
}
"""Public name -> the module that it is loaded from."""

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'magbench' has no attribute '{name}'")
    found = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
