"""What the player shows: clips with their truth, from a board's submissions or from a run's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.hub.place import SCHEME
from magbench.leaderboard.build import BuiltBoard, Entry
from magbench.leaderboard.site.content import own_records
from magbench.leaderboard.site.player import PlayerClip, Shown, curves_of
from magbench.runs.folder import RunFolder
from magbench.runs.generation import read_frames, read_generation
from magbench.runs.records import read_records
from magbench.suites.clip import Clip
from magbench.suites.format import Suite
from magbench.suites.registry import DEFAULT_SPLIT, embedded, open_suite
from magbench.video.io import frames_sha256, read_video

Said = Callable[[str], None]

ROWS = 12
"""At most so many rows of a board have players: the first of those whose videos are in the repository."""

WHOLE_RUN = "magbench view RUN shows a whole run."


def spread_clips(clips: Sequence[Clip], count: int) -> list[Clip]:
    """``count`` of the clips, evenly apart, in their order."""
    if count >= len(clips):
        return list(clips)
    return [clips[round((i + 0.5) * len(clips) / count - 0.5)] for i in range(count)]


def watchable(board: BuiltBoard) -> list[Entry]:
    """The entries that have players, best first: not withdrawn, passed by the checks, with videos of their own."""
    order = [row.model for table in (board.ranked, board.others) for row in table.rows]
    by_label = {entry.label: entry for entry in board.entries if entry.scores and not entry.submission.notice}
    found = [by_label[label] for label in order if label in by_label]
    return [entry for entry in found if any(_is_here(video.path) for video in entry.submission.videos.values())]


def _is_here(path: str) -> bool:
    return bool(path) and not path.startswith(SCHEME)


def players(boards: Sequence[BuiltBoard], suites: Sequence[str], count: int, left_out: Said) -> Iterator[PlayerClip]:
    """``count`` clips of each board that has videos here and whose suite is drawn here, or is one of ``suites``."""
    opened = {suite.digest: suite for suite in map(open_suite, suites)}
    for board in boards:
        if not count or not watchable(board):
            continue
        run = board.run
        if run.digest not in opened and run.suite in embedded():
            suite = open_suite(run.suite if run.split == DEFAULT_SPLIT else f"{run.suite}:{run.split}")
            opened[suite.digest] = suite
        if run.digest in opened:
            yield from clips_of_board(board, opened[run.digest], count, left_out)


def player_note(boards: Sequence[BuiltBoard], count: int) -> str:
    """What the players of a page leave out, in words."""
    notes = []
    for board in boards:
        there = watchable(board)
        if there and len(there) > ROWS:
            notes.append(f"{board.run}: {ROWS} of {len(there)} rows with videos are in the player.")
        without = sum(entry.trust != "quarantined" for entry in board.entries) - len(there)
        if without:
            notes.append(f"{board.run}: the videos of {without} rows are not in the repository.")
    some = (
        f"Of each suite at most {count} clips are here; {WHOLE_RUN}" if count else f"No player was written; {WHOLE_RUN}"
    )
    return " ".join([some, *notes])


def clips_of_board(board: BuiltBoard, suite: Suite, count: int, left_out: Said) -> Iterator[PlayerClip]:
    """``count`` clips of a board, with the first ``ROWS`` entries that have videos here.

    Args:
        left_out: told of each video that cannot be shown, in one line; the others go on.

    Raises:
        MagbenchError: the suite is not the board's.
    """
    _same(suite, board.run.digest, board.name)
    entries = watchable(board)[:ROWS]
    records = {entry.label: own_records(entry) for entry in entries}
    for clip in spread_clips(suite.clips, count) if entries else []:
        shown = []
        for entry in entries:
            try:
                frames = _submitted(entry, clip)
            except MagbenchError as error:
                left_out(f"no player: {error}")
                continue
            if frames is not None:
                mine = [r for r in records[entry.label] if r.clip == clip.id and r.sample == 0]
                shown.append(Shown(entry.label, frames, curves_of(mine, clip)))
        yield PlayerClip(board.name, clip, suite.window, tuple(shown))


def _submitted(entry: Entry, clip: Clip) -> NDArray[np.uint8] | None:
    """The return in a submission, checked to be the one that was scored; None where it is not here."""
    video = entry.submission.videos.get(f"{clip.id}@0")
    if video is None or not _is_here(video.path):
        return None
    path = entry.submission.folder / video.path
    if file_sha256(path) != video.sha256:
        raise MagbenchError(f"{path}: is not the file that videos.json lists")
    frames = read_video(path, clip.fps)
    if len(frames) == len(clip):
        frames = frames[clip.switch :]
    if frames_sha256(frames) != video.frames_sha256 or frames.shape[:1] != (len(clip) - clip.switch,):
        raise MagbenchError(f"{path}: its frames are not those of the records")
    return frames


def clips_of_run(folder: RunFolder, suite: Suite, count: int) -> Iterator[PlayerClip]:
    """``count`` clips of a run, evenly apart, with all of its models and references.

    Raises:
        MagbenchError: the suite is not the run's, or a video is damaged.
    """
    run = folder.read()
    _same(suite, run.digest, str(folder))
    names = folder.generated_models()
    clips = [clip for clip in suite.clips[: run.limit] if any(_made(folder, name, clip) for name in names)]
    if not clips:
        raise MagbenchError(f"{folder}: holds no video; published folders have scores alone")
    for clip in spread_clips(clips, count):
        shown = []
        for name in names:
            place = folder.generation(name, clip.id, 0)
            if (generation := read_generation(place)) is None:
                continue
            scores = folder.score(name, clip.id, 0)
            records = read_records(scores) if scores.is_file() else []
            shown.append((generation.kind, Shown(name, read_frames(place, generation), curves_of(records, clip))))
        models_first = sorted(shown, key=lambda pair: pair[0] != "model")
        yield PlayerClip(str(run), clip, suite.window, tuple(row for _, row in models_first))


def _made(folder: RunFolder, name: str, clip: Clip) -> bool:
    return read_generation(folder.generation(name, clip.id, 0)) is not None


def _same(suite: Suite, digest: str, where: str) -> None:
    if suite.digest != digest:
        raise MagbenchError(
            f"{where}: is of a suite with digest {digest[:12]}, {suite.name} here has {suite.digest[:12]}"
        )
