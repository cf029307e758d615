"""Deep Image Analogy as a system: what it records follows from what it did, and can be asked, left out and audited."""

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.errors import AbilityError, MismatchError, RegionError, TraceError, UnknownNameError, UnknownSettingError
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


def test_what_it_cannot_do_is_said(trace):
    with pytest.raises(AbilityError, match="'image-analogy' cannot search by way of a cluster tree"):
        kt.attribute(trace, BOX, by="node")
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
    kt.Audit.create(trace, title="pair").save(tmp_path / "audit")
    assert (tmp_path / "audit/pictures/reference-0.png").is_file()
    assert kt.verify(tmp_path / "audit", model=system).ok
    other = kt.read_image(tmp_path / "audit/pictures/reference-0.png").copy()
    other[0, 0] ^= 255
    kt.write_image(tmp_path / "audit/pictures/reference-0.png", other)
    verdict = kt.verify(tmp_path / "audit", model=system)
    assert "reference-0.png was changed" in verdict.difference


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
