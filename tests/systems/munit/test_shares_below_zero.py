"""Styles that pull apart: a source of a mix can take away from what the others give, and every place says so."""

import pytest
import torch
from matplotlib.text import Text

import ktviz as kt
from ktviz.figures.interactive import share_bars
from ktviz.figures.share_bars import share_figure
from ktviz.systems.munit.style import Part

from .conftest import NAMES

GIVES, TAKES = NAMES[4], NAMES[0]


@pytest.fixture
def trace(system, picture, monkeypatch):
    """Of a mix in which one picture gives 1.4 of the way, and another leads 0.4 of it back."""
    way = torch.tensor([1.0, 2.0, 0.0, -1.0], dtype=torch.float64)
    shares = {GIVES: 1.4, TAKES: -0.4}
    of = Part.of

    def pulling(exemplar, weight, direction, forbidden=None):
        made = of(exemplar, weight, direction, forbidden)
        cells = torch.ones(len(made.cells), 1, dtype=torch.float64) / len(made.cells)
        return Part(exemplar, weight, shares[exemplar.name] / weight * cells * way)

    monkeypatch.setattr(Part, "of", pulling)
    return system.traced(picture, mix={"a": 0.5, "e": 0.5})


def test_parts_are_signed_and_add_up(trace):
    cells = trace.site("cells")
    assert cells.site_about["kind"] == "signed"
    found = cells.sources().set_index("source")["share"]
    assert (found[GIVES], found[TAKES]) == (pytest.approx(1.4), pytest.approx(-0.4))
    assert found.sum() + cells.column("left_over")[0] == pytest.approx(1)
    assert cells.summary()["sources used"] == "2 of 5"


def test_figures_views_and_audits_show_both(trace, system, tmp_path):
    figure = share_figure(trace)
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert {"140%", "-40%"} <= set(texts)
    assert share_bars(trace).layout.xaxis.range == (pytest.approx(-0.4), pytest.approx(1.4))
    assert kt.backtracking_figure(trace)
    assert trace.site("cells").plot()
    for card in (trace._repr_html_(), kt.attribute(trace)._repr_html_()):
        assert "-40%" in card
    with kt.Explorer(trace) as view:
        view.to_html(tmp_path / "page.html")
    audit = kt.Audit.create(trace)
    assert set(audit.tables["counterfactuals"]["source"]) == {GIVES, TAKES}
    assert "2 sources used" in repr(audit)
    audit.save(tmp_path / "audit")
    report = (tmp_path / "audit" / "report.html").read_text()
    assert "A share below 0 took away" in report
    assert "Searched, but not used" not in report


def test_a_store_knows_what_took_away(trace, tmp_path):
    store = kt.TraceStore(tmp_path / "store")
    store.append(trace.site("cells"))
    assert store.uses("a")["share"].tolist() == [pytest.approx(-0.4)]
    assert store.uses(TAKES, least=0.3)["share"].tolist() == [pytest.approx(-0.4)]
    assert store.uses(TAKES, least=0.5).empty
    assert store.uses("b").empty
