"""The records of one generation: every protocol over every region, quality, costs; and what makes them out of date."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from magbench import __version__
from magbench.core.errors import MagbenchError
from magbench.metrics.spec import ScoreSpec
from magbench.models.disturbance import Disturbance
from magbench.runs.generation import Generation
from magbench.runs.records import Record, Region
from magbench.scoring.costs import TIMES, costs
from magbench.scoring.pixels import pixel_scores, score_pixels
from magbench.suites.clip import Clip
from magbench.suites.format import Suite
from magbench.video.frames import FrameSource, Joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from magbench.metrics import Pair, Truth
    from magbench.quality import Given

REGIONS: tuple[Region, ...] = ("all", "out_of_window")

Stamp = tuple[str, int, str, int, str, str, str, str]
"""All that decides the value of a record of one clip, but for costs."""


class Scene:
    """One clip of a suite, decoded and prepared once for all that is scored against it."""

    def __init__(self, suite: Suite, clip: Clip) -> None:
        self.suite = suite
        self.clip = clip

    @property
    def context(self) -> FrameSource:
        """(switch, H, W, 3) uint8, what was given."""
        return self.clip.part(0, self.clip.switch)

    @cached_property
    def given(self) -> Given:
        """The same, with what quality metrics ask of it."""
        from magbench.quality import Given

        return Given(self.context)

    @cached_property
    def truth(self) -> Truth:
        """The true return."""
        from magbench.metrics import Truth
        from magbench.metrics.frames import Pixels

        return Truth(Pixels(self.clip.part(self.clip.switch)))

    @cached_property
    def pixel_gap(self) -> NDArray[np.uint16] | None:
        """(T - switch, H, W): frames since each pixel's place was last shown, 0 where it never was; None if unknown."""
        return self.clip.planes_part("pixel_gap", self.clip.switch)

    @cached_property
    def out_of_window(self) -> NDArray[np.bool_]:
        """(T - switch,): the frames of the return whose view was last seen out of the window."""
        return self.clip.out_of_window(self.suite.window)[self.clip.switch :]


def identity(spec: ScoreSpec) -> dict[str, Any]:
    """The fields of a record that say what its score is."""
    return {
        "protocol": spec.protocol,
        "protocol_version": spec.protocol_version,
        "metric": spec.name,
        "metric_version": spec.version,
        "unit": spec.unit,
        "better": spec.better,
    }


def stamp(record: Record) -> Stamp:
    """The stamp of a record."""
    return (
        record.protocol,
        record.protocol_version,
        record.metric,
        record.metric_version,
        record.region,
        record.revision,
        record.generation_sha256,
        record.suite_digest,
    )


def _made(generation: Generation, suite: Suite) -> tuple[str, str, str]:
    return generation.revision, generation.frames_sha256, suite.digest


def wanted(generation: Generation, scene: Scene) -> set[Stamp]:
    """The stamps of the records that are made here of a generation."""
    from magbench import quality
    from magbench.metrics import PROTOCOLS, own_return

    made = _made(generation, scene.suite)
    fair = [(metric, region) for protocol in PROTOCOLS.values() for metric in protocol.metrics for region in REGIONS]
    fair += [(spec, region) for spec in own_return.SPECS for region in REGIONS if scene.clip.explores]
    whole = [*fair, *pixel_scores(scene.clip), *((metric, "all") for metric in quality.QUALITY)]
    return {(spec.protocol, spec.protocol_version, spec.name, spec.version, region, *made) for spec, region in whole}


def of_absent_metrics(records: Iterable[Record], generation: Generation, suite: Suite) -> list[Record]:
    """Choose the records of these very frames whose metric is not installed any more; they stay valid."""
    from magbench.metrics import ALIGNED, PROTOCOLS

    made, aligned = _made(generation, suite), PROTOCOLS[ALIGNED.name]
    known = {metric.name for metric in aligned.metrics}
    return [
        record
        for record in records
        if (record.protocol, record.protocol_version) == (aligned.name, aligned.version)
        and record.metric not in known
        and (record.revision, record.generation_sha256, record.suite_digest) == made
    ]


def score_records(scene: Scene, frames: FrameSource, generation: Generation) -> list[Record]:
    """Records of a return (n, H, W, 3) uint8, without its costs."""
    from magbench.metrics import Pair
    from magbench.metrics.frames import Pixels

    pair = Pair(Pixels(frames), scene.truth)
    return [
        *_fair_records(scene, pair, generation),
        *_pixel_records(scene, pair, generation),
        *(_own_records(scene, frames, generation) if scene.clip.explores else ()),
        *_quality_records(scene, frames, generation),
    ]


