"""Checkpoints from a hub: pinned, resumed, converted once, found offline; and what is said when something is wrong."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from mag_model.memory.attention import SequenceAttention
from mag_model.wan.network import Wan, WanSizes
from mag_model.wan.published_names import official_text, official_vae
from mag_model.wan.spec import WanSpec
from mag_model.wan.text import TextSizes
from mag_model.wan.vae import VaeSizes
from mag_model.wan.weights import store
from mag_model.wan.weights.catalog import CHECKPOINTS, Adapter, Checkpoint, Part, Pin
from mag_model.wan.weights.home import home, read_parts
from mag_model.wan.weights.load import load_codec, load_text_encoder, load_transformer
from mag_model.wan.weights.store import Request
from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.core.progress import Quiet
from magbench.hub import client, download
from tests.hub_server import HubServer, Repository, serve
from tests.mag_model.wan import public_files

BASE = Checkpoint(
    name="tiny-base",
    about="all parts",
    repository="someone/base",
    licence="Apache-2.0",
    parts=(
        Part("generator", ("diffusion_pytorch_model*.safetensors", "config.json"), lambda: public_files.WAN),
        Part("vae", ("Wan2.1_VAE.pth",), lambda: public_files.VAE, rename=official_vae),
        Part("text", ("models_t5.pth",), lambda: public_files.TEXT, rename=official_text),
        Part("tokenizer", ("google/umt5-xxl/*",), None),
    ),
    spec=public_files.SPEC,
)
LORA = Checkpoint(
    name="tiny-lora",
    about="a base and its adapter",
    repository="someone/lora",
    licence="MIT",
    parts=(
        Part(
            "generator",
            ("models/base.pt",),
            lambda: public_files.WAN,
            ("generator", "model"),
            adapter=Adapter("models/lora.pt", ("generator_lora",), public_files.ALPHA),
        ),
    ),
    uses="tiny-base",
    spec=public_files.SPEC,
)
FOLDERS = Checkpoint(
    name="tiny-folders",
    about="two networks in folders that are not known",
    repository="someone/folders",
    licence="CC-BY-NC-SA-4.0",
    terms="no commercial use",
    parts=(Part("generator", (), lambda: public_files.WAN), Part("memory", (), lambda: public_files.WAN)),
    uses="tiny-base",
    spec=public_files.SPEC,
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The three repositories as folders."""
    root = tmp_path_factory.mktemp("repositories")
    base = public_files.save_folder(root / "base", public_files.wan_tensors(0))
    torch.save(
        {public_files.published_vae(k): v for k, v in public_files.tiny_vae().state_dict().items()},
        base / "Wan2.1_VAE.pth",
    )
    text = {public_files.published_text(k): v for k, v in public_files.tiny_text().state_dict().items()}
    torch.save({k: v for k, v in text.items() if k}, base / "models_t5.pth")
    public_files.save_tokenizer(base / "google" / "umt5-xxl")
    (base / "README.md").write_text("a card")
    models = root / "lora" / "models"
    models.mkdir(parents=True)
    torch.save({"generator": public_files.wrapped(public_files.wan_tensors(1)), "step": 3}, models / "base.pt")
    torch.save({"generator_lora": public_files.adapter_tensors(public_files.wan_tensors(1))}, models / "lora.pt")
    public_files.save_folder(root / "folders" / "joint" / "final", public_files.wan_tensors(2), shards=3)
    public_files.save_folder(root / "folders" / "bc400", public_files.wan_tensors(3))
    return {name: root / name for name in ("base", "lora", "folders")}


def in_memory(folder: Path, licence: str = "") -> Repository:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return Repository({path.relative_to(folder).as_posix(): path.read_bytes() for path in files}, licence)


