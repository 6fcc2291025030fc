"""One generated return on disk: its pixels, a preview for the eye, and what was measured while it was made.

::

    frames.mkv         the return, lossless; not there if the video was made elsewhere and stays where it is
    preview.mp4        the given frames framed in grey, then the return framed in orange (where PyAV has an H.264
                       encoder); likewise
    generation.json    written last: without it the rest counts for nothing
    error.txt          instead of the others: the traceback of the model that failed here
"""

from __future__ import annotations

import platform
import traceback
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt, PositiveInt

from magbench import __version__
from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256, write_atomic
from magbench.core.parsing import read_described
from magbench.core.provenance import cpu_model, usable_cores
from magbench.core.seeds import task_seed
from magbench.models.meter import Metered
from magbench.models.protocol import Kind
from magbench.suites.clip import Clip
from magbench.video.formats import finished_sha256, open_finished
from magbench.video.frames import FrameSource, Stretch
from magbench.video.io import frames_sha256, open_video, write_lossless
from magbench.video.preview import write_preview

FRAMES_FILE = "frames.mkv"
PREVIEW_FILE = "preview.mp4"
GENERATION_FILE = "generation.json"
ERROR_FILE = "error.txt"


class Original(BaseModel):
    """A video made elsewhere: its absolute path, what rate it has to have, and at which frame its return starts.

    ``conversions``: what was done to make it fit, "" for nothing. Where something was, the return is saved here too.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    path: str
    fps: PositiveInt
    first: NonNegativeInt
    conversions: str = ""


class Generation(BaseModel):
    """``generation.json``. The measurements are those of :class:`magbench.models.meter.Metered`.

    One that was made beside others has no seconds, no time to the first frame and no peak of the process.

    A video made elsewhere has an ``original`` and nothing measured: no pieces, no seconds, None for the rest. Its
    ``seed`` is the one its task has in this suite, whatever it was made with.

    ``waited`` and ``sharers`` are those of :class:`magbench.models.disturbance.Disturbance`; ``machine`` is its kind.
    ``file_sha256`` is of what holds the frames, byte for byte: while it holds, nothing need be decoded. Folders of
    earlier versions have none.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    model: str
    revision: str
    kind: Kind
    clip: str
    sample: NonNegativeInt
    seed: NonNegativeInt
    frames_sha256: str
    file_sha256: str | None = None
    pieces: list[PositiveInt]
    seconds: list[NonNegativeFloat]
    history_bytes: list[NonNegativeInt] | None
    ttff_s: NonNegativeFloat | None
    peak_rss_bytes: PositiveInt | None
    device: str | None
    device_peak_bytes: NonNegativeInt | None
    waited: NonNegativeFloat | None = None
    sharers: NonNegativeInt | None = None
    machine: str | None = None
    torch: str | None
    platform: str | None
    magbench: str
    original: Original | None = None

    @property
    def saved(self) -> bool:
        """Whether the frames lie beside this file, and not only where somebody else keeps them."""
        return self.original is None or bool(self.original.conversions)

    def place(self, folder: Path) -> Path:
        """The file that the frames are read from, of the generation in ``folder``."""
        return folder / FRAMES_FILE if self.saved or self.original is None else Path(self.original.path)


