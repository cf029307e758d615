"""Centres: what objects of a class can look like, and the objects behind each.

A centre of a bank is the mean of its members' codes, so what it owes to each is exact: one part in as many as there
are. Centres of a published file know no members. Where a photograph's own codes are used, every object of it is a
centre with one member.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ktviz.labels import Classes
from ktviz.library.kinds.codes.clusters import Clusters, distances, mean, nearest_first
from ktviz.library.kinds.codes.tree import paths_of
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.retrieval.credit import Credit
from ktviz.systems.pix2pixhd.objects import Numbers, Objects, Vectors

NOTHING = -1
"""In place of a centre, where a class has none."""
Members = tuple[Numbers, ...]


@dataclass(frozen=True, eq=False)
class Former:
    """Centres before their classes were clustered again.

    Attributes:
        label: (K,) their classes, ascending.
        became: (K,) the centre that each became; -1 where its class has none any more.
    """

    label: Numbers
    became: Numbers


@dataclass(frozen=True, eq=False)
class Placed:
    """Where centres are in the trees of banks.

    Attributes:
        banks: (K,) name of the bank of each.
        paths: (K, 2) nodes from below the root to each: of the class, and of the centre.
    """

    banks: Sequence[str]
    paths: Numbers


@dataclass(frozen=True, eq=False)
class Centres:
    """A catalogue of centres, by class; see `ktviz.retrieval.catalogue.Knowledge`.

    Attributes:
        codes: (K, C).
        label: (K,) their classes, ascending.
        classes: What these are called.
        bank: What the catalogue is called.
        members: Entries of `objects` behind each; None where nobody knows them.
        objects: What these are entries of.
        there: (K,) bool, those that can be chosen: not those whose members were all left out.
        words: (K,) what tells each from others of its class.
        former: Where classes were clustered again, what the centres before were, and what became of them.
        placed: Where they are in the trees of banks; None where they are in none.
    """

    codes: Vectors
    label: Numbers
    classes: Classes
    bank: str
    members: Members | None
    objects: Objects | None
    there: np.ndarray[Any, np.dtype[np.bool_]]
    words: Sequence[str]
    former: Former | None = None
    placed: Placed | None = None

    @classmethod
    def of_file(cls, centres: Mapping[int, Vectors], classes: Classes, bank: str = "centres") -> Centres:
        """Of a published file: by class (K, C)."""
        known = sorted((int(label), np.asarray(codes, np.float64)) for label, codes in centres.items())
        label = np.repeat([label for label, _ in known], [len(codes) for _, codes in known]).astype(np.int64)
        codes = np.concatenate([codes for _, codes in known]) if known else np.empty((0, 0))
        words = [str(n) for _, codes in known for n in range(len(codes))]
        return cls(codes, label, classes, bank, None, None, np.ones(len(label), bool), words)

    @classmethod
    def of_bank(cls, banks: CodeUnion, classes: Classes) -> Centres:
        """Of banks of codes: those of one class stand together, bank after bank."""
        found = cls.of_clusters(banks, banks.clusters, classes, f"centres of {', '.join(banks.names)}")
        order = by_class(banks.clusters)
        paths = np.concatenate([paths_of(bank) for bank in banks.banks])
        names = [bank.name for bank in banks.banks for _ in range(len(bank.clusters))]
        return replace(found, placed=Placed([names[centre] for centre in order], paths[order]))

    @classmethod
    def of_clusters(cls, banks: CodeUnion, clusters: Clusters, classes: Classes, bank: str) -> Centres:
        """Of what the entries of banks were clustered to."""
        order = by_class(clusters)
        label = clusters.label[order]
        number = np.arange(len(order)) - np.searchsorted(label, label)
        members = tuple(clusters.members[centre] for centre in order)
        there, words = np.ones(len(order), bool), [str(n) for n in number]
        return cls(clusters.centres[order], label, classes, bank, members, banks, there, words)

    @classmethod
    def of_objects(cls, objects: Objects, entries: Numbers, classes: Classes, bank: str) -> Centres:
        """Each of some objects by itself."""
        order = entries[np.lexsort((objects.number[entries], objects.label[entries]))]
        codes, words = objects.codes[order].astype(np.float64), [f"object {n}" for n in objects.number[order]]
        members = tuple(np.array([entry]) for entry in order)
        there = np.ones(len(order), bool)
        return cls(codes, objects.label[order].astype(np.int64), classes, bank, members, objects, there, words)

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def number(self) -> Numbers:
        """(K,) number of each within its class."""
        first = np.searchsorted(self.label, self.label)
        return np.arange(len(self)) - first

    def of_class(self, label: int) -> Numbers:
        """The centres of a class that can be chosen, by number."""
        return np.flatnonzero((self.label == label) & self.there)

    @property
    def own(self) -> Former:
        """The centres of the bank itself, whatever was left out since: what draws and people mean by their numbers."""
        return Former(self.label, np.arange(len(self))) if self.former is None else self.former

    def counts(self) -> dict[int, int]:
        """How many centres each class of the bank has."""
        labels, counts = np.unique(self.own.label, return_counts=True)
        return dict(zip(labels.tolist(), counts.tolist(), strict=True))

    def place(self, label: int, number: int) -> int:
        """Which centre a number within a class of the bank means; -1 where there is none any more."""
        own = self.own
        return int(own.became[np.searchsorted(own.label, label) + number])

    @property
    def paths(self) -> Numbers:
        """(K, 2) nodes from below the root to each, in the tree of its bank; -1 where they are in none."""
        return np.full((len(self), 2), -1) if self.placed is None else self.placed.paths

    def at(self, label: Numbers, number: Numbers) -> Numbers:
        """(n,) the centres that numbers within classes are here, as a trace states them."""
        return np.searchsorted(self.label, label) + number

    def nearest(self, label: int, code: Vectors) -> int:
        """The centre of a class whose code is nearest, of equally near ones the first; -1 where there is none."""
        mine = self.of_class(label)
        if not len(mine):
            return -1
        return int(mine[distances(self.codes[mine], code).argmin()])

    def nearest_members(self, centre: int) -> tuple[Numbers, Vectors]:
        """Members of a centre, the nearest to it first, and how far each is."""
        if self.members is None or self.objects is None:
            return np.empty(0, np.int64), np.empty(0)
        return nearest_first(self.objects.codes, self.members[centre], self.codes[centre])

    def sizes(self) -> Numbers:
        """(K,) members of each; 1 where nobody knows them."""
        return np.array([len(mine) for mine in self.members] if self.members else np.ones(len(self)), dtype=np.int64)

    def means(self) -> dict[int, Vectors]:
        """The mean code of each class, over all that were clustered."""
        sizes = self.sizes()
        return {
            int(label): np.average(self.codes[mine], axis=0, weights=sizes[mine])
            for label in np.unique(self.label)
            if sizes[mine := self.label == label].sum()
        }

    def without(self, entries: Numbers) -> Centres:
        """Centres whose means leave some entries out; those that have no member left cannot be chosen.

        Args:
            entries: Of `objects`; of a published file the centres themselves.
        """
        if not len(entries):
            return self
        if self.members is None or self.objects is None:
            return replace(self, there=self.there & ~np.isin(np.arange(len(self)), entries))
        codes, members = self.codes.copy(), list(self.members)
        for centre, mine in enumerate(self.members):
            members[centre] = mine[~np.isin(mine, entries)]
            if 0 < len(members[centre]) < len(mine):
                codes[centre] = mean(self.objects.codes[members[centre]])
        there = np.array([len(mine) > 0 for mine in members], bool)
        return replace(self, codes=codes, members=tuple(members), there=there)

    def clustered_again(self, entries: Numbers) -> Centres:
        """Centres of banks, in which every class that loses one of some entries is clustered again."""
        if not len(entries) or not isinstance(self.objects, CodeUnion):
            return self.without(entries)
        changed = self.objects.without(entries, again=True)
        found = Centres.of_clusters(self.objects, changed.clusters, self.classes, f"{self.bank}, clustered again")
        place = np.append(by_class(changed.clusters).argsort(), NOTHING)  # the last is what -1 finds
        became = place[changed.follows[by_class(self.objects.clusters)]]
        return replace(found, former=Former(self.label, became))

    @property
    def name(self) -> str:
        """What tells it apart from other catalogues."""
        return self.bank

    @property
    def source_names(self) -> list[str]:
        """Every centre: it is of no single picture."""
        return [f"{self.classes.names[label]} {word}" for label, word in zip(self.label, self.words, strict=True)]

    def source_of(self, entries: Tensor) -> Tensor:
        """Each centre is its own source."""
        return entries

    def boxes(self, entries: Tensor) -> Tensor:
        """None: a centre lies nowhere."""
        return torch.full((len(entries), 4), torch.nan)

    def describe_sources(self) -> list[dict[str, Any]]:
        """Every centre; whose works are behind it, its members say."""
        credit = {**Credit().described(), "sha256": "unknown"}
        return [{"source": name, "bank": self.bank, **credit, "title": name} for name in self.source_names]

    def digests(self) -> dict[str, str]:
        """None: they follow from the bank, or are the system's."""
        return {}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of classes and codes."""
        found = hashlib.sha256(self.label.astype("<i8").tobytes())
        found.update(self.codes.astype("<f8").tobytes())
        return found.hexdigest()


def by_class(clusters: Clusters) -> Numbers:
    """The order in which centres of one class stand together."""
    return np.argsort(clusters.label, kind="stable")
