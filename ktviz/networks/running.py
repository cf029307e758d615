"""Networks run where they lie and in their own precision; in goes, and out comes, single precision on the CPU.

All that lies between encoder and decoder (bands, search, transfer) is defined in single precision: PyTorch's default
type must not be another one. Autocast does not reach in: results are those of the network, whatever block calls it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial, wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor, nn

from ktviz.errors import SettingError, WeightsError

P = ParamSpec("P")
R = TypeVar("R")
Network = Callable[[Tensor], Tensor]
SINGLE = torch.float32


def run(network: Callable[..., Tensor], *given: Tensor) -> Tensor:
    """What a network makes of something.

    Args:
        network: An encoder or a decoder: a module on any device, in any precision, a method of one, or another
            function.
        *given: (B, ...) float32, on the CPU.

    Returns:
        float32, on the CPU.

    Raises:
        SettingError: PyTorch's default type is not float32, or its default device not the CPU.
        WeightsError: The network is on the device "meta", or cannot compute in its precision where it is.
    """
    check_defaults()
    device, kind = place_of(network)
    what = check_there(network)
    if kind.is_complex:
        raise WeightsError(what, "pictures are not complex", "Convert the model back: .float()")
    try:
        with torch.autocast(device.type, enabled=False):
            made = network(*(one.to(device, kind) for one in given))
    except RuntimeError as error:
        if device.type == "cpu" and kind == SINGLE:
            raise
        raise WeightsError(what, str(error).split("\n")[0], "Convert the model back: .float(), .cpu()") from error
    return made.to("cpu", SINGLE)


def check_there(network: Callable[..., Tensor]) -> str:
    """What is done with a network, in words for messages.

    Raises:
        WeightsError: It is on the device "meta".
    """
    device, kind = place_of(network)
    what = f"run {type(owner_of(network)).__name__} in {str(kind).removeprefix('torch.')} on {device}"
    if device.type == "meta":
        raise WeightsError(what, "there it has shapes, but no weights", "Load its weights: shipped(), or load(...)")
    return what


def without_autocast(function: Callable[P, R]) -> Callable[P, R]:
    """A function that computes the same within a block of `torch.autocast` as outside."""

    @wraps(function)
    def computed(*args: P.args, **kwargs: P.kwargs) -> R:
        with torch.autocast("cpu", enabled=False):
            return function(*args, **kwargs)

    return computed


def place_of(network: Callable[..., Tensor]) -> tuple[torch.device, torch.dtype]:
    """The device and the precision of a network's weights; those of what it is given if it has none."""
    owner = owner_of(network)
    held = itertools.chain(owner.parameters(), owner.buffers()) if isinstance(owner, nn.Module) else ()
    first = next((weight for weight in held if weight.is_floating_point() or weight.is_complex()), None)
    return (torch.device("cpu"), SINGLE) if first is None else (first.device, first.dtype)


def owner_of(network: object) -> object:
    """The module that a method is of, also where some of what it takes is given already; anything else itself."""
    network = network.func if isinstance(network, partial) else network
    return getattr(network, "__self__", network)


def check_finite(values: Tensor, what: str) -> None:
    """Raise WeightsError if a network's output holds NaN or infinity."""
    if not torch.isfinite(values).all():
        raise WeightsError(f"run the {what}", "it made NaN or infinite values", "Check its weights: `ktviz doctor`")


def check_defaults() -> None:
    """Raise SettingError if new tensors would not be in single precision, or not on the CPU."""
    kind, device = torch.get_default_dtype(), torch.get_default_device()
    if device.type != "cpu":
        raise SettingError(
            f"compute with {str(device)!r} as PyTorch's default device",
            "ktviz searches on the CPU",
            "Leave the default, and move the model: model.to(...)",
        )
    if kind != SINGLE:
        raise SettingError(
            f"compute with {kind} as PyTorch's default type",
            "ktviz computes in torch.float32",
            "Call torch.set_default_dtype(torch.float32) first",
        )
