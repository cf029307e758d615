"""What an adapter says of a model besides its retrievals: signs, columns, pictures, and what it can be asked."""

import gc
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from views.wire import Wire

import ktviz as kt
from ktviz.errors import AbilityError, SettingError, TraceError, UnknownNameError
from ktviz.figures.layout import percent
from ktviz.retrieval.extension import Extension
from ktviz.systems.adapted import adapted_system
from ktviz.trace.adapt import Abilities

CELL_PX, ROWS, COLUMNS = 8, 4, 5
NAMES = ["red", "green", "blue", "ochre", "umber"]


class Attention(nn.Module):
    """Somebody else's model: every cell of 8x8 px is painted as a mixture of the stored colours."""

    def __init__(self):
        super().__init__()
        random = torch.Generator().manual_seed(0)
        self.colours = nn.Parameter(torch.rand(len(NAMES), 3, generator=random), requires_grad=False)
        self.attend = nn.Softmax(dim=-1)

    def forward(self, image, gone=()):
        return self.paint(self.weights(image, gone) @ self.colours)

    def weights(self, image, gone=()):
        cells = F.avg_pool2d(image, CELL_PX).flatten(2).transpose(1, 2)
        score = -20 * torch.cdist(cells, self.colours[None]).square()
        score[..., [NAMES.index(name) for name in gone]] = -torch.inf
        return self.attend(score)

    @staticmethod
    def paint(cells):
        picture = cells.transpose(1, 2).unflatten(2, (ROWS, COLUMNS))
        return picture.repeat_interleave(CELL_PX, 2).repeat_interleave(CELL_PX, 3)


class Asked:
    """A model, its adapter, and what the adapter can answer."""

    def __init__(self, **wrong):
        self.model = Attention().eval()
        abilities = {
            "baseline": "the mean of all colours",
            "blend": self.blend,
            "rerun": self.again,
            "exclude": self.again,
        }
        self.palette = kt.Catalogue.wholes(NAMES, "palette")
        self.site = kt.adapt(
            self.model.attend,
            lambda inputs, output: [kt.Matches.soft(image, top=len(NAMES)) for image in output],
            queries=kt.Queries.grid(ROWS, COLUMNS, step_px=CELL_PX),
            catalogue=self.palette,
            abilities=Abilities(**{**abilities, **wrong}),
        )
        self.asked = 0

    def record(self, image, gone=()):
        with torch.no_grad(), kt.record(self.model, self.site) as trace:
            self.model(image, gone)
        return trace

    def again(self, trace, what=()):
        self.asked += 1
        self.model(image_of(trace), self.names(what))

    def names(self, what):
        return [NAMES[entry] for entry in self.palette.entries_of(what)]

    def blend(self, trace, amount):
        mean, gone = self.model.colours.mean(0), self.names(trace.picture.settings.get("without", ()))
        cells = mean + amount[:, None] * (self.model.weights(image_of(trace), gone)[0] @ self.model.colours - mean)
        return self.model.paint(cells[None])[0]


def image_of(trace):
    return torch.from_numpy(trace.input.copy()).permute(2, 0, 1)[None] / 255


@pytest.fixture(scope="module")
def image(paint):
    return torch.from_numpy(paint(9, ROWS * CELL_PX, COLUMNS * CELL_PX)).permute(2, 0, 1)[None] / 255


@pytest.fixture(scope="module")
def case(image):
    asked = Asked()
    return asked, asked.record(image)


def shares(attribution):
    return dict(zip(attribution.frame[attribution.by], attribution.frame["share"], strict=True))


# What can be asked


@pytest.mark.parametrize("region", [None, kt.Box(8, 8, 16, 9), (3, 30)])
def test_gradient_is_that_of_a_linear_blend_worked_out_by_hand(case, region):
    asked, trace = case
    found = kt.attribute(trace, region, by="source", through="gradient")
    with torch.no_grad():
        output, mean = asked.model(image_of(trace))[0], asked.model.colours.mean(0)
    mask = np.zeros((ROWS * CELL_PX, COLUMNS * CELL_PX), bool)
    if region is None:
        mask[:] = True
    elif isinstance(region, tuple):
        mask[region[1], region[0]] = True
    else:
        mask[region.pixels] = True
    energy = ((output - mean[:, None, None]).square().sum(0) * torch.from_numpy(mask)).numpy()
    cells = energy.reshape(ROWS, CELL_PX, COLUMNS, CELL_PX).sum((1, 3)).flatten()
    with torch.no_grad():
        weights = asked.model.weights(image_of(trace))[0].numpy()
    expected = dict(zip(NAMES, weights.T @ cells / cells.sum(), strict=True))
    assert shares(found) == pytest.approx(expected, abs=1e-6)
    assert found.about["completeness_error"] < 1e-6
    assert found.about["baseline"] == found.summary()["baseline"] == "the mean of all colours"


