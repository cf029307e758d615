"""A view of a trace of several sites: one at a time, each with its own scene and selection."""

from __future__ import annotations

import base64
import gzip
import re

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.errors import KtvizError, TraceError, UnknownNameError
from ktviz.widgets.page import further_scenes
from ktviz.widgets.room import Room
from views.several_sites import LAST, SIDE, SITES, several_sites
from views.wire import unpack


@pytest.fixture(scope="module")
def several():
    return several_sites()[1]


@pytest.fixture(scope="module")
def trace(several):
    """What the shared fixtures show."""
    return several


def scene(view):
    return unpack(view._scene)


def check_scene(data, trace, site):
    values, parts = unpack(data)
    part = trace.site(site)
    assert values["site"] == site
    assert values["queries"] == len(part)
    assert values["digest"] == part.digest[:12]
    assert np.array_equal(parts["query"], part.column("query"))
    names = [source["name"] for source in values["sources"]]
    assert [names[number] for number in parts["source"]] == part.column("source").tolist()


def test_the_last_site_is_shown_at_first_and_the_view_keeps_the_whole_trace(view, several):
    assert (view.site, view.trace, list(view.selection)) == (LAST, several, [])
    check_scene(view._scene, several, LAST)
    assert view.shown.digest == several.site(LAST).digest
    assert scene(view)[0]["sites"] == [
        {"name": name, "retrievals": rows**2, "direction": direction} for name, (rows, direction) in SITES.items()
    ]


@pytest.mark.parametrize("kind", [kt.TranslationView, kt.SourcesView, kt.TableView, kt.BandView, kt.TreeView])
def test_every_part_alone_shows_one_site(several, kind):
    with kind(several) as view:
        view.site = "fine, back"
        check_scene(view._scene, several, "fine, back")


@pytest.mark.parametrize("site", SITES)
def test_every_site_is_shown_when_it_is_asked_for(wire, several, site):
    view = wire.view
    view.site = site
    check_scene(view._scene, several, site)
    assert view.shown.sites == [site]
    if site != LAST:
        (update,) = wire.updates
        assert update["_site"] == site


def test_the_browser_switches_and_what_it_asks_is_of_that_site(wire, several):
    view, heard = wire.view, []
    view.observe(lambda change: heard.append(change["new"]), "site")
    view.set_state({"_site": "coarse, there"})
    assert (view.site, heard) == ("coarse, there", ["coarse, there"])
    check_scene(view._scene, several, "coarse, there")
    box = kt.Box(0, 0, 16, 16)
    _, parts = wire.answer("region", {"box": [0, 0, 16, 16]})
    share = several.site("coarse, there").sources(box).set_index("source")["share"]
    names = [source["name"] for source in scene(view)[0]["sources"]]
    assert parts["shares"] == pytest.approx(share.reindex(names, fill_value=0).to_numpy(), abs=1e-6)
    late = wire.ask("region", {"box": [0, 0, 16, 16]}, trace=several.site(LAST).digest[:12])
    assert late.content["ok"]  # asked before the switch, answered about that site


def test_sources_have_one_number_and_colour_at_all_sites(view, several):
    known = {}
    for site in SITES:
        view.site = site
        for number, source in enumerate(scene(view)[0]["sources"]):
            assert known.setdefault(source["name"], (number, source["colour"])) == (number, source["colour"])
    shares = several.sources().groupby("source")["share"].sum()
    assert shares[list(known)].is_monotonic_decreasing


def test_each_site_keeps_its_own_selection(view, several):
    view.region = kt.Box(0, 0, 9, 9)
    view.site = "coarse, back"
    assert (view.region, list(view.selection)) == (None, [])
    view.selection = [3]
    view.site = LAST
    assert view.region == kt.Box(0, 0, 9, 9)
    assert view.selection.to_pandas()["site"].unique().tolist() == [LAST]
    view.site = "coarse, back"
    assert list(view.selection) == [3]
    assert view.selection.to_pandas()["site"].tolist() == ["coarse, back"]
    with pytest.raises(UnknownNameError):
        view.selection = [4]  # of four retrievals


@pytest.mark.parametrize("site", ["votes", "", None, 3, ["vote"], {"a": 1}], ids=str)
def test_a_site_that_is_not_there_is_refused_and_the_one_that_is_shown_stays(wire, site):
    view = wire.view
    with pytest.raises(UnknownNameError, match="known: coarse, there, "):
        view.site = site
    view.set_state({"_site": site})
    assert (view.site, view._site) == (LAST, LAST)
    assert wire.heard[-1].content["kind"] == "error"
    assert wire.updates[-1]["_site"] == LAST


def test_a_site_without_retrievals_is_not_shown(several):
    table = several.table.filter(torch.from_numpy(several.column("site", winners=False) != LAST).numpy())
    with kt.Explorer(several.with_table(table)) as view:
        assert view.site == "fine, back"
        assert [site["retrievals"] for site in scene(view)[0]["sites"]] == [4, 4, 16, 16, 0]
        with pytest.raises(TraceError, match="no retrievals"):
            view.site = LAST
    with pytest.raises(TraceError, match="holds no retrievals"):
        kt.Explorer(several.with_table(table[:0]))


