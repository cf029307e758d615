"""A bank: the knowledge of one style of one task, in memory or mapped from disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ktviz.files import replacing
from ktviz.images import Pixels
from ktviz.library.banks import expect, fitting, thumb_of
from ktviz.library.kinds.patches.bands import inverse_norm
from ktviz.library.kinds.patches.entries import Entries
from ktviz.library.kinds.patches.grid import SIZE
from ktviz.library.kinds.patches.index import Index
from ktviz.library.kinds.patches.keys import LARGEST, KeyProjection
from ktviz.library.kinds.patches.search import SearchSettings, search
from ktviz.library.kinds.patches.source import PatchSource
from ktviz.library.kinds.patches.tree import Tree
from ktviz.library.layout import PATCHES, features_path, thumb_path
from ktviz.library.sources import read_sources, write_sources
from ktviz.networks.running import without_autocast
from ktviz.printing import counted
from ktviz.retrieval.matches import Matches
from ktviz.tables import MOST_VALUES, read_rows

BANDS_ON_DISK = ("energy_ll", "energy_lh", "energy_hl", "energy_hh")


@dataclass(frozen=True, eq=False)
class Bank:
    """One bank, ready to search.

    Attributes:
        name: "task/style".
        sources: Its sources.
        entries: Its entries in leaf order, as views into the sources' feature maps.
        tree: The cluster tree over the entries.
        projection: Patches to search keys.
        keys: (N, D) int8 search keys in leaf order.
        thumbs: Per source the JPEG of what the encoder saw; held, so that results outlive an edit of the bank.
        digest: Digest of its files.
        folder: Where it lies on disk.
    """

    kind: ClassVar[str] = PATCHES

    name: str
    sources: tuple[PatchSource, ...]
    entries: Entries
    tree: Tree
    projection: KeyProjection
    keys: Tensor
    thumbs: tuple[bytes, ...]
    digest: str
    folder: Path
    _indices: dict[tuple[float, ...], Index] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return (
            f"Bank({self.name!r}, {counted(len(self.sources), 'source')}, {counted(len(self), 'entry', 'entries')}, "
            f"{counted(len(self.tree.leaves), 'leaf', 'leaves')}, digest {self.digest[:12]})"
        )

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import banks_card, unless_refused

        return unless_refused(banks_card, self)

    @without_autocast
    def search(
        self, queries: Tensor, settings: SearchSettings = SearchSettings(), excluded: Tensor | None = None
    ) -> Matches:
        """Find the best entries for queries (N, C, 4, 4); see `SearchSettings`.

        Args:
            queries: (N, C, 4, 4) float32.
            settings: How to search.
            excluded: (entries,) bool of entries to pass over; at least one must remain.
        """
        if excluded is not None and not excluded.any():
            excluded = None
        return search(queries, self.entries, self.tree, self.index(settings.band_weights), settings, excluded)

    def index(self, weights: tuple[float, float, float, float]) -> Index:
        """The index for some band weights, made at first use and kept for the latest weights."""
        if weights not in self._indices:
            self._indices.clear()
            self._indices[weights] = Index.create(self.tree, self.entries, self.keys, self.projection, weights)
        return self._indices[weights]

    def picture(self, source: int) -> Pixels:
        """A source as the bank saw it, scaled to the library's side: 4 px per feature cell."""
        return thumb_of(self, source)


