"""Published photographs with label maps: CoCosNet and pix2pixHD learn from them, translate them, and can be asked."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import ktviz as kt
from ktviz.errors import LabelError
from ktviz.images import read_image
from ktviz.labels import Classes, as_instances, as_labels, class_of
from ktviz.systems.cocosnet.configuration import Configuration
from ktviz.systems.cocosnet.correspondence import Shape as Descriptors
from ktviz.systems.pix2pixhd.coder import Coder
from ktviz.systems.pix2pixhd.shape import Shape
from ktviz.training import cocosnet, pix2pixhd
from ktviz.training.pairs import read_pairs

COCO = Classes((*Classes.numbered(182).names, "unknown"), Classes.numbered(183).colours)
"""Things and stuffs; the files say 255 for what is neither."""
CLASSES = {"cityscapes": Classes.numbered(34), "ade20k": Classes.numbered(151), "coco_stuff": COCO}
SHORTER_PX = 128
"""The shorter side, at least."""
EACH = pytest.mark.parametrize("name", CLASSES)


@pytest.fixture
def published(shared):
    """`published(name)`: the folder of a set."""
    return lambda name: shared / "data" / "pairs" / name


@pytest.fixture
def folder_of(published, tmp_path):
    """`folder_of(name)`: three pairs of it, scaled down, with those instance maps that agree with the label maps."""

    def copied(name):
        for part in ("photo", "label", "inst") if name == "cityscapes" else ("photo", "label"):
            (tmp_path / name / part).mkdir(parents=True)
            for path in sorted((published(name) / part).iterdir())[:3]:
                pixels = np.asarray(Image.open(path))
                step = min(pixels.shape[:2]) // SHORTER_PX
                Image.fromarray(pixels[::step, ::step]).save(tmp_path / name / part / path.name)
        return tmp_path / name

    return copied


@EACH
def test_label_maps_are_read_as_they_are(name, published):
    for path in (published(name) / "label").iterdir():
        raw, labels = np.asarray(Image.open(path)), as_labels(path, CLASSES[name])
        assert np.array_equal(labels, np.where(raw == 255, 182, raw) if name == "coco_stuff" else raw)


def test_objects_of_cityscapes_are_of_their_classes(published):
    pairs = read_pairs(published("cityscapes"), CLASSES["cityscapes"], quiet=True)
    assert len(pairs) == 8
    for pair in pairs:
        assert np.array_equal(class_of(pair.instances.astype(np.int64)), pair.labels)
        assert pair.instances.max() >= 26_000


def test_instance_maps_of_coco_stuff_cross_the_borders_of_label_maps_and_are_refused(published):
    paths = sorted((published("coco_stuff") / "label").iterdir())
    assert len(paths) == 15
    for path in paths:
        labels = as_labels(path, COCO)
        with pytest.raises(LabelError, match=r"object \d+ is class \d+ and .* at x \d+, y \d+\. Give every object"):
            as_instances(path.parents[1] / "inst" / path.name, labels, COCO)


def asked_and_verified(system, trace, folder, library=None):
    """Shares of sources by name, of a trace whose audit was verified and that was read back."""
    kt.Audit.create(trace).save(folder / "audit")
    verdict = kt.verify(folder / "audit", library, model=system)
    assert verdict, verdict.difference
    trace.save(folder / "trace.parquet")
    back = kt.Trace.open(folder / "trace.parquet")
    assert back.digest == trace.digest
    return kt.attribute(back).frame.set_index("source")["share"]


def described(folder, networks):
    """What a bank of codes is built with."""
    maps = {"labels": folder / "label", "instances": folder / "inst"}
    there = {part: path for part, path in maps.items() if path.is_dir()}
    return {"kind": "codes", "coder": Coder(networks), "classes": networks.classes, **there}


@EACH
def test_pix2pixhd_learns_from_them_and_names_the_photographs_behind_its_objects(name, folder_of, tmp_path):
    folder, classes = folder_of(name), CLASSES[name]
    shape = Shape(len(classes), codes=3, width=4, downs=2, blocks=1, encoder_width=4, encoder_downs=1)
    recipe = pix2pixhd.Recipe(steps=2, crop=(64, 64), whole=0.0, polish=0.0, shape=shape)
    pix2pixhd.train(folder, tmp_path / "run", classes=classes, recipe=recipe, evaluation={}, quiet=True)
    networks = pix2pixhd.Networks.load(tmp_path / "run")
    photos = sorted((folder / "photo").iterdir())
    library = kt.Library.create(tmp_path / "library.ktlib")
    bank = library.build(f"{name}/two", photos[:2], quiet=True, clusters=2, **described(folder, networks))
    system = kt.Pix2PixHD(bank, networks)
    asked = [folder / part / f"{photos[2].stem}.png" for part in ("label", "inst")]
    given = [path for path in asked if path.is_file()]
    trace = system.traced(*given, seed=1)
    assert trace.output.shape == read_image(photos[2]).shape
    shares = asked_and_verified(system, trace, tmp_path, library)
    assert set(shares.index) <= {f"{name}/two/{path.name}" for path in photos[:2]}
    known = np.isin(as_labels(asked[0], classes), system.centres.label)
    assert shares.sum() == pytest.approx(known.mean(), abs=1e-4)


@EACH
def test_cocosnet_learns_from_them_and_names_the_exemplar(name, folder_of, tmp_path):
    folder, classes = folder_of(name), CLASSES[name]
    sizes = Configuration(classes, Descriptors(len(classes), 2, 8, 8, 4), width=2, hidden=4, attention=False)
    recipe = cocosnet.Recipe(
        steps=2, crop=(128, 128), coarse=0.0, warmup=1, polish=0.0, polish_contextual=0.0, discriminator_width=4
    )
    cocosnet.train(folder, tmp_path / "run", sizes=sizes, recipe=recipe, evaluation={}, quiet=True)
    networks = cocosnet.Networks.load(tmp_path / "run")
    exemplar, target = (path.stem for path in sorted((folder / "label").iterdir())[:2])
    system = kt.CoCosNet(folder / "photo" / f"{exemplar}.jpg", folder / "label" / f"{exemplar}.png", networks)
    trace = system.traced(folder / "label" / f"{target}.png")
    assert trace.output.shape == read_image(folder / "photo" / f"{target}.jpg").shape
    assert asked_and_verified(system, trace, tmp_path).index.tolist() == [f"{exemplar}.jpg"]