def test_the_footprint_of_a_model_that_nobody_measured_is_its_overlap(case):
    _, trace = case
    region = kt.Box(4, 4, 9, 20)
    found = kt.attribute(trace, region, through="footprint")
    assert shares(found) == pytest.approx(shares(kt.attribute(trace, region)))
    assert found.about["receptive_field"] == "not measured"


@pytest.mark.parametrize("what", ["green", 1, ["green", "umber"], [1, np.int64(4)]])
def test_without_makes_the_run_again(case, image, what):
    asked, trace = case
    gone = [NAMES[one] if isinstance(one, int | np.integer) else one for one in np.atleast_1d(np.array(what, object))]
    found = kt.without(trace, what)
    assert found.table.equals(asked.record(image, gone).table)
    assert np.array_equal(found.output, asked.record(image, gone).output)
    comparison = kt.compare(trace, found)
    assert comparison.changed_share > 0
    assert comparison.about["differs"] == [f"without: none → {', '.join(map(str, np.atleast_1d(what)))}"]
    assert not set(gone) & set(found.column("source"))


def test_what_is_left_out_adds_up_and_stays_out(case, image):
    asked, trace = case
    found = kt.without(kt.without(trace, "green"), 4)
    assert found.picture.settings["without"] == ["green", 4]
    assert found.table.equals(asked.record(image, ["green", "umber"]).table)
    assert kt.attribute(found, through="gradient").about["completeness_error"] < 1e-6
    system = adapted_system(asked.model, found.adapted)
    assert system.rerun(found).digest == found.digest
    assert system.rerun(trace).digest == trace.digest


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("gren", "source 'gren'.*Did you mean green"),
        (5, "entry 5: entries go from 0 to 4"),
        (-1, "entry -1"),
        (NAMES, "without red, green, blue, ochre, umber: nothing would be left"),
        ("palette", "nothing would be left"),
    ],
)
def test_what_cannot_be_left_out_is_named(case, what, said):
    with pytest.raises(UnknownNameError, match=said):
        kt.without(case[1], what)


def test_no_more_is_recorded_again_than_was_recorded(image):
    asked = Asked()
    with torch.no_grad(), kt.record(asked.model, asked.site, candidates=2) as trace:
        asked.model(image)
    assert kt.without(trace, "green").table.num_rows == 2 * len(trace)


@pytest.mark.parametrize("region", [None, kt.Box(8, 8, 16, 9)])
def test_a_share_that_names_no_method_is_one_number_wherever_it_is_asked(image, region):
    asked = Asked()
    asked.site = replace(asked.site, reader=lambda inputs, output: [kt.Matches.soft(one, top=2) for one in output])
    trace = asked.record(image)
    found = kt.attribute(trace, region)
    assert shares(found) == pytest.approx(trace.sources(region).set_index("source")["share"].to_dict())
    assert found.frame["share"].sum() < 0.99


@pytest.mark.parametrize("through", ["overlap", "footprint", "gradient"])
def test_a_figure_says_what_was_not_recorded(image, through):
    asked = Asked()
    asked.site = replace(asked.site, reader=lambda inputs, output: [kt.Matches.soft(one, top=2) for one in output])
    found = kt.attribute(asked.record(image), through=through)
    said = f"not recorded {percent(1 - found.frame['share'].sum())}"
    assert said in " ".join(text.get_text() for text in found.plot().axes[0].texts)


def test_a_view_makes_the_run_again_without_a_source(case):
    _, trace = case
    view = kt.Explorer(trace)
    assert Wire(view).answer("translate", {"without": [1], "weights": None}) == ({}, {})
    assert view.comparison.about["differs"] == ["without: none → green"]
    assert np.array_equal(view.comparison.pictures["after"], kt.without(trace, "green").output)


@pytest.mark.parametrize("times", [0, 2])
def test_an_adapter_that_does_not_run_its_model_once_is_refused(image, times):
    asked = Asked(exclude=lambda trace, what: [asked.model(image) for _ in range(times)])
    with pytest.raises(TraceError, match=f"run Attention again: the adapter ran it on {times} images"):
        kt.without(asked.record(image), "green")


