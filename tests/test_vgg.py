"""VGG-19 from both checkpoint layouts, and the download that never leaves half a file."""

import hashlib
import http.server
import socket
import threading

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from ktviz.errors import WeightsError
from ktviz.images import read_image, to_tensor
from ktviz.systems.kt import vgg
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.vgg import IMAGENET_MEAN, IMAGENET_STD, LAYERS, TORCHVISION_INDEX, fetch_vgg19

SHAPES = dict(zip(LAYERS, ((64, 3), (64, 64), (128, 64), (128, 128), (256, 128), (256, 256)), strict=True))


@pytest.fixture(scope="module")
def convolutions():
    random = torch.Generator().manual_seed(0)
    tensors = {}
    for name, (outputs, inputs) in SHAPES.items():
        scale = (2 / (9 * inputs)) ** 0.5
        tensors[f"{name}.weight"] = scale * torch.randn(outputs, inputs, 3, 3, generator=random)
        tensors[f"{name}.bias"] = 0.1 * torch.randn(outputs, generator=random)
    return tensors


@pytest.fixture(scope="module")
def torchvision_layout(convolutions):
    renamed = {f"features.{TORCHVISION_INDEX[k.split('.')[0]]}.{k.split('.')[1]}": v for k, v in convolutions.items()}
    return {**renamed, "classifier.0.bias": torch.zeros(4)}


@pytest.fixture(scope="module")
def normalised_layout(convolutions):
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    colour = {"weight": torch.diag(1 / std)[:, :, None, None].contiguous(), "bias": -mean / std}
    return {**convolutions, **{f"conv0_rgb_to_bgr_1x1.{part}": value for part, value in colour.items()}}


@pytest.fixture
def saved(tmp_path):
    def save(tensors, suffix=".pth"):
        path = tmp_path / f"vgg{suffix}"
        torch.save(tensors, path) if suffix == ".pth" else save_file(tensors, path)
        return path

    return save


@pytest.fixture(scope="module")
def image(paint):
    return to_tensor(paint(0, 72, 88))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(("layer", "count"), [("relu3_1", 5), ("relu3_2", 6)])
def test_torchvisions_layout_is_torchvisions_network(
    saved, torchvision_layout, convolutions, image, suffix, layer, count
):
    mean, std = (torch.tensor(x)[:, None, None] for x in (IMAGENET_MEAN, IMAGENET_STD))
    x = (image - mean) / std
    for name in LAYERS[:count]:
        x = F.conv2d(x, convolutions[f"{name}.weight"], convolutions[f"{name}.bias"], padding=1).relu()
        x = F.max_pool2d(x, 2) if name in ("conv1_2", "conv2_2") else x
    encoder = Encoder.vgg19(saved(torchvision_layout, suffix), layer)
    assert (encoder.channels, encoder.stride, encoder.name) == (256, 4, f"vgg19-{layer}")
    assert encoder(image).shape == (1, 256, 18, 22)
    assert (encoder(image) - x).abs().max() < 1e-4


def test_both_layouts_give_the_same_features_away_from_the_border(saved, torchvision_layout, normalised_layout, image):
    zeros = Encoder.vgg19(saved(torchvision_layout))(image)
    reflected = Encoder.vgg19(saved(normalised_layout, ".safetensors"))(image)
    difference = (zeros - reflected).abs().amax((0, 1))
    assert difference[4:-4, 4:-4].max() < 1e-4
    assert difference[0].max() > 1e-2  # one pads with zeros, the other by reflection


def test_frozen_weights_take_no_gradient(saved, torchvision_layout):
    assert not any(p.requires_grad for p in Encoder.vgg19(saved(torchvision_layout)).parameters())


@pytest.mark.parametrize("suffix", [".weight", ".bias"])
def test_a_checkpoint_that_stops_before_the_layer_is_refused(saved, normalised_layout, suffix):
    tensors = {k: v for k, v in normalised_layout.items() if k != f"conv3_2{suffix}"}
    path = saved(tensors)
    assert Encoder.vgg19(path, "relu3_1").channels == 256
    with pytest.raises(WeightsError, match="no conv3_2"):
        Encoder.vgg19(path, "relu3_2")


@pytest.mark.parametrize("broken", ["nan", "shape"])
def test_convolutions_of_another_shape_or_with_nan_are_refused(saved, torchvision_layout, broken):
    tensors = dict(torchvision_layout)
    value = tensors["features.5.weight"]
    tensors["features.5.weight"] = value * float("nan") if broken == "nan" else value[:, :7].contiguous()
    with pytest.raises(WeightsError, match=r"features\.5"):
        Encoder.vgg19(saved(tensors))


