"""The retrieval sites of pix2pixHD: the centre that every object takes, and the objects of which that is the mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import torch

from ktviz.retrieval.extension import Extension
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.queries import Queries
from ktviz.retrieval.site import Reading, RetrievalSite
from ktviz.systems.pix2pixhd.looks import Looks
from ktviz.systems.pix2pixhd.objects import Numbers

NAME = "pix2pixhd"
PATH = Extension("path", pa.list_(pa.int32()), "nodes from below the root to the centre, in its bank's tree", "winner")
STYLE = (
    Extension("centre", pa.int32(), "number of the centre within its class"),
    Extension("distance", pa.float32(), "Euclidean, from the reference's code; without one from the object's own"),
    Extension("members", pa.int32(), "objects behind the centre, 0 where nobody knows them"),
    Extension("ranked", pa.bool_(), "whether similarity is minus the distance, not the log of a chance", "query"),
    Extension("given", pa.bool_(), "whether a person said what the object takes", "query"),
    PATH,
)
MEMBERS = (
    Extension("centre", pa.int32(), "number of the centre within its class", "query"),
    Extension("class", pa.int32(), "number of the object's class", "query"),
    PATH,
)


class StyleSite(RetrievalSite):
    """An object takes a centre of its class.

    Args:
        paints: Whether nothing is known of what the centres are made of.
    """

    prefix = NAME
    extensions = STYLE
    searched = False

    def __init__(self, paints: bool) -> None:
        super().__init__()
        self.paints = paints

    def forward(self, looks: Looks) -> Looks:
        """Looks go on as they are."""
        return looks

    def read(self, inputs: tuple[Any, ...], output: Looks) -> list[Reading]:
        """All centres of the object's class, as hard retrieval.

        Similarity is minus the distance to the code of the reference's object where the nearest was asked for and the
        reference has one of the class; else the logarithm of how likely each was.
        """
        centres = output.centres
        options = [centres.of_class(int(label)) for label in output.label]
        width = max((len(mine) for mine in options), default=0) or 1
        entry = np.full((len(options), width), -1, dtype=np.int64)
        similarity = np.full(entry.shape, -np.inf)
        apart = np.full(entry.shape, np.nan)
        chosen = np.zeros(len(options), dtype=np.int64)
        for place, mine in enumerate(options):
            if not len(mine):
                continue
            away = output.apart(place)
            score = 0.0 - away if output.ranked[place] else np.full(len(mine), -np.log(len(mine)))
            order = np.argsort(-score, kind="stable")
            entry[place, : len(mine)] = mine[order]
            similarity[place, : len(mine)], apart[place, : len(mine)] = score[order], away[order]
            chosen[place] = int((mine[order] == output.centre[place]).argmax())
        sizes = np.zeros(len(centres), np.int64) if centres.members is None else centres.sizes()
        told = {
            "centre": np.append(centres.number, -1)[entry],
            "distance": apart,
            "members": np.append(sizes, 0)[entry],
            "ranked": output.ranked,
            "given": output.given,
            "path": paths_of(output),
        }
        matches = Matches(
            torch.from_numpy(entry),
            torch.from_numpy(similarity).float(),
            torch.from_numpy(chosen),
            None,
            {name: torch.from_numpy(values) for name, values in told.items()},
        )
        return [Reading(matches, queries_of(output), centres)]


class MemberSite(RetrievalSite):
    """A centre is the mean of its members: what an object looks like, it owes to each of them in equal parts."""

    prefix = NAME
    extensions = MEMBERS
    searched = False

    def forward(self, looks: Looks) -> Looks:
        """Looks go on as they are."""
        return looks

    def read(self, inputs: tuple[Any, ...], output: Looks) -> list[Reading]:
        """The members of the chosen centres as soft retrieval, the nearest to the centre first."""
        centres, objects = output.centres, output.centres.objects
        assert centres.members is not None
        assert objects is not None
        behind = [centres.members[centre] if centre >= 0 else np.empty(0, np.int64) for centre in output.centre]
        width = max((len(mine) for mine in behind), default=0) or 1
        entry = np.full((len(behind), width), -1, dtype=np.int64)
        similarity = np.full(entry.shape, -np.inf)
        weight = np.zeros(entry.shape)
        for place, mine in enumerate(behind):
            if not len(mine):
                continue
            members, away = centres.nearest_members(int(output.centre[place]))
            entry[place, : len(mine)], similarity[place, : len(mine)] = members, 0.0 - away
            weight[place, : len(mine)] = 1 / len(mine)
        number = np.append(centres.number, -1)[output.centre]
        told = {"centre": number, "class": output.label, "path": paths_of(output)}
        matches = Matches(
            torch.from_numpy(entry),
            torch.from_numpy(similarity).float(),
            torch.zeros(len(entry), dtype=torch.int64),
            torch.from_numpy(weight).float(),
            {name: torch.from_numpy(values) for name, values in told.items()},
        )
        return [Reading(matches, queries_of(output), objects)]


def paths_of(looks: Looks) -> Numbers:
    """Nodes from below the root to the centre of each object: (n, 2), -1 where there are none."""
    return np.concatenate((looks.centres.paths, [[-1, -1]]))[looks.centre]


def queries_of(looks: Looks) -> Queries:
    """One query for each object of the picture."""
    box, label, labels = (torch.from_numpy(values) for values in (looks.box, looks.number, looks.instances))
    return Queries(None, None, box.float(), label, labels)
