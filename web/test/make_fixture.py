"""Known answers for the tests of the front end, made by Python: `.venv/bin/python web/test/make_fixture.py`.

A small world is translated; what the browser works out again (overlap, rankings, maps, answers of a page) is written
beside what Python says about it. `tests/test_front_end_fixture.py` makes it again and compares.
"""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps
from torch import nn

import ktviz as kt
from ktviz.explain.bands import contributions, reweigh
from ktviz.explain.projection import Projection, apart
from ktviz.figures.maps import nearest
from ktviz.images import Pixels, write_image
from ktviz.library.format import LibrarySettings
from ktviz.library.kinds.patches.band_pixels import pixel_bands
from ktviz.library.library import Library
from ktviz.regions import Box
from ktviz.systems.code_space import Codes
from ktviz.systems.kt.translator import Translator
from ktviz.testing import CellColours, CellMeans
from ktviz.trace.trace import Trace
from ktviz.widgets.after import translated
from ktviz.widgets.answers import Answers
from ktviz.widgets.change import Change
from ktviz.widgets.layout import matrix
from ktviz.widgets.packing import Part, pack, whole
from ktviz.widgets.page import kept
from ktviz.widgets.panels import tree
from ktviz.widgets.protocol import NO_SOURCE, PROTOCOL
from ktviz.widgets.room import Room
from ktviz.widgets.scene import columns, describe
from ktviz.widgets.subject import Subject

FIXTURE = Path(__file__).parent / "fixture.json"
HEIGHT, WIDTH = 44, 60
"""Of the photo; the last row of queries reaches beyond its lower border."""
WEIGHTS = ((1, 1, 1, 0), (1, 1, 1, 1), (0.2, 2, 0.65, 0), (0, 0, 0, 1), (1, 0, 0, 0))
REGIONS = ((0, 0, WIDTH, HEIGHT), (12, 8, 20, 16), (7, 5, 1, 1), (41, 30, 19, 14), (3, 0, 50, 3))
UNEVEN_REGIONS = ((0, 0, 10, 14), (2, 3, 5, 7), (9, 13, 1, 1), (0, 0, 3, 3))
LABELLED_REGIONS = ((0, 0, 9, 6), (2, 2, 1, 1), (6, 0, 3, 6), (0, 5, 1, 1))
FEW_NODES = 9
"""Of a page whose tree does not fit."""


def make(folder: Path) -> dict[str, Any]:
    """The fixture; the world is built in an empty folder."""
    torch.set_num_threads(1)
    translator = small_world(folder)
    trace = translator.traced(painting(100, HEIGHT, WIDTH), candidates=5, align=0).with_regret()
    subject = Subject.create(trace, translator)
    return {
        "packed": packed_examples(),
        "many": many_sources(),
        "world": {**told(subject, REGIONS), "store": text(pack({}, without_files(stored(subject))))},
        "cut": {"store": text(pack({}, without_files(cut_store(subject))))},
        "reweigh": [ranking(subject, weights) for weights in WEIGHTS],
        "answers": answers(subject),
        "after": counterfactual(subject),
        "uneven": told(Subject.create(uneven_trace()), UNEVEN_REGIONS),
        "labelled": told(Subject.create(labelled_trace()), LABELLED_REGIONS),
        "space": space_of_codes(),
        "haar": haar_example(),
        "cividis": (255 * np.asarray(colormaps["cividis"].colors)).round().astype(int).tolist(),
    }


