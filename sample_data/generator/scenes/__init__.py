"""Seeded generator of streets and rooms in perspective, with exact maps of their objects and the style of each.

All is made of convex solids and clouds of leaves (`convex`, `leaves`), drawn from the eye and from the sun (`visible`,
`shadows`), painted (`masonry`, `timber`, `fabrics`, ...), and lit (`outdoors`, `indoors`). A layout says what stands
where (`streets`, `rooms`); the styles of its objects are drawn apart from it (`styles`), so that one layout can be
seen in many looks whose maps are the same.
"""

from __future__ import annotations

from .film import Scene
from .rooms import furnished
from .streets import built

__all__ = ["Scene", "room", "street"]

SMALLEST = 16


def _checked(size: tuple[int, int]) -> tuple[int, int]:
    if min(size) < SMALLEST:
        raise ValueError(
            f"size: {size[0]}x{size[1]} pixels (height x width) were asked for, at least {SMALLEST} are needed"
        )
    return int(size[0]), int(size[1])


def street(seed: int, styles_seed: int | None = None, size: tuple[int, int] = (256, 512)) -> Scene:
    """A street: houses, cars, trees, people, in the light of a time of day.

    `seed` (0 or more) is the layout's, `styles_seed` the looks' (as the layout's where it is not given), `size` height
    and width in pixels.

    Raises:
        ValueError: the size is below 16 pixels.

    Example:
        >>> street(3, size=(32, 64)).photo.shape
        (32, 64, 3)
    """
    return built(seed, seed if styles_seed is None else styles_seed, _checked(size))


def room(seed: int, styles_seed: int | None = None, size: tuple[int, int] = (256, 256)) -> Scene:
    """A furnished room by daylight and lamps; arguments and errors as in `street`.

    Example:
        >>> room(3, size=(32, 32)).labels.dtype
        dtype('uint8')
    """
    return furnished(seed, seed if styles_seed is None else styles_seed, _checked(size))
