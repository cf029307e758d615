"""What is selected in a view, in the browser's words and as its traits have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from typing import Any, SupportsIndex, TypeGuard

import numpy as np

from ktviz.errors import SettingError, UnknownNameError
from ktviz.regions import Box
from ktviz.widgets.asking import numbers
from ktviz.widgets.selection import Selection, checked_region, queries_in
from ktviz.widgets.subject import Subject

Node = tuple[str, int]
"""A node of a cluster tree: name of the bank, number of the node."""
NOTHING: dict[str, Any] = {"kind": "none"}


def meant(selected: Mapping[str, Any], subject: Subject) -> tuple[Box | None, Sequence[int], Node | None]:
    """Region, query numbers and node that the browser's words stand for.

    Raises:
        KtvizError: Something that the trace does not have.
    """
    node = node_at(selected.get("node"), subject)
    kind = selected.get("kind", "none")
    if kind == "none":
        return None, [], node
    if kind == "region":
        region = checked_region(selected.get("box") or (), subject.trace)
        return region, [] if region is None else queries_in(subject.trace, region), node
    if kind == "source":
        (number,) = numbers({"source": [selected.get("source")]}, "source", len(subject.everyone))
        mine = subject.trace.column("source") == subject.everyone[number]
        return None, subject.trace.column("query")[mine].tolist(), node
    if kind == "queries" and isinstance(selected.get("queries"), list):
        return None, Selection(subject.trace, selected["queries"]).queries, node
    raise SettingError(f"a selection of kind {str(kind)[:40]!r}", "unknown", "Select a region, retrievals or a source")


def in_words(name: str, value: Any, selected: Mapping[str, Any], subject: Subject) -> Mapping[str, Any]:
    """What the browser is told when a trait was set in Python."""
    if name == "node":
        return {**selected, "node": named_node(value, subject)}
    if name == "showing":
        return {**selected, "showing": value}
    if name == "region":
        return {"kind": "region", "box": as_list(value)} if value else NOTHING
    return {"kind": "queries", "queries": [*value]} if len(value) else NOTHING


def node_at(place: object, subject: Subject) -> Node | None:
    """A node from the numbers of its bank and of itself, as the browser names it."""
    if place is None:
        return None
    banks = list(subject.trace.about["banks"])
    if not isinstance(place, Sequence) or len(place) != 2:
        raise SettingError(f"node {str(place)[:40]}", "not two numbers", "Give those of the bank and of the node")
    (bank,) = numbers({"bank": [place[0]]}, "bank", len(banks))
    return checked_node((banks[bank], place[1]), subject)


def checked_node(value: object, subject: Subject) -> Node | None:
    """A node that exists, from (bank, number), or from the number where there is one bank.

    Raises:
        UnknownNameError: There is no such node.
    """
    if value is None:
        return None
    sizes = {bank["name"]: bank["nodes"] for bank in subject.searched if bank["nodes"]}
    pair = value if isinstance(value, Sequence) and len(value) == 2 else (*sizes, value) if len(sizes) == 1 else ()
    bank, number = pair or (None, None)
    if not isinstance(bank, str) or not is_whole(number) or not 0 <= index(number) < sizes.get(bank, 0):
        known = ", ".join(f"{name}: 0 to {count - 1}" for name, count in sizes.items())
        found = f"there is none; known: {known or 'no tree'}"
        raise UnknownNameError(f"node {str(value)[:60]}", found, "Give (bank, number)")
    return bank, index(number)


def is_whole(value: object) -> TypeGuard[SupportsIndex]:
    """Whether this is a whole number, and no truth value."""
    return isinstance(value, SupportsIndex) and not isinstance(value, (bool, np.bool_))


def named_node(node: Node | None, subject: Subject) -> list[int] | None:
    """A node as the browser has it: number of the bank, number of the node."""
    return None if node is None else [list(subject.trace.about["banks"]).index(node[0]), node[1]]


def as_list(box: Box) -> list[float]:
    """x, y, width, height."""
    return [box.x, box.y, box.width, box.height]
