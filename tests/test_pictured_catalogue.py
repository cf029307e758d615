"""A catalogue of pictures: views, figures, backtracking and audits show its sources without being given them."""

import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from views.wire import Wire

import ktviz as kt
from ktviz.errors import ImageError, SettingError
from ktviz.explain.source_pictures import source_picture
from ktviz.images import decode_image, file_digest, pixel_digest
from ktviz.retrieval.credit import Credit

CELL_PX = 8


class Colours(nn.Module):
    """Every cell of 8x8 px becomes a mixture of the cells of some pictures, by how bright they are."""

    def __init__(self, pictures):
        super().__init__()
        cells = [F.unfold(one, CELL_PX, stride=CELL_PX)[0].T for one in pictures]
        self.memory, self.attend = torch.cat(cells), nn.Softmax(dim=-1)

    def forward(self, image, gone=()):
        cells = F.unfold(image, CELL_PX, stride=CELL_PX).transpose(1, 2)
        score = -torch.cdist(cells, self.memory[None])
        score[..., list(gone)] = -torch.inf
        made = self.attend(score) @ self.memory
        return F.fold(made.transpose(1, 2), image.shape[2:], CELL_PX, stride=CELL_PX)


def tensor_of(pixels):
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None] / 255


@pytest.fixture(scope="module")
def pictures(paint, tmp_path_factory):
    """Of two sizes: a file, and pixels."""
    path = tmp_path_factory.mktemp("pictures") / "wide.png"
    Image.fromarray(paint(1, 16, 32)).save(path)
    return {"wide": path, "tall": paint(2, 24, 16)}


@pytest.fixture(scope="module")
def shown(pictures):
    return {name: kt.read_image(one) if name == "wide" else one for name, one in pictures.items()}


@pytest.fixture(scope="module")
def catalogue(pictures):
    return kt.Catalogue.of_pictures(pictures, cell_px=CELL_PX, credits=[Credit(creator="Ann"), Credit(creator="Bo")])


@pytest.fixture(scope="module")
def photo(paint):
    return paint(3, 32, 40)


@pytest.fixture(scope="module")
def model(shown):
    return Colours(map(tensor_of, shown.values())).eval()


def recorded(model, site, photo):
    with torch.no_grad(), kt.record(model, site) as trace:
        model(tensor_of(photo))
    return trace


def test_entries_are_cells_picture_by_picture_and_row_by_row(catalogue):
    assert len(catalogue) == 8 + 6
    assert catalogue.boxes(torch.tensor([5, 8, 11])).tolist() == [[8, 8, 8, 8], [0, 0, 8, 8], [8, 8, 8, 8]]
    assert catalogue.source_of(torch.tensor([7, 8])).tolist() == [0, 1]


def test_a_trace_states_sizes_and_digests_of_its_pictures(catalogue, model, pictures, shown, photo):
    trace = recorded(model, kt.adapt.attention(model.attend, catalogue=catalogue), photo)
    wide, tall = trace.about["sources"]
    assert (wide["width"], wide["height"], tall["width"], tall["height"]) == (32, 16, 16, 24)
    assert [one["creator"] for one in (wide, tall)] == ["Ann", "Bo"]
    assert [one["pixels"] for one in (wide, tall)] == [pixel_digest(one) for one in shown.values()]
    assert [one["sha256"] for one in (wide, tall)] == [file_digest(pictures["wide"]), "unknown"]
    assert trace.about["digests"]["library source wide"] == wide["pixels"]


def test_wholes_are_pictures_too(pictures):
    whole = kt.Catalogue.of_pictures(pictures, bank="styles")
    assert repr(whole) == "Catalogue(styles: 2 entries of 2 sources)"
    assert torch.isnan(whole.boxes(torch.tensor([0, 1]))).all()


@pytest.mark.parametrize(
    ("given", "cell_px", "error", "said"),
    [
        ({}, 8, SettingError, "nothing to retrieve"),
        ({"a": np.zeros((20, 24, 3), np.uint8)}, 8, SettingError, "'a': 24x20 px, which are no whole cells of 8 px"),
        ({"a": np.zeros((16, 16, 3), np.uint8)}, 0, SettingError, "cells of 0 px"),
        ({"a": "nowhere.png"}, 8, ImageError, "nowhere.png"),
        ({"a": np.zeros((16, 16, 7), np.uint8)}, 8, ImageError, "channels"),
    ],
)
def test_what_is_no_catalogue_of_pictures_is_refused(given, cell_px, error, said):
    with pytest.raises(error, match=said):
        kt.Catalogue.of_pictures(given, cell_px=cell_px)


