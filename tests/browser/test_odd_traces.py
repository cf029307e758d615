"""Pages of traces that are hostile, huge, tiny or poor draw, and say what they lack."""

from __future__ import annotations

import pytest
import torch
from playwright.sync_api import expect
from torch import nn

import ktviz as kt
from ktviz.retrieval.credit import Credit
from ktviz.trace.trace import Trace

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>&amp; \"{x}\" ${1}"
FIRST_CARDS = 60


class Lookup(nn.Module):
    """A system of somebody else: every cell takes one of so many entries, and passes the image on."""

    def __init__(self, entries: int) -> None:
        super().__init__()
        self.entries = entries
        self.look = nn.Identity()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.look(image)
        return image.flip(-1)


def page_of(folder, catalogue, rows, columns, step_px):
    """The page of a trace whose cells take the entries by turns."""
    model = Lookup(len(catalogue.source))
    entry = torch.arange(rows * columns) * 7 % model.entries
    site = kt.adapt(
        model.look,
        lambda inputs, output: kt.Matches.hard(entry, torch.linspace(0.5, 1, len(entry))),
        queries=kt.Queries.grid(rows, columns, step_px=step_px),
        catalogue=catalogue,
    )
    ramp = torch.linspace(0, 1, columns * step_px).expand(1, 3, rows * step_px, -1)
    with kt.record(model, site) as trace:
        model(ramp)
    kt.Explorer(trace).to_html(folder / "page.html")
    return trace, folder / "page.html"


def test_hostile_text_is_shown_and_never_run(show, tmp_path):
    credits = [Credit(*[f"{field} {HOSTILE}" for field in ("title", "creator", "year", "licence", "url")])] * 2
    names = [f"{letter} {HOSTILE}" for letter in "ab"]
    catalogue = kt.Catalogue(names, torch.arange(2), torch.full((2, 4), torch.nan), f"bank {HOSTILE}", credits)
    _, path = page_of(tmp_path, catalogue, 4, 4, 8)
    explorer = show(path)
    explorer.root.get_by_role("combobox", name="Overlay").select_option("source")
    explorer.hover(5, 5, (32, 32))
    expect(explorer.card).to_contain_text(HOSTILE)
    explorer.find(".kt-open").first.click()
    explorer.open_table()
    assert any(HOSTILE in row[3] for row in explorer.table_rows())
    expect(explorer.find(".kt-header")).to_contain_text(HOSTILE.rsplit("/", 1)[-1])
    for field in ("title", "creator", "licence"):
        expect(explorer.find(".kt-open").first).to_contain_text(f"{field} {HOSTILE}")
    assert explorer.page.evaluate("window.hacked") is None
    assert explorer.find("script, img").count() == 0


def test_one_query_is_drawn(show, tmp_path):
    _, path = page_of(tmp_path, kt.Catalogue.wholes(["only.png"]), 1, 1, 8)
    explorer = show(path)
    explorer.hover(4, 4, (8, 8))
    expect(explorer.card).to_contain_text("only.png")
    explorer.click(4, 4, (8, 8))
    assert list(explorer.shares().values()) == ["100 %"]


def test_500_sources_are_shown_some_at_a_time_and_can_all_be_reached(show, tmp_path):
    names = [f"{number:03}.png" for number in range(500)]
    trace, path = page_of(tmp_path, kt.Catalogue.wholes(names), 40, 40, 4)
    explorer = show(path)
    expect(explorer.find(".kt-card")).to_have_count(FIRST_CARDS)
    for _ in range(3):
        explorer.find(".kt-sources .kt-more").click()
        explorer.settled()
    expect(explorer.find(".kt-card")).to_have_count(500)
    expect(explorer.find(".kt-sources .kt-more")).to_be_hidden()
    explorer.drag((8, 8), (30, 30), (160, 160))
    share = float(next(iter(explorer.shares().values())).removesuffix(" %"))
    assert share == pytest.approx(100 * trace.sources(kt.Box(8, 8, 22, 22))["share"][0], abs=0.06)


