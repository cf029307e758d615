"""pix2pixHD end to end: parity of whole pictures, audits, removal, views and figures."""

import re
import shutil

import numpy as np
import pytest
import torch
from views.wire import Wire, unpack

import ktviz as kt
from ktviz.audit.removal import verify_removal
from ktviz.errors import AbilityError, LibraryError, TraceError
from ktviz.figures.cluster_tree import tree_figure
from ktviz.figures.interactive import tree_icicle
from ktviz.images import decode_image, file_digest
from ktviz.labels import Classes
from ktviz.library.kinds.trees import tree_of
from ktviz.systems.pix2pixhd.shape import Shape
from ktviz.systems.pix2pixhd.system import Pix2PixHD
from ktviz.systems.pix2pixhd.trained import Networks
from ktviz.testing.forging import forge, with_other_pixels
from ktviz.widgets.scene import describe, scene_of
from ktviz.widgets.subject import Subject

from .conftest import library_of, world

IMAGE = 2e-4


@pytest.fixture(scope="module")
def parity(shared):
    with np.load(shared / "parity" / "pix2pixhd_reference.npz") as file:
        return {key: file[key] for key in file}


@pytest.fixture(scope="module")
def published(parity):
    """The networks and centres of the parity file."""
    shape = Shape(classes=6, codes=3, width=4, downs=3, blocks=2, encoder_width=4, encoder_downs=3)
    networks = Networks(shape)
    for network, name in ((networks.generator, "G"), (networks.encoder, "E")):
        start = f"w/{name}/"
        network.load_state_dict(
            {key.removeprefix(start): torch.from_numpy(parity[key]) for key in parity if key.startswith(start)}
        )
    centres = {int(key.removeprefix("lib/")): parity[key] for key in parity if key.startswith("lib/")}
    return Pix2PixHD(networks=networks, centres=centres)


