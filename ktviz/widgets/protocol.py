"""What a view's browser side and Python may say to each other: the version, the requests, the constants of both.

Written for the browser by `python -m ktviz.widgets.protocol`, to be run after every change here; the file is committed,
so that the front end builds without Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROTOCOL = 10
"""Version of the messages between a view and Python. It goes up whenever a request, an answer or the scene changes its
form; a view and a Python of different versions say so, instead of misreading each other."""
NO_SOURCE = -1
"""Stands for "no candidate" among numbers of sources."""
STEPS = 10_000
"""Pages keep cosines and parts of norm as so many whole steps to 1: half the room of floats, and finer than a trace."""
SHEET = 256
"""Most patches, one below the other, on one sheet of decoded bands."""


@dataclass(frozen=True)
class Request:
    """A kind of request.

    Attributes:
        body: Name and TypeScript type of each of its fields.
        about_shown: Whether it is about the trace that is shown, recorded or counterfactual; else the answer is the
            same for both, and the recorded one is asked.
    """

    body: Mapping[str, str]
    about_shown: bool = False


REQUESTS: Mapping[str, Request] = {
    "region": Request({"box": "number[]"}, about_shown=True),
    "candidates": Request({"queries": "number[]"}, about_shown=True),
    "pictures": Request({"sources": "number[]"}),
    "children": Request({"bank": "number", "nodes": "number[]"}),
    "outline": Request({"bank": "number"}),
    "thumbs": Request({"bank": "number", "nodes": "number[]"}),
    "descent": Request({"queries": "number[]"}, about_shown=True),
    "exact": Request({"queries": "number[]"}, about_shown=True),
    "bands": Request({"queries": "number[]", "entries": "number[]"}, about_shown=True),
    "styles": Request({"queries": "number[]"}, about_shown=True),
    "members": Request({"styles": "number[]"}, about_shown=True),
    "decode": Request({"entry": "number", "moved": "number[]"}, about_shown=True),
    "entries": Request({"entries": "number[]"}),
    "attributes": Request({}, about_shown=True),
    "switch": Request(
        {"on": "number[]", "labels": "number", "reference": "number", "amount": "number"}, about_shown=True
    ),
    "translate": Request(
        {
            "without": "readonly number[]",
            "by": "readonly (readonly [string, string])[]",
            "parts": "readonly (readonly number[])[]",
            "entries": "readonly number[]",
            "weights": "readonly number[]",
            "styles": "readonly (readonly [number, number])[]",
            "copies": "readonly (readonly [number, number])[]",
        }
    ),
}
"""All that a view may ask; `ktviz.widgets.answers` and the panels answer."""

TYPESCRIPT = """// Written by `python -m ktviz.widgets.protocol` from ktviz/widgets/protocol.py: change it there.

{constants}

/** All that a view may ask, with the body of each request. */
export interface Requests {{
{requests}
}}
export type Kind = keyof Requests;

/** What is asked of the trace that is shown; all else is the same for the recorded one and a counterfactual. */
export const ABOUT_SHOWN: ReadonlySet<Kind> = new Set<Kind>([
{about_shown}
]);
"""
LINE = 100
"""Fields of more characters stand one below the other."""
GENERATED = Path(__file__).parents[2] / "web" / "src" / "core" / "protocol.ts"


def typescript() -> str:
    """The same for the browser."""
    constants = {"PROTOCOL": PROTOCOL, "NO_SOURCE": NO_SOURCE, "STEPS": STEPS, "SHEET": SHEET}
    shown = [f'  "{kind}",' for kind, request in REQUESTS.items() if request.about_shown]
    return TYPESCRIPT.format(
        constants="\n".join(f"export const {name} = {value};" for name, value in constants.items()),
        requests="\n".join(f"  {kind}: {fields(request)};" for kind, request in REQUESTS.items()),
        about_shown="\n".join(shown),
    )


def fields(request: Request) -> str:
    """The body of a request as TypeScript."""
    listed = [f"{name}: {kind}" for name, kind in request.body.items()]
    if len("; ".join(listed)) > LINE:
        return "\n".join(("{", *(f"    {one};" for one in listed), "  }"))
    return f"{{ {'; '.join(listed)} }}" if listed else "Record<string, never>"


if __name__ == "__main__":
    GENERATED.write_text(typescript(), encoding="utf-8")
