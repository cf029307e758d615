"""References out of banks: filtered by what is wanted, chosen by a ranking that is recorded, named, done without."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import ktviz as kt
from ktviz.audit.removal import verify_removal
from ktviz.errors import AbilityError, LabelError, LibraryError, MismatchError, SettingError, UnknownNameError
from ktviz.images import file_digest
from ktviz.library.library import Library
from ktviz.systems.registry import opened

from .conftest import BANK, DIFFERENCE, HAS, ROWS, SIDE, WANT, near

BOX = kt.Box(8, 6, 16, 12)
FITTING = [f"{BANK}/{name}.png" for name in "bcf"]


@pytest.fixture(scope="module")
def ranking(by_hand, banked, picture):
    """The pictures that have what is wanted by falling likeness to the source, worked out by hand."""

    def summary(pixels):
        return F.adaptive_avg_pool2d(by_hand.code(pixels, DIFFERENCE), 4).flatten()

    asked, found = summary(picture), {}
    for name in FITTING:
        found[name] = float(F.cosine_similarity(asked, summary(banked.banks.picture(number_of(banked, name))), 0))
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def number_of(system, name):
    return system.banks.source_numbers[name]


def taken(trace):
    """The reference whose cells the code is made of."""
    at = trace.site("code")
    return sorted({*at.column("source", winners=False)} - {"input"})


def test_of_those_that_have_what_is_wanted_the_most_like_is_taken_and_all_are_recorded(banked, chosen, ranking):
    site = chosen.site("reference")
    assert site.column("source", winners=False).tolist() == [*ranking]
    assert np.allclose(site.column("similarity", winners=False), [*ranking.values()], atol=1e-5)
    about = site.site_about
    assert chosen.sites == ["reference", "code"]
    assert (about["kind"], about["paints"], about["searched"]) == ("hard", False, False)
    assert taken(chosen) == [next(iter(ranking))]
    best = number_of(banked, next(iter(ranking)))
    assert np.array_equal(chosen.picture.canvases["reference:0"], banked.banks.picture(best))
    assert chosen.picture.settings["reference"] is None
    assert repr(banked) == f"Bridge(32x32 px, 4 attributes, PictureUnion({BANK}; 6 sources, 6 entries))"


def test_each_source_stands_once_with_credit_and_attributes(chosen):
    sources = {source["source"]: source for source in chosen.about["sources"]}
    assert [*sources] == [f"{BANK}/{name}.png" for name in ROWS] + ["input"]
    assert sources[FITTING[0]]["creator"] == "Ann"
    assert sources[FITTING[0]]["attributes"] == ["Blond", "Hat"]
    assert sources["input"]["creator"] == "unknown"


@pytest.mark.parametrize(
    ("want", "fits"),
    [({"Hat": False}, "ae"), (["Smile"], "cde"), ({"Blond": True, "Smile": False}, "bf"), ({"Dark": True}, "ad")],
)
def test_candidates_have_what_is_wanted_and_lack_what_is_not(banked, picture, want, fits):
    made = banked(picture, {"Dark": True, "Hat": True} if "Dark" not in want else ["Blond"], want)
    names = [banked.banks.source_names[number] for number in made.choice.entry]
    assert sorted(name[-5] for name in names) == [*fits]


def test_without_the_reference_the_next_is_taken(chosen, banked, ranking, by_hand):
    names = [*ranking]
    without = kt.without(chosen, names[0])
    assert taken(without) == [names[1]]
    assert without.picture.settings["without"] == [names[0]]
    code = by_hand.code(banked.banks.picture(number_of(banked, names[1])))
    assert near(without.output, by_hand.painted(by_hand.own + code))
    assert taken(kt.without(without, names[1][-5:])) == [names[2]]
    number = int(chosen.site("reference").column("entry")[0])
    assert kt.without(chosen.site("reference"), number).digest == without.digest
    for what in (names, BANK):
        with pytest.raises(UnknownNameError, match="nothing would be left"):
            kt.without(chosen, what)
    with pytest.raises(UnknownNameError, match="there are 6 pictures"):
        kt.without(chosen.site("reference"), 6)


def test_a_region_of_the_reference_that_was_chosen_adds_nothing(chosen, banked, picture, ranking, by_hand):
    first = next(iter(ranking))
    without = kt.without(chosen, BOX)
    code = by_hand.code(banked.banks.picture(number_of(banked, first)))
    code[:, :, 3:9, 4:12] = 0
    assert near(without.output, by_hand.painted(by_hand.own + code))
    assert taken(without) == [first]  # choosing looks at pictures as they are
    named = banked.traced(picture, HAS, WANT, without=kt.SourceRegion(first, BOX))
    assert named.digest == without.digest
    other = banked.traced(picture, HAS, WANT, without=kt.SourceRegion(f"{BANK}/a.png", BOX))
    assert np.array_equal(other.output, chosen.output)
    with pytest.raises(SettingError, match="not said of which picture"):
        banked(picture, HAS, WANT, without=BOX)


def test_a_reference_that_is_named_is_taken_without_a_ranking(banked, picture, by_hand):
    made = banked(picture, HAS, WANT, reference="c")
    assert made.choice is None
    code = by_hand.code(banked.banks.picture(number_of(banked, f"{BANK}/c.png")))
    assert near(made.output, by_hand.painted(by_hand.own + code))
    trace = banked.traced(picture, HAS, WANT, reference="c")
    assert trace.picture.settings["reference"] == f"{BANK}/c.png"
    assert not len(trace.site("reference"))
    assert banked.rerun(trace).digest == trace.digest
    assert banked.searched(trace) == [f"{BANK}/c.png"]
    boxed = kt.without(trace, BOX)
    assert boxed.picture.settings["without"][0]["source"] == f"{BANK}/c.png"
    with pytest.raises(UnknownNameError, match="it is the reference that is asked for"):
        kt.without(trace, "c")
    assert taken(banked.rerun(trace, reference=None)) != []


@pytest.mark.parametrize(
    ("given", "want", "error", "said"),
    [
        ({"reference": "a"}, WANT, SettingError, r"reference refs/faces/a\.png: it has no Blond, no Hat"),
        ({"reference": "z"}, WANT, UnknownNameError, "source 'z'"),
        ({"reference": "c"}, {"Blond": True, "Smile": False}, SettingError, "it has Smile"),
        ({}, {"Dark": True, "Hat": True, "Smile": False}, SettingError, "Hat, no Smile: none of the 6 pictures is one"),
        (
            {"mode": "labels", "reference": "b"},
            WANT,
            SettingError,
            "reference with mode 'labels': it would not be used",
        ),
    ],
)
def test_a_reference_must_have_what_is_wanted(banked, picture, given, want, error, said):
    with pytest.raises(error, match=said):
        banked(picture, ["Smile"], want, **given)


def test_a_picture_that_is_given_takes_the_place_of_the_banks(banked, system, picture, other):
    made, plain = (one(picture, HAS, WANT, reference=other) for one in (banked, system))
    assert np.array_equal(made.output, plain.output)
    trace = banked.traced(picture, HAS, WANT, reference=other)
    assert banked.rerun(trace).digest == trace.digest
    assert taken(kt.without(trace, kt.Box(0, 0, 8, 8))) == ["reference"]
    with pytest.raises(UnknownNameError, match="source 'reference'"):
        banked(picture, HAS, WANT, without="reference")


def test_between_chooses_as_well(banked, picture, ranking):
    trace = banked.traced(picture, HAS, WANT, mode="between", row=1)
    assert taken(trace) == ["labels with noise row 1", next(iter(ranking))]
    assert set(banked.searched(trace)) == {*FITTING, "labels with noise row 1"}
    assert not len(banked.traced(picture, HAS, WANT, mode="labels").site("reference"))


def test_the_system_of_a_trace_is_opened_on_its_banks(chosen, library, banked):
    found = opened(chosen, library, banked)
    assert found.digests() == banked.digests()
    assert found.rerun(chosen).digest == chosen.digest
    with pytest.raises(MismatchError, match="no library was given"):
        opened(chosen, None, banked)


def test_questions_about_both_sites(chosen, banked, ranking):
    found = kt.attribute(chosen, BOX, through="ablation", quiet=True)
    assert found.frame["source"].tolist() == [next(iter(ranking))]
    assert found.about["instead"].startswith("of a reference the next in the ranking")
    alone = kt.attribute(chosen.site("reference"), BOX, through="ablation", quiet=True).frame
    assert alone["share"].tolist() == found.frame["share"].tolist()
    with pytest.raises(AbilityError, match="paints nothing itself"):
        kt.attribute(chosen.site("reference"), through="gradient")
    with pytest.raises(AbilityError, match=r"does not search|cannot"):
        chosen.site("reference").regret()
    assert len(kt.backtrack(chosen.site("reference")).patches) == 1
    assert set(banked.searched(chosen)) == {*FITTING}


def test_views_of_both_sites(chosen, tmp_path):
    with kt.Explorer(chosen) as view:
        assert view.site == "code"
        view.to_html(tmp_path / "page.html")
    assert chosen.site("reference")._repr_html_()


def test_an_audit_leaves_out_references_and_their_removal_is_proven(folder, networks, picture, toy, settings, tmp_path):
    library = Library.ensure(tmp_path / "l.ktlib", toy, settings)
    library.build(BANK, folder / "in", kind="pictures", attributes=folder / "attributes.csv", quiet=True)
    system = kt.Bridge(library[BANK], networks)
    trace = system.traced(picture, HAS, WANT)
    audit = kt.Audit.create(trace)
    assert [*audit.evidence.without] == taken(trace)
    table = audit.tables["counterfactuals"].iloc[0]
    assert table["mean_change"] > 0
    audit.save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", library, model=system)
    assert verdict, verdict.difference
    noted, name = file_digest(tmp_path / "audit" / "manifest.json"), taken(trace)[0]
    library.remove(BANK, name, quiet=True)
    again = kt.Bridge(Library.open(library.folder)[BANK], networks)
    gone = verify_removal(tmp_path / "audit", library.folder, name, model=again, sha256=noted)
    assert gone, gone.difference


def test_banks_whose_pictures_cannot_be_references_are_refused(folder, networks, toy, settings, tmp_path, save, paint):
    library = Library.ensure(tmp_path / "l.ktlib", toy, settings)
    library.build("refs/plain", folder / "in", kind="pictures", quiet=True)
    with pytest.raises(LabelError, match="refs/plain: nobody says who has Dark"):
        kt.Bridge(library["refs/plain"], networks)
    (tmp_path / "few.csv").write_text("file,Dark,Blond,Hat\n" + "".join(f"{name}.png,0,1,1\n" for name in ROWS))
    library.build("refs/few", folder / "in", kind="pictures", attributes=tmp_path / "few.csv", quiet=True)
    with pytest.raises(LabelError, match="nobody says who has Smile"):
        kt.Bridge(library["refs/few"], networks)
    save(tmp_path / "in" / "wide.png", paint(1, SIDE, SIDE + 2))
    (tmp_path / "one.csv").write_text("file,Dark,Blond,Hat,Smile,Old\nwide.png,0,1,1,0,1\n")
    library.build("refs/wide", tmp_path / "in", kind="pictures", attributes=tmp_path / "one.csv", quiet=True)
    with pytest.raises(LibraryError, match=r"wide\.png is 34x32 px, and the networks take 32x32 px"):
        kt.Bridge(library["refs/wide"], networks)
    rows = "".join(f"{name}.png,1,1,1,0\n" for name in ROWS)
    (tmp_path / "both.csv").write_text(f"file,Dark,Blond,Hat,Smile\n{rows}")
    library.build("refs/both", folder / "in", kind="pictures", attributes=tmp_path / "both.csv", quiet=True)
    with pytest.raises(
        LabelError, match=r"a\.png is said to have Dark and Blond, and a picture has one of Dark, Blond"
    ):
        kt.Bridge(library["refs/both"], networks)
    library.build("art/patches", folder / "in", encoder=toy, quiet=True)
    with pytest.raises(LibraryError, match="it holds patches, and pictures are needed"):
        kt.Bridge(library["art/patches"], networks)


def test_equally_like_references_stand_by_number(networks, folder, toy, settings, picture, tmp_path, save, paint):
    for name in "xyz":
        save(tmp_path / "in" / f"{name}.png", paint(3, SIDE, SIDE))
        (tmp_path / "in" / f"{name}.png").write_bytes((tmp_path / "in" / f"{name}.png").read_bytes() + name.encode())
    (tmp_path / "has.csv").write_text("file,Dark,Blond,Hat,Smile\n" + "".join(f"{n}.png,0,1,1,0\n" for n in "xyz"))
    library = Library.ensure(tmp_path / "l.ktlib", toy, settings)
    library.build("refs/twins", tmp_path / "in", kind="pictures", attributes=tmp_path / "has.csv", quiet=True)
    made = kt.Bridge(library["refs/twins"], networks)(picture, HAS, WANT)
    assert made.choice.entry.tolist() == [0, 1, 2]
    assert len(torch.unique(made.choice.similarity)) == 1
