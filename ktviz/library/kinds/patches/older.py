"""Banks of patches of older formats: keys become bytes, and their means the centres of the nodes, in memory."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from ktviz.library.banks import expect, fitting
from ktviz.library.kinds.patches.bands import inverse_norm
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.drift import Fit
from ktviz.library.kinds.patches.frame import Frame
from ktviz.library.kinds.patches.keys import LARGEST, KeyProjection
from ktviz.library.kinds.patches.lists import Lists
from ktviz.library.kinds.patches.rows import CHUNK
from ktviz.library.kinds.patches.tables import Tables
from ktviz.library.kinds.patches.tree import Tree, leaves_of
from ktviz.library.place import Place
from ktviz.retrieval.exact import paired_cosines
from ktviz.tables import MOST_VALUES, read_rows

ENERGIES = ("energy_ll", "energy_lh", "energy_hl", "energy_hh")


class OlderBank(Bank):
    """A bank of format 1 or 2."""

    @cached_property
    def frame(self) -> Frame:
        """What its entries are sorted into."""
        return self._held[0]

    @cached_property
    def tables(self) -> Tables:
        """Its entries and their keys."""
        return self._held[1]

    @cached_property
    def _held(self) -> tuple[Frame, Tables]:
        with fitting(self.place.name):
            return read(self.place)


def load_older_bank(place: Place) -> Bank:
    """Open a bank; all its files are compared with their digests."""
    place.compare_all(place.files())
    return OlderBank(place)


def read(place: Place) -> tuple[Frame, Tables]:
    """What new formats keep of a bank; raises what readers raise, and ValueError on something else."""
    table = read_rows(place.table("entries.parquet"), most=MOST_VALUES)
    columns = {name: torch.from_numpy(table[name].to_numpy().copy()) for name in table.column_names}
    energy = torch.stack([columns[name] for name in ENERGIES], dim=1)
    nodes, held = load_file(place.table("tree.safetensors")), load_file(place.table("keys.safetensors"))
    tree = Tree(nodes["centres"], nodes["parent"], nodes["start"], nodes["end"])
    expect(len(held["keys"]) == len(energy) and tree.tiles(len(energy)), "a tree over all entries, with a key of each")
    keys, units = as_bytes(held["keys"], energy)
    projection = KeyProjection((held["basis_0"], held["basis_1"], held["basis_2"], held["basis_3"]), units)
    leaves, centres = leaves_of(tree.parent), means(keys, tree) * units
    first, sizes = tree.start[leaves], tree.end[leaves] - tree.start[leaves]
    near = cosines(keys, units, centres, leaves.repeat_interleave(sizes))
    fit = torch.zeros(place.record.sources, dtype=torch.float64).index_add_(0, columns["source"].long(), near.double())
    frame = Frame(tree.parent, tree.centres, centres, projection, Fit.of(float(fit.sum()), sizes))
    order = np.lexsort([columns[name].numpy() for name in ("x", "y", "source")])
    rows = columns["source"], columns["y"], columns["x"], energy, torch.from_numpy(order)
    ends = torch.cat((first, tree.end[:1]))
    return frame, Tables(ends, *rows, fit, Lists.create(keys, units, first, sizes))


def cosines(keys: Tensor, units: Tensor, centres: Tensor, node: Tensor) -> Tensor:
    """Cosine of each key (N, D) to the centre of its node: (N,) float32."""
    parts = torch.arange(len(keys)).split(CHUNK)
    return torch.cat([paired_cosines(keys[rows].float() * units, centres[node[rows]]) for rows in parts])


def as_bytes(keys: Tensor, energy: Tensor) -> tuple[Tensor, Tensor]:
    """Keys (N, D) in half precision and not divided by norms, as bytes and their units."""
    normed = keys.float() * inverse_norm(energy, torch.ones(4))[:, None]
    units = (normed.abs().amax(0) / LARGEST).clamp(min=torch.finfo(torch.float32).tiny)
    return (normed / units).round_().to(torch.int8), units


def means(keys: Tensor, tree: Tree) -> Tensor:
    """The mean of the keys (N, D) below each node: (nodes, D) float32."""
    found = torch.empty(len(tree), keys.shape[1])
    for node, (start, end) in enumerate(zip(tree.start.tolist(), tree.end.tolist(), strict=True)):
        found[node] = keys[start:end].sum(0) / max(1, end - start)
    return found
