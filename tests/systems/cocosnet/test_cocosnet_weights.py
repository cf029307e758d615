"""Weights: our own files come back, the authors' fill the networks, and anything else is named."""

from __future__ import annotations

import json
from dataclasses import replace
from shutil import copyfile

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.errors import LabelError, MissingWeightsError, SettingError, WeightsError
from ktviz.labels import Classes
from ktviz.networks.weights import save_weights
from ktviz.systems.cocosnet import networks as module
from ktviz.systems.cocosnet.configuration import PUBLISHED, Configuration, small
from ktviz.systems.cocosnet.correspondence import Shape
from ktviz.systems.cocosnet.networks import Networks

FILES = ("correspondence.safetensors", "generator.safetensors")


@pytest.fixture
def saved(networks, tmp_path):
    networks.save(tmp_path / "saved")
    return tmp_path / "saved"


def test_networks_come_back_with_their_configuration(networks, saved, exemplar, labels):
    found = Networks.load(saved)
    assert found.configuration == networks.configuration
    assert not any("weight_orig" in name for name in found.state_dict())
    one, other = (kt.CoCosNet(*exemplar, these)(labels) for these in (networks, found))
    assert abs(one.warped.astype(int) - other.warped).mean() < 2  # half precision
    found.save(saved)
    assert all((a == b).all() for a, b in zip(Networks.load(saved).parameters(), found.parameters(), strict=True))


def test_saving_leaves_the_networks_as_they_are(make_networks, tmp_path):
    networks = make_networks()
    before = list(networks.state_dict())
    networks.save(tmp_path)
    assert list(networks.state_dict()) == before


@pytest.mark.parametrize("changes", [{"width": 4}, {"temperature": 0.02}, {"seed": 1}])
def test_files_of_two_trainings_are_not_mixed(make_networks, saved, tmp_path, changes):
    make_networks(**changes).save(tmp_path / "other")
    copyfile(tmp_path / "other" / FILES[1], saved / FILES[1])
    with pytest.raises(WeightsError, match="they are not of one training"):
        Networks.load(saved)


def test_files_that_name_no_others_are_taken_as_they_are(networks, saved, tmp_path):
    about, plain, old = {"configuration": networks.configuration.as_json()}, networks.plain(), tmp_path / "old"
    for part in ("correspondence", "generator"):
        save_weights(plain.get_submodule(part), old / f"{part}.safetensors", about)
    assert Networks.load(old).digests() == Networks.load(saved).digests()
    copyfile(saved / FILES[1], old / FILES[1])
    with pytest.raises(WeightsError, match="they are not of one training"):
        Networks.load(old)


def test_files_that_are_not_ours(networks, saved, tmp_path):
    for turned, file in zip(FILES[::-1], FILES, strict=True):
        (tmp_path / "turned").mkdir(exist_ok=True)
        copyfile(saved / file, tmp_path / "turned" / turned)
        save_weights(networks.generator, tmp_path / "bare" / file, {})
    with pytest.raises(WeightsError, match="of another architecture"):
        Networks.load(tmp_path / "turned")
    with pytest.raises(WeightsError, match="states no configuration"):
        Networks.load(tmp_path / "bare")
    generator = saved / FILES[1]
    generator.write_bytes(generator.read_bytes()[:-3000])
    with pytest.raises(WeightsError, match="damaged or not a checkpoint"):
        Networks.load(saved)
    generator.unlink()
    with pytest.raises(MissingWeightsError, match="no such file"):
        Networks.load(saved)


def test_without_packaged_weights_it_says_so(exemplar, monkeypatch):
    monkeypatch.setattr(module, "WEIGHTS", replace(module.WEIGHTS, sha256={}))
    with pytest.raises(MissingWeightsError, match="none come with this version"):
        kt.CoCosNet(*exemplar)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"classes": 3}', '{"classes": null, "shape": {"depth": 3}}'])
def test_a_configuration_that_is_none(text):
    with pytest.raises(WeightsError, match="it states no configuration"):
        Configuration.from_json(text, "weights")


