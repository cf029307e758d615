"""What pix2pixHD is given: maps and references of every kind, banks, centres and files, good and bad."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.errors import (
    LabelError,
    LibraryError,
    MismatchError,
    SettingError,
    TraceError,
    UnknownNameError,
    UnknownSettingError,
    WeightsError,
)
from ktviz.labels import Classes
from ktviz.networks.weights import save_weights
from ktviz.systems.pix2pixhd.shape import PUBLISHED, SMALL, Shape
from ktviz.systems.pix2pixhd.system import Pix2PixHD
from ktviz.systems.pix2pixhd.trained import Networks

from .conftest import CLASSES, HEIGHT, SHAPE, WIDTH, networks_of, world

BOX = kt.Box(8, 18, 24, 20)
SHORT = {"quiet": True}


def of_row(result, number, column):
    return result.objects.set_index("object").loc[number, column]


@pytest.mark.parametrize("size", [(16, 16), (37, 53), (64, 41)])
def test_sides_need_not_be_multiples_of_a_stride(system, size):
    photo, labels, instances = world(3, height=max(32, size[0]), width=max(32, size[1]))
    labels, instances, photo = (a[: size[0], : size[1]] for a in (labels, instances, photo))
    made = system(labels, instances, choice="encoded", reference=(photo, labels, instances))
    assert made.output.shape == (*size, 3)
    assert set(made.objects["object"]) == set(np.unique(instances))


def test_a_picture_is_continued_by_its_last_pixels(system):
    """As if the map had been larger by a part of its last objects, of which the rest is cut off."""
    _, labels, instances = world(3)
    wide = np.pad(instances[:46, :61], ((0, 2), (0, 3)), mode="edge")
    made, whole = (
        system(labels[:46, :61], instances[:46, :61], seed=1),
        system(np.where(wide < 1000, wide, wide // 1000), wide, seed=1),
    )
    assert np.array_equal(made.output, whole.output[:46, :61])


def test_maps_in_every_form_are_the_same_map(system, scene, tmp_path):
    from ktviz.labels import write_map

    _, labels, instances = scene
    write_map(tmp_path / "labels.png", labels, CLASSES)
    write_map(tmp_path / "instances.png", instances)
    expected = system(labels, instances, seed=1).output
    colours = np.array(CLASSES.colours, np.uint8)[labels]
    for one in (tmp_path / "labels.png", colours, torch.from_numpy(labels)[None]):
        assert np.array_equal(system(one, tmp_path / "instances.png", seed=1).output, expected)
    without = system(labels, seed=1)
    assert without.objects["object"].tolist() == np.unique(labels).tolist()


def bad(scene, **changed):
    _, labels, instances = scene
    return {"labels": labels, "instances": instances, **changed}


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (lambda s: bad(s, labels=s[1] + 4), LabelError, "classes go from 0 to 4"),
        (lambda s: bad(s, labels=s[0]), LabelError, "is of no class"),
        (lambda s: bad(s, labels=np.stack([s[1], s[1]])), LabelError, "neither"),
        (lambda s: bad(s, instances=s[2][:, ::-1]), LabelError, "the label map says"),
        (lambda s: bad(s, instances=s[2][:-1]), LabelError, "its label map"),
        (lambda s: bad(s, labels=s[1][:8, :8], instances=None), LabelError, "at least 16"),
        (lambda s: bad(s, choice="nearest"), SettingError, "no reference"),
        (lambda s: bad(s, choice="best"), SettingError, "Choose one of"),
        (lambda s: bad(s, style={3000: 1}), UnknownSettingError, "styles"),
        (lambda s: bad(s, seed=-1), SettingError, "less than 0"),
        (lambda s: bad(s, seed=2**32), SettingError, "smaller"),
        (lambda s: bad(s, styles={3009: 0}), UnknownNameError, "object 3009"),
        (lambda s: bad(s, styles={3000: 3}), UnknownNameError, "has centres 0 to 2"),
        (lambda s: bad(s, styles={3000: -1}), UnknownNameError, "has centres 0 to 2"),
        (lambda s: bad(s, styles=[3000]), SettingError, "no numbers by numbers"),
        (lambda s: bad(s, styles={3000: 1.5}), SettingError, "not a whole number"),
        (lambda s: bad(s, copies={3000: 4000}), SettingError, "different classes"),
        (lambda s: bad(s, copies={3000: 3009}), UnknownNameError, "object 3009"),
        (lambda s: bad(s, copies={3000: 3001}, styles={3000: 1}), SettingError, "styles and in copies"),
        (lambda s: bad(s, again=1), SettingError, "neither True nor False"),
        (lambda s: bad(s, without="7.png"), UnknownNameError, "7.png"),
        (lambda s: bad(s, without=10**6), UnknownNameError, "entries go from 0"),
        (lambda s: bad(s, without=3.5), SettingError, "no part of the knowledge"),
        (lambda s: bad(s, without=[kt.Box(0, 0, 1, 1)]), SettingError, "no part of the knowledge"),
        (lambda s: bad(s, without=b"\x00\x01"), SettingError, "no part of the knowledge"),
        (lambda s: bad(s, without=bytearray(b"\x00")), SettingError, "no part of the knowledge"),
        (lambda s: bad(s, without=True), SettingError, "no part of the knowledge"),
        (lambda s: bad(s, without="street/toy"), UnknownNameError, "nothing would be left"),
        (lambda s: bad(s, reference="nowhere.png"), UnknownNameError, "nowhere"),
        (lambda s: bad(s, reference=s[0]), SettingError, "neither a source of the bank"),
        (lambda s: bad(s, reference=(s[0][:-1], s[1], s[2])), LabelError, "its photo is"),
        (lambda s: bad(s, reference=(s[0] / 255 + np.nan, s[1])), kt.KtvizError, "NaN|finite"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(system, scene, given, error, words):
    with pytest.raises(error, match=words):
        system(**given(scene))


@pytest.mark.parametrize("value", [b"\x00", True, [True], np.array([True])], ids=repr)
def test_bytes_and_truth_values_leave_nothing_out_of_a_trace(trace, value):
    for site in ("style", "members"):
        with pytest.raises(SettingError, match="no part of the knowledge"):
            kt.without(trace.site(site), value)


def test_another_default_is_refused_in_one_sentence(system, trace, scene, another_default):
    photo, labels, instances = scene
    codes = torch.zeros(len(np.unique(instances)), 3)
    asked = [
        lambda: system(labels, instances),
        lambda: system(labels, instances, choice="encoded", reference=scene),
        lambda: system.rerun(trace),
        lambda: system.networks.paint(instances, codes),
        lambda: system.networks.encode(photo, instances),
        lambda: kt.attribute(trace, through="gradient"),
        lambda: kt.without(trace, "0.png"),
    ]
    for ask in asked:
        with another_default(), pytest.raises(SettingError, match=r"PyTorch's default (type|device)"):
            ask()
    assert np.array_equal(system(labels, instances, seed=3).output, trace.output)


def test_a_constant_reference_is_one_like_any_other(system, scene):
    photo = np.full_like(scene[0], 128)
    made = system(*scene[1:], choice="encoded", reference=(photo, *scene[1:]))
    assert np.isfinite(np.stack(made.objects["code"])).all()
    assert np.isfinite(made.output).all()


def test_a_class_that_the_reference_lacks_is_drawn_or_has_no_code(system, scene):
    photo, labels, instances = world(55)
    bare = np.where(labels == 3, 2, labels), np.where(labels == 3, 2, instances)
    nearest = system(*scene[1:], seed=3, choice="nearest", reference=(photo, *bare))
    drawn = system(*scene[1:], seed=3)
    assert of_row(nearest, 3000, "centre") == of_row(drawn, 3000, "centre")
    encoded = system(*scene[1:], choice="encoded", reference=(photo, *bare))
    assert (nearest.drawn, nearest.missing) == (["car"], [])
    assert (encoded.drawn, encoded.missing) == ([], ["car"])
    assert drawn.drawn == []  # it is what was asked for
    assert "nearest, drawn for car)" in repr(nearest)
    assert "drawn, as the reference has none, for car" in nearest._repr_html_()
    for made, expected in ((nearest, {"car"}), (drawn, {"car", "sky", "road", "tree"}), (encoded, set())):
        assert set(made.objects.query("drawn")["class"]) == expected
    given = system(*scene[1:], seed=3, choice="nearest", reference=(photo, *bare), styles={3000: 1, 3001: 1})
    assert given.drawn == []


def test_a_trace_says_of_every_object_whether_its_centres_were_ranked_or_drawn_from(system, scene):
    photo, labels, instances = world(55)
    bare = np.where(labels == 3, 2, labels), np.where(labels == 3, 2, instances)
    trace = system.traced(*scene[1:], seed=3, choice="nearest", reference=(photo, *bare))
    style = trace.site("style")
    cars = np.isin(style.column("label"), (3000, 3001))
    assert style.column("ranked").tolist() == (~cars).tolist()
    assert np.allclose(style.column("similarity")[cars], -np.log(3))
    assert np.allclose(style.column("similarity")[~cars], -style.column("distance")[~cars])
    assert [way.ranked for way in system.descents(style, range(len(style)))] == (~cars).tolist()
    assert not system.traced(*scene[1:], reference=(photo, *bare)).site("style").column("ranked").any()


def test_banks_of_other_networks_classes_or_kinds_are_refused(library, networks, tmp_path):
    with pytest.raises(MismatchError, match="another encoder"):
        Pix2PixHD(library["street/toy"], networks_of(1))
    other = Networks(SHAPE)
    with pytest.raises(LabelError, match="class 0 is"):
        Pix2PixHD(library["street/toy"], other)
    with pytest.raises(SettingError, match="both are given"):
        Pix2PixHD(library["street/toy"], networks, centres={})
    (tmp_path / "photos").mkdir()
    kt.write_image(tmp_path / "photos" / "a.png", world(0)[0])
    pictures = kt.Library.create(tmp_path / "p.ktlib").build("a/b", tmp_path / "photos", kind="pictures", quiet=True)
    with pytest.raises(LibraryError, match="codes are needed"):
        Pix2PixHD(pictures, networks)


@pytest.mark.parametrize(
    ("centres", "said"),
    [
        ({9: np.zeros((1, 3))}, "class 9: classes go from 0 to 4"),
        ({"car": np.zeros((1, 3))}, "class 'car': classes go from 0 to 4"),
        ({1.5: np.zeros((1, 3))}, "class 1.5: classes go from 0 to 4"),
        ({1: np.zeros((1, 2))}, "not .K, 3. finite numbers"),
        ({1: np.full((1, 3), np.nan)}, "not .K, 3. finite numbers"),
        ({1: np.zeros((0, 3))}, "not .K, 3. finite numbers"),
        ({1: [["a", "b", "c"]]}, "class 1: no numbers"),
        ({1: [[1, 2, 3], [1, 2]]}, "class 1: no numbers"),
        ({1: {2: 3}}, "class 1: no numbers"),
        ({1: None}, "not .K, 3. finite numbers"),
        *((other, "no codes by class") for other in ([], [np.zeros((1, 3))], np.zeros((2, 3)), 0, {3})),
    ],
)
def test_centres_that_do_not_fit_are_refused(networks, centres, said):
    with pytest.raises(SettingError, match=f"(?s)centres .*{said}"):
        Pix2PixHD(networks=networks, centres=centres)


def test_a_trace_without_its_maps_says_so(system, trace, tmp_path):
    trace.save(tmp_path / "a.parquet", pictures="none")
    read = kt.Trace.open(tmp_path / "a.parquet")
    with pytest.raises(TraceError, match="saved without"):
        kt.without(read, "0.png", model=system)
    assert read.site("members").table.num_rows == trace.site("members").table.num_rows


@pytest.mark.parametrize(
    "classes",
    [
        Classes(("nothing", *CLASSES.names[1:]), CLASSES.colours),
        Classes(CLASSES.names, ((1, 1, 1), *CLASSES.colours[1:])),
    ],
)
def test_equal_weights_that_read_maps_otherwise_are_another_network(scene, classes):
    shape = replace(SHAPE, coloured=True, codes=0)
    one, other = (Pix2PixHD(networks=networks_of(4, shape, these)) for these in (CLASSES, classes))
    assert one.digests()["generator"] == other.digests()["generator"]
    with pytest.raises(MismatchError, match="configuration"):
        kt.without(other.traced(*scene[1:]), 0, model=one)


def test_networks_are_written_with_sizes_and_classes(networks, scene, tmp_path):
    networks.save(tmp_path)
    read = Networks.load(tmp_path)
    assert (read.shape, read.classes) == (networks.shape, networks.classes)
    made, known = (
        Pix2PixHD(networks=n, centres={1: np.full((1, 3), 0.5)})(*scene[1:]).output for n in (read, networks)
    )
    assert np.abs(made.astype(int) - known).mean() < 1  # float16
    (tmp_path / "encoder.safetensors").unlink()
    with pytest.raises(WeightsError, match="no such file"):
        Networks.load(tmp_path)


@pytest.mark.parametrize(("seed", "classes"), [(1, CLASSES), (0, Classes(CLASSES.names, Classes.numbered(5).colours))])
def test_files_of_two_trainings_are_not_mixed(networks, tmp_path, seed, classes):
    other = tmp_path / "other"
    other.mkdir()
    networks_of(seed, SHAPE, classes).save(other)
    networks.save(tmp_path)
    (other / "encoder.safetensors").replace(tmp_path / "encoder.safetensors")
    with pytest.raises(WeightsError, match="they are not of one training"):
        Networks.load(tmp_path)


def test_files_that_name_no_others_are_taken_as_they_are(networks, tmp_path):
    networks.save(tmp_path)
    known = Networks.load(tmp_path).digests()
    for part in ("generator", "encoder"):
        save_weights(getattr(networks, part), tmp_path / f"{part}.safetensors", networks.about)
    assert Networks.load(tmp_path).digests() == known


@pytest.mark.parametrize(
    "change",
    [
        *({"downs": value} for value in (-1, 9, "a", 2.5, True, None)),
        *({name: 0} for name in ("classes", "width", "encoder_width", "discriminator_width", "layers", "scales")),
        *({name: -1} for name in ("codes", "blocks", "local_blocks", "encoder_downs")),
        *({"classes": 257}, {"width": 10**9}, {"edges": 1}, {"coloured": "no"}, {"enhanced": None}),
    ],
)
def test_sizes_that_no_network_has_are_refused_here_and_in_a_file(networks, tmp_path, change):
    with pytest.raises(SettingError):
        replace(SHAPE, **change)
    about = {**networks.about, "shape": json.dumps({**json.loads(networks.about["shape"]), **change})}
    save_weights(networks.generator, tmp_path / "generator.safetensors", about)
    with pytest.raises(WeightsError, match="they do not state sizes and classes"):
        Networks.load(tmp_path)


@pytest.mark.parametrize("enhanced", [False, True])
def test_the_smallest_networks_paint(scene, enhanced):
    sizes = {"codes": 1, "width": 1, "downs": 0, "blocks": 0, "local_blocks": 0, "encoder_width": 1, "encoder_downs": 0}
    shape = Shape(classes=5, enhanced=enhanced, discriminator_width=1, layers=1, scales=1, **sizes)
    made = Pix2PixHD(networks=networks_of(0, shape))(*scene[1:], choice="encoded", reference=scene)
    assert made.output.shape == (HEIGHT, WIDTH, 3)
    assert len(shape.discriminators()(torch.zeros(1, shape.shown + 3, 32, 32))) == 1


def test_the_small_configuration_fits_the_package(tmp_path):
    Networks(SMALL).save(tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 5_000_000


def test_networks_that_read_colours_or_no_edges_or_no_codes(scene):
    shape = Shape(classes=5, coloured=True, edges=False, width=4, downs=2, blocks=1)
    trace = Pix2PixHD(networks=networks_of(2, shape)).traced(*scene[1:])
    assert trace.output.shape == (HEIGHT, WIDTH, 3)
    assert len(trace) == 0
    assert trace.picture.settings["choice"] == "drawn"


def files_of(folder, entry, legacy):
    """Files of zeros with exactly the published tensors; those of old PyTorch have more."""
    for net, name in (("G", "latest_net_G.pth"), ("E", "latest_net_E.pth")):
        if net in entry["nets"]:
            state = {key: torch.zeros(shape) for key, shape in entry["nets"][net]}
            extra = (
                {key.replace(".weight", ".running_mean"): torch.zeros(3) for key in [*state][:6:2]} if legacy else {}
            )
            torch.save({**state, **extra}, folder / name)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "legacy"), [(name, n % 2 == 0) for n, name in enumerate(PUBLISHED)])
def test_published_files_make_a_picture(shared, tmp_path, name, legacy):
    entry = json.loads((shared / "parity" / "checkpoint_keys.json").read_text())["entries"][f"pix2pixhd/{name}"]
    files_of(tmp_path, entry, legacy)
    centres = {26: np.zeros((10, 3))} if PUBLISHED[name].codes else None
    system = Pix2PixHD.from_checkpoint(tmp_path, name, centres=centres)
    labels = np.where(np.arange(64)[:, None] < 32, 23, 7).repeat(128, 1)
    instances = labels.copy()
    labels[40:, :40], instances[40:, :40] = 26, 26001
    made = system(labels, instances)
    assert made.output.shape == (64, 128, 3)
    assert (made.output == 128).all()  # of zeros


def written_as_published(networks, folder, *parts):
    """Files as the authors' code leaves them."""
    for part, name in (("generator", "latest_net_G.pth"), ("encoder", "latest_net_E.pth")):
        if part in parts:
            torch.save(getattr(networks, part).state_dict(), folder / name)


