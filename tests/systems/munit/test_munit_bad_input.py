"""What MUNIT cannot do is refused in words; what is odd, but has an answer, gets it."""

import json
import warnings
from dataclasses import asdict

import numpy as np
import pytest
import torch
from mapped import CLASSES, MeanColour, WholeColour, save_maps
from PIL import Image

import ktviz as kt
from ktviz import samples
from ktviz.errors import (
    ImageError,
    LibraryError,
    MismatchError,
    MissingWeightsError,
    RegionError,
    SettingError,
    UnknownNameError,
    UnknownSettingError,
    WeightsError,
)
from ktviz.networks.weights import save_weights
from ktviz.systems.munit.packaged import WEIGHTS
from ktviz.systems.munit.shape import Shape
from ktviz.systems.munit.system import Munit
from ktviz.systems.munit.trained import FILE, Networks

from .conftest import BANK, networks_of


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"code": [1, 2, 3]}, SettingError, "3 numbers, and styles have 4"),
        ({"code": [1, 2, np.nan, 3]}, SettingError, "not finite"),
        ({"code": [1, 2, np.inf, 3]}, SettingError, "not finite"),
        ({"code": []}, SettingError, "0 numbers, and styles have 4"),
        ({"code": [[1, 2, 3, 4]]}, SettingError, "not a number"),
        ({"code": [[1, 2], [3]]}, SettingError, "not a number"),
        ({"code": ["1", "2", "3", "4"]}, SettingError, "not a number"),
        ({"code": [True] * 4}, SettingError, "not a number"),
        ({"code": np.ones(4, bool)}, SettingError, "not a number"),
        ({"code": [1j] * 4}, SettingError, "not a number"),
        ({"code": np.ones(4, complex)}, SettingError, "not a number"),
        ({"code": [1e39] * 4}, SettingError, "too large"),
        ({"code": [10**400] * 4}, SettingError, "too large"),
        ({"code": {1: 2}}, SettingError, "no numbers"),
        ({"code": "red"}, SettingError, "no numbers"),
        ({"code": 3}, SettingError, "no numbers"),
        ({"code": [0] * 4, "nearest": 0}, SettingError, "less than 1"),
        ({"code": [0] * 4, "nearest": 1.5}, SettingError, "not a whole number"),
        ({"code": [0] * 4, "nearest": 6}, SettingError, "there are 5 sources"),
        ({"nearest": 2}, SettingError, "no code that they are near to"),
        ({"mix": {"a": 0.5, "b": 0.6}}, SettingError, "add up to 1.1"),
        ({"mix": {"a": 1.5, "b": -0.5}}, SettingError, "-0.5 of b: not positive"),
        ({"mix": {"a": 1, "b": 0}}, SettingError, "not positive"),
        ({"mix": {"a": np.nan}}, SettingError, "not positive"),
        ({"mix": {"a": "all"}}, SettingError, "not a number"),
        ({"mix": [("a", 0.5), ("a", 1.0)]}, SettingError, "mix 'a': named twice"),
        ({"mix": {}}, SettingError, "no weights by name"),
        ({"mix": {3: 1.0}}, SettingError, "no weights by name"),
        ({"mix": "a"}, SettingError, "no weights by name"),
        ({"mix": {"a": 0.5, "a.png": 0.5}}, SettingError, "named twice"),
        ({"mix": {"z": 1.0}}, UnknownNameError, "source 'z'"),
        ({"mix": {"a": 1.0}, "code": [0] * 4}, SettingError, "code and mix: several ways"),
        ({"mix": {"a": 1.0}, "exemplar": "b"}, SettingError, "exemplar and mix: several ways"),
        ({"exemplar": "z"}, UnknownNameError, "source 'z'"),
        ({"exemplar": np.zeros((4, 4, 3), np.uint8)}, ImageError, "at least 16 px"),
        ({"exemplar": np.full((20, 20, 3), np.nan)}, ImageError, "array"),
        ({"exemplar": 7}, ImageError, "array"),
        ({"seed": -1}, SettingError, "less than 0"),
        ({"seed": 2**32}, SettingError, "above"),
        ({"seed": "one"}, SettingError, "not a whole number"),
        ({"strength": 1}, UnknownSettingError, "strength"),
        ({"exemplar": "a", "without": "a"}, UnknownNameError, "nothing would be left"),
        ({"exemplar": "a", "without": 3}, SettingError, "not said of which picture"),
        ({"exemplar": "a", "without": kt.Box(40, 0, 20, 20)}, RegionError, "not inside"),
        ({"without": kt.Box(0, 0, 20, 20)}, SettingError, "not said of which picture"),
        ({"without": 3.5}, SettingError, "not said of which picture"),
        ({"without": "z"}, UnknownNameError, "source 'z'"),
    ],
)
def test_styles_that_cannot_be_chosen(system, picture, settings, error, said):
    with pytest.raises(error, match=said):
        system(picture, **settings)


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"code": [0] * 4}, SettingError, "there is no bank"),
        ({"mix": {"a": 1.0}}, SettingError, "there is no bank"),
        ({"exemplar": "nowhere.png"}, ImageError, "no such file"),
        ({"without": "a"}, UnknownNameError, "there is no bank"),
        ({"without": kt.Box(0, 0, 16, 16)}, UnknownNameError, "there is no bank"),
    ],
)
def test_without_a_bank_there_is_less_to_choose_from(alone, picture, settings, error, said):
    with pytest.raises(error, match=said):
        alone(picture, **settings)


