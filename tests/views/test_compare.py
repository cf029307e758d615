"""Several traces in one view: what they are called, one selection, a page and a figure of all."""

import numpy as np
import pytest
import torch

import ktviz as kt
from ktviz.errors import AbilityError, RegionError, SettingError, StorageError
from ktviz.figures.side_by_side import share_table
from ktviz.widgets.compare import Compared


@pytest.fixture
def traces(world, paint):
    photo = paint(3, 64, 96)
    return world.translator.traced(photo), world.translator.traced(photo, align=0, coherence=0.1)


@pytest.fixture
def both(traces):
    with kt.Compare(*traces) as made:
        yield made


def test_traces_are_called_by_what_differs(world, paint, traces, both):
    assert both.titles == ("align 1, coherence 0.06, strength 0.2", "align 0, coherence 0.1, strength 1")
    small = world.translator.traced(paint(3, 64, 64))
    with kt.Compare(traces[0], small) as other:
        assert other.titles == ("96 x 64 px", "64 x 64 px")
    with kt.Compare(traces[0], traces[0]) as same:
        assert same.titles == ("1", "2")
    with kt.Compare(*traces, titles=["one", "two"]) as named:
        assert named.titles == ("one", "two")
        assert repr(named) == "Compare(one, two)"


def test_a_counterfactual_is_called_by_what_it_lacks(traces):
    source = traces[0].sources()["source"].iloc[0]
    with kt.Compare(traces[0], kt.without(traces[0], source)) as both:
        assert source in both.titles[1]


def test_a_region_is_selected_in_all_in_proportion(world, paint, traces):
    half = world.translator.traced(paint(4, 32, 48))
    with kt.Compare(traces[0], half) as both:
        both.region = kt.Box(16, 8, 40, 24)
        assert both.views[1].region == kt.Box(8, 4, 20, 12)
        assert both.views[0].region == kt.Box(16, 8, 40, 24)
        both.views[0].region = kt.Box(0, 0, 96, 64)
        assert (both.region, both.views[1].region) == (kt.Box(0, 0, 96, 64), kt.Box(0, 0, 48, 32))
        both.region = kt.Box(95, 63, 1, 1)
        assert both.views[1].region == kt.Box(47, 31, 1, 1)
        both.region = None
        assert both.views[0].region is both.views[1].region is None
        with pytest.raises(RegionError):
            both.region = kt.Box(90, 0, 20, 20)
        assert both.region is None


def test_what_cannot_be_compared_is_refused_and_nothing_stays_open(traces, monkeypatch):
    for wrong in ((), traces[:1], traces * 4):
        with pytest.raises(SettingError, match=f"compare {len(wrong)} traces"):
            kt.Compare(*wrong)
    with pytest.raises(SettingError, match="titles"):
        kt.Compare(*traces, titles=["one"])
    with pytest.raises(SettingError, match="models"):
        kt.Compare(*traces, models=[None])
    closed = []
    monkeypatch.setattr(Compared, "close", lambda self: closed.append(self.trace))
    with pytest.raises(AbilityError):
        kt.Compare(*traces, models=[None, torch.nn.Identity()])
    assert closed[0] is traces[0]


def test_a_page_holds_all_of_them_and_answers_for_what_they_show_alone(both, tmp_path):
    report = both.to_html(tmp_path / "both.html")
    text = (tmp_path / "both.html").read_text(encoding="utf-8")
    assert text.count('class="ktviz-compared"') == 2
    assert all(title in text for title in both.titles)
    assert report.bytes == (tmp_path / "both.html").stat().st_size
    assert report.left_out == ()
    with pytest.raises(StorageError, match="exists"):
        both.to_html(tmp_path / "both.html")
    with pytest.raises(SettingError, match="every page of it has"):
        both.to_html(tmp_path / "small.html", max_mb=0.1)
    assert not (tmp_path / "small.html").exists()


def test_the_figure_shows_every_output_and_the_shares_that_the_traces_say(both, traces):
    both.region = kt.Box(16, 8, 40, 24)
    table = share_table([view.shown for view in both.views], [view.region for view in both.views])
    for number, trace in enumerate(traces):
        said = trace.sources(both.region).set_index("source")["share"]
        assert np.allclose(table[number].loc[said.index], said)
    assert list(table.max(axis=1)) == sorted(table.max(axis=1), reverse=True)
    figure = both.plot()
    drawn = {text.get_text() for text in figure.axes[0].texts}
    assert {*both.titles, "of a region"} <= drawn
    assert len(figure.axes[0].images) == 2
