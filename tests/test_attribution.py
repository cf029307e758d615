"""Attribution against brute force: per-pixel footprints, whole-map gradients, translations made again by hand."""

import gc
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text
from torch import nn

import ktviz
from ktviz.errors import AbilityError, MismatchError, RegionError, SettingError, StorageError, TraceError
from ktviz.explain import gradient as gradient_module
from ktviz.explain.datamodel import datamodel
from ktviz.explain.exclusion import Budget
from ktviz.library.kinds.patches.bands import haar
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.regions import Box, region_mask
from ktviz.systems.kt import receptive as receptive_module
from ktviz.systems.kt.receptive import ReceptiveField, measure, receptive_field
from ktviz.systems.kt.settings import Settings
from ktviz.systems.kt.transfer import transfer
from ktviz.systems.kt.translator import Translator

METHODS = ("footprint", "gradient", "ablation", "datamodel")
"""Those that ask the model."""
BYS = ("source", "part", "entry", "node", "band")


class Blur(nn.Module):
    """A linear decoder: cells mixed by a convolution of a known kernel, then four times as large."""

    def __init__(self, kernel, channels=8):
        super().__init__()
        self.channels = channels
        self.register_buffer("kernel", torch.tensor(kernel, dtype=torch.float32))

    def forward(self, features):
        side = self.kernel.shape[0]
        weight = self.kernel.expand(3, 1, side, side)
        around = nn.functional.pad(features[:, :3], (side // 2,) * 4, mode="reflect")
        mixed = nn.functional.conv2d(around, weight, groups=3)
        return mixed.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


class Curved(Blur):
    """The same, bent: the gradient depends on where one stands on the line."""

    def forward(self, features):
        return torch.sigmoid(4 * super().forward(features) - 2)


class Everywhere(nn.Module):
    """A decoder whose every pixel depends on every cell."""

    channels = 8

    def forward(self, features):
        mean = features[:, :3].mean((2, 3), keepdim=True)
        return (0.7 * features[:, :3] + 0.3 * mean).repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


LOPSIDED = [[0, 0.1, 0], [0.6, 0.2, 0], [0, 0, 0.1]]
"""More from the left than from anywhere else: a kernel that is turned round by mistake gives other shares."""


@pytest.fixture(scope="module")
def case(world, paint):
    """A translator with a lopsided decoder, a photo whose sides are no multiples of a cell, and its trace."""
    translator = Translator(world.banks, world.translator.encoder, Curved(LOPSIDED))
    photo = paint(9, 45, 54)
    return SimpleNamespace(translator=translator, photo=photo, trace=translator.traced(photo), banks=world.banks)


@pytest.fixture(scope="module")
def real(tmp_path_factory, samples):
    """The shipped weights, three sample sources in two banks, and a crop of a photograph."""
    encoder = ktviz.Encoder.shipped()
    folder = tmp_path_factory.mktemp("real") / "real.ktlib"
    library = ktviz.Library.ensure(folder, encoder, ktviz.LibrarySettings(side_px=192, stride=2))
    art = samples / "art"
    paintings = [art / "impasto" / "cypress-fields.jpg", art / "impasto" / "starry-river.jpg"]
    library.build("art/impasto", paintings, encoder=encoder, quiet=True)
    library.build("art/woodcut", [art / "woodcut" / "great-swell.jpg"], encoder=encoder, quiet=True)
    translator = Translator(library["art"], encoder, ktviz.Decoder.shipped())
    photo = ktviz.read_image(samples / "photos" / "chelsea.jpg")[100:196, 120:230]
    return SimpleNamespace(translator=translator, photo=photo, trace=translator.traced(photo), banks=library["art"])


@pytest.fixture(params=["toy", "shipped"])
def any_case(request):
    """Both worlds."""
    return request.getfixturevalue({"toy": "case", "shipped": "real"}[request.param])


@pytest.fixture
def published(any_case):
    """The same without alignment: all of the change is that of patches, which can be worked out one by one."""
    return SimpleNamespace(**vars(any_case) | {"trace": any_case.translator.traced(any_case.photo, align=0)})


def regions(trace):
    height, width = trace.picture.size
    mask = np.zeros((height, width), bool)
    mask[height // 3 :: 5, 2::3] = True
    corner = Box(width - 13, height - 9, 13, 9)
    return [None, Box(9, 7, 21, 18), corner, mask, [(3, 3), (40, 10), (20, 40)], (0, 0), (width - 1, height - 1)]


def footprint_by_brute_force(trace, region, kernel):
    """Share of each retrieval: pixel by pixel to the cells around it, cell by cell to the retrievals that cover it."""
    trace = trace.painting()
    height, width = trace.picture.size
    rows, columns = -(-height // 4), -(-width // 4)
    radius = len(kernel) // 2
    mask = region_mask(region, height, width)
    credit = np.zeros((rows, columns))
    for y, x in np.argwhere(mask) // 4:
        top, left = max(0, y - radius), max(0, x - radius)
        bottom, right = min(rows, y + radius + 1), min(columns, x + radius + 1)
        around = kernel[top - y + radius : bottom - y + radius, left - x + radius : right - x + radius]
        credit[top:bottom, left:right] += around / around.sum() / mask.sum()
    corners = np.stack((trace.column("y"), trace.column("x")), 1)
    cover = np.zeros((rows + 4, columns + 4))
    for y, x in corners:
        cover[y : y + 4, x : x + 4] += 1
    shared = np.pad(credit, ((0, 4), (0, 4))) / np.maximum(cover, 1)
    return np.array([shared[y : y + 4, x : x + 4].sum() for y, x in corners])


def by_name(attribution):
    return dict(zip(attribution.frame[attribution.by], attribution.frame["share"], strict=True))


def thin(trace):
    """The trace as a recording keeps it that ran out of memory."""
    return ktviz.Trace(trace.winners, {**trace.about, "thinned": True}, trace.pictures, trace.model)


def summed(names, values):
    total = {}
    for name, value in zip(names, values, strict=True):
        total[name] = total.get(name, 0.0) + value
    return total


# Footprint


@pytest.mark.parametrize("number", range(7))
def test_footprint_equals_brute_force_over_pixels(any_case, number):
    trace = any_case.trace
    kernel = receptive_field(any_case.translator).kernel
    region = regions(trace)[number]
    expected = footprint_by_brute_force(trace, region, kernel)
    assert expected.sum() == pytest.approx(1)
    found = by_name(ktviz.attribute(trace, region, through="footprint"))
    assert sum(found.values()) == pytest.approx(1, abs=1e-9)
    sources = summed(trace.painting().column("source"), expected)
    assert found == pytest.approx({name: sources.get(name, 0) for name in any_case.banks.source_names}, abs=1e-9)
    entries = summed(trace.painting().column("entry"), expected)
    found = by_name(ktviz.attribute(trace, region, by="entry", through="footprint"))
    assert found == pytest.approx({entry: share for entry, share in entries.items() if share > 1e-12}, abs=1e-9)


@pytest.mark.parametrize("size", [(16, 16), (17, 30), (33, 19), (40, 45), (47, 42)])
def test_without_a_receptive_field_the_footprint_is_brute_forced_at_every_size(world, paint, size):
    trace = world.translator.traced(paint(9, *size))
    expected = footprint_by_brute_force(trace, None, np.ones((1, 1)))
    found = by_name(ktviz.attribute(trace, through="footprint"))
    sources = summed(trace.painting().column("source"), expected)
    assert found == pytest.approx({name: sources.get(name, 0) for name in world.banks.source_names}, abs=1e-9)


def test_a_pixels_own_cell_is_enough_for_a_decoder_without_reach(world, paint):
    trace = world.translator.traced(paint(9))
    field = receptive_field(world.translator)
    assert (field.radius, field.kernel.tolist(), field.spread_px) == (0, [[1.0]], 0.0)
    for region in (Box(3, 5, 30, 21), (17, 40)):
        found = by_name(ktviz.attribute(trace, region, through="footprint"))
        recorded = trace.sources(region)
        assert found == pytest.approx(dict(zip(recorded["source"], recorded["share"], strict=True)), abs=1e-9)


# The receptive field


@pytest.mark.parametrize("kernel", [LOPSIDED, [[0.2]], np.ones((5, 5)) / 25, np.diag([1, 0, 0, 0, 0.5])])
def test_the_kernel_is_the_energy_of_a_known_decoder(kernel, monkeypatch):
    monkeypatch.setattr(receptive_module, "PROBES", 40)
    maps = torch.rand(6, 8, receptive_module.SIDE, receptive_module.SIDE)
    field = measure(Blur(np.asarray(kernel).tolist()), maps)
    energy = np.square(kernel)
    # A channel is mixed like every other, so each probe scales the whole kernel alike and no noise is left.
    assert field.kernel == pytest.approx(energy / energy.sum(), abs=1e-6)
    assert field.kernel.sum() == pytest.approx(1)
    assert field.radius == len(energy) // 2


def test_the_kernel_is_the_energy_of_a_whole_jacobian(monkeypatch):
    torch.manual_seed(1)
    decoder = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.SiLU(), nn.Conv2d(6, 48, 3, padding=1), nn.PixelShuffle(4)
    )
    maps = torch.randn(2, 2, receptive_module.SIDE, receptive_module.SIDE)
    monkeypatch.setattr(receptive_module, "PROBES", 800)
    field = measure(decoder, maps.clone())
    middle = receptive_module.SIDE // 2
    cut = slice(middle - 2, middle + 3)
    energy = np.zeros((5, 5))
    for features in maps:

        def centre(part, whole=features):
            whole = whole.clone()
            whole[:, cut, cut] = part
            return decoder(whole[None])[0][:, 4 * middle : 4 * middle + 4, 4 * middle : 4 * middle + 4]

        jacobian = torch.autograd.functional.jacobian(centre, features[:, cut, cut].clone())
        energy += jacobian.square().sum((0, 1, 2, 3)).numpy()
    # 1,600 probes of energy: four standard errors are sqrt(2 / 1,600) * 4 of each value.
    assert field.radius == 2
    assert field.kernel == pytest.approx(energy / energy.sum(), rel=4 * np.sqrt(2 / 1600))


@pytest.mark.parametrize(("sides", "radius"), [((1,), 0), ((3,), 1), ((5,), 2), ((3, 3), 2), ((3, 5, 3), 4)])
def test_the_radius_is_that_of_the_convolutions(sides, radius):
    torch.manual_seed(0)
    widths = [4] * len(sides) + [3]
    convolutions = [nn.Conv2d(widths[n], widths[n + 1], k, padding=k // 2) for n, k in enumerate(sides)]
    decoder = nn.Sequential(*convolutions, nn.Upsample(scale_factor=4))
    field = measure(decoder, torch.randn(2, 4, receptive_module.SIDE, receptive_module.SIDE))
    assert field.radius == radius
    assert field.kernel.shape == (2 * radius + 1,) * 2
    assert field.kernel.sum() == pytest.approx(1)


def test_the_shipped_decoder_reaches_seven_cells_and_sees_mostly_its_own(real):
    """Convolutions at 1/4, 1/2 and whole size: 1 + 4 cells, and rounded up, 1 and 1 of the finer ones."""
    field = receptive_field(real.translator)
    assert field.radius in (6, 7)
    assert field.kernel.argmax() == field.kernel.size // 2
    assert field.kernel.sum() == pytest.approx(1)


def test_a_decoder_that_sees_everything_has_no_radius():
    maps = torch.rand(1, 8, receptive_module.SIDE, receptive_module.SIDE)
    assert measure(Everywhere(), maps).radius is None


@pytest.mark.parametrize("place", [(0, 0), (44, 53), (0, 25), (22, 26)])
def test_credit_stays_inside_the_image(place):
    kernel = np.array(LOPSIDED)
    weight = np.zeros((45, 54))
    weight[place] = 2.5
    cells = ReceptiveField(kernel / kernel.sum(), 1).cells(weight)
    assert cells.shape == (12, 14)
    assert cells.sum() == pytest.approx(2.5)
    y, x = place[0] // 4, place[1] // 4
    assert cells[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].sum() == pytest.approx(2.5)
    if x > 0:
        assert cells[y, x - 1] == pytest.approx(3 * cells[y, x])


def test_the_receptive_field_does_not_depend_on_the_library_that_asked_first(world, paint):
    """One decoder, two libraries: each is measured at its own features."""
    warm, cool = (BankUnion([bank], world.banks.encoder) for bank in reversed(world.banks.banks))
    encoder = world.translator.encoder

    def kernels(order):
        decoder = Curved2(LOPSIDED)
        translators = {id(banks): Translator(banks, encoder, decoder) for banks in order}
        return [receptive_field(translators[id(banks)]).kernel for banks in order]

    first, second = kernels([warm, cool]), kernels([cool, warm])
    assert not np.array_equal(first[0], first[1])
    assert np.array_equal(first[0], second[1])
    assert np.array_equal(first[1], second[0])


class Curved2(Blur):
    """A decoder whose kernel depends on the features: neighbours count by their square."""

    def forward(self, features):
        return super().forward(torch.cat((features[:, :1].square(), features[:, 1:]), 1))


# Gradient


def gradient_by_hand(case, region, steps=32):
    """Integrated gradients over the whole map by the midpoint rule: (N, 4) credit per band, and the change."""
    translator, trace = case.translator, case.trace
    settings = Settings(**trace.picture.about["settings"])
    height, width = trace.picture.size
    mask = torch.from_numpy(region_mask(region, height, width))
    before = translator.encode(case.photo)
    corners = np.stack((trace.column("y"), trace.column("x")), 1)
    winners = case.banks.patches(torch.tensor(trace.column("entry")))
    total, cover, changes = torch.zeros_like(before), torch.zeros(before.shape[1:]), []
    for (y, x), winner in zip(corners, winners, strict=True):
        query = before[:, y : y + 4, x : x + 4]
        made = transfer(query[None], winner[None], settings.transfer, settings.strength, settings.max_gain)[0]
        total[:, y : y + 4, x : x + 4] += made
        cover[y : y + 4, x : x + 4] += 1
        changes.append(made - query)
    after = total / cover

    def look(features):
        return translator.decoder(features[None])[0][:, :height, :width] * mask

    with torch.no_grad():
        direction = look(after) - look(before)
    gradient = torch.zeros_like(before)
    for step in range(steps):
        place = (before + (after - before) * (step + 0.5) / steps).requires_grad_(True)
        gradient += torch.autograd.grad((look(place) * direction).sum(), place)[0] / steps
    credit = []
    for (y, x), change in zip(corners, changes, strict=True):
        slope = gradient[:, y : y + 4, x : x + 4] / cover[y : y + 4, x : x + 4]
        credit.append((haar(slope) * haar(change)).sum((1, 2, 3)))
    levels = 255 * float(direction.abs().sum()) / (3 * float(mask.sum()))
    return torch.stack(credit).double().numpy(), float(direction.square().sum()), levels


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_gradient_equals_integrated_gradients_over_the_whole_map(published, number):
    region = regions(published.trace)[number]
    credit, change, levels = gradient_by_hand(published, region)
    expected = credit / change
    found = ktviz.attribute(published.trace, region, through="gradient")
    sources = summed(published.trace.column("source"), expected.sum(1))
    assert by_name(found) == pytest.approx({n: sources.get(n, 0) for n in published.banks.source_names}, abs=1e-3)
    bands = by_name(ktviz.attribute(published.trace, region, by="band", through="gradient"))
    assert bands == pytest.approx(dict(zip(("LL", "LH", "HL", "HH"), expected.sum(0), strict=True)), abs=1e-3)
    assert found.about["change"] == pytest.approx(levels, rel=1e-3)


@pytest.mark.parametrize("align", [0, 1])
def test_gradient_shares_add_up_to_the_change_with_the_error_stated(any_case, align):
    trace = any_case.translator.traced(any_case.photo, align=align)
    for region in regions(trace)[:4]:
        found = ktviz.attribute(trace, region, through="gradient")
        assert found.about["completeness_error"] < 1e-4
        assert abs(found.frame["share"].sum() - 1) == pytest.approx(found.about["completeness_error"], abs=1e-9)


def test_too_few_points_on_the_line_show_in_the_completeness_error(case, monkeypatch):
    good = ktviz.attribute(case.trace, through="gradient").about["completeness_error"]
    monkeypatch.setattr(gradient_module, "STEPS", 1)
    poor = ktviz.attribute(case.trace, through="gradient")
    assert poor.about["completeness_error"] > 100 * good
    assert abs(poor.frame["share"].sum() - 1) == pytest.approx(poor.about["completeness_error"])


@pytest.mark.parametrize("tile_px", [8, 20])
def test_small_tiles_give_the_same_gradient_shares(any_case, tile_px, monkeypatch):
    region = Box(5, 6, 20, 17)
    whole = by_name(ktviz.attribute(any_case.trace, region, by="entry", through="gradient"))
    monkeypatch.setattr(gradient_module, "TILE_PX", tile_px)
    tiled = by_name(ktviz.attribute(any_case.trace, region, by="entry", through="gradient"))
    for entry in whole.keys() | tiled.keys():
        assert tiled.get(entry, 0) == pytest.approx(whole.get(entry, 0), abs=1e-5)


def test_a_decoder_that_sees_everything_is_attributed_as_a_whole(world, paint):
    translator = Translator(world.banks, world.translator.encoder, Everywhere())
    trace = translator.traced(paint(9), align=0)
    case = SimpleNamespace(translator=translator, photo=paint(9), trace=trace, banks=world.banks)
    credit, change, _ = gradient_by_hand(case, (3, 3))
    found = by_name(ktviz.attribute(case.trace, (3, 3), through="gradient"))
    assert found == pytest.approx(summed(case.trace.column("source"), credit.sum(1) / change), abs=1e-4)


@pytest.mark.parametrize("through", ["gradient", "ablation", "datamodel"])
def test_a_part_of_no_change_is_refused(case, through):
    trace = case.translator.traced(case.photo, align=0, strength=0)
    with pytest.raises(TraceError, match="changed nothing"):
        ktviz.attribute(trace, through=through)


@pytest.mark.parametrize("guard", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("through", METHODS)
def test_shares_are_the_same_without_gradients_around(world, paint, guard, through):
    translator = Translator(world.banks, world.translator.encoder, Curved(LOPSIDED))
    with guard():
        trace = translator.traced(paint(9))
        inside = by_name(ktviz.attribute(trace, through=through))
    outside = by_name(ktviz.attribute(trace, through=through))
    assert inside == pytest.approx(outside, abs=1e-6)


# By source, entry, node and band


@pytest.mark.parametrize("through", ["overlap", "footprint", "gradient"])
@pytest.mark.parametrize("region", [None, Box(8, 4, 30, 22)])
def test_sources_are_the_sums_of_their_entries_and_all_ways_have_the_same_total(any_case, through, region):
    trace, banks = any_case.trace, any_case.banks
    found = {by: ktviz.attribute(trace, region, by=by, through=through) for by in BYS}
    totals = [found[by].frame["share"].sum() for by in BYS]
    assert totals == pytest.approx([totals[0]] * len(BYS), abs=1e-6)
    assert totals[0] == pytest.approx(1, abs=1e-4)
    entries = found["entry"].frame
    sources = entries.groupby("source", observed=True)["share"].sum()
    assert by_name(found["source"]) == pytest.approx({n: sources.get(n, 0) for n in banks.source_names}, abs=1e-9)
    numbers = torch.tensor(entries["entry"].tolist())
    leaves = []
    for entry in numbers.tolist():
        number = int(torch.searchsorted(banks.entry_offset, entry, right=True)) - 1
        tree = banks.banks[number].tree
        leaves.append((banks.names[number], int(tree.leaf_of(torch.tensor([entry - int(banks.entry_offset[number])])))))
    nodes = found["node"].frame
    mine = dict(zip(zip(nodes["bank"], nodes["leaf"], strict=True), nodes["share"], strict=True))
    for name, bank, leaf in zip(nodes["node"], nodes["bank"], nodes["leaf"], strict=True):
        assert name.startswith(f"{bank}#")
        assert name.endswith(f"{leaf}")
    summed_leaves = summed(leaves, entries["share"].to_numpy())
    assert mine == pytest.approx({leaf: s for leaf, s in summed_leaves.items() if leaf in mine}, abs=1e-9)
    assert all(abs(share) < 1e-9 for leaf, share in summed_leaves.items() if leaf not in mine)


def test_parts_are_the_sums_of_the_entries_whose_middle_lies_there_and_are_left_out_with_all_that_touches_them(case):
    found, entries = (ktviz.attribute(case.trace, by=by, through="footprint").frame for by in ("part", "entry"))
    about = {source["source"]: source for source in case.trace.about["sources"]}
    expected = {}
    for name, (x, y, width, height), share in zip(
        entries["source"], entries["source_box"], entries["share"], strict=True
    ):
        column, row = int(3 * (x + width / 2) / about[name]["width"]), int(3 * (y + height / 2) / about[name]["height"])
        word = f"{('top', '', 'bottom')[row]} {('left', '', 'right')[column]}".strip() or "centre"
        expected[f"{name}, {word}"] = expected.get(f"{name}, {word}", 0) + share
    assert dict(zip(found["part"], found["share"], strict=True)) == pytest.approx(expected, abs=1e-9)
    largest = ktviz.attribute(case.trace, by="part", through="footprint").top()
    assert largest[0].box.width in (21, 22)  # 64 px in three
    alone = ktviz.attribute(case.trace, by="part", through="ablation", most=1).frame
    change = np.abs(ktviz.without(case.trace, largest).output.astype(int) - case.trace.output).mean()
    assert alone["levels"][0] == pytest.approx(change)


def test_an_entry_that_lies_nowhere_is_all_of_its_source(soft):
    found = ktviz.attribute(soft.trace, by="part")
    assert by_name(found) == pytest.approx(by_name(ktviz.attribute(soft.trace)))
    assert found.top() == [found.frame["source"][0]]


def test_largest_shares_come_first_and_sources_that_gave_nothing_are_listed(any_case):
    for through in ("overlap", "footprint", "gradient", "datamodel"):
        frame = ktviz.attribute(any_case.trace, (2, 2), through=through).frame
        assert frame["share"].is_monotonic_decreasing
        assert sorted(frame["source"]) == sorted(any_case.banks.source_names)


def test_shares_by_band_of_the_footprint_weigh_what_carried_each_match(published):
    trace = published.trace
    kernel = receptive_field(published.translator).kernel
    settings = Settings(**trace.picture.about["settings"])
    features = published.translator.encode(published.photo)
    expected = np.zeros(4)
    weights = footprint_by_brute_force(trace, Box(4, 4, 30, 30), kernel)
    entries = published.banks.patches(torch.tensor(trace.column("entry")))
    for y, x, patch, weight in zip(trace.column("y"), trace.column("x"), entries, weights, strict=True):
        dots = (haar(features[:, y : y + 4, x : x + 4]) * haar(patch)).sum((1, 2, 3)).numpy()
        dots = dots * np.array(settings.band_weights)
        expected += weight * dots / dots.sum()
    found = by_name(ktviz.attribute(trace, Box(4, 4, 30, 30), by="band"))
    # Recorded in half precision: three digits.
    assert found == pytest.approx(dict(zip(("LL", "LH", "HL", "HH"), expected, strict=True)), abs=2e-3)
    assert found["HH"] == 0


# Ablation


@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize("region", [None, Box(8, 4, 30, 22)])
def test_ablation_equals_translating_again_by_hand(any_case, region, align):
    translator, photo = any_case.translator, any_case.photo
    trace = translator.traced(photo, align=align)
    mask = region_mask(region, *trace.picture.size)

    def change(**settings):
        return np.abs(translator(photo, **settings).image.astype(int) - trace.output.astype(int))[mask].mean()

    knowledge = change(align=0, strength=0)
    found = ktviz.attribute(trace, region, through="ablation")
    assert found.about["change"] == pytest.approx(knowledge)
    assert len(found) > 1
    for name, share, levels in zip(found.frame["source"], found.frame["share"], found.frame["levels"], strict=True):
        assert levels == pytest.approx(change(align=align, without=[name]))
        assert share == pytest.approx(levels / knowledge)


def test_ablation_by_band_matches_without_the_band(case):
    found = ktviz.attribute(case.trace, by="band", through="ablation")
    weights = {"LL": (0, 1, 1, 0), "LH": (1, 0, 1, 0), "HL": (1, 1, 0, 0)}
    for band, others in weights.items():
        image = case.translator(case.photo, band_weights=others).image
        expected = np.abs(image.astype(int) - case.trace.output).mean() / found.about["change"]
        assert by_name(found)[band] == pytest.approx(expected)
    assert by_name(found)["HH"] == 0


def test_ablation_by_node_hides_the_whole_leaf(case):
    found = ktviz.attribute(case.trace, by="node", through="ablation", most=2)
    assert len(found) == found.about["measured"] == 2
    for _, row in found.frame.iterrows():
        number = case.banks.names.index(row["bank"])
        tree, offset = case.banks.banks[number].tree, int(case.banks.entry_offset[number])
        entries = list(range(offset + int(tree.start[row["leaf"]]), offset + int(tree.end[row["leaf"]])))
        image = case.translator(case.photo, without=entries).image
        assert row["levels"] == pytest.approx(np.abs(image.astype(int) - case.trace.output).mean())
        assert row["entries"] == len(entries)


def test_ablation_measures_the_largest_by_footprint(case):
    footprint = ktviz.attribute(case.trace, by="entry", through="footprint")
    found = ktviz.attribute(case.trace, by="entry", through="ablation", most=3)
    assert set(found.frame["entry"]) == set(footprint.frame["entry"][:3])


def test_ablation_of_all_that_is_left_is_not_a_number_and_still_drawn(case):
    trace = ktviz.without(case.trace, ["a", "b", "c", "d"])
    found = ktviz.attribute(trace, through="ablation")
    assert found.frame["source"].tolist() == ["art/cool/e.png"]
    assert np.isnan(found.frame["share"][0])
    assert "nothing would be left" in texts(found.plot())
    only = ktviz.attribute(case.translator.traced(case.photo, band_weights=(1, 0, 0, 0)), by="band", through="ablation")
    assert np.isnan(by_name(only)["LL"])


@pytest.mark.parametrize("name", ["most", "runs"])
@pytest.mark.parametrize("number", [0, -1])
def test_measuring_nothing_is_refused(case, name, number):
    with pytest.raises(SettingError, match=name):
        ktviz.attribute(case.trace, through="ablation", **{name: number})


# What is stated


def texts(figure):
    return "\n".join(text.get_text() for text in figure.findobj(Text))


@pytest.mark.parametrize("by", BYS)
@pytest.mark.parametrize("through", ["overlap", *METHODS])
def test_every_figure_and_summary_states_the_method(case, by, through):
    found = ktviz.attribute(case.trace, Box(4, 4, 20, 20), by=by, through=through, most=2, runs=8)
    figure = found.plot()
    assert isinstance(figure, Figure)
    assert f"by {by} through {through}" in texts(figure)
    assert found.about["unit"] in texts(figure)
    assert found.about["unit"].split(":")[1] in str(found.summary().to_dict())
    assert through in repr(found)


def test_top_names_what_without_takes(case):
    found = ktviz.attribute(case.trace)
    assert found.top() == [found.frame["source"][0]]
    assert found.top(2) == found.frame["source"][:2].tolist()
    entries = ktviz.attribute(case.trace, by="entry").top(3)
    gone = ktviz.without(case.trace, entries)
    assert not set(entries) & set(gone.column("entry", winners=False))
    for count in (0, -1):
        with pytest.raises(SettingError, match="below 1"):
            found.top(count)
    for by in ("node", "band"):
        with pytest.raises(SettingError, match=f"top by {by}"):
            ktviz.attribute(case.trace, by=by).top()


@pytest.fixture(scope="module")
def results(case):
    """One of every kind of result."""
    attribution = ktviz.attribute(case.trace, Box(4, 4, 30, 30))
    return {
        "attribution": attribution,
        "entries": ktviz.attribute(case.trace, by="entry"),
        "gradient": ktviz.attribute(case.trace, by="node", through="gradient"),
        "ablation": ktviz.attribute(case.trace, through="ablation"),
        "datamodel": ktviz.attribute(case.trace, through="datamodel"),
        "comparison": ktviz.compare(case.trace, ktviz.without(case.trace, "a")),
        "no change": ktviz.compare(case.trace, case.translator.traced(case.photo)),
        "faithfulness": ktviz.faithfulness(attribution, case.trace, seeds=[1, 2, 3]),
        "backtrack": ktviz.backtrack(case.trace, Box(4, 4, 30, 30)),
    }


RESULTS = ["attribution", "entries", "gradient", "ablation", "datamodel", "comparison", "no change"]
RESULTS += ["faithfulness", "backtrack"]


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_has_the_same_ways_out(results, name, capsys):
    result = results[name]
    frame = result.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == len(result) == result.to_arrow().num_rows
    assert isinstance(result.to_arrow(), pa.Table)
    assert result.to_arrow().column_names == list(frame.columns)
    assert isinstance(result.summary(), pd.Series)
    assert isinstance(result.plot(), Figure)
    assert repr(result).startswith(type(result).__name__)
    assert "\n" not in repr(result)
    capsys.readouterr()
    assert result.show() is None
    assert str(result.summary().index[0]) in capsys.readouterr().out
    if len(frame):  # a copy
        frame[frame.columns[0]] = None
        assert not result.frame.iloc[:, 0].equals(frame.iloc[:, 0])
    with pytest.raises(AttributeError):
        result.frame = frame


@pytest.mark.parametrize("name", RESULTS)
def test_a_saved_result_is_the_same_when_opened(results, name, tmp_path):
    result = results[name]
    path = tmp_path / "result.parquet"
    result.save(path)
    opened = type(result).open(path)
    assert opened.to_arrow().to_pylist() == result.to_arrow().to_pylist()
    assert list(opened.frame.columns) == list(result.frame.columns)
    assert opened.summary().to_dict() == result.summary().to_dict()
    assert repr(opened) == repr(result)
    assert set(opened.pictures) == set(result.pictures)
    for key, pixels in result.pictures.items():
        assert np.array_equal(opened.pictures[key], pixels)
    if name != "backtrack":
        assert texts(opened.plot()) == texts(result.plot())
    opened.save(tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["attribution", "comparison", "faithfulness", "backtrack"])
def test_a_file_is_never_overwritten_nor_taken_for_something_else(results, name, tmp_path):
    result = results[name]
    path = tmp_path / "result.parquet"
    path.write_bytes(b"dear")
    with pytest.raises(StorageError, match="it exists"):
        result.save(path)
    assert path.read_bytes() == b"dear"
    result.save(path, overwrite=True)
    whole = path.read_bytes()
    others = {type(other): other.kind for other in results.values() if type(other) is not type(result)}
    assert len(others) == 3
    for kind, words in others.items():
        with pytest.raises(TraceError, match=f"holds {result.kind}.*holds {words}"):
            kind.open(path)
    with pytest.raises(TraceError, match="holds"):
        ktviz.Trace.open(path)
    for length in (0, 4, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(TraceError, match="damaged or cut short"):
            type(result).open(path)
    with pytest.raises(TraceError, match="no such file"):
        type(result).open(tmp_path / "nothing.parquet")


def test_a_result_of_a_newer_schema_is_refused(results, tmp_path, monkeypatch):
    monkeypatch.setattr("ktviz.explain.result.RESULT_SCHEMA", 2)
    results["attribution"].save(tmp_path / "new.parquet")
    monkeypatch.undo()
    with pytest.raises(TraceError, match="schema 2, newer than 1"):
        ktviz.Attribution.open(tmp_path / "new.parquet")


def test_a_trace_is_not_an_attribution(case, tmp_path):
    case.trace.save(tmp_path / "trace.parquet")
    with pytest.raises(TraceError, match="holds a trace"):
        ktviz.Attribution.open(tmp_path / "trace.parquet")


# Bad input


@pytest.mark.parametrize("wrong", [{"by": "pixel"}, {"through": "magic"}])
def test_an_unknown_way_is_refused_with_those_that_exist(case, wrong):
    with pytest.raises(
        SettingError,
        match=r"Choose one of (source, part, entry, node, band|overlap, footprint, gradient, ablation, datamodel)",
    ):
        ktviz.attribute(case.trace, **wrong)


@pytest.mark.parametrize(
    "region",
    [
        Box(50, 40, 10, 10),
        Box(-1, 0, 5, 5),
        Box(3, 3, 0, 5),
        np.zeros((45, 54), bool),
        np.ones((54, 45), bool),
        (54, 0),
        [(0, 0), (60, 0), (0, 10)],
    ],
)
@pytest.mark.parametrize("ask", [ktviz.attribute, ktviz.backtrack])
def test_a_region_that_is_empty_or_outside_is_refused(case, region, ask):
    with pytest.raises(RegionError):
        ask(case.trace, region)


def test_a_trace_without_its_model_says_to_pass_it(case, tmp_path):
    translator = Translator(case.banks, case.translator.encoder, Curved(LOPSIDED))
    trace = translator.traced(case.photo)
    trace.save(tmp_path / "trace.parquet")
    expected = by_name(ktviz.attribute(trace, through="footprint"))
    del translator
    gc.collect()
    for orphan in (trace, ktviz.Trace.open(tmp_path / "trace.parquet")):
        assert orphan.model is None
        for through in METHODS:
            with pytest.raises(TraceError, match=r"[Pp]ass model="):
                ktviz.attribute(orphan, through=through)
        with pytest.raises(TraceError, match=r"[Pp]ass model="):
            ktviz.without(orphan, "a")
        assert by_name(ktviz.attribute(orphan, model=case.translator, through="footprint")) == pytest.approx(expected)


def test_a_trace_saved_without_its_photo_says_to_pass_it(case, tmp_path):
    case.trace.save(tmp_path / "trace.parquet", pictures="none")
    opened = ktviz.Trace.open(tmp_path / "trace.parquet")
    with pytest.raises(TraceError, match="Pass photo="):
        ktviz.attribute(opened, model=case.translator, through="footprint")
    found = ktviz.attribute(opened, model=case.translator, photo=case.photo, through="gradient")
    assert by_name(found) == pytest.approx(by_name(ktviz.attribute(case.trace, through="gradient")))
    assert np.array_equal(found.pictures["output"], case.trace.output)
    with pytest.raises(MismatchError, match="the input of the trace"):
        ktviz.attribute(opened, model=case.translator, photo=case.photo[::-1])


@pytest.mark.parametrize("through", METHODS)
def test_another_model_or_library_is_refused_by_the_first_digest_that_differs(case, make_toy, through):
    decoder = Translator(case.banks, case.translator.encoder, Curved([[1.0]]))
    with pytest.raises(MismatchError, match="the decoder of the trace"):
        ktviz.attribute(case.trace, through=through, model=decoder)
    fewer = BankUnion(case.banks.banks[:1], case.banks.encoder)
    with pytest.raises(MismatchError, match="the library bank art/warm of the trace"):
        ktviz.attribute(case.trace, through=through, model=Translator(fewer, case.translator.encoder, Curved(LOPSIDED)))


@pytest.mark.parametrize("through", METHODS)
def test_a_part_of_a_trace_is_refused_with_what_to_do(case, through):
    part = case.trace[Box(0, 0, 10, 10)]
    assert 0 < len(part) < len(case.trace)
    with pytest.raises(TraceError, match="Ask the whole trace"):
        ktviz.attribute(part, through=through)


def test_a_thinned_trace_still_says_who_painted(case):
    """Retrieval is hard here: the winner is all that painted."""
    for by in BYS:
        expected = by_name(ktviz.attribute(case.trace, by=by, through="footprint"))
        assert by_name(ktviz.attribute(thin(case.trace), by=by, through="footprint")) == pytest.approx(expected)


class Attention(nn.Module):
    """Somebody else's model: a mixture of eight stored colours at every 8 px."""

    def __init__(self):
        super().__init__()
        self.keys = nn.Parameter(torch.rand(8, 3, generator=torch.Generator().manual_seed(0)))

    def forward(self, image):
        cells = nn.functional.avg_pool2d(image, 8).flatten(2).transpose(1, 2)
        self.weights = torch.softmax(4 * cells @ self.keys.T, dim=-1)
        mixed = (self.weights @ self.keys).transpose(1, 2).unflatten(2, (image.shape[2] // 8, -1))
        return mixed.repeat_interleave(8, 2).repeat_interleave(8, 3)


class TwoLayers(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = Attention(), Attention()

    def forward(self, image):
        return (self.one(image) + self.two(image)) / 2


def listen(module):
    """Read an `Attention`: all eight candidates with their weights."""
    return ktviz.adapt(
        module,
        lambda inputs, output: [ktviz.Matches.soft(weights, top=8) for weights in module.weights],
        queries=ktviz.Queries.grid(4, 5, step_px=8),
        catalogue=ktviz.Catalogue.wholes([f"colour {n}" for n in range(8)], "palette"),
    )


@pytest.fixture(scope="module")
def soft(paint):
    model = Attention()
    image = torch.from_numpy(paint(9, 32, 40)).permute(2, 0, 1)[None] / 255
    with torch.no_grad(), ktviz.record(model, listen(model)) as trace:
        model(image)
    with torch.no_grad(), ktviz.record(model, listen(model), memory="14 KB", over="winners") as thinned:
        model(image)
    return SimpleNamespace(model=model, trace=trace, thinned=thinned, image=image)


def test_soft_retrieval_shares_the_credit_by_its_weights(soft):
    found = by_name(ktviz.attribute(soft.trace))
    expected = soft.model.weights[0].mean(0).detach().numpy()
    assert found == pytest.approx({f"colour {n}": share for n, share in enumerate(expected)}, abs=1e-6)
    box = by_name(ktviz.attribute(soft.trace, Box(8, 16, 12, 8)))
    # Query 11 of five in a row is covered whole, query 12 by half.
    expected = (2 * soft.model.weights[0, 11] + soft.model.weights[0, 12]).detach().numpy() / 3
    assert box == pytest.approx({f"colour {n}": share for n, share in enumerate(expected)}, abs=1e-6)


def test_a_system_without_decoder_bands_and_tree_says_what_it_cannot_answer(soft):
    for through in METHODS:
        with pytest.raises(AbilityError, match=r"no system.*adapter.*gives no abilities.*what rows can answer"):
            ktviz.attribute(soft.trace, through=through)
    with pytest.raises(AbilityError, match="bands"):
        ktviz.attribute(soft.trace, by="band")
    with pytest.raises(AbilityError, match="no abilities"):
        ktviz.attribute(soft.trace, by="node")
    with pytest.raises(AbilityError, match="no abilities"):
        ktviz.without(soft.trace, "colour 1")
    assert "through overlap" in texts(ktviz.attribute(soft.trace).plot())


def test_a_soft_trace_that_was_thinned_is_refused_because_its_shares_would_not_add_up(soft):
    assert soft.thinned.thinned
    with pytest.raises(TraceError, match="thinned"):
        ktviz.attribute(soft.thinned)


def test_a_trace_of_two_sites_is_asked_one_by_one(soft):
    model = TwoLayers()
    with torch.no_grad(), ktviz.record(model, listen(model.one), listen(model.two)) as trace:
        model(soft.image)
    for ask in (ktviz.attribute, ktviz.backtrack):
        with pytest.raises(TraceError, match="2 sites"):
            ask(trace)
    expected = model.two.weights[0].mean(0).detach().numpy()
    found = by_name(ktviz.attribute(trace.site("two")))
    assert found == pytest.approx({f"colour {n}": share for n, share in enumerate(expected)}, abs=1e-6)


def test_a_datamodel_of_a_region_that_no_knowledge_reaches_says_so():
    nothing = SimpleNamespace(present=np.empty(0, dtype=np.int64), units=[])
    with pytest.raises(TraceError, match="no knowledge has a part in this region"):
        datamodel(nothing, runs=4, seed=0, budget=Budget())
