"""The cluster trees of banks, of the kinds that have one."""

from __future__ import annotations

from typing import Any

from ktviz.errors import LibraryError
from ktviz.library.banks import AnyBank, Banks
from ktviz.library.cluster_tree import ClusterTree
from ktviz.library.format import EncoderIdentity
from ktviz.library.kinds.codes.bank import CodeBank
from ktviz.library.kinds.codes.tree import code_tree
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.clusters import patch_tree
from ktviz.library.kinds.patches.features import STRIDE
from ktviz.library.kinds.patches.union import BankUnion


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


def with_trees(of: Banks[Any] | AnyBank) -> Banks[Any]:
    """Banks of a kind that has trees; a bank alone as the only one.

    Raises:
        LibraryError: Their kind has none.
    """
    banks = of if isinstance(of, Banks) else alone(of)
    if banks is None or not trees_of(banks):
        names, kind = (of.names, of.kind) if isinstance(of, Banks) else ([of.name], of.kind)
        asked, found = f"show the tree of bank {', '.join(names)}", f"it holds {kind}, which are in no tree"
        raise LibraryError(asked, found, "Name a bank of patches or codes: `ktviz library list` shows them")
    return banks


def alone(bank: AnyBank) -> Banks[Any] | None:
    """One bank as the only one; None for one of a kind without trees."""
    if isinstance(bank, Bank):
        return BankUnion([bank], EncoderIdentity("unknown", "unknown", bank.entries.channels, STRIDE))
    return CodeUnion([bank]) if isinstance(bank, CodeBank) else None
