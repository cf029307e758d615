"""Queries that are regions of a label map: what crosses to the browser, what is selected, what figures draw."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import torch
from torch import nn

import ktviz as kt
from ktviz.errors import TraceError
from ktviz.figures.interactive import similarity_heatmap
from ktviz.figures.maps import nearest
from ktviz.figures.region_outlines import borders, outline
from views.canvases import ASKING, DISK, DOT, LABELLED, PARTS, RING, THERE, label_map
from views.wire import unpack

LABELS = label_map().numpy()
KINDS = {1: np.uint8, 2: np.uint16, 4: np.uint32}


@pytest.fixture(scope="module")
def trace(studio):
    """Of sites with boxes, and one with regions."""
    return studio[1]


def read_labels(parts, shape):
    """The label map of a scene, as numbers from 1 in the order of its columns, 0 for none."""
    raw = gzip.decompress(parts["labels"].tobytes())
    return np.frombuffer(raw, KINDS[len(raw) // (shape[0] * shape[1])]).reshape(shape)


def labelled(labels, numbers=None):
    """A trace of a system that asks for the regions of a label map."""
    model = nn.Sequential(nn.Identity())
    queries = kt.Queries.regions(torch.from_numpy(labels), None if numbers is None else torch.tensor(numbers))
    matches = kt.Matches.hard(torch.arange(len(queries)) % 2, torch.linspace(0.2, 0.9, len(queries)))
    site = kt.adapt(model[0], lambda *_: matches, queries=queries, catalogue=kt.Catalogue.wholes(["a.png", "b.png"]))
    with kt.record(model, site) as trace:
        model(torch.linspace(0, 1, labels.size).reshape(1, 1, *labels.shape).expand(1, 3, -1, -1))
    return trace


def test_every_pixel_has_the_retrieval_of_its_region(view):
    view.site = LABELLED
    _, parts = unpack(view._scene)
    asked = read_labels(parts, LABELS.shape)
    for place, number in enumerate(ASKING):
        assert parts["label"][place] == number
        assert np.array_equal(asked == parts["region"][place], number == LABELS)
    assert np.array_equal(asked == 0, LABELS == 0)
    assert not {"y", "x"} & set(parts)


def test_sites_with_boxes_have_no_label_map(view):
    view.site = THERE
    _, parts = unpack(view._scene)
    assert not {"labels", "region", "label"} & set(parts)
    assert {"y", "x"} <= set(parts)


@pytest.mark.parametrize(("count", "bytes_each"), [(255, 1), (256, 2)])
def test_a_label_map_takes_no_more_bytes_a_pixel_than_it_must(count, bytes_each):
    labels = np.arange(count).reshape(1, -1).repeat(3, 0) * 7
    with kt.Explorer(labelled(labels)) as view:
        _, parts = unpack(view._scene)
    assert len(gzip.decompress(parts["labels"].tobytes())) == labels.size * bytes_each
    assert np.array_equal(read_labels(parts, labels.shape), labels // 7 + 1)


def test_the_map_of_a_scene_takes_a_few_kilobytes():
    y, x = np.mgrid[:512, :512]
    labels = 1 + (np.hypot(y - 256 + 30 * np.sin(x / 40), x - 256) // 50).astype(np.int64)
    with kt.Explorer(labelled(labels)) as view:
        _, parts = unpack(view._scene)
    assert len(parts["region"]) > 6
    assert parts["labels"].nbytes < 8_000  # of 262,144 px


@pytest.mark.parametrize(
    ("box", "found"),
    [
        ((0, 0, 64, 48), ASKING),
        ((20, 18, 3, 3), (DISK,)),  # within the hole of the ring: its box is around it, but not it
        ((15, 19, 2, 2), ()),  # between disk and ring
        ((46, 2, 2, 2), (PARTS,)),
        ((45, 20, 4, 3), ()),  # between its parts
        ((50, 24, 1, 1), (DOT,)),
        ((8, 18, 6, 4), (RING,)),
    ],
)
def test_a_region_selects_the_retrievals_whose_regions_it_touches(wire, trace, box, found):
    view = wire.view
    view.region = kt.Box(*box)
    assert view.selection.to_pandas()["label"].tolist() == list(found)
    assert trace.site(LABELLED)[kt.Box(*box)].column("label").tolist() == list(found)
    _, parts = wire.answer("region", {"box": list(box)})
    assert list(parts["queries"]) == [ASKING.index(number) for number in found]
    inside = LABELS[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
    assert parts["shares"].sum() == pytest.approx(np.isin(inside, ASKING).mean())


def test_a_part_of_a_trace_of_both_kinds_has_what_each_touches(trace):
    part = trace[kt.Box(20, 18, 3, 3)]
    assert part.site(LABELLED).column("label").tolist() == [DISK]
    assert len(part.site(THERE)) == 1


def test_maps_are_filled_by_region(trace):
    place = nearest(trace.site(LABELLED))
    for number, asked in enumerate(ASKING):
        assert np.array_equal(place == number, asked == LABELS)
    z = np.asarray(similarity_heatmap(trace.site(LABELLED)).data[0].z, dtype=float)
    assert z.shape == LABELS.shape
    assert np.array_equal(np.isnan(z), LABELS == 0)


def test_of_a_large_map_the_heat_map_has_cells():
    labels = np.zeros((300, 500), dtype=np.int64)
    labels[:, 250:] = 1
    figure = similarity_heatmap(labelled(labels))
    z = np.asarray(figure.data[0].z, dtype=float)
    assert z.shape == (75, 125)
    assert len(np.unique(z[:, :62])) == len(np.unique(z[:, 63:])) == 1
    assert figure.layout.xaxis.range == (0, 500)


def inked(segments, shape):
    """Which edges between pixels lines run along: level ones (H + 1, W) and upright ones (H, W + 1)."""
    level, upright = np.zeros((shape[0] + 1, shape[1]), int), np.zeros((shape[0], shape[1] + 1), int)
    for (x0, y0), (x1, y1) in segments.astype(int).tolist():
        assert (x0 == x1) != (y0 == y1)
        if y0 == y1:
            level[y0, x0:x1] += 1
        else:
            upright[y0:y1, x0] += 1
    return level, upright


@pytest.mark.parametrize("number", [*ASKING, 0])
def test_an_outline_runs_around_all_parts_and_holes_of_a_region_and_nowhere_else(number):
    mask = np.pad(number == LABELS, 1).astype(int)
    level, upright = inked(outline(LABELS, number), LABELS.shape)
    assert np.array_equal(level, np.abs(np.diff(mask, axis=0))[:, 1:-1])
    assert np.array_equal(upright, np.abs(np.diff(mask, axis=1))[1:-1])


def test_the_outline_of_a_pixel_is_a_square():
    assert sorted(outline(LABELS, DOT).astype(int).tolist()) == sorted(
        [[[50, 24], [51, 24]], [[50, 25], [51, 25]], [[50, 24], [50, 25]], [[51, 24], [51, 25]]]
    )


def test_borders_run_where_regions_meet():
    labels = np.array([[4, 4, 2], [4, 4, 2]])
    level, upright = inked(borders(labels), labels.shape)
    assert level.tolist() == [[1, 1, 1], [0, 0, 0], [1, 1, 1]]
    assert upright.tolist() == [[1, 0, 1, 1]] * 2


def test_figures_outline_regions_and_frame_boxes(trace):
    with kt.TranslationView(trace) as view:
        view.region = kt.Box(20, 18, 3, 3)
        drawn = view.plot()
        assert sum(len(lines.get_segments()) for lines in drawn.axes[0].collections) == 2 * len(outline(LABELS, DISK))
        view.site = THERE
        assert not view.plot().axes[0].collections
    asked = np.where(np.isin(LABELS, ASKING), LABELS, -1)
    (lines,) = trace.site(LABELLED).plot().axes[0].collections
    assert len(lines.get_segments()) == len(borders(asked))


def test_one_region_may_be_asked_about_several_times():
    labels = np.array([[0, 0, 1, 1]] * 2)
    trace = labelled(labels, [1, 0, 1])
    assert trace.overlap().tolist() == [0.25, 0.5, 0.25]
    with kt.Explorer(trace) as view:
        _, parts = unpack(view._scene)
        assert parts["region"].tolist() == [2, 1, 2]
        view.region = kt.Box(2, 0, 1, 1)
        assert list(view.selection) == [0, 2]


def test_a_trace_saved_without_its_label_map_says_so(trace, tmp_path):
    trace.save(tmp_path / "trace.parquet", pictures="none")
    with pytest.raises(TraceError, match="label map"):
        kt.Explorer(kt.Trace.open(tmp_path / "trace.parquet"))
