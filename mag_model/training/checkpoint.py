"""The state of a training run as one safetensors file: weights, their running mean, optimiser moments and the step.

Random numbers are drawn from (seed, step), so the step is all the randomness that has to be kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from mag_model.safetensors_file import open_safetensors, read_about
from magbench.core.errors import MagbenchError
from magbench.core.files import write_atomic
from magbench.core.parsing import parse_object, read_text


@dataclass
class Progress:
    """Progress of a training run.

    Attributes:
        stage, preset, seed, steps: what run it is; another one's checkpoint is refused.
        step: steps done.
        seconds: time spent training.
    """

    stage: str
    preset: str
    seed: int
    steps: int
    step: int = 0
    seconds: float = 0.0


def save(
    path: Path,
    progress: Progress,
    network: nn.Module,
    mean: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write the state, whole or not at all."""
    tensors = {f"weights.{name}": value.contiguous() for name, value in network.state_dict().items()}
    tensors |= {f"mean.{name}": value for name, value in mean.items()}
    for name, parameter in network.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer.{name}.{key}"] = value
    part = path.with_suffix(".part")
    save_file(tensors, part, metadata={"progress": json.dumps(asdict(progress))})
    part.replace(path)


def cut_log(log: Path, step: int) -> None:
    """Keep of a log, a JSON object a line, what was noted up to ``step``: what came after it is done again."""
    if not log.is_file():
        return
    kept = []
    for line in read_text(log).splitlines():
        try:
            if parse_object(line, str(log))["step"] <= step:
                kept.append(line + "\n")
        except (MagbenchError, KeyError, TypeError):  # half a line: the process ended while it wrote
            break
    write_atomic(log, "".join(kept))


def restore(
    path: Path,
    progress: Progress,
    network: nn.Module,
    mean: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
) -> None:
    """Read the state back into ``progress``, ``network``, ``mean`` and ``optimizer``.

    Raises:
        MagbenchError: the checkpoint belongs to another run.
    """
    with open_safetensors(path) as file:
        try:
            found = Progress(**read_about(file, path, "progress"))
        except TypeError as error:
            raise MagbenchError(f"{path}: not a checkpoint of training ({error})") from error
        for name in ("stage", "preset", "seed", "steps"):
            there, here = getattr(found, name), getattr(progress, name)
            if there != here:
                raise MagbenchError(f"{path}: checkpoint of another run: {name} is {there}, not {here}")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
    wanted = {f"weights.{name}": value for name, value in network.state_dict().items()}
    _check(path, found, tensors, wanted | {f"mean.{name}": value for name, value in mean.items()})
    progress.step, progress.seconds = found.step, found.seconds
    network.load_state_dict({name[8:]: value for name, value in tensors.items() if name.startswith("weights.")})
    mean.update({name: tensors[f"mean.{name}"].to(value.device) for name, value in mean.items()})
    for name, parameter in network.named_parameters():
        prefix = f"optimizer.{name}."
        state = {
            key[len(prefix) :]: value.to(parameter.device) if value.dim() else value  # the optimiser counts on the CPU
            for key, value in tensors.items()
            if key.startswith(prefix)
        }
        if state:
            optimizer.state[parameter] = state


def _check(path: Path, found: Progress, tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Refuse steps that cannot be, and tensors that are missing, of another shape or type, or not finite."""
    if type(found.step) is not int or not 0 <= found.step <= found.steps or type(found.seconds) not in (int, float):
        raise MagbenchError(f"{path}: not a checkpoint of training (step {found.step}, seconds {found.seconds})")
    for name, value in wanted.items():
        if name not in tensors or (tensors[name].shape, tensors[name].dtype) != (value.shape, value.dtype):
            there = f"{tensors[name].dtype} {tuple(tensors[name].shape)}" if name in tensors else "missing"
            raise MagbenchError(f"{path}: tensor '{name}' is {there}, not {value.dtype} {tuple(value.shape)}")
    for name, value in tensors.items():
        if name not in wanted:
            owner = wanted.get(name.rpartition(".")[0].replace("optimizer.", "weights.", 1))
            if owner is None or value.shape not in ((), owner.shape):
                raise MagbenchError(f"{path}: tensor '{name}' {tuple(value.shape)} is not wanted")
        if not torch.isfinite(value).all():
            raise MagbenchError(f"{path}: tensor '{name}' holds what is no finite number")
