"""The decoder's receptive field: which feature cells a pixel's colour comes from, and how much from each.

What a decoder *can* see is far more than what it *does* see (Luo et al. 2016, "Understanding the Effective Receptive
Field"): the influence of a cell falls off quickly around the pixel. It is measured here once per decoder, as the energy
of the derivative of pixels by cells, at features that the library holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.library.kinds.patches.features import STRIDE
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.networks.running import run
from ktviz.networks.weights import module_digest
from ktviz.regions import Mask
from ktviz.systems.kt.live import Live
from ktviz.trace.overlap import Floats, overlap

if TYPE_CHECKING:
    from ktviz.systems.kt.translator import Translator

SIDE = 41
"""Side of the feature maps at which it is measured, in cells; odd, so that there is a middle."""
MAPS, PROBES, SEED = 6, 4, 0
"""Maps, random mixtures of a cell's pixels per map, and the seed of the mixtures."""

_known: WeakKeyDictionary[nn.Module, dict[tuple[str, ...], ReceptiveField]] = WeakKeyDictionary()
"""By decoder, and by the digests of its weights and of the banks at whose features it was measured."""


@dataclass(frozen=True)
class ReceptiveField:
    """How the credit for a pixel spreads over cells.

    Attributes:
        kernel: (2 r + 1, 2 r + 1) part of the influence of each cell around the pixel's own, summing to 1.
        radius: r, beyond which no cell has any influence, in cells; None if it reaches as far as was measured.
    """

    kernel: Floats = field(repr=False)
    radius: int | None

    @property
    def spread_px(self) -> float:
        """Root mean square distance of the influence from the pixel's own cell, in px."""
        y, x = np.indices(self.kernel.shape) - self.kernel.shape[0] // 2
        return float(np.sqrt((self.kernel * (y**2 + x**2)).sum()) * STRIDE)

    def cells(self, mask: Floats) -> Floats:
        """Carry credit from pixels to the cells that made them.

        Args:
            mask: (H, W), a region; or how much each pixel counts.

        Returns:
            (ceil(H / 4), ceil(W / 4)) of the same sum: at the edge of the image, a pixel's credit stays inside.
        """
        height, width = mask.shape
        padded = np.pad(mask, ((0, -height % STRIDE), (0, -width % STRIDE)))
        cells = padded.reshape(len(padded) // STRIDE, STRIDE, -1, STRIDE).sum((1, 3))
        if self.kernel.shape == (1, 1):
            return np.asarray(cells, dtype=np.float64)
        # A pixel's own kernel is cut off at the edge and scaled up again, so that its credit stays whole.
        return correlate(cells / correlate(np.ones_like(cells), self.kernel), self.kernel[::-1, ::-1])


def correlate(values: Floats, kernel: Floats) -> Floats:
    """Sum of the values (h, w) around each place, weighted by a kernel of odd sides; nothing beyond the edge."""
    around = torch.from_numpy(kernel.copy())[None, None]
    found = F.conv2d(torch.from_numpy(values)[None, None], around, padding=kernel.shape[0] // 2)
    return np.asarray(found[0, 0].numpy())


def receptive_field(model: Translator) -> ReceptiveField:
    """The receptive field of a translator's decoder, measured at the first call for its banks."""
    fields = _known.setdefault(model.decoder, {})
    key = (module_digest(model.decoder), *model.banks.digests().values())
    if key not in fields:
        fields.clear()
        fields[key] = measure(model.decoder, sample_maps(model.banks))
    return fields[key]


def sample_maps(banks: BankUnion) -> Tensor:
    """Real features: the middles of sources, mirrored where they are too small: (maps, C, SIDE, SIDE)."""
    count = int(banks.source_offset[-1])
    places = [banks.bank_of_source(n * count // MAPS) for n in range(MAPS)]
    chosen = [bank.entries.maps[number] for bank, number in places]
    return torch.stack([middle(features).permute(2, 0, 1).float() for features in chosen])


def middle(features: Tensor) -> Tensor:
    """The middle of a map (h, w, C) as (SIDE, SIDE, C)."""
    for dim in (0, 1):
        length = features.shape[dim]
        step = torch.arange(SIDE) + (length - SIDE) // 2
        folded = step.remainder(2 * length)
        features = features.index_select(dim, torch.where(folded < length, folded, 2 * length - 1 - folded))
    return features


@torch.inference_mode(False)
@torch.enable_grad()
def measure(decoder: nn.Module, maps: Tensor) -> ReceptiveField:
    """Mean energy of the derivative of a cell's pixels by the cells around it."""
    random = torch.Generator().manual_seed(SEED)
    centre = slice(SIDE // 2 * STRIDE, (SIDE // 2 + 1) * STRIDE)
    energy = torch.zeros(SIDE, SIDE, dtype=torch.float64)
    features = maps.clone().requires_grad_(True)
    patch = run(decoder, features)[:, :, centre, centre]
    for probe in range(PROBES):
        # E (J' v)² over random v is the energy of J: one backward pass instead of one per pixel and colour.
        mixture = torch.randn(patch.shape, generator=random)
        (gradient,) = torch.autograd.grad(patch, features, mixture, retain_graph=probe < PROBES - 1)
        energy += gradient.double().square().sum((0, 1))
    reach = energy.nonzero() - SIDE // 2
    radius = int(reach.abs().max()) if len(reach) else 0
    cut = slice(SIDE // 2 - radius, SIDE // 2 + radius + 1)
    kernel = energy[cut, cut] / energy[cut, cut].sum()
    return ReceptiveField(kernel.numpy(), radius if radius < SIDE // 2 else None)


def footprint(case: Live, mask: Mask) -> Floats:
    """The part of a region (H, W) that each retrieval painted: (N,), overlap carried through the decoder.

    A pixel's credit spreads over the cells that the decoder makes it from, in equal parts over the retrievals that made
    each cell.
    """
    cells = receptive_field(case.model).cells(mask.astype(np.float64))
    # Where the picture ends within a cell, its credit lies on what is visible of the cell.
    rows, columns = (
        np.minimum(STRIDE, side - STRIDE * np.arange(n)) for side, n in zip(mask.shape, cells.shape, strict=True)
    )
    per_pixel = cells / np.outer(rows, columns)
    credit = per_pixel.repeat(STRIDE, 0).repeat(STRIDE, 1)[: mask.shape[0], : mask.shape[1]]
    return overlap(case.trace.column("box"), credit)