def test_configurations_state_themselves(networks):
    for configuration in (*PUBLISHED.values(), networks.configuration):
        assert Configuration.from_json(configuration.as_json(), "weights") == configuration
    with pytest.raises(SettingError, match="3 classes: a shape of 4 planes"):
        Configuration(Classes.numbered(3), Shape(4))


@pytest.mark.parametrize(
    "change",
    [
        *({"width": value} for value in (-3, 1, "a", 2.5, True, None, 10**9)),
        *({"hidden": 0}, {"attention": 1}, {"smooth": "no"}),
        *({"temperature": value} for value in (0, 1e-310, 9e-7, float("nan"), float("inf"), "x", None)),
        *({"shape": {"features": 1}}, {"shape": {"kernel": 5}}, {"shape": {"context": 2}}, {"shape": {"width": 0}}),
        *({"shape": {"masks": 0}}, {"shape": {"descriptor": -1}}, {"shape": {"classes": 0}}),
    ],
)
def test_sizes_that_no_network_has_are_refused_here_and_in_a_file(networks, change):
    shape, known = change.get("shape", {}), networks.configuration
    with pytest.raises(SettingError):
        replace(known, **{**change, "shape": replace(known.shape, **shape)})
    stated = json.loads(known.as_json())
    stated |= {**change, "shape": {**stated["shape"], **shape}}
    with pytest.raises(WeightsError, match="it states no configuration"):
        Configuration.from_json(json.dumps(stated), "weights")


@pytest.mark.parametrize(("classes", "shape"), [(["sky"], Shape(1)), (None, 3), (Classes.numbered(2), {"classes": 2})])
def test_a_configuration_is_made_of_classes_and_a_shape(classes, shape):
    with pytest.raises(SettingError, match="Give Classes and a Shape"):
        Configuration(classes, shape)


def test_the_smallest_networks_paint(make_networks, exemplar, labels):
    shape = Shape(5, width=1, features=2, descriptor=1, hidden=1, context=3)
    system = kt.CoCosNet(*exemplar, make_networks(shape=shape, width=2, hidden=1, attention=True))
    assert system(labels, temperature=1e-6).output.shape == (*labels.shape, 3)
    assert np.isfinite(system(labels, temperature=1e-6).entropy).all()


def test_the_small_configuration_is_within_its_budget():
    with torch.device("meta"):
        networks = Networks(small(Classes.numbered(19)))
    assert 2 * sum(value.numel() for value in networks.state_dict().values()) <= 6_000_000


# Files of the authors' code


def zeros(shapes, path, **others):
    """A file of zeros, which takes no room."""
    torch.save({name: torch.zeros(()).expand(shape) for name, shape in shapes} | others, path)
    return path


def shapes(network):
    return [(name, value.shape) for name, value in network.state_dict().items()]


@pytest.fixture
def files(networks, tmp_path):
    """As a training of the authors leaves them, of small networks."""
    return (
        zeros(shapes(networks.correspondence), tmp_path / "latest_net_Corr.pth"),
        zeros(shapes(networks.generator), tmp_path / "latest_net_G.pth"),
    )


def spent(networks):
    return all((value == 0).all() for value in networks.state_dict().values())


def test_published_files_fill_the_networks(networks, files):
    configuration = networks.configuration
    assert spent(Networks.from_checkpoint(files[0], generator=files[1], configuration=configuration))
    assert spent(Networks.from_checkpoint(files[0].parent, configuration=configuration))


def test_a_system_of_published_files_paints(networks, files, exemplar, labels):
    for part, file in zip(("correspondence", "generator"), files, strict=True):
        torch.save(networks.get_submodule(part).state_dict(), file)
    expected = kt.CoCosNet(*exemplar, networks)(labels).output
    for path, generator in ((files[0].parent, None), (str(files[0]), files[1])):
        system = kt.CoCosNet.from_checkpoint(path, networks.configuration, *exemplar, generator=generator)
        assert np.array_equal(system(labels).output, expected)


