"""Every form in which weights are published gives the same tensors; whatever is wrong with a file is one line."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from mag_model.wan.published_names import bare
from mag_model.wan.state_dict import check_config, check_floating, check_shapes, read_published, renamed
from mag_model.wan.weights.lora import merged
from magbench.core.errors import MagbenchError
from tests.mag_model.wan import public_files


@pytest.fixture(scope="module")
def tensors() -> dict[str, Tensor]:
    return public_files.wan_tensors()


def read(paths: list[Path], *branches: str) -> dict[str, Tensor]:
    return renamed(paths[0], read_published(paths, branches), bare)


def same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> bool:
    return found.keys() == wanted.keys() and all(torch.equal(found[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize("shards", [1, 3])
def test_folders_of_save_pretrained(tmp_path: Path, tensors: dict[str, Tensor], shards: int) -> None:
    folder = public_files.save_folder(tmp_path, tensors, shards)
    assert same(read(sorted(folder.iterdir())), tensors)


@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files_flat_and_with_branches(tmp_path: Path, tensors: dict[str, Tensor], zipped: bool) -> None:
    path = tmp_path / "model.pt"
    prefixed = OrderedDict((f"model.{name}", value) for name, value in tensors.items())
    torch.save(prefixed, path, _use_new_zipfile_serialization=zipped)
    assert same(read([path]), tensors)
    other = {name: value + 1 for name, value in prefixed.items()}
    held = {"step": 7, "generator": other, "generator_ema": public_files.wrapped(tensors)}
    torch.save(held, path, _use_new_zipfile_serialization=zipped)
    assert same(read([path], "generator_ema"), tensors)
    assert same(read([path], "model", "generator"), {name: value + 1 for name, value in tensors.items()})


def test_an_adapter_is_merged_as_linear_algebra_has_it(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    adapter = public_files.adapter_tensors(tensors)
    found = merged(tmp_path, tensors, adapter, public_files.ALPHA)
    for name, value in tensors.items():
        stem = f"base_model.model.{name.removesuffix('.weight')}"
        if f"{stem}.lora_A.weight" not in adapter:
            assert torch.equal(found[name], value)
            continue
        a, b = (adapter[f"{stem}.lora_{x}.weight"].numpy().astype(np.float64) for x in "AB")
        wanted = value.numpy() + np.einsum("or,ri->oi", b, a) * public_files.ALPHA / public_files.RANK
        np.testing.assert_allclose(found[name].numpy(), wanted, atol=1e-5)
    assert len(adapter) == 2 * public_files.SPEC.layers * 10


def test_an_adapter_keeps_the_dtype_of_the_weights_and_may_name_itself(tensors: dict[str, Tensor]) -> None:
    half = {name: value.bfloat16() for name, value in tensors.items()}
    adapter = public_files.adapter_tensors(tensors)
    named = {name.replace(".weight", ".default.weight"): value for name, value in adapter.items()}
    found = merged(Path("lora.pt"), half, named, public_files.ALPHA)
    assert {value.dtype for value in found.values()} == {torch.bfloat16}
    assert same(found, merged(Path("lora.pt"), half, adapter, public_files.ALPHA))


def test_adapters_that_do_not_fit(tensors: dict[str, Tensor]) -> None:
    adapter = public_files.adapter_tensors(tensors)
    a, b = "base_model.model.blocks.0.ffn.0.lora_A.weight", "base_model.model.blocks.0.ffn.0.lora_B.weight"
    for change, message in (
        ({}, "no adapter in it"),
        ({a: adapter[a]}, "'blocks.0.ffn.0.weight' has lora_A alone"),
        (
            {a.replace("ffn.0", "ffn.9"): adapter[a], b.replace("ffn.0", "ffn.9"): adapter[b]},
            "it adapts 'blocks.0.ffn.9",
        ),
        ({a: adapter[a][:, :3], b: adapter[b]}, r"'blocks.0.ffn.0.weight' is \(16, 12\), its adapter \(16, 3\) x"),
        ({"blocks.0.ffn.0.weight": adapter[a]}, "neither a lora_A nor a lora_B"),
    ):
        with pytest.raises(MagbenchError, match=message):
            merged(Path("lora.pt"), tensors, change, 1.0)


def test_torch_files_that_are_cut_or_hold_something_else(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    path = tmp_path / "model.pt"
    torch.save({"generator": tensors}, path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:10], b"", b"bad"):
        path.write_bytes(content)
        with pytest.raises(MagbenchError, match="model.pt: not a whole torch file"):
            read([path], "generator")
    path.write_bytes(whole)
    with pytest.raises(MagbenchError, match="no 'generator_ema' in it; it holds: generator"):
        read([path], "generator_ema")
    with pytest.raises(MagbenchError, match="'generator' is a dict, not a tensor"):
        read([path])
    torch.save(torch.zeros(3), path)
    with pytest.raises(MagbenchError, match="holds a Tensor, not a state dict"):
        read([path])


class Trap:
    """An object whose unpickling would run code."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("code was run",)