def test_ablation_is_what_the_adapter_makes_without_each(case, image):
    asked, trace = case
    found = kt.attribute(trace, through="ablation")
    assert set(found.frame["source"]) == set(NAMES)  # also those that mix in everywhere and win nowhere
    for name, levels in zip(found.frame["source"], found.frame["levels"], strict=True):
        without = asked.record(image, [name]).output.astype(int)
        assert levels == pytest.approx(np.abs(without - trace.output).mean())


def test_faithfulness_asks_both_its_questions(case):
    _, trace = case
    found = kt.faithfulness(kt.attribute(trace, through="ablation"), subsets=8, seeds=range(20), quiet=True)
    methods = found.frame.set_index("method")
    assert found.about["baseline"] == "the mean of all colours"
    assert found.about["units"] == len(NAMES) > len(set(trace.column("source")))
    # The blend is linear and a cell's change its own, so the gradient says what each unit carries.
    assert methods.loc["gradient", "correlation"] == pytest.approx(1)
    assert methods.loc["ablation", "loo_pixels"] == pytest.approx(1)
    assert found.plot()


def test_runs_are_not_made_twice_for_one_region(image):
    asked = Asked()
    trace = asked.record(image)
    kt.attribute(trace, through="ablation")
    made = asked.asked
    assert made > 0
    kt.attribute(trace, through="ablation")
    assert asked.asked == made


# What cannot be asked


@pytest.mark.parametrize(
    ("missing", "through", "lacks"),
    [
        (("blend", "baseline"), "gradient", "scale what each retrieval contributes"),
        (("exclude",), "ablation", "run again without some of the knowledge"),
        (("exclude",), "datamodel", "run again without some of the knowledge"),
    ],
)
def test_an_ability_that_was_not_given_is_named_beside_those_that_were(image, missing, through, lacks):
    asked = Asked(**dict.fromkeys(missing, None) | ({"baseline": ""} if "baseline" in missing else {}))
    trace = asked.record(image)
    with pytest.raises(AbilityError, match=rf"'Attention' cannot {lacks}.*Ask what it can: .*rerun"):
        kt.attribute(trace, through=through)


@pytest.mark.parametrize("by", ["node", "band"])
def test_there_is_no_tree_and_there_are_no_bands(case, by):
    with pytest.raises(AbilityError, match=r"'Attention' cannot .*(tree|band)"):
        kt.attribute(case[1], by=by, through="gradient")
    for ask in (case[1].regret, case[1].with_regret):
        with pytest.raises(AbilityError, match="find the exact best entries"):
            ask()


def test_without_abilities_only_rows_can_answer(image):
    asked = Asked(blend=None, rerun=None, exclude=None, baseline="")
    trace = asked.record(image)
    with pytest.raises(AbilityError, match="gives no abilities"):
        kt.attribute(trace, through="gradient")
    assert kt.attribute(trace).frame["share"].sum() == pytest.approx(1)


def test_an_adapter_that_is_gone_is_not_asked(image):
    asked = Asked()
    trace, model = asked.record(image), asked.model
    del asked
    gc.collect()
    assert trace.model is model
    with pytest.raises(AbilityError, match="give the adapter abilities and keep it"):
        kt.attribute(trace, through="gradient")


def test_another_model_of_its_class_is_refused(case):
    with pytest.raises(TraceError, match="gives no abilities"):
        kt.attribute(case[1], through="gradient", model=Attention())


@pytest.mark.parametrize(
    ("blend", "said"),
    [
        (lambda trace, amount: amount, r"\(20,\), not \(3, 32, 40\)"),
        (lambda trace, amount: torch.zeros(1, 3, 32, 40), r"\(1, 3, 32, 40\), not \(3, 32, 40\)"),
        (lambda trace, amount: np.zeros((3, 32, 40)), "ndarray, not"),
        (lambda trace, amount: None, "NoneType, not"),
    ],
)
def test_a_blend_of_another_shape_is_refused(image, blend, said):
    asked = Asked(blend=blend)
    trace = asked.record(image)
    with pytest.raises(TraceError, match=f"blend the retrievals of Attention: {said}"):
        kt.attribute(trace, through="gradient")


def test_a_blend_that_does_not_end_at_the_output_is_refused(image):
    asked = Asked(blend=lambda trace, amount: asked.model(image, ["green"])[0] * amount.mean())
    with pytest.raises(TraceError, match=r"with all amounts at 1 it is \d+\.\d levels from the output"):
        kt.attribute(asked.record(image), through="gradient")


def test_a_blend_needs_a_baseline_in_words():
    with pytest.raises(SettingError, match="nobody could tell what 0 means"):
        Abilities(blend=lambda trace, amount: amount)


# Signs


