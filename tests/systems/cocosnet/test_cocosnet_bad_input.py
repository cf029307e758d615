"""What cannot be painted is refused in words; what is odd, but has an answer, gets it."""

import numpy as np
import pytest
import torch
from PIL import Image

import ktviz as kt
from ktviz.errors import ImageError, LabelError, MissingLabelError, SettingError, WeightsError
from ktviz.labels import Classes, write_map
from ktviz.systems.cocosnet.correspondence import Shape
from ktviz.systems.cocosnet.exemplar import same_classes


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m + 5, "classes go from 0 to 4"),
        (lambda m: m - 1, "-1 at x"),
        (lambda m: np.where(m == 0, np.nan, m), "nan at x"),
        (lambda m: m + 0.5, "Give whole numbers"),
        (lambda m: m[:8], "at least 16 px"),
        (lambda m: m[:, :, None], "neither"),
        (lambda m: np.stack([m, m]), "neither"),
        (lambda m: np.full((*m.shape, 3), 7, np.uint8), "colour \\(7, 7, 7\\) at x 0, y 0 is of no class"),
        (lambda m: m.astype(str), "no numbers"),
        (lambda m: None, "label map"),
    ],
)
def test_label_maps_that_cannot_be_painted(system, labels, change, said):
    with pytest.raises(LabelError, match=said):
        system(change(labels))


def test_label_maps_in_every_form(system, labels, tmp_path):
    expected = system(labels)
    write_map(tmp_path / "map.png", labels, system.classes)
    Image.fromarray(expected.coloured).save(tmp_path / "colours.png")
    forms = [
        torch.from_numpy(labels),
        labels[None],
        expected.coloured,
        tmp_path / "map.png",
        str(tmp_path / "colours.png"),
    ]
    forms.append(np.where(labels == 4, 255, labels).astype(np.uint8))  # pixels of no class
    for form in forms:
        assert np.array_equal(system(form).output, expected.output)
    with pytest.raises(MissingLabelError):
        system(tmp_path / "none.png")


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda p, m: (p, None), LabelError, "no label map, which these networks compare"),
        (lambda p, m: (p, m[:-1]), LabelError, "a label map of 50x35 px, and a picture of 50x36"),
        (lambda p, m: (p, m + 5), LabelError, "classes go from 0 to 4"),
        (lambda p, m: (p[:4], m[:4]), ImageError, "at least 16 px"),
        (lambda p, m: (p / np.nan, m), ImageError, "array"),
    ],
)
def test_exemplars_that_cannot_be_used(networks, exemplar, change, error, said):
    with np.errstate(invalid="ignore"), pytest.raises(error, match=said):
        kt.CoCosNet(*change(*exemplar), networks)


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_an_exemplar_of_one_colour_and_class_makes_no_nan(networks, labels, colour):
    pixels, everywhere = np.full((32, 32, 3), colour, np.uint8), np.zeros((32, 32), int)
    system = kt.CoCosNet(pixels, everywhere, networks)
    trace = system.traced(labels)
    assert np.abs(trace.picture.canvases["output:warped"].astype(int) - colour).max() <= 1
    assert np.isfinite(trace.column("entropy")).all()
    assert np.isfinite(trace.column("weight", winners=False)).all()
    with pytest.raises(kt.KtvizError, match="the knowledge changed nothing"):
        kt.attribute(trace, kt.Box(8, 8, 16, 16), through="gradient")


def test_a_label_map_of_one_class(system):
    made = system(np.zeros((32, 48), int))
    assert made.absent == ()
    assert torch.isfinite(made.mixture.cells).all()


def test_a_map_of_classes_that_the_exemplar_lacks_is_painted_and_they_are_named(networks, exemplar):
    pixels, labels = exemplar
    system = kt.CoCosNet(pixels, np.zeros_like(labels), networks)
    made = system(np.full((32, 32), 2))
    assert made.absent == ("car",)
    assert made.measures()["absent"] == 1.0


def test_where_networks_compare_no_label_maps_none_is_needed(make_networks, exemplar, labels):
    shape = Shape(5, width=2, features=8, descriptor=6, hidden=6, masks=False)
    system = kt.CoCosNet(exemplar[0], networks=make_networks(shape=shape))
    trace = system.traced(labels)
    assert "reference:labels" not in trace.picture.canvases
    assert (trace.column("entry_class", winners=False) == -1).all()
    assert system(labels).absent == ()


def test_weights_that_make_nan_are_refused(make_networks, exemplar, labels):
    networks = make_networks()
    networks.correspondence.theta.weight[0, 0] = torch.nan
    with pytest.raises(WeightsError, match="run the correspondence network: it made NaN"):
        kt.CoCosNet(*exemplar, networks)(labels)
    networks = make_networks()
    networks.generator.conv_img.bias[0] = torch.nan
    with pytest.raises(WeightsError, match="run the generator: it made NaN"):
        kt.CoCosNet(*exemplar, networks)(labels)


def test_other_lists_of_classes_are_told_apart(networks):
    assert same_classes(networks.configuration.classes) is networks.configuration.classes
    other = Classes.numbered(5)
    with pytest.raises(LabelError, match="class 0 is 'class 0', not 'sky'"):
        networks.configuration.classes.check_same(other, "a map")


def test_the_default_type_must_be_single(system, labels):
    torch.set_default_dtype(torch.float64)
    try:
        with pytest.raises(SettingError, match="default type"):
            system(labels)
    finally:
        torch.set_default_dtype(torch.float32)


def test_autocast_changes_nothing(system, labels):
    expected = system(labels)
    with torch.autocast("cpu", torch.bfloat16):
        assert np.array_equal(system(labels).output, expected.output)


def test_a_picture_is_painted_within_inference_mode_too(system, labels):
    with torch.inference_mode():
        trace = system.traced(labels)
        found = kt.attribute(trace, kt.Box(8, 8, 16, 12), through="gradient")
    assert len(found)
