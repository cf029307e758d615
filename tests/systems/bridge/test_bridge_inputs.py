"""What bridging is given: attributes, settings, pictures and weights that cannot be used are refused in words."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.errors import (
    ImageError,
    KtvizError,
    MissingWeightsError,
    SettingError,
    UnknownNameError,
    UnknownSettingError,
    WeightsError,
)
from ktviz.images import pixel_digest
from ktviz.networks.weights import save_weights
from ktviz.systems.bridge.configuration import PUBLISHED, Configuration
from ktviz.systems.bridge.known import MARGIN_DB, back_db
from ktviz.systems.bridge.packaged import WEIGHTS
from ktviz.systems.bridge.passage import as_seen
from ktviz.systems.bridge.published import SCOPES, TABLE, state_of, variables
from ktviz.systems.bridge.shape import Shape
from ktviz.systems.bridge.trained import FILE, Networks

from .conftest import BANK, HAS, NAMES, SHAPE, SIDE, WANT


@pytest.mark.parametrize(
    ("has", "want", "error", "said"),
    [
        (["Dark", "Smil"], WANT, UnknownNameError, "attribute 'Smil'.*Did you mean Smile"),
        (["Dark"], {"hat": True}, UnknownNameError, "attribute 'hat'.*Did you mean Hat"),
        (["Dark"], ["Blond", "Dark"], SettingError, "want Dark and Blond|want Blond and Dark"),
        (["Dark", "Blond"], ["Hat"], SettingError, "a picture has one of Dark, Blond at most"),
        ({"Dark": 2}, WANT, SettingError, "attribute Dark 2: neither True nor False"),
        ({"Dark": "yes"}, WANT, SettingError, "neither True nor False"),
        ({"Dark": float("nan")}, WANT, SettingError, "neither True nor False"),
        (["Dark"], 3, SettingError, "want 3: no attributes"),
        (None, WANT, SettingError, "has None: no attributes"),
        ([3], WANT, UnknownNameError, "attribute 3"),
    ],
)
def test_attributes_that_make_no_sense_are_refused(system, picture, has, want, error, said):
    with pytest.raises(error, match=said):
        system(picture, has, want, mode="labels")


@pytest.mark.parametrize(
    ("want", "difference"),
    [
        ({"Blond": True}, {"Dark": -1.5, "Blond": 1.5}),
        ({"Dark": False}, {"Dark": -1.5}),
        ({"Dark": True}, {}),
        ("Hat", {"Hat": 1.5}),
        (["Hat", "Blond"], {"Dark": -1.5, "Blond": 1.5, "Hat": 1.5}),
        ({"Smile": 0, "Hat": np.True_}, {"Hat": 1.5, "Smile": -1.5}),
        ([], {}),
    ],
)
def test_of_exclusive_attributes_what_is_wanted_takes_the_others_place(system, picture, want, difference):
    assert system(picture, HAS, want, mode="labels").difference == difference


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"mode": "label"}, SettingError, "mode 'label': unknown"),
        ({"mode": ["labels"]}, SettingError, "unknown"),
        ({"amount": -1}, SettingError, "not a number from 0 to 100"),
        ({"amount": np.inf}, SettingError, "not a number from 0 to 100"),
        ({"amount": 1e25}, SettingError, "not a number from 0 to 100"),
        ({"amount": "much"}, SettingError, "not a number"),
        ({"seed": -1}, SettingError, "less than 0"),
        ({"seed": 2**32}, SettingError, "above"),
        ({"seed": 2**64}, SettingError, "above"),
        ({"seed": True}, SettingError, "not a whole number"),
        ({"noise": [0.0] * 5}, SettingError, "noise of 5 numbers: the networks take 6"),
        ({"noise": [np.nan] * 6}, SettingError, "not finite"),
        ({"noise": "drawn"}, SettingError, "no numbers"),
        ({"noise": [1e39] * 6}, SettingError, "too large"),
        ({"noise": [True] * 6}, SettingError, "not a number"),
        ({"noise": [0.0] * 6, "row": 1}, SettingError, "both are given"),
        ({"row": 5}, SettingError, "row 5: the table has 5 rows"),
        ({"row": -1}, SettingError, "less than 0"),
        ({"row": 1.5}, SettingError, "not a whole number"),
        ({"alpha": 0.5}, SettingError, "alpha with mode 'labels': it would not be used"),
        ({"alpha": 0}, SettingError, "it is of between"),
        ({"spade": True}, SettingError, "spade with mode 'labels'"),
        ({"mode": "reference", "row": 0}, SettingError, "row with mode 'reference'.*of labels and between"),
        ({"mode": "between", "alpha": 1.5}, SettingError, "not a number from 0 to 1"),
        ({"mode": "between", "alpha": np.nan}, SettingError, "not a number from 0 to 1"),
        ({"mode": "between", "spade": 1}, SettingError, "neither True nor False"),
        ({"mode": "reference"}, SettingError, "no reference, and no bank to choose one from"),
        ({"mode": "between"}, SettingError, "no reference, and no bank"),
        ({"mode": "reference", "reference": "ann"}, UnknownNameError, "there is no bank"),
        ({"mode": "reference", "reference": 3}, SettingError, "neither a name nor a picture with its attributes"),
        ({"ammount": 1}, UnknownSettingError, "amount"),
        ({"without": 0.5}, SettingError, "no part of the knowledge"),
        ({"without": "nobody"}, UnknownNameError, "known: input, labels with drawn noise"),
        ({"without": 7}, SettingError, "entry 7: not said of which picture"),
    ],
)
def test_settings_are_checked(system, picture, given, error, said):
    with pytest.raises(error, match=said):
        system(picture, HAS, WANT, **{"mode": "labels", **given})


def test_whole_numbers_of_other_libraries_are_plain_ones(system, picture):
    for given in ({"seed": 3}, {"row": 3}):
        (name,) = given
        trace = system.traced(picture, HAS, WANT, mode="labels", **{name: np.int64(3)})
        assert type(trace.picture.settings[name]) is int
        assert trace.digest == system.traced(picture, HAS, WANT, mode="labels", **given).digest


def test_pictures_of_another_size_or_none_at_all_are_refused(system, picture, paint):
    for height, width in ((SIDE, SIDE + 1), (16, 16), (64, 64)):
        with pytest.raises(ImageError, match=f"a picture of {width}x{height} px: .* 32x32 px"):
            system(paint(1, height, width), HAS, WANT, mode="labels")
        with pytest.raises(ImageError, match=f"a reference of {width}x{height} px"):
            system(picture, HAS, WANT, reference=(paint(1, height, width), ["Blond", "Hat"]))
    with pytest.raises(ImageError):
        system(np.full((SIDE, SIDE, 3), np.nan), HAS, WANT, mode="labels")
    with pytest.raises(SettingError, match="the reference reference: it has no Hat"):
        system(picture, HAS, WANT, reference=(picture, ["Blond"]))
    with pytest.raises(UnknownNameError, match="attribute 'hair'"):
        system(picture, HAS, WANT, reference=(picture, ["hair"]))
    assert system(torch.zeros(3, SIDE, SIDE), HAS, WANT, mode="labels").output.shape == (SIDE, SIDE, 3)


def test_networks_that_make_nan_are_named(make_networks, picture, other):
    for part, said in (("encoder", "encoder"), ("generator", "generator"), ("mapping", "mapping")):
        networks = make_networks(0)
        next(networks.get_submodule(part).parameters()).fill_(torch.nan)
        system, mode = kt.Bridge(networks=networks), "labels" if part == "mapping" else "reference"
        with pytest.raises(WeightsError, match=said):
            system(picture, HAS, WANT, mode=mode, **({} if mode == "labels" else {"reference": other}))


def test_rows_of_networks_without_weights_are_refused(make_networks, picture):
    with pytest.raises(WeightsError, match="no weights"):
        kt.Bridge(networks=make_networks(0).to("meta"))(picture, HAS, WANT, mode="labels", row=1)


# Weights


def test_networks_come_back_from_their_file_and_make_the_same(networks, picture, tmp_path):
    networks.save(tmp_path)
    again = Networks.load(tmp_path)
    assert (again.attributes, again.exclusive, again.shape) == (NAMES, networks.exclusive, SHAPE)
    assert torch.equal(again.table, networks.table.half().float())
    again.save(tmp_path / "twice")
    twice = Networks.load(tmp_path / "twice")
    assert twice.digests() == again.digests()
    made = [kt.Bridge(networks=one)(picture, HAS, WANT, mode="labels", row=1).output for one in (again, twice)]
    assert np.array_equal(*made)


def test_files_of_something_else_are_refused(tmp_path):
    with pytest.raises(KtvizError):
        Networks.load(tmp_path / "nowhere")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(WeightsError, match="no archive of arrays"):
        kt.Bridge.from_checkpoint(tmp_path / "text.npz")
    with pytest.raises(MissingWeightsError, match="no such file"):
        kt.Bridge.from_checkpoint(tmp_path / "nowhere.npz")


@pytest.mark.skipif(bool(WEIGHTS.sha256), reason="weights come with this version")
def test_weights_that_do_not_come_say_so():
    with pytest.raises(MissingWeightsError, match=r"weights of bridge: none come.*ktviz train bridge"):
        kt.Bridge()


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        (lambda: Configuration(SHAPE, ("a", "b", "c")), "3 names"),
        (lambda: Configuration(SHAPE, ("a", "a", "b", "c")), "3 of them different"),
        (lambda: Configuration(SHAPE, NAMES, (("Dark", "Red"),)), "exclusive 'Red'"),
        (lambda: Configuration(SHAPE, NAMES, (NAMES[:2], NAMES[1:3])), f"exclusive {NAMES[1]!r}: it is named twice"),
    ],
)
def test_configurations_that_do_not_fit_are_refused(configuration, said):
    with pytest.raises(SettingError, match=said):
        configuration()
    with pytest.raises(SettingError, match="unknown"):
        kt.Bridge.from_checkpoint({}, "celeba")


def arrays_of(networks):
    """What the authors' code would have written of these networks: kernels with height and width first."""
    found = {TABLE: networks.table.numpy()}
    for part in ("encoder", "mapping", "generator"):
        network = networks.get_submodule(part)
        for name, variable in variables(network, SCOPES[part]).items():
            value = network.state_dict()[name].numpy()
            if part == "mapping" and name.startswith("entry"):
                start = network.start
                value = value.reshape(-1, start, start, *value.shape[1:])
                value = np.moveaxis(value, 0, 2).reshape(-1, *value.shape[3:])
            found[variable] = value.transpose(2, 3, 1, 0) if value.ndim == 4 else value.T
    return found


