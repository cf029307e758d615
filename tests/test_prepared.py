"""Every system says what it takes of an input and a reference: what it makes then is what it makes when called."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_systems import HAS, SETTINGS, material, tiny

from ktviz.errors import KtvizError
from ktviz.systems.material import Material
from ktviz.systems.registry import OURS

NEEDS = {
    "kt": ("photo",),
    "image-analogy": ("photo",),
    "cocosnet": ("labels",),
    "pix2pixhd": ("labels",),
    "munit": ("photo",),
    "bridge": ("photo", "attributes"),
}
"""What each needs of an input; of a reference, the photograph besides."""


def prepared(name, input=None, reference=None):
    system = tiny()[name]
    found = type(system).prepared(input or material("input"), reference or material("reference"), system)
    return replace(found, settings={**found.settings, **SETTINGS.get(name, {})})


def only(whole, *parts):
    """Material with some of its parts only."""
    return Material(**{part: getattr(whole, part) for part in parts}, classes=whole.classes, name=whole.name)


def test_all_systems_are_asked():
    assert set(NEEDS) == set(OURS) == set(tiny())


@pytest.mark.parametrize("name", NEEDS)
def test_it_takes_what_it_needs_and_no_more(name):
    parts = dict.fromkeys(("photo", *NEEDS[name]))
    found = prepared(name, only(material("input"), *NEEDS[name]), only(material("reference"), *parts))
    trace, plain = found.traced(), found.run()
    made = found.system.pictures(found.inputs, plain)["output"]
    assert np.array_equal(trace.picture.canvases["output"], made)
    assert np.array_equal(found.traced().picture.canvases["output"], made)
    assert made.shape == material("input").photo.shape


@pytest.mark.parametrize(("name", "part"), [(name, part) for name, parts in NEEDS.items() for part in parts])
@pytest.mark.parametrize("which", ["input", "reference"])
def test_what_is_missing_is_named_with_the_option_that_gives_it(name, part, which):
    words = {"photo": "photograph", "labels": "label map", "attributes": "attributes"}[part]
    others = [one for one in ("photo", "labels", "attributes") if one != part]
    given = {which: only(material(which), *others)}
    with pytest.raises(KtvizError, match=rf"{name} with {which}: there is no {words} of it.*{part}="):
        prepared(name, **given)


@pytest.mark.parametrize("name", NEEDS)
def test_the_reference_is_the_knowledge(name):
    """Another reference, another output; and it is what the trace names."""
    first = prepared(name).traced()
    other = replace(material("reference"), photo=material("reference").photo[::-1, ::-1].copy(), name="other")
    second = prepared(name, reference=other).traced()
    outputs = [trace.picture.canvases["output"] for trace in (first, second)]
    assert not np.array_equal(*outputs)
    assert [s["source"] for s in first.about["sources"] if s["bank"] != "input"]


def test_bridging_changes_what_the_reference_has_otherwise():
    found = prepared("bridge").traced()
    want = dict(found.picture.settings["want"])
    assert want == {name: name in HAS["reference"] for name in set(HAS["input"]) ^ set(HAS["reference"])}
    with pytest.raises(KtvizError, match="input has the same attributes"):
        prepared("bridge", reference=replace(material("input"), name="input"))


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        (["Smil", "Dark"], "attribute 'Smil'.*Did you mean Smile"),
        (["Dark", "Blond"], "a picture has one of Dark, Blond at most"),
        ({"Dark": "no", "Blond": 0, "Hat": 0, "Smile": 0}, "attribute Dark 'no': neither True nor False"),
        ({"Dark": 1}, "nobody says whether it has 'Blond'"),
        (3, "no attributes"),
    ],
)
@pytest.mark.parametrize("where", ["input", "reference"])
def test_attributes_of_material_are_read_as_bridging_reads_them(where, attributes, said):
    with pytest.raises(KtvizError, match=said):
        prepared("bridge", **{where: replace(material(where), attributes=attributes)})


def test_answers_about_attributes_that_the_networks_do_not_know_are_passed_over():
    more = replace(material("input"), attributes={**material("input").attributes, "Tall": "perhaps"})
    assert prepared("bridge", input=more).inputs[1] == material("input").attributes


def test_nothing_wanted_is_not_said_of_the_reference():
    with pytest.raises(KtvizError, match="bridge with input: nothing is wanted"):
        prepared("bridge", input=replace(material("input"), want={}))


def test_label_maps_of_other_classes_are_refused():
    from ktviz.labels import Classes

    others = Classes(("a", "b", "c", "d", "e"), [(n, n, n) for n in range(5)])
    for name in ("cocosnet", "pix2pixhd"):
        with pytest.raises(KtvizError, match=f"{name} with the label map of input: class 0 is 'a', not 'unknown'"):
            prepared(name, input=replace(material("input"), classes=others))


def test_banks_are_taken_where_their_kind_fits(world):
    system = world.translator
    found = type(system).prepared(material("input"), world.banks, system)
    assert found.traced().sources()["bank"].isin(["art/warm", "art/cool"]).all()
    for name in ("image-analogy", "cocosnet", "pix2pixhd", "munit", "bridge"):
        other = tiny()[name]
        wanted = replace(material("input"), want={"Hat": True})
        with pytest.raises(KtvizError, match=r"it holds patches, and (pictures|codes) are needed"):
            type(other).prepared(wanted, world.banks, other)
