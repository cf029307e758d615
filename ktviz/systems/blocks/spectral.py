"""Spectral norm, which only training needs: afterwards a layer's weight is what the norm makes of it."""

from __future__ import annotations

from typing import TypeVar

from torch import nn
from torch.nn.utils import remove_spectral_norm

N = TypeVar("N", bound=nn.Module)


def without_spectral_norm(network: N) -> N:
    """A network, in evaluation mode, whose normed layers have become plain ones that compute the same; it is changed.

    Example:
        >>> from torch.nn.utils import spectral_norm
        >>> layer = nn.Sequential(spectral_norm(nn.Linear(3, 2))).eval()
        >>> list(without_spectral_norm(layer).state_dict())
        ['0.bias', '0.weight']
        >>> layer.load_state_dict(layer.state_dict())
        <All keys matched successfully>
    """
    for module in network.modules():
        if hasattr(module, "weight_orig"):
            remove_spectral_norm(module)
            module._load_state_dict_pre_hooks.clear()  # PyTorch leaves the one that looks for the norm in files
    return network.eval()
