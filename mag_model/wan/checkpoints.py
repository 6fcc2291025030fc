"""The public checkpoints, one entry each: where they lie, what is in them, under which licence.

No entry names a commit, since none could be looked up when this was written: the first fetch resolves ``revision`` to
a commit, takes every file's size and sha256 from there, and writes all that into a lock file beside the weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from mag_model.wan.spec import WanSpec
from mag_model.wan.tensors import (
    Rename,
    Sizes,
    TextSizes,
    VaeSizes,
    WanSizes,
    bare,
    official_text,
    official_vae,
)
from magbench.errors import unknown

WAN = "Wan-AI/Wan2.1-T2V-1.3B"
NON_COMMERCIAL = "CC-BY-NC-SA-4.0"


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
        sizes: what the tensors must be; None = a folder of files, kept as it is.
        branches: keys of a torch file under which the state dict may lie; the first that is there is taken.
        rename: published name of a tensor -> its name here.
        adapter: merged into the weights.
        bytes: about how much is fetched, for the user; 0 = not known.
    """

    name: str
    files: tuple[str, ...]
    sizes: Sizes | None
    branches: tuple[str, ...] = ()
    rename: Rename = bare
    adapter: Adapter | None = None
    bytes: int = 0


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
        revision: branch, tag or commit.
        spec: sizes of the transformers, and the steps and the shift that they were trained for.
    """

    name: str
    about: str
    repository: str
    licence: str
    parts: tuple[Part, ...]
    terms: str = ""
    uses: str = ""
    revision: str = "main"
    spec: WanSpec = WanSpec()

    def part(self, name: str) -> Part | None:
        """The part of that name, if it is here."""
        return next((part for part in self.parts if part.name == name), None)


def generator(*files: str, branches: tuple[str, ...] = (), adapter: Adapter | None = None, bytes: int = 0) -> Part:
    """A diffusion transformer of the 1.3B sizes."""
    return Part("generator", files, WanSizes(), branches, adapter=adapter, bytes=bytes)


SHARE_ALIKE = "no commercial use, share alike"

CHECKPOINTS = {
    entry.name: entry
    for entry in (
        Checkpoint(
            name="wan2.1",
            about="Wan2.1-T2V-1.3B: bidirectional, with the codec and text encoder of all others",
            repository=WAN,
            licence="Apache-2.0",
            parts=(
                generator("diffusion_pytorch_model*.safetensors", "config.json", bytes=5_676_000_000),
                Part("vae", ("Wan2.1_VAE.pth",), VaeSizes(), rename=official_vae, bytes=508_000_000),
                Part(
                    "text",
                    ("models_t5_umt5-xxl-enc-bf16.pth",),
                    TextSizes(),
                    rename=official_text,
                    bytes=11_362_000_000,
                ),
                Part("tokenizer", ("google/umt5-xxl/*",), None, bytes=22_000_000),
            ),
        ),
        Checkpoint(
            name="mag",
            about="MAG: a generator that reads what a memory model packed (arXiv 2512.18741)",
            repository="xilluill/MAG",
            licence=NON_COMMERCIAL,
            terms=SHARE_ALIKE,
            parts=(Part("generator", (), WanSizes()), Part("memory", (), WanSizes())),
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
        ),
        Checkpoint(
            name="longlive",
            about="LongLive: base and its LoRA, merged (arXiv 2509.22622)",
            repository="Efficient-Large-Model/LongLive-1.3B",
            licence="Apache-2.0 (code; hub card not seen)",
            parts=(
                generator(
                    "models/longlive_base.pt",
                    branches=("generator", "model"),
                    adapter=Adapter("models/lora.pt", ("generator_lora",), alpha=256),
                ),
            ),
            uses="wan2.1",
        ),
        Checkpoint(
            name="causvid",
            about="CausVid, autoregressive (arXiv 2412.07772)",
            repository="tianweiy/CausVid",
            licence=NON_COMMERCIAL,
            terms=SHARE_ALIKE,
            parts=(generator("autoregressive_checkpoint/model.pt", branches=("generator",)),),
            uses="wan2.1",
            spec=WanSpec(steps=(1000.0, 757.0, 522.0), shift=1.0),  # steps that are shifted already, by 8
        ),
        Checkpoint(
            name="rolling-forcing",
            about="Rolling Forcing, DMD (arXiv 2509.25161); made for noise that rises along the window",
            repository="TencentARC/RollingForcing",
            licence="MIT (hub), own licence (code)",
            terms="academic use alone",
            parts=(generator("checkpoints/rolling_forcing_dmd.pt", branches=("generator_ema",)),),
            uses="wan2.1",
            spec=WanSpec(steps=(1000.0, 800.0, 600.0, 400.0, 200.0)),
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
