"""Numbers of the model cards and of the pages of measurements, from the logs of the weights and from the benchmarks:
`python -m docs.make_card`.

Everything between the marks in a page is written here; the rest of it is written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SYSTEMS, RESULTS = ROOT / "ktviz" / "systems", ROOT / "benchmarks" / "results"
Log = Mapping[str, Any]
Blocks = Mapping[str, Callable[[Log], str]]
"""What is written into a page, by the name of the mark."""


def weights(system: str) -> Path:
    """The folder of the weights of a system, and of its card."""
    return SYSTEMS / system / "weights"


def main() -> None:
    for system in BLOCKS:
        card = weights(system) / "MODEL_CARD.md"
        if card.exists():
            fill(card, BLOCKS[system], read_log(system))
    for page, tables in TABLES.items():
        fill(ROOT / page, {name: result(name) for name in tables}, {})


def fill(page: Path, blocks: Blocks, log: Log) -> None:
    """Write the blocks of a page again."""
    page.write_text(filled(page.read_text(encoding="utf-8"), blocks, log), encoding="utf-8")


def read_log(system: str) -> Log:
    """The log of a training."""
    log: Log = json.loads((weights(system) / "log.json").read_text(encoding="utf-8"))
    return log


def filled(page: str, blocks: Blocks, log: Log) -> str:
    """The page with all that is known."""
    for name, block in blocks.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}{block(log)}{end}{after}"
    return page


def table(rows: Mapping[str, str]) -> str:
    """Two columns without a head."""
    return "".join(["| | |\n| --- | --- |\n", *(f"| {name} | {value} |\n" for name, value in rows.items())])


def made_with(log: Log) -> str:
    """Versions, device and time."""
    return f"ktviz {log['ktviz']}, torch {log['torch']}, {log['device']}, {log['seconds'] / 60:.0f} minutes"


def analogy_recipe(log: Log) -> str:
    """How the weights of Deep Image Analogy were made."""
    settings = ", ".join(f"`{name}` {value:g}" for name, value in log["recipe"].items())
    return table(
        {
            "recipe": settings,
            "made with": made_with(log),
            "training images": f"{log['data']['images']}, digest `{log['data']['digest'][:12]}`",
            "teacher": f"`{log['teacher'][:12]}`",
            "pyramid, inverse blocks": f"`{log['pyramid'][:12]}`, `{log['inverse'][:12]}`",
        }
    )


def analogy_scores(log: Log) -> str:
    """Its scores by data set and level, as tables."""
    parts = []
    for data, found in log["scores"].items():
        levels = {name: values for name, values in found.items() if isinstance(values, dict)}
        parts.append(f"{found['images']} images of `{data}`:\n\n")
        parts.append("| level | found | found by the teacher | energy left |\n| --- | --- | --- | --- |\n")
        for level, values in levels.items():
            numbers = (values[name] for name in ("found", "found_by_teacher", "energy_left"))
            parts.append(f"| {level} | {' | '.join(f'{number:.3f}' for number in numbers)} |\n")
    return "".join(parts)


def maps_recipe(log: Log) -> str:
    """How weights were made of photographs with label maps, or of pictures with attributes."""
    settings = [f"`{name}` {in_words(value)}" for name, value in log["recipe"].items()]
    files = {name: log[name] for name in ("correspondence", "generator", "encoder", "networks") if name in log}
    known = next(name for name in ("pairs", "pictures") if name in log["data"])
    return table(
        {
            "recipe": ", ".join(settings),
            "made with": made_with(log),
            f"training {known}": f"{log['data'][known]}, digest `{log['data']['digest'][:12]}`",
            ", ".join(files): ", ".join(f"`{digest[:12]}`" for digest in files.values()),
        }
    )


def domains_recipe(log: Log) -> str:
    """How weights were made of the pictures of two domains."""
    settings = [f"`{name}` {in_words(value)}" for name, value in log["recipe"].items()]
    counts = [f"{number:,} {domain}" for domain, number in log["data"].items() if domain != "digest"]
    digests = [f"`{digest[:12]}`" for digest in log["data"]["digest"].split()]
    return table(
        {
            "recipe": ", ".join(settings),
            "made with": made_with(log),
            "training pictures": f"{', '.join(counts)}; digests {', '.join(digests)}",
            "generators": f"`{log['generators'][:12]}`",
        }
    )


def in_words(value: Any) -> str:
    """A setting, or several in brackets."""
    if isinstance(value, dict):
        return f"({', '.join(f'{name} {in_words(one)}' for name, one in value.items())})"
    if isinstance(value, list):
        return "x".join(map(in_words, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def result(name: str) -> Callable[[Log], str]:
    """A table of the benchmarks, without its title; curves are shown on pages of docs."""

    def block(_: Log) -> str:
        lines = (RESULTS / f"{name}.md").read_text(encoding="utf-8").splitlines()
        return "\n".join(lines[2:]).replace(f"]({name}.png)", f"](../benchmarks/results/{name}.png)") + "\n"

    return block


BLOCKS: Mapping[str, Blocks] = {
    "image_analogy": {"recipe": analogy_recipe, "scores": analogy_scores},
    "cocosnet": {
        "recipe": maps_recipe,
        "checks": result("cocosnet_checks"),
        "another seed": result("cocosnet_checks_seed_7"),
        "facades": result("cocosnet_checks_facades"),
    },
    "pix2pixhd": {
        "recipe": maps_recipe,
        "checks": result("pix2pixhd_checks"),
        "another seed": result("pix2pixhd_checks_seed_7"),
    },
    "munit": {"recipe": domains_recipe, "checks": result("munit_checks")},
    "bridge": {
        "recipe": maps_recipe,
        "checks": result("bridge_checks"),
        "another seed": result("bridge_checks_seed_7"),
    },
}
"""By system, what is written into its card."""
TABLES: Mapping[str, Sequence[str]] = {
    "docs/measurements.md": (
        *("reconstruction", "quality", "alignment", "speed", "search", "search_million", "gpu", "scale", "build"),
        *("commands", "explain", "faithfulness", "pieces", "memory"),
        *("views", "lessons", "small", "image_analogy_cost", "image_analogy_warps", "image_analogy_quality"),
        *("image_analogy_search", "cocosnet_cost", "cocosnet_warp", "pix2pixhd"),
    ),
    "docs/threads.md": ("waiting",),
    "docs/scale.md": ("scale_growth",),
    "docs/six-systems.md": ("six_systems_bench", "six_systems_agreement", "six_systems_claims", "bridge_runs"),
    "README.md": ("six_systems_summary",),
}
"""By page, which tables of the benchmarks are written into it."""


if __name__ == "__main__":
    main()
