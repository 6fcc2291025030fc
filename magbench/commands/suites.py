"""`magbench suite`: write or export a suite, mirror videos, fetch the official data, check or seal a folder."""

from __future__ import annotations

from pathlib import Path

import click

from magbench.commands.options import width_height


@click.group()
def suite() -> None:
    """Write a suite to disk, make or fetch one, or check one."""


@suite.command("make")
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--split", default="test", show_default=True, help="Which scenes: test or dev.")
def suite_make(name: str, folder: Path, split: str) -> None:
    """Write the embedded suite NAME to FOLDER."""
    from magbench.render.progress import ProgressBar
    from magbench.suites.registry import DEFAULT_SPLIT, make_suite

    with ProgressBar() as progress:
        make_suite(name if split == DEFAULT_SPLIT else f"{name}:{split}", folder, progress)
    describe(folder)


@suite.command("mirror")
@click.argument("videos", type=click.Path(path_type=Path, file_okay=False))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--frames", type=click.IntRange(3), default=105, show_default=True, help="Of a clip: odd, turn once.")
@click.option("--gap", type=click.IntRange(0), metavar="N", help="Frames of the way back that are given.")
@click.option("--fps", type=click.IntRange(1), metavar="N", help="Take frames at this rate [default: the videos'].")
@click.option("--size", callback=width_height, metavar="WxH", help="Cut and shrink to this [default: the videos'].")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N videos by name.")
@click.option("--window", type=click.IntRange(1), default=81, show_default=True, help="Frames that a window sees.")
@click.option("--track", type=float, metavar="STEP", help="Give a pose: STEP view widths a frame [default: none].")
@click.option(
    "--captions",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="CSV",
    help="Columns video (file name) and caption.",
)
@click.option("--name", help="Of the suite [default: FOLDER's].")
@click.option("--licence", default="not stated", show_default=True, help="Of the videos, for those who read the suite.")
def suite_mirror(
    videos: Path,
    folder: Path,
    frames: int,
    gap: int | None,
    fps: int | None,
    size: tuple[int, int] | None,
    limit: int | None,
    window: int,
    track: float | None,
    captions: Path | None,
    name: str | None,
    licence: str,
) -> None:
    """Make leave-and-return clips of the videos in VIDEOS, and write the suite to FOLDER.

    A clip is the beginning of a video and then the same frames backwards. The model is given the way out and --gap
    frames of the way back: by default as many as the official protocol gives, three quarters of the clip.
    """
    from magbench.suites.mirror import Mirroring, mirror

    how = Mirroring(
        frames=frames, gap=gap, fps=fps, size=size, limit=limit, window=window, track=track, captions=captions
    )
    for path in mirror(videos, folder, how, name=name or folder.name, licence=licence):
        click.echo(f"left alone, no video by its name: {path}", err=True)
    describe(folder)


@suite.command("film")
@click.argument("films", type=click.Path(path_type=Path, file_okay=False))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--frames", type=click.IntRange(24), default=405, show_default=True, help="At most, of a film.")
@click.option("--fps", type=click.IntRange(1), metavar="N", help="Take frames at this rate [default: the first's].")
@click.option("--size", callback=width_height, metavar="WxH", help="Cut and resize to this [default: the films'].")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N films by name.")
@click.option("--window", type=click.IntRange(1), default=81, show_default=True, help="Frames that a window sees.")
@click.option(
    "--corrections",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="CSV",
    help="Columns video, what (turn, switch, same, different), frame and earlier.",
)
@click.option("--name", help="Of the suite [default: FOLDER's].")
@click.option("--licence", default="not stated", show_default=True, help="Of the films, for those who read the suite.")
def suite_film(
    films: Path,
    folder: Path,
    frames: int,
    fps: int | None,
    size: tuple[int, int] | None,
    limit: int | None,
    window: int,
    corrections: Path | None,
    name: str | None,
    licence: str,
) -> None:
    """Make clips of the films in FILMS in which the camera leaves and comes back, and write the suite to FOLDER.

    The return is the film's own. Where it turns and what it shows again is found by the pixels; look at the sheets in
    FOLDER-sheets, and mend with --corrections what is wrong. A film that never returns is left out, and named.
    """
    from magbench.suites.film import Filming, film

    how = Filming(frames=frames, fps=fps, size=size, limit=limit, window=window, corrections=corrections)
    for line in film(films, folder, how, name=name or folder.name, licence=licence):
        click.echo(f"left out: {line}", err=True)
    describe(folder)
    click.echo(f"{folder}-sheets: what was found, for the eye")


@suite.command("export")
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the suite's first N clips.")
def suite_export(name: str, folder: Path, limit: int | None) -> None:
    """Write to FOLDER what may be shown to a model of suite NAME, for models that are run elsewhere.

    Context videos, captions, cameras, how many frames are wanted; nothing of the true return. What comes back is scored
    by `magbench score --suite NAME --videos DIR --model MODEL`.
    """
    from magbench import api
    from magbench.suites.export import export

    opened = api.load_suite(name)
    export(opened, folder, limit)
    count = len(opened.clips[:limit])
    click.echo(f"{folder}: what a model may be shown of {count} clips; {folder}/README.txt says what to send back")


@suite.command("seal")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def suite_seal(folder: Path) -> None:
    """Write the hashes of the suite in FOLDER anew, after you have edited it on purpose.

    Scores of the suite before and after cannot be compared: raise `version` in suite.yaml, so that nobody tries.
    """
    from magbench.suites.seal import seal

    sealed, before = seal(folder)
    changed = "unchanged" if sealed.digest == before else f"was {before}"
    click.echo(
        f"{folder}: {sealed.name} v{sealed.version}, {len(sealed.clips)} clips, digest {sealed.digest} ({changed})"
    )


@suite.command("fetch")
@click.argument("name", type=click.Choice(["mag-bench"]))
@click.option("--revision", help="Commit, tag or branch, resolved once [default: main, or what is there].")
@click.option("--csv", metavar="PATH", help="The table's path in the repository [default: found by its columns].")
@click.option("--videos", metavar="PATH", help="The repository's folder in which video_path starts [default: found].")
def suite_fetch(name: str, revision: str | None, csv: str | None, videos: str | None) -> None:
    """Fetch the official data set NAME from its hub; stopped, the same command goes on.

    Afterwards it is checked and needs no network. HF_ENDPOINT names another hub.
    """
    from magbench.hub.cache import cache_folder
    from magbench.suites.official import fetch

    cache = cache_folder()
    held = fetch.fetch(
        cache,
        revision=revision,
        csv=csv,
        videos=videos,
        step=lambda done, total, file: click.echo(f"{done}/{total} {file}", err=True),
    )
    part = held.part
    click.echo(
        f"{held.data}: {held.lock.kind} {held.lock.repository}, commit {part.revision}, {len(part.fetched)} files"
    )


@suite.command("check")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def suite_check(folder: Path) -> None:
    """Check every file of the suite in FOLDER: names, columns, sizes, sha256."""
    describe(folder)


def describe(folder: Path) -> None:
    """Read a suite with every check, and print what it is."""
    from magbench.suites.seal import check_suite

    suite = check_suite(folder)
    height, width = suite.clips[0].size
    click.echo(
        f"{folder}: {suite.name} v{suite.version}, {suite.split} split, {len(suite.clips)} clips of"
        f" {width}x{height} at {suite.fps} frames per second, {suite.licence}, digest {suite.digest}"
    )
