"""Which images a bank can be made from: all that cannot, or whose maps cannot, are known before the work starts."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from tqdm.auto import tqdm

from ktviz.errors import ImageError, ImageWarning, KtvizError, LabelError
from ktviz.images import read_image, scaled_size
from ktviz.library.sources import SourceFile


def usable_sources(
    files: Sequence[SourceFile], unread: Sequence[KtvizError], side_px: int | None, skip_bad: bool, quiet: bool
) -> list[SourceFile]:
    """The files that can be decoded and scaled, and whose maps are theirs; one at a time, none is held.

    Args:
        files: What is to become sources.
        unread: Errors of files that could not even be opened, or that lack a map.
        side_px: Shorter side that sources are scaled to; None keeps them as they are.
        skip_bad: Leave bad files out and name them in a warning, instead of refusing all.
        quiet: No progress bar.

    Raises:
        ImageError: Names every bad file, and why.
    """
    usable: list[SourceFile] = []
    bad = list(unread)
    for file in tqdm(files, desc="checking images", unit="image", disable=quiet):
        try:
            pixels = read_image(file.path)
            if side_px is not None:
                scaled_size(pixels, side_px, f"image {str(file.path)!r}")
            if file.maps is not None:
                file.maps.read(*pixels.shape[:2])
            usable.append(file)
        except (ImageError, LabelError) as error:
            bad.append(error)
    if bad:
        asked = f"{len(bad)} of {len(files) + len(unread)} images"
        reasons = "".join(f"\n  {error.asked}: {error.found}" for error in bad)
        if not skip_bad or not usable:
            raise ImageError(
                asked, f"cannot be used:{reasons}", "Mend or remove them, or leave them out: skip_bad=True, --skip-bad"
            )
        warnings.warn(f"{asked} left out:{reasons}", ImageWarning, stacklevel=2)
    return usable
