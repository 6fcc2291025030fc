"""Opening a safetensors file that somebody else wrote: whatever is wrong with it is one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from magbench.core.errors import MagbenchError
from magbench.core.parsing import parse_object


@contextmanager
def open_safetensors(path: Path) -> Iterator[Any]:
    """The file, for torch.

    Raises:
        MagbenchError: it is not there, or not a whole safetensors file.
    """
    if not path.is_file():
        raise MagbenchError(f"{path}: no such file")
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except MagbenchError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise MagbenchError(f"{path}: not a whole safetensors file ({reason})") from error


def read_about(file: Any, path: Path, key: str) -> dict[str, Any]:
    """The object that a file's metadata hold under ``key``, as JSON; an empty one where they hold none."""
    return parse_object((file.metadata() or {}).get(key, "{}"), str(path))
