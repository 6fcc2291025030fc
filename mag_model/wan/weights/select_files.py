"""Which published files a part of a checkpoint is made of, and whether they are those that were pinned."""

from __future__ import annotations

from pathlib import PurePosixPath

from mag_model.wan.weights.catalog import Checkpoint, Part, matches
from magbench.core.errors import MagbenchError
from magbench.hub.client import Listing
from magbench.hub.download import RemoteFile


def wanted_files(part: Part, listing: Listing, place: str | None, where: str) -> list[RemoteFile]:
    """The files of a part, all of them there.

    Args:
        place: the folder or file that the user gives for it; None = as the checkpoint's entry has it.
        where: the listing's source, for messages.
    """
    patterns = part.files if place is None else _at(place, listing)
    if not patterns:
        folders = ", ".join(_candidates(listing)) or "none"
        raise MagbenchError(
            f"{where}: its folder of the {part.name} is not known; add --part {part.name}=FOLDER."
            f" Folders with weights: {folders}"
        )
    adapter = () if part.adapter is None else (part.adapter.file,)
    found: dict[str, RemoteFile] = {}
    for pattern in (*patterns, *adapter):
        there = [file for file in listing.files if matches(file.path, pattern)]
        if not there and PurePosixPath(pattern).suffix != ".json":
            raise MagbenchError(f"{where}: no file {pattern}")
        found.update({file.path: file for file in there})
    return list(found.values())


def check_pin(entry: Checkpoint, path: str, size: int, sha256: str) -> None:
    """A file of the pinned commit is what the table says; ``sha256`` "": of a small file, not known yet."""
    pin = next((pin for pin in entry.pins if pin.path == path), None)
    if pin is None:
        return
    if size != pin.size:
        found, wanted = f"{size} bytes", f"{pin.size}"
    elif sha256 not in ("", pin.sha256):
        found, wanted = f"sha256 {sha256[:12]}", pin.sha256[:12]
    else:
        return
    raise MagbenchError(
        f"{entry.repository}: {path} is {found}, not {wanted} as in commit {entry.revision[:12]};"
        " --revision takes the files of another one"
    )


def _at(place: str, listing: Listing) -> tuple[str, ...]:
    place = place.strip("/")
    if any(file.path == place for file in listing.files):
        return (place,)
    return (f"{place}/*.safetensors", f"{place}/*.json")


def _candidates(listing: Listing) -> list[str]:
    folders = {str(PurePosixPath(file.path).parent) for file in listing.files if file.path.endswith(".safetensors")}
    return sorted(folders)