@pytest.mark.parametrize("value", [None, "nowhere.png", np.zeros((8, 80, 3), np.uint8), np.zeros((20, 20, 5))])
def test_pictures_that_cannot_be_translated(system, value):
    with pytest.raises(ImageError):
        system(value)


@pytest.mark.parametrize(
    ("ways", "error", "said"),
    [
        (("a", "b", 1), SettingError, "fewer than both ends"),
        (("a", [1, 2], 3), SettingError, "2 numbers"),
        (("a", "z", 3), UnknownNameError, "source 'z'"),
        (("a", np.zeros((4, 4)), 3), ImageError, "at least 16"),
        (([[1, 2], [3]], "a", 3), SettingError, "not a number"),
        (([1j] * 4, "a", 3), SettingError, "not a number"),
        (("a", [1e39] * 4, 3), SettingError, "too large"),
    ],
)
def test_paths_that_lead_nowhere(system, picture, ways, error, said):
    with pytest.raises(error, match=said):
        system.path(picture, *ways)


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"coordinate": 4}, SettingError, "a code of 4 numbers"),
        ({"coordinate": -1}, SettingError, "a code of 4 numbers"),
        ({"coordinate": 0.5}, SettingError, "not a whole number"),
        ({"source": "b"}, UnknownNameError, "source 'b'"),
    ],
)
def test_contributions_that_are_not_there(system, picture, asked, error, said):
    with pytest.raises(error, match=said):
        system(picture, exemplar="a").contribution(**asked)


def test_codes_may_be_tensors_that_learn(system, picture, wanted):
    code = torch.tensor(wanted, requires_grad=True)
    assert np.array_equal(system(picture, code=code).output, system(picture, code=code.tolist()).output)
    assert np.array_equal(system.path(picture, code, "a", 2)[0], system.path(picture, code.tolist(), "a", 2)[0])


def test_networks_without_weights_are_refused_whatever_is_asked(networks, picture, exemplar):
    empty = Munit(networks=networks_of(0).to("meta"))
    for ways in ({"seed": 1}, {"exemplar": exemplar}):
        with pytest.raises(WeightsError, match="no weights"):
            empty(picture, **ways)


def test_all_of_one_picture_of_several_is_left_out_by_its_name(system, picture):
    all_of_it = kt.SourceRegion("a", kt.Box(0, 0, 48, 32))
    with pytest.raises(UnknownNameError, match=r"left of it. .*name the picture, and others take its place"):
        system(picture, mix={"a": 0.5, "b": 0.5}, without=[all_of_it])
    assert system(picture, mix={"a": 0.5, "b": 0.5}, without="a").style.code is not None


def test_codes_lead_somewhere_without_a_bank(alone, picture):
    made = alone(picture, seed=5)
    assert np.array_equal(alone.path(picture, made.style.code, [0.0] * 4, 2)[0], made.output)
    with pytest.raises(SettingError, match="5 numbers"):
        alone.path(picture, made.style.code, [0.0] * 5)


