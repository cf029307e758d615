"""The cluster trees of banks, of the kinds that have one."""

from __future__ import annotations

from typing import Any

from ktviz.errors import LibraryError
from ktviz.library.banks import AnyBank, Banks
from ktviz.library.cluster_tree import ClusterTree
from ktviz.library.kinds.codes.bank import CodeBank
from ktviz.library.kinds.codes.tree import code_tree
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.clusters import patch_tree


def tree_of(bank: object) -> ClusterTree | None:
    """The tree of a bank; None where its kind has none."""
    if isinstance(bank, Bank):
        return patch_tree(bank)
    return code_tree(bank) if isinstance(bank, CodeBank) else None


def checked_tree(bank: AnyBank) -> ClusterTree:
    """The tree of a bank.

    Raises:
        LibraryError: Its kind has none.
    """
    tree = tree_of(bank)
    if tree is None:
        raise LibraryError(f"the tree of bank {bank.name}", "its kind has none", "Name a bank of patches or codes")
    return tree


def trees_of(banks: Banks[Any] | None) -> list[ClusterTree]:
    """The trees of some banks, in their order; of kinds without trees none."""
    found = [tree_of(bank) for bank in (() if banks is None else banks.banks)]
    return [tree for tree in found if tree is not None]