@pytest.fixture
def hub(folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    monkeypatch.setenv("MAGBENCH_CACHE", str(tmp_path / "cache"))
    for entry in (BASE, LORA, FOLDERS):
        monkeypatch.setitem(CHECKPOINTS, entry.name, entry)
    with serve({f"someone/{name}": in_memory(folder) for name, folder in folders.items()}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield server


def fetch(name: str, *parts: str, **options: Any) -> list[str]:
    return store.fetch(name, Request(parts, **options), Quiet())


def same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    return found.keys() == wanted.keys() and all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_every_part_is_fetched_once_and_then_found_offline(
    hub: HubServer, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = fetch("tiny-base")
    commit = hub.repositories["someone/base"].commit
    assert [line.partition(":")[0] for line in lines] == ["generator", "vae", "text", "tokenizer"]
    assert all(line.endswith(f"from someone/base at {commit[:12]}") for line in lines)
    assert {path for path, _ in hub.asked} == {
        *("config.json", "diffusion_pytorch_model.safetensors", "Wan2.1_VAE.pth", "models_t5.pth"),
        *("google/umt5-xxl/tokenizer.json", "google/umt5-xxl/tokenizer_config.json"),
    }
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    assert fetch("tiny-base") == [f"{part}: already here" for part in ("generator", "vae", "text", "tokenizer")]
    assert fetch("tiny-base", "vae", revision=commit) == ["vae: already here"]

    assert same(load_file(store.part_path("tiny-base", "generator")), public_files.wan_tensors(0))


def test_the_networks_of_a_checkpoint_are_those_that_were_published(hub: HubServer) -> None:
    fetch("tiny-base")
    fetch("tiny-lora")
    own = Wan(public_files.SPEC)
    own.load_state_dict(public_files.wan_tensors(0))
    random = torch.Generator().manual_seed(0)
    latents = torch.randn(1, 3, 4, 4, 4, generator=random)
    text = torch.randn(1, 5, 6, generator=random)

    def run(network: Wan) -> Tensor:
        attention = SequenceAttention(network.spec.rope((2, 2), network.dtype).turns(torch.arange(3)))
        return network(latents, torch.full((1, 3), 500.0), network.read(text), attention)

    loaded = load_transformer("tiny-base", dtype=torch.float32)
    assert torch.equal(run(loaded), run(own))
    assert load_transformer("tiny-lora").dtype == torch.bfloat16
    assert not torch.allclose(run(load_transformer("tiny-lora", dtype=torch.float32)), run(own))

    frames = torch.rand(5, 3, 8, 8)
    vae = load_codec("tiny-lora")
    latents = public_files.tiny_vae().encode((frames * 2 - 1).movedim(1, 0)[None]).latent_dist.mode()[0].movedim(0, 1)
    mean, deviation = vae.constants()
    torch.testing.assert_close(vae.encode(frames) * deviation + mean, latents, atol=1e-5, rtol=1e-5)

    encoder = load_text_encoder("tiny-lora", length=8, dtype=torch.float32)
    ids = encoder.tokenizer("a cat", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        wanted = public_files.tiny_text()(input_ids=ids).last_hidden_state
    torch.testing.assert_close(encoder(["a cat"])[:, : ids.shape[1]], wanted, atol=1e-5, rtol=1e-5)


def test_the_lock_file_says_what_came_from_where(hub: HubServer, folders: dict[str, Path]) -> None:
    fetch("tiny-base", "generator", "tokenizer")
    folder = home("tiny-base")
    lock = json.loads((folder / "lock.json").read_text())
    assert lock["repository"] == "someone/base"
    assert lock["licence"] == "Apache-2.0"
    assert sorted(lock["parts"]) == ["generator", "tokenizer"]
    part = lock["parts"]["generator"]
    source = folders["base"] / "diffusion_pytorch_model.safetensors"
    assert part["revision"] == hub.repositories["someone/base"].commit
    assert {"path": source.name, "size": source.stat().st_size, "sha256": file_sha256(source)} in part["fetched"]
    (kept,) = part["kept"]
    assert kept["sha256"] == file_sha256(folder / "generator.safetensors")
    with safe_open(folder / "generator.safetensors", framework="pt") as file:
        assert file.metadata() == {"weights": "tiny-base generator"}
    left = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert left == ["generator.safetensors", "lock.json", "tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json"]


def test_later_parts_come_from_the_commit_of_the_first(hub: HubServer) -> None:
    fetch("tiny-base", "vae")
    repository = hub.repositories["someone/base"]
    repository.files["README.md"] = b"a new card"
    with pytest.raises(MagbenchError, match="someone/base has no revision '[0-9a-f]{40}'"):
        fetch("tiny-base", "generator")
    fetch("tiny-base", "generator", revision="main")
    assert read_parts("tiny-base")["generator"].revision == repository.commit


def pinned(folder: Path, revision: str, monkeypatch: pytest.MonkeyPatch, **changed: str) -> None:
    """Pin all files of the first repository; ``changed``: stem of a file -> another sha256."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    pins = tuple(
        Pin(path.relative_to(folder).as_posix(), path.stat().st_size, changed.get(path.stem, file_sha256(path)))
        for path in files
    )
    monkeypatch.setitem(CHECKPOINTS, "tiny-base", replace(BASE, revision=revision, pins=pins))


def test_a_pinned_commit_is_asked_for_whatever_came_after_it(
    hub: HubServer, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub.repositories["someone/base"].commit
    pinned(folders["base"], commit, monkeypatch)
    fetch("tiny-base")
    assert {held.revision for held in read_parts("tiny-base").values()} == {commit}
    pinned(folders["base"], "0" * 40, monkeypatch)
    (home("tiny-base") / "lock.json").unlink()
    with pytest.raises(MagbenchError, match="someone/base has no revision '0{40}'"):
        fetch("tiny-base", "vae")


@pytest.mark.parametrize(("stem", "asked"), [("Wan2.1_VAE", []), ("config", ["config.json"])])
def test_files_of_a_pinned_commit_are_what_was_pinned(
    hub: HubServer, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, stem: str, asked: list[str]
) -> None:
    """The listing tells the hash of large files, so that one that is wrong is not even fetched."""
    part = "vae" if "VAE" in stem else "generator"
    commit = hub.repositories["someone/base"].commit
    pinned(folders["base"], commit, monkeypatch, **{stem: "f" * 64})
    message = rf"someone/base: {stem}\.\w+ is sha256 \w+, not f{{12}} as in commit {commit[:12]}; --revision takes"
    with pytest.raises(MagbenchError, match=message):
        fetch("tiny-base", part)
    assert [path for path, _ in hub.asked if path.endswith(".pth") or path == "config.json"] == asked
    with pytest.raises(MagbenchError, match=message):
        fetch("tiny-base", part, folder=folders["base"])
    assert read_parts("tiny-base") == {}
    fetch("tiny-base", part, revision="main")
    assert read_parts("tiny-base")[part].revision == commit


def test_an_adapter_is_merged_once(hub: HubServer) -> None:
    fetch("tiny-lora")
    found = load_file(store.part_path("tiny-lora", "generator"))
    plain = public_files.wan_tensors(1)
    adapter = public_files.adapter_tensors(plain)
    name = "blocks.1.cross_attn.o"
    a, b = (adapter[f"base_model.model.{name}.lora_{x}.weight"].double() for x in "AB")
    wanted = plain[f"{name}.weight"] + b @ a * public_files.ALPHA / public_files.RANK
    torch.testing.assert_close(found[f"{name}.weight"].double(), wanted, atol=1e-5, rtol=0)
    assert torch.equal(found["head.head.weight"], plain["head.head.weight"])
    with pytest.raises(MagbenchError, match="of tiny-base: no vae here; type: magbench weights fetch tiny-base"):
        store.part_path("tiny-lora", "vae")
    assert store.missing_parts("tiny-lora") == {"tiny-base": ["vae", "text", "tokenizer"]}


def test_folders_that_are_not_known_are_given_and_terms_accepted(hub: HubServer) -> None:
    with pytest.raises(MagbenchError, match=r"folders: CC-BY-NC-SA-4.0 \(no commercial use\).*--accept-licence"):
        fetch("tiny-folders")
    with pytest.raises(MagbenchError, match="add --part generator=FOLDER. Folders with weights: bc400, joint/final"):
        fetch("tiny-folders", accepted=True)
    assert hub.asked == []
    places = {"generator": "joint/final/", "memory": "bc400"}
    fetch("tiny-folders", accepted=True, places=places)
    assert same(load_file(store.part_path("tiny-folders", "generator")), public_files.wan_tensors(2))
    assert same(load_file(store.part_path("tiny-folders", "memory")), public_files.wan_tensors(3))
    assert fetch("tiny-folders", places=places) == ["generator: already here", "memory: already here"]
    with pytest.raises(MagbenchError, match="no file bc300/"):
        fetch("tiny-folders", accepted=True, places={**places, "memory": "bc300"})


def test_a_card_that_forbids_commerce_is_accepted_too(hub: HubServer) -> None:
    hub.repositories["someone/base"].licence = "cc-by-nc-sa-4.0"
    with pytest.raises(MagbenchError, match="the hub's card says cc-by-nc-sa-4.0"):
        fetch("tiny-base", "vae")
    assert fetch("tiny-base", "vae", accepted=True)[0].startswith("vae: ")


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_connection_is_taken_up_where_it_broke(hub: HubServer, ranges: bool) -> None:
    hub.ranges = ranges
    hub.cuts["Wan2.1_VAE.pth"] = [5000, 9000]
    fetch("tiny-base", "vae")
    starts = [first for path, first in hub.asked if path == "Wan2.1_VAE.pth"]
    assert starts == ([0, 5000, 14000] if ranges else [0, 0, 0])


def test_a_fetch_that_stops_goes_on_at_the_next_call(hub: HubServer) -> None:
    hub.cuts["Wan2.1_VAE.pth"] = [5000, 0]
    with pytest.raises(MagbenchError, match="Wan2.1_VAE.pth: (not reached|ended)"):
        fetch("tiny-base", "vae")
    fetch("tiny-base", "vae")
    assert [first for _, first in hub.asked] == [0, 5000, 5000]
    assert not list(home("tiny-base").rglob("*.part"))


def test_bytes_that_changed_on_the_way_are_not_kept(hub: HubServer) -> None:
    hub.spoiled = {"Wan2.1_VAE.pth"}
    with pytest.raises(MagbenchError, match=r"Wan2.1_VAE.pth: came as sha256 \w{12}, not \w{12}; it was removed"):
        fetch("tiny-base", "vae")
    hub.spoiled = {"google/umt5-xxl/tokenizer_config.json"}
    with pytest.raises(MagbenchError, match=r"tokenizer_config.json: came as git hash \w{12}, not"):
        fetch("tiny-base", "tokenizer")
    hub.spoiled = set()
    fetch("tiny-base", "vae", "tokenizer")


def test_a_full_disk_is_said_before_anything_is_written(
    hub: HubServer, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = download.shutil.disk_usage("/")
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(MagbenchError, match="0.0 GB free"):
        fetch("tiny-base", "vae")
    assert hub.asked == []
    with pytest.raises(MagbenchError, match="0.0 GB free"):
        fetch("tiny-base", "vae", folder=folders["base"])


def test_hubs_that_do_not_answer_or_do_not_know(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MagbenchError, match="someone/base has no revision 'v9'"):
        fetch("tiny-base", revision="v9")
    with pytest.raises(MagbenchError, match="unknown part of tiny-base 'wae'; did you mean: vae?"):
        fetch("tiny-base", "wae")
    with pytest.raises(MagbenchError, match="unknown checkpoint 'tiny-bse'; did you mean: tiny-base"):
        fetch("tiny-bse")
    hub.repositories["someone/base"].files["../../escaped"] = b"x"
    with pytest.raises(MagbenchError, match="'../../escaped' is not a path inside a repository"):
        fetch("tiny-base", revision="main")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(
        MagbenchError, match="cannot list someone/base .*HF_ENDPOINT names another hub, --from DIR"
    ) as caught:
        fetch("tiny-base")
    assert "\n" not in str(caught.value)


def test_files_that_were_fetched_by_other_means(
    hub: HubServer, folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    before = sorted(path for path in folders["base"].rglob("*"))
    lines = fetch("tiny-base", folder=folders["base"])
    assert lines[0].endswith("from someone/base at folder")
    assert same(load_file(store.part_path("tiny-base", "generator")), public_files.wan_tensors(0))
    assert sorted(path for path in folders["base"].rglob("*")) == before
    with pytest.raises(MagbenchError, match="nowhere: no such folder"):
        fetch("tiny-base", folder=tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MagbenchError, match="empty: no file Wan2.1_VAE.pth"):
        fetch("tiny-base", "vae", folder=tmp_path / "empty")


def test_another_architecture_in_the_place_of_the_wanted_one(hub: HubServer, tmp_path: Path) -> None:
    larger = WanSizes(replace(public_files.SPEC, dim=16))
    folder = public_files.save_folder(tmp_path / "larger", public_files.wan_tensors(0, larger), dim=16)
    with pytest.raises(MagbenchError, match="config.json: another architecture: dim is 16, not 12"):
        fetch("tiny-base", "generator", folder=folder)
    (folder / "config.json").unlink()
    with pytest.raises(MagbenchError, match="'patch_embedding.weight' is 16x4x1x2x2, not 12x4x1x2x2"):
        fetch("tiny-base", "generator", folder=folder)
    shorter = public_files.wan_tensors(0)
    del shorter["blocks.1.ffn.2.bias"]
    save_file(shorter, folder / "diffusion_pytorch_model.safetensors")
    with pytest.raises(MagbenchError, match="'blocks.1.ffn.2.bias' is missing"):
        fetch("tiny-base", "generator", folder=folder)
    assert read_parts("tiny-base") == {}


def test_what_is_kept_can_be_checked(hub: HubServer) -> None:
    fetch("tiny-base", "generator", "vae")
    found = {part: (detail, problem) for part, detail, problem in store.examine("tiny-base")}
    assert found["generator"][1] == found["vae"][1] == ""
    assert "no text here; type: magbench weights fetch tiny-base --only text" in found["text"][1]
    first = store.digest("tiny-base", ["generator", "vae"])
    assert len(first) == 12 != store.digest("tiny-base", ["vae"])
    path = home("tiny-base") / "generator.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "sha256 is" in {part: problem for part, _, problem in store.examine("tiny-base")}["generator"]
    path.write_bytes(whole[:-100])
    problem = {part: problem for part, _, problem in store.examine("tiny-base")}["generator"]
    assert f"{len(whole) - 100} of {len(whole)} bytes; type: magbench weights fetch tiny-base --only gen" in problem
    with pytest.raises(MagbenchError, match="bytes; type"):
        load_file(store.part_path("tiny-base", "generator"))
    fetch("tiny-base", "generator")
    assert path.read_bytes() == whole
    lock = home("tiny-base") / "lock.json"
    lock.write_text("{}")
    with pytest.raises(MagbenchError, match="lock.json: not a whole lock file"):
        load_file(store.part_path("tiny-base", "generator"))


def test_every_known_checkpoint_is_complete_data() -> None:
    for name, entry in CHECKPOINTS.items():
        assert name == entry.name
        assert entry.repository.count("/") == 1
        assert entry.licence and entry.about
        assert not entry.uses or not CHECKPOINTS[entry.uses].uses
        assert entry.terms or "NC" not in entry.licence
        own = {part.name for part in entry.parts}
        used = {part.name for part in CHECKPOINTS[entry.uses].parts} if entry.uses else set()
        assert own | used >= {"generator", "vae", "text", "tokenizer"}
        assert entry.revision == "main" or re.fullmatch("[0-9a-f]{40}", entry.revision)
        assert sum(len(entry.pins_of(part)) for part in entry.parts) == len(entry.pins)
        assert all(re.fullmatch("[0-9a-f]{64}", pin.sha256) for pin in entry.pins)
        for part in entry.parts:
            assert (part.sizes is None) == (part.name == "tokenizer")
            assert part.sizes in (None, VaeSizes(), TextSizes(), WanSizes(WanSpec()))


@pytest.mark.parametrize(
    ("name", "part", "copies", "width"),
    [
        ("wan2.1", "generator", 1, 4),
        ("wan2.1", "vae", 1, 4),
        ("wan2.1", "text", 1, 2),
        ("self-forcing", "generator", 1, 4),
        ("longlive", "generator", 1, 4),
        ("rolling-forcing", "generator", 3, 4),  # the generator, its average, the critic
    ],
)
def test_the_pinned_sizes_are_those_of_the_numbers_in_the_files(name: str, part: str, copies: int, width: int) -> None:
    own = CHECKPOINTS[name].part(part)
    assert own is not None and own.sizes is not None
    numbers = sum(math.prod(shape) for shape in own.sizes.shapes().values())
    size = next(pin.size for pin in CHECKPOINTS[name].pins_of(own) if pin.path != "config.json")
    assert 0 < size / (copies * width * numbers) - 1 < 2e-4


def test_the_hub_of_these_tests_is_one_for_the_public_client_too(hub: HubServer, tmp_path: Path) -> None:
    repository = hub.repositories["someone/base"]
    found = huggingface_hub.HfApi(endpoint=hub.address, token=False).model_info("someone/base", files_metadata=True)
    ours = client.Repository("someone/base", "main").listing()
    assert found.sha == ours.revision == repository.commit
    theirs = {each.rfilename: (each.size, each.lfs.sha256 if each.lfs else "") for each in found.siblings}
    assert theirs == {file.path: (file.size, file.sha256) for file in ours.files}
    for path in ("Wan2.1_VAE.pth", "README.md"):
        file = huggingface_hub.hf_hub_download(
            "someone/base", path, endpoint=hub.address, local_dir=tmp_path / "theirs", token=False
        )
        assert Path(file).read_bytes() == repository.files[path]
