"""What a bank holds, for programs and for people: `ktviz library list` and `info`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ktviz.cli.console import print_table, say
from ktviz.library.layout import CODES, MAPS, PATCHES
from ktviz.licences import readable
from ktviz.memory import as_text
from ktviz.printing import counted

if TYPE_CHECKING:
    from ktviz.library.kinds.codes.bank import CodeBank
    from ktviz.library.kinds.registry import AnyKind
    from ktviz.library.library import Library
    from ktviz.library.sources import Source


def describe(library: Library, name: str) -> dict[str, Any]:
    record = library.record(name)
    return {
        "name": name,
        "kind": record.kind,
        "sources": record.sources,
        "entries": record.entries,
        "bytes": record.bytes,
        "digest": record.digest,
        "content": record.content,
        "structure": record.structure,
    }


def inside(bank: AnyKind) -> dict[str, Any]:
    """What a bank holds: its tree, its classes and its centres where it has such, and its sources."""
    from ktviz.library.kinds.codes.bank import CodeBank
    from ktviz.library.kinds.patches.bank import Bank

    sources = [{**known_of(source), **source.credit.described()} for source in bank.sources]
    if isinstance(bank, Bank):
        positions = sum(source.positions for source in bank.sources)
        tree: dict[str, Any] = {"leaves": len(bank.tree.leaves), "depth": bank.tree.depth}
        tree |= {"survivor_rate": len(bank) / positions, "drift": {**asdict(bank.drift), "matters": bank.drift.matters}}
        return {**tree, "source_list": sources}
    maps = {name: len(sources) if name in bank.maps else 0 for name in MAPS}
    names = [] if bank.classes is None else list(bank.classes.names)
    if isinstance(bank, CodeBank):
        of_codes = {**asdict(bank.settings), "centres": len(bank.clusters), "by_class": by_class(bank)}
        return {"with_maps": maps, "classes": names, **of_codes, "source_list": sources}
    return {"with_maps": maps, "classes": names, "attributes": [*bank.attribute_names], "source_list": sources}


def known_of(source: Source) -> dict[str, Any]:
    """What is known of a source besides its credit."""
    known = {name: value for name, value in asdict(source).items() if name != "credit"}
    if known["attributes"] is None:
        del known["attributes"]
    return known


def by_class(bank: CodeBank) -> list[dict[str, Any]]:
    """Objects of each class that has some: how many, how many of them too small for a centre, and its centres."""
    objects, small = bank.objects, bank.objects.area <= bank.settings.least_area
    return [
        {
            "name": "whole pictures" if bank.classes is None else bank.classes.names[label],
            "objects": int((objects.label == label).sum()),
            "too_small": int((small & (objects.label == label)).sum()),
            "centres": len(bank.clusters.of_class(label)),
        }
        for label in sorted(set(objects.label.tolist()))
    ]


def print_bank(bank: Mapping[str, Any]) -> None:
    """A bank with its sources, and with its classes and attributes where it has some."""
    columns = {"source": "name", "px": "px", "entries": "entries", "title": "title", "creator": "creator"}
    if bank["kind"] != PATCHES:
        del columns["entries"]
    sources = [{**s, "px": f"{s['width']}x{s['height']}"} for s in bank["source_list"]]
    rows = [(*(cell(s[key]) for key in columns.values()), readable(s["licence"])) for s in sources]
    print_table(f"{bank['name']}: {headline(bank)}", [*columns, "licence"], rows, numbers=["px", "entries"])
    if bank["kind"] == CODES:
        names = ["class", "objects", "too small", "centres"]
        counts = [[c["name"], *(cell(c[key]) for key in ("objects", "too_small", "centres"))] for c in bank["by_class"]]
        print_table("its objects by class", names, counts, numbers=names[1:])
        return
    for what in ("classes", "attributes"):  # of pictures that have label maps, or attributes
        if bank.get(what):
            say(f"  {what}: {', '.join(bank[what])}")


def headline(bank: Mapping[str, Any]) -> str:
    """What a bank holds, in a line."""
    if bank["kind"] == PATCHES:
        each = bank["bytes"] / bank["entries"]
        return (
            f"{counted(bank['entries'], 'entry', 'entries')}, {as_text(bank['bytes'])} ({each:,.0f} B each), "
            f"{counted(bank['leaves'], 'leaf', 'leaves')} on {counted(bank['depth'], 'level')}, "
            f"{bank['survivor_rate']:.0%} survived de-duplication"
        )
    maps = "".join(f", {count} with {name}" for name, count in bank["with_maps"].items() if count)
    held = f"{counted(bank['sources'], 'picture')}{maps}, {as_text(bank['bytes'])}"
    if bank["kind"] == CODES:
        return f"{counted(bank['entries'], 'object')} in {held}, {counted(bank['centres'], 'centre')}"
    return held


def cell(value: object) -> str:
    """A value in a table."""
    return f"{value:,}" if isinstance(value, int) else str(value)
