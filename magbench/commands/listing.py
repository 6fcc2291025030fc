"""`magbench ls`: what is registered, with the first line of each thing's own description."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import metadata

from magbench.core.errors import MagbenchError


def models() -> list[tuple[str, ...]]:
    """Models, then references (which see the truth and have no rank)."""
    from magbench.models.registry import MODELS, families, model_names, reference_names

    found = [(name, "model", _first_line(MODELS, name)) for name in model_names()]
    for prefix, family in families().items():
        found += [(f"{prefix}:{text}", "model", about) for text, about in family.known()]
    return [*found, *((name, "reference", _summary(name)) for name in reference_names())]


def suites() -> list[tuple[str, ...]]:
    """Suites by name, and the ways to name others."""
    from magbench.suites.registry import suite_lines

    return [*suite_lines()]


def policies() -> list[tuple[str, ...]]:
    """Cache policies: what of the history stays."""
    group = "magbench.policies"
    return [(name, _first_line(group, name)) for name in sorted(metadata.entry_points(group=group).names)]


def metrics() -> list[tuple[str, ...]]:
    """Protocols (what is compared with what), the numbers per frame, then what is told from the return alone."""
    from magbench.metrics import METRICS, PROTOCOLS
    from magbench.quality import QUALITY
    from magbench.vbench.dimensions import DIMENSIONS

    protocols = [(p.name, "protocol", f"v{p.version}", p.summary) for p in PROTOCOLS.values()]
    numbers = [
        (m.name, _unit(m.unit), f"v{m.version}", f"of one frame, {m.better} is better: {m.about}") for m in METRICS
    ]
    alone = [(m.name, _unit(m.unit), f"v{m.version}", f"of the return alone, {m.about}") for m in QUALITY]
    vbench = [(d.name, "vbench", f"v{d.version}", d.about) for d in DIMENSIONS.values()]
    return [*protocols, *numbers, *alone, *vbench]


def _unit(unit: str) -> str:
    return f"in {unit}" if unit else ""


LISTS: dict[str, Callable[[], list[tuple[str, ...]]]] = {
    "models": models,
    "suites": suites,
    "policies": policies,
    "metrics": metrics,
}


def _summary(reference: str) -> str:
    """What it says of itself; one whose weights are missing is listed with what is wrong."""
    from magbench.models.registry import load_reference

    try:
        return load_reference(reference).summary
    except MagbenchError as error:
        return f"cannot be used: {error}"


def _first_line(group: str, name: str) -> str:
    (entry,) = metadata.entry_points(group=group, name=name)
    return (inspect.getdoc(entry.load()) or "no description").splitlines()[0]
