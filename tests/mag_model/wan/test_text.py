"""Prompts: cleaned, padded with zeros, the same alone and beside others; staged networks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mag_model.wan.offload import staged
from mag_model.wan.optional import extra
from mag_model.wan.text import TextEncoder, TextSizes, clean, embed_once, load_text, load_tokenizer
from magbench.core.errors import MagbenchError
from tests.mag_model.wan import public_files

LENGTH = 24


@pytest.fixture(scope="module")
def network() -> Any:
    return public_files.tiny_text()


@pytest.fixture(scope="module")
def stored(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text")
    tensors = {name: value for name, value in network.state_dict().items() if name in public_files.TEXT.shapes()}
    save_file(tensors, folder / "text.safetensors")
    public_files.save_tokenizer(folder / "tokenizer")
    return folder


@pytest.fixture(scope="module")
def encoder(stored: Path) -> TextEncoder:
    tokenizer = stored / "tokenizer"
    return load_text(stored / "text.safetensors", tokenizer, public_files.TEXT, length=LENGTH, dtype=torch.float32)


@pytest.mark.parametrize(
    ("prompt", "wanted"),
    [
        ("  a  cat\n\ton  a mat ", "a cat on a mat"),
        ("salt &amp;amp; pepper", "salt & pepper"),
        ("caf\u00c3\u00a9", "café"),
        ("", ""),
    ],
)
def test_cleaning(prompt: str, wanted: str) -> None:
    assert clean(prompt) == wanted


def test_embeddings_are_the_real_encoder_over_the_prompt_alone_then_zeros(encoder: TextEncoder, network: Any) -> None:
    found = encoder(["a cat", "", "b"])
    assert found.shape == (3, LENGTH, public_files.TEXT.dim)
    for row, prompt in zip(found, ["a cat", "", "b"], strict=True):
        ids = encoder.tokenizer(prompt, return_tensors="pt")["input_ids"]
        assert int(ids[0, -1]) == encoder.tokenizer.eos_token_id
        with torch.no_grad():
            wanted = network(input_ids=ids).last_hidden_state[0]
        torch.testing.assert_close(row[: len(wanted)], wanted, atol=1e-5, rtol=1e-5)
        assert not row[len(wanted) :].any()
    assert int(found[1].any(-1).sum()) == 1


def test_a_tokenizer_of_sentencepiece_alone(encoder: TextEncoder, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(public_files.save_sentencepiece(tmp_path))
    found = TextEncoder(tokenizer, encoder.network, LENGTH)(["a cat", ""])
    ids = tokenizer(["a cat", ""])["input_ids"]
    assert all(each[-1] == tokenizer.eos_token_id == 1 for each in ids)
    assert found.any(-1).sum(-1).tolist() == [len(each) for each in ids] == [len(ids[0]), 1]


def test_long_prompts_are_cut_and_end(encoder: TextEncoder) -> None:
    found = encoder(["a b c d e f g h i j k l m n o p q r s t u v w x y z"])
    assert found.shape[1] == LENGTH
    assert bool(found.any(-1).all())


def test_the_encoder_is_run_once_a_prompt_and_freed(encoder: TextEncoder) -> None:
    calls: list[list[str]] = []

    class Counted(TextEncoder):
        def __call__(self, prompts: Any) -> torch.Tensor:
            calls.append(list(prompts))
            return super().__call__(prompts)

    found = embed_once(lambda: Counted(encoder.tokenizer, encoder.network, LENGTH), ["a", "", "a"])
    assert calls == [["a"], [""]]
    assert torch.equal(found["a"], encoder(["a"]))


def test_bad_weights_and_tokenizers(stored: Path, tmp_path: Path) -> None:
    with pytest.raises(MagbenchError, match=r"text.safetensors: tensor '.*' is 40x12, not 40x16"):
        load_text(stored / "text.safetensors", stored / "tokenizer", TextSizes(16, 2, 2, 4, 20, 40, 8))
    with pytest.raises(MagbenchError, match="no tokenizer that can be read"):
        load_text(stored / "text.safetensors", tmp_path, public_files.TEXT)


def test_a_missing_extra_is_said_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ftfy", None)
    with pytest.raises(MagbenchError, match=r"ftfy cannot be imported .* pip install 'magbench\[wan\]'") as caught:
        clean("a")
    assert "\n" not in str(caught.value)
    assert extra("html").escape("<") == "&lt;"


class Moved(nn.Linear):
    """Says where it was sent."""

    def __init__(self) -> None:
        super().__init__(2, 2)
        self.sent: list[str] = []

    def to(self, *args: Any, **kwargs: Any) -> Any:
        self.sent.append(str(args[0]))
        return self


def test_staged_modules_go_and_come_back_also_after_a_failure() -> None:
    modules = Moved(), Moved()
    with pytest.raises(ZeroDivisionError), staged("cuda:1", *modules):
        assert [module.sent for module in modules] == [["cuda:1"], ["cuda:1"]]
        raise ZeroDivisionError
    assert [module.sent for module in modules] == [["cuda:1", "cpu"], ["cuda:1", "cpu"]]
