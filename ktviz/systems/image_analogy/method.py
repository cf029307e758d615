"""Deep Image Analogy (Liao et al. 2017): two pictures of alike things trade their looks.

Given A and B', it makes A' (the structure of A, the look of B') and B (the structure of B', the look of A). From coarse
to fine, at five levels of features, the cells of both pictures look for each other (`patchmatch`); what they find makes
the features of the next level (`vote`, `inversion`, `inverse`), and in the end pixels.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ktviz.errors import SettingError
from ktviz.images import ImageLike, Pixels, as_pixels, resize, to_tensor
from ktviz.networks.running import check_defaults, place_of, without_autocast
from ktviz.systems.image_analogy.field import DIRECTIONS, OTHER, Direction, Size
from ktviz.systems.image_analogy.inverse import Inverse
from ktviz.systems.image_analogy.levels import About, Half, Passage, Progress
from ktviz.systems.image_analogy.packaged import WEIGHTS
from ktviz.systems.image_analogy.pyramid import LEVELS, Pyramid
from ktviz.systems.image_analogy.refine import refined
from ktviz.systems.image_analogy.result import Analogy, rendered
from ktviz.systems.image_analogy.settings import Settings
from ktviz.systems.image_analogy.sites import all_sites

LONGEST_SIDE, LARGEST_AREA, SHORTEST_SIDE = 700, 350_000, 8
"""What the network sees, in px: larger pictures are reduced, as published; small ones are not enlarged."""
DEFAULTS = Settings()
UNNAMED: Mapping[Direction, About] = {
    "ab": {"source": "input", "bank": "input"},
    "ba": {"source": "reference", "bank": "reference"},
}


class Method(nn.Module):
    """Makes analogies.

    Args:
        pyramid: The features.
        inverse: The blocks of the fast inversion, trained for this pyramid; None leaves L-BFGS.

    Attributes:
        sites: `sites["ab"]["conv4_1"]` is passed by the `Search` of that level and direction, and `sites["ab"]["vote"]`
            by the final `Votes`.

    Example:
        >>> from ktviz import samples
        >>> photo = samples.photo("coffee")[:64, :64]
        >>> result = Method.shipped()(photo, photo[:, ::-1], Settings(iterations=2))
        >>> result.a_prime.shape
        (64, 64, 3)
    """

    def __init__(self, pyramid: Pyramid, inverse: Inverse | None = None) -> None:
        super().__init__()
        self.pyramid, self.inverse = pyramid, inverse
        self.sites = nn.ModuleDict({way: nn.ModuleDict() for way in DIRECTIONS})
        for way, name, site in all_sites():
            self.sites[way].add_module(name, site)
        self.eval().requires_grad_(False)

    @classmethod
    def shipped(cls) -> Method:
        """With the pyramid and the inverse blocks that come with the package.

        Raises:
            WeightsError: They are not the files that were packaged.
        """
        return cls.load(WEIGHTS.path("pyramid.safetensors"), WEIGHTS.path("inverse.safetensors"))

    @classmethod
    def load(cls, pyramid: str | os.PathLike[str], inverse: str | os.PathLike[str] | None = None) -> Method:
        """With weights from files; see `Pyramid.load` and `Inverse.load`.

        Raises:
            WeightsError: A file cannot be used.
        """
        network = Pyramid.load(pyramid)
        return cls(network, None if inverse is None else Inverse.load(inverse, network.widths))

    @torch.inference_mode(False)
    @torch.no_grad()
    @without_autocast
    def forward(
        self,
        a: ImageLike,
        b_prime: ImageLike,
        settings: Settings = DEFAULTS,
        *,
        excluded: Tensor | None = None,
        progress: Progress | None = None,
        sources: Mapping[Direction, About] = UNNAMED,
    ) -> Analogy:
        """Make A' and B.

        Args:
            a: The picture A.
            b_prime: The reference B'.
            settings: How.
            excluded: (h, w) bool of B' as given: a region that no field of A' enters, and that gives it no pixel. The
                features around it have seen it.
            progress: Told what is done.
            sources: What is known of A ("ab") and of B' ("ba"), for the sites.

        Raises:
            ImageError: A picture cannot be used.
            SettingError: The fast inversion without blocks; or a region of another size.
            UnknownNameError: A region that leaves nothing of the reference.
        """
        check_defaults()
        _, kind = place_of(self.pyramid)
        if kind != torch.float32:
            raise SettingError(f"an analogy in {kind}", "its fields are found in torch.float32", "Call .float() first")
        if settings.inversion == "fast" and self.inverse is None:
            raise SettingError(
                "inversion 'fast'",
                "there are no inverse blocks for this pyramid",
                "Give inversion='lbfgs', or load some",
            )
        first, second = as_pixels(a), as_pixels(b_prime)
        halves = {
            way: self.prepared(pixels, settings, sources[way])
            for way, pixels in zip(DIRECTIONS, (first, second), strict=True)
        }
        tell = progress or (lambda *_: None)
        barred = None if excluded is None else checked_region(excluded, second)
        work = Passage(self.pyramid, self.inverse, self.sites, halves, settings, barred, tell)  # type: ignore[arg-type]
        levels = tuple(work.level(number) for number in range(len(LEVELS) - 1, 0, -1))
        votes = {way: work.votes(way) for way in DIRECTIONS}
        voted = {way: rendered(votes[way], halves[OTHER[way]].pixels) for way in DIRECTIONS}
        made = dict(voted)
        for way in DIRECTIONS if settings.refine else ():
            tell(LEVELS[0], way, "refine")
            made[way] = refined(voted[way], halves[way].pixels)
        return Analogy(first, second, made["ab"], made["ba"], voted, votes, levels, settings)

    def prepared(self, pixels: Pixels, settings: Settings, source: About) -> Half:
        """A picture with its features, at the network's size."""
        height, width = network_size(pixels.shape[0], pixels.shape[1], settings.ratio)
        image = to_tensor(resize(pixels, width, height)).to(place_of(self.pyramid)[0])
        own = [level[0] for level in (image, *self.pyramid(image))]
        return Half(pixels, own, own[-1], {**source, "height": pixels.shape[0], "width": pixels.shape[1]})


def pieces_of_work(settings: Settings) -> int:
    """How often `progress` is called: levels are blended, matched and inverted (the last one: voted), then refined."""
    levels = len(LEVELS) - 1
    return len(DIRECTIONS) * (3 * levels + settings.refine)


def network_size(height: int, width: int, ratio: float) -> Size:
    """The size at which the network sees a picture: at most 700 px a side and 350,000 px in all, times the ratio.

    Example:
        >>> network_size(3000, 4000, 1.0), network_size(96, 96, 0.5)
        ((512, 683), (48, 48))
    """
    scale = ratio * min(1.0, LONGEST_SIDE / max(height, width), math.sqrt(LARGEST_AREA / (height * width)))
    return max(SHORTEST_SIDE, round(height * scale)), max(SHORTEST_SIDE, round(width * scale))


def checked_region(excluded: Tensor, pixels: Pixels) -> Tensor:
    """A region as a mask of the reference, on the CPU.

    Raises:
        SettingError: Of another size, or not bool.
    """
    mask = torch.as_tensor(excluded).cpu()
    if mask.shape != pixels.shape[:2] or mask.dtype != torch.bool:
        raise SettingError(
            "exclude a region of the reference",
            f"a mask of {tuple(mask.shape)} {mask.dtype}, not {pixels.shape[:2]} bool",
            "Give one value for each of its pixels",
        )
    return mask
