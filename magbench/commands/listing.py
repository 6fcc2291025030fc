"""`magbench ls`: what is registered, with the first line of each thing's own description."""

from __future__ import annotations

from collections.abc import Callable

from magbench.core.plugins import ASKED, METRICS, MODELS, POLICIES, REFERENCES, Plugin, extras, found_plugins
from magbench.models.registry import families


def models() -> list[tuple[str, ...]]:
    """Models, members of families, then references (which see the truth and have no rank)."""
    found = [(plugin.name, "model", _about(plugin)) for plugin in found_plugins(MODELS)]
    for prefix, family in families().items():
        found += [(f"{prefix}{family.joint}{text}", "model", about) for text, about in family.known()]
    return [*found, *((plugin.name, "reference", _about(plugin)) for plugin in found_plugins(REFERENCES))]


def suites() -> list[tuple[str, ...]]:
    """Suites by name, and the ways to name others."""
    from magbench.suites.registry import suite_lines

    return [*suite_lines()]


def policies() -> list[tuple[str, ...]]:
    """Cache policies: what of the history stays."""
    return [(plugin.name, _about(plugin)) for plugin in found_plugins(POLICIES)]


def metrics() -> list[tuple[str, ...]]:
    """Protocols (what is compared with what), the numbers per frame, then what is told from the return alone."""
    from magbench.metrics import METRICS as SCORED
    from magbench.metrics import PROTOCOLS
    from magbench.quality import QUALITY
    from magbench.vbench.dimensions import DIMENSIONS

    protocols = [(p.name, "protocol", f"v{p.version}", p.summary) for p in PROTOCOLS.values()]
    numbers = [
        (m.name, _unit(m.unit), f"v{m.version}", f"of one frame, {m.better} is better: {m.about}") for m in SCORED
    ]
    known = {metric.name for metric in SCORED}
    asked = [
        (name, f"[{found.extra}]", "", f"if {ASKED} names it: {found.summary()}")
        for name, found in sorted(extras(METRICS).items())
        if name not in known
    ]
    alone = [(m.name, _unit(m.unit), f"v{m.version}", f"of the return alone, {m.about}") for m in QUALITY]
    vbench = [(d.name, "vbench", f"v{d.version}", d.about) for d in DIMENSIONS.values()]
    return [*protocols, *numbers, *asked, *alone, *vbench]


def _unit(unit: str) -> str:
    return f"in {unit}" if unit else ""


LISTS: dict[str, Callable[[], list[tuple[str, ...]]]] = {
    "models": models,
    "suites": suites,
    "policies": policies,
    "metrics": metrics,
}


def _about(plugin: Plugin) -> str:
    return plugin.summary() or "no description"