def identity(weights, **more):
    """A module, adapted: these weights (N, P) whatever it is asked."""
    model = nn.Identity()
    site = kt.adapt(
        model,
        lambda inputs, output: kt.Matches.soft(torch.tensor(weights), top=2),
        queries=kt.Queries.grid(1, len(weights), step_px=16),
        catalogue=kt.Catalogue.wholes(["a", "b", "c"]),
        **more,
    )
    return model, site


def test_signed_weights_are_kept_by_size_with_what_is_left_over():
    model, site = identity([[0.5, -0.75, 0.25], [2.0, 0.0, -0.5]], signed=True)
    with kt.record(model, site) as trace:
        model(torch.zeros(1, 3, 16, 32))
    assert trace.site_about["kind"] == "signed"
    assert trace.column("source", winners=False).tolist() == ["b", "a", "a", "c"]
    assert trace.column("weight", winners=False).tolist() == [-0.75, 0.5, 2.0, -0.5]
    assert trace.column("left_over").tolist() == [1.25, -0.5]
    shares = trace.sources().set_index("source")["share"]
    assert shares.to_dict() == pytest.approx({"a": 1.25, "b": -0.375, "c": -0.25})
    assert shares.sum() + trace.column("left_over").mean() == pytest.approx(1)


def test_a_thinned_signed_trace_still_says_what_is_left_over():
    model, site = identity([[0.5, -0.75, 0.25]] * 200, signed=True)
    with kt.record(model, site, memory="16 KB", over="winners") as trace:
        model(torch.zeros(1))
    assert trace.thinned
    assert set(trace.column("weight")) == {-0.75}
    assert set(trace.column("left_over")) == {1.75}


# Columns of one's own


OWN = (
    Extension("code", pa.int32(), "number of the style code", "query"),
    Extension("heat", pa.float32(), "before the softmax"),
    Extension("gaze", pa.list_(pa.float32(), 4), "px", "winner", ("x", "y", "width", "height")),
    Extension("trail", pa.list_(pa.int32()), "cells", "winner"),
)


def with_extensions(values, **more):
    model = nn.Identity()

    def read(inputs, output):
        entry = torch.tensor([[2, 0, 1], [1, 2, 0]])
        return kt.Matches.hard(entry, torch.tensor([[0.9, 0.8, 0.1], [0.7, 0.6, 0.5]]), **values)

    site = kt.adapt(
        model,
        read,
        queries=kt.Queries.grid(1, 2, step_px=16),
        catalogue=kt.Catalogue.wholes(["a", "b", "c"]),
        **{"prefix": "mine", "extensions": OWN, **more},
    )
    return model, site


VALUES = {
    "code": torch.tensor([7, 8]),
    "heat": torch.arange(6.0).view(2, 3),
    "gaze": torch.arange(8.0).view(2, 4),
    "trail": torch.tensor([[3, 4, -1], [5, -1, -1]]),
}


def test_columns_of_ones_own_stand_in_the_trace_under_a_prefix(tmp_path):
    model, site = with_extensions(VALUES)
    with kt.record(model, site, candidates=2) as trace:
        model(torch.zeros(1))
    assert trace.table.column_names[-4:] == ["mine.code", "mine.heat", "mine.gaze", "mine.trail"]
    assert trace.table["mine.code"].to_pylist() == [7, 7, 8, 8]
    assert trace.table["mine.heat"].to_pylist() == [0, 1, 3, 4]
    assert trace.table["mine.gaze"].to_pylist() == [[0, 1, 2, 3], None, [4, 5, 6, 7], None]
    assert trace.table["mine.trail"].to_pylist() == [[3, 4], None, [5], None]
    assert [e["unit"] for e in trace.site_about["extensions"]] == [e.unit for e in OWN]
    assert trace.to_pandas(flat=True)["mine.gaze_width"].dropna().tolist() == [2, 6]
    trace.save(tmp_path / "own.parquet")
    back = kt.Trace.open(tmp_path / "own.parquet")
    assert back.digest == trace.digest
    assert back.table.equals(trace.table)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"heat": None}, "record mine.heat: the matches lack it"),
        ({"heat": torch.zeros(2)}, r"record mine.heat: a shape \(2,\), for one value per candidate \(2, 3\)"),
        ({"code": torch.zeros(3)}, r"record mine.code: a shape \(3,\), for one value per query \(2,\)"),
    ],
)
def test_a_column_that_is_not_as_declared_is_named(wrong, said):
    values = {name: value for name, value in {**VALUES, **wrong}.items() if value is not None}
    model, site = with_extensions(values)
    with pytest.raises(TraceError, match=said), kt.record(model, site):
        model(torch.zeros(1))
    assert not model._forward_hooks


