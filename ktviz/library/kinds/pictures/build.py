"""Making a bank of pictures: each source without loss, and small."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ktviz.images import Pixels, decode, resize_short_side, stored_size, write_image
from ktviz.library.layout import PICTURES
from ktviz.library.sources import Source, SourceFile

THUMB_PX = 192
"""Shorter side of the small pictures."""


class PicturePreparer:
    """Keeps sources as they are; see `ktviz.library.build.Preparer`.

    A picture is kept upright, as 8-bit sRGB, in a PNG: every size that can be read can be kept so. It takes at most 3
    bytes a pixel, and a thousandth for what stands around them; photographs take about 2.
    """

    kind = PICTURES
    made_with = PICTURES

    def prepare(self, file: SourceFile, files: Sequence[Path]) -> None:
        """Write the picture and the small one."""
        picture, thumb = files
        pixels, _ = decode(file.path)  # what there is to warn of has been said when it was checked
        write_image(picture, pixels)
        write_image(thumb, shrunk(pixels))

    def source(self, file: SourceFile, files: Sequence[Path]) -> Source:
        """What is known of a source whose files are written."""
        height, width = stored_size(files[0].read_bytes(), file.name)
        return Source(file.name, file.sha256, file.credit, width, height)


def shrunk(pixels: Pixels) -> Pixels:
    """A picture at most `THUMB_PX` on its shorter side."""
    return resize_short_side(pixels, THUMB_PX) if min(pixels.shape[:2]) > THUMB_PX else pixels
