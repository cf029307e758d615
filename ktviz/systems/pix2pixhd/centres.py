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
from ktviz.retrieval.credit import Credit
from ktviz.systems.pix2pixhd.objects import Codes, Numbers, Objects, Vectors

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

    @classmethod
    def of_file(cls, centres: Mapping[int, Vectors], classes: Classes, bank: str = "centres") -> Centres:
        """Of a published file: by class (K, C)."""
        known = sorted((int(label), np.asarray(codes, np.float64)) for label, codes in centres.items())
        label = np.repeat([label for label, _ in known], [len(codes) for _, codes in known]).astype(np.int64)
        codes = np.concatenate([codes for _, codes in known]) if known else np.empty((0, 0))
        words = [str(n) for _, codes in known for n in range(len(codes))]
        return cls(codes, label, classes, bank, None, None, np.ones(len(label), bool), words)

    @classmethod
    def of_bank(cls, banks: Codes, classes: Classes) -> Centres:
        """Of banks of codes: those of one class stand together, bank after bank."""
        order = np.argsort(banks.centre_label, kind="stable")
        label = banks.centre_label[order].astype(np.int64)
        number = np.arange(len(order)) - np.searchsorted(label, label)
        members = tuple(np.asarray(banks.members(int(centre)), dtype=np.int64) for centre in order)
        codes, bank = banks.centres[order].astype(np.float64), f"centres of {', '.join(banks.names)}"
        there = np.ones(len(order), bool)
        return cls(codes, label, classes, bank, members, banks, there, [str(n) for n in number])

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

    def nearest(self, label: int, code: Vectors) -> int:
        """The centre of a class whose code is nearest, of equally near ones the first; -1 where there is none."""
        mine = self.of_class(label)
        if not len(mine):
            return -1
        return int(mine[distances(self.codes[mine], code).argmin()])

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
                codes[centre] = self.objects.codes[members[centre]].astype(np.float64).mean(0)
        there = np.array([len(mine) > 0 for mine in members], bool)
        return replace(self, codes=codes, members=tuple(members), there=there)

    def clustered_again(self, entries: Numbers) -> Centres:
        """Centres of a bank in which every class that loses one of some entries is clustered again."""
        if not len(entries):
            return self
        changed = self.banks.without(entries, again=True)
        found = Centres.of_clusters(self.banks, changed.clusters, self.classes, f"{self.bank}, clustered again")
        ...

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


def distances(codes: Vectors, code: Vectors) -> Vectors:
    """Euclidean distance of some codes (n, C) to one: (n,)."""
    found: Vectors = np.sqrt(np.square(codes - code).sum(1))
    return found
