"""A model that knows nothing of ktviz is recorded through an adapter."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ktviz as kt
from ktviz.errors import SettingError, TraceError
from ktviz.figures.share_bars import share_figure
from ktviz.retrieval.credit import Credit
from ktviz.trace.schema import CORE
from ktviz.trace.shares import lacking, lacking_by_class

GRID, CELL_PX, BATCH, TOP = 64, 2, 2, 8
NAMES = ["dawn.png", "dusk.png"]


class Correspondence(nn.Module):
    """Cross-domain correspondence as published models write it: plain torch.

    Content and exemplars are projected, centred and normalised; every position of the content attends to every
    position of both exemplars, and the exemplars' colours are warped by the softmax.
    """

    def __init__(self, temperature: float = 0.02) -> None:
        super().__init__()
        self.project = nn.Conv2d(3, 12, 1)
        self.attend = nn.Softmax(dim=-1)
        self.temperature = temperature

    def forward(self, content: Tensor, exemplars: Tensor) -> Tensor:
        batch, _, rows, columns = content.shape
        theta = self.normalised(self.project(content)).flatten(2)
        phi = torch.cat([self.normalised(self.project(e)).flatten(2) for e in exemplars.unbind(1)], dim=2)
        attention = self.attend(torch.bmm(theta.transpose(1, 2), phi) / self.temperature)
        colours = exemplars.transpose(1, 2).flatten(2).transpose(1, 2)
        return torch.bmm(attention, colours).transpose(1, 2).reshape(batch, 3, rows, columns)

    @staticmethod
    def normalised(features: Tensor) -> Tensor:
        return F.normalize(features - features.mean(dim=1, keepdim=True), dim=1)


class Warper(nn.Module):
    """A whole third-party model: shrink, warp, enlarge."""

    def __init__(self) -> None:
        super().__init__()
        self.correspondence = Correspondence()

    def forward(self, image: Tensor, exemplars: Tensor) -> Tensor:
        warped = self.correspondence(F.avg_pool2d(image, CELL_PX), exemplars)
        return F.interpolate(warped, scale_factor=CELL_PX)


@pytest.fixture(scope="module")
def case():
    """The model, a batch of two images, two exemplars each, and the softmax matrix it makes of them."""
    torch.manual_seed(0)
    model = Warper().eval().requires_grad_(False)
    image = torch.rand(BATCH, 3, GRID * CELL_PX, GRID * CELL_PX)
    exemplars = torch.rand(BATCH, 2, 3, GRID, GRID)
    seen = []
    handle = model.correspondence.attend.register_forward_hook(lambda module, inputs, output: seen.append(output))
    output = model(image, exemplars)
    handle.remove()
    return model, image, exemplars, seen[0], output


def catalogue() -> kt.Catalogue:
    return kt.Catalogue.positions(NAMES, GRID, GRID, cell_px=CELL_PX)


def soft_site(model: Warper, **settings) -> kt.Adapted:
    """Rows of the softmax, the heaviest few."""
    return kt.adapt(
        model.correspondence.attend,
        lambda inputs, output: [kt.Matches.soft(image, top=TOP) for image in output],
        queries=kt.Queries.grid(GRID, GRID, step_px=CELL_PX),
        catalogue=catalogue(),
        **settings,
    )


@pytest.fixture(scope="module")
def soft(case):
    """A trace of both images."""
    model, image, exemplars, _, _ = case
    with kt.record(model, soft_site(model)) as trace:
        model(image, exemplars)
    return trace


def test_an_adapted_model_gives_the_same_bits_and_keeps_no_hook(case):
    model, image, exemplars, _, expected = case
    with kt.record(model, soft_site(model)):
        during = model(image, exemplars)
    assert torch.equal(during, expected)
    assert torch.equal(model(image, exemplars), expected)
    assert not any(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def test_top_k_and_left_over_mass_are_those_of_the_softmax(case, soft):
    attention = case[3].numpy()
    assert soft.sites == ["correspondence.attend"]
    assert len(soft) == BATCH * GRID * GRID
    for number in range(BATCH):
        one = soft.image(number)
        weights = -np.sort(np.partition(-attention[number], TOP - 1, axis=1)[:, :TOP], axis=1)
        entry = one.column("entry", winners=False).reshape(-1, TOP)
        assert np.array_equal(one.column("weight", winners=False).reshape(-1, TOP), weights)
        assert np.array_equal(np.take_along_axis(attention[number], entry, axis=1), weights)
        assert np.allclose(one.column("left_over"), 1 - weights.sum(1), atol=1e-6)
        assert np.array_equal(one.column("entry"), attention[number].argmax(1))
        assert np.allclose(one.column("margin"), weights[:, 0] - weights[:, 1], atol=1e-7)


def test_the_warp_rebuilt_from_a_trace_is_wrong_by_no_more_than_the_left_over_mass(case, soft):
    _, _, exemplars, attention, _ = case
    for number in range(BATCH):
        one = soft.image(number)
        colours = exemplars[number].transpose(0, 1).flatten(1).T.double().numpy()  # in [0, 1]
        weight = one.column("weight", winners=False).reshape(-1, TOP).astype(np.float64)
        rebuilt = (weight[..., None] * colours[one.column("entry", winners=False).reshape(-1, TOP)]).sum(1)
        error = np.abs(attention[number].double().numpy() @ colours - rebuilt).max(1)
        left_over = one.column("left_over").astype(np.float64)
        assert (error <= left_over + 1e-5).all()
        assert left_over.max() > 0.01  # the bound says something


def test_entries_name_their_exemplar_and_their_place_on_it(soft):
    one = soft.image(1)
    entry = one.column("entry", winners=False)
    source, place = np.divmod(entry, GRID * GRID)
    y, x = np.divmod(place, GRID)
    assert one.column("source", winners=False).tolist() == [NAMES[n] for n in source]
    expected = np.stack((x, y, np.ones_like(x), np.ones_like(y)), 1) * CELL_PX
    assert np.array_equal(one.column("source_box", winners=False), expected)
    query = one.column("query")
    expected = np.stack((query % GRID, query // GRID, np.ones_like(query), np.ones_like(query)), 1) * CELL_PX
    assert np.array_equal(one.column("box"), expected)


def test_shares_and_what_is_left_over_sum_to_one(soft):
    one = soft.image(0)
    shares = one.sources().set_index("source")["share"]
    weight, names = one.column("weight", winners=False), one.column("source", winners=False)
    for name in NAMES:
        assert shares[name] == pytest.approx(weight[names == name].sum() / GRID**2, rel=1e-5)
    assert shares.sum() + one.column("left_over").mean() == pytest.approx(1, abs=1e-5)


def test_fewer_candidates_leave_more_over(case, soft):
    model, image, exemplars, attention, _ = case
    with kt.record(model, soft_site(model), candidates=3) as trace:
        model(image, exemplars)
    expected = 1 - attention[0].double().topk(3, dim=1).values.sum(1).numpy()
    assert np.allclose(trace.image(0).column("left_over"), expected, atol=1e-6)
    assert np.array_equal(trace.image(0).column("margin"), soft.image(0).column("margin"))


def test_thinning_turns_the_weight_of_what_it_drops_into_left_over_mass(case):
    model, image, exemplars, attention, _ = case
    with kt.record(model, soft_site(model), memory="4 MB", over="winners") as trace:
        model(image, exemplars)
    assert trace.thinned
    one = trace.image(1)
    assert np.allclose(one.column("left_over"), 1 - attention[1].amax(1).numpy(), atol=1e-6)
    assert one.sources()["share"].sum() + one.column("left_over").mean() == pytest.approx(1, abs=1e-5)


def test_pictures_of_the_batch_belong_to_their_images(case, soft):
    _, image, _, _, output = case
    for number in range(BATCH):
        for found, expected in ((soft.image(number).input, image), (soft.image(number).output, output)):
            pixels = (expected[number].clamp(0, 1).permute(1, 2, 0) * 255).round().byte().numpy()
            assert np.array_equal(found, pixels)


def test_a_nearest_neighbour_field_is_hard_retrieval(case):
    """As in patch matching: one position of the exemplar per position of the image, and its score."""
    model, image, exemplars, attention, _ = case
    site = kt.adapt(
        model.correspondence.attend,
        lambda inputs, output: [kt.Matches.hard(o.argmax(1), o.amax(1)) for o in output],
        queries=kt.Queries.grid(GRID, GRID, step_px=CELL_PX),
        catalogue=catalogue(),
    )
    with kt.record(model, site) as trace:
        model(image, exemplars)
    one = trace.image(0)
    assert one.table.num_rows == len(one) == GRID**2
    assert one.column("entry").tolist() == attention[0].argmax(1).tolist()
    assert set(one.column("weight")) == {1}
    assert set(one.column("left_over")) == {0}
    assert np.isnan(one.column("margin")).all()
    first = np.mean(attention[0].argmax(1).numpy() < GRID**2)
    assert one.sources().set_index("source")["share"][NAMES[0]] == pytest.approx(first)


def test_a_system_without_bands_and_tree_has_no_columns_for_them(soft):
    assert soft.table.column_names == CORE.names


def test_whether_the_candidates_fed_the_output_is_stated(case, soft):
    model, image, exemplars, _, _ = case
    with kt.record(model, soft_site(model, causal=False)) as trace:
        model(image, exemplars)
    for recorded, causal in ((soft, True), (trace, False)):
        (site,) = recorded.about["sites"]
        assert {
            "name": "correspondence.attend",
            "type": "Softmax",
            "causal": causal,
            "kind": "soft",
        }.items() <= site.items()
        assert recorded.summary()["causal"] == causal
    assert trace.table.equals(soft.table)


def test_an_adapted_trace_is_the_same_after_saving(soft, tmp_path):
    one = soft.image(0)
    one.save(tmp_path / "one.parquet", pictures="both")
    back = kt.Trace.open(tmp_path / "one.parquet")
    assert back.digest == one.digest
    assert np.array_equal(back.output, one.output)
    assert back.sources().equals(one.sources())


# Whole images, codes, sizes


class Gallery(nn.Module):
    """Mixes style codes by attention; one query for the whole image."""

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        self.codes = nn.Parameter(codes)
        self.scores = nn.Linear(3, len(codes), bias=False)

    def forward(self, image: Tensor) -> Tensor:
        return self.scores(image.mean((2, 3))).softmax(1) @ self.codes


def whole_image(inputs, output):
    height, width = 24, 40
    return kt.Queries(torch.zeros(1), torch.zeros(1), torch.tensor([[0.0, 0.0, width, height]]))


def test_candidates_may_be_whole_images_with_their_credits():
    torch.manual_seed(1)
    model, image = Gallery(torch.rand(3, 5)), torch.rand(2, 3, 24, 40)
    names = ["a.png", "b.png", "c.png"]
    credits = [Credit(title=name, creator="Ann", licence="CC0-1.0") for name in names]
    whole = kt.Catalogue.wholes(names, bank="style/codes")
    gallery = kt.Catalogue(names, whole.source, whole.box, "style/codes", credits, digest="abc")
    site = kt.adapt(
        model.scores,
        lambda inputs, output: [kt.Matches.soft(row.softmax(0)[None], top=2) for row in output],
        queries=whole_image,
        catalogue=gallery,
        causal=False,
    )
    with kt.record(model, site) as trace:
        model(image)
    expected = model.scores(image.mean((2, 3))).softmax(1).detach()
    for number in range(2):
        one = trace.image(number)
        shares = one.sources().set_index("source")
        top = expected[number].topk(2)
        for weight, entry in zip(top.values.tolist(), top.indices.tolist(), strict=True):
            assert shares["share"][names[entry]] == pytest.approx(weight)
        assert np.isnan(one.column("source_box")).all()
        assert one.table["source_box"].null_count == 2
        assert shares["creator"].tolist() == ["Ann"] * 3
        assert set(shares["bank"]) == {"style/codes"}
    assert trace.about["digests"]["library bank style/codes"] == "abc"
    assert len(trace.image(0).spread("a.png", kt.Box(0, 0, 9, 9))) == 0  # a whole has no part


@pytest.mark.parametrize("size", [(16, 16), (24, 40), (8, 64)])
def test_queries_may_depend_on_the_size_of_the_call(size):
    torch.manual_seed(2)
    model = Correspondence().requires_grad_(False)
    rows, columns = size

    def queries(inputs, output):
        return kt.Queries.grid(rows, len(output[0]) // rows, step_px=4)

    site = kt.adapt(
        model.attend,
        lambda inputs, output: [kt.Matches.soft(image) for image in output],
        queries=queries,
        catalogue=kt.Catalogue.positions(NAMES, rows, columns, cell_px=4),
    )
    with kt.record(model, site) as trace:
        model(torch.rand(1, 3, rows, columns), torch.rand(1, 2, 3, rows, columns))
    assert len(trace) == rows * columns
    assert trace.column("y").max() == rows - 1
    assert trace.column("x").max() == columns - 1


def test_two_modules_are_adapted_at_once(case):
    model, image, exemplars, _, _ = case
    site = kt.adapt(
        model.correspondence.project,
        lambda inputs, output: kt.Matches.hard(torch.zeros(1, dtype=torch.int64), torch.ones(1)),
        queries=whole_image,
        catalogue=kt.Catalogue.wholes(["palette"]),
    )
    with kt.record(model, soft_site(model), site) as trace:
        model(image, exemplars)
    assert trace.sites == ["correspondence.project", "correspondence.attend"]
    assert len(trace.site("correspondence.project")) == 3  # called for the content and for two exemplars
    assert {s["source"] for s in trace.about["sources"]} == {*NAMES, "palette"}


# What is wrong is said


def rows(count, width=3, entry=0):
    return kt.Matches.hard(torch.full((count, width), entry), torch.rand(count, width))


def broken(**parts) -> kt.Matches:
    return kt.Matches(**{**vars(rows(4)), **parts})


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, "the reader gave NoneType"),
        (7, "the reader gave int"),
        (torch.rand(4, 3), "the reader gave Tensor"),
        ([rows(4), "nothing"], "the reader gave str"),
        (rows(5), "5 retrievals for 4 queries"),
        (rows(4, entry=9), "entry 9 of 9 entries"),
        (rows(4, entry=-2), "entry -2 of 9 entries"),
        (rows(4, width=0), r"entries of shape \(4, 0\)"),
        (broken(entry=torch.zeros(4, dtype=torch.int64)), r"entries of shape \(4,\)"),
        (broken(entry=torch.rand(4, 3)), "float32"),
        (broken(similarity=torch.rand(4, 2)), r"similarity of shape \(4, 2\) for entries of shape \(4, 3\)"),
        (broken(weight=torch.rand(4)), r"weight of shape \(4,\)"),
        (broken(chosen=torch.full((4,), 3)), "a chosen column outside the 3 candidates"),
    ],
)
def test_a_reader_that_gives_something_else_is_told_what_and_leaves_no_hook(found, said):
    model = nn.Sequential(nn.ReLU())
    site = kt.adapt(
        model[0],
        lambda inputs, output: found,
        queries=kt.Queries.grid(2, 2, step_px=8),
        catalogue=kt.Catalogue.positions(["a"], 3, 3, cell_px=8),
    )
    with pytest.raises(TraceError, match=f"read the retrievals of ReLU: .*{said}"), kt.record(model, site):
        model(torch.rand(1, 3, 16, 16))
    assert not model[0]._forward_hooks
    assert not model._forward_hooks


def test_queries_that_are_none_are_refused():
    model = nn.Sequential(nn.ReLU())
    site = kt.adapt(model[0], lambda i, o: rows(4), queries=lambda i, o: None, catalogue=kt.Catalogue.wholes(["a"]))
    with pytest.raises(TraceError, match=r"queries that are NoneType\. Say where they lie"), kt.record(model, site):
        model(torch.rand(1, 3, 16, 16))


def test_an_error_of_the_reader_is_not_swallowed():
    model = nn.Sequential(nn.ReLU())
    site = kt.adapt(
        model[0],
        lambda inputs, output: output.no_such_thing,
        queries=kt.Queries.grid(2, 2, 8),
        catalogue=kt.Catalogue.wholes(["a"]),
    )
    with pytest.raises(AttributeError, match="no_such_thing"), kt.record(model, site):
        model(torch.rand(1, 3, 16, 16))


def test_a_module_of_another_model_is_refused(case):
    said, other = "the adapted Softmax is not one of its modules", nn.Sequential(nn.ReLU())
    with pytest.raises(TraceError, match=said), kt.record(other, soft_site(case[0])):
        pass


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"names": ["a", "a"]}, "two have the same name"),
        ({"box": torch.zeros(3, 4)}, r"boxes of shape \(3, 4\) for 2 entries"),
        ({"source": torch.tensor([0, 2])}, "an entry of another source"),
        ({"source": torch.tensor([-1, 0])}, "an entry of another source"),
        ({"credits": [Credit()]}, "1 credits"),
    ],
)
def test_candidates_that_do_not_fit_together_are_refused(wrong, said):
    parts = {"names": ["a", "b"], "source": torch.tensor([0, 1]), "box": torch.zeros(2, 4)}
    with pytest.raises(SettingError, match=said):
        kt.Catalogue(**{**parts, **wrong})


@pytest.mark.parametrize(
    ("what", "entries"),
    [([], []), (["b"], [2, 3]), ([3, "a", 0, torch.tensor(3)], [0, 1, 3]), ((), []), (iter([2]), [2])],
)
def test_what_is_left_out_is_told_in_entries(what, entries):
    catalogue = kt.Catalogue.positions(["a", "b", "c"], rows=1, columns=2, cell_px=8)
    found = catalogue.entries_of(what)
    assert found.dtype == torch.int64
    assert found.tolist() == entries


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_an_adapted_model_on_a_gpu_gives_the_same_bits(case):
    model, image, exemplars, _, _ = case
    model, image, exemplars = (thing.cuda() for thing in (model, image, exemplars))
    before = model(image, exemplars)
    with kt.record(model, soft_site(model)) as trace:
        during = model(image, exemplars)
    model.cpu()
    assert torch.equal(before, during)
    assert trace.about["device"].startswith("cuda")
    assert len(trace) == BATCH * GRID**2


def test_sources_of_one_name_in_two_banks_are_told_apart():
    class Layer(torch.nn.Module):
        def forward(self, image):
            return torch.tensor([0])

    model = torch.nn.Sequential()
    model.one, model.two = Layer(), Layer()
    model.forward = lambda image: (model.one(image), model.two(image))
    sites = [
        kt.adapt(
            getattr(model, name),
            lambda inputs, output: kt.Matches.hard(output, torch.ones(1)),
            queries=kt.Queries.grid(1, 1, step_px=16),
            catalogue=kt.Catalogue.wholes(["e.png"], bank=name),
        )
        for name in ("one", "two")
    ]
    with kt.record(model, *sites) as trace:
        model(torch.zeros(1, 3, 16, 16))
    assert trace.to_pandas()["source"].tolist() == ["one/e.png", "two/e.png"]
    assert trace.to_pandas()["bank"].tolist() == ["one", "two"]
    assert trace.sources().query("share > 0")["source"].tolist() == ["one/e.png", "two/e.png"]


@pytest.mark.parametrize("weights", [[[0.9, 0.9]], [[0.6, -0.1]], [[float("nan"), 0.1]]])
def test_weights_that_are_no_parts_of_a_whole_are_refused(weights):
    model = torch.nn.Identity()
    site = kt.adapt(
        model,
        lambda inputs, output: kt.Matches.soft(torch.tensor(weights)),
        queries=kt.Queries.grid(1, 1, step_px=16),
        catalogue=kt.Catalogue.wholes(["a", "b"]),
    )
    with pytest.raises(TraceError, match="no parts of a whole"), kt.record(model, site):
        model(torch.zeros(1))


def test_a_model_that_keeps_gradients_is_recorded_without_a_warning():
    model = torch.nn.Conv2d(3, 3, 1)
    site = kt.adapt(
        model,
        lambda inputs, output: kt.Matches.soft(output[0].flatten(1).T.softmax(1)),
        queries=kt.Queries.grid(16, 16, step_px=1),
        catalogue=kt.Catalogue.wholes(["red", "green", "blue"]),
    )
    with warnings.catch_warnings(), kt.record(model, site) as trace:
        warnings.simplefilter("error")
        model(torch.rand(1, 3, 16, 16))
    assert len(trace) == 256


class Painter(nn.Module):
    """Paints what it is given; its sites say that they took it from six cells of two exemplars."""

    def __init__(self) -> None:
        super().__init__()
        self.choose = nn.Identity()

    def forward(self, image: Tensor) -> Tensor:
        self.choose(image)
        return image


def painted(image=None, similarity=0.0, weight=0.5, **parts):
    """A trace of a painter, all of whose candidates have these numbers."""
    model, count = Painter(), torch.full((4, 6), 1.0)
    matches = kt.Matches(
        torch.arange(6).expand(4, 6), similarity * count, torch.zeros(4, dtype=torch.int64), weight / 6 * count
    )
    adapter = kt.adapt(
        model.choose,
        lambda inputs, output: [matches],
        queries=kt.Queries.grid(2, 2, 8),
        catalogue=kt.Catalogue.positions(["a", "b"], 1, 3, 8),
        **parts,
    )
    with kt.record(model, adapter) as trace:
        model(torch.rand(1, 3, 16, 16) if image is None else image)
    return trace


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_what_could_not_be_read_again_is_not_recorded(value):
    with pytest.raises(TraceError, match="a similarity that is not finite"):
        painted(similarity=value)


@pytest.mark.parametrize(("count", "fits"), [(2**15, True), (2**15 + 1, False)])
def test_more_candidates_than_ranks_are_refused(count, fits):
    model, score = Painter(), torch.linspace(1, 0, count)[None]
    adapter = kt.adapt(
        model.choose,
        lambda inputs, output: [kt.Matches.hard(torch.arange(count)[None], score)],
        queries=kt.Queries.grid(1, 1, 16),
        catalogue=kt.Catalogue.positions(["a"], 1, count, 1),
    )

    def ask(candidates=None):
        with kt.record(model, adapter, candidates=candidates) as trace:
            model(torch.rand(1, 3, 16, 16))
        return trace.column("rank", winners=False).max()

    assert ask(candidates=2**15) == 2**15 - 1
    if fits:
        assert ask() == count - 1
    else:
        with pytest.raises(TraceError, match="rank 32,768, and ranks go to 32,767"):
            ask()


def test_what_was_not_there_to_be_taken_is_told_from_what_was_not_recorded():
    """One of four queries has no candidate; the others leave a quarter over."""
    model, there = Painter(), torch.tensor([[0], [1], [2], [-1]])
    matches = kt.Matches(
        there, torch.where(there < 0, -torch.inf, 0.0), torch.zeros(4, dtype=torch.int64), torch.full((4, 1), 0.75)
    )
    adapter = kt.adapt(
        model.choose,
        lambda inputs, output: [matches],
        queries=kt.Queries.grid(2, 2, 8),
        catalogue=kt.Catalogue.wholes(["a", "b", "c"]),
    )
    with kt.record(model, adapter) as trace:
        model(torch.rand(1, 3, 16, 16))
    assert lacking(trace) == pytest.approx({"nothing taken": 1 / 4, "not recorded": 3 / 16})
    assert lacking(trace, kt.Box(0, 0, 8, 8)) == pytest.approx({"nothing taken": 0, "not recorded": 1 / 4})
    assert lacking(trace, kt.Box(8, 8, 8, 8)) == pytest.approx({"nothing taken": 1, "not recorded": 0})
    assert lacking_by_class(trace) == lacking(trace)
    for drawn in (share_figure(trace), kt.attribute(trace).plot()):
        said = " ".join(text.get_text() for text in drawn.axes[0].texts)
        assert "nothing taken 25%" in said
        assert "not recorded 19%" in said


def test_without_pictures_the_span_is_that_of_input_and_output():
    image = torch.rand(1, 3, 16, 16)
    plain, spread = painted(image), painted(2 * image - 1, span=(-1, 1))
    assert np.array_equal(plain.input, spread.input)
    assert np.array_equal(plain.output, spread.output)


@pytest.mark.parametrize("span", [(1, -1), (1, 1), (0, float("nan")), (0, float("inf")), (0,)])
def test_a_span_goes_from_black_to_white(span):
    with pytest.raises(SettingError, match="not black before white"):
        painted(span=span)


def test_retrievals_that_weigh_nothing_have_figures():
    trace = painted(weight=0.0)
    for figure in (trace.plot(), kt.backtracking_figure(trace)):
        assert figure.get_size_inches()[0] > 0


def test_a_trace_without_retrievals_has_no_figure():
    model = Painter()
    nothing = kt.Matches(torch.full((4, 1), -1), torch.zeros(4, 1), torch.zeros(4, dtype=torch.int64))
    adapter = kt.adapt(
        model.choose,
        lambda inputs, output: [nothing],
        queries=kt.Queries.grid(2, 2, 8),
        catalogue=kt.Catalogue.wholes(["a"]),
    )
    with kt.record(model, adapter) as trace:
        model(torch.rand(1, 3, 16, 16))
    for draw in (trace.plot, lambda: kt.backtracking_figure(trace)):
        with pytest.raises(TraceError, match="a trace without retrievals"):
            draw()


def test_what_is_no_adapter_is_refused():
    with pytest.raises(SettingError, match="a list that is no adapter"), kt.record(Painter(), []):
        pass
