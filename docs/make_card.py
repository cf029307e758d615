"""Numbers of the model card of Deep Image Analogy, from the log of its weights: `python -m docs.make_card`.

Everything between the marks in the card comes from `log.json`; the rest of the card is written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WEIGHTS = Path(__file__).parent.parent / "ktviz" / "systems" / "image_analogy" / "weights"
CARD, LOG = WEIGHTS / "MODEL_CARD.md", WEIGHTS / "log.json"


def main() -> None:
    CARD.write_text(filled(CARD.read_text(encoding="utf-8"), json.loads(LOG.read_text())), encoding="utf-8")


def filled(card: str, log: Mapping[str, Any]) -> str:
    """The card with all that the log knows."""
    for name, block in {"recipe": recipe(log), "scores": scores(log)}.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = card.partition(begin)
        _, _, after = rest.partition(end)
        card = f"{before}{begin}{block}{end}{after}"
    return card


def recipe(log: Mapping[str, Any]) -> str:
    """How the weights were made, as a table."""
    settings = ", ".join(f"`{name}` {value:g}" for name, value in log["recipe"].items())
    rows = {
        "recipe": settings,
        "made with": f"ktviz {log['ktviz']}, torch {log['torch']}, {log['device']}, {log['seconds'] / 60:.0f} minutes",
        "training images": f"{log['data']['images']}, digest `{log['data']['digest'][:12]}`",
        "teacher": f"`{log['teacher'][:12]}`",
        "pyramid, inverse blocks": f"`{log['pyramid'][:12]}`, `{log['inverse'][:12]}`",
    }
    return "".join(["| | |\n| --- | --- |\n", *(f"| {name} | {value} |\n" for name, value in rows.items())])


def scores(log: Mapping[str, Any]) -> str:
    """Scores by data set and level, as tables."""
    parts = []
    for data, found in log["scores"].items():
        levels = {name: values for name, values in found.items() if isinstance(values, dict)}
        parts.append(f"{found['images']} images of `{data}`:\n\n")
        parts.append("| level | found | found by the teacher | energy left |\n| --- | --- | --- | --- |\n")
        for level, values in levels.items():
            numbers = (values[name] for name in ("found", "found_by_teacher", "energy_left"))
            parts.append(f"| {level} | {' | '.join(f'{number:.3f}' for number in numbers)} |\n")
    return "".join(parts)


if __name__ == "__main__":
    main()