@pytest.mark.parametrize("configuration", ["small", None, Shape(5)])
def test_a_configuration_that_is_none_of_the_published_ones_is_told(files, exemplar, configuration):
    with pytest.raises(SettingError, match=r"a configuration .*Choose one of ade20k"):
        kt.CoCosNet.from_checkpoint(files[0].parent, configuration, *exemplar)


def test_averaged_weights_are_taken_before_others(networks, files):
    ones = {name: torch.ones(shape) for name, shape in shapes(networks.generator)}
    torch.save(ones, files[0].parent / "latest_net_G_ema.pth")
    found = Networks.from_checkpoint(files[0].parent, configuration=networks.configuration)
    assert (found.generator.fc.weight == 1).all()
    assert spent(found.correspondence)


def test_running_values_of_old_files_are_left_out(networks, files):
    legacy = {
        "adaptive_model_seg.layer1.1.running_mean": torch.ones(2),
        "layer.0.bn.num_batches_tracked": torch.ones(()),
    }
    zeros(shapes(networks.correspondence), files[0], **legacy)
    assert spent(Networks.from_checkpoint(files[0], generator=files[1], configuration=networks.configuration))


def test_the_first_tensor_that_differs_is_named(networks, files, tmp_path):
    configuration = networks.configuration
    with pytest.raises(WeightsError, match=r"it lacks adaptive_model_seg\.layer1\.0\.weight_orig"):
        Networks.from_checkpoint(files[1], generator=files[0], configuration=configuration)
    wider = replace(configuration, width=4)
    with pytest.raises(WeightsError, match=r"fc\.weight is 48x8x3x3, not 64x8x3x3"):
        Networks.from_checkpoint(files[0], generator=files[1], configuration=wider)
    with pytest.raises(WeightsError, match=r"none of latest_net_netCorr_ema\.pth, latest_net_Corr\.pth"):
        Networks.from_checkpoint(tmp_path / "none", configuration=configuration)
    files[0].write_bytes(files[0].read_bytes()[:-2000])
    with pytest.raises(WeightsError, match="damaged or not a checkpoint"):
        Networks.from_checkpoint(files[0], generator=files[1], configuration=configuration)


def test_networks_for_edges_and_poses_are_no_system(make_networks, exemplar):
    networks = make_networks(classes=None)
    with pytest.raises(LabelError, match="its networks take edges or poses"):
        kt.CoCosNet(*exemplar, networks)


@pytest.mark.slow
@pytest.mark.parametrize("task", PUBLISHED)
def test_full_size_networks_load_and_paint(shared, tmp_path, task):
    known = json.loads((shared / "parity" / "checkpoint_keys.json").read_text())["entries"][f"cocosnet/{task}"]["nets"]
    files = [zeros(known[part], tmp_path / f"{part}.pth") for part in ("Corr", "G")]
    configuration = PUBLISHED[task]
    networks = Networks.from_checkpoint(files[0], generator=files[1], configuration=configuration)
    assert spent(networks)
    del networks
    torch.manual_seed(0)
    networks = Networks(configuration)
    if configuration.classes is None:
        planes = torch.rand(1, configuration.planes, 64, 64)
        with torch.no_grad():
            networks.eval()
            target, source = networks.correspondence(planes, torch.rand(1, 3, 64, 64), planes)
            assert target.shape == source.shape == (1, 256, 2304)
            assert networks.generator(torch.cat((torch.rand(1, 3, 64, 64), planes), 1)).shape == (1, 3, 64, 64)
        return
    labels = torch.arange(64 * 64).view(64, 64) // 256 % configuration.planes
    pixels = torch.randint(0, 256, (64, 64, 3), dtype=torch.uint8).numpy()
    made = kt.CoCosNet(pixels, labels, networks)(labels.T)
    assert made.output.shape == (64, 64, 3)
    assert made.mixture.entry.shape == (256, 8)
