"""Networks in an exported page, which makes pictures of bands itself, of every patch of the sources that it holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from ktviz.images import decode_image
from ktviz.systems.band_networks import BandNetworks
from ktviz.widgets.packing import Part, to_json
from ktviz.widgets.pictures import LONGEST_PX
from ktviz.widgets.room import Room
from ktviz.widgets.subject import Subject


def band_networks(subject: Subject, room: Room) -> dict[str, Part] | None:
    """The networks, and all sources that gave something, as their bank saw them; None where there is no room for them,
    or the page cannot run them.

    Where room is short, a source is taken as the page shows it, more compressed, if that is as large as its bank saw
    it; the files of the bank come for as many as there is room for, those that gave most first.
    """
    case = subject.case
    if case is None or not subject.can("bands") or max(subject.trace.size) > LONGEST_PX:
        return None
    networks = case.system.band_networks(case.trace)
    files = bank_files(subject)
    if networks is None or files is None:
        return None
    layers = described(networks)
    if room.size_of({**layers, **files}) <= room.left:
        return room.take({**layers, **files}, "")
    shown = {name: room.taken.get(name.replace("bank", "picture")) for name in files}
    if not all(as_large(shown[name], file) for name, file in files.items()) or room.size_of(layers) > room.left:
        return None
    found = room.take(layers, "")
    spare = room.left * 3 // 4  # the other scenes want something, too
    for name, file in files.items():
        spare -= room.size_of({name: file})
        if spare < 0:
            break
        found |= room.take({name: file}, "")
    return found


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


def bank_files(subject: Subject) -> dict[str, bytes] | None:
    """Sources that gave something, in the size in which their features were made, as the files that their bank holds,
    largest share first; None where one has no such file."""
    banks: Any = subject.banks
    found: dict[str, bytes] = {}
    shares = subject.shares["share"].to_numpy()
    for number in np.argsort(-shares, kind="stable")[: np.count_nonzero(shares)].tolist():
        place = [] if banks is None else banks.numbers_of([subject.names[number]])
        if not place:
            return None
        bank, source = banks.bank_of_source(place[0])
        found[f"bank/{number}"] = bank.thumb(source)
    return found


def as_large(shown: Part | None, file: bytes) -> bool:
    """Whether a page shows a source in the size of a file."""
    return isinstance(shown, bytes) and decode_image(shown).shape == decode_image(file).shape
