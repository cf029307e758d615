"""Lesson 8: a dispute about pasted works and a forged audit. The case, and checkers that say what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ktviz.audit.folder import MANIFEST, file_list, manifest_bytes, read_manifest
from ktviz.images import Pixels, resize
from ktviz.lessons.feedback import SEED, Feedback, Solution, as_mapping, expect, judge

KINDS = ("verbatim", "scaled", "mirrored")
SCALE = 0.7
"""Of the piece that was made smaller."""
NEAR_ONE = 0.02
WORKS = pd.DataFrame(
    {
        "source": ["art/night.jpg", "art/sails.jpg", "art/fruit.jpg"],
        "creator": ["Mara Lind", "Mara Lind", "unknown"],
        "licence": ["CC-BY-4.0", "CC-BY-NC-4.0", "CC0-1.0"],
        "share": [0.5, 0.3, 0.2],
    }
)


def collage(photo: Pixels, works: tuple[Pixels, Pixels, Pixels]) -> Pixels:
    """A photograph (H, W, 3) with a piece of each of three works: as it is, made smaller, mirrored."""
    height, width = photo.shape[:2]
    side = min(height, width) * 2 // 5
    pieces = [work[40 : 40 + side, 60 : 60 + side] for work in works]
    small = round(side * SCALE)
    shown = (pieces[0], resize(pieces[1], small, small), pieces[2][:, ::-1])
    found = photo.copy()
    for piece, (x, y) in zip(shown, ((8, 8), (width - small - 8, 12), (width // 3, height - side - 8)), strict=True):
        found[y : y + len(piece), x : x + piece.shape[1]] = piece
    return found


def forge(folder: Path, target: Path) -> None:
    """Somebody's copy of an audit, in which another made the works; its manifest is sealed anew."""
    shutil.copytree(folder, target)
    for path in (target / "tables" / "sources.csv", target / "tables" / "creators.csv"):
        path.write_text(path.read_text(encoding="utf-8").replace("Mara Lind", "Studio Ostwind"), encoding="utf-8")
    manifest = {name: value for name, value in read_manifest(target).items() if name != "sha256"}
    (target / MANIFEST).write_bytes(manifest_bytes({**manifest, "files": file_list(target)}))


def ours(folder: Path) -> pd.DataFrame:
    """The table of works of an audit, as it lies in its folder."""
    return pd.read_csv(folder / "tables" / "sources.csv")


def kinds(copies: pd.DataFrame) -> dict[str, str]:
    """How each work was copied: "verbatim", "scaled" or "mirrored", by its source."""
    found = {}
    for source, scale, mirrored in zip(copies["source"], copies["scale"], copies["mirrored"], strict=True):
        found[str(source)] = "mirrored" if mirrored else "scaled" if abs(float(scale) - 1) > NEAR_ONE else "verbatim"
    return found


def check_kinds(solution: Solution, seed: int = SEED) -> Feedback:
    """Exercise 1: `solution(copies)` takes the table of copies to a word for each source."""
    learnt = "mirrored and made smaller, it is still the same picture, and pixels say so."
    return judge("Exercise 1, kinds of copies", solution, examine_kinds, learnt, seed)


def examine_kinds(solution: Solution, seed: int) -> None:
    table = pd.DataFrame(
        {
            "source": ["a", "b", "c", "d", "e"],
            "scale": [1.0, 0.7, 1.0, 1.003, 1.4],
            "mirrored": [False, False, True, False, False],
        }
    )
    found = as_mapping(solution(table.copy()), "from sources to words")
    words = {str(name): str(word) for name, word in found.items()}
    expect(set(words) == {*"abcde"}, f"there are five works, a to e; yours names {sorted(words)}.")
    strange = sorted(set(words.values()) - set(KINDS))
    expect(not strange, f"the words are {', '.join(KINDS)}; yours says {', '.join(strange)}.")
    expect(words["c"] == "mirrored", "c is mirrored, whatever its scale; yours says otherwise.")
    expect(words["b"] == "scaled", "b has 0.7 of its size; yours says otherwise.")
    expect(words["e"] == "scaled", "e has 1.4 times its size; yours says otherwise.")
    expect(words["a"] == "verbatim", "a is as it was; yours says otherwise.")
    expect(words["d"] == "verbatim", "a scale of 1.003 is no scaling: it is measured, and measures are never exact.")
    drawn = drawn_copies(seed)
    expect(
        as_mapping(solution(drawn.copy()), "from sources to words") == kinds(drawn), "of twenty others, some are off."
    )