def test_pictures_in_every_form_give_the_same(system, picture, exemplar, tmp_path, save):
    expected = system(picture, exemplar=exemplar).output
    path = save(tmp_path / "x.png", picture)
    for form in (path, str(path), Image.fromarray(picture), torch.from_numpy(picture), picture / 255):
        assert np.array_equal(system(form, exemplar=Image.fromarray(exemplar)).output, expected)
    assert np.array_equal(
        system(picture, mix=[("a", 0.5), ("b", 0.5)]).output, system(picture, mix={"a": 0.5, "b": 0.5}).output
    )
    code = system.banks.codes[2]
    assert np.array_equal(system(picture, code=torch.from_numpy(code)).output, system(picture, exemplar="c").output)


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_pictures_of_one_colour_make_no_nan(system, colour):
    plain = np.full((33, 40, 3), colour, np.uint8)
    trace = system.traced(plain, exemplar=plain)
    assert np.isfinite(trace.site("cells").column("weight", winners=False)).all()
    assert trace.output.shape == plain.shape


def test_domains_that_do_not_exist(networks):
    with pytest.raises(SettingError, match="Choose one of drawings, photographs"):
        Munit(networks=networks, to="oil")
    with pytest.raises(SettingError, match="not two names"):
        Networks(networks.shape, ("a", "a"))
    for domains in ("ab", 3, None, ["a"], [1, 2], ["a", ""]):
        with pytest.raises(SettingError, match="not two names"):
            Networks(networks.shape, domains)


@pytest.mark.parametrize("domains", [["a", "a"], ["a"], [1, 2], "ab", 3])
def test_files_that_state_no_two_domains_are_refused(networks, tmp_path, domains):
    about = {"shape": json.dumps(asdict(networks.shape)), "domains": json.dumps(domains)}
    save_weights(networks, tmp_path / FILE, about)
    with pytest.raises(WeightsError, match="do not state sizes and domains"):
        Networks.load(tmp_path)


def test_weights_that_do_not_come_are_said_so():
    if WEIGHTS.sha256:
        pytest.skip("weights come with this version")
    with pytest.raises(MissingWeightsError, match="none come with this version"):
        Munit()


def test_weights_that_make_nan_are_refused(picture, exemplar):
    for part, said in (("enc_content", "content encoder"), ("enc_style", "style encoder"), ("mlp", "decoder")):
        networks = networks_of(0)
        domain = networks.a if part == "enc_content" else networks.b
        next(domain.get_submodule(part).parameters()).view(-1)[0] = torch.nan
        with pytest.raises(WeightsError, match=f"run the {said}: it made NaN"):
            Munit(networks=networks)(picture, exemplar=exemplar)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda held: {"a": held["a"]}, "no state dict under 'b'"),
        (lambda held: {**held, "b": {}}, "it lacks"),
        (lambda held: {**held, "b": {**held["b"], "mlp.model.0.fc.bias": torch.zeros(3)}}, "is 3, not 12"),
        (lambda held: {**held, "a": {**held["a"], "mlp.model.0.fc.bias": torch.full((12,), torch.nan)}}, "NaN"),
        (lambda held: {**held, "a": {**held["a"], "more": torch.zeros(3)}}, "the network has no more"),
    ],
)
def test_files_of_other_trainings_are_named_by_what_differs(networks, tmp_path, change, said):
    held = {key: dict(part.state_dict()) for key, part in (("a", networks.a), ("b", networks.b))}
    torch.save(change(held), tmp_path / "gen.pt")
    with pytest.raises(WeightsError, match=said):
        Munit.from_checkpoint(tmp_path / "gen.pt", networks.shape)


def test_published_experiments_have_names(tmp_path):
    with pytest.raises(SettingError, match="edges2shoes"):
        Munit.from_checkpoint(tmp_path / "gen.pt", "shoes2edges")
    with pytest.raises(MissingWeightsError, match="no such file"):
        Munit.from_checkpoint(tmp_path / "gen.pt")