def painting(seed: int, height: int = 64, width: int = 64) -> Pixels:
    """Cells of colours, with a soft wave and grain over them, so that all bands hold something."""
    random = np.random.default_rng(seed)
    cells = random.uniform(20, 235, (-(-height // 4), -(-width // 4), 3)).repeat(4, 0).repeat(4, 1)[:height, :width]
    y, x = np.mgrid[:height, :width]
    wave = 30 * np.sin(random.uniform(0.1, 0.4) * x + random.uniform(0.1, 0.4) * y)
    return np.clip(cells + wave[..., None], 0, 255).astype(np.uint8)


def small_world(folder: Path) -> Translator:
    """Two banks of paintings, with trees of two levels."""
    settings = LibrarySettings(side_px=64, dedupe=1.0, branching=(3, 4), key_dimensions=16)
    library = Library.create(folder / "small.ktlib", CellMeans(), settings)
    for bank, seeds in {"art/soft": (1, 2, 3), "art/hard": (4, 5)}.items():
        for seed in seeds:
            write_image(folder / bank / f"{seed}.png", painting(seed))
        library.build(bank, [folder / bank], encoder=CellMeans(), quiet=True)
    return Translator(library["art"], CellMeans(), CellColours())


class Attention(nn.Module):
    """A system of somebody else: every cell of a 4x4 grid is a mixture of five whole images."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        values = torch.linspace(0, 9, 16 * 5).sin().reshape(16, 5)
        return (3 * values).softmax(1)


def uneven_trace() -> Trace:
    """Soft retrieval, and boxes whose edges lie between pixels, some of them right in the middle."""
    model = Attention()
    y, x = (values.flatten() for values in torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij"))
    box = torch.stack((2.5 * x, 3.5 * y, torch.full((16,), 2.5), torch.full((16,), 3.5)), dim=1)
    names = [f"{letter}.png" for letter in "abcde"]
    site = kt.adapt(
        model,
        lambda inputs, output: kt.Matches.soft(output, top=3),
        queries=kt.Queries(y, x, box),
        catalogue=kt.Catalogue.wholes(names),
    )
    with kt.record(model, site) as trace:
        model(torch.zeros(1, 3, 14, 10))
    return trace


def labelled_trace() -> Trace:
    """Queries that are regions: one with a hole, one in that, one of two parts that two ask about, one of a pixel."""
    labels = torch.zeros(6, 9, dtype=torch.int64)
    labels[0:5, 0:5], labels[1:4, 1:4], labels[2, 2] = 7, 0, 300
    labels[0:2, 6:9] = labels[4:6, 7:9] = 12
    labels[5, 0] = 3
    model = nn.Sequential(nn.Identity())
    asked = kt.Queries.regions(labels, torch.tensor([12, 7, 300, 12, 3]))
    entry = torch.tensor([[0, 1], [1, 2], [2, 0], [1, 0], [0, 2]])
    site = kt.adapt(
        model[0],
        lambda inputs, output: kt.Matches.hard(entry, torch.linspace(0.9, 0.1, 10).reshape(5, 2)),
        queries=asked,
        catalogue=kt.Catalogue.wholes(["a.png", "b.png", "c.png"]),
    )
    with kt.record(model, site) as trace:
        model(torch.zeros(1, 3, 6, 9))
    return trace


def packed_examples() -> dict[str, Any]:
    """A container with every type, and what is in it."""
    parts: dict[str, Part] = {
        "bytes": np.array([0, 1, 255], dtype=np.uint8),
        "file": b"\x89PNG",
        "steps": np.array([[-10001, 5], [10000, -1]], dtype=np.int16),
        "none": np.array([], dtype=np.float32),
        "numbers": np.array([[0, 65535]], dtype=np.uint16),
        "nodes": np.array([-1, 2**31 - 1], dtype=np.int32),
        "values": np.array([[0.5], [-1.25], [3e-5]], dtype=np.float32),
        "counting": np.arange(-50, 50, dtype=np.int32),
        "wrapping": np.linspace(65535, 0, 120).astype(np.uint16).reshape(40, 3),
        "boxes": np.stack((np.arange(64) / 4 - 5, np.full(64, 0.25)), axis=1).astype(np.float32),
    }
    values = {"title": "Käse <b> 名", "nothing": float("nan"), "list": [1, 2.5, None], "deep": {"a": True}}
    arrays = {name: np.frombuffer(p, np.uint8) if isinstance(p, bytes) else p for name, p in parts.items()}
    return {
        "bytes": text(pack(values, parts)),
        "small": text(pack(values, parts, for_gzip=True)),
        "values": {**values, "nothing": None},
        "parts": {name: {"shape": a.shape, "values": a.ravel().tolist()} for name, a in arrays.items()},
    }


def many_sources() -> dict[str, Any]:
    """Numbers of sources as a scene holds them where there are very many."""
    numbers = np.array([[0, 70_000, NO_SOURCE], [65_535, 32_768, NO_SOURCE]])
    return {"bytes": text(pack({}, {"source": whole(numbers)})), "numbers": numbers.ravel().tolist()}


def told(subject: Subject, regions: tuple[tuple[int, ...], ...]) -> dict[str, Any]:
    """The scene without its pictures, and what Python says about regions and pixels."""
    trace = subject.trace
    words = dict.fromkeys(("version", "digest", "frozen"), "")  # no business of the front end's tests
    return {
        "scene": text(pack({**describe(subject), **words}, unsqueezed(columns(subject)))),
        "nearest": nearest(trace).tolist(),
        "regions": [region_of(subject, Box(*region)) for region in regions],
    }


def unsqueezed(parts: Mapping[str, Part]) -> dict[str, Part]:
    """The label map as it is, within gzip: how small that makes it differs from version to version."""
    labels = parts.get("labels")
    raw = {} if not isinstance(labels, bytes) else {"labels": gzip.compress(gzip.decompress(labels), 0, mtime=0)}
    return {**parts, **raw}


def region_of(subject: Subject, box: Box) -> dict[str, Any]:
    """What every retrieval paints of a region, and what every source gave to it, in the order of the view."""
    share = subject.trace.sources(box).set_index("source")["share"]
    weights = subject.trace.overlap(box)
    return {
        "box": [box.x, box.y, box.width, box.height],
        "weight": weights.tolist(),
        "shares": [float(share[name]) for name in subject.names],
    }


def ranking(subject: Subject, weights: tuple[float, ...]) -> dict[str, Any]:
    """All candidates by other band weights, and which would have won."""
    similarity = matrix(subject.trace, contributions(subject.trace, weights).sum(1), np.nan)
    then = reweigh(subject.trace, weights).set_index("query")["entry_then"]
    return {
        "weights": weights,
        "similarity": similarity.tolist(),
        "winner": [int(then[query]) for query in subject.trace.column("query").tolist()],
    }


def answers(subject: Subject) -> list[dict[str, Any]]:
    """Requests that a page answers too, and Python's answers."""
    asked = Answers(subject)
    last = len(subject.trace) - 1
    requests: list[tuple[str, dict[str, Any]]] = [
        ("candidates", {"queries": [0, 7, last]}),
        ("pictures", {"sources": [0, 2]}),
        *(("children", {"bank": bank, "nodes": nodes}) for bank, nodes in ((0, [0]), (1, [0, 2]))),
        ("thumbs", {"bank": 1, "nodes": [3, 0]}),
        ("descent", {"queries": [*range(0, last, 5), last]}),
        ("exact", {"queries": [*range(0, last, 5), last]}),
        *(("outline", {"bank": bank}) for bank in (0, 1)),
    ]
    return [answer(asked, kind, body) for kind, body in requests]


def counterfactual(subject: Subject) -> dict[str, Any]:
    """The scene without the largest source and without its pictures, and the shares of a region there."""
    after = translated(subject, Change.asked(subject, {"without": [0]}))
    words = {"version": "", "digest": "after", "frozen": ""}
    return {
        "scene": text(pack({**after.describe(), **words}, columns(after.subject))),
        "regions": [region_of(after.subject, Box(*region)) for region in REGIONS],
    }


def answer(asked: Answers, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """One request with its answer, arrays as lists."""
    values, parts = asked.to({"protocol": PROTOCOL, "kind": kind, "body": body})
    arrays = {name: part for name, part in without_files(parts).items() if not isinstance(part, bytes)}
    return {
        "kind": kind,
        "body": body,
        "values": values,
        "parts": {name: np.asarray(part, dtype=np.float64).ravel().tolist() for name, part in arrays.items()},
        "files": [name for name, part in parts.items() if isinstance(part, bytes)],
    }


def stored(subject: Subject) -> dict[str, Part]:
    """What a page with room for all of it keeps."""
    return kept(subject, Room(10**9))


@contextmanager
def limit(nodes: int) -> Iterator[None]:
    """Pages store pictures of so few nodes."""
    before = tree.MOST_PICTURED
    tree.MOST_PICTURED = nodes
    try:
        yield
    finally:
        tree.MOST_PICTURED = before


def cut_store(subject: Subject) -> Mapping[str, Part]:
    """What a page keeps of trees of which it may not store all pictures."""
    with limit(FEW_NODES):
        return stored(subject)


def haar_example() -> dict[str, Any]:
    """A patch, and the bands of its pixels."""
    pixels = painting(7, 8, 8)
    return {"pixels": pixels.ravel().tolist(), "bands": pixel_bands(pixels).reshape(4, -1).tolist()}


def space_of_codes() -> dict[str, Any]:
    """Stored codes with their map, and what some points of it are: their code, and how far each stored one is."""
    random = np.random.default_rng(11)
    codes = (random.normal(size=(9, 4)) * (3, 2, 1, 0.5) + 1).astype(np.float32).astype(np.float64)
    used = codes[2] * 0.75 + codes[5] * 0.25
    projection = Projection.of(codes)
    points = [(-1, (0, 0)), (-1, (1.5, -0.25)), (4, (0, 0)), (7, (-2, 0.5))]
    return {
        "about": {
            "axes": projection.axes.tolist(),
            "explained": projection.explained.tolist(),
            "used": used.tolist(),
            "place": projection.places(used).tolist(),
        },
        "codes": codes.ravel().tolist(),
        "places": projection.places(codes).ravel().tolist(),
        "points": [point_of(projection, codes, used if n < 0 else codes[n], n, moved) for n, moved in points],
    }


def point_of(projection: Projection, codes: Codes, base: Codes, entry: int, moved: tuple[float, float]) -> Any:
    """A point of a map."""
    code = projection.moved(base, np.array(moved))
    away = apart(codes, code)
    return {
        "entry": entry,
        "moved": moved,
        "code": code.tolist(),
        "place": projection.places(code).tolist(),
        "nearest": np.argsort(away, kind="stable").tolist(),
        "apart": np.sort(away).tolist(),
    }


def without_files(parts: Mapping[str, Part]) -> dict[str, Part]:
    """Files as their names: what encoders make of pictures differs from version to version."""
    return {name: name.encode() if isinstance(part, bytes) else part for name, part in parts.items()}


def text(packed: bytes) -> str:
    """Bytes as text."""
    return b64encode(packed).decode()


def as_json(fixture: Mapping[str, Any]) -> str:
    """The file, whose numbers have six digits."""
    return json.dumps(rounded(fixture), separators=(",", ":"), ensure_ascii=False, allow_nan=False) + "\n"


def rounded(value: Any) -> Any:
    """The same, with floats of six digits, and None for what is not finite."""
    if isinstance(value, Mapping):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    if isinstance(value, float):
        return round(value, 6) if np.isfinite(value) else None
    return value


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        FIXTURE.write_text(as_json(make(Path(folder))), encoding="utf-8")
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size:,} bytes")
