"""Files that the published code writes: rows and centres of codes, pickled in `.npy`, and feature maps as pictures."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import torch
from numpy.lib import format as npy
from torch import Tensor

from ktviz.errors import MissingWeightsError, WeightsError
from ktviz.files import check_plain
from ktviz.images import Pixels
from ktviz.library.kinds.codes.rows import Codes
from ktviz.systems.pix2pixhd.unpickling import ForbiddenName, read_arrays

MOST_BYTES = 1 << 30
"""Of a file: 30 million objects of three numbers and an area."""
TODO = "Give a file that `encode_features.py` wrote"


def read_published_centres(path: str | os.PathLike[str]) -> dict[int, Codes]:
    """The centres of every class that has some, as in `features_clustered_010.npy`: (K, C) each.

    Raises:
        WeightsError: Missing, damaged, or something else; a file that tries to run a program is refused, and nothing
            of it is run.
    """
    found = read_published(path)
    for label, centres in found.items():
        if not len(centres):
            raise WeightsError(f"file {os.fspath(path)!r}", f"class {label} without a centre", TODO)
    return found


def read_published_rows(path: str | os.PathLike[str]) -> dict[int, Codes]:
    """The objects of every class, as in `features.npy`: (n, C + 1) each, codes and then the area in 32nds of a picture.

    Raises:
        WeightsError: As in `read_published_centres`, or an area that is none.
    """
    found = read_published(path)
    for label, rows in found.items():
        if rows.shape[1] < 2 or not (rows[:, -1] > 0).all():
            raise WeightsError(f"file {os.fspath(path)!r}", f"class {label} without an area in each row", TODO)
    return found


def read_published(path: str | os.PathLike[str]) -> dict[int, Codes]:
    """A dictionary of arrays (n, C) by class.

    Raises:
        WeightsError: Missing, damaged, or something else.
    """
    asked = f"file {os.fspath(path)!r}"
    try:
        check_plain(path)
        if (size := Path(path).stat().st_size) > MOST_BYTES:
            raise WeightsError(asked, f"{size:,} bytes, at most {MOST_BYTES:,} can be", TODO)
        found = read_arrays(pickled(Path(path).read_bytes()))
    except WeightsError:
        raise
    except FileNotFoundError:
        raise MissingWeightsError(asked, "no such file", "Check the path") from None
    except ForbiddenName as error:
        found_name = f"it names {error!s:.80}, which may be a program; nothing of it was run"
        raise WeightsError(asked, found_name, "Do not open it with anything else, either") from None
    except Exception as error:  # damaged pickles raise what they like
        raise WeightsError(asked, f"damaged, or no dictionary of arrays ({error!s:.120})", TODO) from None
    widths = {array.shape[1:] for array in found.values()}
    if not found or len(widths) > 1 or any(array.ndim != 2 or not array.shape[1] for array in found.values()):
        raise WeightsError(asked, "no table of codes for each class, all of one width", TODO)
    for label, array in found.items():
        if label < 0:
            raise WeightsError(asked, f"class {label}", TODO)
        if not np.isfinite(array).all():
            raise WeightsError(asked, f"NaN or infinity in class {label}", TODO)
    return {label: array.astype(np.float64) for label, array in found.items()}


def pickled(data: bytes) -> bytes:
    """The pickle in a file that `np.save` wrote of an object; ValueError for another array."""
    file = io.BytesIO(data)
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    if shape or dtype != np.dtype(object):
        raise ValueError(f"an array of {shape} {dtype}")
    return file.read()


def published_map(codes: Tensor) -> Pixels:
    """A feature map as the picture that `precompute_feature_maps.py` writes, twice as large.

    Args:
        codes: (3, H, W), from -1 to 1.

    Returns:
        (2 H, 2 W, 3) uint8.

    Example:
        >>> published_map(torch.tensor([-1.0, 0.0, 1.0])[:, None, None])[0].tolist()
        [[0, 127, 255], [0, 127, 255]]
    """
    large = codes.float().repeat_interleave(2, 1).repeat_interleave(2, 2)
    values = (large.movedim(0, -1).numpy() + 1) / 2.0 * 255.0
    return np.clip(values, 0, 255).astype(np.uint8)


def codes_of(pixels: Pixels) -> Tensor:
    """The feature map that such a picture stands for: (H, W, 3) uint8 to (3, H, W) float32, in steps of 2/255.

    Example:
        >>> codes_of(np.array([[[0, 255, 0]]], np.uint8)).flatten().tolist()
        [-1.0, 1.0, -1.0]
    """
    values = torch.from_numpy(np.ascontiguousarray(pixels)).movedim(-1, 0).float() / 255
    return (values - 0.5) / 0.5