def test_another_layout_or_layer_is_refused(saved, convolutions, torchvision_layout):
    with pytest.raises(WeightsError, match="neither torchvision's nor the normalised layout"):
        Encoder.vgg19(saved(convolutions))
    with pytest.raises(WeightsError, match="relu3_1, relu3_2"):
        Encoder.vgg19(saved(torchvision_layout), "relu4_1")
    with pytest.raises(WeightsError, match="no such file"):
        Encoder.vgg19("nowhere.pth")


def test_real_normalised_weights_make_features_that_their_known_inverse_turns_back_into_the_photo(shared):
    weights = shared / "weights"
    photos = sorted((shared / "data" / "photos_eval").rglob("*.jpg"))
    if not photos or not (weights / "vgg19_normalised_relu3_1.safetensors").is_file():
        pytest.skip("no weights or photographs in ../shared")
    encoder = Encoder.vgg19(weights / "vgg19_normalised_relu3_1.safetensors")
    inverter = load_file(weights / "vgg19_relu3_1_inverter.safetensors")
    image = to_tensor(read_image(photos[1])[:256, :256])
    with torch.inference_mode():
        x = encoder(image)
        for name in ("conv3_1", "conv2_2", "conv2_1", "conv1_2", "conv1_1"):
            x = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), inverter[f"{name}.weight"], inverter[f"{name}.bias"])
            x = x.relu() if name != "conv1_1" else x
            x = F.interpolate(x, scale_factor=2) if name in ("conv3_1", "conv2_1") else x
    psnr = -10 * float((x.clamp(0, 1) - image).square().mean().log10())
    assert psnr > 26.4  # the least that its makers measured on photographs


CONTENT = bytes(np.random.default_rng(0).integers(0, 256, 100_000, dtype=np.uint8))
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch):
    """`server(send)`: a server on this machine that answers with `send(handler)`; counts its requests."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running = []

    def start(send):
        requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                requests.append(self.path)
                send(self)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}/vgg19-{DIGEST[:8]}.pth", requests

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def send_all(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT)


def send_half(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT[: len(CONTENT) // 2])


def send_half_a_chunk(handler):
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"ffff\r\n" + CONTENT[:5000])
    handler.close_connection = True


def send_nothing_found(handler):
    handler.send_error(404)


def test_a_download_is_complete_checked_and_done_once(server, tmp_path):
    url, requests = server(send_all)
    for _ in range(2):
        path = fetch_vgg19(url, DIGEST[:8], tmp_path / "cache")
        assert path.read_bytes() == CONTENT
    assert len(requests) == 1
    assert [p.name for p in (tmp_path / "cache").iterdir()] == [f"vgg19-{DIGEST[:8]}.pth"]
    path.write_bytes(CONTENT[:-1] + b"\0")  # damaged since
    assert fetch_vgg19(url, DIGEST[:8], tmp_path / "cache").read_bytes() == CONTENT
    assert len(requests) == 2


@pytest.mark.parametrize(
    ("send", "prefix", "found"),
    [
        (send_all, "deadbeef", "SHA-256 is"),
        (send_half, DIGEST[:8], "SHA-256 is|IncompleteRead"),
        (send_half_a_chunk, DIGEST[:8], "IncompleteRead"),
        (send_nothing_found, DIGEST[:8], "404"),
    ],
)
def test_a_failed_download_leaves_nothing_behind(server, tmp_path, send, prefix, found):
    url, _ = server(send)
    with pytest.raises(WeightsError, match=found):
        fetch_vgg19(url, prefix, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_refused_connection_says_where_to_put_the_file_by_hand(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(WeightsError, match="refused") as caught:
        fetch_vgg19(f"http://127.0.0.1:{port}/vgg19.pth", "00", tmp_path)
    assert str(tmp_path) in caught.value.todo
    assert not list(tmp_path.iterdir())


def test_ctrl_c_during_a_download_leaves_nothing_behind(tmp_path, monkeypatch):
    def download(url, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(vgg, "download", download)
    with pytest.raises(KeyboardInterrupt):
        fetch_vgg19("http://127.0.0.1/vgg19.pth", "00", tmp_path)
    assert not list(tmp_path.iterdir())