def test_arrays_of_the_authors_load_by_their_names(networks, picture, tmp_path):
    arrays = arrays_of(networks)
    np.savez(tmp_path / "faces.npz", **arrays)
    configuration = Configuration(SHAPE, NAMES, networks.exclusive)
    for given in (arrays, tmp_path / "faces.npz"):
        system = kt.Bridge.from_checkpoint(given, configuration)
        assert system.digests() == kt.Bridge(networks=networks).digests()
    unnamed = kt.Bridge.from_checkpoint(arrays, Configuration(SHAPE))
    assert unnamed.networks.attributes[3] == "attribute 3"
    missing = {name: value for name, value in arrays.items() if name != "Gencoder/Conv/weights"}
    with pytest.raises(WeightsError, match=r"it lacks Gencoder/Conv/weights"):
        kt.Bridge.from_checkpoint(missing, configuration)
    with pytest.raises(WeightsError, match="G_R is 5x3, and noise has 6 numbers"):
        kt.Bridge.from_checkpoint({**arrays, TABLE: arrays[TABLE][:, :3]}, configuration)
    with pytest.raises(WeightsError):
        kt.Bridge.from_checkpoint(arrays, Configuration(Shape(side=2 * SIDE, attributes=4)))
    without = kt.Bridge.from_checkpoint({n: v for n, v in arrays.items() if n != TABLE}, configuration)
    with pytest.raises(SettingError, match="these networks have no table"):
        without(picture, HAS, WANT, mode="labels", row=0)


