"""Pictures of bands: what each Haar band of a patch holds, decoded alone, and the pixels beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ktviz.images import Pixels
from ktviz.library.kinds.patches.band_pixels import GAIN, MID_GREY, to_levels
from ktviz.library.kinds.patches.bands import BANDS, band_parts, to_patches, to_vectors
from ktviz.library.kinds.patches.clusters import PATCH_PX
from ktviz.library.kinds.patches.features import STRIDE
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.networks.portable import portable
from ktviz.networks.running import check_finite, run
from ktviz.systems.band_networks import BandNetworks
from ktviz.systems.kt.live import Live

Map = npt.NDArray[np.float32] | None

if TYPE_CHECKING:
    from ktviz.systems.kt.translator import Translator

MOST_WEIGHTS = 2_000_000
"""Of networks that a page carries: a byte each."""
FITTED, CLOSE = 4096, 1e-3
"""Cells to which the change of a photo's features by a site is fitted, and how far it may be off, relative to them."""
AT_ONCE = 64
"""Patches decoded at a time: 30 MB with the shipped decoder."""


@torch.no_grad()
def decoded_bands(model: Translator, patches: Tensor) -> Pixels:
    """Patches and each of their bands as the decoder paints them, without neighbours.

    A detail has no mean, and of no features at all the decoder paints a dark grey of its own; less that grey, a
    detail lies around mid-grey. LL holds the mean and is shown as it is. A patch looks otherwise inside a picture,
    where the decoder sees its neighbours too.

    Args:
        model: Whose decoder.
        patches: (N, C, 4, 4).

    Returns:
        (N, 5, 16, 16, 3) uint8: the whole patch, LL, LH, HL, HH.

    Raises:
        WeightsError: The decoder made NaN.
    """
    nothing = run(model.decoder, patches.new_zeros(1, *patches.shape[1:]))
    shown = [paint(model, patches[start : start + AT_ONCE], nothing) for start in range(0, len(patches), AT_ONCE)]
    return np.concatenate([np.empty((0, 1 + len(BANDS), PATCH_PX, PATCH_PX, 3), dtype=np.uint8), *shown])


def paint(model: Translator, patches: Tensor, nothing: Tensor) -> Pixels:
    """As `decoded_bands`, all patches at once; `nothing` is what zeros decode to, (1, 3, 16, 16)."""
    vectors = to_vectors(patches)
    bands = to_patches(torch.cat((vectors[:, None], band_parts(vectors)), dim=1))
    images = 255 * run(model.decoder, bands.flatten(0, 1)).unflatten(0, bands.shape[:2])
    check_finite(images, "decoder")
    images[:, 2:] = MID_GREY + GAIN * (images[:, 2:] - 255 * nothing)
    return to_levels(images)


def band_pictures(case: Live, queries: Tensor, entries: Tensor) -> tuple[Pixels, Pixels]:
    """Some queries (n,), then some entries (m,): as decoded, whole and band by band, and as pixels.

    Returns:
        (n + m, 5, 16, 16, 3) as `decoded_bands`, and (n + m, 16, 16, 3).
    """
    patches = torch.cat((case.grid.unfold(case.asked, queries), case.banks.patches(entries)))
    return decoded_bands(case.model, patches), np.concatenate(
        (query_pixels(case, queries), entry_pixels(case.banks, entries))
    )


def band_networks(case: Live) -> BandNetworks | None:
    """The networks and the change of the photo's features by the site that is asked, for a page to run them; None of
    networks of other layers, of too many weights, or where that change is no linear map."""
    networks = []
    for network, name in ((case.model.encoder, "encoder"), (case.model.decoder, "decoder")):
        layers = getattr(network, "layers", None)
        found = portable(layers, name) if isinstance(layers, nn.Sequential) else None
        if found is None or sum(part.size for part in found.weights.values()) > MOST_WEIGHTS:
            return None
        networks.append(found)
    changed = change_of(case.features.flatten(1).T, case.asked.flatten(1).T)
    return None if changed is None else BandNetworks(networks[0], networks[1], *changed, GAIN, MID_GREY)


def change_of(own: Tensor, seen: Tensor) -> tuple[Map, Map] | None:
    """The matrix (C, C) and the offset (C,) that make of some features (cells, C) what a site saw; None, None where it
    saw them as they are, and None where it is no linear map."""
    if torch.equal(own, seen):
        return None, None
    mean = own.double().mean(0)
    some = torch.linspace(0, len(own) - 1, min(len(own), FITTED)).long()
    known = torch.cat((own[some].double() - mean, torch.ones(len(some), 1, dtype=torch.float64)), dim=1)
    wanted = seen[some].double()
    found = torch.linalg.lstsq(known, wanted, driver="gelsd").solution
    if float((known @ found - wanted).norm()) > CLOSE * float(wanted.norm()):
        return None
    return found[:-1].float().numpy(), (found[-1] - mean @ found[:-1]).float().numpy()


def query_pixels(case: Live, queries: Tensor) -> Pixels:
    """The patches of the photo that queries (n,) are: (n, 16, 16, 3), with the padding that the encoder saw."""
    height, width = (STRIDE * side for side in (case.grid.height, case.grid.width))
    missing = ((0, height - case.pixels.shape[0]), (0, width - case.pixels.shape[1]), (0, 0))
    whole = np.pad(case.pixels, missing, mode="reflect")
    cut = [whole[y:, x:][:PATCH_PX, :PATCH_PX] for y, x in (STRIDE * case.grid.corners(queries)).tolist()]
    return as_stack(cut)


def entry_pixels(banks: BankUnion, entries: Tensor) -> Pixels:
    """Patches of entries (n,) of a union as pictures: (n, 16, 16, 3)."""
    source, y, x = (values.tolist() for values in banks.locate(entries))
    pictures = {number: banks.picture(number) for number in set(source)}
    places = zip(source, y, x, strict=True)
    cut = [pictures[n][STRIDE * y :, STRIDE * x :][:PATCH_PX, :PATCH_PX] for n, y, x in places]
    return as_stack(cut)


def as_stack(patches: Sequence[Pixels]) -> Pixels:
    """Patches (16, 16, 3) as one array: (n, 16, 16, 3)."""
    return np.stack(patches) if patches else np.empty((0, PATCH_PX, PATCH_PX, 3), dtype=np.uint8)
