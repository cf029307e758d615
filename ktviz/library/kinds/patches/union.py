"""Several banks searched as one: `library["art"]` is the union of its styles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import torch
from torch import Tensor

from ktviz.errors import UnknownNameError
from ktviz.library.banks import Banks, Part
from ktviz.library.format import EncoderIdentity
from ktviz.library.kinds.patches.bands import band_energy, norm_parts, to_patches, to_vectors
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.carried import CPU
from ktviz.library.kinds.patches.entries import GRID_CHUNK, grid_scales
from ktviz.library.kinds.patches.grid import SIZE, PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.library.kinds.patches.source import PatchSource, px_per_cell
from ktviz.library.layout import PATCHES
from ktviz.library.names import Joined
from ktviz.regions import SourceRegion
from ktviz.retrieval.exact import lengths, on_grid, root
from ktviz.retrieval.matches import Matches

MOST_HELD = 1000
"""Sources whose pictures are kept: 60 MB."""


class BankUnion(Banks[Bank]):
    """One or more banks of patches. Entries and sources are numbered through, bank after bank.

    Args:
        banks: At least one.
        encoder: Which encoder made their features.

    Example:
        >>> banks = world.library[bank]
        >>> banks.source_names[0], banks.excluded(["red"]).sum().item() > 0
        ('toy/flat/cyan.png', True)
    """

    kind = PATCHES

    def __init__(self, banks: Sequence[Bank], encoder: EncoderIdentity) -> None:
        super().__init__(banks)
        self.encoder = encoder

    @property
    def name(self) -> str:
        """What its entries are numbered in, as a trace calls it."""
        return "library"

    @cached_property
    def sources(self) -> Sequence[PatchSource]:
        """All sources, bank after bank."""
        return self.banks[0].sources if len(self.banks) == 1 else Joined([bank.sources for bank in self.banks])

    def search(
        self,
        queries: Tensor,
        settings: SearchSettings = SearchSettings(),
        excluded: Tensor | None = None,
        device: torch.device = CPU,
    ) -> Matches:
        """Search every bank and keep the best.

        Args:
            queries: (N, C, 4, 4), as in `Bank.search`.
            settings: How to search.
            excluded: (entries,) bool of entries to pass over, as made by `excluded()`.
            device: Where to compare with all entries, as in `Bank.search`.

        Returns:
            Matches of N queries, entries numbered through all banks.

        Raises:
            SettingError, LibraryError: As in `Bank.search`.

        Example:
            >>> world.banks.search(world.banks.patches(torch.tensor([7, 200]))).winner_similarity
            tensor([1., 1.])
        """
        found, offset = [], []
        for number, bank in enumerate(self.banks):
            first, last = self.entry_offset[number : number + 2].tolist()
            hidden = None if excluded is None else excluded[first:last]
            if hidden is None or not hidden.all():
                found.append(bank.search(queries, settings, hidden, device))
                offset.append(int(self.entry_offset[number]))
        return merge(found, offset, settings.candidates)

    def excluded(self, without: Iterable[Part]) -> Tensor | None:
        """Mask of the entries to pass over: (entries,) bool, or None if `without` is empty.

        Args:
            without: Names of sources, names of whole banks, numbers of entries, and parts of sources: entries that they
                touch.

        Raises:
            UnknownNameError: No source or bank has that name, or several; there is no such entry, or none would be
                left.
            RegionError: A part that is not wholly inside its source.
        """
        without = self.full_names(without)
        if not without:
            return None
        mask = torch.zeros(len(self), dtype=torch.bool)
        for name in (name for name in without if isinstance(name, str)):
            if name in self.names:
                first = self.names.index(name)
                mask[self.entry_offset[first] : self.entry_offset[first + 1]] = True
            else:
                mask[self.entries_of(self.source_numbers[name])] = True
        for region in (part for part in without if isinstance(part, SourceRegion)):
            mask[self.touched(region)] = True
        entries = [entry for entry in without if not isinstance(entry, (str, SourceRegion))]
        for entry in entries:
            if not 0 <= entry < len(self):
                raise UnknownNameError(
                    f"entry {entry}", f"entries go from 0 to {len(self) - 1:,}", "Take one that a trace names"
                )
        mask[torch.tensor(entries, dtype=torch.int64)] = True
        if mask.all():
            named = ", ".join(map(str, without[:5]))
            raise UnknownNameError(f"search without {named}", "nothing would be left", "Exclude fewer, or add banks")
        return mask

    def entries_of(self, source: int) -> Tensor:
        """The entries of a source: (n,) int64, ascending.

        Example:
            >>> world.banks.entries_of(0)[:3], len(world.banks.entries_of(0))
            (tensor([0, 1, 2]), 169)
        """
        bank, number = self.bank_of_source(source)
        first: Tensor = self.entry_offset[self.banks.index(bank)]
        return (bank.entries.of_source(number) + first).sort().values

    def touched(self, region: SourceRegion) -> Tensor:
        """The entries that reach into a part of a source, by its whole name: (n,) int64, ascending.

        Example:
            >>> len(world.banks.touched(kt.SourceRegion("toy/flat/red.png", kt.Box(0, 0, 8, 8))))
            4
        """
        entries, box = self.entries_of(self.source_numbers[region.source]), region.box
        left, top, width, height = self.boxes(entries).T
        inside = (left < box.right) & (left + width > box.x) & (top < box.bottom) & (top + height > box.y)
        return entries[inside]

    def locate(self, entries: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Source number and top-left feature cell (y, x) of entries: three tensors of their shape.

        Example:
            >>> [*world.banks.locate(torch.tensor([0, 844]))]
            [tensor([0, 3]), tensor([ 0, 12]), tensor([ 0, 12])]
        """
        entries = torch.as_tensor(entries)
        if len(self.banks) == 1:
            return self.banks[0].entries.where(entries)
        where = torch.empty(3, entries.numel(), dtype=torch.int64)
        for number, mine, local in self._by_bank(entries.flatten()):
            where[:, mine] = torch.stack(self.banks[number].entries.where(local))
            where[0, mine] += self.source_offset[number]
        source, y, x = where.view(3, *entries.shape)
        return source, y, x

    def source_of(self, entries: Tensor) -> Tensor:
        """Source number of entries: int64 of their shape.

        Example:
            >>> world.banks.source_of(torch.tensor([0, 844]))
            tensor([0, 3])
        """
        return self.locate(entries)[0]

    def hold(self, entries: Tensor) -> None:
        """Keep the small pictures of the sources of some entries (n,) in memory, of very many the most frequent.

        Example:
            >>> world.banks.hold(torch.tensor([0, 844]))
        """
        sources, counts = self.source_of(entries).unique(return_counts=True)
        for source in sources[counts.argsort(descending=True, stable=True)][:MOST_HELD].tolist():
            bank, number = self.bank_of_source(source)
            bank.hold(number)

    def boxes(self, entries: Tensor) -> Tensor:
        """Where entries (n,) lie in their original sources: (n, 4) float32 x, y, width, height in px.

        A bank scales a source to its own side and cuts less than a cell off; this undoes the scaling.

        Example:
            >>> world.banks.boxes(torch.tensor([0, 844]))
            tensor([[ 0.,  0., 16., 16.],
                    [48., 48., 16., 16.]])
        """
        source, y, x = self.locate(entries)
        size = torch.full_like(y, SIZE)
        return torch.stack((x, y, size, size), dim=-1) * self._px_per_cell[source][..., None]

    def paths(self, entries: Tensor) -> Tensor:
        """Nodes down to each entry's leaf in its own bank: (N,) to (N, depth), -1 beyond the leaf.

        Example:
            >>> world.banks.paths(torch.tensor([0, 844])).shape
            torch.Size([2, 2])
        """
        depth = max(bank.tree.depth for bank in self.banks)
        paths = torch.full((len(entries), depth), -1)
        for number, mine, local in self._by_bank(entries):
            tree = self.banks[number].tree
            paths[mine, : tree.depth] = tree.paths(tree.leaf_of(local))
        return paths

    def look_back(self, features: Tensor, grid: PatchGrid, matches: Matches) -> tuple[Tensor, Tensor, Tensor]:
        """What a search does not report of its retrievals, found again from the queries.

        Returns:
            How near each query is to the nodes on its winner's path, by the cosine of whole patches, by which greedy
            descent would choose: (N, depth), NaN beyond the leaf. The parts of norm in each band, squares summing to 1,
            of the queries (N, 4) and of the candidates (N, k, 4).

        Example:
            >>> features, grid, settings = world.translator.encode(photo), world.translator.grid(64, 64), kt.Settings()
            >>> matches = world.translator.retrieval(features, grid, settings)
            >>> [found.shape for found in world.banks.look_back(features, grid, matches)]
            [torch.Size([49, 2]), torch.Size([49, 4]), torch.Size([49, 8, 4])]
        """
        path = matches["path"]
        cosine, energy = torch.full(path.shape, torch.nan), torch.empty(len(path), 4, dtype=torch.float64)
        for number, mine, local in self._by_bank(matches.winner):
            passed, place = path[mine].clamp(min=0).unique(return_inverse=True)
            centres = on_grid(self.banks[number].tree.centres_of(passed))
            norms = lengths(centres)
            for rows in local.argsort().split(GRID_CHUNK):  # leaf by leaf, as entries lie: few nodes at a time
                few, nodes = place[rows].unique(return_inverse=True)
                queries, part = on_grid(to_vectors(grid.unfold(features, mine[rows]))), mine[rows]
                energy[part] = band_energy(queries)
                products = (queries @ centres[few].T).gather(1, nodes)
                norm = root(energy[part].sum(1, keepdim=True)).clamp(min=1)  # of whole numbers: 0, or at least 1
                cosine[part] = (products / (norm * norms[few][nodes])).float()
        cosine.masked_fill_(path < 0, torch.nan)
        return cosine, norm_parts(energy), norm_parts(self.energies(matches.entry.clamp(min=0)))

    def of_source(self, source: int) -> Tensor:
        """The entries of a source, in order of their places: (n,) int64.

        Example:
            >>> len(world.banks.of_source(4))
            169
        """
        bank, number = self.bank_of_source(source)
        first = self.entry_offset[torch.searchsorted(self.source_offset, source, right=True) - 1]
        return bank.entries.of_source(number) + first

    def vectors(self, entries: Tensor) -> Tensor:
        """Patches of entries (N,), position-major: (N, 16 C) float32.

        Example:
            >>> world.banks.vectors(torch.tensor([0, 844])).shape
            torch.Size([2, 48])
        """
        if len(self.banks) == 1:
            return self.banks[0].entries.vectors(entries)
        out = torch.empty(len(entries), 16 * self.encoder.channels)
        for number, mine, local in self._by_bank(entries):
            out[mine] = self.banks[number].entries.vectors(local)
        return out

    def on_grid(self, entries: Tensor, out: Tensor | None = None) -> Tensor:
        """The same on the grid of exact products, multiplied by `scales`: (N, 16 C) float64.

        Example:
            >>> entries = torch.tensor([0, 844])
            >>> scaled = world.banks.vectors(entries) * world.banks.scales(entries)[:, None]
            >>> (world.banks.on_grid(entries) - scaled).abs().max().item() <= 0.5
            True
        """
        if len(self.banks) == 1:
            return self.banks[0].entries.on_grid(entries, out)
        out = torch.empty(len(entries), 16 * self.encoder.channels, dtype=torch.float64) if out is None else out
        for number, mine, local in self._by_bank(entries):
            out[mine] = self.banks[number].entries.on_grid(local)
        return out

    def views(self, entries: Tensor) -> tuple[Tensor, Tensor] | None:
        """As of `Entries`.

        Example:
            >>> world.banks.views(torch.tensor([0, 844])) is None  # no kernel reads features of 3 channels
            True
        """
        start, stride = torch.empty_like(entries), torch.empty_like(entries)
        for number, mine, local in self._by_bank(entries.flatten()):
            found = self.banks[number].entries.views(local)
            if found is None:
                return None
            start.view(-1)[mine], stride.view(-1)[mine] = found
        return start, stride

    def scales(self, entries: Tensor) -> Tensor:
        """The powers of two by which patches of entries are multiplied to lie on the grid: float64 of their shape.

        Example:
            >>> world.banks.scales(torch.tensor([0, 844])).log2()
            tensor([22., 23.], dtype=torch.float64)
        """
        return grid_scales(self.energies(entries))

    def patches(self, entries: Tensor) -> Tensor:
        """Patches of entries (N,): (N, C, 4, 4) float32.

        Example:
            >>> world.banks.patches(torch.tensor([0, 844])).shape
            torch.Size([2, 3, 4, 4])
        """
        return to_patches(self.vectors(entries))

    def energies(self, entries: Tensor) -> Tensor:
        """Band energies of entries: (..., 4) float32.

        Example:
            >>> world.banks.energies(torch.tensor([0, 844])).shape
            torch.Size([2, 4])
        """
        if len(self.banks) == 1:
            return self.banks[0].entries.energies(entries)
        found = torch.empty(entries.numel(), 4)
        for number, mine, local in self._by_bank(entries.flatten()):
            found[mine] = self.banks[number].entries.energies(local)
        return found.view(*entries.shape, 4)

    def shifted(self, entries: Tensor, down: int, right: int) -> Tensor:
        """The entries so many cells further in the same source: (N,); -1 where there is none.

        Example:
            >>> world.banks.locate(world.banks.shifted(torch.tensor([0]), down=1, right=2))
            (tensor([0]), tensor([1]), tensor([2]))
        """
        found = torch.full_like(entries, -1)
        for number, mine, local in self._by_bank(entries):
            held = self.banks[number].entries
            source, y, x = held.where(local)
            other = held.find(source, y + down, x + right)
            found[mine] = torch.where(other >= 0, other + self.entry_offset[number], -1)
        return found

    @cached_property
    def _px_per_cell(self) -> Tensor:
        """Original px per feature cell of each source: (sources,) float32."""
        return torch.cat([px_per_cell(bank.sources) for bank in self.banks])

    def _by_bank(self, entries: Tensor) -> Iterable[tuple[int, Tensor, Tensor]]:
        number = torch.searchsorted(self.entry_offset, entries.contiguous(), right=True) - 1
        for bank in number.unique().tolist():
            mine = (number == bank).nonzero()[:, 0]
            yield bank, mine, entries[mine] - self.entry_offset[bank]


def merge(found: Sequence[Matches], offset: Sequence[int], length: int) -> Matches:
    """The best candidates of several banks."""
    entry = torch.cat([torch.where(m.entry >= 0, m.entry + o, -1) for m, o in zip(found, offset, strict=True)], 1)
    similarity = torch.cat([m.similarity for m in found], 1)
    bands = torch.cat([m["bands"] for m in found], 1)
    depth = max(m["path"].shape[1] for m in found)
    path = torch.stack([torch.nn.functional.pad(m["path"], (0, depth - m["path"].shape[1]), value=-1) for m in found])
    similarity, order = similarity.sort(dim=1, descending=True, stable=True)
    order = order[:, :length]
    columns = torch.tensor([m.entry.shape[1] for m in found]).cumsum(0)
    winning_bank = torch.bucketize(order[:, 0].contiguous(), columns, right=True)
    first = found[0]
    return Matches(
        entry=entry.gather(1, order),
        similarity=similarity[:, :length].contiguous(),
        chosen=first.chosen,
        extensions={
            "bands": bands.gather(1, order[:, :, None].expand(-1, -1, 4)),
            "path": path[winning_bank, torch.arange(len(first))],
        },
    )
