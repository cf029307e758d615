"""How commands use each system."""

from __future__ import annotations

from collections.abc import Mapping

from ktviz.cli.making import bridge, cocosnet, image_analogy, kt, munit, pix2pixhd
from ktviz.cli.making.given import Given, Maker, Making
from ktviz.errors import SettingError

KT, ANALOGY, COCOSNET, PIX2PIXHD = "kt", "image-analogy", "cocosnet", "pix2pixhd"
MUNIT, BRIDGE = "munit", "bridge"
MAKINGS: Mapping[str, Making] = {
    KT: kt.MAKING,
    ANALOGY: image_analogy.MAKING,
    COCOSNET: cocosnet.MAKING,
    PIX2PIXHD: pix2pixhd.MAKING,
    MUNIT: munit.MAKING,
    BRIDGE: bridge.MAKING,
}
"""By name of the system."""
DEFAULT = KT
"""The system of commands that name none."""


def making(system: str) -> Making:
    """How commands use a system.

    Raises:
        UnknownNameError: There is no such system; the message names the nearest.
        SettingError: It cannot be used from the command line.
    """
    from ktviz.systems.registry import system_class

    system_class(system)
    if system not in MAKINGS:
        raise SettingError(f"--system {system}", "it cannot be used from the command line", "Use it in Python")
    return MAKINGS[system]


def maker(given: Given) -> Maker:
    """The system that a command names, ready to work.

    Raises:
        UnknownNameError, SettingError: As in `making`; or what the system needs is missing, or it does not take what
            was given.
    """
    chosen = making(given.system)
    for name in given.named:
        if name not in chosen.takes:
            others = " and ".join(system for system, other in MAKINGS.items() if name in other.takes)
            raise given.refused(f"--{name.replace('_', '-')} given", f"Leave it out: it is of {others}")
    return chosen.maker(given)
