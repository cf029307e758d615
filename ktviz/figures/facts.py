"""What figures and reports say of an attribution, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ktviz.explain.attribution import held_out
from ktviz.figures.layout import percent
from ktviz.trace.shares import NOT_RECORDED, NOTHING

if TYPE_CHECKING:
    from ktviz.explain.attribution import Attribution


def facts(attribution: Attribution) -> list[str]:
    """What a reader must know to compare this figure with another."""
    about = attribution.about
    x, y, width, height = about["region"]
    found = [f"region {width:g}x{height:g} px at ({x:g}, {y:g}), {about['region_px']:,} px"]
    if "receptive_field" in about:
        found += [f"reach of a retrieval {about['receptive_field']}"]
    if about.get("baseline"):
        found += [f"without knowledge: {about['baseline']}"]
    if about.get("instead"):
        found.append(f"in the place of what is left out: {about['instead']}")
    left_over = 1 - float(attribution.frame["share"].sum())
    if attribution.through in ("overlap", "footprint", "gradient"):
        nothing = min(left_over, about.get("uncovered", 0.0))
        lacking = {NOTHING: nothing, NOT_RECORDED: left_over - nothing}
        found += [f"{why} {percent(part)}" for why, part in lacking.items() if part > 0.005]
    if "completeness_error" in about:
        found.append(f"completeness error {about['completeness_error']:.1e}")
    if about.get("ways"):
        parts = sorted(about["ways"].items())  # a file gives them in the order of their names
        found.append("of the change " + ", ".join(f"{percent(part)} by {way}" for way, part in parts))
    if "change" in about:
        found.append(f"the knowledge changed it by {about['change']:.1f} levels")
    if attribution.through == "datamodel":
        found += [f"fitted to {about['fitted']} runs", f"held out {held_out(about)}"]
    return found


def label(attribution: Attribution, number: int, name: str) -> str:
    """The name of a row; of an entry also its source."""
    if attribution.by != "entry":
        return name.rsplit("/", 1)[-1] if attribution.by == "source" else name
    return f"{str(attribution.frame['source'][number]).rsplit('/', 1)[-1]} #{name}"
