"""Sites whose queries lie in another picture than the input, or which paint another, of whatever sizes."""

from __future__ import annotations

import base64
import gzip
import re
from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pytest

import ktviz as kt
from ktviz.errors import RegionError
from ktviz.figures.interactive import similarity_heatmap
from ktviz.figures.share_bars import share_figure
from ktviz.images import decode_image
from ktviz.regions import stretched
from ktviz.trace.pictures import in_words
from views.canvases import ASKING, AWAY, BACK, LABELLED, REFERENCE, SIZE, THERE
from views.wire import unpack

ROLES = {
    THERE: (("input", "Input", SIZE), ("output", "Output", (96, 128))),
    AWAY: (("reference:0", "Reference", REFERENCE), ("output:back", "Output, back", BACK)),
    LABELLED: (("labels", "Labels", SIZE), ("output", "Output", (96, 128))),
}


@pytest.fixture(scope="module")
def trace(studio):
    return studio[1]


@pytest.mark.parametrize("site", ROLES)
def test_the_scene_has_the_canvas_and_the_output_of_its_site(view, site):
    view.site = site
    values, parts = unpack(view._scene)
    for role, (name, title, (height, width)) in zip(("canvas", "output"), ROLES[site], strict=True):
        said = {"name": name, "title": title, "width": width, "height": height, "shrunk": False}
        assert values[role] == said
        pixels = view.trace.picture.canvases[name]
        assert np.array_equal(decode_image(parts[f"canvas/{name}"].tobytes()), pixels)
    assert {name for name in parts if name.startswith("canvas/")} == {f"canvas/{name}" for name, *_ in ROLES[site]}


def test_a_region_is_of_the_canvas_of_the_site(view):
    view.site = AWAY
    view.region = kt.Box(20, 50, 20, 10)  # beyond the input's 48 rows
    assert view.selection.to_pandas()["box"].map(tuple).tolist() == [(20, 50, 10, 10), (30, 50, 10, 10)]
    with pytest.raises(RegionError, match="40x60 px"):
        view.region = kt.Box(44, 0, 8, 8)  # within the input
    view.site = THERE
    view.region = kt.Box(44, 0, 8, 8)
    assert len(view.selection) == 2


def test_shares_of_a_region_are_asked_of_the_canvas(wire, trace):
    wire.view.site = AWAY
    _, parts = wire.answer("region", {"box": [20, 50, 20, 10]})
    share = trace.site(AWAY).sources(kt.Box(20, 50, 20, 10)).set_index("source")["share"]
    names = [source["name"] for source in unpack(wire.view._scene)[0]["sources"]]
    assert parts["shares"] == pytest.approx(share[names].to_numpy(), abs=1e-6)


@pytest.mark.parametrize("first", ROLES)
def test_a_page_has_the_pictures_of_all_sites_once(view, trace, first, tmp_path):
    view.site = first
    view.to_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    _, parts = packed(text, 'id="ktviz-scene"')
    wanted = {name: size for roles in ROLES.values() for name, _, size in roles}
    assert {name for name in parts if name.startswith("canvas/")} == {f"canvas/{name}" for name in wanted}
    for name, size in wanted.items():
        assert decode_image(parts[f"canvas/{name}"].tobytes()).shape[:2] == size
    for name in ROLES:
        if name != first:
            values, kept = unpack(packed(text, f'data-site="{name}"')[1]["scene"].tobytes())
            assert values["canvas"]["name"] == ROLES[name][0][0]
            assert not [part for part in kept if part.startswith("canvas/")]


def packed(text, mark):
    (found,) = re.findall(f"{re.escape(mark)}[^>]*>([^<]*)<", text)
    return unpack(gzip.decompress(base64.b64decode(found)))


def test_a_counterfactual_is_of_the_output_of_the_site(wire):
    view = wire.view
    view.site = AWAY
    assert unpack(view._scene)[0]["can"]["exclude"]
    names = [source["name"] for source in unpack(view._scene)[0]["sources"]]
    wire.answer("translate", {"without": [names.index("a.png")], "weights": []})
    assert view.showing == "after"
    values, parts = unpack(view._after)
    after = decode_image(parts["canvas/output:back"].tobytes())
    assert np.abs(after.astype(int) + view.trace.picture.canvases["output:back"] - 255).max() <= 1
    assert decode_image(parts["difference"].tobytes()).shape[:2] == BACK
    assert values["canvas"]["name"] == "reference:0"
    assert "a.png" not in set(view.selection.to_pandas()["source"])
    assert view.comparison.pictures["before"].shape[:2] == BACK


