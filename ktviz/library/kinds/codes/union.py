"""Several banks of codes as one: what the looks of objects are chosen from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ktviz.errors import LibraryError, UnknownNameError
from ktviz.labels.maps import Map
from ktviz.library.kinds.codes.bank import CodeBank
from ktviz.library.kinds.codes.clusters import Changed, Clusters, Mask, joined
from ktviz.library.kinds.codes.objects import Objects
from ktviz.library.kinds.codes.rows import Codes, Numbers, Values
from ktviz.library.kinds.pictures.kept import KeptBanks
from ktviz.library.layout import CODES
from ktviz.library.maps import check_classes
from ktviz.values import listed, whole


class CodeUnion(KeptBanks[CodeBank]):
    """One or more banks of codes. Entries are objects; they, sources and centres are numbered through, bank after bank.

    Args:
        banks: At least one, all of one coder and of the same classes.

    Raises:
        LibraryError: They are not; the message names the first difference.

    Example:
        >>> banks = samples.bank("pots/glazed", quiet=True)
        >>> banks.codes.shape[0] == len(banks)
        True
        >>> streets = samples.bank("scenes/streets", quiet=True)
        >>> cars = streets.of_class(streets.classes.number("car"))
        >>> members = streets.members(int(cars[0]))
        >>> first = torch.from_numpy(members[:2])
        >>> streets.source_of(first).shape, streets.boxes(first).shape
        (torch.Size([2]), torch.Size([2, 4]))
        >>> streets.object_map(0).shape == streets.picture(0).shape[:2]
        True
        >>> len(streets.without(members[:1], again=False).clusters) == len(streets.clusters)
        True
    """

    kind = CODES

    def __init__(self, banks: Sequence[CodeBank]) -> None:
        super().__init__(banks)
        first = self.banks[0]
        for bank in self.banks[1:]:
            asked = f"banks {first.name} and {bank.name} together"
            ours, theirs = ((b.settings.coder, b.settings.size) for b in (first, bank))
            if ours != theirs:
                found = f"made with the coders {ours[0][:12]} ({ours[1]} numbers) and {theirs[0][:12]} ({theirs[1]})"
                raise LibraryError(asked, found, "Name banks of one coder")
            check_classes(first.classes, bank.classes, asked)

    @property
    def name(self) -> str:
        """What its entries are numbered in, as a trace calls it."""
        return "library"

    @property
    def coder(self) -> str:
        """Digest of what made the codes."""
        return self.banks[0].settings.coder

    @property
    def codes(self) -> Codes:
        """Of all objects: (n, C)."""
        return self.objects.code

    @property
    def label(self) -> Numbers:
        """Class of each object: (n,); -1 of whole pictures."""
        return self.objects.label

    @property
    def number(self) -> Numbers:
        """Number of each object in its picture: (n,); -1 of whole pictures."""
        return self.objects.number

    @property
    def area(self) -> Values:
        """Of each object in 32nds of its picture: (n,)."""
        return self.objects.area

    @property
    def box(self) -> Numbers:
        """Around each object: (n, 4) x, y, width, height in px."""
        return self.objects.box

    @property
    def source(self) -> Numbers:
        """Number of the source of each object: (n,)."""
        return self.objects.source

    @cached_property
    def centre(self) -> Numbers:
        """Number of the centre of each object: (n,); -1 of those too small to be a member of one."""
        return self.clusters.centre_of(len(self))

    @property
    def centres(self) -> Codes:
        """(K, C): each the mean of its members."""
        return self.clusters.centres

    @property
    def centre_label(self) -> Numbers:
        """Class of each centre: (K,)."""
        return self.clusters.label

    def members(self, centre: int) -> Numbers:
        """The entries that a centre is the mean of, ascending."""
        return self.clusters.members[centre]

    def of_class(self, label: int) -> Numbers:
        """The centres of a class; of several banks, bank after bank."""
        return self.clusters.of_class(label)

    def object_map(self, source: int) -> Map:
        """The object of every pixel of a source: (H, W) int64; see `CodeBank.object_map`."""
        bank, number = self.bank_of_source(source)
        return bank.object_map(number)

    def without(self, entries: Iterable[int] | Tensor | npt.NDArray[Any], again: bool) -> Changed:
        """The clusters without some entries; the banks stay as they are.

        Args:
            entries: Which to leave out.
            again: Whether the classes that lose a member are clustered again, as if the entries had never been in the
                bank; else only the means of the members that are left are taken.

        Raises:
            UnknownNameError: There is no such entry.
            SettingError: Something else.
        """
        gone = self._mask(entries)
        ends = self.entry_offset.tolist()
        parts = [bank.without(gone[a:b], again) for bank, a, b in zip(self.banks, ends[:-1], ends[1:], strict=True)]
        clusters = joined([part.clusters for part in parts], ends[:-1])
        first = np.cumsum([0, *(len(part.clusters) for part in parts)])
        follows = np.concatenate(
            [np.where(part.follows < 0, -1, part.follows + n) for part, n in zip(parts, first[:-1], strict=True)]
        )
        for k in np.flatnonzero(follows < 0):
            follows[k] = clusters.nearest(self.centres[k], int(self.centre_label[k]))
        return Changed(clusters, follows)

    def source_of(self, entries: Tensor) -> Tensor:
        """Source number of entries."""
        return torch.from_numpy(self.source)[entries]

    def boxes(self, entries: Tensor) -> Tensor:
        """Where entries (n,) lie in their sources: (n, 4) float32 x, y, width, height in px."""
        return torch.from_numpy(self.box).float()[entries]

    @cached_property
    def objects(self) -> Objects:
        """All entries."""
        return Objects.joined([bank.objects for bank in self.banks], self.source_offset[:-1].tolist())

    @cached_property
    def clusters(self) -> Clusters:
        """All centres."""
        return joined([bank.clusters for bank in self.banks], self.entry_offset[:-1].tolist())

    def _mask(self, entries: Iterable[int] | Tensor | npt.NDArray[Any]) -> Mask:
        gone = np.zeros(len(self), bool)
        given = entries.tolist() if isinstance(entries, (Tensor, np.ndarray)) else entries
        for entry in listed(given):
            if not 0 <= whole("without entry", entry) < len(self):
                found = f"entries go from 0 to {len(self) - 1:,}"
                raise UnknownNameError(f"entry {entry}", found, "Take one that a trace names")
            gone[entry] = True
        return gone