def test_a_part_of_a_trace_has_sites_too(several):
    with kt.Explorer(several[kt.Box(0, 0, 10, 10)]) as view:
        for site in SITES:
            view.site = site
            assert set(view.shown.column("query")) <= set(several.site(site).column("query"))
            assert scene(view)[0]["queries"] == len(several.site(site)[kt.Box(0, 0, 10, 10)])


def test_pictures_of_sources_are_those_of_every_site(several):
    pixels = np.full((16, 16, 3), 80, dtype=np.uint8)
    with kt.Explorer(several, pictures={"0a.png": pixels}) as view:
        for site in ("coarse, there", "coarse, back"):
            view.site = site
            assert len([name for name in scene(view)[1] if name.startswith("thumb/")]) == 1
    with pytest.raises(KtvizError):
        kt.Explorer(several, pictures={"z.png": pixels})


def test_a_retrieval_is_found_by_row_and_column_at_the_site_that_is_shown(several):
    with kt.BandView(several, at=(7, 2)) as view:
        assert list(view.selection) == [58]


def test_one_site_by_name_is_a_view_of_that_alone(several):
    with several.site("fine, there").explore() as view:
        assert (view.site, len(scene(view)[0]["sites"])) == ("fine, there", 1)


def test_a_closed_view_says_so(several):
    view = kt.Explorer(several)
    view.close()
    with pytest.raises(TraceError, match="closed"):
        view.site = "fine, back"


# Pages


def sites_of(path):
    """The other sites of a page: by name, what is selected, and the parts that are kept."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r'class="ktviz-site" data-site="([^"]*)" data-selected="([^"]*)">([^<]*)<', text)
    return {name: (selected, unpack(gzip.decompress(base64.b64decode(packed)))[1]) for name, selected, packed in found}


def test_a_page_keeps_every_site_with_what_is_selected_there(view, several, tmp_path):
    view.site = "fine, there"
    view.selection = [5]
    view.site = "coarse, there"
    view.to_html(tmp_path / "page.html")
    found = sites_of(tmp_path / "page.html")
    assert list(found) == [name for name in SITES if name != "coarse, there"]
    for name, (_, parts) in found.items():
        assert set(parts) == {"scene", "store"}
        check_scene(parts["scene"].tobytes(), several, name)
    assert "[5]" in found["fine, there"][0]
    assert "[5]" not in found[LAST][0]


def test_a_page_keeps_as_many_sites_as_fit(view):
    whole = further_scenes(view, 10**6)
    assert len(whole) == len(SITES) - 1
    size = 2 * sum(one.size for one in whole)  # sites may take half
    assert len(further_scenes(view, size)) == len(whole)
    for room in (size - 2, size // 2, size // 5, 10):
        found = further_scenes(view, room)
        assert sum(one.size for one in found) <= room // 2
        assert len(found) < len(whole)
    assert found == []


def test_a_site_whose_answers_do_not_fit_is_kept_without_them(paint):
    _, trace = several_sites(banks=1)
    pictures = {name: paint(n, 96, 96) for n, name in enumerate(("0a.png", "0b.png", "0c.png"))}
    with kt.Explorer(trace, pictures=pictures) as view:
        one = further_scenes(view, 10**6)[0]
        values, kept = answers_of(one.text(Room(10**6)))
        assert kept
        assert values["left_out"] == []
        values, kept = answers_of(one.text(Room(10)))
        assert not kept
        assert values["left_out"]


def answers_of(element):
    """What a page keeps of the answers about one of its further scenes."""
    (packed,) = re.findall(">([A-Za-z0-9+/=]+)<", element)
    return unpack(unpack(gzip.decompress(base64.b64decode(packed)))[1]["store"].tobytes())


def test_what_sites_have_in_common_is_stored_once(world, paint, tmp_path):
    """Pictures of sources that give something at several sites."""
    _, trace = several_sites(banks=1)
    pictures = {name: paint(n, 64, 64) for n, name in enumerate(("0a.png", "0b.png", "0c.png"))}
    with kt.Explorer(trace, pictures=pictures) as view:
        view.to_html(tmp_path / "page.html")
    for _, parts in sites_of(tmp_path / "page.html").values():
        values, kept = unpack(parts["store"].tobytes())
        assert values["shared"]
        assert not kept


def test_a_translation_that_is_aligned_shows_its_patches_and_switches_to_its_tone(world, paint, tmp_path):
    trace = world.translator.traced(paint(41, SIDE, SIDE))
    with kt.Explorer(trace) as view:
        assert view.site == "retrieval"
        assert [site["name"] for site in scene(view)[0]["sites"]] == ["tone", "retrieval"]
        order = scene(view)[0]["sources"]
        view.to_html(tmp_path / "page.html")
        assert [*sites_of(tmp_path / "page.html")] == ["tone"]
        view.site = "tone"
        assert view.site == "tone"
        assert [one["name"] for one in scene(view)[0]["sources"]] == [one["name"] for one in order]


def test_the_translation_of_a_translator_has_one_site_and_its_page_no_other(world, paint, tmp_path):
    with kt.Explorer(world.translator.traced(paint(41, SIDE, SIDE), align=0)) as view:
        view.to_html(tmp_path / "page.html")
        assert sites_of(tmp_path / "page.html") == {}
        assert [site["name"] for site in scene(view)[0]["sites"]] == [view.site]