@pytest.mark.parametrize("sample", [0, 1])
def test_pictures_of_drawn_centres_are_those_of_the_published_code(parity, published, sample):
    instances = parity["in/inst"][sample, 0].astype(np.int64)
    drawn = dict(zip(parity["out/sample_ids"].tolist(), parity["out/sample_choice"].tolist(), strict=True))
    styles = {int(n): drawn[n] for n in np.unique(instances) if drawn.get(n, -1) >= 0}
    made = published(parity["in/label"][sample, 0].astype(np.int64), instances, styles=styles)
    painted = published.networks.paint(instances, made.looks.codes()).numpy()
    assert np.abs(2 * painted - 1 - parity["out/inference_sampled"][sample]).max() < IMAGE
    assert made.missing == (["class 4"] if (instances // 1000 == 4).any() or (instances == 4).any() else [])


@pytest.mark.parametrize("sample", [0, 1])
def test_pictures_of_encoded_codes_are_those_of_the_published_code(parity, published, sample):
    instances = parity["in/inst"][sample, 0].astype(np.int64)
    codes = parity["mid/E_instance_mean"][sample]
    own = [codes[:, *np.argwhere(instances == number)[0]] for number in np.unique(instances)]
    painted = published.networks.paint(instances, torch.from_numpy(np.array(own))).numpy()
    assert np.abs(2 * painted - 1 - parity["out/inference_encoded"][sample]).max() < IMAGE


@pytest.mark.parametrize("settings", [{"seed": 3}, {"choice": "nearest"}, {"choice": "encoded", "again": True}])
def test_an_audit_is_verified_and_a_tampering_found(system, library, scene, tmp_path, settings):
    reference = None if settings.get("choice") is None else world(55)
    trace = system.traced(*scene[1:], reference=reference, **settings)
    found = kt.attribute(trace, kt.Box(8, 18, 24, 20), through="gradient")
    audit = kt.Audit.create(trace, top=1, attributions=[found], comparisons=[])
    audit.save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", library, model=system)
    assert verdict.ok, verdict.difference
    assert ("as the picture need not show it: seed 0" in " ".join(verdict.checks)) == ("choice" in settings)
    table = tmp_path / "audit" / "tables" / "sources.csv"
    changed = next((tmp_path / "audit").rglob("sources.*"), table)
    changed.write_bytes(changed.read_bytes() + b" ")
    assert not kt.verify(tmp_path / "audit", library, model=system).ok


def test_a_report_names_the_classes_for_which_nothing_was_taken(system, library, tmp_path):
    labels = np.zeros((64, 64), np.int64)
    labels[:, :8] = 1
    trace = system.traced(labels)
    kt.Audit.create(trace, top=1).save(tmp_path / "audit")
    report = (tmp_path / "audit" / "report.html").read_text(encoding="utf-8")
    assert "88% nothing taken for class unknown." in report
    assert "part with nothing taken</dt><dd>88%" in report
    assert "not recorded" not in report
    assert kt.verify(tmp_path / "audit", library, model=system)
    said = unpack(scene_of(Subject.create(trace.site("members"))))[0]
    assert said["left_over"] == 0
    assert said["lacking"] == {"nothing taken for class unknown": 0.875}


def test_an_audit_of_several_classes_without_a_centre_is_verified(networks, tmp_path):
    """Their numbers are in another order than their names, and files keep names in order."""
    library = library_of(tmp_path, networks, [world(n, cars=0) for n in range(3)])
    system = kt.Pix2PixHD(library["street/toy"], networks)
    labels = np.full((32, 32), 2)
    labels[:, :8], labels[:, 8:16] = 0, 3
    trace = system.traced(labels)
    trace.save(tmp_path / "run.parquet")
    kept = kt.Trace.open(tmp_path / "run.parquet")
    assert list(trace.picture.uncovered) == list(kept.picture.uncovered) == ["car", "unknown"]
    kt.Audit.create(trace, top=1).save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", library, model=system)
    assert verdict.ok, verdict.difference


@pytest.mark.parametrize("canvas", ["input", "labels:input", "reference:0", "labels:reference:0", "output"])
def test_every_picture_is_the_one_that_the_trace_speaks_of(system, library, scene, tmp_path, canvas):
    trace = system.traced(*scene[1:], choice="nearest", reference=world(55))
    kt.Audit.create(trace, top=1).save(tmp_path / "audit")
    assert set(trace.picture.about["canvases"]) == {
        "input",
        "labels:input",
        "reference:0",
        "labels:reference:0",
        "output",
    }
    forge(tmp_path / "audit", system, with_other_pixels(canvas))
    verdict = kt.verify(tmp_path / "audit", library, model=system)
    assert not verdict
    if canvas == "input":  # which no run reads
        assert "another picture than the one beside it" in verdict.difference


def test_no_audit_is_made_of_a_site_that_paints_nothing(trace):
    with pytest.raises(AbilityError, match="the site 'style': it paints nothing itself"):
        kt.Audit.create(trace.site("style"))


def test_an_audit_asks_again_how_a_person_left_out_and_its_report_says_it(system, library, scene, tmp_path):
    for again in (False, True):
        trace, folder = system.traced(*scene[1:], seed=3, again=again), tmp_path / str(again)
        asked = [
            kt.attribute(trace, through="ablation", most=2, again=True, quiet=True),
            kt.attribute(trace, through="datamodel", runs=8, again=False, quiet=True),
        ]
        other = kt.compare(trace, kt.without(trace, "0.png", again=not again))
        kt.Audit.create(trace, top=1, attributions=asked, comparisons=other).save(folder)
        verdict = kt.verify(folder, library, model=system)
        assert verdict.ok, verdict.difference
        report = (folder / "report.html").read_text(encoding="utf-8")
        (said,) = re.findall(r"Each work was excluded .*", report)
        assert ("clustered again" in said, "the mean of the members that are left" in said) == (again, not again)
        assert report.count("n the place of what is left out: ") == 2


def test_an_audit_is_verified_on_another_processor(system, library, scene, tmp_path, monkeypatch):
    """Centres and members follow from the bank: only pixels may differ there, by a level."""
    trace = system.traced(*scene[1:], choice="nearest", reference=world(55))
    kt.Audit.create(trace, top=1).save(tmp_path / "audit")
    monkeypatch.setattr("ktviz.trace.about.processor", lambda: "another one")
    verdict = kt.verify(tmp_path / "audit", library, model=system)
    assert verdict.ok, verdict.difference
    assert any("retrievals identical" in check for check in verdict.checks)


def test_a_removed_source_is_provably_gone(system, library, networks, scene, tmp_path):
    trace = system.traced(*scene[1:], seed=3)
    gone = kt.attribute(trace).top()[0]
    kt.Audit.create(trace, top=1).save(tmp_path / "audit")
    sha256 = kt.verify(tmp_path / "audit", library, model=system).checks[0].rsplit(" ", 1)[1]
    copy = kt.Library.open(shutil.copytree(library.folder, tmp_path / "copy.ktlib"))
    before = verify_removal(tmp_path / "audit", copy, gone, sha256=sha256, model=system)
    assert not before.ok
    copy.remove("street/toy", [gone.rsplit("/", 1)[1]])
    after = verify_removal(tmp_path / "audit", copy, gone, sha256=sha256, model=system)
    assert after.ok, after.difference
    fresh = Pix2PixHD(kt.Library.open(copy.folder)["street/toy"], networks)
    assert gone not in fresh.traced(*scene[1:], seed=3).sources()["source"].tolist()


@pytest.fixture(scope="module")
def one_tree(networks, tmp_path_factory):
    """A library of which one picture alone has a tree."""
    return library_of(tmp_path_factory.mktemp("tree"), networks, [world(n, trees=int(n == 0)) for n in range(4)])


REMOVED = {
    "the reference": ({"choice": "nearest", "reference": "0.png"}, "cannot be made any more with what is left: source"),
    "what codes are taken from": ({"choice": "encoded", "reference": "0.png"}, "0.png', there is none"),
    "a reference that is only measured": ({"reference": "0.png"}, "0.png', there is none"),
    "the only tree, which was asked for": (
        {"styles": {4000: 0}},
        "centre 0 for object 4000, its class, tree, has none",
    ),
    "all that was not left out": ({"without": ["1.png", "2.png", "3.png"]}, "nothing would be left"),
    "a part that was left out": (
        {"without": [kt.SourceRegion(f"{n}.png", kt.Box(0, 0, 20, 20)) for n in (0, 1)] + [3]},
        "new retrievals, none of it; 2 of 3 parts that the audit left out cannot be named any more",
    ),
    "none of what the run names": ({"seed": 3, "without": "1.png"}, "new retrievals, none of it"),
}


@pytest.mark.parametrize("gone", REMOVED)
def test_a_removal_is_proven_whatever_the_run_names(one_tree, networks, tmp_path, gone):
    settings, said = REMOVED[gone]
    library = kt.Library.open(shutil.copytree(one_tree.folder, tmp_path / "l.ktlib"))
    system = Pix2PixHD(library["street/toy"], networks)
    kt.Audit.create(system.traced(*world(100)[1:], **settings), top=0).save(tmp_path / "audit")
    asked = {"model": system, "sha256": file_digest(tmp_path / "audit" / "manifest.json")}
    assert "still holds 0.png" in verify_removal(tmp_path / "audit", library, "0.png", **asked).difference
    library.remove("street/toy", "0.png", quiet=True)
    verdict = verify_removal(tmp_path / "audit", library, "0.png", **asked)
    assert verdict.ok, verdict.difference
    assert said in verdict.checks[-1]


@pytest.mark.parametrize("site", ["members", "style"])
def test_a_view_of_either_site_is_drawn(system, trace, site):
    values, parts = unpack(scene_of(Subject.create(trace, site=site)))
    panels = [panel["name"] for panel in values["panels"] if panel["appears"]]
    assert panels == ["translation", "sources", "groups", "codes", "tree", "table"]
    assert values["can"]["tree"] is True
    assert len(parts["region"]) == len(trace.site(site))
    assert values["banks"][0]["words"][:3] == ["all", "sky", "road"]
    assert values["banks"][0]["measure"] == "minus the distance"


def test_the_tree_shows_classes_centres_and_members(system, trace):
    bank = system.banks.banks[0]
    tree = tree_of(bank)
    assert tree.nodes.children[0].tolist() == [1, 2, 3, 4]
    assert tree.nodes.size[0] == (bank.clusters.centre_of(len(bank)) >= 0).sum()
    for node, cluster in enumerate(tree.describe(range(len(tree)), 50)):
        label, mine = tree.words[node].split(" ")[0], set(cluster.exemplars)
        assert len(mine) == cluster.size == tree.nodes.size[node]
        if node:
            assert {bank.classes.names[n] for n in bank.objects.label[[*mine]]} == {label}
        if cluster.level == 2:
            centre = node - len(tree) + len(bank.clusters)
            assert mine == set(bank.clusters.members[centre].tolist())
            apart = np.square(bank.objects.code[[*cluster.exemplars]] - bank.clusters.centres[centre]).sum(1)
            assert (np.diff(apart) >= 0).all()
            assert cluster.spread == pytest.approx(np.sqrt(apart.mean()), abs=1e-6)
    pictures = tree.pictures([0, len(bank) - 1])
    assert pictures.shape == (2, 48, 48, 3)
    paths = trace.site("members").column("path")
    chosen = trace.site("members").column("centre")
    for path, centre in zip(paths, chosen, strict=True):
        assert tree.words[path[1]] == f"{tree.words[path[0]]} {centre}"


def test_descents_go_over_the_class_to_the_centre(system, scene, trace):
    near = system.traced(*scene[1:], choice="nearest", reference=world(55)).site("members")
    for asked, ranked in ((trace.site("members"), False), (near, True)):
        ways = system.descents(asked, range(len(asked)))
        for place, way in enumerate(ways):
            assert list(way.path) == asked.column("path")[place].tolist()
            assert way.ranked is ranked
            assert way.measure == "minus the distance"
            assert way.path[-1] in way.visited
            assert way.greedy_leaf == way.path[-1]
            assert way.roads[1].similarity.max() <= 0
            assert np.isnan(way.roads[0].similarity).all()
        if ranked:
            assert all(way.visited[0] == way.path[-1] for way in ways)
    encoded = system.traced(*scene[1:], choice="encoded", reference=world(55))
    with pytest.raises(AbilityError, match="in no bank's tree"):
        system.descents(encoded.site("members"), [0])


def test_shares_by_node_are_those_of_centres(system, trace):
    found = kt.attribute(trace, by="node").frame
    style = kt.attribute(trace.site("style"), by="source").frame
    named = {node.split("#")[1]: share for node, share in zip(found["node"], found["share"], strict=True)}
    known = {name: share for name, share in zip(style["source"], style["share"], strict=True) if share}
    assert named == pytest.approx(known)
    left_out = kt.attribute(trace, by="node", through="ablation", quiet=True).frame
    assert left_out["levels"].max() > 0
    assert kt.attribute(trace.site("style"), by="node").frame["node"].tolist() == found["node"].tolist()


def test_a_view_answers_about_the_tree(trace):
    with kt.Explorer(trace) as view:
        wire = Wire(view)
        values, _ = wire.answer("descent", {"queries": [0]})
        (way,) = values["descents"]
        assert way["roads"][0]["similarity"] == [None] * 4
        _, parts = wire.answer("children", {"bank": 0, "nodes": [0, *way["path"]]})
        assert set(parts["node"]) >= {0, *way["path"]}
        _, parts = wire.answer("thumbs", {"bank": 0, "nodes": way["path"]})
        assert decode_image(parts["sheet"].tobytes()).shape == (2 * 48, 6 * 48, 3)
        assert view.to_html


def test_a_view_makes_the_picture_again_without_a_source(system, trace):
    members = trace.site("members")
    with kt.Explorer(trace) as view:
        number = Subject.create(trace, site="members").number[kt.attribute(members).top()[0]]
        Wire(view).answer("translate", {"without": [number]})
        assert len(view.comparison) > 0
        assert view.comparison.about["retrievals"] == len(members)


def test_a_view_says_where_an_object_would_find_nothing(networks, scene, tmp_path):
    """Only one picture has a tree."""
    library = library_of(tmp_path, networks, [world(n, trees=n == 0) for n in range(3)])
    rare = Pix2PixHD(library["street/toy"], networks)  # lives as long as it is asked
    trace = rare.traced(*scene[1:])
    with kt.Explorer(trace) as view:
        number = Subject.create(trace, site="members").number["street/toy/0.png"]
        assert "1 of 5 retrievals would find nothing" in str(Wire(view).refusal("translate", {"without": [number]}))
    assert len(kt.without(trace, "0.png").site("members")) == 4


def test_a_page_is_written_with_both_sites(trace, tmp_path):
    with kt.Explorer(trace) as view:
        view.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 4_000_000


ELSEWHERE = {
    "photograph": {"choice": "encoded", "reference": world(55)},
    "source": {"choice": "encoded", "reference": "2.png"},
    "again": {"seed": 3, "again": True, "without": "0.png"},
}
"""Runs that choose from what is in no bank's tree."""


@pytest.mark.parametrize("how", ELSEWHERE)
def test_a_page_of_a_run_that_chose_in_no_tree_is_written_and_says_so(system, scene, tmp_path, how):
    trace = system.traced(*scene[1:], **ELSEWHERE[how])
    with kt.Explorer(trace) as view:
        for site in trace.sites:
            view.site = site
            view.to_html(tmp_path / f"{site}.html")
            about = describe(view._shown)
            assert {panel["name"]: panel["appears"] for panel in about["panels"]}["tree"]
            assert not about["can"]["tree"]
            assert [bank["name"] for bank in about["banks"]] == trace.site(site).about["banks"]
            assert "there is none behind this view" in str(Wire(view).refusal("children", {"bank": 0, "nodes": [0]}))
            assert view.plot()
    with kt.TreeView(trace) as view, pytest.raises(TraceError, match="chose in no tree"):
        view.plot()


def test_trees_of_banks_are_drawn(system, trace):
    bank = system.banks.banks[0]
    for view in (kt.TreeView(bank), kt.TreeView(system.banks, visits=trace), kt.TreeView(trace)):
        with view:
            assert view.plot()
    assert tree_figure(bank, trace.site("members"), 2)
    assert list(tree_icicle(bank, trace.site("members")).data[0].labels)[1] in bank.classes.names


def test_pictures_have_no_tree(tmp_path):
    (tmp_path / "photos").mkdir()
    kt.write_image(tmp_path / "photos" / "a.png", world(0)[0])
    pictures = kt.Library.create(tmp_path / "p.ktlib").build("a/b", tmp_path / "photos", kind="pictures", quiet=True)
    for one in (pictures, pictures.banks[0]):
        with pytest.raises(LibraryError, match="holds pictures, which are in no tree"):
            kt.TreeView(one)
    with pytest.raises(LibraryError, match="its kind has none"):
        tree_figure(pictures.banks[0])


def test_classes_by_number_stand_for_published_ones(published):
    assert published.classes == Classes.numbered(6)
