"""Whether networks know a picture: one of which nothing is to change comes back well only if they do."""

from __future__ import annotations

import torch
from torch import Tensor

from ktviz.errors import ImageError
from ktviz.images import Pixels
from ktviz.networks.threads import one_thread
from ktviz.systems.bridge.losses import Makers
from ktviz.systems.bridge.passage import as_seen
from ktviz.systems.bridge.trained import Networks

MARGIN_DB = 4.0
"""By so much pictures may come back worse than all that the training looked at."""


@torch.no_grad()
def back_db(makers: Makers, picture: Tensor, attributes: int) -> float:
    """How near a picture (1, 3, side, side) is to what becomes of it where nothing is to change: PSNR in dB."""
    nothing = torch.zeros(1, attributes, device=picture.device)
    with one_thread():
        again = makers.generator(picture, makers.encoder(picture, nothing))
    apart = float(((again - picture) / 2).square().mean())
    return -10 * float(torch.tensor(max(apart, 1e-9)).log10())


def check_known(networks: Networks, pixels: Pixels, what: str) -> None:
    """Raise ImageError if a picture is of another kind than those that networks learned from; those that do not say how
    well these come back take any."""
    if networks.known_db is None:
        return
    found = back_db(networks.makers, as_seen(pixels), len(networks.attributes))
    if found < networks.known_db - MARGIN_DB:
        raise ImageError(
            f"{what} of a kind that the networks know",
            f"with nothing to change it comes back at {found:.0f} dB, and theirs at {networks.known_db:.0f} dB or more",
            "Give one that is aligned and lit as those that they learned from, or train networks on yours",
        )
