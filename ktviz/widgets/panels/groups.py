"""Sources together by what is known of them, in the place of their rows."""

from __future__ import annotations

from ktviz.licences import UNKNOWN
from ktviz.trace.groups import GROUPS, group_of
from ktviz.widgets.panels.panel import Panel
from ktviz.widgets.subject import Subject


def appears(subject: Subject) -> bool:
    """Where several sources are listed, and something is known of one."""
    about = [subject.described[name] for name in subject.names]
    return len(about) > 1 and any(group_of(source, by) != UNKNOWN for source in about for by in GROUPS)


PANEL = Panel("groups", row=0, height_px=0, further=True, appears=appears)
