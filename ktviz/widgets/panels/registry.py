"""All panels, in the order of the Explorer."""

from __future__ import annotations

from collections.abc import Sequence

from ktviz.widgets.panels import attributes, bands, codes, groups, reuse, sources, space, table, translation, tree
from ktviz.widgets.panels.panel import Panel
from ktviz.widgets.subject import Subject

PANELS: tuple[Panel, ...] = (
    translation.PANEL,
    sources.PANEL,
    groups.PANEL,
    codes.PANEL,
    attributes.PANEL,
    reuse.PANEL,
    space.PANEL,
    tree.PANEL,
    bands.PANEL,
    table.PANEL,
)
"""Everything that draws, packs, answers and stores goes through these."""


def drawn(parts: Sequence[str], subject: Subject) -> list[Panel]:
    """The panels of a view with some parts: alone one is always drawn, among others where it appears."""
    wanted = [panel for panel in PANELS if panel.name in parts]
    return wanted if len(parts) == 1 else [panel for panel in wanted if panel.appears(subject)]


def beside(parts: Sequence[str], subject: Subject) -> list[Panel]:
    """The panels that appear in a view with some parts, with those that they need."""
    wanted, needs = {*parts}, {panel.name: panel.needs for panel in PANELS if panel.needs}
    while more := {needs[name] for name in wanted & needs.keys()} - wanted:
        wanted |= more
    return [panel for panel in appearing(subject) if panel.name in wanted]


def appearing(subject: Subject) -> list[Panel]:
    """The panels that have a place in the Explorer of a trace."""
    return [panel for panel in PANELS if panel.appears(subject)]