def test_trainings_of_any_size_load(networks, scene, tmp_path):
    written_as_published(networks, tmp_path, "generator", "encoder")
    read = Networks.from_checkpoint(tmp_path, SHAPE, CLASSES)
    assert read.digests() == networks.digests()
    assert Networks.from_checkpoint(tmp_path / "latest_net_G.pth", SHAPE, CLASSES).digests() == networks.digests()
    with pytest.raises(WeightsError, match=r"model\.1\.weight"):
        Networks.from_checkpoint(tmp_path, replace(SHAPE, width=8))
    with pytest.raises(SettingError, match="a list of 5"):
        Networks.from_checkpoint(tmp_path, replace(SHAPE, classes=6), CLASSES)
    for wrong in (None, 3, CLASSES):
        with pytest.raises(SettingError, match=r"a configuration .*Choose one of label2city_512p"):
            Networks.from_checkpoint(tmp_path, wrong)


def test_a_training_that_wrote_no_encoder_paints_with_its_centres(networks, scene, tmp_path):
    written_as_published(networks, tmp_path, "generator")
    centres = {3: np.array([[0.5, -0.5, 0.0], [-0.5, 0.9, 0.9]])}
    system = Pix2PixHD.from_checkpoint(tmp_path, SHAPE, centres=centres, classes=CLASSES)
    assert np.array_equal(system(*scene[1:]).output, Pix2PixHD(networks=networks, centres=centres)(*scene[1:]).output)
    with pytest.raises(MismatchError, match="no encoder"):
        system(*scene[1:], choice="nearest", reference=scene)
    with pytest.raises(MismatchError, match="their encoder was left out"):
        system.networks.save(tmp_path)
    for given in ({}, {"centres": centres, "encoder": tmp_path / "none.pth"}):
        with pytest.raises(WeightsError, match="no such file"):
            Pix2PixHD.from_checkpoint(tmp_path, SHAPE, **given)
    assert kt.attribute(system.traced(*scene[1:]), through="ablation", quiet=True).frame["levels"].notna().any()


