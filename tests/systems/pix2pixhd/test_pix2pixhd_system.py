"""pix2pixHD as a system: looks follow from centres, centres from members, and what is recorded from what was done."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.errors import MismatchError, SettingError, TraceError, UnknownNameError, UnknownSettingError
from ktviz.figures.facts import facts
from ktviz.figures.layout import percent
from ktviz.images import to_pixels
from ktviz.systems.pix2pixhd.result import effect
from ktviz.systems.pix2pixhd.system import Pix2PixHD
from ktviz.systems.pix2pixhd.trained import Networks
from ktviz.systems.protocol import System
from ktviz.systems.registry import check_class, opened
from ktviz.trace.shares import lacking, lacking_by_class

from .conftest import CLASSES, HEIGHT, SHAPE, WIDTH, laid_out, library_of, networks_of, world

BOX = kt.Box(8, 18, 24, 20)
SHORT = {"quiet": True}


def of_row(result, number, column):
    return result.objects.set_index("object").loc[number, column]


def test_it_keeps_the_protocol(system):
    check_class(Pix2PixHD, "pix2pixhd", "here")
    assert isinstance(system, System)


def test_recording_changes_no_bit_and_a_result_has_its_trace(system, scene):
    plain = system(*scene[1:], seed=3)
    with kt.record(system) as trace:
        made = system(*scene[1:], seed=3)
    assert np.array_equal(plain.output, made.output)
    assert plain.trace is None
    assert made.trace.digest == trace.digest
    assert kt.attribute(made, BOX).frame.equals(kt.attribute(trace, BOX).frame)


def test_what_is_drawn_is_what_the_published_code_draws(system, scene):
    """One draw of NumPy's older generator for each object whose class has centres, in the order of their numbers."""
    random, found = np.random.RandomState(11), system(*scene[1:], seed=11).objects
    counts = Counter(system.centres.label.tolist())
    expected = [random.randint(0, counts[n if n < 1000 else n // 1000]) for n in found["object"]]
    assert found["centre"].tolist() == expected
    assert system(*scene[1:], seed=12).objects["centre"].tolist() != expected


def test_a_drawn_look_by_number_stays_whatever_else_is_in_the_picture(system, scene):
    _, labels, instances = scene
    fewer = np.where(instances == 3000, 2, instances)
    whole = system(labels, instances, choice="numbered").objects.set_index("object")["centre"]
    part = system(np.where(fewer == 2, 2, labels), fewer, choice="numbered").objects.set_index("object")["centre"]
    assert part.equals(whole.drop(3000))


def test_the_picture_follows_from_the_log(system, scene, trace):
    """The recorded centres give the feature map and the picture again, bit for bit."""
    numbers = torch.from_numpy(scene[2])[None, None]
    style = trace.site("style")
    chosen = dict(zip(style.column("label").astype(int).tolist(), style.column("centre").tolist(), strict=True))
    by_class = {int(n): system.centres.codes[system.centres.label == n] for n in np.unique(system.centres.label)}
    features = laid_out(numbers, chosen, by_class, 3)
    codes = torch.stack([features[0, :, scene[2] == number][:, 0] for number in np.unique(scene[2])])
    made = system(*scene[1:], seed=3)
    assert torch.equal(made.looks.codes(), codes)
    assert np.array_equal(to_pixels(system.networks.paint(scene[2], codes)), trace.output)


def test_a_run_is_made_again_bit_for_bit_also_from_a_file(system, library, trace, tmp_path):
    assert system.rerun(trace).digest == trace.digest
    trace.save(tmp_path / "a.parquet")
    read = kt.Trace.open(tmp_path / "a.parquet")
    again = opened(read, library, system)
    assert again.rerun(read).digest == trace.digest
    with pytest.raises(MismatchError, match="no library was given"):
        opened(read, None, system)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_picture_does_not_depend_on_the_number_of_threads(system, scene, threads):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        made = system(*scene[1:], choice="nearest", reference=world(5))
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(made.output, system(*scene[1:], choice="nearest", reference=world(5)).output)


def test_a_centre_is_the_mean_of_its_members_which_share_its_credit(system, trace):
    members, banks = trace.site("members"), system.banks
    for query in members.column("query"):
        rows = members.column("query", winners=False) == query
        entries = members.column("entry", winners=False)[rows]
        label, number = int(members.column("class")[query]), int(members.column("centre")[query])
        code = system.centres.codes[system.centres.place(label, number)]
        assert np.allclose(banks.codes[entries].mean(0), code, atol=1e-12)
        assert np.allclose(members.column("weight", winners=False)[rows], 1 / len(entries))
        assert set(banks.label[entries]) == {label}
    behind = Counter(members.column("query", winners=False).tolist())
    assert trace.site("style").column("members").tolist() == [behind[n] for n in sorted(behind)]


def test_shares_of_a_region_are_its_pixels_divided_among_the_members_behind_them(trace, scene):
    found = kt.attribute(trace, BOX, by="entry").frame.set_index("entry")["share"]
    members = trace.site("members")
    part = scene[2][BOX.pixels]
    expected = Counter()
    for number in np.unique(part):
        mine = np.flatnonzero(members.column("label", winners=False) == number)
        for entry in members.column("entry", winners=False)[mine]:
            expected[int(entry)] += float((part == number).mean()) / len(mine)
    assert found.to_dict() == pytest.approx(dict(expected))
    assert kt.attribute(trace, BOX, through="footprint").frame["share"].sum() == pytest.approx(1)


def test_all_centres_of_the_class_are_candidates(system, trace):
    style = trace.site("style")
    assert style.site_about["paints"] is False
    for label in np.unique(style.column("label")):
        rows = style.column("label", winners=False) == label
        known = system.centres.of_class(int(label) if label < 1000 else int(label) // 1000)
        assert sorted(style.column("entry", winners=False)[rows]) == known.tolist()
        assert np.allclose(style.column("similarity", winners=False)[rows], -np.log(len(known)))
        assert style.column("distance", winners=False)[rows].min() == 0


def many(seed, columns):
    """A picture of as many cars as there is room for in some columns."""
    photo, labels, instances = world(seed, cars=0, trees=0)
    for n, (y, x) in enumerate(np.ndindex(4, columns)):
        part = slice(16 + 8 * y, 24 + 8 * y), slice(8 * x, 8 * x + 8)
        labels[part], instances[part] = 3, 3000 + n
    return np.random.default_rng(seed).integers(0, 256, photo.shape, np.uint8), labels, instances


def test_shares_by_picture_are_exact_however_many_members_a_centre_has(networks, tmp_path):
    pictures = [many(n, columns) for n, columns in enumerate((8, 8, 7))]
    system = Pix2PixHD(library_of(tmp_path, networks, pictures, clusters=1)["street/toy"], networks)
    members = system.traced(*pictures[0][1:]).site("members")
    cars = np.isin(pictures[0][2], range(3000, 4000))
    expected = {f"street/toy/{n}.png": count / 92 for n, count in enumerate((32, 32, 28))}
    for shares in (members.sources(cars), kt.attribute(members, cars, through="footprint").frame):
        assert shares.set_index("source")["share"].to_dict() == pytest.approx(expected, abs=1e-6)
    assert members.column("left_over").max() < 1e-6
    entries = kt.attribute(members, cars, by="entry").frame
    assert len(entries) == 92
    assert np.allclose(entries["share"], 1 / 92)
    left_out = kt.attribute(members, cars, through="ablation", **SHORT).frame
    assert set(left_out["source"]) == set(expected)


def test_the_nearest_centre_is_the_nearest_by_brute_force(system, scene):
    reference = world(55)
    made = system(*scene[1:], choice="nearest", reference=reference)
    codes = system.networks.encode(reference[0], reference[2])
    for row in made.objects.itertuples():
        mine = system.centres.codes[system.centres.label == CLASSES.number(row._2)]
        y, x = np.argwhere(reference[2] == row.object)[0]
        apart = np.sqrt(np.square(mine - codes[:, y, x].double().numpy()).sum(1))
        assert row.centre == apart.argmin()
        assert np.allclose(row.distances, apart)
    style = system.traced(*scene[1:], choice="nearest", reference=reference).site("style")
    assert np.allclose(style.column("similarity"), -style.column("distance"))
    assert (style.column("rank") == 0).all()


def test_an_object_takes_after_that_of_its_number_or_else_the_nearest_of_its_class(system, scene):
    photo, labels, instances = world(55)
    fewer = np.where(instances == 3000, 3007, instances)
    codes = system.networks.encode(photo, fewer)
    middle = {n: np.argwhere(fewer == n).mean(0) / fewer.shape for n in (3001, 3007)}
    made = system(*scene[1:], choice="encoded", reference=(photo, labels, fewer))
    for number in (3000, 3001):
        own = np.argwhere(scene[2] == number)
        box = (own.min(0) + own.max(0) + 1) / 2 / scene[2].shape
        theirs = {
            n: (np.argwhere(fewer == n).min(0) + np.argwhere(fewer == n).max(0) + 1) / 2 / fewer.shape for n in middle
        }
        like = number if number in theirs else min(theirs, key=lambda n: np.square(theirs[n] - box).sum())
        y, x = np.argwhere(fewer == like)[0]
        assert np.allclose(of_row(made, number, "code"), codes[:, y, x])


def test_encoded_looks_are_those_of_the_reference_and_credited_to_it(system, scene):
    trace = system.traced(*scene[1:], choice="encoded", reference=world(55))
    assert kt.attribute(trace).frame["source"].tolist() == ["reference"]
    found = system.traced(*scene[1:], choice="encoded", reference="2.png")
    assert found.picture.settings["reference"] == "street/toy/2.png"
    assert kt.attribute(found).frame.set_index("source")["share"]["street/toy/2.png"] == pytest.approx(1)
    assert system.rerun(found).digest == found.digest
    assert system.rerun(trace).digest == trace.digest


def test_a_reference_is_recorded_with_its_maps_and_found_in_a_file(system, library, scene, tmp_path):
    trace = system.traced(*scene[1:], choice="nearest", reference=world(55))
    assert np.array_equal(trace.picture.labels("reference:0"), world(55)[2])
    trace.save(tmp_path / "a.parquet")
    read = kt.Trace.open(tmp_path / "a.parquet")
    assert opened(read, library, system).rerun(read).digest == trace.digest


def test_a_person_names_centres_and_copies_looks(system, scene):
    before = system(*scene[1:], seed=3)
    other = (of_row(before, 3000, "centre") + 1) % 3
    after = system(*scene[1:], seed=3, styles={3000: other})
    assert of_row(after, 3000, "centre") == other
    assert after.objects["given"].tolist() == (after.objects["object"] == 3000).tolist()
    assert after.objects["centre"].drop(2).equals(before.objects["centre"].drop(2))
    copied = system(*scene[1:], seed=3, copies={3001: 3000})
    assert of_row(copied, 3001, "centre") == of_row(before, 3000, "centre")
    swapped = system(*scene[1:], seed=3, copies={3001: 3000, 3000: 3001})
    assert of_row(swapped, 3000, "centre") == of_row(before, 3001, "centre")
    found = effect(before, after, 3000)
    apart = np.abs(before.output.astype(int) - after.output).mean(2)
    assert found.inside == pytest.approx(apart[scene[2] == 3000].mean())
    assert found.outside == pytest.approx(apart[scene[2] != 3000].mean())
    again = system.rerun(system.traced(*scene[1:], seed=3, styles={3000: other}))
    assert np.array_equal(again.output, after.output)


def test_a_class_without_centres_has_no_code_and_is_said(networks, system, scene):
    centres = {n: system.centres.codes[system.centres.label == n] for n in (1, 2, 4)}
    bare = Pix2PixHD(networks=networks, centres=centres)
    made = bare(*scene[1:])
    assert made.missing == ["car"]
    assert "no centres for car" in repr(made)
    assert "no code, for car" in made._repr_html_()
    assert not of_row(made, 3000, "code").any()
    assert of_row(made, 3000, "centre") == -1
    assert np.isfinite(made.output).all()
    trace = bare.traced(*scene[1:])
    assert set(trace.column("label").astype(int)) == set(np.unique(scene[2])) - {3000, 3001}
    cars = np.isin(scene[2], (3000, 3001)).mean()
    assert kt.attribute(trace).frame["share"].sum() == pytest.approx(1 - cars)
    assert made.uncovered == trace.picture.uncovered == pytest.approx({"car": cars})
    assert lacking(trace) == pytest.approx({"nothing taken": cars, "not recorded": 0})
    assert lacking_by_class(trace) == pytest.approx({"nothing taken for class car": cars})
    assert not system.traced(*scene[1:]).picture.measures
    for through in ("overlap", "footprint"):
        assert f"nothing taken {percent(cars)}" in facts(kt.attribute(trace, through=through))
    assert not any("nothing taken" in fact for fact in facts(kt.attribute(trace, scene[2] == 1)))


def test_networks_without_codes_lack_none(scene):
    made = Pix2PixHD(networks=Networks(replace(SHAPE, codes=0), CLASSES))(*scene[1:])
    assert made.uncovered == {}


@pytest.mark.parametrize("codes", [0, 3])
def test_where_no_object_has_a_centre_questions_about_shares_are_refused_in_words(networks, scene, codes):
    if codes:
        bare = Pix2PixHD(networks=networks, centres={0: np.zeros((2, 3))})
    else:
        bare = Pix2PixHD(networks=networks_of(2, replace(SHAPE, codes=0)))
    trace = bare.traced(*scene[1:])
    for by in ("source", "entry", "node"):
        for through in ("overlap", "footprint", "gradient", "ablation", "datamodel"):
            with pytest.raises(TraceError, match="attribute: nothing was retrieved"):
                kt.attribute(trace, by=by, through=through, **SHORT)
    with pytest.raises(TraceError, match="audit a trace: nothing was retrieved"):
        kt.Audit.create(trace)
    assert "0 retrievals" in trace._repr_html_()


def test_where_some_objects_have_a_centre_the_rest_is_nobodys(networks, system, scene):
    cars = {3: system.centres.codes[system.centres.label == 3]}
    bare = Pix2PixHD(networks=networks, centres=cars)
    trace = bare.traced(*scene[1:])
    found = kt.Audit.create(trace).tables["sources"]
    assert found["share"].sum() == pytest.approx(np.isin(scene[2], (3000, 3001)).mean())
    sky = kt.Box(0, 0, WIDTH, 8)
    assert not len(kt.attribute(trace[sky], by="entry"))
    assert kt.attribute(trace[sky]).frame["share"].tolist() == [0, 0, 0]


def test_centres_of_a_file_are_what_is_credited_and_left_out(networks, system, scene):
    centres = {n: system.centres.codes[system.centres.label == n] for n in (1, 2, 3, 4)}
    bare = Pix2PixHD(networks=networks, centres=centres)
    trace = bare.traced(*scene[1:], seed=3)
    assert trace.sites == ["style"]
    assert np.array_equal(trace.output, system(*scene[1:], seed=3).output)
    entry = int(trace.column("entry")[2])
    without = kt.without(trace, entry)
    assert entry not in without.column("entry", winners=False)
    assert kt.without(trace, "car 1").picture.settings["without"] == ["car 1"]
    assert kt.attribute(trace, by="entry", through="gradient").about["completeness_error"] < 0.05
    assert opened(trace, None, bare) is bare


def test_blends_begin_at_the_class_mean_and_end_at_the_picture(system, scene, trace):
    whole = kt.Box(0, 0, WIDTH, HEIGHT)
    for site in trace.sites:
        blend = system.blend(trace.site(site), whole)
        assert np.array_equal(to_pixels(blend(torch.ones(len(blend.retrievals)))), trace.output)
        means = system.centres.means()
        codes = [means[n if n < 1000 else n // 1000] for n in np.unique(scene[2]).tolist()]
        start = system.networks.paint(scene[2], torch.from_numpy(np.array(codes)))
        assert torch.allclose(blend(torch.zeros(len(blend.retrievals))), start, atol=1e-6)
    for label, mean in system.centres.means().items():
        clustered = (system.banks.centre >= 0) & (system.banks.label == label)
        assert np.allclose(mean, system.banks.codes[clustered].mean(0))


def test_gradients_are_complete(trace):
    found = kt.attribute(trace, BOX, through="gradient")
    assert found.about["completeness_error"] < 0.05
    assert found.about["baseline"] == "the class's mean code"
    assert "instance norm" in found.about["receptive_field"]


def test_without_a_source_centres_are_the_means_of_what_is_left(system, trace):
    gone = kt.attribute(trace).top()[0]
    without = kt.without(trace, gone)
    members = without.site("members")
    assert gone not in members.column("source", winners=False)
    assert without.picture.settings["without"] == [gone]
    assert without.picture.settings["again"] is False
    run = system.run_of(without)
    for centre, mine in enumerate(run.centres.members):
        if len(mine):
            assert np.allclose(run.centres.codes[centre], system.banks.codes[mine].mean(0), atol=1e-12)
    both = kt.without(without, kt.attribute(without).top()[0])
    assert len(both.picture.settings["without"]) == 2


def test_both_ways_of_leaving_out_can_be_asked_and_say_which_they_were(system, scene, trace):
    gone = kt.attribute(trace).top()[0]
    means, again = kt.without(trace, gone), kt.without(trace, gone, again=True)
    assert again.digest == system.traced(*scene[1:], seed=3, without=gone, again=True).digest
    assert (means.picture.settings["again"], again.picture.settings["again"]) == (False, True)
    assert not np.array_equal(means.output, again.output)
    for through, more in (("ablation", {}), ("datamodel", {"runs": 12})):
        asked = {"through": through, **SHORT, **more}
        one, other = kt.attribute(trace, BOX, **asked), kt.attribute(trace, BOX, **asked, again=True)
        assert "the means of the members that are left" in one.summary()["in its place"]
        assert "clustered again" in other.summary()["in its place"]
        assert "clustered again" in " ".join(facts(other))
        assert one.about["settings"] == {}
        assert other.about["settings"] == {"again": True}
        assert not one.frame.equals(other.frame)
    ablated = kt.attribute(trace, through="ablation", again=True, **SHORT).frame.set_index("source")["levels"]
    apart = np.abs(again.output.astype(int) - trace.output).mean()
    assert ablated[gone] == pytest.approx(apart)
    tested = kt.faithfulness(other, subsets=6, seeds=range(2), **SHORT)
    assert "clustered again" in tested.summary()["in the place of what is left out"]


def test_of_what_knows_no_members_the_nearest_takes_the_place(networks, system, scene):
    centres = {n: system.centres.codes[system.centres.label == n] for n in (1, 2, 3, 4)}
    bare = Pix2PixHD(networks=networks, centres=centres)
    encoded = system.traced(*scene[1:], choice="encoded", reference=world(55))
    for made in (bare.traced(*scene[1:]), encoded):
        found = kt.attribute(made, by="entry", through="ablation", again=True, most=2, **SHORT)
        assert found.about["instead"] == "the nearest of its class that is left"


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda t: kt.without(t, "0.png", agian=True), UnknownSettingError, "Did you mean again"),
        (lambda t: kt.without(t, "0.png", again=1), SettingError, "neither True nor False"),
        (lambda t: kt.without(t, "0.png", without="1.png"), SettingError, "named already"),
        (lambda t: kt.attribute(t, through="ablation", without="1.png"), SettingError, "named already"),
        (
            lambda t: kt.attribute(t, again=True),
            UnknownSettingError,
            "overlap with again: it leaves nothing out",
        ),
        (lambda t: kt.attribute(t, through="gradient", again=True), UnknownSettingError, "it leaves nothing out"),
        (lambda t: kt.attribute(t, through="ablation", agian=True), UnknownSettingError, "Did you mean again"),
        (lambda t: kt.attribute(t, through="ablation", choice="numbered"), SettingError, "the picture by up to"),
        (lambda t: kt.attribute(t, through="datamodel", choice="numbered"), SettingError, "the picture by up to"),
    ],
)
def test_settings_that_do_not_say_how_to_leave_out_are_refused(trace, ask, error, said):
    with pytest.raises(error, match=said):
        ask(trace)


def test_the_nearest_centre_takes_the_place_of_one_that_is_gone(system, scene, trace):
    members = trace.site("members")
    place = int((trace.site("style").column("members") <= 2).argmax())
    mine = members.column("entry", winners=False)[members.column("query", winners=False) == place]
    without = kt.without(members, mine.tolist())
    before, after = (t.site("style").column("entry") for t in (trace, without))
    label = int(trace.site("style").column("label")[place])
    others = [n for n in system.centres.of_class(label if label < 1000 else label // 1000) if n != before[place]]
    nearest = min(others, key=lambda n: np.square(system.centres.codes[n] - system.centres.codes[before[place]]).sum())
    assert after[place] == nearest
    style = trace.site("style")
    assert kt.without(style, int(before[place])).site("style").column("entry")[place] == nearest
    assert kt.without(trace, style.column("source")[place]).site("style").column("entry")[place] == nearest


def test_ablation_finds_who_reaches_a_region_from_elsewhere(system):
    """Nothing was taken for the region itself, but instance norm carries every object everywhere."""
    labels = np.zeros((64, 64), np.int64)
    labels[:, :6], labels[:, 6:9] = 1, 2
    region, trace = kt.Box(30, 0, 20, 20), system.traced(labels)
    for site, by in (("members", "source"), ("members", "entry"), ("style", "source")):
        part = trace.site(site)
        found = kt.attribute(part, region, by=by, through="ablation", most=50, **SHORT)
        weighs = part.column("weight", winners=False) > 0
        assert set(found.frame[by]) == set(part.column(by, winners=False)[weighs])
        for name, levels in zip(found.frame[by], found.frame["levels"], strict=True):
            without = kt.without(part, name).output[region.pixels]
            assert levels == pytest.approx(np.abs(without.astype(int) - trace.output[region.pixels]).mean())
        assert (found.frame["levels"] > 0).any()
        sizes = kt.attribute(part, by=by).frame.set_index(by)["share"]
        largest = kt.attribute(part, region, by=by, through="ablation", most=1, **SHORT).frame[by][0]
        assert sizes[largest] == sizes.max()


def test_two_sites_are_not_compared(system, trace, scene):
    style, members = trace.site("style"), trace.site("members")
    other = system.traced(*scene[1:], seed=4)
    for before, after in ((style, members), (members, style), (style, other), (other, style)):
        with pytest.raises(MismatchError, match="compare the site"):
            kt.compare(before, after)
    changed = trace.site("style").column("centre") != other.site("style").column("centre")
    assert len(kt.compare(style, other.site("style"))) == changed.sum() > 0
    assert len(kt.compare(trace, other)) == changed.sum()


def test_a_class_that_loses_everything_has_no_code_and_can_be_compared(system, trace):
    cars = np.flatnonzero(system.banks.label == 3).tolist()
    without = kt.without(trace, cars)
    assert len(without.site("members")) == len(trace.site("members")) - 2
    found = kt.compare(trace, without)
    lost = found.frame[found.frame["source_after"] == "nobody"]
    assert len(lost) == 2
    assert (lost["entry_after"] == -1).all()
    assert kt.compare(without, trace).about["retrievals"] == found.about["retrievals"] == len(trace.site("members"))
    assert "nobody" in found.new_winners["source_after"].tolist()
    assert found._repr_html_()
    assert found.plot()
    with pytest.raises(UnknownNameError, match="nothing would be left"):
        kt.without(trace, "street/toy")


def test_classes_are_clustered_again_where_that_is_asked(system, scene, trace):
    again = system.rerun(trace, without=["0.png"], again=True)
    gone = np.flatnonzero(system.banks.source == 0)
    fresh = system.banks.without(gone, again=True).clusters
    run = system.run_of(again)
    assert again.picture.settings["again"] is True
    assert run.centres.codes.tolist() == fresh.centres[np.argsort(fresh.label, kind="stable")].tolist()
    assert not set(gone) & set(again.site("members").column("entry", winners=False))
    assert system.rerun(again).digest == again.digest
    entry = int(again.site("style").column("entry")[0])
    assert kt.without(again.site("style"), entry).picture.settings["without"][0] == "street/toy/0.png"


def test_what_a_part_of_a_source_touches_is_left_out(system, trace):
    instances = system.banks.object_map(2)
    y, x = np.argwhere(instances == 3000)[0]
    without = kt.without(trace, kt.SourceRegion("2.png", kt.Box(int(x), int(y), 1, 1)))
    mine = np.flatnonzero((system.banks.source == 2) & (system.banks.number == 3000))
    assert system.run_of(without).centres.members is not None
    assert not any(set(mine) & set(members) for members in system.run_of(without).centres.members)
    left = system.run_of(without).centres
    assert sum(len(members) for members in left.members) == sum(len(m) for m in system.centres.members) - len(
        [n for n in mine if system.banks.centre[n] >= 0]
    )
    assert system.rerun(without).digest == without.digest


def test_everything_that_is_asked_of_a_trace_is_answered(system, trace):
    assert kt.backtrack(trace, BOX).patches[0][0].shape[2] == 3
    ablation = kt.attribute(trace, BOX, through="ablation", **SHORT)
    assert ablation.frame["levels"].max() > 0
    model = kt.attribute(trace, BOX, through="datamodel", runs=8, **SHORT)
    assert model.frame["share"].sum() == pytest.approx(1)
    tested = kt.faithfulness(kt.attribute(trace, BOX), subsets=4, seeds=range(2), **SHORT)
    assert np.isfinite(tested.frame["lds_features"]).any()
    assert kt.attribute(trace.site("style"), by="entry", through="gradient").about["by"] == "entry"
    for part in (trace, trace.site("members"), trace.site("style"), trace[BOX]):
        assert part._repr_html_()
    assert trace.site("members").plot()
