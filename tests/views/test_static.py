"""Static views show what was recorded, fit on their page, and print names as they are."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from html import unescape

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from matplotlib import pyplot, rcParams
from matplotlib.colors import to_hex
from matplotlib.text import Text

from ktviz.errors import MismatchError, TraceError, UnknownNameError
from ktviz.figures import interactive
from ktviz.figures.band_grid import band_figure
from ktviz.figures.cluster_tree import tree_figure
from ktviz.figures.colours import OTHER, QUANTITY_INK, source_colours
from ktviz.figures.layout import percent
from ktviz.figures.outline import REST, outline
from ktviz.figures.share_bars import ROWS, share_figure
from ktviz.figures.tree_layout import MOST
from ktviz.library.kinds.patches.band_pixels import DECODED_CAPTION, PIXELS_CAPTION, pixel_bands
from ktviz.library.kinds.patches.tree import Tree
from ktviz.library.kinds.trees import checked_tree
from ktviz.library.library import Library
from ktviz.regions import Box
from ktviz.systems.descents import visits
from ktviz.systems.kt.band_pictures import decoded_bands, query_pixels
from ktviz.systems.kt.live import live
from ktviz.systems.kt.translator import Translator
from ktviz.trace.record import record
from ktviz.trace.trace import Trace

NASTY = "<script>alert(1)</script> <b>Bold</b> $x^2$ &amp; %{x}"
LONG = "a-name-that-is-far-too-long-to-print-" * 5
REGION = Box(8, 16, 40, 24)


@pytest.fixture(scope="module")
def trace(world, paint):
    return world.translator.traced(paint(41, 72, 90), align=0)


@pytest.fixture(scope="module")
def bank(world):
    return world.library.bank("art/warm")


@pytest.fixture(scope="module")
def large(bank):
    """A bank of 200,000 entries in 100,000 leaves below 10 nodes."""
    count = 200_000
    start = torch.cat((torch.tensor([0]), torch.arange(0, count, 20_000), torch.arange(0, count, 2)))
    end = torch.cat((torch.tensor([count]), start[1:11] + 20_000, start[11:] + 2))
    parent = torch.cat((torch.tensor([-1]), torch.zeros(10), torch.arange(1, 11).repeat_interleave(10_000))).long()
    rows = torch.arange(count) % len(bank)
    tree = Tree(torch.zeros(len(parent), 1), parent, start, end)
    return bank.changed(tree=tree, keys=bank.keys[rows], entries=bank.entries.take(rows))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, toy, toy_decoder, settings, save, paint):
    """A translation by sources whose names and credits are HTML, formulas and very long; and their bank."""
    folder = tmp_path_factory.mktemp("hostile")
    names = [f"{NASTY.replace('/', '')}.png", f"{LONG}.png"]
    for number, name in enumerate(names):
        save(folder / "pictures" / name, paint(50 + number))
    with (folder / "credits.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [[name, NASTY, NASTY, "1900", f"{NASTY} {LONG}", "https://example.org"] for name in names]
        csv.writer(file).writerows([["file", "title", "creator", "year", "licence", "url"], *rows])
    library = Library.ensure(folder / "hostile.ktlib", toy, settings)
    library.build("art/odd", [folder / "pictures"], credits=folder / "credits.csv", encoder=toy, quiet=True)
    translator = Translator(library["art/odd"], toy, toy_decoder)
    return translator, translator.traced(paint(60, 64, 80), align=0), library.bank("art/odd")


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def bars(figure, colour):
    """(x, y, width) of the bars of a colour."""
    found = [p for p in figure.axes[0].patches if hasattr(p, "get_width") and p.get_fill()]
    return [(p.get_x(), p.get_y(), p.get_width()) for p in found if to_hex(p.get_facecolor()).upper() == colour.upper()]


def strings(value):
    """All texts in a plotly figure."""
    if isinstance(value, dict):
        return [text for part in value.values() for text in strings(part)]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return [value] if isinstance(value, str) else []


def every_figure(trace, bank):
    return {
        "shares": lambda: share_figure(trace),
        "region": lambda: share_figure(trace, REGION),
        "bands": lambda: band_figure(trace, 5),
        "tree": lambda: tree_figure(bank),
        "visits": lambda: tree_figure(bank, trace, query_of(trace, bank)),
        "icicle": lambda: interactive.tree_icicle(bank, trace),
        "sunburst": lambda: interactive.tree_sunburst(bank, trace),
        "spread": lambda: interactive.tree_icicle(bank),
        "share bars": lambda: interactive.share_bars(trace, REGION),
        "heatmap": lambda: interactive.similarity_heatmap(trace),
    }


def query_of(trace, bank):
    """A query that a bank won."""
    return int(trace.column("query")[np.flatnonzero(trace.column("bank") == bank.name)[-1]])


def test_figures_are_returned_and_not_shown(trace, bank, monkeypatch):
    monkeypatch.setattr(go.Figure, "show", lambda *_: pytest.fail("shown"))
    monkeypatch.setattr(pyplot, "show", lambda *_: pytest.fail("shown"))
    numbers, settings, state = pyplot.get_fignums(), dict(rcParams), torch.random.get_rng_state()
    for name, make in every_figure(trace, bank).items():
        figure = make()
        if isinstance(figure, go.Figure):
            assert type(figure) is go.Figure, name
            json.loads(figure.to_json())
    assert pyplot.get_fignums() == numbers
    assert dict(rcParams) == settings
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("kind", ["shares", "region", "bands", "tree", "visits"])
@pytest.mark.parametrize("names", ["plain", "hostile"])
def test_everything_fits_on_the_page_and_no_text_overlaps_another(trace, bank, hostile, kind, names):
    figure = every_figure(trace, bank)[kind]() if names == "plain" else every_figure(*hostile[1:])[kind]()
    figure.canvas.draw()
    page, seen = figure.bbox.padded(0.5), []
    for artist in (*figure.axes[0].texts, *figure.axes[0].images):
        box = artist.get_window_extent()
        assert page.containsx(box.x0)
        assert page.containsx(box.x1)
        assert page.containsy(box.y0)
        assert page.containsy(box.y1)
        if isinstance(artist, Text):
            assert not [other.get_text() for place, other in seen if place.padded(-0.5).overlaps(box)], artist
            seen.append((box, artist))


def test_shares_are_drawn_to_scale_in_the_colours_of_the_whole_image(trace):
    colours = source_colours(trace.sources()["source"].tolist())
    for region in (None, REGION):
        shares = trace.sources(region).query("share > 0")
        figure = share_figure(trace, region)
        (full,) = {width for _, _, width in bars(figure, "#ECECEC")}
        for name, share in zip(shares["source"], shares["share"], strict=True):
            assert [width for _, _, width in bars(figure, colours[name])] == pytest.approx([full * share])
            assert percent(share) in texts(figure)
            assert name.rsplit("/", 1)[-1] in texts(figure)
        assert {"0", "1"} <= set(texts(figure))


def test_a_share_figure_shows_the_sources_while_the_model_lives(trace, world, tmp_path):
    sources = (trace.sources()["share"] > 0).sum()
    assert len(share_figure(trace).axes[0].images) == 1 + sources
    trace.save(tmp_path / "trace.parquet", pictures="none")
    assert len(share_figure(Trace.open(tmp_path / "trace.parquet")).axes[0].images) == 0


def test_shares_beyond_the_page_are_counted(world, build, toy, toy_decoder, save, paint, tmp_path):
    for number in range(ROWS + 3):
        save(tmp_path / "many" / f"{number}.png", paint(100 + number, 32, 32))
    library = build("many", [tmp_path / "many"])
    trace = Translator(library["art/test"], toy, toy_decoder).traced(paint(9, 128, 128), coherence=0, align=0)
    shares = trace.sources().query("share > 0")
    assert len(shares) > ROWS
    rest = shares["share"][ROWS:].sum()
    assert f"{len(shares) - ROWS} more sources, {percent(rest)} together" in texts(share_figure(trace))


def test_bands_are_those_of_query_and_candidates(trace):
    query = 7
    case, figure = live(trace, trace.model), band_figure(trace, query)
    rows = trace.table.to_pandas().query("query == @query").sort_values("rank")
    entries = torch.tensor(rows["entry"].tolist())
    patches = torch.cat((case.grid.unfold(case.features, torch.tensor([query])), case.banks.patches(entries)))
    pictures = [np.asarray(image.get_array()) for image in figure.axes[0].images]
    assert len(pictures) == 10 * (1 + len(rows))
    assert np.array_equal(np.stack(pictures[::2]).reshape(-1, 5, 16, 16, 3), decoded_bands(case.model, patches))
    pixels = query_pixels(case, torch.tensor([query]))[0]
    assert np.array_equal(pictures[1], pixels)
    assert np.array_equal(np.stack(pictures[3:10:2]), pixel_bands(pixels))
    assert {f"{value:.3f}" for value in rows["similarity"]} <= set(texts(figure))
    assert {f"{value:.2f}" for name in ("ll", "lh", "hl", "hh") for value in rows[f"kt.similarity_{name}"]} <= set(
        texts(figure)
    )
    assert {f"Left: {DECODED_CAPTION}.", f"Right: {PIXELS_CAPTION}."} <= set(texts(figure))


def test_queries_show_the_pixels_that_the_encoder_saw(world, paint):
    photo = paint(42, 69, 91)
    case = live(world.translator.traced(photo, align=0), world.translator)
    padded = np.pad(photo, ((0, 3), (0, 5), (0, 0)), mode="reflect")
    assert np.array_equal(query_pixels(case, torch.tensor([len(case.grid) - 1]))[0], padded[-16:, -16:])
    assert np.array_equal(query_pixels(case, torch.tensor([0]))[0], photo[:16, :16])


def test_bands_that_did_not_count_are_marked(world, paint):
    photo = paint(43, 64, 64)
    figure = band_figure(world.translator.traced(photo, band_weights=(1, 0, 0, 2.5), align=0), 3)
    assert texts(figure).count("not compared") == 2
    assert {"weight 1", "weight 2.5"} <= set(texts(figure))
    counted = {round(x) for x, _, width in bars(figure, QUANTITY_INK) if 0 < width < 120}
    unused = {round(x) for x, _, width in bars(figure, "#B4B4B4") if width > 0}
    assert counted.isdisjoint(unused)


def test_bars_of_bands_are_aligned_and_to_scale(trace):
    figure = band_figure(trace, 7)
    rows = trace.table.to_pandas().query("query == 7").sort_values("rank")
    tracks = sorted({(x, width) for x, _, width in bars(figure, "#ECECEC")})
    assert len(tracks) == 5  # four bands and the total
    left, full = tracks[0]
    for cosine, (x, _, width) in zip(rows["kt.similarity_ll"], bars(figure, QUANTITY_INK)[::4], strict=True):
        assert width == pytest.approx(abs(cosine) * full / 2, abs=1e-3)
        assert (x if cosine >= 0 else x + width) == pytest.approx(left + full / 2)


def test_the_winner_is_marked(trace):
    queries = {bool(c): int(q) for q, c in zip(trace.column("query"), trace.column("kt.coherent"), strict=True)}
    for coherent, query in queries.items():
        assert ("won, by coherence" if coherent else "won") in texts(band_figure(trace, query))


def test_a_trace_from_a_file_needs_its_model(trace, world, tmp_path):
    trace.save(tmp_path / "trace.parquet")
    stored = Trace.open(tmp_path / "trace.parquet")
    with pytest.raises(TraceError, match="Pass model="):
        band_figure(stored, 7)
    assert texts(band_figure(stored, 7, model=world.translator)) == texts(band_figure(trace, 7))
    with pytest.raises(UnknownNameError, match="query 99999"):
        band_figure(trace, 99_999)


def test_the_outline_keeps_the_largest_and_counts_the_rest(large):
    count = np.random.default_rng(2).integers(0, 1000, len(large.tree))
    path = (7, int(large.tree.children[7][500]))
    count[list(path)] = 0
    nodes = checked_tree(large).nodes
    items = outline(nodes, count, 60, (17, 8), path)
    assert len(items) <= 60
    assert set(path) <= {item.node for item in items}
    places = {item.node: number for number, item in enumerate(items) if item.node != REST}
    for number, item in enumerate(items[1:], 1):
        assert places[item.parent] < number
    drawn = {item.parent for item in items}
    for parent in drawn - {-1}:
        below = [item for item in items if item.parent == parent]
        children = large.tree.children[parent].numpy()
        assert sum(item.nodes for item in below) == len(children)
        assert sum(item.size for item in below) == nodes.size[parent]
        assert sum(item.count for item in below) == count[children].sum()
        shown = [item.count for item in below if item.node != REST and item.node not in path]
        assert shown == sorted(shown, reverse=True) == np.sort(count[children])[::-1][: len(shown)].tolist()


def test_tree_figures_are_capped_whatever_the_tree(large):
    found = texts(tree_figure(large))
    assert "200,000 entries · 100,011 nodes" in found[1]
    figure = tree_figure(large)
    assert len(figure.axes[0].images) <= 6 * MOST
    assert figure.get_size_inches()[1] * figure.dpi < 3200
    assert any("… 9,993 more: 19,986 entries" in text for text in found)
    for make in (interactive.tree_icicle, interactive.tree_sunburst):
        chart = make(large).data[0]
        assert len(chart.ids) <= interactive.MOST
        assert sum(label.startswith("… 9,937 more") for label in chart.labels) == 10


def test_a_tree_figure_tells_visits_and_the_path(trace, bank):
    query = query_of(trace, bank)
    row = int(np.flatnonzero(trace.column("query") == query)[0])
    path, cosine = trace.column("kt.path")[row], trace.column("kt.path_similarity")[row]
    found = texts(tree_figure(bank, trace, query))
    steps = " → ".join(f"node {node} ({value:.2f})" for node, value in zip(path, cosine, strict=True))
    assert f"Query {query}, cosine to each node of its winner's path: {steps}" in found
    assert {f"{value:.2f}" for value in cosine} <= set(found)
    counts = visits(trace, bank.name, len(bank.tree))
    assert {f"{count:,}" for count in counts} <= set(found)  # the toy tree is drawn whole
    assert "visits" not in texts(tree_figure(bank))


def test_a_tree_of_one_leaf_is_drawn(tmp_path, build, save, paint):
    save(tmp_path / "small" / "small.png", paint(5))
    bank = build("small", [tmp_path / "small"]).bank("art/test")
    assert len(bank.tree) == 1
    assert "Root" in texts(tree_figure(bank))
    assert interactive.tree_icicle(bank).data[0].ids == ("0",)


def test_trees_of_other_banks_and_queries_are_refused(trace, bank, world, build, pictures):
    other = world.library.bank("art/cool")
    with pytest.raises(MismatchError, match="its winner is of art/warm"):
        tree_figure(other, trace, query_of(trace, bank))
    with pytest.raises(TraceError, match="no trace was given"):
        tree_figure(bank, None, 3)
    with pytest.raises(TraceError, match="query 99999"):
        tree_figure(bank, trace, 99_999)
    with pytest.raises(UnknownNameError, match="art/test"):
        tree_figure(build("other", [pictures / "cool"]).bank("art/test"), trace)
    forged = bank.changed(place=replace(bank.place, record=replace(bank.place.record, content="1" * 64)))
    with pytest.raises(MismatchError, match="library bank art/warm"):
        interactive.tree_icicle(forged, trace)


def test_charts_of_trees_hold_sizes_visits_and_spread(trace, bank):
    counts = visits(trace, bank.name, len(bank.tree))
    for make in (interactive.tree_icicle, interactive.tree_sunburst):
        chart = make(bank, trace).data[0]
        nodes = [int(node) for node in chart.ids]
        assert sorted(nodes) == list(range(len(bank.tree)))
        assert list(chart.values) == checked_tree(bank).nodes.size[nodes].tolist()
        assert [int(p or -1) for p in chart.parents] == bank.tree.parent[nodes].tolist()
        assert np.square(np.array(chart.marker.colors[1:], dtype=float)) == pytest.approx(counts[nodes[1:]] / counts[0])
        assert (chart.marker.cmin, chart.marker.cmax) == (0, 1)
        assert chart.marker.colorbar.ticktext[0] == "0"
        assert chart.marker.colorbar.ticktext[-1] == "1"
        for node, text in zip(nodes, chart.hovertext, strict=True):
            assert f"{counts[node]:,} visits" in text
    assert all("spread" in text for text in interactive.tree_icicle(bank).data[0].hovertext)


def test_share_bars_are_the_share_table(trace):
    colours = source_colours(trace.sources()["source"].tolist())
    for region in (None, REGION):
        shares = trace.sources(region).query("share > 0")
        figure = interactive.share_bars(trace, region)
        assert list(figure.data[0].x) == pytest.approx(shares["share"].tolist())
        assert list(figure.data[0].marker.color) == [colours[name] for name in shares["source"]]
        assert list(figure.layout.xaxis.range) == [0, 1]


def test_many_shares_end_in_one_bar(trace, monkeypatch):
    monkeypatch.setattr(interactive, "ROWS", 2)
    shares = trace.sources().query("share > 0")
    data = interactive.share_bars(trace).data[0]
    assert len(data.x) == 3
    assert sum(data.x) == pytest.approx(1)
    assert data.marker.color[-1] == OTHER
    assert data.hovertext[-1] == f"{len(shares) - 2} more sources"


def test_the_heatmap_lies_where_the_queries_are(trace):
    figure = interactive.similarity_heatmap(trace)
    data = figure.data[0]
    assert (data.zmin, data.zmax) == (0, 1)
    assert list(figure.layout.yaxis.range) == [72, 0]
    grid = live(trace, trace.model).grid
    assert data.z.shape == (grid.rows, grid.columns)
    assert np.asarray(data.z).ravel() == pytest.approx(trace.column("similarity"))
    assert data.x.tolist() == [8 * n + 8 for n in range(grid.columns)]
    assert data.y.tolist() == [8 * n + 8 for n in range(grid.rows)]


def test_the_heatmap_of_a_part_leaves_gaps(trace):
    mask = np.zeros((72, 90), dtype=bool)
    mask[0, 0] = mask[60, 60] = True
    part = trace[mask]
    data = interactive.similarity_heatmap(part).data[0]
    values = np.asarray(data.z)
    assert np.isfinite(values).sum() == len(part)
    assert set(np.diff(data.x)) == set(np.diff(data.y)) == {8}


def test_names_are_shown_as_they_are(hostile):
    _, trace, bank = hostile
    for figure in (interactive.share_bars(trace), interactive.similarity_heatmap(trace)):
        found = [text for text in strings(json.loads(figure.to_json())) if "alert" in text]
        assert found
        for text in found:
            assert "$" not in text
            assert "<" not in text.replace("<br>", "")
            assert "<script>alert(1)" in unescape(text)
        assert "hovertemplate" not in figure.to_json().split('"layout"')[0]  # %{x} would be filled in
    assert any("<script>alert(1)" in text for text in texts(share_figure(trace)))
    assert any("<script>" in text for text in texts(band_figure(trace, 0)))
    tree_figure(bank, trace, 0).canvas.draw()


def test_labels_are_cut_before_they_are_escaped():
    assert interactive.label("a" * 59 + "<b>") == "a" * 59 + "…"
    assert unescape(interactive.label("<" * 70)) == "<" * 59 + "…"
    assert interactive.label("$x$ & <i>'\"") == "&#36;x&#36; &amp; &lt;i&gt;'\""


def test_several_images_are_refused(world, paint):
    with record(world.translator) as both:
        for seed in (70, 71):
            world.translator(paint(seed, 32, 32))
    for make in (share_figure, interactive.share_bars, interactive.similarity_heatmap):
        with pytest.raises(TraceError, match=r"Choose one: trace.image\(0\)"):
            make(both)
        make(both.image(1))