@pytest.mark.parametrize("size", [{"width": 0}, {"downs": 9}, {"blocks": 0}, {"codes": 1.5}, {"hidden": -1}])
def test_sizes_outside_their_range(size):
    with pytest.raises(SettingError):
        Shape(**size)


def test_banks_of_another_kind_or_another_encoder(library, networks, world, pictures, tmp_path):
    with pytest.raises(LibraryError, match="codes are needed"):
        Munit(world.library["art/warm"], networks)
    with pytest.raises(SettingError, match="no banks of a library"):
        Munit(pictures, networks)
    with pytest.raises(MismatchError, match="made with another encoder"):
        Munit(library[BANK], networks_of(1))
    with pytest.raises(MismatchError, match="made with another encoder"):
        Munit(library[BANK], networks, to="drawings")
    other = kt.Library.create(tmp_path / "other.ktlib")
    maps = save_maps(tmp_path / "maps", "abc")
    given = {"labels": maps / "labels", "instances": maps / "instances", "classes": CLASSES, "coder": MeanColour()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nobody is credited
        other.build("a/objects", pictures / "warm", kind="codes", quiet=True, **given)
        other.build("a/colours", pictures / "warm", kind="codes", quiet=True, coder=WholeColour())
    with pytest.raises(MismatchError, match="it holds objects"):
        Munit(other["a/objects"], networks)
    with pytest.raises(MismatchError, match="made with another encoder"):
        Munit(other["a/colours"], networks)


def test_the_default_type_must_be_single_and_autocast_changes_nothing(system, picture):
    expected = system(picture, exemplar="a")
    with torch.autocast("cpu", torch.bfloat16):
        assert np.array_equal(system(picture, exemplar="a").output, expected.output)
    with torch.inference_mode():
        trace = system.traced(picture, exemplar="a")
        assert len(kt.attribute(trace, kt.Box(8, 8, 16, 12), through="gradient"))
    torch.set_default_dtype(torch.float64)
    try:
        with pytest.raises(SettingError, match="default type"):
            system(picture, exemplar="a")
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="module")
def shipped():
    """The system that knows pots, and drawings of them."""
    return kt.Munit(samples.bank("pots/glazed", quiet=True))


@pytest.mark.parametrize("kind", ["a pot", "a room"])
def test_a_picture_that_is_clearly_of_the_other_domain_is_refused_in_words(shipped, kind):
    picture = shipped.banks.picture(0) if kind == "a pot" else samples.scene("room-3-0018").photo
    for ask in (shipped, shipped.traced):
        with pytest.raises(ImageError, match=r"a picture of drawings: it is like photographs: made again .* at \d+ dB"):
            ask(picture, seed=0)


def test_an_exemplar_that_is_clearly_of_the_other_domain_is_refused_in_words(shipped):
    drawing = samples.drawing("drawing-3-00008")
    for ask in (
        lambda: shipped(drawing, exemplar=drawing),
        lambda: shipped.code(drawing),
        lambda: shipped.path(drawing, drawing, shipped.banks.source_names[0], 3),
    ):
        with pytest.raises(ImageError, match="a picture of photographs: it is like drawings"):
            ask()


def test_a_path_of_a_picture_of_the_other_domain_is_refused_in_words(shipped):
    with pytest.raises(ImageError, match="a picture of drawings: it is like photographs"):
        shipped.path(shipped.banks.picture(0), *shipped.banks.source_names[:2], 3)


def test_pictures_of_their_domain_and_those_that_neither_knows_are_taken(shipped, paint):
    drawing, pot = samples.drawing("drawing-3-00011"), shipped.banks.picture(3)
    assert shipped(drawing, exemplar=pot).output.shape == drawing.shape
    assert kt.Munit(to="drawings")(pot, exemplar=drawing).output.shape == pot.shape
    noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    assert shipped(noise, seed=0).output.shape == noise.shape


def test_on_a_bench_a_photograph_that_is_no_drawing_lets_munit_take_no_part(shipped):
    room = samples.scene("room-3-0018").photo[::4, ::4].copy()
    found = kt.bench(room, room[:, ::-1].copy(), ["kt", shipped], runs=0, repeats=0, quiet=True)
    why = found.frame.set_index("system").loc["munit", "why"]
    assert "it is like photographs" in why