def test_4096_px_are_drawn_and_answer(show, tmp_path):
    _, path = page_of(tmp_path, kt.Catalogue.positions(["a.png", "b.png"], 64, 64, 4), 256, 256, 16)
    explorer = show(path)
    expect(explorer.find("figcaption").nth(1)).to_contain_text("shown smaller")
    explorer.root.get_by_role("combobox", name="Overlay").select_option("similarity")
    explorer.settled()
    explorer.hover(2048, 2048, (4096, 4096))
    expect(explorer.card).to_be_visible()
    explorer.drag((1000, 1000), (1400, 1300), (4096, 4096))
    expect(explorer.find(".kt-sources h3")).to_have_text("Of the selection")
    assert max(explorer.measures("ktviz-hover")) < 500


def test_the_explorer_of_another_system_has_the_panels_that_it_can_fill(show, tmp_path):
    _, path = page_of(tmp_path, kt.Catalogue.wholes(["a.png", "b.png"]), 4, 4, 8)
    explorer = show(path)
    expect(explorer.find(".kt-translation")).to_be_visible()
    expect(explorer.find(".kt-sources")).to_be_visible()
    expect(explorer.find(".kt-tree, .kt-bands")).to_have_count(0)
    expect(explorer.find(".kt-error")).to_be_hidden()


@pytest.mark.parametrize(("kind", "said"), [(kt.BandView, "has no bands"), (kt.TreeView, "no cluster tree")])
def test_a_panel_alone_says_what_it_lacks(show, tmp_path, kind, said):
    trace, _ = page_of(tmp_path, kt.Catalogue.wholes(["a.png", "b.png"]), 4, 4, 8)
    kind(trace).to_html(tmp_path / "alone.html")
    expect(show(tmp_path / "alone.html").find("[role=status]", has_text=said)).to_be_visible()


def test_a_trace_of_winners_only_says_what_to_record(show, world, paint, tmp_path):
    kt.Explorer(world.translator.traced(paint(3, 48, 64), candidates=1)).to_html(tmp_path / "page.html")
    explorer = show(tmp_path / "page.html")
    expect(explorer.find(".kt-bands [role=status]")).to_contain_text("candidates=8")
    expect(explorer.find(".kt-bands table")).to_be_hidden()


def test_a_trace_from_a_file_shows_what_its_rows_know(show, world, paint, tmp_path):
    made = world.translator.traced(paint(3, 48, 64))
    made.save(tmp_path / "trace.parquet")
    trace = Trace.open(tmp_path / "trace.parquet")
    kt.Explorer(trace).to_html(tmp_path / "page.html")
    explorer = show(tmp_path / "page.html")
    expect(explorer.find(".kt-status")).to_contain_text("model=")
    expect(explorer.find(".kt-tree [role=status]")).to_contain_text("model=")
    explorer.drag((4, 4), (40, 30), (48, 64))
    shares = trace.sources(kt.Box(4, 4, 36, 26))["share"]
    assert len(explorer.shares()) == len(shares)
    assert next(iter(explorer.shares().values())) == f"{100 * shares[0]:.0f} %"
    explorer.root.get_by_role("slider", name="Weight of LL").fill("0")
    explorer.settled()
    assert len(explorer.candidates()) > 1


def test_trees_alone_are_drawn(show, world, tmp_path):
    kt.TreeView(world.banks).to_html(tmp_path / "page.html")
    explorer = show(tmp_path / "page.html")
    assert explorer.find("[role=treeitem]").count() > 1
    expect(explorer.root.get_by_role("combobox", name="Bank")).to_have_value("0")


@pytest.mark.parametrize("kind", [kt.TranslationView, kt.SourcesView, kt.BandView, kt.TableView, kt.TreeView])
def test_every_part_alone_is_drawn(show, world, paint, tmp_path, kind):
    kind(world.translator.traced(paint(3, 48, 64))).to_html(tmp_path / "page.html")
    explorer = show(tmp_path / "page.html")
    assert explorer.find("section").count() >= 1
    expect(explorer.find(".kt-error")).to_be_hidden()
