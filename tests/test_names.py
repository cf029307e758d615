"""A name means one source or is refused: nothing is removed, left out or proved gone that was not named."""

import contextlib
import shutil

import pytest

from ktviz.audit.audit import Audit
from ktviz.audit.removal import verify_removal
from ktviz.audit.verify import verify
from ktviz.errors import SourceWarning, UnknownNameError
from ktviz.explain.attribution import attribute
from ktviz.explain.counterfactual import without
from ktviz.images import file_digest
from ktviz.library.library import Library
from ktviz.names import find_name
from ktviz.systems.kt.translator import Translator
from ktviz.trace.store import TraceStore

BANK = ("art/t/flood.jpg", "art/t/flood.jpg.png", "art/t/sub/river.png", "art/t/river.png", "art/t/caf\u00e9.png")
TWO = (*BANK, "art/u/flood.jpg", "art/u/deep/lake.webp", "art/u/art/t.png")


@pytest.mark.parametrize(
    ("asked", "known", "found"),
    [
        ("art/t/flood.jpg", BANK, 0),
        ("flood.jpg", BANK, 0),
        ("flood.jpg.png", BANK, 1),
        ("flood", BANK, 0),
        ("art/t/river.png", BANK, 3),
        ("art/t/river", BANK, 3),
        ("t/river.png", BANK, 3),
        ("sub/river", BANK, 2),
        ("cafe\u0301", BANK, 4),  # as macOS writes it
        ("art/u/flood.jpg", TWO, 5),
        ("u/flood", TWO, 5),
        ("flood.jpg.png", TWO, 1),
        ("lake", TWO, 6),
        ("art/t.png", TWO, 7),
        ("art/t", TWO, 7),
        ("St. Lazare", ("art/t/St. Lazare.jpg",), 0),
        (".hidden", (".hidden", "a/b"), 0),
    ],
)
def test_a_name_that_means_one_source_finds_it(asked, known, found):
    assert find_name(asked, known) == known[found]