def replaced(arrays, name, change):
    return {**arrays, name: change(arrays[name])}


@pytest.mark.parametrize(
    "name", ["Gencoder/Conv/weights", "Gmappingnet/flatten_fully_connected/fully_connected/weights"]
)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda array: array[..., :-1], "is .*, not "),
        (lambda array: array.ravel(), "is .*, not "),
        (lambda array: array.astype(str), "is no array of floating-point numbers"),
        (lambda array: array.astype(object), "is no array of floating-point numbers"),
        (lambda array: array.tolist(), "is no array of floating-point numbers"),
        (lambda array: array * np.nan, "NaN or infinity in"),
        (lambda array: array.astype(np.float64) + 1e39, "NaN or infinity in"),
    ],
)
def test_of_the_authors_arrays_the_one_that_does_not_fit_is_named(networks, name, change, said):
    configuration = Configuration(SHAPE, NAMES, networks.exclusive)
    with pytest.raises(
        WeightsError, match=f"arrays of the authors: {name} {said}|arrays of the authors: {said} {name}"
    ):
        kt.Bridge.from_checkpoint(replaced(arrays_of(networks), name, change), configuration)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table * np.nan, "NaN or infinity in G_R"),
        (lambda table: table.tolist(), "G_R is no array"),
        (lambda table: table[0], "G_R is 6, and noise has 6 numbers"),
    ],
)
def test_tables_of_noise_are_finite_numbers_in_rows(networks, change, said):
    configuration = Configuration(SHAPE, NAMES, networks.exclusive)
    with pytest.raises(WeightsError, match=said):
        kt.Bridge.from_checkpoint(replaced(arrays_of(networks), TABLE, change), configuration)
    for given in (None, 3, [arrays_of(networks)]):
        with pytest.raises(WeightsError, match="no arrays by name"):
            kt.Bridge.from_checkpoint(given, configuration)


