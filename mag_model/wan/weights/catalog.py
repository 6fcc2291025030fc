"""The public checkpoints, one entry each: where they lie, what is in them, under which licence.

Commits, sizes and hashes are those that at least two independent public projects pin; what only one or none of them
does is left out. An entry without a commit is pinned by its first fetch, in the lock file beside the weights.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass

from mag_model.wan.published_names import Rename, Sizes, bare, official_text, official_vae
from mag_model.wan.spec import WanSpec
from magbench.core.errors import unknown

WAN = "Wan-AI/Wan2.1-T2V-1.3B"
NON_COMMERCIAL = "CC-BY-NC-SA-4.0"


@dataclass(frozen=True)
class Pin:
    """What a file of the pinned commit is: its path in the repository, bytes, hex sha256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Adapter:
    """A low-rank update that is merged into a part. ``alpha``: its scale before division by its rank."""

    file: str
    branches: tuple[str, ...]
    alpha: float


@dataclass(frozen=True)
class Part:
    """One network of a checkpoint, or its tokenizer.

    Attributes:
        name: generator, memory, vae, text or tokenizer.
        files: in the repository, with ``*`` for any characters but a slash; none = its folder is not known and is
            given by the user.
        make_sizes: gives what the tensors must be, see :attr:`sizes`; None = a folder of files, kept as it is.
        branches: keys of a torch file under which the state dict may lie; the first that is there is taken.
        rename: published name of a tensor -> its name here.
        adapter: merged into the weights.
    """

    name: str
    files: tuple[str, ...]
    make_sizes: Callable[[], Sizes] | None
    branches: tuple[str, ...] = ()
    rename: Rename = bare
    adapter: Adapter | None = None

    @property
    def sizes(self) -> Sizes | None:
        """What the tensors must be; None for a folder of files."""
        return None if self.make_sizes is None else self.make_sizes()

    @property
    def patterns(self) -> tuple[str, ...]:
        """Patterns of all files that are fetched, the adapter's included."""
        return self.files if self.adapter is None else (*self.files, self.adapter.file)


def wan_sizes() -> Sizes:
    """Sizes of the 1.3B transformer."""
    from mag_model.wan.network import WanSizes

    return WanSizes()


def text_sizes() -> Sizes:
    """Sizes of the text encoder."""
    from mag_model.wan.text import TextSizes

    return TextSizes()


def vae_sizes() -> Sizes:
    """Sizes of the codec."""
    from mag_model.wan.vae import VaeSizes

    return VaeSizes()


def matches(path: str, pattern: str) -> bool:
    """``*`` stands for any characters but a slash."""
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)


@dataclass(frozen=True)
class Checkpoint:
    """A published set of weights.

    Attributes:
        name: as in ``wan:NAME``.
        about: one line.
        repository: on the hub.
        licence: of the weights, as far as it is known.
        terms: what must be accepted before they are fetched; "" = nothing.
        parts: what the repository gives.
        uses: name of the checkpoint that gives the parts that this one lacks.
        revision: commit; "main" where none is known.
        pins: what its files must be.
        spec: sizes of the transformers, and how they were trained to sample.
    """

    name: str
    about: str
    repository: str
    licence: str
    parts: tuple[Part, ...]
    terms: str = ""
    uses: str = ""
    revision: str = "main"
    pins: tuple[Pin, ...] = ()
    spec: WanSpec = WanSpec()

    def part(self, name: str) -> Part | None:
        """The part of that name, if it is here."""
        return next((part for part in self.parts if part.name == name), None)

    def pins_of(self, part: Part) -> list[Pin]:
        """The pins of a part's files."""
        return [pin for pin in self.pins if any(matches(pin.path, pattern) for pattern in part.patterns)]


def generator(*files: str, branches: tuple[str, ...] = (), adapter: Adapter | None = None) -> Part:
    """A diffusion transformer of the 1.3B sizes."""
    return Part("generator", files, wan_sizes, branches, adapter=adapter)


SHARE_ALIKE = "no commercial use, share alike"

