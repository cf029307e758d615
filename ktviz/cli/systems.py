"""`ktviz systems`: which systems are known here, and what each can be asked."""

from __future__ import annotations

from typing import Any

import typer

from ktviz.cli.console import Json, error_as_json, exit_code, print_json, print_table, report
from ktviz.errors import ProtocolError


def systems(as_json: Json = False) -> None:
    """List the systems that are known here: those of ktviz, and those that other packages register."""
    from ktviz.systems.registry import OURS, names, registered

    places = {**OURS, **{name: point.value for name, point in registered().items()}}
    found, broken = [], []
    for name in names():
        about: dict[str, Any] = {"name": name, "class": places[name]}
        try:
            about |= described(name)
        except ProtocolError as error:  # somebody else's, and no reason not to list the others
            about["error"] = error_as_json(error)
            broken.append(error)
        found.append(about)
    if as_json:
        print_json({"systems": found})
    else:
        usable = [about for about in found if "error" not in about]
        rows = [[about["name"], ", ".join(about["abilities"]), about["baseline"]] for about in usable]
        print_table("systems", ["name", "can", "baseline"], rows)
        for failure in broken:
            report(failure)
    if broken:
        raise typer.Exit(exit_code(broken[0]))


def described(name: str) -> dict[str, Any]:
    """What a system is, and can be asked."""
    from ktviz.systems.registry import system_class

    found = system_class(name)
    return {
        "what": str(found.__doc__ or "").strip().split("\n")[0],
        "abilities": sorted(found.abilities),
        "baseline": found.baseline,
    }
