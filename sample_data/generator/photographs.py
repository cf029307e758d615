"""The four photographs that scikit-image ships and whose licences allow redistribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from skimage import data, transform, util

Array = np.ndarray


@dataclass(frozen=True)
class Photograph:
    """A photograph, its origin (no year where the source gives none), and the centre of a crop along it."""

    name: str
    title: str
    creator: str
    year: str
    licence: str
    url: str
    centre: float = 0.5


PHOTOGRAPHS = {
    photo.name: photo
    for photo in (
        Photograph(
            "astronaut",
            "Eileen Collins, NASA astronaut (official portrait)",
            "NASA",
            "1999",
            "Public domain (NASA, no known copyright restrictions)",
            "https://flic.kr/p/r9qvLn",
        ),
        Photograph(
            "coffee",
            "Pikolo espresso (coffee cup)",
            "Rachel Michetti",
            "",
            "CC0-1.0",
            "https://scikit-image.org/docs/stable/api/skimage.data.html#skimage.data.coffee",
            0.58,
        ),
        Photograph(
            "chelsea",
            "Chelsea the cat",
            "Stéfan van der Walt",
            "",
            "CC0-1.0",
            "https://scikit-image.org/docs/stable/api/skimage.data.html#skimage.data.chelsea",
            0.45,
        ),
        Photograph(
            "rocket",
            "Launch of DSCOVR on a Falcon 9",
            "SpaceX",
            "2015",
            "CC0-1.0 (public domain)",
            "https://www.flickr.com/photos/spacexphotos/16511594820/",
            0.55,
        ),
    )
}


def load(name: str) -> Array:
    """The photograph at its native size, display RGB in [0, 1]."""
    return util.img_as_float32(getattr(data, name)())


def cropped(name: str, size: tuple[int, int]) -> Array:
    """The photograph scaled to fill `size` and cropped along its longer side."""
    photo = load(name)
    scale = max(size[0] / photo.shape[0], size[1] / photo.shape[1])
    shape = (round(photo.shape[0] * scale), round(photo.shape[1] * scale))
    scaled = np.clip(transform.resize(photo, shape, order=3, anti_aliasing=scale < 1), 0, 1)
    top, left = (round((shape[k] - size[k]) * PHOTOGRAPHS[name].centre) for k in (0, 1))
    return scaled[top : top + size[0], left : left + size[1]].astype(np.float32)