CHECKPOINTS = {
    entry.name: entry
    for entry in (
        Checkpoint(
            name="wan2.1",
            about="Wan2.1-T2V-1.3B: bidirectional, with the codec and text encoder of all others",
            repository=WAN,
            licence="Apache-2.0",
            revision="37ec512624d61f7aa208f7ea8140a131f93afc9a",
            parts=(
                generator("diffusion_pytorch_model*.safetensors", "config.json"),
                Part("vae", ("Wan2.1_VAE.pth",), vae_sizes, rename=official_vae),
                Part("text", ("models_t5_umt5-xxl-enc-bf16.pth",), text_sizes, rename=official_text),
                Part("tokenizer", ("google/umt5-xxl/*",), None),
            ),
            pins=(
                Pin(
                    "diffusion_pytorch_model.safetensors",
                    5_676_070_424,
                    "96b6b242ca1c2f24e9d02cd6596066fab6d310e2d7538f33ae267cb18d957e8f",
                ),
                Pin("config.json", 249, "ab37994c43740513f94b3ba6233a784035a67b43c8cde83c8f31aa90468c67ce"),
                Pin(
                    "Wan2.1_VAE.pth",
                    507_609_880,
                    "38071ab59bd94681c686fa51d75a1968f64e470262043be31f7a094e442fd981",
                ),
                Pin(
                    "models_t5_umt5-xxl-enc-bf16.pth",
                    11_361_920_418,
                    "7cace0da2b446bbbbc57d031ab6cf163a3d59b366da94e5afe36745b746fd81d",
                ),
                Pin(
                    "google/umt5-xxl/special_tokens_map.json",
                    6_623,
                    "7b8a9f5040adb67b5805abdfd42c1f8d0f3d0e711f10726580eb3789cd0ad61d",
                ),
                Pin(
                    "google/umt5-xxl/spiece.model",
                    4_548_313,
                    "e3909a67b780650b35cf529ac782ad2b6b26e6d1f849d3fbb6a872905f452458",
                ),
                Pin(
                    "google/umt5-xxl/tokenizer.json",
                    16_837_417,
                    "6e197b4d3dbd71da14b4eb255f4fa91c9c1f2068b20a2de2472967ca3d22602b",
                ),
                Pin(
                    "google/umt5-xxl/tokenizer_config.json",
                    61_728,
                    "ed9a3a8b0faa71a70a32847e0435fe036e6e112d4df4edb7bb48a921e344dc05",
                ),
            ),
        ),
        Checkpoint(
            name="mag",
            about="MAG: a generator that reads what a memory model packed (arXiv 2512.18741)",
            repository="xilluill/MAG",
            licence=NON_COMMERCIAL,
            terms=SHARE_ALIKE,
            parts=(Part("generator", (), wan_sizes), Part("memory", (), wan_sizes)),
            uses="wan2.1",
        ),
        Checkpoint(
            name="self-forcing",
            about="Self Forcing, DMD (arXiv 2506.08009)",
            repository="gdhe17/Self-Forcing",
            licence=NON_COMMERCIAL,
            terms=SHARE_ALIKE,
            parts=(generator("checkpoints/self_forcing_dmd.pt", branches=("generator_ema",)),),
            uses="wan2.1",
            revision="2f8b779212da279d212c22a509b66ad6552f350e",
            pins=(
                Pin(
                    "checkpoints/self_forcing_dmd.pt",
                    5_676_252_553,
                    "a0413986d9734e02c09504e1520f5697ba6df731bb2f0f35577485e9cc8f56a3",
                ),
            ),
        ),
        Checkpoint(
            name="longlive",
            about="LongLive: base and its LoRA, merged (arXiv 2509.22622)",
            repository="Efficient-Large-Model/LongLive-1.3B",
            licence=NON_COMMERCIAL,
            terms=SHARE_ALIKE,
            parts=(
                generator(
                    "models/longlive_base.pt",
                    branches=("generator", "model"),
                    adapter=Adapter("models/lora.pt", ("generator_lora",), alpha=256),
                ),
            ),
            uses="wan2.1",
            revision="cda9138d93872ef109d9a74c270184eb3a5acc6e",
            pins=(
                Pin(
                    "models/longlive_base.pt",
                    5_676_334_208,
                    "10a2aa8fcf89c77d9033f4c117405412a690e289625766619d293f0c5a208ee7",
                ),
                Pin(
                    "models/lora.pt",
                    2_800_056_690,
                    "c4e43b87d62d4b0614b496773639f1ab170a7ee486dc23407901e9d3a5ebc07a",
                ),
            ),
        ),
        Checkpoint(
            name="causvid",
            about="CausVid, autoregressive (arXiv 2412.07772)",
            repository="tianweiy/CausVid",
            licence=NON_COMMERCIAL,
            terms=SHARE_ALIKE,
            parts=(generator("autoregressive_checkpoint/model.pt", branches=("generator",)),),
            uses="wan2.1",
            revision="b545eb2728fc9d1515023a270b847f7b24b3aa89",
            # Released as 1000, 757 and 522 after the shift; these have the noise levels that are nearest in its table.
            spec=WanSpec(steps=(1000.0, 280.0, 120.0), shift=8.0),
        ),
        Checkpoint(
            name="rolling-forcing",
            about="Rolling Forcing, DMD (arXiv 2509.25161): five blocks in the making at once",
            repository="TencentARC/RollingForcing",
            licence="MIT (hub), own licence (code)",
            terms="academic use alone",
            parts=(generator("checkpoints/rolling_forcing_dmd.pt", branches=("generator_ema",)),),
            uses="wan2.1",
            pins=(
                Pin(
                    "checkpoints/rolling_forcing_dmd.pt",
                    17_028_919_541,
                    "08448992460d85ef1b992dd30585d5724d098d805a48399730c8e717027a6d9d",
                ),
            ),
            spec=WanSpec(steps=(1000.0, 800.0, 600.0, 400.0, 200.0), rolling_window_blocks=5),
        ),
        Checkpoint(
            name="reward-forcing",
            about="Reward Forcing (arXiv 2512.04678)",
            repository="JaydenLu666/Reward-Forcing-T2V-1.3B",
            licence="Apache-2.0 (code; hub card states none)",
            parts=(generator("rewardforcing.pt"),),
            uses="wan2.1",
        ),
    )
}


def checkpoint(name: str) -> Checkpoint:
    """The entry of that name."""
    if name not in CHECKPOINTS:
        raise unknown("checkpoint", name, CHECKPOINTS)
    return CHECKPOINTS[name]
