"""Run every command that README and docs give, in their order, in one empty folder, and look for what they promise.

    python benchmarks/documented.py [FOLDER]

Words in capitals stand for the reader's own things and are filled in; what needs the network, a GPU or another
environment is listed with the reason. Takes a quarter of an hour on two cores.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

NETWORK = "needs the network"
COMMANDS: tuple[tuple[str, str], ...] = (
    ("magbench run", r"full_history"),
    ("magbench run --models mag,window --limit 9 --out runs/first", r"runs/first/table\.md"),
    ("magbench compare mag strided", r"A better"),
    ("magbench history-effect --models window,mag", r"mag"),
    ("magbench profile full_history,mag", r"ratio to full_history"),
    ("magbench ls models", r"full_history"),
    ("magbench run --models nano:ema_sink,nano:window:frames=12", r"nano:ema_sink"),
    ("magbench doctor", r"ok +torch"),
    ("magbench suite export revisit-nano shown", r"42 clips"),
    ("magbench score --suite revisit-nano --videos made --model mine --out runs/mine", r"42 videos used"),
    ("magbench submit runs/revisit-nano --model mag --from told.yaml", r"leaderboards/submissions/revisit-nano"),
    ("magbench board check", r"ok +leaderboards/submissions"),
    ("magbench board build", r"1 reported"),
    ("magbench view runs/revisit-nano", r"runs/revisit-nano/view/index\.html"),
    ('pip install ".[photo]" && magbench run revisit-photo', r"revisit-photo"),
    ("magbench run revisit-3d", r"oracle"),
    ("magbench run revisit-3d:turns", r"full_history"),
    ("magbench suite mirror DIR OUT", r"clips of"),
    ("magbench run mag-bench:DIR", r"oracle"),
    ("magbench profile wan:random,wan:random+mag", r"wan:random"),
    ("magbench run --models examples/hold_last/hold_last.py:HoldLast,window", r"hold_last"),
    ("magbench run --models command:mine.yaml,window", r"mine"),
    ("magbench score --suite SUITE --videos DIR --model NAME --out OUT", r"videos used"),
    ("magbench score --suite SUITE --videos DIR --model NAME --out OUT --fit", r"videos used"),
    ("magbench score --suite revisit-nano --videos made --model my-model --out runs/mine", r"42 videos used"),
    ("magbench run --models window,full_history --out runs/mine", r"my-model"),
    ("magbench score --suite mag-bench:DIR --videos MINE --model my-model --out runs/mine", r"videos used"),
    ("magbench history-effect revisit-nano --models window,full_history --out runs/revisit-nano", r"window"),
    ("magbench run revisit-nano --models warp+full_history,warp+window --out runs/explicit", r"warp\+full_history"),
    ("magbench reach", r"full_history +1\.000"),
    ("magbench reach --hours 24", r"mag_deep +0\.375"),
    ("magbench run --models window_trained,window,mag,full_history", r"window_trained"),
    ("magbench run --models command:examples/hold_last/hold_last.yaml,window", r"hold_last_program"),
    ("magbench compare mag strided --run DIR --all", r"A better"),
    ("magbench compare runs/old:mag runs/new:mag", r"no difference|A better|B better|below noise"),
    ("magbench run OUT", r"oracle"),
    ("magbench suite seal OUT", r"unchanged"),
    ("magbench generate revisit-nano --out runs/shared --shard 3/64", r"runs/shared/generations"),
    ("magbench score revisit-nano --out runs/shared --shard 3/64", r"runs/shared/scores"),
    ("magbench run revisit-nano --out runs/shared", r"full_history"),
    ("magbench run revisit-nano --out runs/ray --ray local", r"full_history"),
    ("magbench plan revisit-nano --models mag,window --gpus 64 --seeds 5 --from runs/first", r"longest share"),
    ("magbench run --models examples/hold_last/hold_last.py:HoldLast,window --isolate --out runs/apart", r"hold_last"),
    ("magbench weights ls", r"self-forcing"),
    ("magbench weights ls self-forcing", r"\.pt|safetensors"),
)
"""What is run, and a pattern that its output must hold."""

WITHOUT = {
    "magbench train base --out DIR": "takes an hour",
    "magbench train flow --preset nano_text --out DIR": "takes half an hour",
    "magbench train teacher --preset nano_text --out DIR": "takes a quarter of an hour",
    "magbench train dmd --preset nano_text --out DIR": "takes minutes",
    "magbench ablate trap": "takes half an hour",
    "magbench ablate block": "likewise; tests/baselines/test_trained.py trains two sizes for a step",
    "magbench ablate pair": "likewise",
    "magbench ablate lineage": "takes more than an hour",
    "magbench ablate recent": "tests/test_cli.py runs it on one clip",
    "make demo": "CI and the reader run it on a fresh clone",
    "make test": "this is called by it",
    "magbench generate revisit-nano --out runs/shared --shard $SLURM_ARRAY_TASK_ID/64": "a share is run as 3/64",
    "magbench generate revisit-nano --out runs/shared --shard $((JOB_COMPLETION_INDEX + 1))/64": "likewise",
    "magbench run revisit-3d:explore --models warp+full_history,warp+window": "draws frames for minutes, with ViZDoom",
    "magbench run revisit-3d:long --models warp+full_history,warp+window": "draws frames for minutes, with ViZDoom",
    "magbench suite film FILMS OUT": "tests/suites/test_film.py runs it on films whose truth is known",
    "pip install 'magbench[ray]'": "the tests' environment has it",
    "magbench run revisit-nano --out runs/ray --ray 10.0.0.1:6379 --gpus-per-model 1": "needs a cluster with GPUs",
    "magbench suite fetch mag-bench": NETWORK,
    "magbench submit runs/revisit-nano --model mag --from told.yaml --hub ORG/NAME": NETWORK,
    "magbench board publish --hub ORG/NAME": NETWORK,
    "magbench board card SUBMISSION --board ORG/NAME --hub ORG/MODEL": NETWORK,
    'pip install ".[wan]" && magbench weights ls': "the same command without the installation is run",
    "magbench weights fetch wan2.1 --only vae,text,tokenizer": NETWORK,
    "magbench weights fetch self-forcing --accept-licence": NETWORK,
    "magbench weights check self-forcing": "needs fetched weights",
    "magbench weights fetch mag --accept-licence --part generator=FOLDER --part memory=FOLDER": NETWORK,
    "magbench run mag-bench --models wan:self-forcing,wan:self-forcing+strided": "needs fetched data and weights",
    "magbench run mag-bench --models mine": "needs fetched data",
    "pip install ./examples/hold_last": "tests/test_examples.py installs it",
    "magbench run --models hold_last": "tests/test_examples.py runs it",
    "magbench vbench RUN_DIR [--models A,B] [--dimensions D,E] [--program PATH] [--timeout MINUTES]": "a synopsis",
    "python -m venv vbench-env": "VBench needs an environment of its own, with a GPU",
    "magbench vbench runs/revisit-nano --program vbench-env/bin/vbench": "VBench needs a GPU",
    "magbench board reproduce SUBMISSION RUN_DIR --who NAME": "tests/leaderboard/test_trust.py runs it",
    'magbench board renew --tag ordered-1 --about "Why there is a later one." --who NAME': (
        "tests/leaderboard/test_renew.py runs it"
    ),
    "magbench board fresh SUBMISSION --number TEXT --who NAME": "tests/leaderboard/test_trust.py runs it",
    "pip install '.[wan]'": "the tests' environment has it",
    'pip install ".[3d]"': "the tests' environment has it",
    "magbench suite make revisit-3d LARGE --split 832x480": "draws for minutes",
    "python benchmarks/reprojection.py revisit-3d": "its numbers are in the page",
    "python benchmarks/cheats.py revisit-3d --models warp+full_history,warp+strided,nearest_view+full_history": (
        "likewise; minutes"
    ),
    "python benchmarks/unseen.py": "its numbers are in the page",
    "python benchmarks/unseen.py --weights DIR": "likewise",
    "python benchmarks/unseen.py --weights DIR --dev": "likewise",
    "python benchmarks/own_return.py mag --weights DIR": "likewise",
    "magbench run revisit-3d:832x480 --models mine": "draws for minutes",
    "magbench run revisit-3d --models warp+full_history,warp+strided,nearest_view+full_history,warp+window": (
        "its numbers are in the page"
    ),
    "magbench profile wan:random,wan:random+mag,wan:random+mag_ring,wan:random+window_sink:frames=6:sink=3"
    " --history 21,60,120,240 --resolution 832x480 --decode": "needs a GPU",
    "python -m benchmarks.harness full --clips 100": "ten minutes on a quiet machine",
    "python -m benchmarks.full_size OUT": "half an hour and 21 GB",
    "python -m benchmarks.iso_byte run OUT --clips 14": "an hour",
    "python -m benchmarks.iso_byte latency OUT": "needs a quiet machine",
    "python -m benchmarks.long_rollout OUT": "a quarter of an hour",
    "python -m benchmarks.attribution leaderboards/revisit-nano leaderboards/policies/long.csv": "of this repository",
}
"""What is not run, and why."""

PLACES = {
    "magbench score --suite SUITE --videos DIR --model NAME --out OUT --fit": {
        "SUITE": "revisit-nano",
        "DIR": "made",
        "NAME": "fitted",
        "OUT": "runs/fitted",
    },
    "magbench suite mirror DIR OUT": {"DIR": "films", "OUT": "mirrored"},
    "magbench run OUT": {"OUT": "mirrored"},
    "magbench suite seal OUT": {"OUT": "mirrored"},
    "magbench run mag-bench:DIR": {"mag-bench:DIR": "mag-bench:official"},
    "magbench score --suite SUITE --videos DIR --model NAME --out OUT": {
        "SUITE": "revisit-nano",
        "DIR": "made",
        "NAME": "some",
        "OUT": "runs/some",
    },
    "magbench score --suite mag-bench:DIR --videos MINE --model my-model --out runs/mine": {
        "mag-bench:DIR": "mag-bench:official",
        "MINE": "official-made",
        "runs/mine": "runs/official-mine",
    },
    "magbench compare mag strided --run DIR --all": {"DIR": "runs/revisit-nano"},
    "magbench compare runs/old:mag runs/new:mag": {
        "runs/old:mag": "runs/mine:window",
        "runs/new:mag": "runs/revisit-nano:window",
    },
}
"""What the words in capitals stand for here."""


def documented() -> Iterator[tuple[str, str]]:
    """(page, command) of every line of code in README and docs that begins with a command, in order."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = re.sub(r" \\\n +", " ", page.read_text(encoding="utf-8"))
        for line in text.splitlines():
            if re.match(r"    (magbench|python|pip|make) ", line):
                yield page.name, re.sub(r"\s+#.*$", "", line.strip())


