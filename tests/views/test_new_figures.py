"""Figures of reuse and of styles: what stands on them is what the trace and the system say."""

from __future__ import annotations

import numpy as np
import pytest

import ktviz as kt
from ktviz.errors import AbilityError, TraceError
from ktviz.figures.maps import painted_values
from ktviz.figures.reuse import UNUSED, shades
from views.new_systems import room, street


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    return street(tmp_path_factory.mktemp("street"))


@pytest.fixture(scope="module")
def mixture(paint):
    return room(paint)


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def pictures(figure):
    return [np.asarray(image.get_array()) for image in figure.axes[0].images]


def test_reuse_is_drawn_as_the_system_counts_it_on_a_printed_scale(mixture):
    system, trace = mixture
    figure = kt.reuse_figure(trace)
    fed = system.fed(trace)
    assert any(np.array_equal(shown, painted_values(shades(fed))) for shown in pictures(figure))
    said = texts(figure)
    assert f"{UNUSED} or less" in said
    assert f"{fed.max():.1f} cells of the output, log scale" in said
    assert "as far as recorded" not in " ".join(said)
    most = sorted(fed.ravel(), reverse=True)[:10]
    assert [one for one in said if one.endswith(" cells")] == [
        f"{value:.{2 if value < 10 else 1}f} cells" for value in most
    ]


def test_entropy_is_drawn_from_none_to_that_of_equal_parts(mixture):
    _, trace = mixture
    figure = kt.reuse_figure(trace)
    cells = 9 * 13
    assert f"{np.log(cells):.2f} nats: all give alike" in texts(figure)
    entropy = trace.column("entropy").reshape(11, 14) / np.log(cells)
    shown = next(shown for shown in pictures(figure) if shown.shape[:2] == trace.size)
    candidates = [shown for shown in pictures(figure) if shown.shape[:2] == trace.size]
    wide = painted_values(np.repeat(np.repeat(entropy, 4, 0), 4, 1))[: trace.size[0], : trace.size[1]]
    assert any(np.array_equal(one, wide) for one in candidates), shown.shape


def test_without_the_model_reuse_is_as_far_as_recorded_and_says_so(mixture, tmp_path):
    mixture[1].save(tmp_path / "trace.parquet", pictures="both")
    said = " ".join(texts(kt.reuse_figure(kt.Trace.open(tmp_path / "trace.parquet"))))
    assert "as far as recorded" in said


def test_the_shades_are_those_of_the_view():
    assert shades(np.array([[0.0, 0.01], [1.0, 100.0]])).round(6).tolist() == [[0, 0], [0.5, 1]]
    assert shades(np.array([[0.5]])).item() < 1


def test_styles_are_drawn_with_their_members_and_credits(objects):
    system, trace = objects
    said = texts(kt.styles_figure(trace))
    styles = system.styles(trace)
    kinds = {styles.look(int(label)).kind for label in trace.site("style").column("label")}
    assert {text.split(" ")[0] for text in said if text.split(" ")[0] in kinds} == kinds
    car = next(text for text in said if text.startswith("car ") and text.split(" ")[1].isdecimal())
    look = styles.look(int(car.split(" ")[1]))
    assert f"took {styles.styles[look.taken].name}" in said
    assert any(text.startswith("Ada ") for text in said)


def test_what_a_person_said_is_said(objects):
    system, trace = objects
    again = system.rerun(trace, styles={3000: 1, 3001: 1})
    assert "took car 1, as a person said" in texts(kt.styles_figure(again))


def test_other_traces_are_refused(objects, mixture):
    with pytest.raises(TraceError, match="mix"):
        kt.reuse_figure(objects[1])
    with pytest.raises(AbilityError, match="codes"):
        kt.styles_figure(mixture[1])


def test_a_view_of_a_panel_alone_plots_its_figure(objects, mixture):
    with kt.StylesView(objects[1]) as view:
        assert "What objects look like, and after whom" in texts(view.plot())
    with kt.ReuseView(mixture[1]) as view:
        assert "What is mixed, and what is used again" in texts(view.plot())