def test_foreign_and_cut_published_files_are_named(shared, tmp_path):
    with pytest.raises(SettingError, match="label2city_512p"):
        Pix2PixHD.from_checkpoint(tmp_path, "facades")
    with pytest.raises(WeightsError, match="no such file"):
        Pix2PixHD.from_checkpoint(tmp_path, "label2city_512p")
    torch.save(
        {"model.1.weight": torch.zeros(64, 36, 7, 7), "model.1.bias": torch.zeros(3)}, tmp_path / "latest_net_G.pth"
    )
    with pytest.raises(WeightsError, match=r"model\.1\.bias is 3, not 64"):
        Pix2PixHD.from_checkpoint(tmp_path, "label2city_512p")
    data = (tmp_path / "latest_net_G.pth").read_bytes()
    (tmp_path / "latest_net_G.pth").write_bytes(data[: len(data) // 2])
    with pytest.raises(WeightsError, match=r"damaged|not a"):
        Pix2PixHD.from_checkpoint(tmp_path, "label2city_512p")


def test_an_encoder_that_lies_elsewhere_is_named(shared, tmp_path):
    """Training with precomputed codes writes none."""
    name = "label2city_512p_feat"
    entry = json.loads((shared / "parity" / "checkpoint_keys.json").read_text())["entries"][f"pix2pixhd/{name}"]
    small = {"nets": {"E": entry["nets"]["E"]}}
    (tmp_path / "elsewhere").mkdir()
    files_of(tmp_path / "elsewhere", small, legacy=False)
    torch.save({}, tmp_path / "latest_net_G.pth")
    with pytest.raises(WeightsError, match="it lacks model"):
        Pix2PixHD.from_checkpoint(tmp_path, name, encoder=tmp_path / "elsewhere" / "latest_net_E.pth")
