"""Clusters of codes, class by class, as pix2pixHD's `encode_features.py` makes them; and what is left without some.

The published code forgets who the members of a centre are. Here a centre *is* its members: its code is their mean, to
the last bit, whoever computes it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ktviz.library.kinds.codes.rows import Codes, Numbers, Values
from ktviz.library.kinds.codes.settings import CodeSettings

Mask = npt.NDArray[np.bool_]

SEED, TRIES = 0, 10
"""As published; ten tries were scikit-learn's default then."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """K centres.

    Attributes:
        label: (K,) class of each, ascending.
        centres: (K, C) mean code of its members.
        members: Of each, the numbers of its entries, ascending; at least one.
        inertia: (K,) sum of the squared distances of its members from it.
    """

    label: Numbers
    centres: Codes
    members: tuple[Numbers, ...]
    inertia: Values

    @classmethod
    def of(cls, codes: Codes, labels: Numbers, members: Iterable[Numbers]) -> Clusters:
        """The centres of groups of entries.

        Args:
            codes: (n, C) of all entries.
            labels: (n,) classes of all entries.
            members: Groups of entries of one class each, class after class.
        """
        groups = tuple(members)
        centres = np.array([mean(codes[group]) for group in groups]).reshape(len(groups), codes.shape[1])
        inertia = [distance(codes[group], centre) for group, centre in zip(groups, centres, strict=True)]
        label = np.array([labels[group[0]] for group in groups], np.int64)
        return cls(label, centres, groups, np.array(inertia, np.float64))

    def __len__(self) -> int:
        return len(self.members)

    def of_class(self, label: int) -> Numbers:
        """The centres of a class, ascending."""
        return np.flatnonzero(self.label == label)

    def centre_of(self, entries: int) -> Numbers:
        """The centre of each of so many entries, -1 for none: (entries,)."""
        found = np.full(entries, -1, np.int64)
        for number, group in enumerate(self.members):
            found[group] = number
        return found

    def nearest(self, code: Codes, label: int) -> int:
        """The centre of a class nearest to a code, the lowest of equals; -1 if the class has none."""
        known = self.of_class(label)
        if not len(known):
            return -1
        return int(known[np.argmin([distance(code[None], self.centres[k]) for k in known])])


@dataclass(frozen=True, eq=False)
class Changed:
    """Clusters without some entries.

    Attributes:
        clusters: What is left; entries keep their numbers.
        follows: For each centre that was, the one in its place: itself with what is left of its members; -1 where it
            vanished or its class was clustered again. `CodeUnion.without` has the nearest of its class there, and -1
            where the class has none.
    """

    clusters: Clusters
    follows: Numbers


def clustered(codes: Codes, labels: Numbers, area: Values, settings: CodeSettings) -> Clusters:
    """Cluster the codes of large objects, class by class.

    Args:
        codes: (n, C).
        labels: (n,) class of each.
        area: (n,) of each, in 32nds of its picture.
        settings: How many centres a class has, and which objects count.

    Example:
        >>> codes = np.array([[0.0], [0.1], [0.9], [5.0]])
        >>> settings = CodeSettings("a coder", size=1, clusters=2)
        >>> clustered(codes, np.array([3, 3, 3, 4]), np.array([1.0, 1.0, 1.0, 0.5]), settings).centres.round(2).tolist()
        [[0.05], [0.9]]
    """
    large = area > settings.least_area
    pools = (np.flatnonzero(large & (labels == label)) for label in np.unique(labels))
    return Clusters.of(codes, labels, (group for pool in pools for group in grouped(codes, pool, settings.clusters)))


def grouped(codes: Codes, pool: Numbers, clusters: int) -> list[Numbers]:
    """Entries of one class in groups, in the order of scikit-learn's centres.

    Where many codes are equal there may be fewer groups than centres were asked for. scikit-learn stops when centres
    hardly move; then they are those of the round before, up to that little.

    Args:
        codes: (n, C) of all entries.
        pool: Those to be clustered, ascending; the result depends on their order.
        clusters: Groups, at most.
    """
    if not len(pool):
        return []
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    count = min(len(pool), clusters)
    with threadpool_limits(1), warnings.catch_warnings():  # threads would add up in any order
        warnings.simplefilter("ignore", ConvergenceWarning)  # of equal codes
        found = KMeans(count, random_state=SEED, n_init=TRIES).fit_predict(codes[pool])
    groups = (pool[found == number] for number in range(count))
    return [group for group in groups if len(group)]


def without(clusters: Clusters, codes: Codes, labels: Numbers, gone: Mask, again: int | None) -> Changed:
    """Clusters of one bank without some entries.

    Args:
        clusters: What there is.
        codes: (n, C) of all entries.
        labels: (n,) classes of all entries.
        gone: (n,) bool, which are to be left out.
        again: None recomputes the means of the members that are left; a number clusters every class that loses a
            member again, with so many centres at most.

    Returns:
        `follows` is -1 for every centre that has no member left, or whose class was clustered again.
    """
    members: list[Numbers] = []
    follows = np.full(len(clusters), -1, np.int64)
    for label in np.unique(clusters.label):
        numbers = clusters.of_class(label)
        left = [clusters.members[k][~gone[clusters.members[k]]] for k in numbers]
        loses = any(len(few) < len(clusters.members[k]) for k, few in zip(numbers, left, strict=True))
        if loses and again is not None:
            members += grouped(codes, np.sort(np.concatenate(left)), again)
            continue
        for k, few in zip(numbers, left, strict=True):
            if len(few):
                follows[k] = len(members)
                members.append(few)
    return Changed(Clusters.of(codes, labels, members), follows)


def joined(parts: Sequence[Clusters], first_entry: Sequence[int]) -> Clusters:
    """Clusters of several banks, centres and entries numbered through.

    Args:
        parts: Of each bank; at least one.
        first_entry: Number of the first entry of each.
    """
    members = [group + first for part, first in zip(parts, first_entry, strict=True) for group in part.members]
    label, centres, inertia = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("label", "centres", "inertia")
    )
    return Clusters(label, centres, tuple(members), inertia)


def mean(codes: Codes) -> Codes:
    """The mean of codes (n, C), rounded once: the same in any order."""
    return np.array([math.fsum(column) / len(codes) for column in codes.T])


def distances(codes: Codes, code: Codes) -> Values:
    """Euclidean distance of some codes (n, C) from one: (n,)."""
    found: Values = np.sqrt(np.square(codes - code).sum(1))
    return found


def nearest_first(codes: Codes, members: Numbers, centre: Codes) -> tuple[Numbers, Values]:
    """Members of a centre, the nearest to it first, and how far from it each is.

    Args:
        codes: (n, C) of all entries.
        members: Entries, ascending; of equally near ones the lowest comes first.
        centre: (C,).
    """
    away = distances(codes[members], centre)
    order = np.argsort(away, kind="stable")
    return members[order], away[order]


def distance(codes: Codes, centre: Codes) -> float:
    """Squared distances of codes (n, C) from a centre, added up and rounded once."""
    return math.fsum(np.square(codes - centre).ravel())
