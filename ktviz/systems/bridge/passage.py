"""From a picture to a changed one: codes, and what the generator makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import torch
from torch import Tensor

from ktviz.images import Pixels, pixel_digest, to_tensor
from ktviz.networks.running import check_finite, run
from ktviz.networks.threads import one_thread
from ktviz.systems.bridge.codes import Mixture
from ktviz.systems.bridge.networks import Modulations
from ktviz.systems.bridge.trained import Networks


@dataclass(frozen=True, eq=False)
class Passage:
    """A picture on its way; codes are worked out once.

    Attributes:
        networks: All of them.
        picture: (side, side, 3) uint8.
        difference: (1, attributes), scaled.
    """

    networks: Networks
    picture: Pixels = field(repr=False)
    difference: Tensor
    _codes: dict[str, Tensor] = field(default_factory=dict, repr=False)

    @cached_property
    def source(self) -> Tensor:
        """The picture as networks see it: (1, 3, side, side) in [-1, 1]."""
        return as_seen(self.picture)

    @cached_property
    def own(self) -> Tensor:
        """The source's own code: (1, C, h, w)."""
        return coded(self.networks, self.picture, -self.difference)

    def of_reference(self, pixels: Pixels) -> Tensor:
        """The code of a reference, which is kept: (1, C, h, w)."""
        key = pixel_digest(pixels)
        if key not in self._codes:
            self._codes[key] = coded(self.networks, pixels, self.difference)
        return self._codes[key]

    @torch.no_grad()
    def of_labels(self, noise: Tensor) -> Tensor:
        """The code of the difference and of noise (1, n): (1, C, h, w)."""
        with one_thread():
            found = run(self.networks.mapping, noise, self.difference)
        check_finite(found, "mapping")
        return found

    def painted(self, mixture: Mixture, amount: Tensor | None = None, modulations: Modulations | None = None) -> Tensor:
        """The picture that codes make: (3, side, side) in [0, 1], differentiable; amounts as in `Mixture.codes`, and a
        list for what codes say as in `Generator`."""
        return self.of_codes(mixture.codes(amount), [branch.weight for branch in mixture.branches], modulations)

    def of_codes(
        self, codes: Sequence[Tensor], weights: Sequence[float], modulations: Modulations | None = None
    ) -> Tensor:
        """The picture that the codes of one or two branches make."""
        generator = self.networks.generator
        with one_thread():
            if len(codes) == 1:
                made = run(partial(generator, modulations=modulations), self.source, codes[0])
            else:
                between = partial(generator.between, modulations=modulations)
                made = run(between, self.source, torch.tensor(weights[0]), *codes)
        check_finite(made, "generator")
        return (made[0] + 1) / 2


def as_seen(pixels: Pixels) -> Tensor:
    """A picture as networks see it: (1, 3, side, side) in [-1, 1]."""
    return 2 * to_tensor(pixels) - 1


@torch.no_grad()
def coded(networks: Networks, pixels: Pixels, difference: Tensor) -> Tensor:
    """The code of a picture in a direction of attributes: (1, C, h, w)."""
    with one_thread():
        found = run(networks.encoder, as_seen(pixels), difference)
    check_finite(found, "encoder")
    return found
