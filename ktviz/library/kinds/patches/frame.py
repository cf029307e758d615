"""The frame of a bank of patches: what its entries are sorted into, made once and kept when sources come and go.

Which keys an entry has, and which leaf, follows from the frame and from its patch alone, whatever else is in the bank.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ktviz.files import replacing
from ktviz.library.banks import expect
from ktviz.library.kinds.patches.drift import Fit
from ktviz.library.kinds.patches.grid import SIZE
from ktviz.library.kinds.patches.group import group
from ktviz.library.kinds.patches.keys import KeyProjection
from ktviz.library.kinds.patches.tree import Children, is_tree, leaves_below, levels_of
from ktviz.retrieval.exact import nearest, paired_cosines

BANDS = 4


@dataclass(frozen=True, eq=False, repr=False)
class Frame:
    """A tree without entries, and the projection that makes search keys.

    Attributes:
        parent: (nodes,) int64, -1 for the root; nodes are numbered level by level.
        centres: (nodes, 16 C) mean directions of whole patches, in half precision; of the root 0.
        key_centres: (nodes, D) float32 the same of keys: by them entries are sorted, and beams are routed.
        projection: Patches to keys.
        fit: How well the entries fit that it was made from.
    """

    parent: Tensor
    centres: Tensor
    key_centres: Tensor
    projection: KeyProjection
    fit: Fit

    @property
    def channels(self) -> int:
        """Of the features, C."""
        return self.centres.shape[1] // (SIZE * SIZE)

    @property
    def leaves(self) -> int:
        """How many there are."""
        return int((self._children.sizes == 0).sum())

    def walk(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Walk down the tree with keys (n, D) int8, from each node to the child with the nearest centre.

        Returns:
            Number of the leaf (n,), in entry order, and the cosine of each key to its centre, (n,) float32.
        """
        vectors, node = keys.float() * self.projection.units, torch.zeros(len(keys), dtype=torch.int64)
        for _ in range(int(levels_of(self.parent).max())):
            for parent, mine in group(node):
                children = self._children[parent]
                if len(children):
                    node[mine] = children[nearest(vectors[mine], self.key_centres[children])]
        return self._first[node], paired_cosines(vectors, self.key_centres[node])

    @cached_property
    def _children(self) -> Children:
        return Children(self.parent)

    @cached_property
    def _first(self) -> Tensor:
        return leaves_below(self.parent)[0]

    def write(self, path: Path) -> None:
        """Into a file; see `read`."""
        bases = {f"basis_{band}": basis.contiguous() for band, basis in enumerate(self.projection.bases)}
        tensors = {
            "parent": self.parent.int(),
            "centres": self.centres,
            "key_centres": self.key_centres,
            "units": self.projection.units,
            "fit": torch.tensor([self.fit.nearness, self.fit.largest], dtype=torch.float64),
            **bases,
        }
        with replacing(path) as partial:
            save_file(tensors, partial)

    @classmethod
    def read(cls, path: Path) -> Frame:
        """The frame in a file, mapped; raises what readers raise, and ValueError on something else."""
        held = load_file(path)
        ll, lh, hl, hh = (held[f"basis_{band}"] for band in range(BANDS))
        projection = KeyProjection((ll, lh, hl, hh), held["units"])
        frame = cls(held["parent"].long(), held["centres"], held["key_centres"], projection, Fit(*held["fit"].tolist()))
        nodes, size = len(frame.parent), len(projection.units)
        expect(is_tree(frame.parent) and frame.key_centres.shape == (nodes, size), "a tree of keys")
        expect(size == len(projection.band_of) and len(frame.centres) == nodes, "a centre of every node")
        rows = frame.centres.shape[1] // BANDS
        expect(all(basis.shape[0] == rows for basis in projection.bases), "directions of whole bands")
        return frame
