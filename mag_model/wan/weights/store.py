"""Checkpoints on this machine: fetched once, turned into one safetensors file a network, then found offline.

``<cache>/weights/NAME/`` holds ``generator.safetensors`` and so on, and a lock file.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from safetensors.torch import save_file
from torch import Tensor

from mag_model.wan.published_names import Sizes
from mag_model.wan.state_dict import check_shapes, safetensors_shapes
from mag_model.wan.weights.catalog import Checkpoint, Part, checkpoint
from mag_model.wan.weights.convert import converted
from mag_model.wan.weights.home import home, is_here, read_parts, write_parts
from mag_model.wan.weights.select_files import check_pin, wanted_files
from magbench.core.errors import MagbenchError, unknown
from magbench.core.files import file_sha256
from magbench.hub.client import Folder, Listing, Repository, Source
from magbench.hub.download import check_space, discard
from magbench.hub.lockfile import File
from magbench.hub.lockfile import Part as Held

if TYPE_CHECKING:
    from magbench.core.progress import Progress

S = TypeVar("S", bound=Sizes)


@dataclass(frozen=True)
class Request:
    """What is to be fetched, beyond the checkpoint's own entry.

    Attributes:
        parts: names; none = all that the entry gives.
        places: part -> its folder or file in the repository, instead of the entry's.
        folder: where the repository's files already are; None = the hub.
        revision: branch, tag or commit, whose files may be others than those that are pinned; "" = the one in the lock
            file, else the entry's.
        accepted: the user accepts the licence's terms.
    """

    parts: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    revision: str = ""
    accepted: bool = False


def fetch(name: str, request: Request, progress: Progress) -> list[str]:
    """Bring the parts of a checkpoint here; returns one line for each.

    Raises:
        MagbenchError: terms not accepted, no such part, files that are not there or not what they should be.
    """
    entry = checkpoint(name)
    parts = [_own_part(entry, part) for part in request.parts] or list(entry.parts)
    for place in request.places:
        _own_part(entry, place)
    lock = read_parts(name)
    waiting = [part for part in parts if not _answers(name, lock.get(part.name), part, request, request.revision)]
    lines = {part.name: f"{part.name}: already here" for part in parts}
    if waiting:
        source, listing = _open(entry, request, lock)
        for part in waiting:
            if not _answers(name, lock.get(part.name), part, request, listing.revision):
                held = _bring(entry, part, source, listing, request, progress)
                lock[part.name] = held
                write_parts(entry, lock)
                size = sum(file.size for file in held.kept)
                lines[part.name] = f"{part.name}: {size / 1e9:.2f} GB from {entry.repository} at {held.revision[:12]}"
    return [lines[part.name] for part in parts]


def part_path(name: str, part: str) -> Path:
    """The file of a part, or the tokenizer's folder, of this checkpoint or of the one that it uses.

    Raises:
        MagbenchError: not fetched, or not whole; says what to type.
    """
    entry = checkpoint(name)
    if entry.part(part) is None:
        if not entry.uses:
            raise unknown(f"part of {name}", part, [own.name for own in entry.parts])
        return part_path(entry.uses, part)
    held = read_parts(name).get(part)
    command = f"magbench weights fetch {name} --only {part}" + (" --accept-licence" if entry.terms else "")
    if held is None:
        raise MagbenchError(f"weights of {name}: no {part} here; type: {command}")
    for file in held.kept:
        path = home(name) / file.path
        if not path.is_file() or path.stat().st_size != file.size:
            size = path.stat().st_size if path.is_file() else 0
            raise MagbenchError(f"{path}: {size} of {file.size} bytes; type: {command}")
    return home(name) / PurePosixPath(held.kept[0].path).parts[0]


def part_sizes(name: str, part: str, kind: type[S]) -> S:
    """The sizes of a part, of this checkpoint or of the one that it uses."""
    entry = checkpoint(name)
    own = entry.part(part)
    if own is None:
        return part_sizes(entry.uses, part, kind)
    sizes = own.sizes
    assert isinstance(sizes, kind)
    return sizes


def digest(name: str, parts: Sequence[str]) -> str:
    """Twelve hexadecimal digits that change whenever one of the parts does."""
    total = hashlib.sha256()
    for part in parts:
        entry = checkpoint(name)
        owner = name if entry.part(part) is not None else entry.uses
        part_path(owner, part)
        for file in read_parts(owner)[part].kept:
            total.update(file.sha256.encode())
    return total.hexdigest()[:12]


def missing_parts(name: str) -> dict[str, list[str]]:
    """What is not here of a checkpoint and of the one that it uses: checkpoint -> parts."""
    entry = checkpoint(name)
    own = [part.name for part in entry.parts]
    wanted = {name: own}
    if entry.uses:
        wanted[entry.uses] = [part.name for part in checkpoint(entry.uses).parts if part.name not in own]
    found = {
        owner: [part for part in parts if not is_here(owner, read_parts(owner).get(part))]
        for owner, parts in wanted.items()
    }
    return {owner: parts for owner, parts in found.items() if parts}


def examine(name: str) -> Iterator[tuple[str, str, str]]:
    """Every part of a checkpoint: (part, what it is, what is wrong with it or "")."""
    entry = checkpoint(name)
    lock = read_parts(name)
    for part in entry.parts:
        try:
            path = part_path(name, part.name)
            _check_kept(path, part, home(name), lock[part.name])
        except MagbenchError as error:
            yield part.name, "", str(error)
        else:
            held = lock[part.name]
            size = sum(file.size for file in held.kept)
            yield (
                part.name,
                f"{size / 1e9:.2f} GB, sha256 {held.kept[0].sha256[:12]}, commit {held.revision[:12]}",
                "",
            )


def _check_kept(path: Path, part: Part, folder: Path, held: Held) -> None:
    """Every byte as it was written, every tensor as the network wants it."""
    for file in held.kept:
        file.check(folder)
    if part.sizes is not None:
        check_shapes(path, safetensors_shapes(path), part.sizes.shapes())


def _own_part(entry: Checkpoint, name: str) -> Part:
    part = entry.part(name)
    if part is None:
        raise unknown(f"part of {entry.name}", name, [part.name for part in entry.parts])
    return part


def _answers(name: str, held: Held | None, part: Part, request: Request, revision: str) -> bool:
    """Whether what is here is what is asked for. A folder that is given is always read."""
    if held is None or request.folder is not None or not is_here(name, held):
        return False
    place = request.places.get(part.name, "").strip("/")
    in_place = all(f"{file.path}/".startswith(f"{place}/") for file in held.fetched) if place else True
    return in_place and revision in ("", held.revision)


def _open(entry: Checkpoint, request: Request, lock: Mapping[str, Held]) -> tuple[Source, Listing]:
    """The source, with its licence accepted and its files listed."""
    _accept(entry, request, entry.terms)
    if request.folder is not None:
        folder = Folder(request.folder)
        return folder, folder.listing()
    commits = [held.revision for held in lock.values() if held.revision != Folder.REVISION]
    source = Repository(entry.repository, request.revision or (commits[0] if commits else entry.revision))
    listing = source.listing()
    if "-nc" in listing.licence.lower():
        _accept(entry, request, f"the hub's card says {listing.licence}")
    return source, listing


def _accept(entry: Checkpoint, request: Request, terms: str) -> None:
    if terms and not request.accepted:
        raise MagbenchError(f"{entry.repository}: {entry.licence} ({terms}); to accept that, add --accept-licence")


def _bring(
    entry: Checkpoint, part: Part, source: Source, listing: Listing, request: Request, progress: Progress
) -> Held:
    """Fetch one part's files, keep it in our form, and remove what is no longer needed."""
    folder = home(entry.name)
    where = str(request.folder) if request.folder else f"{entry.repository} at {listing.revision[:12]}"
    wanted = wanted_files(part, listing, request.places.get(part.name), where)
    pinned = not request.revision and listing.revision in (entry.revision, Folder.REVISION)
    for file in wanted if pinned else ():
        check_pin(entry, file.path, file.size, file.sha256)
    sizes = part.sizes
    shapes = {} if sizes is None else sizes.shapes()  # says what is not installed before anything is fetched
    paths = {file.path: source.get(file, listing, folder / "fetched", progress) for file in wanted}
    fetched = tuple(
        File(path=file.path, size=file.size, sha256=file.sha256 or file_sha256(paths[file.path])) for file in wanted
    )
    for known in fetched if pinned else ():
        check_pin(entry, known.path, known.size, known.sha256)
    folder.mkdir(parents=True, exist_ok=True)
    if sizes is None:
        kept = _keep_files(folder, part, paths)
    else:
        kept = [_keep_tensors(folder, entry, part, converted(part, paths, shapes, sizes.config()))]
    discard(folder / "fetched", paths.values())
    return Held(
        revision=listing.revision,
        asked=request.revision,
        fetched=fetched,
        kept=tuple(File.of(path, folder) for path in kept),
    )


def _keep_files(folder: Path, part: Part, paths: Mapping[str, Path]) -> list[Path]:
    target = folder / part.name
    target.mkdir(exist_ok=True)
    return [Path(shutil.copyfile(path, target / path.name)) for path in paths.values()]


def _keep_tensors(folder: Path, entry: Checkpoint, part: Part, tensors: Mapping[str, Tensor]) -> Path:
    """One safetensors file, whose bytes depend on nothing but the weights."""
    path = folder / f"{part.name}.safetensors"
    partial = path.with_suffix(".tmp")
    check_space(folder, sum(value.nbytes for value in tensors.values()))
    ready = {name: value.contiguous() for name, value in tensors.items()}
    save_file(ready, partial, metadata={"weights": f"{entry.name} {part.name}"})
    partial.replace(path)
    return path
