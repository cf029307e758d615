"""The backtracking figure shows what was recorded, for any shape of photo and any number of sources."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
import torch
from matplotlib import pyplot, rcParams
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from torch import nn

from ktviz.errors import SettingError, TraceError
from ktviz.figures.backtracking import backtracking_figure
from ktviz.figures.layout import spread
from ktviz.figures.picks import Selection, allot, select
from ktviz.images import Pixels, write_image
from ktviz.library.format import BankRecord, EncoderIdentity
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.entries import Entries
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.source import PatchSource
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.library.place import Place
from ktviz.regions import Box
from ktviz.retrieval.credit import Credit
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.queries import Queries
from ktviz.retrieval.site import Reading, RetrievalSite
from ktviz.systems.plain import PlainSystem
from ktviz.trace.record import record
from ktviz.trace.trace import Trace

ROWS, COLUMNS = 21, 29
"""Patch positions per source: pictures of 96 x 128 px."""


def make_bank(folder: Path, name: str, number: int) -> Bank:
    """A bank of random pictures in which every position is an entry; it can be looked at, not searched."""
    rng = np.random.default_rng(7)
    sources = []
    for n in range(number):
        picture = rng.integers(0, 256, (24, 32, 3)).repeat(4, 0).repeat(4, 1).astype(np.uint8)
        write_image(folder / "thumbs" / f"{n:04d}.jpg", picture)
        names = f"picture-{n}-with-a-name-that-is-far-too-$long$-to-print.jpg"
        title = f"picture-{n}-with-a-title-that-is-far-too-$long$-to-print"
        credit = Credit(title, "A creator with a remarkably long name", "1900", "CC0-1.0")
        sources.append(PatchSource(names, "0" * 64, credit, 128, 96, 24, 32, ROWS * COLUMNS, ROWS * COLUMNS))
    source, y, x = torch.cartesian_prod(*map(torch.arange, (number, ROWS, COLUMNS))).unbind(1)
    entries = Entries(source, y, x, torch.ones(len(source), 4), [])
    thumbs = {n: path.read_bytes() for n, path in enumerate(sorted((folder / "thumbs").iterdir()))}
    place = Place(name, folder, BankRecord("patches", f"banks/{name}@1", (), number, len(entries), 0, "0" * 64, {}))
    return Bank(place).changed(sources=tuple(sources), entries=entries, _thumbs=thumbs)


class Winners(RetrievalSite):
    """Passes what it is given."""

    def __init__(self, union: BankUnion) -> None:
        super().__init__()
        self.union = union

    def forward(self, matches: Matches, grid: PatchGrid) -> Matches:
        return matches

    def read(self, inputs: tuple[Any, ...], output: Matches) -> list[Reading]:
        y, x = inputs[1].corners().unbind(1)
        side = torch.full_like(y, 4)
        return [Reading(output, Queries(y, x, 4 * torch.stack((x, y, side, side), 1).float()), self.union)]


class Random(nn.Module, PlainSystem):
    """A system with random winners."""

    name = "random"
    abilities: frozenset[str] = frozenset()
    baseline = ""

    def __init__(self, union: BankUnion) -> None:
        super().__init__()
        self.site = Winners(union)

    def forward(self, photo: Pixels, matches: Matches, grid: PatchGrid) -> Pixels:
        self.site(matches, grid)
        return photo[::-1].copy()

    def digests(self) -> dict[str, str]:
        return self.site.union.digests()

    def pictures(self, inputs: tuple[Any, ...], output: Pixels) -> dict[str, Pixels]:
        return {"input": inputs[0], "output": output}

    def source_picture(self, trace: Trace, source: str) -> Pixels | None:
        return self.site.union.picture(self.site.union.source_numbers[source])


@dataclass(frozen=True)
class Made:
    """A trace with random winners, the system that made it, and what it chose."""

    trace: Trace
    model: Random
    matches: Matches
    grid: PatchGrid

    @property
    def union(self) -> BankUnion:
        return self.model.site.union

    def select(self, picks: int) -> Selection:
        return select(self.trace, lambda source: self.model.source_picture(self.trace, source), picks)


def make(folder: Path, height: int, width: int, sources: int, banks: int = 1) -> Made:
    """A trace with random winners; the later a source, the smaller its share."""
    folders = [folder / str(n) for n in range(banks)]
    for where in folders:
        (where / "thumbs").mkdir(parents=True)
    union = BankUnion(
        [make_bank(where, f"art/style-{n}", sources) for n, where in enumerate(folders)],
        EncoderIdentity("test", "0" * 64, channels=4, stride=4),
    )
    rng = np.random.default_rng(3)
    photo = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    grid = PatchGrid(-(-height // 8) * 2, -(-width // 8) * 2)
    shape = len(grid), 3
    entry = torch.from_numpy((rng.random(shape) ** 2 * len(union)).astype(np.int64))
    similarity = torch.from_numpy(rng.random(shape).astype(np.float32)).sort(1, descending=True).values
    matches = Matches(entry, similarity, torch.from_numpy(rng.integers(0, 2, len(grid))))
    model = Random(union)
    with record(model) as trace:
        model(photo, matches, grid)
    return Made(trace, model, matches, grid)


def boxes(figure: Figure, kind: str) -> dict[int, tuple[float, float]]:
    """Centres of the boxes of one kind, by query."""
    found = {}
    for artist in figure.axes[0].patches:
        name, _, query = (artist.get_gid() or "").partition("-")
        if isinstance(artist, Rectangle) and name == kind:
            centre = artist.get_x() + artist.get_width() / 2, artist.get_y() + artist.get_height() / 2
            found[int(query)] = centre
    return found


def pictures(figure: Figure) -> Sequence[tuple[tuple[int, ...], tuple[float, float, float, float]]]:
    """Shape and extent of each picture but the magnified ones."""
    images = [image for image in figure.axes[0].images if image.get_interpolation() != "nearest"]
    return [(np.asarray(image.get_array()).shape, image.get_extent()) for image in images]


def test_picks_are_recorded_winners(tmp_path: Path) -> None:
    made = make(tmp_path, 160, 240, sources=5)
    chosen = made.select(10)
    assert len({pick.query for pick in chosen.picks}) == 10
    corner = made.grid.corners()
    for pick in chosen.picks:
        source, y, x = made.union.locate(made.matches.winner[pick.query])
        assert chosen.sources[pick.place] == made.union.source_names[source]
        assert [pick.source_box.x, pick.source_box.y] == [4 * int(x), 4 * int(y)]
        assert [pick.query_box.y, pick.query_box.x] == (4 * corner[pick.query]).tolist()
        assert pick.similarity == pytest.approx(float(made.matches.winner_similarity[pick.query]))


def test_boxes_are_drawn_where_the_patches_are(tmp_path: Path) -> None:
    made = make(tmp_path, 160, 240, sources=3)
    figure = backtracking_figure(made.trace, 6)
    queries, winners = boxes(figure, "query"), boxes(figure, "winner")
    assert len(queries) == len(winners) == 6
    (photo, (left, right, bottom, top)), _, *cards = pictures(figure)
    chosen = made.select(6)
    for pick in chosen.picks:
        x, y = queries[pick.query]
        assert (x - left) / (right - left) * photo[1] == pytest.approx(pick.query_box.centre[0], abs=1e-6)
        assert (y - top) / (bottom - top) * photo[0] == pytest.approx(pick.query_box.centre[1], abs=1e-6)
        card, (left_, right_, bottom_, top_) = cards[pick.place]
        x, y = winners[pick.query]
        assert (x - left_) / (right_ - left_) * card[1] == pytest.approx(pick.source_box.centre[0], abs=1e-6)
        assert (y - top_) / (bottom_ - top_) * card[0] == pytest.approx(pick.source_box.centre[1], abs=1e-6)


def test_sources_and_shares_are_those_of_the_share_table(tmp_path: Path) -> None:
    made = make(tmp_path, 160, 240, sources=40)
    chosen = made.select(12)
    table = made.trace.sources()[:8]
    assert list(chosen.sources) == table["source"].tolist()
    assert chosen.shares == pytest.approx(table["share"].tolist())
    assert {pick.place for pick in chosen.picks} == set(range(8))


def test_the_same_translation_gives_the_same_picture(tmp_path: Path) -> None:
    made = make(tmp_path, 120, 160, sources=4)
    assert made.select(9) == made.select(9)
    figures = [backtracking_figure(made.trace, 4) for _ in range(2)]
    assert boxes(figures[0], "winner") == boxes(figures[1], "winner")


def test_curves_on_one_side_do_not_cross_where_there_is_a_choice(tmp_path: Path) -> None:
    chosen = make(tmp_path, 320, 480, sources=4).select(8)
    for side in (0, 1):
        picks = [pick for pick in chosen.picks if chosen.sides[pick.place][0] == side]
        picks.sort(key=lambda pick: (chosen.sides[pick.place][1], pick.source_box.y))
        heights = [pick.query_box.y for pick in picks]
        assert heights == sorted(heights)


def test_picks_lie_within_the_photo(tmp_path: Path) -> None:
    made = make(tmp_path, 33, 41, sources=1)
    for pick in made.select(50).picks:
        assert pick.query_box.right <= 41
        assert pick.query_box.bottom <= 33


@pytest.mark.parametrize(
    ("height", "width", "sources", "banks", "picks"),
    [(16, 16, 1, 1, 1), (96, 128, 1, 1, 10), (256, 96, 2, 1, 1), (64, 400, 40, 1, 10), (96, 96, 5, 2, 24)],
    ids=["one patch", "one source", "portrait", "panorama", "two banks, many picks"],
)
def test_any_shape_and_number_fits_on_the_page(
    tmp_path: Path, height: int, width: int, sources: int, banks: int, picks: int
) -> None:
    made = make(tmp_path, height, width, sources, banks)
    figure = backtracking_figure(made.trace, picks)
    figure.set_dpi(40)
    figure.canvas.draw()
    page = figure.bbox.padded(0.5)
    for artist in (*figure.axes[0].texts, *figure.axes[0].images):
        box = artist.get_window_extent()
        assert page.containsx(box.x0)
        assert page.containsx(box.x1)
        assert page.containsy(box.y0)
        assert page.containsy(box.y1)


def test_pairs_do_not_overlap(tmp_path: Path) -> None:
    made = make(tmp_path, 96, 128, sources=3)
    figure = backtracking_figure(made.trace, 24)
    magnified = [image for image in figure.axes[0].images if image.get_interpolation() == "nearest"]
    assert len(magnified) == 48
    extents = [image.get_extent() for image in magnified]
    for n, (left, right, bottom, top) in enumerate(extents):
        for left_, right_, bottom_, top_ in extents[:n]:
            assert right <= left_ or right_ <= left or bottom <= top_ or bottom_ <= top


def test_without_the_model_boxes_stay_and_pictures_of_sources_are_blank(tmp_path: Path) -> None:
    made = make(tmp_path, 96, 128, sources=3)
    made.trace.save(tmp_path / "trace.parquet", pictures="both")
    live, saved = (backtracking_figure(trace, 6) for trace in (made.trace, Trace.open(tmp_path / "trace.parquet")))
    assert len(boxes(saved, "query")) == len(boxes(saved, "winner")) == 6
    assert len(live.axes[0].images) == 2 + 3 + 12
    assert len(saved.axes[0].images) == 2 + 6
    again = backtracking_figure(Trace.open(tmp_path / "trace.parquet"), 6, model=made.model)
    assert boxes(again, "winner") == boxes(live, "winner")


def test_a_trace_without_its_picture_is_refused(tmp_path: Path) -> None:
    made = make(tmp_path, 32, 32, sources=1)
    made.trace.save(tmp_path / "trace.parquet", pictures="none")
    with pytest.raises(TraceError, match="holds no picture"):
        backtracking_figure(Trace.open(tmp_path / "trace.parquet"))
    assert backtracking_figure(Trace.open(tmp_path / "trace.parquet"), model=made.model, photo=made.trace.input)


def test_a_region_that_nothing_painted_is_refused(tmp_path: Path) -> None:
    made = make(tmp_path, 32, 32, sources=1)
    part = made.trace.with_table(made.trace.table.filter(pc.less(made.trace.table["query"], 1)))
    with pytest.raises(TraceError, match="no retrieval covers it"):
        backtracking_figure(part, region=Box(24, 24, 4, 4))


def test_long_names_are_shortened_and_licences_kept(tmp_path: Path) -> None:
    texts = [t.get_text() for t in backtracking_figure(make(tmp_path, 96, 128, 6).trace).findobj(Text)]
    assert sum(text.startswith("picture-") and text.endswith("…") for text in texts) == 6
    assert sum(text.endswith("… · CC0-1.0") for text in texts) == 6


def test_picks_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="picks 0"):
        backtracking_figure(make(tmp_path, 32, 32, sources=1).trace, 0)


def test_allotment_is_proportional_and_leaves_nobody_out() -> None:
    assert allot([0.6, 0.3, 0.05], [99, 99, 99], 10) == [6, 3, 1]
    assert allot([0.6, 0.3, 0.05], [2, 99, 99], 6) == [2, 3, 1]
    assert allot([0.9, 0.1], [1, 1], 10) == [1, 1]


def test_spread_keeps_order_and_distance() -> None:
    assert spread([5, 50], 10, 0, 100) == [5, 50]
    assert spread([50, 50, 50], 10, 0, 100) == [40, 50, 60]
    assert spread([-20, 99], 10, 0, 90) == [0, 90]


def test_the_figure_leaves_pyplot_and_its_settings_alone(tmp_path: Path) -> None:
    figures, settings = pyplot.get_fignums(), dict(rcParams)
    backtracking_figure(make(tmp_path, 32, 32, sources=1).trace, 1)
    assert pyplot.get_fignums() == figures
    assert dict(rcParams) == settings


def test_ktviz_itself_loads_no_matplotlib() -> None:
    subprocess.run([sys.executable, "-c", "import sys, ktviz; assert 'matplotlib' not in sys.modules"], check=True)