def drawn_copies(seed: int) -> pd.DataFrame:
    """Twenty copies: half of them nearly as large as the work, the others clearly smaller or larger."""
    draw = np.random.default_rng(seed)
    near, far = draw.uniform(0.99, 1.01, 10), draw.choice([-1, 1], 10) * draw.uniform(0.1, 0.5, 10) + 1
    scale = draw.permutation(np.concatenate((near, far)))
    names = [f"work {number}" for number in draw.permutation(100)[:20]]
    return pd.DataFrame({"source": names, "scale": scale, "mirrored": draw.random(20) < 0.3})


def differing(one: pd.DataFrame, other: pd.DataFrame) -> dict[str, list[str]]:
    """For each work, in what two tables differ: names of columns; works of one table alone lack everything."""
    columns = [column for column in one.columns if column != "source"]
    mine, theirs = one.set_index("source"), other.set_index("source")
    found = {}
    for source in {*mine.index} | {*theirs.index}:
        if source not in mine.index or source not in theirs.index:
            found[source] = columns
            continue
        odd = [name for name in columns if mine.loc[source, name] != theirs.loc[source, name]]
        if odd:
            found[source] = odd
    return found


def check_differing(solution: Solution, seed: int = SEED) -> Feedback:
    """Exercise 2: `solution(one, other)` takes two tables of works to the columns in which each work differs."""
    learnt = "now you know what was changed. That it was changed at all, `kt.verify` knew without a second copy."
    return judge("Exercise 2, what differs", solution, examine_differing, learnt, seed)


def examine_differing(solution: Solution, seed: int) -> None:
    equal = told(solution(WORKS.copy(), WORKS.copy()))
    expect(not equal, f"equal tables differ in nothing; yours names {sorted(equal)}.")
    shuffled = told(solution(WORKS.copy(), WORKS.iloc[::-1].reset_index(drop=True)))
    expect(not shuffled, "the same works in another order are the same; yours compares rows by their place.")
    forged = WORKS.copy()
    forged.loc[1, "creator"] = "Studio Ostwind"
    changed = told(solution(WORKS.copy(), forged))
    expect(
        set(changed) == {"art/sails.jpg"},
        f"one work has another creator, art/sails.jpg; yours names {sorted(changed)}.",
    )
    expect(changed["art/sails.jpg"] == ["creator"], f"only its creator differs; yours says {changed['art/sails.jpg']}.")
    shares = WORKS.copy()
    shares.loc[0, "share"] = 0.5000001
    close = told(solution(WORKS.copy(), shares))
    expect("art/night.jpg" in close, "a share that is off in its last digits differs, too.")
    expect(close == {"art/night.jpg": ["share"]}, f"only the share of art/night.jpg differs; yours says {close}.")
    many = WORKS.copy()
    many.loc[0, "creator"], many.loc[0, "share"] = "Studio Ostwind", 0.4
    many.loc[2, "licence"] = "CC-BY-4.0"
    found = {name: sorted(columns) for name, columns in told(solution(WORKS.copy(), many)).items()}
    wanted = {"art/night.jpg": ["creator", "share"], "art/fruit.jpg": ["licence"]}
    expect(found == wanted, "where several works differ, in several columns, all of them are asked for.")
    fewer = told(solution(WORKS.copy(), WORKS.iloc[:2]))
    expect("art/fruit.jpg" in fewer, "a work that is missing in the other table is a difference.")
    more = told(solution(WORKS.iloc[:2], WORKS.copy()))
    expect("art/fruit.jpg" in more, "a work that only the other table has is a difference.")
    one, other = drawn_tables(seed)
    found = {name: sorted(columns) for name, columns in told(solution(one.copy(), other.copy())).items()}
    wanted = {name: sorted(columns) for name, columns in differing(one, other).items()}
    expect(found == wanted, "of thirty other works, some are off.")


def drawn_tables(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two tables of thirty works in which about one value in five differs."""
    draw = np.random.default_rng(seed)
    names = [f"art/{number}.jpg" for number in draw.permutation(1000)[:30]]

    def column(words: list[str]) -> list[str]:
        return [words[number] for number in draw.integers(0, len(words), 30)]

    one = pd.DataFrame({"source": names, "creator": column(["Ann", "Bo"]), "licence": column(["CC0-1.0", "CC-BY-4.0"])})
    one["share"] = draw.dirichlet(np.ones(30))
    other = one.copy()
    for name, value in (("creator", "Cy"), ("licence", "CC-BY-SA-4.0"), ("share", 0.5)):
        other.loc[draw.random(30) < 0.2, name] = value
    return one, other.sample(frac=1, random_state=seed, ignore_index=True)


def told(found: Any) -> dict[str, list[str]]:
    """A result as names of columns by work."""
    known = as_mapping(found, "from works to columns")
    return {str(name): [*map(str, columns)] for name, columns in known.items() if len(columns)}
