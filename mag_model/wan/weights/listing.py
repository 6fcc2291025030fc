"""What `magbench weights` shows."""

from __future__ import annotations

from collections.abc import Iterator

from mag_model.wan.weights.catalog import CHECKPOINTS, Checkpoint, checkpoint, matches
from mag_model.wan.weights.home import read_parts
from mag_model.wan.weights.store import examine, missing_parts
from magbench.core.findings import Finding

COLUMNS = ("name", "here", "to fetch", "licence", "repository", "what it is")


def rows() -> list[tuple[str, ...]]:
    """A line for each known checkpoint."""
    return [COLUMNS, *(_row(entry) for entry in CHECKPOINTS.values())]


def _row(entry: Checkpoint) -> tuple[str, ...]:
    names = [part.name for part in entry.parts]
    missing = missing_parts(entry.name).get(entry.name, [])
    here = ",".join(name for name in names if name not in missing)
    size = sum(pin.size for part in entry.parts if part.name in missing for pin in entry.pins_of(part))
    left = ",".join(missing) + (f" ({size / 1e9:.1f} GB)" if size else "")
    terms = f"{entry.licence}: {entry.terms}" if entry.terms else entry.licence
    return entry.name, here or "-", left or "-", terms, entry.repository, entry.about


def files(name: str) -> list[tuple[str, ...]]:
    """A line for each file of a checkpoint: part, path, size, hash; as they are here, else as they are pinned."""
    entry, lock = checkpoint(name), read_parts(name)
    lines: list[tuple[str, ...]] = [("part", "commit", "bytes", "sha256", "file")]
    for part in entry.parts:
        held = lock.get(part.name)
        if held is not None:
            lines += [(part.name, held.revision, str(f.size), f.sha256, f.path) for f in held.fetched]
            continue
        pins = entry.pins_of(part)
        lines += [(part.name, entry.revision, str(pin.size), pin.sha256, pin.path) for pin in pins]
        named = {pattern for pattern in part.patterns if not any(matches(pin.path, pattern) for pin in pins)}
        lines += [(part.name, entry.revision, "-", "-", pattern) for pattern in sorted(named)]
        if not part.patterns:
            lines.append((part.name, entry.revision, "-", "-", "(name its folder: --part)"))
    return lines


def licence(name: str) -> str:
    """The licence of a checkpoint, in a line."""
    entry = checkpoint(name)
    terms = f": {entry.terms}" if entry.terms else ""
    return f"{entry.name}: {entry.repository}, {entry.licence}{terms}"


def still_missing(name: str) -> list[str]:
    """What to type before ``wan:NAME`` can run."""
    return [
        f"also needed: magbench weights fetch {owner} --only {','.join(parts)}"
        for owner, parts in missing_parts(name).items()
    ]


def findings(name: str) -> Iterator[Finding]:
    """One for each part of a checkpoint."""
    for part, detail, problem in examine(name):
        yield Finding(f"{name} {part}", not problem, problem or detail)