@pytest.mark.parametrize(
    ("asked", "known", "fits"),
    [
        ("flood.jpg", TWO, ("art/t/flood.jpg", "art/u/flood.jpg")),
        ("river", BANK, ("art/t/river.png", "art/t/sub/river.png")),
        ("river.png", BANK, ("art/t/river.png", "art/t/sub/river.png")),
        ("a", tuple(f"x/y/{n}/a.png" for n in range(30)), [f"x/y/{n}/a.png" for n in range(30)]),
        ("a", ("x/y/a.jpg", "x/y/a.png"), ("x/y/a.jpg", "x/y/a.png")),
        ("x/y/a", ("x/y/a.jpg", "x/y/a.png"), ("x/y/a.jpg", "x/y/a.png")),
        ("\u00e9", ("x/y/\u00e9.png", "x/y/e\u0301.png"), ("x/y/\u00e9.png", "x/y/e\u0301.png")),
    ],
)
def test_a_short_name_that_fits_several_is_refused_with_all_of_them(asked, known, fits):
    with pytest.raises(UnknownNameError, match="Give the whole name") as caught:
        find_name(asked, known)
    assert all(name in caught.value.found for name in fits)


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("flod.jpg", "art/t/flood.jpg"),
        ("Flood.jpg", "art/t/flood.jpg"),
        ("art/t/lood.jpg", "art/t/flood.jpg"),
        ("lod.jpg", "art/t/flood.jpg"),
        ("subs/river.png", "art/t/sub/river.png"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(asked, nearest):
    with pytest.raises(UnknownNameError, match=f"Did you mean {nearest}"):
        find_name(asked, BANK)


@pytest.mark.parametrize("asked", ["", "/", ".png", "ood.jpg", "flood.jpg/", "art/t", "flood.jpg.webp"])
def test_a_piece_of_a_name_is_no_name(asked):
    with pytest.raises(UnknownNameError, match="there is none"):
        find_name(asked, BANK)


@pytest.fixture(scope="module")
def floods(tmp_path_factory, toy, toy_decoder, settings, save, paint):
    """Two banks: art/t with flood.jpg, flood.jpg.png, low/flood.png; art/u with flood.jpg."""
    root = tmp_path_factory.mktemp("floods")
    for seed, name in enumerate(("t/flood.jpg", "t/flood.jpg.png", "t/low/flood.png", "u/flood.jpg")):
        save(root / name, paint(seed))
    library = Library.ensure(root / "floods.ktlib", toy, settings)
    for style in "tu":
        library.build(f"art/{style}", [root / style], encoder=toy, quiet=True)
    return Translator(library["art"], toy, toy_decoder), library.folder


def left(folder):
    return [source.name for source in Library.open(folder).bank("art/t").sources]


@pytest.mark.parametrize(
    ("asked", "removed"),
    [
        ("art/t/flood.jpg", "flood.jpg"),
        ("flood.jpg", "flood.jpg"),
        ("flood.jpg.png", "flood.jpg.png"),
        ("low/flood", "low/flood.png"),
    ],
)
def test_removing_removes_what_was_named_and_nothing_else(floods, tmp_path, asked, removed):
    folder = shutil.copytree(floods[1], tmp_path / "copy.ktlib")
    before = left(folder)
    assert Library.open(folder).remove("art/t", asked, quiet=True) == [f"art/t/{removed}"]
    assert left(folder) == [name for name in before if name != removed]


def test_removing_again_does_not_take_the_next_that_is_called_alike(floods, tmp_path):
    folder = shutil.copytree(floods[1], tmp_path / "copy.ktlib")
    for name in ("art/t/flood.jpg", "flood.jpg"):
        with contextlib.suppress(UnknownNameError):
            Library.open(folder).remove("art/t", name, quiet=True)
    assert left(folder) == ["flood.jpg.png", "low/flood.png"]


@pytest.mark.parametrize(
    "asked", [["flood"], ["flood.jpg", "flood"], ["flood.jpg", "lake"], ["art/t"], ["art/u/flood.jpg"]]
)
def test_a_doubtful_name_removes_nothing(floods, tmp_path, asked):
    folder = shutil.copytree(floods[1], tmp_path / "copy.ktlib")
    with pytest.raises(UnknownNameError):
        Library.open(folder).remove("art/t", asked, quiet=True)
    assert len(left(folder)) == 3


def test_a_translation_leaves_out_what_was_named_and_records_its_whole_name(floods, paint):
    translator, _ = floods
    trace = translator.traced(paint(0), without="t/flood.jpg")
    assert trace.picture.about["settings"]["without"] == ("art/t/flood.jpg",)
    share = trace.sources().set_index("source")["share"]
    assert share["art/t/flood.jpg"] == 0
    assert (share.drop("art/t/flood.jpg") > 0).any()
    with pytest.raises(UnknownNameError, match=r"art/t/flood\.jpg or art/u/flood\.jpg"):
        translator(paint(0), without="flood.jpg")


def test_every_question_refuses_a_name_that_fits_several(floods, paint, tmp_path):
    translator, _ = floods
    trace = translator.traced(paint(0))
    store = TraceStore(tmp_path / "store")
    store.append(trace)
    questions = (
        lambda name: without(trace, name, model=translator),
        lambda name: trace.spread(name),
        lambda name: store.uses(name),
        lambda name: trace.explore(pictures={name: paint(1)}),
    )
    for ask in questions:
        with pytest.raises(UnknownNameError, match=r"art/t/flood\.jpg or art/u/flood\.jpg"):
            ask("flood.jpg")
    assert set(store.uses("t/flood.jpg")["source"]) == {"art/t/flood.jpg"}
    assert set(store.uses("flood.jpg.png")["source"]) <= {"art/t/flood.jpg.png"}


def test_ablation_leaves_out_one_source_at_a_time(floods, paint):
    translator, _ = floods
    trace = translator.traced(paint(0))
    alone = attribute(trace, through="ablation", model=translator).frame.set_index("source")["share"]
    plain = translator(paint(0)).image
    for name in ("art/t/flood.jpg", "art/t/flood.jpg.png"):
        changed = (without(trace, name, model=translator).output != plain).any()
        assert changed == (alone.get(name, 0) > 0)


def pair_of(folder, save, paint):
    """A JPEG, a PNG of the very same pixels, and another picture."""
    from ktviz.images import read_image

    save(folder / "img.jpg", paint(0))
    save(folder / "img.png", read_image(folder / "img.jpg"))
    save(folder / "other.png", paint(1))
    return folder


def test_an_audit_of_two_files_with_one_picture_holds_and_their_removal_can_be_proved(
    tmp_path, build, save, paint, toy, toy_decoder
):
    library = build("pair", [pair_of(tmp_path / "in", save, paint)])
    translator = Translator(library["art/test"], toy, toy_decoder)
    Audit.create(translator.traced(paint(0)), model=translator).save(tmp_path / "audit")
    assert verify(tmp_path / "audit", library, model=translator)
    noted = file_digest(tmp_path / "audit" / "manifest.json")

    with pytest.warns(SourceWarning, match=r"art/test/img\.png stays, and is the same picture as art/test/img\.jpg"):
        library.remove("art/test", "img.jpg", quiet=True)
    verdict = verify_removal(tmp_path / "audit", library, "img.jpg", model=translator, sha256=noted)
    assert "(art/test/img.png) still holds features of art/test/img.jpg" in verdict.difference

    library.remove("art/test", "img.png", quiet=True)
    for name in ("img.jpg", "img.png"):
        assert verify_removal(tmp_path / "audit", library, name, model=translator, sha256=noted)