@pytest.mark.parametrize("site", ROLES)
@pytest.mark.parametrize("kind", [kt.Explorer, kt.TranslationView, kt.SourcesView])
def test_every_view_is_drawn_on_paper(trace, site, kind):
    with kind(trace) as view:
        view.site = site
        view.region = kt.Box(2, 3, 30, 20)
        titles = texts(view.plot())
    if kind is not kt.SourcesView:
        assert {title for _, title, _ in ROLES[site]} <= titles


def texts(figure):
    figure.canvas.draw()
    return {text.get_text() for axes in figure.axes for text in axes.texts}


def test_the_figure_of_shares_has_the_output_in_its_own_shape_and_the_region_of_the_canvas(trace):
    figure = share_figure(trace.site(AWAY), kt.Box(0, 0, 20, 60))  # half of the canvas
    (picture,) = [image for image in figure.axes[0].images if image.get_array().shape[:2] == BACK]
    left, right, bottom, top = picture.get_extent()
    assert (right - left) / (bottom - top) == pytest.approx(BACK[1] / BACK[0])
    frames = [patch for patch in figure.axes[0].patches if patch.get_zorder() == 4]
    assert any(patch.get_width() == pytest.approx((right - left) / 2) for patch in frames)


def test_the_heat_map_spans_the_canvas(trace):
    figure = similarity_heatmap(trace.site(AWAY))
    assert figure.layout.xaxis.range == (0, 40)
    assert figure.layout.yaxis.range == (60, 0)
    assert np.shape(figure.data[0].z) == (6, 4)


def test_cards_show_what_the_site_is_of(trace):
    assert "Output, back" in trace.site(AWAY)._repr_html_()
    with kt.Explorer(trace.site(AWAY)) as view:
        assert "Reference" in view._repr_mimebundle_()[0]["text/html"]


def test_an_attribution_of_an_output_of_another_size_is_drawn(studio):
    _, trace = studio
    found = kt.attribute(trace.site(LABELLED), kt.Box(6, 4, 12, 12))
    assert texts(found.plot())
    assert found._repr_html_()


def test_a_mask_is_stretched_over_a_picture_of_another_size():
    mask = np.array([[True, False], [False, True]])
    assert np.array_equal(stretched(mask, 4, 6), np.kron(mask, np.ones((2, 3), dtype=bool)))
    assert np.array_equal(stretched(mask, 2, 2), mask)
    assert stretched(np.ones((7, 5), dtype=bool), 3, 11).all()


def test_canvases_have_names_in_words():
    names = ("input", "labels", "reference:0", "reference:3", "output:back")
    assert [in_words(name) for name in names] == ["Input", "Labels", "Reference", "Reference 4", "Output, back"]


def test_a_source_that_is_a_canvas_of_the_run_is_shown(trace):
    sources = [{**one, "source": one["source"].replace("a.png", "input")} for one in trace.about["sources"]]
    named = pc.replace_substring(trace.table["source"].cast("string"), "a.png", "input").dictionary_encode()
    table = trace.table.set_column(trace.table.column_names.index("source"), "source", named)
    with kt.Explorer(type(trace)(table, {**trace.about, "sources": sources}, trace.pictures)) as view:
        values, parts = unpack(view._scene)
        number = [source["name"] for source in values["sources"]].index("input")
        assert decode_image(parts[f"thumb/{number}"].tobytes()).shape[:2] == SIZE


def test_measures_of_the_site_are_told(trace):
    measured = {
        AWAY: {"mean_cost": 0.25, "energy_after": np.float32(1.5e6), "words": "none", "lost": np.nan},
        THERE: {"consistency": 1},
    }
    with kt.Explorer(with_measures(trace, measured)) as view:
        bare = float((~np.isin(trace.picture.labels("labels"), ASKING)).mean())
        wanted = {
            AWAY: ({"mean_cost": 0.25, "energy_after": 1.5e6}, {}),
            THERE: ({"consistency": 1.0}, {}),
            LABELLED: ({}, {"nothing taken": pytest.approx(bare)}),
        }
        for site, told in wanted.items():
            view.site = site
            said = unpack(view._scene)[0]
            assert (said["measures"], said["lacking"]) == told


def with_measures(trace, measured):
    picture = replace(trace.picture, about={**trace.picture.about, "measures": measured})
    return type(trace)(trace.table, trace.about, [picture])
