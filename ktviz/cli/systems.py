"""`ktviz systems`: which systems are known here, and what each can be asked."""

from __future__ import annotations

from ktviz.cli.console import Json, print_json, print_table


def systems(as_json: Json = False) -> None:
    """List the systems that are known here: those of ktviz, and those that other packages register."""
    from ktviz.systems.registry import OURS, names, registered, system_class

    places = {**OURS, **{name: point.value for name, point in registered().items()}}
    found = [
        {
            "name": name,
            "what": str(system_class(name).__doc__ or "").strip().split("\n")[0],
            "abilities": sorted(system_class(name).abilities),
            "baseline": system_class(name).baseline,
            "class": places[name],
        }
        for name in names()
    ]
    if as_json:
        print_json({"systems": found})
        return
    rows = [[str(s["name"]), ", ".join(s["abilities"]), str(s["baseline"])] for s in found]
    print_table("systems", ["name", "can", "baseline"], rows)