def save_bank(
    folder: Path, sources: Sequence[PatchSource], entries: Entries, tree: Tree, projection: KeyProjection, keys: Tensor
) -> None:
    """Write everything but features and thumbs (those are written source by source as they are made)."""
    write_sources(folder, sources)
    table = {
        "source": entries.source.to(torch.int32).numpy(),
        "y": entries.y.to(torch.int16).numpy(),
        "x": entries.x.to(torch.int16).numpy(),
        **{name: entries.energy[:, b].numpy() for b, name in enumerate(BANDS_ON_DISK)},
    }
    pq.write_table(pa.table(table), folder / "entries.parquet", compression="zstd")
    structure = {name: getattr(tree, name) for name in ("parent", "start", "end")}
    write_tensors(folder / "tree.safetensors", {"centres": tree.centres.half(), **structure})
    bases = {f"basis_{b}": basis.contiguous() for b, basis in enumerate(projection.bases)}
    write_tensors(folder / "keys.safetensors", {"keys": keys, "units": projection.units, **bases})


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Tensors in a file that others may read, too: safetensors alone would keep it private."""
    with replacing(path) as partial:
        save_file(dict(tensors), partial)


def load_bank(name: str, folder: Path, digest: str) -> Bank:
    """Open a bank, memory-mapped.

    Raises:
        LibraryError: Its files do not fit together.
    """
    with fitting(name):
        sources = read_sources(folder, PatchSource)
        table = read_rows(folder / "entries.parquet", most=MOST_VALUES)
        columns = {c: torch.from_numpy(table[c].to_numpy().copy()) for c in table.column_names}
        parts = [load_file(features_path(folder, number)) for number in range(len(sources))]
        expect(all("kept" in part for part in parts), "the places of the entries in every part")
        maps = [part["features"] for part in parts]
        thumbs = tuple(thumb_path(folder, number).read_bytes() for number in range(len(sources)))
        energy = torch.stack([columns[c] for c in BANDS_ON_DISK], dim=1)
        entries = Entries(columns["source"].long(), columns["y"].long(), columns["x"].long(), energy, maps)
        nodes = load_file(folder / "tree.safetensors")
        keys = load_file(folder / "keys.safetensors")
        tree = Tree(nodes["centres"].float(), nodes["parent"], nodes["start"], nodes["end"])
        bases = keys["basis_0"], keys["basis_1"], keys["basis_2"], keys["basis_3"]
        bytes_, units = (keys["keys"], keys["units"]) if "units" in keys else as_bytes(keys["keys"], entries)
        projection = KeyProjection(bases, units)
        bank = Bank(name, sources, entries, tree, projection, bytes_, thumbs, digest, folder)
        check_fit(bank)
    return bank


def check_fit(bank: Bank) -> None:
    """Raise ValueError unless the parts of a bank fit each other and hold finite numbers.

    Digests tell that nothing was changed since it was written; this tells that what was written makes sense.
    """
    entries, tree, sources = bank.entries, bank.tree, bank.sources
    channels, count = entries.channels, len(bank)
    expect(count > 0 and len(bank.keys) == count, "one key per entry")
    expect(int(entries.source.min()) >= 0 and int(entries.source.max()) < len(sources), "sources that exist")
    shapes = [(source.rows, source.columns, channels) for source in sources]
    expect([tuple(features.shape) for features in entries.maps] == shapes, "maps of the sources' sizes")
    expect(tree.tiles(count) and tree.centres.shape[1] == SIZE * SIZE * channels, "a tree over all entries")
    rows, columns = torch.tensor(shapes)[entries.source, :2].T
    inside = (entries.y >= 0) & (entries.x >= 0) & (entries.y + SIZE <= rows) & (entries.x + SIZE <= columns)
    expect(bool(inside.all()), "entries inside their maps")
    numbers = (bank.projection.units, tree.centres, entries.energy, *entries.maps)
    expect(all(bool(torch.isfinite(values).all()) for values in numbers), "finite numbers")


def as_bytes(keys: Tensor, entries: Entries) -> tuple[Tensor, Tensor]:
    """Keys (N, D) of an older library, in half precision and not divided by norms, as bytes and their units."""
    normed = keys.float() * inverse_norm(entries.energy, torch.ones(4))[:, None]
    units = (normed.abs().amax(0) / LARGEST).clamp(min=torch.finfo(torch.float32).tiny)
    return (normed / units).round_().to(torch.int8), units
