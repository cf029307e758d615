"""Deep Image Analogy as a system: what it records follows from what it did, and can be asked, left out and audited."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.patches import Rectangle
from matplotlib.text import Text

import ktviz as kt
from ktviz.audit.agreement import check_run
from ktviz.audit.evidence import with_servants
from ktviz.errors import (
    AbilityError,
    Difference,
    MismatchError,
    RegionError,
    SettingError,
    TraceError,
    UnknownNameError,
    UnknownSettingError,
)
from ktviz.explain.case import case_of
from ktviz.explain.source_pictures import source_picture
from ktviz.figures.layout import percent
from ktviz.figures.levels import levels_figure, painted
from ktviz.figures.picks import select
from ktviz.images import pixel_digest
from ktviz.retrieval.credit import Credit
from ktviz.systems.image_analogy.system import ImageAnalogy
from ktviz.systems.image_analogy.votes_blend import voted
from ktviz.systems.protocol import System
from ktviz.systems.registry import check_class

HEIGHT, WIDTH = 40, 56
BOX = kt.Box(8, 8, 16, 12)
FAST = {"iterations": 2, "ratio": 1.0}
LEVELS = ("conv5_1", "conv4_1", "conv3_1", "conv2_1", "conv1_1")


@pytest.fixture(scope="module")
def pair():
    random = np.random.default_rng(3)
    coarse = torch.from_numpy(random.random((1, 3, 8, 9))).float()
    picture = torch.nn.functional.interpolate(coarse, (HEIGHT, WIDTH), mode="bicubic").clamp(0, 1)[0]
    a = (255 * picture.permute(1, 2, 0).numpy()).astype(np.uint8)
    return a, np.ascontiguousarray((255 - a)[2:-2, 4:])


@pytest.fixture(scope="module")
def system(model, pair):
    return ImageAnalogy(pair[1], model)


@pytest.fixture(scope="module")
def trace(system, pair):
    return system.traced(pair[0], **FAST)


def test_it_keeps_the_protocol(system):
    check_class(ImageAnalogy, "image-analogy", "here")
    assert isinstance(system, System)


def test_recording_changes_no_bit_and_a_result_has_its_trace(system, pair):
    plain = system(pair[0], **FAST)
    with kt.record(system) as trace:
        made = system(pair[0], **FAST)
    assert np.array_equal(plain.a_prime, made.a_prime)
    assert np.array_equal(plain.b, made.b)
    assert plain.trace is None
    assert made.trace.digest == trace.digest
    assert kt.attribute(made, BOX).frame.equals(kt.attribute(trace, BOX).frame)


def test_sites_are_five_levels_and_the_votes_in_both_directions(trace, pair):
    assert trace.sites == [f"{way}.{name}" for way in ("ab", "ba") for name in (*LEVELS, "vote")]
    canvases = trace.picture.about["canvases"]
    assert list(canvases) == ["input", "reference:0", "output", "output:back"]
    assert trace.site("ba.conv3_1").size == pair[1].shape[:2]
    about = trace.site("ab.vote").site_about
    assert (about["kind"], about["paints"], about["direction"]) == ("soft", True, "A to B'")
    assert {site["output"] for site in trace.about["sites"]} == {"output", "output:back"}


@pytest.mark.parametrize("layer", LEVELS)
def test_a_level_records_its_field_and_cost(system, trace, pair, layer):
    side = system(pair[0], **FAST).level(layer).sides["ab"]
    site, field = trace.site(f"ab.{layer}"), side.search.field
    width = side.cost.size_there[1]
    assert np.array_equal(site.column("entry"), (field[..., 0] * width + field[..., 1]).flatten().numpy())
    assert np.allclose(site.column("similarity"), -side.search.cost.flatten().numpy() / 2)
    moved = site.column("image_analogy.start") != site.column("entry")
    assert moved.mean() == pytest.approx(side.search.changed)
    boxes = site.column("source_box")
    assert (boxes[:, 0] + boxes[:, 2]).max() <= pair[1].shape[1]


@pytest.mark.parametrize(("way", "output"), [("ab", "output"), ("ba", "output:back")])
def test_the_recorded_votes_make_the_output_again(trace, pair, way, output):
    votes = trace.site(f"{way}.vote")
    other = pair[1] if way == "ab" else pair[0]
    made = (255 * voted(votes, other)).round()
    assert np.abs(made - trace.picture.canvases[output]).max() <= 1
    weights = votes.table.group_by(["query"]).aggregate([("weight", "sum")])["weight_sum"].to_numpy()
    assert np.allclose(weights, 1)


def test_nothing_of_a_region_that_is_left_out_is_used(system, trace, pair):
    left = kt.Box(0, 0, 20, pair[1].shape[0])
    without = kt.without(trace, left)
    votes = without.site("ab.vote").column("source_box", winners=False)
    assert votes[:, 0].min() >= 20
    assert trace.site("ab.vote").column("source_box", winners=False)[:, 0].min() < 20
    assert without.picture.settings["without"] == [
        {"source": "reference", "box": {"x": 0, "y": 0, "width": 20, "height": pair[1].shape[0]}}
    ]
    assert len(kt.compare(trace, without)) > 0
    assert (
        kt.without(without, kt.Box(20, 0, 4, 4)).site("ab.vote").column("source_box", winners=False)[:, 0].min() >= 20
    )


@pytest.mark.parametrize("site", ["ab.vote", "ab.conv3_1", "ab.conv4_1"])
def test_an_entry_is_what_its_number_means_at_the_site_that_is_asked(trace, site):
    part = trace.site(site)
    without = kt.without(part, int(part.column("entry")[-1]))
    (region,) = without.picture.settings["without"]
    assert [region["box"][edge] for edge in ("x", "y", "width", "height")] == part.column("source_box")[-1].tolist()
    assert part.column("entry")[-1] not in without.site(site).column("entry", winners=False)
    with pytest.raises(UnknownNameError, match="entries go from 0"):
        kt.without(part, 10**6)


def test_entries_of_a_level_are_ablated_as_parts_of_what_the_votes_changed(trace):
    level, asked = trace.site("ab.conv3_1"), {"by": "entry", "through": "ablation", "most": 2, "quiet": True}
    found = kt.attribute(level, BOX, **asked)
    change = kt.attribute(trace.site("ab.vote"), BOX, **asked).about["change"]
    assert found.about["change"] == pytest.approx(change)
    assert found.about["instead"] == "what the search finds in the rest of the reference"
    overlap = kt.attribute(level, BOX, by="entry").frame
    assert set(found.frame["entry"]) == set(overlap["entry"].head(2))
    rows, columns = BOX.pixels
    for entry, levels in found.frame[["entry", "levels"]].itertuples(index=False):
        apart = np.abs(kt.without(level, entry).output[rows, columns].astype(int) - trace.output[rows, columns])
        assert levels == pytest.approx(apart.mean())


@pytest.mark.parametrize("site", ["ba.vote", "ba.conv3_1"])
def test_entries_of_the_way_back_are_no_part_of_the_reference(trace, site):
    part = trace.site(site)
    with pytest.raises(UnknownNameError, match="of input, and only parts of the reference can be left out"):
        kt.without(part, 0)
    with pytest.raises(TraceError, match="nothing would be left to retrieve"):
        kt.attribute(part, BOX, by="entry", through="datamodel", runs=2, quiet=True)


@pytest.mark.parametrize("site", ["ab.conv3_1", "ba.conv4_1"])
def test_the_cells_behind_a_region_are_those_that_reach_into_it(system, trace, site):
    part, mask = trace.site(site), np.zeros(trace.site(site).size, dtype=bool)
    mask[-3:, -3:] = True
    assert system.behind(part, mask).tolist() == [len(part) - 1]


@pytest.mark.parametrize("wrong", [{}, {"source": "reference"}, {"source": "reference", "box": 3}, True, 3.5, None])
def test_what_is_no_part_of_the_reference_is_refused(system, pair, wrong):
    with pytest.raises((SettingError, UnknownNameError), match=r"Give a kt\.Box of it"):
        system(pair[0], **FAST, without=[wrong])


def test_the_same_run_again_is_the_same(system, trace):
    assert system.rerun(trace).digest == trace.digest
    assert system.rerun(trace, seed=1).digest != trace.digest


@pytest.mark.parametrize("refine", [False, True])
def test_blending_goes_from_the_contents_own_pixels_to_the_output(model, pair, refine):
    system = ImageAnalogy(pair[1], model)
    trace = system.traced(pair[0], **FAST, refine=refine).site("ab.vote")
    blend = system.blend(trace, BOX)
    none, whole = (blend(torch.full((len(blend.retrievals),), amount)) for amount in (0.0, 1.0))
    rows, columns = BOX.pixels
    assert np.abs(255 * none.permute(1, 2, 0).numpy() - pair[0][rows, columns]).max() < 1e-3
    assert np.abs(255 * whole.permute(1, 2, 0).numpy() - trace.output[rows, columns]).max() <= 1
    found = kt.attribute(trace, BOX, through="gradient")
    assert found.frame["share"].sum() == pytest.approx(1, abs=1e-3)
    assert found.about["baseline"] == "the content's own pixels"


@pytest.mark.parametrize("layer", LEVELS)
def test_regret_is_what_the_exact_field_has_over_the_one_that_was_found(system, trace, pair, layer):
    side = system(pair[0], **FAST).level(layer).sides["ab"]
    found = trace.site(f"ab.{layer}").regret(30).set_index("query").sort_index()
    cells = torch.tensor(found.index.to_numpy())
    assert np.allclose(found["regret"], (side.regret(cells) / 2).clamp(min=0).numpy(), atol=1e-6)
    assert (found["regret"] >= 0).all()


def test_every_level_is_measured(system, trace, pair):
    made = system(pair[0], **FAST)
    measures = trace.picture.measures
    assert set(measures) == {f"{way}.{layer}" for layer in LEVELS for way in ("ab", "ba")}
    for way in ("ab", "ba"):
        for layer in LEVELS:
            part, found = trace.site(f"{way}.{layer}"), measures[f"{way}.{layer}"]
            assert found["mean_cost"] == pytest.approx(-2 * part.column("similarity").astype(float).mean(), abs=1e-6)
            started = part.column("start") != part.column("entry")
            assert found["changed"] == pytest.approx(started.mean(), abs=1e-6)
            assert found["there_and_back"] == float(made.level(layer).consistency(way).median())
            assert ("energy_after" in found) == (layer != "conv1_1")


@pytest.mark.parametrize(("way", "output"), [("ab", "output"), ("ba", "output:back")])
def test_the_figure_of_levels_ends_with_the_output(trace, way, output):
    made = painted(trace.site(f"{way}.vote")).astype(int)
    assert np.abs(made - trace.picture.canvases[output]).max() <= 1
    coarse = painted(trace.site(f"{way}.conv5_1"))
    assert coarse.shape == trace.picture.canvases[output].shape
    assert painted(trace.site(f"{way}.conv1_1")).std() > 0


def test_the_figure_of_levels_is_drawn_from_a_file_too(trace, tmp_path):
    trace.save(tmp_path / "t.parquet", pictures="both")
    first, second = (levels_figure(t)._repr_png_() for t in (trace, kt.Trace.open(tmp_path / "t.parquet")))
    assert first == second


def test_a_file_shows_the_reference_without_the_model(model, pair, tmp_path):
    known = {"source": "tiger.jpg", "bank": "mine", "pixels": pixel_digest(pair[1]), **Credit().described()}
    ImageAnalogy(pair[1], model, known).traced(pair[0], **FAST).save(tmp_path / "t.parquet", pictures="both")
    back = kt.Trace.open(tmp_path / "t.parquet")
    for site, pixels in (("ab.vote", pair[1]), ("ba.vote", pair[0])):
        part = back.site(site)
        (name,) = part.sources()["source"]
        assert np.array_equal(source_picture(part, name), pixels)
        with kt.Explorer(part) as view:
            assert np.array_equal(view._subject.picture(0), pixels)


def test_a_figure_of_levels_needs_levels_and_pictures(trace, world, paint, tmp_path):
    with pytest.raises(TraceError, match="no direction with two sites"):
        levels_figure(world.translator.traced(paint(1, 40, 40), align=0))
    trace.save(tmp_path / "t.parquet", pictures="none")
    with pytest.raises(TraceError, match="the trace holds no such picture"):
        levels_figure(kt.Trace.open(tmp_path / "t.parquet"))


def test_what_it_cannot_do_is_said(trace):
    with pytest.raises(AbilityError, match="'image-analogy' cannot search by way of a cluster tree"):
        kt.attribute(trace, BOX, by="node")
    with kt.TreeView(trace) as view, pytest.raises(AbilityError, match=r"draw a cluster tree: .* cannot search"):
        view.plot()
    with pytest.raises(AbilityError, match="does not search"):
        trace.site("ab.vote").regret()
    with pytest.raises(UnknownNameError, match="nothing would be left"):
        kt.without(trace, "reference")
    with pytest.raises(UnknownNameError, match="the reference is reference"):
        kt.without(trace, "other.png")
    for outside in (kt.Box(0, 0, WIDTH, 4), kt.SourceRegion("reference", kt.Box(-2, 0, 8, 8))):
        with pytest.raises(RegionError, match="not inside the image"):
            kt.without(trace, outside)


def test_faithfulness_and_views_take_it(trace):
    tested = kt.faithfulness(kt.attribute(trace, BOX, by="entry"), subsets=2, seeds=[0], seconds=2, quiet=True)
    assert set(tested.frame["method"]) == {"overlap", "footprint", "gradient", "random"}
    with kt.Explorer(trace) as view:
        assert view.site == "ab.vote"
        view.site = "ba.conv3_1"
        assert view.shown.sites == ["ba.conv3_1"]


def test_an_audit_is_verified_and_a_changed_reference_is_not(system, trace, tmp_path):
    audit = kt.Audit.create(trace, title="pair")
    assert audit.verify(model=system).ok  # no library is named
    audit.save(tmp_path / "audit")
    assert (tmp_path / "audit/pictures/reference-0.png").is_file()
    assert len(audit.tables["pieces"])  # nobody looks for rivals of these: there is one work
    assert ">nan<" not in (tmp_path / "audit/report.html").read_text(encoding="utf-8")
    assert kt.verify(tmp_path / "audit", model=system).ok
    other = kt.read_image(tmp_path / "audit/pictures/reference-0.png").copy()
    other[0, 0] ^= 255
    kt.write_image(tmp_path / "audit/pictures/reference-0.png", other)
    verdict = kt.verify(tmp_path / "audit", model=system)
    assert "reference-0.png was changed" in verdict.difference


@pytest.mark.parametrize(("site", "said"), [("ba.vote", "it paints output:back"), ("ab.conv4_1", "it paints nothing")])
def test_no_audit_is_made_of_another_site_than_that_of_the_output(trace, site, said):
    with pytest.raises(AbilityError, match=said):
        kt.Audit.create(trace.site(site))


def test_an_audit_of_a_run_without_a_region_is_verified(system, trace, tmp_path):
    kt.Audit.create(kt.without(trace, kt.Box(0, 0, 12, 12))).save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", model=system)
    assert verdict.ok, verdict.difference


def test_an_altered_measure_is_found(trace, system, tmp_path):
    about = {**trace.picture.about, "measures": {**trace.picture.measures}}
    about["measures"]["ab.conv4_1"] = {**about["measures"]["ab.conv4_1"], "changed": 0.5}
    site = trace.site("ab.vote")
    held = with_servants(site)
    altered = kt.Trace(held.table, held.about, [replace(held.picture, about=about)])
    with pytest.raises(Difference, match="its measures is not"):
        check_run("trace.parquet", case_of(site, "rerun", model=system), altered)


def test_an_audit_takes_what_a_person_asked_and_is_verified(system, trace, pair, tmp_path):
    asked = [kt.attribute(trace, BOX, by="entry", through=through) for through in ("overlap", "gradient")]
    without = kt.compare(trace, kt.without(trace, kt.Box(0, 0, 12, 12)))
    otherwise = kt.compare(trace, system.traced(pair[0], **{**FAST, "iterations": 1}))
    kt.Audit.create(trace, attributions=asked, comparisons=[without, otherwise]).save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", model=system)
    assert verdict.ok, verdict.difference
    assert "attributions: 2 asked again" in verdict.checks
    again = kt.Audit.open(tmp_path / "audit")
    assert [made.headline() for made in again.comparisons] == [without.headline(), otherwise.headline()]
    again.save(tmp_path / "again")
    assert (tmp_path / "again/manifest.json").read_bytes() == (tmp_path / "audit/manifest.json").read_bytes()
    with pytest.raises(kt.KtvizError, match="another trace"):
        kt.Audit.create(trace, attributions=kt.attribute(trace.site("ab.conv3_1"), BOX))


def test_a_trace_of_another_system_or_reference_is_refused(trace, world, paint, model, pair):
    with pytest.raises(MismatchError, match="a trace of the system 'image-analogy': the system 'kt'"):
        kt.without(trace, kt.Box(0, 0, 4, 4), model=world.translator)
    with pytest.raises(MismatchError, match="a trace of the system 'kt': the system 'image-analogy'"):
        kt.compare(world.translator.traced(pair[0]), trace)
    with pytest.raises(kt.KtvizError, match="library source reference"):
        kt.without(trace, kt.Box(0, 0, 4, 4), model=ImageAnalogy(pair[0], model))


def test_unknown_settings_name_the_nearest(system, pair):
    with pytest.raises(UnknownSettingError, match="Did you mean iterations"):
        system(pair[0], iteration=2)
    with pytest.raises(UnknownNameError, match="photo-to-photo"):
        system(pair[0], preset="photo-to-phot")


def test_a_trace_without_its_reference_says_so(system, trace, tmp_path):
    trace.save(tmp_path / "t.parquet", pictures="none")
    back = kt.Trace.open(tmp_path / "t.parquet")
    assert back.digest == trace.digest
    with pytest.raises(TraceError, match="without its photo"):
        kt.attribute(back, BOX, through="gradient", model=system)


def boxes(figure, kind):
    """Rectangles of one kind, as (x, y, width, height) on the page, by query."""
    found = {}
    for artist in figure.axes[0].patches:
        name, _, query = (artist.get_gid() or "").partition("-")
        if name == kind and isinstance(artist, Rectangle):
            found.setdefault(int(query), []).append((*artist.get_xy(), artist.get_width(), artist.get_height()))
    return found


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text)]


@pytest.mark.parametrize("site", ["ab.vote", "ba.vote", "ab.conv5_1", "ba.conv2_1"])
def test_the_backtracking_figure_shows_every_site_in_both_directions(trace, site):
    part = trace.site(site)
    figure = kt.backtracking_figure(part, 5)
    picks = select(part, lambda source: trace.model.source_picture(part, source), 5).picks
    assert set(boxes(figure, "query")) == set(boxes(figure, "winner")) == {pick.query for pick in picks}
    rows = part.winners.to_pandas().set_index("query")
    for pick in picks:
        row = rows.loc[pick.query]
        assert [pick.query_box.x, pick.query_box.y] == row["box"][:2].tolist()
        assert [pick.source_box.x, pick.source_box.y] == pytest.approx(row["source_box"][:2].tolist())
    assert part.site_about["direction"] in " ".join(texts(figure))
    assert ("Reference" in texts(figure)) == site.startswith("ba")
    pictures = [image.get_array() for image in figure.axes[0].images[:3]]
    ends = trace.model.ends(part)
    for drawn, known in zip(pictures, (ends[0], part.output, ends[1]), strict=True):
        assert np.array_equal(drawn, known)


def test_the_figure_of_a_region_is_of_the_votes_behind_it(trace):
    figure = kt.backtrack(trace, BOX).plot(4)
    inside = set(kt.backtrack(trace, BOX).frame["query"])
    assert len(boxes(figure, "query")) == 4
    assert set(boxes(figure, "query")) <= inside
    assert f"region 16x12 px · {len(inside)} retrievals" in " ".join(texts(figure))


def test_votes_for_several_places_are_several_curves_with_their_weights(trace):
    part = trace.site("ab.vote")
    picks = select(part, lambda source: trace.model.source_picture(part, source), 12).picks
    rows = part.table.to_pandas()
    for pick in picks:
        mine = rows[(rows["query"] == pick.query) & (rows["weight"] > 0)]
        assert sorted(one.weight for one in pick.taken) == pytest.approx(sorted(mine["weight"]))
        assert pick.taken[0].weight == max(one.weight for one in pick.taken)
    figure = kt.backtracking_figure(part, 12)
    also = boxes(figure, "also")
    assert also
    for query, places in also.items():  # those that lie apart on the page
        assert len(places) <= len(next(pick.taken for pick in picks if pick.query == query)) - 1
    shown = {percent(pick.taken[0].weight) for pick in picks}
    assert shown <= set(texts(figure))


def test_a_retrieval_with_several_votes_for_a_source_counts_once(trace, pair):
    shares = trace.site("ab.vote").sources()
    assert shares["retrievals"].tolist() == [pair[0].shape[0] * pair[0].shape[1]]
    votes = trace.site("ab.vote").winners.to_pandas()
    assert shares["similarity"][0] == pytest.approx(votes["similarity"].mean(), rel=1e-5)


def test_cards_show_all_pictures(system, trace, pair):
    card = trace._repr_html_()
    assert all(f"{caption}</" in card for caption in ("Input", "Reference", "Output", "Output, back"))
    made = system(pair[0], **FAST)
    assert made._repr_html_().count("<img") == 4
    assert len(repr(made)) < 100
    found = kt.backtrack(trace, BOX)._repr_html_()
    assert "weight" in found
    assert found.count("<img") == 1 + 2 * 6
    assert trace.plot().get_size_inches()[0] > 0
    assert "Which place of reference" in texts(trace.plot())


def test_a_question_within_another_default_is_refused_in_one_sentence(trace, another_default):
    """Also where no network runs: the votes are blended as they are."""
    with another_default(), pytest.raises(SettingError, match=r"PyTorch's default (type|device)"):
        kt.attribute(trace.site("ab.vote"), BOX, through="gradient")
