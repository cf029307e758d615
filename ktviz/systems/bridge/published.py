"""Arrays under the variable names of the published code (TensorFlow 1), as weights of our networks.

There, layers are numbered in the order in which they were made, kernels have height and width first, and a fully
connected layer's weights its inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ktviz.errors import WeightsError
from ktviz.systems.blocks.checkpoint import in_words
from ktviz.systems.blocks.spade import Spade
from ktviz.systems.bridge.networks import Generator
from ktviz.systems.bridge.networks import Mapping as MappingNetwork

Arrays = Mapping[str, npt.NDArray[np.floating]]
SCOPES = {"generator": "Ggenerator", "mapping": "Gmappingnet", "encoder": "Gencoder", "discriminator": "Discriminator"}
"""Of our networks."""
TABLE = "G_R"
TODO = "Give those of one training, in these sizes"


def variables(network: nn.Module, scope: str) -> dict[str, str]:
    """The published name of every parameter of a network, by its own.

    Example:
        >>> from ktviz.systems.bridge.networks import Encoder
        >>> list(variables(Encoder(4, width=3, blocks=0), "Gencoder").values())[:3]
        ['Gencoder/Conv/weights', 'Gencoder/Conv/biases', 'Gencoder/InstanceNorm/gamma']
    """
    found: dict[str, str] = {}
    spades = iter(spade_scopes(network))
    numbers = {kind: count() for kind in ("Conv", "InstanceNorm", "flatten_fully_connected")}
    inside: list[str] = []

    def named(kind: str) -> str:
        number = next(numbers[kind])
        return f"{scope}/{kind}" + (f"_{number}" if number else "")

    for name, module in network.named_modules():  # in the order in which the published code makes them
        if any(name.startswith(f"{path}.") for path in inside):
            continue
        if isinstance(module, Spade):
            inside.append(name)
            found |= spade_names(name, f"{scope}/{next(spades)}")
        elif isinstance(module, nn.Conv2d):
            found |= weights_and_biases(name, named("Conv"))
        elif isinstance(module, nn.InstanceNorm2d):
            place = named("InstanceNorm")
            found |= {f"{name}.weight": f"{place}/gamma", f"{name}.bias": f"{place}/beta"}
        elif isinstance(module, nn.Linear):
            found |= weights_and_biases(name, named("flatten_fully_connected") + "/fully_connected")
    return found


def weights_and_biases(name: str, place: str) -> dict[str, str]:
    return {f"{name}.weight": f"{place}/weights", f"{name}.bias": f"{place}/biases"}


def spade_names(name: str, place: str) -> dict[str, str]:
    """The three convolutions of an injected code."""
    layers = {"mlp_shared.1": "Conv", "mlp_gamma": "Conv_1", "mlp_beta": "Conv_2"}
    found: dict[str, str] = {}
    for layer, published in layers.items():
        found |= weights_and_biases(f"{name}.{layer}", f"{place}/{published}")
    return found


def spade_scopes(network: nn.Module) -> Sequence[str]:
    """Names of the places where a generator takes a code, two a block: one before it goes up, then every step up."""
    if not isinstance(network, Generator):
        return []
    blocks = ["targ1_inter", *(f"targ{step}_up" for step in range(len(network.after) - 1))]
    return [f"{block}_{half}" for block in blocks for half in (1, 2)]


def numbers_of(arrays: Arrays, variable: str, asked: str) -> Tensor:
    """A variable as float32.

    Raises:
        WeightsError: It does not hold finite numbers.
    """
    array = arrays[variable]
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        raise WeightsError(asked, f"{variable} is no array of floating-point numbers", TODO)
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
        value = torch.from_numpy(np.array(array, np.float32, order="C"))
    if not torch.isfinite(value).all():
        raise WeightsError(asked, f"NaN or infinity in {variable}", "Fetch them again")
    return value


def table_of(arrays: Arrays, noise: int, asked: str) -> Tensor:
    """The table of noise (rows, noise), without rows where there is none; errors as in `whole_state_of`."""
    if TABLE not in arrays:
        return torch.zeros(0, noise)
    found = numbers_of(arrays, TABLE, asked)
    if found.ndim != 2 or found.shape[1] != noise:
        raise WeightsError(asked, f"{TABLE} is {in_words(found.shape)}, and noise has {noise} numbers", TODO)
    return found


def whole_state_of(network: nn.Module, scope: str, arrays: Arrays, asked: str) -> dict[str, Tensor]:
    """The state dict of a network out of published variables.

    Args:
        network: Of the sizes that they are for.
        scope: What their names begin with.
        arrays: By name; others are not looked at.
        asked: What they are called in messages.

    Raises:
        WeightsError: A variable is missing, has another shape, or does not hold finite numbers: the first one is named.
    """
    missing = next((variable for variable in variables(network, scope).values() if variable not in arrays), None)
    if missing is not None:
        raise WeightsError(asked, f"it lacks {missing}", TODO)
    return state_of(network, scope, arrays, asked)


def state_of(network: nn.Module, scope: str, arrays: Arrays, asked: str = "arrays") -> dict[str, Tensor]:
    """The same of those variables that are there."""
    known, found = network.state_dict(), {}
    there = {name: variable for name, variable in variables(network, scope).items() if variable in arrays}
    for name, variable in there.items():
        value, shape = numbers_of(arrays, variable, asked), theirs(known[name]).shape
        if value.shape != shape:
            raise WeightsError(asked, f"{variable} is {in_words(value.shape)}, not {in_words(shape)}", TODO)
        found[name] = ours(value)
    if isinstance(network, MappingNetwork):  # its numbers become a map whose channels come last
        entry = [part for part in ("entry.weight", "entry.bias") if part in found]
        found |= {part: channels_first(found[part], network.start) for part in entry}
    return found


def ours(value: Tensor) -> Tensor:
    """A variable in our layout."""
    return (value.permute(3, 2, 0, 1) if value.ndim == 4 else value.T if value.ndim == 2 else value).contiguous()


def theirs(value: Tensor) -> Tensor:
    """One of our weights in theirs."""
    return value.permute(2, 3, 1, 0) if value.ndim == 4 else value.T if value.ndim == 2 else value


def channels_first(rows: Tensor, start: int) -> Tensor:
    """Outputs of the mapping's first layer in the order channel, row, column instead of row, column, channel."""
    found: Tensor = rows.unflatten(0, (start, start, -1)).movedim(2, 0).flatten(0, 2)
    return found.contiguous()
