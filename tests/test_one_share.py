"""One region, one share: every place that prints a share without naming a method prints the same number."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.text import Text

import ktviz
from ktviz.audit.findings import boxes
from ktviz.audit.report import render
from ktviz.figures.colours import trace_colours
from ktviz.figures.interactive import share_bars
from ktviz.figures.layout import percent
from ktviz.figures.maps import similarity_map, trace_figure
from ktviz.figures.picks import select
from ktviz.figures.share_bars import share_figure
from ktviz.regions import Box
from ktviz.systems.kt.shares import source_shares
from ktviz.systems.kt.translator import Translator
from ktviz.trace.shares import text
from ktviz.trace.store import TraceStore
from ktviz.widgets.answers import Answers
from ktviz.widgets.protocol import PROTOCOL
from ktviz.widgets.scene import describe
from ktviz.widgets.sites import first_site
from ktviz.widgets.snapshot import snapshot
from ktviz.widgets.subject import Subject


class Blur(torch.nn.Module):
    """A decoder that mixes cells: what it paints of a region also comes from outside."""

    channels = 8

    def forward(self, features):
        mixed = torch.nn.functional.avg_pool2d(features[:, :3], 5, stride=1, padding=2)
        return mixed.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


REGIONS = {"whole": None, "region": Box(12, 8, 20, 16)}


@pytest.fixture(scope="module")
def case(world, paint):
    translator = Translator(world.banks, world.translator.encoder, Blur())
    photo = paint(9, 64, 72)
    return SimpleNamespace(translator=translator, trace=translator.traced(photo), photo=photo)


@pytest.fixture(params=REGIONS)
def region(request):
    return REGIONS[request.param]


def by_source(frame, column="share"):
    return frame.groupby("source", observed=True)[column].sum().to_dict()


def shown(trace):
    """What a view shows at first."""
    return Subject.create(trace, site=first_site(trace))


def numbers(case, region, tmp_path):
    """Share of every source, from every place that gives it as a number: {place: {source: share}}."""
    trace = case.trace
    names = trace.sources()["source"].tolist()
    drawn = share_bars(trace, region).data[0]
    long = {name.rsplit("/", 1)[-1]: name for name in names}
    found = {
        "trace.sources": by_source(trace.sources(region)),
        "attribute": by_source(ktviz.attribute(trace, region).frame),
        "attribute through overlap": by_source(ktviz.attribute(trace, region, through="overlap").frame),
        "attribute by entry": by_source(ktviz.attribute(trace, region, by="entry").frame),
        "backtrack": by_source(ktviz.backtrack(trace, region).frame, "overlap"),
        "trace.overlap": by_source(trace.painting().winners.to_pandas().assign(part=trace.overlap(region)), "part"),
        "plotly bars": dict(zip((long[name] for name in labels(drawn, case, region)), drawn.x, strict=True)),
    }
    selection = select(trace.painting(), lambda source: case.translator.source_picture(trace, source), 4, region)
    found["backtracking figure"] = dict(zip(selection.sources, selection.shares, strict=True))
    if region is None:
        audit = ktviz.Audit.create(trace, top=0, sample=1)
        store = TraceStore(tmp_path / "store")
        store.append(trace)
        found |= {
            "translation": by_source(source_shares(case.translator(case.photo))),
            "audit": by_source(audit.tables["sources"]),
            "audit, boxes": by_source(boxes(trace.painting()), "overlap"),
            "store": {name: float(store.uses(name)["share"].sum()) for name in names},
            "spread": {name: float(trace.spread(name)["share"].sum()) for name in names},
            "view": {source["name"]: source["share"] for source in describe(shown(trace))["sources"]},
        }
    else:
        subject = shown(trace)
        body = {"box": [region.x, region.y, region.width, region.height]}
        _, answer = Answers(subject).to({"protocol": PROTOCOL, "kind": "region", "body": body})
        found["view, of a region"] = dict(zip(subject.names, answer["shares"].tolist(), strict=True))
        found["part of a trace"] = by_source(trace[region].sources())
    return found


def labels(drawn, case, region):
    """Names of the bars, which show those sources that have a share."""
    frame = case.trace.sources(region)
    assert len(drawn.x) == (frame["share"] > 0).sum()
    return [name.rsplit("/", 1)[-1] for name in frame["source"][: len(drawn.x)]]


def texts_of(figure):
    return "\n".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


def test_the_footprint_of_a_blurring_decoder_is_another_number(case):
    """Otherwise the tests here could not fail."""
    region = REGIONS["region"]
    shares = by_source(case.trace.sources(region))
    footprint = by_source(ktviz.attribute(case.trace, region, through="footprint").frame)
    assert max(abs(shares[name] - footprint[name]) for name in shares) > 0.01


def test_every_place_gives_the_same_share(case, region, tmp_path):
    expected = by_source(case.trace.sources(region))
    for place, found in numbers(case, region, tmp_path).items():
        shown = {name: share for name, share in found.items() if share > 0}
        assert shown == pytest.approx({name: expected[name] for name in shown}, abs=1e-6), place
        if place != "backtracking figure":  # that one shows the largest
            assert set(shown) == {name for name, share in expected.items() if share > 0}, place


def test_what_is_printed_is_that_share_and_says_that_it_is_overlap(case, region):
    trace = case.trace
    frame = trace.sources(region)
    top = frame["share"][0]
    assert frame.attrs["share"] == "overlap"
    printed = {
        "share figure": texts_of(share_figure(trace, region)),
        "attribution": texts_of(ktviz.attribute(trace, region).plot()),
        "backtracking figure": texts_of(ktviz.backtrack(trace, region).plot()),
    }
    if region is None:
        printed["trace figure"] = texts_of(trace_figure(trace))
    for place, words in printed.items():
        assert percent(top) in words, place
        assert "overlap" in words, place
    exact = {
        "attribution": repr(ktviz.attribute(trace, region)),
        "backtrack": str(ktviz.backtrack(trace, region).summary()["sources"]),
    }
    if region is None:
        exact |= {"snapshot": snapshot(shown(trace)), "trace": text(trace)}
    for place, words in exact.items():
        expected = f"{top:.6f}" if place == "trace" else f"{top:.1%}"
        assert expected in words, place


def test_a_footprint_is_never_printed_without_its_name(case):
    found = ktviz.attribute(case.trace, REGIONS["region"], through="footprint")
    assert "through footprint" in repr(found)
    assert found.summary()["through"] == "footprint"
    assert "through footprint" in texts_of(found.plot())


def test_the_report_of_an_audit_prints_it(case):
    audit = ktviz.Audit.create(case.trace, top=0, sample=1)
    report = render(audit)
    top = case.trace.sources()["share"][0]
    assert percent(top).replace(" ", "") in re.sub(r"\s|&nbsp;", "", report)
    assert "overlap, before any decoder" in report
    assert np.isclose(audit.tables["sources"]["share"][0], top)


def test_a_part_of_a_trace_has_the_colours_of_the_whole_and_names_its_region(case):
    part = case.trace[Box(0, 0, 32, 20)]
    ranks = [trace.sources()["source"].tolist() for trace in (case.trace, part)]
    assert ranks[0] != ranks[1]  # else it would show nothing
    assert trace_colours(part) == trace_colours(part.painting()) == trace_colours(case.trace)
    known = {source["name"]: source["colour"] for source in describe(shown(case.trace))["sources"]}
    assert {source["name"]: source["colour"] for source in describe(shown(part))["sources"]} == known
    for figure in (share_figure(part), trace_figure(part)):
        assert any("region 32x20 px at (0, 0)" in words.get_text() for words in figure.findobj(Text))
    drawn = similarity_map(part.painting())
    assert (drawn[-1, 0] == 255).all()  # where nothing was recorded
    assert (drawn[4, 4] != 255).any()


def test_cards_and_attributions_of_a_part_have_the_colours_of_the_whole(case):
    part = case.trace[Box(0, 0, 32, 20)]
    colours = trace_colours(case.trace)
    assert ktviz.attribute(part).about["sources"] == list(colours)
    bars = re.findall(r"background: (#[0-9A-Fa-f]{6});.*?line-height: 1.3;\">(\S+?)<", part._repr_html_(), re.DOTALL)
    assert len(bars) > 2
    assert all(colours[name] == colour for colour, name in bars)
