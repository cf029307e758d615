"""The benchmarks can be started, what they find is kept, and the one score of their own means what it says."""

import gc
import json
import math
from importlib import import_module
from inspect import isgeneratorfunction

import numpy as np
import pytest

import benchmarks.__main__ as runner
from benchmarks import tables
from benchmarks.curves import Curves
from benchmarks.growth import COSTS, as_time, growth, sampled
from benchmarks.lattice import lattice
from benchmarks.quality import bank_of
from benchmarks.search import points, seconds_at
from benchmarks.tables import Headline, Table, as_value
from ktviz.images import read_image
from ktviz.systems.kt.translator import Translator

ROWS = [["ktviz", "3,969", "0.12"], ["another", "", "1.05 x"]]
LINES = {"ktviz": [(0.1, 0.9), (0.2, 0.99)], "another": [(0.5, 0.9)]}
"""As of a benchmark."""


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Where tables are kept meanwhile."""
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", runner.NAMES)
def test_every_benchmark_yields_tables(name):
    assert isgeneratorfunction(import_module(f"benchmarks.{name}").main)


def test_the_sets_name_benchmarks():
    assert {*runner.MINUTES} < {*runner.NAMES} == {*runner.SETS["bench-full"]}


def test_a_table_is_kept_for_people_and_for_programs_with_its_command_and_machine(results, capsys):
    curves = Curves("Search", "seconds", "recall@1", LINES, logarithmic="x")
    table = Table("search", "Search", ["index", "queries", "seconds"], ROWS, "Medians.", part="small", curves=curves)
    assert tables.publish(iter([table])) == [table]
    text = (results / "search_small.md").read_text()
    assert capsys.readouterr().out == text + "\n"
    assert text.splitlines()[2] == f"Made by `python -m benchmarks search` on {tables.machine()}."
    assert text.splitlines()[4:8] == ["| index | queries | seconds |", "| --- | --- | --- |", *map(line, ROWS)]
    assert text.endswith("![Search](search_small.png)\n\nMedians.\n")
    known = json.loads((results / "search_small.json").read_text())
    assert (known["command"], known["machine"]) == ("python -m benchmarks search", tables.machine())
    assert known["rows"] == [["ktviz", 3969, 0.12], ["another", "", "1.05 x"]]
    assert known["curves"]["lines"] == {name: [[*point] for point in points] for name, points in LINES.items()}
    drawn = read_image(results / "search_small.png")
    assert drawn.shape == (600, 960, 3)
    for colour in ((0x00, 0x72, 0xB2), (0xE6, 0x9F, 0x00)):  # a line each
        assert (drawn == colour).all(2).sum() > 20


def line(row):
    return f"| {' | '.join(row)} |"


def test_a_table_of_a_module_of_its_own_says_what_that_was_given():
    assert Table("checks", "", [], [], given="7").command == "python -m benchmarks.checks 7"


def test_a_set_is_told_in_short(results, monkeypatch):
    one = Table("one", "", ["a"], [["1"]], headlines=[Headline("search", "0.12 s", "another: 0.50 s")])
    other = Table("other", "", ["a"], [["1"]], part="cost")
    made = {"one": [one], "other": [other]}
    monkeypatch.setattr(runner, "run", made.get)
    (table,) = runner.in_short("bench", ["one", "other"])
    assert table.rows == [["[one](one.md)", "search", "0.12 s", "another: 0.50 s"]]
    assert table.command == "python -m benchmarks bench"


@pytest.mark.parametrize(
    ("cell", "value"),
    [("3,969", 3969), ("0.50", 0.5), ("-1.2e-3", -0.0012), ("1/57", "1/57"), ("", ""), ("≤ 1 s", "≤ 1 s")],
)
def test_what_is_a_number_is_one_in_json(cell, value):
    assert as_value(cell) == value
    assert type(as_value(cell)) is type(value)


def test_the_lattice_score_sees_a_faint_grid_of_four_px_and_no_other():
    random = np.random.default_rng(0)
    picture = 128 + 20 * random.standard_normal((256, 256, 3))

    def with_grid(period):
        return np.clip(picture + 8 * (np.arange(256) % period == 0)[:, None, None], 0, 255).astype(np.uint8)

    assert abs(lattice(with_grid(1))) < 0.2
    assert lattice(with_grid(4)) > 0.8
    assert abs(lattice(with_grid(5))) < 0.2


def test_costs_of_sizes_that_nobody_measured_follow_the_powers_by_which_they_grew():
    """One for each power: linear, of the sample, and of what does not grow; small libraries are left out."""

    def library(entries):
        costs = dict.fromkeys(("rest_cpu", "build_gb", "open", "search", "ask_gb", "add", "edit_gb"), 2.0)
        of_entries = {"shared_cpu": entries / 1e4, "sample_cpu": sampled(entries) / 1e3}
        return {"entries": entries, "bytes": 800.0, **costs, **of_entries}

    sizes = (200_000, 1_000_000, 2_000_000)
    made = growth([{**library(10_000), "shared_cpu": 99.0}, *map(library, sizes)], "growth 1 2 3")
    assert (made.file, made.command) == ("scale_growth", "python -m benchmarks.scale growth 1 2 3")
    assert "200,000, 1,000,000, 2,000,000 entries" in made.notes
    assert made.curves.lines["to build"] == [(10_000, 2.0), (200_000, 2.0), (1_000_000, 2.0), (2_000_000, 2.0)]
    rows = {row[0]: row[1:] for row in made.rows}
    assert len(rows) == len(COSTS)
    assert rows["building, CPU: what workers share out"] == ["3.3 min at 2,000,000", "1.00", "2.8 h", "27.8 h"]
    assert rows["building, CPU: the writer's sample, with its k-means"][1:] == ["1.00", "9.3 h", "92.6 h"]
    assert rows["building, memory of the writer"][1:] == [
        "0.00",
        "9.33 GB",
        "93.33 GB",
    ]  # of its sample
    assert rows["on disk"][1:] == ["1.00", "80.00 GB", "800.00 GB"]
    assert rows["adding a source"] == ["2.00 s at 2,000,000", "0.00", "2.00 s", "2.00 s"]


def test_the_sample_of_a_tree_is_everything_then_as_much_as_before_then_a_third():
    assert [sampled(entries) for entries in (1000, 262_144, 500_000, 786_432, 3_000_000)] == [
        *(1000, 262_144, 262_144, 262_144, 1_000_000)
    ]
    assert [as_time(seconds) for seconds in (0.5, 90, 119.9, 120, 7200)] == [
        *("0.50 s", "90.0 s", "119.9 s", "2.0 min", "2.0 h")
    ]


def test_seconds_at_a_recall_lie_between_two_settings_that_were_measured():
    found = [("a", 1.0, 0.9), ("a", 2.0, 0.8), ("a", 3.0, 0.99), ("b", 0.1, 0.999), ("a", 4.0, 0.985)]
    curve = points(found, "a")
    assert curve == [(1.0, 0.9), (3.0, 0.99)]  # what is as slow and finds less is left out
    half_of_the_decade = 1 - 10**-1.5
    assert seconds_at(curve, half_of_the_decade) == pytest.approx(2.0)
    assert [seconds_at(curve, recall) for recall in (0.9, 0.99)] == pytest.approx([1.0, 3.0])
    assert math.isinf(seconds_at(curve, 0.995))
    assert math.isnan(seconds_at(curve, 0.85))


def test_a_bank_of_a_benchmark_is_read_after_it_was_made(tmp_path, paint, save):
    """Its files lie in a folder of their own as long as it is used, and no longer."""
    banks = bank_of([save(tmp_path / "a.png", paint(1, 64, 64))], 64)
    folder = banks.banks[0].place.library
    assert Translator.shipped(banks)(paint(2, 64, 64)).image.shape == (64, 64, 3)
    del banks
    gc.collect()
    assert not folder.exists()
