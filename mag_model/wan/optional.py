"""Packages of the extra ``[wan]``, imported when they are needed."""

from __future__ import annotations

import importlib
from types import ModuleType

from magbench.core.errors import MagbenchError


def extra(name: str) -> ModuleType:
    """A package of the extra.

    Raises:
        MagbenchError: it is not installed, or something that it needs is not.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        reason = (str(error).splitlines() or [""])[0]
        raise MagbenchError(f"{name} cannot be imported ({reason}); type: pip install 'magbench[wan]'") from error