def test_pictures_are_as_many_as_sources():
    with pytest.raises(SettingError, match="1 pictures"):
        kt.Catalogue(["a", "b"], torch.arange(2), torch.zeros(2, 4), pictures=[np.zeros((16, 16, 3), np.uint8)])


def test_views_and_figures_show_them_also_when_the_adapter_is_gone(catalogue, model, shown, photo):
    trace = recorded(model, kt.adapt.attention(model.attend, catalogue=catalogue), photo)
    assert not trace.adapted
    for one in (
        trace,
        trace.image(0),
        trace.site("attend"),
        trace[kt.Box(0, 0, 8, 8)],
        pickle.loads(pickle.dumps(trace)),
    ):
        for name, pixels in shown.items():
            assert np.array_equal(source_picture(one, name), pixels)
    for given in ({}, {"wide": np.zeros_like(shown["wide"])}):
        with kt.Explorer(trace, pictures=given) as view:
            order = view.trace.sources()["source"].tolist()
            _, parts = Wire(view).answer("pictures", {"sources": [0, 1]})
        for name, pixels in {**shown, **given}.items():
            found = decode_image(parts[f"picture/{order.index(name)}"].tobytes()).astype(int)
            assert np.abs(found - pixels).mean() < 25  # JPEG of noise
    assert kt.backtracking_figure(trace).get_size_inches()[0] > 0


def test_the_photo_is_a_source_by_its_own_name(model, photo):
    class Itself(nn.Module):
        def __init__(self):
            super().__init__()
            self.attend = nn.MultiheadAttention(8, 1, batch_first=True)

        def forward(self, image):
            cells = F.avg_pool2d(image, 8).flatten(2).transpose(1, 2).repeat(1, 1, 3)[..., :8]
            self.attend(cells, cells, cells)
            return image

    mine = Itself()
    trace = recorded(mine, kt.adapt.attention(mine.attend), photo)
    assert np.array_equal(source_picture(trace, "input"), photo)


def test_backtracking_cuts_patches_out_of_them(catalogue, model, shown, photo):
    site = kt.adapt.attention(model.attend, catalogue=catalogue)
    trace = recorded(model, site, photo)
    found = kt.backtrack(trace, kt.Box(0, 0, 8, 8))
    name, (x, y, *_) = found.frame["source"][0], found.frame["source_box"][0]
    height, width = shown[name].shape[:2]
    top, left = (int(np.clip(start - 8, 0, max(0, side - 24))) for start, side in ((y, height), (x, width)))
    here, there = found.patches[0]
    assert np.array_equal(here, photo[:24, :24])
    assert np.array_equal(there, shown[name][top : top + 24, left : left + 24])
    assert found.plot().get_size_inches()[0] > 0


def test_a_trace_that_was_read_from_a_file_is_given_them(catalogue, model, shown, photo, tmp_path):
    recorded(model, kt.adapt.attention(model.attend, catalogue=catalogue), photo).save(
        tmp_path / "trace.parquet", pictures="both"
    )
    again = kt.Trace.open(tmp_path / "trace.parquet")
    assert source_picture(again, "wide") is None
    with kt.Explorer(again, pictures=shown) as view:
        assert "picture/0" in Wire(view).answer("pictures", {"sources": [0]})[1]


def test_audits_hold_them(catalogue, model, shown, photo, tmp_path):
    def run(trace, without=()):
        model(tensor_of(trace.input), catalogue.entries_of(without).tolist())

    abilities = kt.Abilities(rerun=run, exclude=run)
    site = kt.adapt.attention(model.attend, catalogue=catalogue, top=14, abilities=abilities)
    audit = kt.Audit.create(recorded(model, site, photo), title="Colours", top=1, sample=5)
    assert set(audit.thumbs) == {"wide", "tall"}
    audit.save(tmp_path / "audit")
    assert len(list((tmp_path / "audit/sources").glob("*.jpg"))) == 2