def write_generation(
    folder: Path, metered: Metered, clip: Clip, *, model: str, revision: str, kind: Kind, sample: int
) -> None:
    """Save a return; it counts from the moment its last file is there, which is on the disk then.

    Frames that a power cut kept from the disk are not those of its hash, and are made again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ERROR_FILE).unlink(missing_ok=True)
    write_lossless(folder / FRAMES_FILE, metered.frames, clip.fps)
    write_preview(folder / PREVIEW_FILE, clip.frames[: clip.switch], metered.frames, clip.fps)
    generation = Generation(
        model=model,
        revision=revision,
        kind=kind,
        clip=clip.id,
        sample=sample,
        seed=task_seed(clip.id, sample),
        frames_sha256=frames_sha256(metered.frames),
        file_sha256=file_sha256(folder / FRAMES_FILE),
        pieces=metered.pieces,
        seconds=metered.seconds,
        history_bytes=metered.history_bytes,
        ttff_s=metered.seconds[0] if metered.seconds else None,
        peak_rss_bytes=metered.peak_rss_bytes,
        device=metered.device,
        device_peak_bytes=metered.device_peak_bytes,
        waited=metered.disturbance.waited,
        sharers=metered.disturbance.sharers,
        machine=f"{cpu_model()}, {usable_cores()} cores",
        torch=torch.__version__,
        platform=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        magbench=__version__,
    )
    write_atomic(folder / GENERATION_FILE, generation.model_dump_json(indent=2) + "\n")


def write_import(folder: Path, original: Original, frames: FrameSource, clip: Clip, model: str, revision: str) -> None:
    """Save that a video made elsewhere is a model's return.

    frames: (T - switch, H, W, 3) uint8, the return that was read from it.
    """
    made = untimed(clip, frames_sha256(frames), model=model, revision=revision, original=original)
    if made.saved:
        folder.mkdir(parents=True, exist_ok=True)
        write_lossless(folder / FRAMES_FILE, frames, clip.fps)
    made = made.model_copy(update={"file_sha256": finished_sha256(made.place(folder))})
    write_atomic(folder / GENERATION_FILE, made.model_dump_json(indent=2) + "\n")


def untimed(
    clip: Clip, digest: str, *, model: str, revision: str, sample: int = 0, original: Original | None = None
) -> Generation:
    """Describe a model's return of which nobody measured anything; ``digest``: of its frames."""
    return Generation(
        model=model,
        revision=revision,
        kind="model",
        clip=clip.id,
        sample=sample,
        seed=task_seed(clip.id, sample),
        frames_sha256=digest,
        pieces=[],
        seconds=[],
        history_bytes=None,
        ttff_s=None,
        peak_rss_bytes=None,
        device=None,
        device_peak_bytes=None,
        torch=None,
        platform=None,
        magbench=__version__,
        original=original,
    )


def write_error(folder: Path, error: Exception) -> Path:
    """Save the traceback of what a model raised, for its author."""
    path = folder / ERROR_FILE
    write_atomic(path, "".join(traceback.format_exception(error)))
    return path


def read_generation(folder: Path) -> Generation | None:
    """The finished generation in ``folder``; None if it was never finished."""
    path = folder / GENERATION_FILE
    return read_described(path, Generation) if path.exists() else None


def read_frames(folder: Path, generation: Generation, clip: Clip | None = None) -> NDArray[np.uint8]:
    """:func:`open_frames`, all of them in memory."""
    return np.asarray(open_frames(folder, generation, clip))


def open_frames(folder: Path, generation: Generation, clip: Clip | None = None) -> FrameSource:
    """(n, H, W, 3) uint8: the return, checked to be the one that was saved; a long one is on the disk.

    clip: that it is of; a file that was exchanged for a larger one is then refused before it takes memory.
    """
    original, path = generation.original, generation.place(folder)
    most = None if clip is None else (len(clip), *clip.size)
    if generation.saved or original is None:
        frames: FrameSource = open_video(path, None, most)
    else:
        whole = open_finished(path, original.fps, most)
        frames = Stretch(whole, original.first, whole.shape[0])
    if (found := frames_sha256(frames)) != generation.frames_sha256:
        saved = generation.frames_sha256[:12]
        raise MagbenchError(f"{path}: changed, sha256 of its frames is {found[:12]}, {saved} was saved")
    return frames


def check_frames(folder: Path, generation: Generation) -> None:
    """Check that the return is the one that was saved, by the bytes of its file, without decoding it where they hold.

    Raises:
        MagbenchError: it is another, or cannot be read.
    """
    place = generation.place(folder)
    if generation.file_sha256 is None or not place.exists() or finished_sha256(place) != generation.file_sha256:
        open_frames(folder, generation)  # other bytes may hold the same frames


def discard_unless_current(folder: Path, revision: str) -> bool:
    """Whether a whole generation of this revision is there. One that is not is made to count for nothing."""
    try:
        generation = read_generation(folder)
        if generation is not None and generation.revision == revision:
            check_frames(folder, generation)
            return True
    except MagbenchError:
        pass  # damaged: it is made again, which is what the caller does with False
    (folder / GENERATION_FILE).unlink(missing_ok=True)
    return False
