"""Pictures of bands show what each band holds, and nothing of the others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ktviz.errors import ImageError, WeightsError
from ktviz.library.kinds.patches.band_pixels import DECODED_CAPTION, GAIN, PIXELS_CAPTION, pixel_bands
from ktviz.library.kinds.patches.bands import HAAR, haar
from ktviz.systems.kt.band_pictures import AT_ONCE, decoded_bands
from ktviz.systems.kt.translator import Translator


@pytest.fixture(scope="module")
def patches(world):
    return world.banks.patches(torch.arange(0, len(world.banks), 37))


def signed(pictures):
    """Pictures as numbers around 0."""
    return pictures.astype(float) - 128


def test_a_linear_decoder_shows_the_bands_of_its_channels(world, patches):
    pictures = decoded_bands(world.translator, patches)
    assert pictures.shape == (len(patches), 5, 16, 16, 3)
    assert pictures.dtype == np.uint8
    bands = haar(patches[:, :3])  # what the toy decoder paints: a colour per cell
    for band, rows in enumerate(HAAR):
        cells = torch.kron(bands[:, band].contiguous(), rows.view(1, 1, 2, 2)) * 255
        cells = cells if band == 0 else 128 + GAIN * cells
        known = cells.clamp(0, 255).permute(0, 2, 3, 1).repeat_interleave(4, 1).repeat_interleave(4, 2).numpy()
        assert np.abs(pictures[:, band + 1] - known).max() <= 0.51
    whole = (patches[:, :3] * 255).clamp(0, 255).permute(0, 2, 3, 1).numpy()
    assert np.abs(pictures[:, 0, ::4, ::4] - whole).max() <= 0.51


def test_bands_add_up_to_the_patch_where_nothing_is_cut_off(world, patches):
    gentle = 0.5 + 0.1 * (patches - patches.mean((2, 3), keepdim=True))
    pictures = decoded_bands(world.translator, gentle)
    total = pictures[:, 1] + signed(pictures[:, 2:]).sum(1) / GAIN
    assert np.abs(total - pictures[:, 0]).max() <= 2


def test_a_patch_without_details_has_grey_details(world):
    flat = torch.full((1, 8, 4, 4), 0.6)
    assert (decoded_bands(world.translator, flat)[0, 2:] == 128).all()


def test_what_the_decoder_paints_from_nothing_is_no_detail(world, toy):
    class Tinted(nn.Module):
        def forward(self, features):
            return 0.3 + features[:, :3].repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)

    model = Translator(world.banks, toy, Tinted())
    pictures = decoded_bands(model, torch.full((1, 8, 4, 4), 0.2))
    assert (pictures[0, 2:] == 128).all()
    assert (pictures[0, :2] == round(255 * 0.5)).all()


def test_patches_do_not_depend_on_what_is_decoded_with_them(world, patches):
    several = patches[:3].repeat(AT_ONCE, 1, 1, 1)
    pictures = decoded_bands(world.translator, several)
    assert len(pictures) == 3 * AT_ONCE
    assert np.array_equal(pictures[-3:], decoded_bands(world.translator, patches[:3]))
    assert decoded_bands(world.translator, patches[:0]).shape == (0, 5, 16, 16, 3)


def test_a_broken_decoder_is_named(world, toy, patches):
    class Broken(nn.Module):
        def forward(self, features):
            return torch.full((len(features), 3, 16, 16), torch.nan)

    with pytest.raises(WeightsError, match="decoder"):
        decoded_bands(Translator(world.banks, toy, Broken()), patches[:1])


def test_pixels_are_the_mean_and_half_of_each_detail(paint):
    pixels = paint(8, 16, 24)
    bands = pixel_bands(pixels)
    assert bands.shape == (4, 8, 12, 3)
    corners = np.stack([pixels[y::2, x::2].astype(float) for y in (0, 1) for x in (0, 1)])
    for band, signs in enumerate(2 * HAAR.numpy()):
        known = np.tensordot(signs, corners, 1) / 4
        known = known if band == 0 else np.clip(128 + GAIN * known, 0, 255)
        assert np.abs(bands[band] - known).max() <= 0.51


def test_pixels_come_back_from_their_bands(paint):
    pixels = (paint(9, 16, 16) // 4 + 96).astype(np.uint8)  # little contrast: nothing is cut off
    bands = pixel_bands(pixels)
    corner = bands[0] + np.tensordot([-1, -1, 1], signed(bands[1:]), 1) / GAIN
    assert np.abs(corner - pixels[::2, ::2]).max() <= 2


def test_pixels_come_in_any_batch(paint):
    batch = np.stack([paint(n, 16, 16) for n in range(6)]).reshape(2, 3, 16, 16, 3)
    bands = pixel_bands(batch)
    assert bands.shape == (2, 3, 4, 8, 8, 3)
    assert np.array_equal(bands[1, 2], pixel_bands(batch[1, 2]))


def test_an_odd_side_is_refused(paint):
    with pytest.raises(ImageError, match="15x16 px"):
        pixel_bands(paint(1, 16, 15))


def test_captions_say_how_details_are_shown():
    for caption in (DECODED_CAPTION, PIXELS_CAPTION):
        assert f"{GAIN:g} times" in caption
        assert "mid-grey" in caption