def _fair_records(scene: Scene, pair: Pair, generation: Generation) -> list[Record]:
    """A record for each protocol, metric and region; without values where nobody can know the truth."""
    from magbench.metrics import PROTOCOLS

    clip = scene.clip
    common = _provenance(scene, generation)
    place = {"frame": list(range(clip.switch, len(clip))), "gap": clip.gap[clip.switch :].tolist()}
    records: list[Record] = []
    for protocol in PROTOCOLS.values():
        scores = dict.fromkeys(m.name for m in protocol.metrics) if clip.explores else protocol.score(pair)
        for metric in protocol.metrics:
            values = scores[metric.name]
            same = common | identity(metric)
            if values is None:
                records += [Record(**same, region=region, value=None, n=0) for region in REGIONS]
                continue
            _check(values, clip, f"{protocol.name} {metric.name}")
            far = values[scene.out_of_window]
            over_all, over_far = metric.average(values), metric.average(far) if len(far) else None
            whole = {"per_frame": values.tolist(), **place}
            records.append(Record(**same, region="all", value=over_all, n=len(values), **whole))
            records.append(Record(**same, region="out_of_window", value=over_far, n=len(far)))
    return records


def _pixel_records(scene: Scene, pair: Pair, generation: Generation) -> list[Record]:
    """A record for each score of pixels that were seen, and of those that were not, where the suite knows."""
    if scene.pixel_gap is None:
        return []
    common = _provenance(scene, generation)
    records: list[Record] = []
    for choice, found in score_pixels(pair, scene.pixel_gap, scene.suite.window):
        for spec in choice.specs:
            score = found[spec.name]
            values, places = score.values.tolist(), (score.frames + scene.clip.switch).tolist()
            each = {"per_frame": values, "frame": places} if choice.region == "all" and values else {}
            mean = float(score.values.mean()) if values else None
            about = common | identity(spec) | each
            records.append(Record(**about, region=choice.region, value=mean, n=len(values)))
    return records


def _own_records(scene: Scene, frames: FrameSource, generation: Generation) -> list[Record]:
    """A record for each score against the model's own earlier frames, and region."""
    from magbench.metrics import own_return

    clip = scene.clip
    found = own_return.measure(Joined(scene.context, frames), clip.revisit, clip.switch)
    common = _provenance(scene, generation)
    if found is None:
        specs = [(spec, region) for spec in own_return.SPECS for region in REGIONS]
        return [Record(**common, **identity(spec), region=region, value=None, n=0) for spec, region in specs]
    gap = clip.gap[found.scores.frame]
    place = {"frame": found.scores.frame.tolist(), "gap": gap.tolist()}
    records: list[Record] = []
    for spec in own_return.SPECS:
        values, same = found.values[spec.name], common | identity(spec)
        far = values[gap >= scene.suite.window]
        over_far = spec.average(far) if len(far) else None
        whole = {"per_frame": values.tolist(), **place}
        records.append(Record(**same, region="all", value=spec.average(values), n=len(values), **whole))
        records.append(Record(**same, region="out_of_window", value=over_far, n=len(far)))
    return records


def _quality_records(scene: Scene, frames: FrameSource, generation: Generation) -> list[Record]:
    """A record for each quality metric of the return alone; None where it is not available."""
    from magbench import quality

    common = _provenance(scene, generation)
    values = quality.measure_after(frames, scene.given)
    return [
        Record(
            **common,
            **identity(metric),
            region="all",
            value=values[metric.name],
            n=0 if values[metric.name] is None else frames.shape[0],
        )
        for metric in quality.QUALITY
    ]


def cost_records(scene: Scene, generation: Generation) -> list[Record]:
    """Costs of whatever holds a history. A reference that holds none only hands over frames: its time says nothing."""
    if generation.kind == "reference" and generation.history_bytes is None:
        return []
    common = _provenance(scene, generation)
    disturbed = Disturbance(generation.waited, generation.sharers).disturbed
    starts = [scene.clip.switch + sum(generation.pieces[:index]) for index in range(len(generation.pieces))]
    return [
        Record(
            **common,
            **identity(cost.spec),
            region="all",
            value=cost.value,
            n=cost.n,
            per_frame=cost.per_piece,
            frame=None if cost.per_piece is None else starts,
            device=generation.device,
            machine=generation.machine,
            disturbed=disturbed if cost.spec.name in TIMES else None,
        )
        for cost in costs(generation)
    ]


def _provenance(scene: Scene, generation: Generation) -> dict[str, Any]:
    """The fields that all records of one generation share."""
    suite, clip = scene.suite, scene.clip
    return {
        "suite": suite.name,
        "suite_version": suite.version,
        "suite_digest": suite.digest,
        "split": suite.split,
        "model": generation.model,
        "revision": generation.revision,
        "kind": generation.kind,
        "clip": clip.id,
        "category": clip.category,
        "speed": clip.speed,
        "sample": generation.sample,
        "seed": generation.seed,
        "generation_sha256": generation.frames_sha256,
        "magbench_version": __version__,
        "conversions": "" if generation.original is None else generation.original.conversions,
    }


def _check(values: NDArray[np.float64], clip: Clip, what: str) -> None:
    """Refuse values that are not numbers."""
    if not np.isfinite(values).all():
        index = int(np.flatnonzero(~np.isfinite(values))[0])
        raise MagbenchError(f"{what} of frame {clip.switch + index} is {values[index]}")