def test_a_pickle_that_would_run_code_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.pt"
    torch.save({"generator": Trap()}, path)
    with pytest.raises(MagbenchError, match="holds more than tensors") as caught:
        read([path], "generator")
    assert "\n" not in str(caught.value)
    assert "code was run" not in capsys.readouterr().out


def test_safetensors_that_are_cut_or_lack_a_shard(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    folder = public_files.save_folder(tmp_path / "a", tensors, shards=2)
    files = sorted(folder.iterdir())
    shard = next(path for path in files if "00002-of" in path.name)
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-4])
    with pytest.raises(MagbenchError, match="00002-of-00002.safetensors: not a whole safetensors file"):
        read(files)
    with pytest.raises(MagbenchError, match="shard diffusion_pytorch_model-00002-of-00002.safetensors is not there"):
        read([path for path in files if path != shard])
    own = list(tensors)[1::2]
    save_file({name: tensors[name] for name in own[1:]}, shard)
    with pytest.raises(MagbenchError, match=f"tensor '{own[0]}' is not in diffusion"):
        read(files)
    shard.write_bytes(whole)
    with pytest.raises(MagbenchError, match="2 files of weights and no index"):
        read([path for path in files if path.suffix == ".safetensors"])
    index = next(path for path in files if path.name.endswith("index.json"))
    index.write_text("{")
    with pytest.raises(MagbenchError, match="index.json: not a whole JSON file"):
        read(files)
    with pytest.raises(MagbenchError, match="no .safetensors"):
        read([folder / "config.json"])


def test_the_first_tensor_that_is_wrong_is_named(tensors: dict[str, Tensor]) -> None:
    wanted = public_files.WAN.shapes()
    shapes = {name: tuple(value.shape) for name, value in tensors.items()}
    path = Path("w.safetensors")
    check_shapes(path, shapes, wanted)
    fewer = {name: shape for name, shape in shapes.items() if not name.startswith("blocks.1.")}
    with pytest.raises(MagbenchError, match=r"'blocks.1.modulation' is missing \(of 69: 27 missing, 0 of .*; 0 extra"):
        check_shapes(path, fewer, wanted)
    with pytest.raises(MagbenchError, match=r"'extra' is not wanted \(.*; 1 extra\)"):
        check_shapes(path, {**shapes, "extra": (1,)}, wanted)
    with pytest.raises(MagbenchError, match="'blocks.1.ffn.0.bias' is 17, not 16"):
        check_shapes(path, {**shapes, "blocks.1.ffn.0.bias": (17,)}, wanted)
    with pytest.raises(MagbenchError, match="another network: of 2 tensors none is wanted; 'a' is there, 'patch_emb"):
        check_shapes(path, {"a": (1,), "b": (2,)}, wanted)


def test_other_architectures_quantised_weights_and_clashes(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    folder = public_files.save_folder(tmp_path, tensors, num_heads=40)
    with pytest.raises(MagbenchError, match="another architecture: num_heads is 40, not 2"):
        check_config(folder / "config.json", public_files.WAN.config())
    (folder / "config.json").write_text(json.dumps({"dim": public_files.SPEC.dim}))
    check_config(folder / "config.json", public_files.WAN.config())
    with pytest.raises(MagbenchError, match="'a' is torch.int8; quantised"):
        check_floating(tmp_path, {"a": torch.zeros(2, dtype=torch.int8)})
    with pytest.raises(MagbenchError, match="two different tensors would be 'a.b'"):
        renamed(tmp_path, {"a.b": torch.zeros(2), "model.a.b": torch.ones(2)}, bare)