def test_columns_without_a_prefix_are_refused():
    with pytest.raises(SettingError, match="no prefix for their columns"):
        with_extensions(VALUES, prefix="")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (("Heat", pa.float32()), "no plain word"),
        (("heat.more", pa.float32()), "no plain word"),
        (("heat", pa.string()), "no trace holds it"),
        (("box", pa.list_(pa.float32(), 4)), "0 parts"),
        (("heat", pa.float32(), "", "pixel"), "Choose one of query, candidate, winner"),
    ],
)
def test_a_column_that_no_trace_can_hold_is_refused(parts, said):
    with pytest.raises(SettingError, match=said):
        Extension(*parts)


# Pictures


class Centred(nn.Module):
    """A model whose pictures are in [-1, 1], and which has an exemplar."""

    def __init__(self):
        super().__init__()
        self.look = nn.Identity()

    def forward(self, batch):
        self.look(batch["photo"])
        return {"made": -batch["photo"]}


def centred(pictures, **more):
    model = Centred()
    site = kt.adapt(
        model.look,
        lambda inputs, output: [rows() for _ in output],
        queries=kt.Queries.grid(1, 1, step_px=16),
        catalogue=kt.Catalogue.wholes(["a"]),
        pictures=pictures,
        **more,
    )
    return model, site


def rows():
    return kt.Matches.hard(torch.zeros(1, dtype=torch.int64), torch.ones(1))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_pictures_of_any_range_and_precision_are_told_by_the_adapter(paint, kind):
    photos = np.stack([paint(1, 16, 16), paint(2, 16, 16)])
    floats = torch.from_numpy(photos).permute(0, 3, 1, 2).to(torch.float64) / 127.5 - 1
    model, site = centred(
        lambda inputs, output: {
            "input": inputs[0]["photo"],
            "output": output["made"],
            "reference:0": inputs[0]["exemplar"],
        },
        span=(-1, 1),
    )
    batch = {"photo": floats.to(kind), "exemplar": floats[:, :, ::2].flip(0)}
    with kt.record(model, site) as trace:
        model(batch)
    room = 4 if kind in (torch.float16, torch.bfloat16) else 0
    for number, photo in enumerate(photos):
        one = trace.image(number)
        assert np.abs(one.input.astype(int) - photo).max() <= room
        assert np.abs(one.output.astype(int) - (255 - photo)).max() <= room
        assert one.picture.size_of("reference:0") == (8, 16)
        assert np.array_equal(one.picture.canvases["reference:0"], photos[1 - number][::2])


def test_a_picture_of_uint8_is_taken_as_it_is(paint, tmp_path):
    photo = paint(3, 16, 16)
    model, site = centred(lambda inputs, output: {"input": photo, "reference:0": photo[:8]})
    with kt.record(model, site) as trace:
        model({"photo": torch.zeros(1, 3, 16, 16)})
    assert np.array_equal(trace.input, photo)
    assert trace.output is None
    trace.save(tmp_path / "t.parquet", pictures="both")
    back = kt.Trace.open(tmp_path / "t.parquet")
    assert np.array_equal(back.picture.canvases["reference:0"], photo[:8])
    assert back.digest == trace.digest


@pytest.mark.parametrize(
    ("given", "span", "said"),
    [
        (torch.full((1, 3, 4, 4), -1.0), (0, 1), r"values from -1 to -1.*Say what black and white are"),
        (torch.full((1, 3, 4, 4), 200.0), (-1, 1), "values from 200 to 200"),
        (torch.full((1, 3, 4, 4), torch.nan), (0, 1), "values from nan"),
        (torch.zeros(1, 1, 4, 4), (0, 1), r"a Tensor of shape \(1, 1, 4, 4\)"),
        (torch.zeros(0, 3, 4, 4), (0, 1), r"a Tensor of shape \(0, 3, 4, 4\)"),
        (np.zeros((4, 4, 3)), (0, 1), r"a ndarray of shape \(4, 4, 3\)"),
        ("photo.png", (0, 1), "a str"),
    ],
)
def test_what_is_no_picture_of_its_range_is_refused_by_name(given, span, said):
    model, site = centred(lambda inputs, output: {"reference:0": given}, span=span)
    with pytest.raises(TraceError, match=f"the picture 'reference:0' of Identity: {said}"), kt.record(model, site):
        model({"photo": torch.zeros(1, 3, 16, 16)})
    assert not model._forward_hooks
    assert not model.look._forward_hooks
