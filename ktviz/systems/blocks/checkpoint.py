"""Networks filled from the files of other trainings, tensor by tensor."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from ktviz.errors import WeightsError
from ktviz.networks.weights import fill, read_tensors

LEGACY = (".running_mean", ".running_var", ".num_batches_tracked")
"""What files of PyTorch before 0.4 hold of norms that need nothing."""


def load_published(
    network: nn.Module,
    path: str | os.PathLike[str],
    renamed: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] = dict,
    unused: str | None = None,
) -> None:
    """Fill a network from a state dict (.pth or .safetensors), read without running pickled code.

    Args:
        network: Of the sizes that the file is for.
        path: The file.
        renamed: From the names of the file to those of the network.
        unused: Part of the names of tensors that the published code makes and never uses.

    Raises:
        WeightsError: The file is missing or damaged, holds NaN, or is for another network: the first tensor that
            differs is named.

    Example:
        >>> import tempfile
        >>> path = f"{tempfile.mkdtemp()}/net.pth"
        >>> torch.save({"weight": torch.ones(2, 3), "norm.running_mean": torch.zeros(3)}, path)
        >>> network = nn.Linear(3, 2, bias=False)
        >>> load_published(network, path)
        >>> network.weight.tolist()
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    held = read_tensors(path)
    found = renamed({name: value for name, value in held.items() if unused is None or unused not in name})
    fill(network, checked_tensors(network, found, path), path)


def checked_tensors(
    network: nn.Module, tensors: Mapping[str, Tensor], path: str | os.PathLike[str]
) -> dict[str, Tensor]:
    """The tensors of a file, as float32, without those that norms do not need; errors as in `load_published`."""
    known = {name: value.shape for name, value in network.state_dict().items()}
    found = {name: value for name, value in tensors.items() if name in known or not name.endswith(LEGACY)}
    difference = first_difference(known, {name: value.shape for name, value in found.items()})
    if difference:
        raise WeightsError(f"weights {os.fspath(path)!r}", difference, "Give the file of a network of these sizes")
    for name, value in found.items():
        if not torch.isfinite(value).all():
            raise WeightsError(f"weights {os.fspath(path)!r}", f"NaN or infinity in {name}", "Fetch them again")
    return {name: value.float() for name, value in found.items()}


def first_difference(known: Mapping[str, torch.Size], found: Mapping[str, torch.Size]) -> str:
    """The first tensor that a file lacks, has in another shape, or has beside those of a network; empty for none."""
    for name, shape in known.items():
        if name not in found:
            return f"it lacks {name}"
        if found[name] != shape:
            return f"{name} is {in_words(found[name])}, not {in_words(shape)}"
    strangers = [name for name in found if name not in known]
    return f"the network has no {strangers[0]}" if strangers else ""


def in_words(shape: torch.Size) -> str:
    return "x".join(map(str, shape)) or "one number"
