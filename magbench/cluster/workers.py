"""What is done on the machines of a cluster: a model makes one video, a processor scores one.

Files come and go as bytes, so that nothing but the cluster itself need be shared, and the run's folder has one writer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from magbench.core.errors import MagbenchError
from magbench.core.parallel import threads as processor_threads
from magbench.core.progress import Quiet
from magbench.generation.sources import find_sources
from magbench.generation.worker import Source, generate_from
from magbench.models.naming import Given
from magbench.runs.failures import Failure
from magbench.runs.folder import RunFolder
from magbench.scoring.score import score_one
from magbench.scoring.score_clip import Scene
from magbench.suites.format import Suite

Files = dict[str, bytes]
"""The files of one folder, by name."""


class Maker:
    """A model, program or reference, loaded when its first video is asked for, and kept."""

    def __init__(self, given: Given, suite: Suite, threads: int | None) -> None:
        ((self._name, self._load),) = find_sources([given], suite, threads).items()
        self._suite = suite
        self._source: Source | None = None

    def make(self, index: int, sample: int, there: Files) -> tuple[Files, list[Failure]]:
        """The files of one video and what failed; ``there``: those of an earlier one, kept if nothing changed."""
        clip = self._suite.clips[index]
        with TemporaryDirectory() as temporary:
            folder = RunFolder(Path(temporary)).generation(self._name, clip.id, sample)
            _write(folder, there)
            place = RunFolder(Path(temporary)).generation
            failures = generate_from({self._name: self._once}, [(clip, sample)], place, Quiet())
            return _read(folder), [_moved(failure, temporary) for failure in failures]

    def _once(self) -> Source:
        """The source; it warms up before its first video alone."""
        if self._source is None:
            source = self._load()
            self._source = replace(source, warms_up=False)
            return source
        return self._source


def score(
    suite: Suite, name: str, index: int, sample: int, generation: Files, there: bytes | None
) -> tuple[bytes | None, str]:
    """The records of one video, as their file, and what went wrong; ``there``: earlier ones, kept where still right."""
    clip = suite.clips[index]
    with TemporaryDirectory() as temporary, processor_threads(1):
        folder = RunFolder(Path(temporary))
        place, path = folder.generation(name, clip.id, sample), folder.score(name, clip.id, sample)
        _write(place, generation)
        if there is not None:
            _write(path.parent, {path.name: there})
        try:
            score_one(_scene(_Same(suite), index), place, path)
        except MagbenchError as error:
            return None, str(error).replace(f"{temporary}/", "")
        return (path.read_bytes() if path.is_file() else None), ""


class _Same:
    """A suite that equals another of the same content, which every task brings anew."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.suite.digest == other.suite.digest

    def __hash__(self) -> int:
        return hash(self.suite.digest)


@lru_cache(maxsize=2)
def _scene(same: _Same, index: int) -> Scene:
    """A clip prepared for scoring, kept for the next video of it."""
    return Scene(same.suite, same.suite.clips[index])


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    if files:
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _read(folder: Path) -> Files:
    if not folder.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def _moved(failure: Failure, temporary: str) -> Failure:
    """The failure with paths from the run's folder on."""
    return replace(failure, message=failure.message.replace(f"{temporary}/", ""))
