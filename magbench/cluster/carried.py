"""A suite that travels: each video is fetched from Ray's object store, once a machine, when its frames are read."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from magbench.core.files import written
from magbench.suites.format import Suite
from magbench.suites.stored import StoredVideo

if TYPE_CHECKING:
    from ray import ObjectRef


@dataclass(frozen=True)
class CarriedVideo:
    """A :class:`magbench.suites.stored.StoredVideo` whose file may be on another machine.

    A :class:`magbench.video.frames.FrameSource`. ``content``: the bytes of the file.
    """

    stored: StoredVideo
    content: ObjectRef[bytes]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return self.stored.shape

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self._here(), dtype=dtype, copy=copy)

    def __getitem__(self, index: slice) -> NDArray[np.uint8]:
        return self._here()[index]

    def _here(self) -> StoredVideo:
        """The video, its file fetched where this machine has none."""
        import ray

        path = Path(tempfile.gettempdir()) / "magbench-videos" / f"{self.stored.sha256}{self.stored.path.suffix}"
        if not path.exists():
            content = ray.get(self.content)
            with written(path) as half:
                half.write_bytes(content)
        return replace(self.stored, path=path)


def carried(suite: Suite) -> Suite:
    """Put the videos of a suite into the object store. Clips in memory travel as they are."""
    import ray

    clips = []
    for clip in suite.clips:
        source = clip.source
        if isinstance(source, StoredVideo):
            clip = replace(clip, frames=CarriedVideo(source, ray.put(source.path.read_bytes())))
        clips.append(clip)
    return replace(suite, clips=tuple(clips))