def test_arrays_of_any_precision_and_byte_order_are_the_same(networks):
    configuration = Configuration(SHAPE, NAMES, networks.exclusive)
    for kind in (">f4", np.float64, np.longdouble):
        arrays = {name: array.astype(kind) for name, array in arrays_of(networks).items()}
        assert kt.Bridge.from_checkpoint(arrays, configuration).digests() == kt.Bridge(networks=networks).digests()


@pytest.mark.parametrize(
    "size",
    [
        {"side": 32.0},
        {"side": 20},
        {"side": 2},
        {"side": 16, "downs": 4},
        {"ups": 4},
        {"ups": -1},
        {"ups": 0},
        {"downs": "2"},
        {"width": -1},
        {"width": 0},
        {"hidden": 0},
        {"encoder_width": True},
        {"encoder_blocks": -1},
        {"discriminator_width": 10**9},
        {"noise": 0},
        {"attributes": 0},
    ],
)
def test_sizes_outside_their_range(size, networks, tmp_path):
    with pytest.raises(SettingError):
        replace(SHAPE, **size)
    about = {**networks.about, "shape": json.dumps({**asdict(SHAPE), **size})}
    save_weights(networks, tmp_path / FILE, about)
    with pytest.raises(WeightsError, match="do not state sizes and attributes"):
        Networks.load(tmp_path)


@pytest.mark.parametrize(
    ("stated", "value"),
    [
        ("rows", -3),
        ("rows", 5.5),
        ("rows", "5"),
        ("rows", True),
        ("rows", 10**12),
        ("exclusive", [1]),
        ("exclusive", [["zz"]]),
        ("exclusive", [[1]]),
        ("exclusive", 3),
        ("exclusive", ["Dark"]),
        ("attributes", [1, 2, 3, 4]),
        ("attributes", ["Dark", "Dark", "Hat", "Smile"]),
        ("attributes", "Dark"),
        ("attributes", 4),
        ("shape", [32]),
        ("known_db", "much"),
        ("known_db", [30]),
    ],
)
def test_files_that_state_what_no_networks_have_are_refused(networks, tmp_path, stated, value):
    save_weights(networks, tmp_path / FILE, {**networks.about, stated: json.dumps(value)})
    with pytest.raises(WeightsError, match="do not state sizes and attributes"):
        Networks.load(tmp_path)


