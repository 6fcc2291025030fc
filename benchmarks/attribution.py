"""What the default models lose on a return, and where: python -m benchmarks.attribution RUN [LONG_CSV]

From the scores of a finished run on revisit-nano, in units of retention by LPIPS, out of window (0 another scene, 1 the
truth through the codec). `codec`: what the codec loses before any model (the oracle is above 1 by so much).
`generation`: what full history loses, to which everything is known. `reach`: what the policy does not hold, at once
views and retention, as if nothing could be guessed. `rest`: what is left: packing for a policy that packs, the
network's reading for others; above 0, guesses that look like the place. Retention is 1 and the last three of
them. `drift`: PSNR of the last return of a long rollout against that
of its first, from `benchmarks.long_rollout`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import fmean

import click

import magbench
from baselines.policy_spec import named_policy
from mag_model.memory.views import reach_of
from magbench.render.grid import NOTHING, Grid
from magbench.render.text import markdown
from magbench.suites.registry import open_suite

RETENTION = "retention_lpips_out_of_window"
POLICIES = {
    "full_history": "full_history",
    "mag": "mag:first_block_whole=0",
    "strided": "strided",
    "window_sink": "window_sink",
    "window": "window",
    "window_trained": "window",
}
"""Registered model -> its policy."""


@click.command(help=__doc__.partition("\n")[0])
@click.argument("run", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.argument("long", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=False)
def main(run: Path, long: Path | None) -> None:
    retained, suite = magbench.open_run(run).table()[RETENTION], open_suite("revisit-nano")
    seen = [(clip.revisit, clip.pose, clip.switch, clip.out_of_window(suite.window)) for clip in suite.clips]
    codec, generation = retained["oracle"] - 1, 1 - retained["full_history"]
    drift = {} if long is None else drifts(long)
    rows = []
    for name, policy in POLICIES.items():
        unheld = 1 - (reach_of(name, named_policy(policy), seen, 3).far or 0.0)
        rest = retained[name] - (1 - generation - unheld)
        parts = [f"{-part:+.3f}" for part in (codec, generation, unheld)]
        told = f"{drift[name]:+.1f} dB" if name in drift else NOTHING
        rows.append((name, *parts, f"{rest:+.3f}", f"{retained[name]:.3f}", told))
    header = ("model", "codec", "generation", "reach", "rest", "retention", "drift over a long rollout")
    click.echo(markdown(Grid(header, tuple(rows), (False,) * len(rows), left=1)))


def drifts(long: Path) -> dict[str, float]:
    """Policy -> PSNR of its last return less that of its first, mean over clips."""
    with long.open(newline="") as file:
        rows = list(csv.DictReader(file))
    last = max(int(row["number"]) for row in rows)
    found = {}
    for policy in dict.fromkeys(row["policy"] for row in rows):
        own = [row for row in rows if row["policy"] == policy]
        first, end = (fmean(float(r["psnr"]) for r in own if int(r["number"]) == number) for number in (1, last))
        found[policy] = end - first
    return found


if __name__ == "__main__":
    main()
