"""Networks in an exported page, which makes pictures of bands itself, of every patch of the sources that it holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from ktviz.systems.band_networks import BandNetworks
from ktviz.widgets.packing import Part, to_json
from ktviz.widgets.pictures import LONGEST_PX
from ktviz.widgets.room import Room
from ktviz.widgets.subject import Subject


def band_networks(subject: Subject, room: Room) -> dict[str, Part] | None:
    """The networks, and all sources that gave something, as their bank saw them; None where there is no room for them,
    or the page cannot run them."""
    case = subject.case
    if case is None or not subject.can("bands") or max(subject.trace.size) > LONGEST_PX:
        return None
    networks = case.system.band_networks(case.trace)
    if networks is None:
        return None
    parts = described(networks)
    for number, share in enumerate(subject.shares["share"]):
        parts |= as_its_bank_saw(subject, number) if share else {}
    return room.take(parts, "") if room.size_of(parts) <= room.left else None


def described(networks: BandNetworks) -> dict[str, Part]:
    """Weights, and in words what the layers are."""
    said = {
        "encoder": networks.encoder.layers,
        "decoder": networks.decoder.layers,
        "reach": networks.encoder.reach,
        "gain": networks.gain,
        "grey": networks.grey,
    }
    parts: dict[str, Part] = {"networks": to_json(said).encode()}
    for name, array in {**networks.encoder.weights, **networks.decoder.weights}.items():
        parts[f"networks/{name}"] = array.view(np.uint8) if array.dtype == np.int8 else array
    if networks.matrix is not None and networks.offset is not None:
        parts |= {"networks/matrix": networks.matrix, "networks/offset": networks.offset}
    return parts


def as_its_bank_saw(subject: Subject, number: int) -> dict[str, Part]:
    """A source in the size in which its features were made: the file that its bank holds."""
    banks: Any = subject.banks
    found = [] if banks is None else banks.numbers_of([subject.names[number]])
    if not found:
        return {}
    bank, place = banks.bank_of_source(found[0])
    return {f"bank/{number}": bank.thumb(place)}