def test_rows_and_groups_that_are_none_are_refused_in_python_as_well():
    for rows in (-3, 1.5, "five", True):
        with pytest.raises(SettingError, match="rows"):
            Networks(SHAPE, NAMES, rows=rows)
    for names, groups in ((NAMES, "Dark"), (NAMES, 3), ("Dark", ()), (4, ())):
        with pytest.raises(SettingError, match="no list"):
            Networks(SHAPE, names, groups)


def test_the_published_experiment_has_the_authors_variables_and_paints(shared, paint):
    entries = json.loads((shared / "parity" / "checkpoint_keys.json").read_text())["entries"]
    (known,) = (about["nets"]["all"] for name, about in entries.items() if name.startswith("bridge/"))
    random = np.random.default_rng(0)
    arrays = {name: random.standard_normal(shape).astype(np.float32) / 20 for name, shape in known if name != TABLE}
    arrays[TABLE] = random.standard_normal((3, 16)).astype(np.float32)
    system = kt.Bridge.from_checkpoint(arrays)
    networks, ours = system.networks, {}
    judge = networks.shape.discriminator()
    for part in SCOPES:
        network = judge if part == "discriminator" else networks.get_submodule(part)
        ours |= dict.fromkeys(variables(network, SCOPES[part]).values())
        assert {*state_of(network, SCOPES[part], arrays)} == {*network.state_dict()}
    assert {*ours, TABLE} == {name for name, _ in known}
    assert networks.attributes == PUBLISHED["celeba_128"].attributes
    made = system(paint(0, 128, 128), ["Male", "Black_Hair"], {"Blond_Hair": True, "Bangs": True}, mode="labels")
    assert made.difference == {"Black_Hair": -1.5, "Blond_Hair": 1.5, "Bangs": 1.5}
    assert made.share_map.shape == (64, 64)


def test_pictures_of_a_kind_that_the_networks_do_not_know_are_refused(make_networks, library, picture, other, paint):
    """As input, as reference, and chosen out of a bank; those that they know are taken."""
    networks = make_networks(0)
    pictures = [picture, other[0], *(library[BANK].picture(number) for number in range(len(library[BANK])))]
    levels = [back_db(networks.makers, as_seen(pixels), len(NAMES)) for pixels in pictures]
    networks.known_db = min(levels) + MARGIN_DB - 0.01
    known = kt.Bridge(library[BANK], networks)
    known(picture, HAS, WANT), known(picture, HAS, WANT, reference=other)
    said = r"a kind that the networks know.*comes back at \d+ dB, and theirs at \d+ dB"
    for strict, asked in (
        (levels[0], lambda system: system(picture, HAS, WANT, mode="labels")),
        (levels[1], lambda system: system(picture, HAS, WANT, reference=other)),
    ):
        networks.known_db = strict + MARGIN_DB + 0.01
        with pytest.raises(ImageError, match=said):
            asked(kt.Bridge(library[BANK], networks))
    networks.known_db = max(levels) + MARGIN_DB + 0.01
    system = kt.Bridge(library[BANK], networks)
    system.asking._checked.add(pixel_digest(picture))
    with pytest.raises(ImageError, match=rf"a reference \({BANK}/.*{said}"):
        system(picture, HAS, WANT)


def test_how_well_pictures_come_back_is_kept_with_the_networks(make_networks, tmp_path):
    networks = make_networks(0)
    networks.save(tmp_path / "silent")
    networks.known_db = 31.256
    networks.save(tmp_path / "told")
    assert Networks.load(tmp_path / "silent").known_db is None
    assert Networks.load(tmp_path / "told").known_db == 31.26
    assert Networks.load(tmp_path / "told").digests() != Networks.load(tmp_path / "silent").digests()


def test_the_amount_of_nothing_is_only_stated(make_networks, picture):
    system = kt.Bridge(networks=make_networks(0))
    changes = system.traced(picture, HAS, WANT, mode="labels").picture.settings
    nothing = system.traced(picture, HAS, list(HAS), mode="labels").picture.settings
    assert "amount" not in system.only_stated(changes)
    assert system.only_stated(nothing)["amount"] == 1.5