def prepare(folder: Path) -> None:
    """Write what the reader has: videos, an official folder, a program, the examples."""
    import numpy as np

    from magbench.suites.registry import open_suite
    from magbench.video.io import write_lossless

    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "leaderboards").mkdir()
    (folder / "leaderboards" / "revisit-nano").symlink_to(ROOT / "leaderboards" / "revisit-nano")
    noise = np.random.default_rng(0)
    for name in "abcdef":
        wide = np.repeat(np.repeat(noise.integers(0, 256, (24, 64, 3), dtype=np.uint8), 2, 0), 2, 1)
        write_lossless(folder / "films" / f"{name}.mkv", np.stack([wide[:, i : i + 64] for i in range(60)]), 16)
        away = np.stack([wide[:, i : i + 64] for i in range(53)])
        whole = np.concatenate([away, away[-2::-1]])
        write_lossless(folder / "official" / f"{name}.mkv", whole, 16)
        write_lossless(folder / "official-made" / f"{name}.mkv", whole, 16)
    rows = "".join(f"{name}.mkv,noise,{105 / 16}\n" for name in "abcdef")
    (folder / "official" / "test.csv").write_text(f"video_path,raw_caption,duration(sec)\n{rows}")
    for clip in open_suite("revisit-nano").clips:
        last = np.repeat(clip.frames[clip.switch - 1 : clip.switch], len(clip) - clip.switch, 0)
        write_lossless(folder / "made" / f"{clip.id}.mkv", last, clip.fps)
    yaml = re.search(r"    # mine\.yaml\n((?:    .*\n)+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert yaml is not None
    text = re.sub(r"^    ", "", yaml[1], flags=re.M).replace("/envs/mine/bin/python", sys.executable)
    (folder / "mine.yaml").write_text(text)
    (folder / "mine.py").write_text(PROGRAM)
    (folder / "told.yaml").write_text("submitter: me\nrelationship: author\nlicence: MIT\ntraining_data: nothing\n")


PROGRAM = """\
import argparse
from pathlib import Path
import av
import numpy as np
from magbench.video.io import read_video
parser = argparse.ArgumentParser()
for name in ("context", "prompt", "seed", "out"):
    parser.add_argument(f"--{name}")
asked = parser.parse_args()
given = read_video(Path(asked.context))
made = np.repeat(given[-1:], 24, 0)
with av.open(asked.out, "w") as output:
    stream = output.add_stream("libx264", rate=16)
    stream.height, stream.width, stream.pix_fmt = *made.shape[1:3], "yuv420p"
    for frame in made:
        output.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
    output.mux(stream.encode())
"""


def main() -> int:
    """Run all; 1 if one failed or did not say what it should."""
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    bad = 0
    with tempfile.TemporaryDirectory() as made:
        folder = given or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        prepare(folder)
        place = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": place, "MAGBENCH_CACHE": str(folder / "cache")}
        for command, wanted in COMMANDS:
            line = command.removeprefix('pip install ".[photo]" && ')
            filled = [PLACES.get(command, {}).get(word, word) for word in shlex.split(line)]
            start = time.perf_counter()
            done = subprocess.run(filled, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            fine = done.returncode == 0 and re.search(wanted, done.stdout) is not None
            print(
                f"{'ok  ' if fine else 'FAIL'} {time.perf_counter() - start:6.1f} s  {shlex.join(filled)}", flush=True
            )
            if not fine:
                bad += 1
                print("     " + "\n     ".join((done.stdout + done.stderr).splitlines()[-8:]), flush=True)
    print(f"{len(COMMANDS) - bad} of {len(COMMANDS)} commands did what they say; {len(WITHOUT)} need something else")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
