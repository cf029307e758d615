"""MUNIT as a system: the picture follows from content and style, the style from its cells, the record from both."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.image import AxesImage
from matplotlib.text import Text

import ktviz as kt
from ktviz.audit.findings import stated_settings
from ktviz.errors import AbilityError, MismatchError, SettingError, TraceError, UnknownNameError
from ktviz.explain.result import one_site
from ktviz.figures.interactive import share_bars
from ktviz.figures.share_bars import share_figure
from ktviz.images import to_pixels
from ktviz.library.library import Library
from ktviz.systems.munit import styles
from ktviz.systems.munit.system import Munit
from ktviz.systems.munit.ways import arc, straight
from ktviz.systems.protocol import System
from ktviz.systems.registry import check_class, opened

from .conftest import BANK, NAMES, in_cells

WAYS = ("given", "named", "nearest", "several", "mix", "drawn")
OF_PICTURES = WAYS[:-1]
BOX = kt.Box(8, 8, 20, 16)
QUIET = {"quiet": True}


def near(one, other, levels=1):
    """Whether pictures are equal up to the rounding of their levels."""
    return np.abs(one.astype(int) - other.astype(int)).max() <= levels


@torch.no_grad()
def painted(networks, picture, code):
    """What the published code makes, by hand."""
    content = networks.a.content(in_cells(picture, 4))
    made = networks.b.decode(content, code[None])[0, :, : picture.shape[0], : picture.shape[1]]
    return to_pixels((made + 1) / 2)


@torch.no_grad()
def style_of(networks, pixels):
    return networks.b.style(in_cells(pixels, 16))[0]


def test_it_keeps_the_protocol(system, alone):
    check_class(Munit, "munit", "here")
    assert isinstance(system, System)
    assert isinstance(alone, System)


@pytest.mark.parametrize("way", WAYS)
def test_recording_changes_no_bit_and_a_result_has_its_trace(system, picture, ways, traces, way):
    plain = system(picture, **ways[way])
    with kt.record(system) as trace:
        made = system(picture, **ways[way])
    assert np.array_equal(plain.output, made.output)
    assert plain.trace is None
    assert made.trace.digest == trace.digest == traces[way].digest
    assert np.array_equal(traces[way].output, made.output)


def test_a_picture_takes_the_style_of_an_exemplar(system, networks, picture, exemplar):
    made = system(picture, exemplar=exemplar)
    code = style_of(networks, exemplar)
    assert np.allclose(made.code, code, atol=1e-5)
    assert near(made.output, painted(networks, picture, code))
    assert made.output.shape == picture.shape
    other = system(picture, exemplar=exemplar[:, ::-1] // 2)
    assert np.abs(other.output.astype(int) - made.output).mean() > 2  # styles show


@pytest.mark.parametrize("size", [(16, 16), (17, 90), (64, 31)])
def test_pictures_of_any_size_keep_it(system, networks, paint, exemplar, size):
    picture = paint(4, *size)
    made = system(picture, exemplar=exemplar)
    assert made.output.shape == picture.shape
    assert near(made.output, painted(networks, picture, style_of(networks, exemplar)))
    assert np.allclose(system(exemplar, exemplar=picture).code, style_of(networks, picture), atol=1e-5)


def test_the_other_direction_uses_the_other_networks(networks, picture, exemplar):
    back = Munit(networks=networks, to="drawings")
    made = back(picture, exemplar=exemplar)
    with torch.no_grad():
        code = networks.a.style(in_cells(exemplar, 16))
        expected = networks.a.decode(networks.b.content(in_cells(picture, 4)), code)
    assert near(made.output, to_pixels((expected[0, :, :42, :53] + 1) / 2))
    assert made.to == "drawings"
    assert back.coder.digest != Munit(networks=networks).coder.digest


def test_a_bank_holds_the_styles_of_whole_pictures(system, networks):
    for number in range(len(NAMES)):
        assert np.allclose(system.banks.codes[number], style_of(networks, system.banks.picture(number)), atol=1e-5)
    assert system.banks.source_names == NAMES
    assert system.banks.classes is None


@pytest.mark.parametrize("nearest", [1, 3])
def test_the_nearest_to_a_code_are_the_nearest_by_brute_force(system, networks, picture, wanted, nearest):
    apart = np.linalg.norm(system.banks.codes - wanted, axis=1)
    order = np.argsort(apart)
    trace = system.traced(picture, code=wanted, nearest=nearest)
    site = trace.site("style")
    assert site.column("source", winners=False).tolist() == [NAMES[n] for n in order]
    assert np.allclose(site.column("distance", winners=False), apart[order], atol=1e-5)
    assert np.allclose(site.column("similarity", winners=False), -apart[order], atol=1e-5)
    weight = [1 / nearest] * nearest + [0] * (len(NAMES) - nearest)
    assert np.allclose(site.column("weight", winners=False), weight)
    assert site.site_about["kind"] == ("hard" if nearest == 1 else "soft")
    code = system.banks.codes[order[:nearest]].mean(0)
    assert np.allclose(site.column("code")[0], code, atol=1e-5)
    assert near(trace.output, painted(networks, picture, torch.from_numpy(code).float()))


def test_of_equally_near_ones_the_first_is_taken_and_few_are_recorded(system, picture, monkeypatch):
    middle = system.banks.codes[[1, 4]].mean(0)
    apart = np.linalg.norm(system.banks.codes - middle, axis=1)
    assert apart[1] == pytest.approx(apart[4])
    monkeypatch.setattr(styles, "RANKED", 2)
    monkeypatch.setattr(styles.Bank, "apart", lambda self, entries, code: np.ones(len(entries)))
    assert system.traced(picture, code=middle).site("style").column("entry", winners=False).tolist() == [0, 1]
    several = system.traced(picture, code=middle, nearest=4).site("style")
    assert several.column("entry", winners=False).tolist() == [0, 1, 2, 3]


def test_a_mix_is_the_weighted_mean_of_codes(system, networks, picture, traces):
    code = 0.25 * system.banks.codes[0] + 0.75 * system.banks.codes[4]
    site = traces["mix"].site("style")
    assert site.column("source", winners=False).tolist() == [NAMES[4], NAMES[0]]
    assert site.column("weight", winners=False).tolist() == [0.75, 0.25]
    assert np.allclose(site.column("code")[0], code, atol=1e-5)
    assert near(traces["mix"].output, painted(networks, picture, torch.from_numpy(code).float()))
    assert (site.site_about["kind"], site.site_about["paints"]) == ("soft", False)


@pytest.mark.parametrize("way", OF_PICTURES)
def test_a_code_is_its_bias_and_what_every_cell_gives(system, picture, ways, way):
    made = system(picture, **ways[way])
    names = made.sources["source"]
    for coordinate in range(4):
        given = sum(made.contribution(coordinate, name).sum() for name in names)
        assert given + made.bias[coordinate] == pytest.approx(made.code[coordinate], abs=1e-5)
    assert sum(made.contribution(source=name).sum() for name in names) == pytest.approx(1, abs=1e-12)
    assert made.sources["weight"].sum() == pytest.approx(1)
    assert made.sources["share"].sum() == pytest.approx(1)


@torch.no_grad()
def test_what_a_cell_gives_is_what_the_code_lacks_without_it(system, networks, picture, exemplar):
    made = system(picture, exemplar=exemplar)
    cells = networks.b.enc_style.cells(in_cells(exemplar, 16))
    assert made.contribution().shape == tuple(cells.shape[2:]) == (3, 4)
    for place in ((0, 0), (1, 2), (2, 3)):
        others = cells.clone()
        others[:, :, *place] = 0
        lacks = networks.b.enc_style.code(cells.mean((2, 3))) - networks.b.enc_style.code(others.mean((2, 3)))
        given = [made.contribution(coordinate)[place] for coordinate in range(4)]
        assert np.allclose(lacks[0], given, atol=1e-5)
        way = made.code - made.bias
        assert made.contribution()[place] == pytest.approx(lacks[0].numpy() @ way / (way @ way), abs=1e-4)


def test_the_exemplar_is_as_bright_as_what_its_cells_give(system, picture, exemplar):
    made = system(picture, exemplar=exemplar)
    shown, parts = made.contribution_picture().astype(float), made.contribution()
    pixels = made.style.parts[0].exemplar.pixels.astype(float)
    assert shown.shape == pixels.shape
    bright = 0.15 + 0.85 * np.clip(parts / parts.max(), 0, 1)
    for y, x in np.ndindex(parts.shape):
        cell = slice(16 * y, 16 * y + 16), slice(16 * x, 16 * x + 16)
        assert np.abs(shown[cell] - bright[y, x] * pixels[cell]).max() <= 0.5
    assert "what gives the style" in made._repr_html_()


@pytest.mark.parametrize("way", OF_PICTURES)
def test_cells_are_recorded_with_their_parts(system, picture, ways, traces, way):
    site, made = traces[way].site("cells"), system(picture, **ways[way])
    names, shares = made.sources["source"].tolist(), made.sources.set_index("source")["share"]
    weights = np.concatenate([made.contribution(source=name).ravel() for name in names])
    entry = site.column("entry", winners=False)
    assert np.allclose(site.column("weight", winners=False), weights[entry], atol=1e-6)
    assert sorted(entry) == list(range(len(weights)))
    assert np.all(np.diff(np.abs(weights[entry])) <= 1e-7)
    assert np.allclose(site.column("left_over"), 0, atol=1e-6)
    assert site.sources().set_index("source")["share"][names].to_dict() == pytest.approx(shares.to_dict(), abs=1e-6)
    assert site.site_about["one_source"] == (len(names) == 1)


def test_of_a_large_exemplar_all_cells_are_recorded(system, picture, paint):
    """Parts of ninths add up to 1, however many cells there are."""
    site = system.traced(picture, exemplar=paint(8, 400, 500)).site("cells")
    weights = site.column("weight", winners=False)
    assert len(weights) == 25 * 32
    assert weights.sum() == pytest.approx(1, abs=1e-5)
    assert kt.attribute(site, by="part").frame["share"].sum() == pytest.approx(1, abs=1e-5)


def test_cells_lie_where_they_were_seen(system, traces):
    mix = traces["mix"].site("cells")
    assert (mix.site_about["paints"], mix.site_about["causal"]) == (True, True)
    for name, grid in ((NAMES[0], (2, 3)), (NAMES[4], (3, 4))):
        mine = mix.column("source", winners=False) == name
        boxes = mix.column("source_box", winners=False)[mine]
        places = {(y, x) for x, y in (boxes[:, :2] / 16).astype(int).tolist()}
        assert places == {(y, x) for y in range(grid[0]) for x in range(grid[1])}
    given = traces["given"].site("cells").column("source_box", winners=False)
    assert (given[:, 0] + given[:, 2]).max() == 52
    assert (given[:, 1] + given[:, 3]).max() == 40


def test_cells_that_lead_nowhere_have_equal_parts(networks, picture):
    silent = Munit(networks=type(networks)(networks.shape, networks.domains))
    for weight in silent.networks.parameters():
        weight.zero_()
    made = silent(picture, exemplar=picture)
    assert np.allclose(made.contribution(), 1 / 12)
    assert np.isfinite(silent.traced(picture, exemplar=picture).site("cells").column("weight")).all()


def test_a_drawn_style_is_of_the_normal_distribution_and_only_like_those_of_the_bank(system, networks, picture, traces):
    code = np.random.RandomState(5).standard_normal(4)
    trace, made = traces["drawn"], system(picture, seed=5)
    assert np.allclose(made.code, code, atol=1e-6)
    assert near(trace.output, painted(networks, picture, torch.from_numpy(code).float()))
    site = trace.site("likeness")
    apart = np.linalg.norm(system.banks.codes - code, axis=1)
    assert site.column("source", winners=False).tolist() == [NAMES[n] for n in np.argsort(apart)]
    assert np.allclose(site.column("distance", winners=False), np.sort(apart), atol=1e-5)
    assert made.likeness["source"].tolist() == site.column("source", winners=False).tolist()
    assert not len(trace.site("cells"))
    assert not len(trace.site("style"))
    assert not len(made.sources)
    assert site.site_about["causal"] is False
    with pytest.raises(AbilityError, match="it was drawn"):
        made.contribution()


def test_wherever_a_drawn_style_is_shown_it_is_said_that_nothing_of_the_bank_was_used(traces, tmp_path):
    trace, said = traces["drawn"], "nearest explanation, not the cause"
    found = kt.attribute(trace, BOX)
    assert found.about["causal"] is False
    assert said in repr(found)
    assert trace.summary()["causal"] is False
    texts = [trace._repr_html_(), found._repr_html_(), kt.backtrack(trace, BOX)._repr_html_()]
    figures = [kt.backtracking_figure(trace), share_figure(trace), trace.site("likeness").plot()]
    texts += ["".join(text.get_text() for text in figure.findobj(Text)) for figure in figures]
    texts.append(share_bars(trace).to_json())
    audit = kt.Audit.create(trace)
    audit.save(tmp_path / "audit")
    texts += [audit._repr_html_(), (tmp_path / "audit" / "report.html").read_text()]
    compared = kt.compare(trace, trace)
    texts += ["".join(text.get_text() for text in compared.plot().findobj(Text)), compared._repr_html_()]
    texts += [repr(compared), compared.summary()["new winners"]]
    for text in texts:
        assert said in text
    names = ("sources", "creators", "licences", "banks", "years", "boxes", "pieces", "counterfactuals")
    tables = [audit.tables[name] for name in names]
    tables += [pd.read_csv(next((tmp_path / "audit").rglob(f"{name}.csv"))) for name in names]
    source = trace.sources()["source"][0]
    for table in (*tables, trace.sources(), trace.spread(source), trace.margin(), compared.frame):
        assert not table["causal"].any()
    assert "causal" not in traces["named"].sources()
    assert said not in repr(kt.compare(traces["named"], traces["named"]))
    for way in ("named", "mix"):
        assert traces[way].summary()["causal"] is True
        assert said not in traces[way]._repr_html_()
        assert kt.attribute(traces[way], BOX).about["causal"] is True


def test_one_of_a_thing_is_said_in_the_singular(traces, tmp_path):
    trace = traces["named"]
    cells = trace.site("cells")
    figures = [kt.backtracking_figure(cells), share_figure(cells)]
    texts = ["".join(text.get_text() for text in figure.findobj(Text)) for figure in figures]
    texts += [repr(trace), trace._repr_html_(), kt.backtrack(cells)._repr_html_(), share_bars(cells).to_json()]
    audit = kt.Audit.create(trace)
    audit.save(tmp_path / "audit")
    texts += [audit._repr_html_(), (tmp_path / "audit" / "report.html").read_text()]
    assert sum("1 retrieval" in text or "1 recorded retrieval" in text for text in texts) >= 3
    plural = r"(?<![\d,.])1 (more |recorded )?(retrievals|candidates|sources|images|pictures|entries|works)\b"
    assert [found[0] for text in texts if (found := re.search(plural, text))] == []


def test_no_sentence_of_an_audit_says_that_a_drawn_style_used_a_work(traces, tmp_path):
    audit, used = kt.Audit.create(traces["drawn"]), kt.Audit.create(traces["named"])
    for made in (audit, used):
        made.save(tmp_path / made.trace.digest)
    report, other = ((tmp_path / made.trace.digest / "report.html").read_text() for made in (audit, used))
    text, others = (" ".join(re.sub(r"<[^>]*>", " ", page.split("<main>")[1]).split()) for page in (report, other))
    for word in ("used", "painted", "took", "taken from it"):
        sentences = [part for part in re.split(r"(?<=[.:])\s", text) if re.search(rf"\b{word}\b", part)]
        assert all("Nothing of these works was used" in part or "nobody painted" in part for part in sentences), word
    assert "who painted a place" in others
    assert "Less alike: pots/toy/" in text
    assert f"1 source most alike, not used, {NAMES[3]} 100.0% (nearest explanation, not the cause)" in repr(audit)
    assert "1 source used" in repr(used)
    for made, said in ((audit, "1 source most alike, not used"), (used, "1 source used")):
        figure = kt.backtracking_figure(made.trace)
        assert said in made._repr_html_()
        assert said.replace("1 source", "1 of 5 sources") in "".join(text.get_text() for text in figure.findobj(Text))


def test_what_gave_nothing_takes_nothing_away_from_a_drawn_style(system, traces):
    trace = traces["drawn"]
    blend = system.blend(trace, kt.Box(0, 0, 53, 42))
    assert np.array_equal(to_pixels(blend(torch.zeros(len(blend.retrievals)))), trace.output)
    said = "nearest explanation, not the cause: none of it was used"
    for through in ("gradient", "ablation", "datamodel"):
        with pytest.raises(TraceError, match=said):
            kt.attribute(trace, through=through, quiet=True)
    with pytest.raises(TraceError, match=said):
        kt.faithfulness(kt.attribute(trace), subsets=1, quiet=True)


def test_a_draw_without_a_bank_owes_nothing_to_anybody(alone, system, picture):
    trace = alone.traced(picture, seed=5)
    assert np.array_equal(to_pixels(alone.blend(trace, kt.Box(0, 0, 53, 42))(torch.ones(0))), trace.output)
    assert np.array_equal(trace.output, system(picture, seed=5).output)
    assert (trace.sites, len(trace)) == (["style", "cells"], 0)
    assert alone.searched(trace) == []
    assert alone.rerun(trace).digest == trace.digest
    assert trace._repr_html_()
    assert not len(one_site(trace).sources())
    assert trace.picture.measures["style"]
    for ask in (kt.attribute, kt.Audit.create, kt.backtracking_figure, lambda t: t.explore()):
        with pytest.raises(TraceError, match=r"nothing was retrieved|without retrievals|no retrievals"):
            ask(trace)


def test_what_a_style_does_to_every_layer_is_measured(networks, traces):
    code = torch.from_numpy(np.stack(traces["mix"].site("style").column("code")))
    with torch.no_grad():
        layers = networks.b.dec.styles(networks.b.mlp(code))
    found = traces["mix"].picture.measures["style"]
    assert len(found) == 2 * len(layers) == 8
    for number, (shift, scale) in enumerate(layers, 1):
        assert found[f"shift_{number}"] == pytest.approx(float(shift.abs().mean()), rel=1e-5)
        assert found[f"scale_{number}"] == pytest.approx(float(scale.mean()), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_a_run_is_made_again_bit_for_bit_also_from_a_file(system, library, traces, tmp_path, way):
    trace = traces[way]
    assert system.rerun(trace).digest == trace.digest
    trace.save(tmp_path / "a.parquet")
    read = kt.Trace.open(tmp_path / "a.parquet")
    again = opened(read, library, system)
    assert again.digests() == system.digests()
    assert again.rerun(read).digest == trace.digest
    with pytest.raises(MismatchError, match="no library was given"):
        opened(read, None, system)


def test_a_system_without_a_bank_is_opened_without_a_library(alone, picture, exemplar, tmp_path, save):
    trace = alone.traced(picture, exemplar=save(tmp_path / "cup.png", exemplar))
    assert trace.about["sources"][0]["source"] == "cup.png"
    back = Munit(networks=alone.networks, to="drawings")
    trace.save(tmp_path / "a.parquet")
    read = kt.Trace.open(tmp_path / "a.parquet")
    again = opened(read, None, back)
    assert again.target == "photographs"
    assert again.rerun(read).digest == trace.digest
    with pytest.raises(MismatchError, match="target domain"):
        kt.attribute(read, through="gradient", model=back)
    trace.save(tmp_path / "bare.parquet", pictures="none")
    with pytest.raises(TraceError, match="without its picture"):
        again.rerun(kt.Trace.open(tmp_path / "bare.parquet"))


def test_a_trace_that_states_no_domain_is_not_opened(system, library, traces):
    trace = traces["mix"]
    digests = {name: digest for name, digest in trace.about["digests"].items() if name != "target domain"}
    with pytest.raises(TraceError, match="it states no target domain"):
        Munit.opened(kt.Trace(trace.table, {**trace.about, "digests": digests}, trace.pictures), library, system)


def test_a_run_is_made_again_in_another_style(system, picture, traces, exemplar):
    expected = system(picture, seed=7).output
    assert np.array_equal(system.rerun(traces["drawn"], seed=7).output, expected)
    assert np.array_equal(system.rerun(traces["mix"], exemplar=None, seed=7).output, expected)
    named = system.rerun(traces["several"], exemplar="c")
    assert named.digest == traces["named"].digest
    assert system.rerun(traces["named"], exemplar=exemplar).digest == traces["given"].digest


@pytest.mark.parametrize("way", ["given", "named", "mix", "drawn"])
def test_more_sources_are_refused_where_no_code_is_near_to_them(system, traces, way):
    assert system.rerun(traces[way], nearest=1).digest == traces[way].digest
    with pytest.raises(SettingError, match="nearest 2: no code that they are near to"):
        system.rerun(traces[way], nearest=2)


def test_the_same_code_is_asked_for_more_of_its_neighbours_and_another_one_for_its_nearest(system, traces, wanted):
    assert system.rerun(traces["nearest"], nearest=3).digest == traces["several"].digest
    assert system.rerun(traces["several"], code=wanted).digest == traces["nearest"].digest


@pytest.mark.parametrize("threads", [1, 3])
def test_a_picture_does_not_depend_on_the_number_of_threads(system, paint, threads):
    large, before = paint(2, 260, 250), torch.get_num_threads()  # smaller ones are made on one thread in any case
    try:
        torch.set_num_threads(threads)
        trace = system.traced(large, exemplar=paint(3, 250, 280))
    finally:
        torch.set_num_threads(before)
    assert trace.digest == system.traced(large, exemplar=paint(3, 250, 280)).digest


@pytest.mark.parametrize("way", ["nearest", "several"])
def test_without_a_source_the_next_nearest_is_taken_as_from_a_bank_without_it(
    system, networks, library, picture, ways, traces, tmp_path, way
):
    used = traces[way].site("style").column("source")[0]
    shutil.copytree(library.folder, tmp_path / "copy.ktlib")
    fewer = Library.open(tmp_path / "copy.ktlib")
    fewer.remove(BANK, used, quiet=True)
    without = kt.without(traces[way], used)
    assert np.array_equal(without.output, Munit(fewer[BANK], networks)(picture, **ways[way]).output)
    assert used not in without.site("style").column("source", winners=False)
    assert without.picture.settings["without"] == [used]
    number = int(traces[way].site("style").column("entry")[0])
    assert kt.without(traces[way].site("style"), number).digest == without.digest
    assert system.rerun(without).digest == without.digest


def test_fewer_are_taken_where_fewer_are_left(system, picture, wanted, traces):
    nearest = np.argsort(np.linalg.norm(system.banks.codes - wanted, axis=1))
    left = kt.without(traces["several"], [NAMES[n] for n in nearest[:3]])
    assert np.allclose(left.site("style").column("code")[0], system.banks.codes[nearest[3:]].mean(0), atol=1e-5)
    with pytest.raises(UnknownNameError, match="nothing would be left"):
        kt.without(traces["several"], BANK)


def test_without_a_part_of_a_mix_the_others_have_its_weight(system, picture, traces):
    mixed = system.traced(picture, mix={"a": 0.2, "b": 0.5, "e": 0.3})
    without = kt.without(mixed, "b")
    assert np.allclose(without.site("style").column("weight", winners=False), [0.6, 0.4])
    assert np.allclose(without.output, system(picture, mix={"a": 0.4, "e": 0.6}).output)
    assert "in proportion" in kt.attribute(mixed, through="ablation", **QUIET).about["instead"]
    assert system.searched(without) == [NAMES[0], NAMES[4]]
    with pytest.raises(UnknownNameError, match="nothing would be left"):
        kt.without(without, ["a", "e"])
    for way in ("named", "given"):
        with pytest.raises(UnknownNameError, match="nothing would be left"):
            kt.without(traces[way], str(traces[way].site("cells").column("source")[0]))


@torch.no_grad()
@pytest.mark.parametrize("way", ["given", "named", "nearest"])
def test_without_cells_the_mean_is_that_of_the_others(system, networks, picture, traces, way):
    trace = traces[way]
    source = str(trace.site("cells").column("source")[0])
    pixels = system.source_picture(trace, source)
    cells = networks.b.enc_style.cells(in_cells(pixels, 16))
    kept = torch.ones(cells.shape[2:], dtype=torch.bool)
    kept[:2, 1] = False
    without = kt.without(trace, kt.Box(18, 3, 14, 14))
    code = networks.b.enc_style.code(cells[:, :, kept].mean(2))[0]
    assert np.allclose(without.site("style").column("code")[0], code, atol=1e-5)
    assert near(without.output, painted(networks, picture, code))
    assert not np.array_equal(without.output, trace.output)
    region = kt.SourceRegion(source, kt.Box(18, 3, 14, 14))
    assert kt.without(trace, region).digest == without.digest
    boxes = without.site("cells").column("source_box", winners=False)
    gone = (boxes[:, 1] < 32) & (boxes[:, 0] == 16)
    assert not without.site("cells").column("weight", winners=False)[gone].any()
    assert system.rerun(without).digest == without.digest
    with pytest.raises(UnknownNameError, match="nothing would be left"):
        kt.without(trace, kt.SourceRegion(source, kt.Box(0, 0, pixels.shape[1], pixels.shape[0])))


def test_a_cell_is_left_out_by_its_number(system, traces):
    for way in ("given", "mix"):
        site = traces[way].site("cells")
        entry, box = int(site.column("entry")[0]), site.column("source_box")[0].tolist()
        region = kt.SourceRegion(str(site.column("source")[0]), kt.Box(*box))
        assert kt.without(site, entry).digest == kt.without(traces[way], region).digest
        with pytest.raises(UnknownNameError, match="cells"):
            kt.without(site, 999)
    with pytest.raises(UnknownNameError, match="there are 5"):
        kt.without(traces["mix"].site("style"), 5)


@pytest.mark.parametrize("way", WAYS)
def test_a_part_of_a_picture_without_something_is_that_of_the_whole(system, traces, way):
    trace, within = one_site(traces[way]), kt.Box(4, 8, 30, 20)
    again, cells = system.exclude(trace, within), way in OF_PICTURES
    without = trace.column("entry", winners=False)[:2].tolist()
    for parts, settings in (((), {}), (without, {}), ((), {"exemplar": None, "seed": 2}), ((), {"exemplar": "a"})):
        expected = system.rerun(trace, without=parts, **settings).output[within.pixels]
        assert np.array_equal(again(parts, **settings), expected)
    assert np.array_equal(again(without), again()) == (not cells)


def test_other_pictures_can_be_without_parts(system, traces):
    untouched = kt.without(traces["named"], kt.SourceRegion("a", kt.Box(0, 0, 16, 16)))
    assert np.array_equal(untouched.output, traces["named"].output)


def test_a_drawn_style_stays_whatever_is_left_out(system, traces):
    without = kt.without(traces["drawn"], traces["drawn"].site("likeness").column("source")[0])
    assert np.array_equal(without.output, traces["drawn"].output)
    ranked = traces["drawn"].site("likeness").column("source", winners=False).tolist()
    assert without.site("likeness").column("source", winners=False).tolist() == ranked[1:]


@pytest.mark.parametrize("way", OF_PICTURES)
def test_a_blend_goes_from_the_mean_of_the_bank_to_the_picture(system, networks, picture, traces, way):
    trace, within = traces[way], kt.Box(4, 8, 30, 20)
    blend = system.blend(one_site(trace), within)
    assert blend.retrievals.tolist() == [0]
    rows, columns = within.pixels
    assert np.array_equal(to_pixels(blend(torch.ones(1))), trace.output[rows, columns])
    mean = torch.from_numpy(system.banks.codes.mean(0)).float()
    assert near(to_pixels(blend(torch.zeros(1))), painted(networks, picture, mean)[rows, columns])
    amount = torch.tensor([0.4], requires_grad=True)
    (slope,) = torch.autograd.grad(blend(amount).double().sum(), amount)
    with torch.no_grad():
        ends = [blend(torch.tensor([0.4 + step])).double().sum() for step in (-1e-3, 1e-3)]
    assert float(slope) == pytest.approx(float(ends[1] - ends[0]) / 2e-3, rel=0.05, abs=0.5)


def test_without_a_bank_a_blend_begins_at_zeros(alone, networks, picture, exemplar):
    blend = alone.blend(one_site(alone.traced(picture, exemplar=exemplar)), kt.Box(0, 0, 53, 42))
    assert near(to_pixels(blend(torch.zeros(1))), painted(networks, picture, torch.zeros(4)))


@pytest.mark.parametrize("way", WAYS)
def test_a_style_acts_everywhere(system, traces, way):
    found = kt.attribute(traces[way], BOX, through="footprint").frame
    assert found["share"].sum() == pytest.approx(1, abs=1e-6)
    assert found.equals(kt.attribute(traces[way], kt.Box(0, 0, 53, 42), through="footprint").frame)


def test_everything_that_is_asked_of_a_trace_is_answered(traces):
    trace = traces["mix"]
    assert kt.backtrack(trace, BOX).patches[0][0].shape[2] == 3
    by_source = kt.attribute(trace, BOX, through="gradient").frame.set_index("source")["share"]
    parts = trace.site("cells").sources().set_index("source")["share"]
    assert (by_source[NAMES[4]] / by_source[NAMES[0]]) == pytest.approx(parts[NAMES[4]] / parts[NAMES[0]], rel=1e-4)
    ablation = kt.attribute(trace, BOX, through="ablation", **QUIET)
    assert ablation.frame["levels"].max() > 0
    model = kt.attribute(trace, BOX, by="entry", through="datamodel", runs=8, **QUIET)
    assert model.frame["share"].sum() == pytest.approx(1)
    tested = kt.faithfulness(kt.attribute(trace, BOX, by="entry"), subsets=4, seeds=range(2), **QUIET)
    assert np.isfinite(tested.frame["lds_features"]).any()
    for part in (trace, trace.site("cells"), trace.site("style"), trace[BOX]):
        assert part._repr_html_()
    assert kt.compare(trace, traces["named"]).plot()
    with pytest.raises(AbilityError, match="cannot find the exact best entries"):
        trace.site("style").regret()


@pytest.mark.parametrize("way", WAYS)
def test_views_and_figures_open(system, traces, tmp_path, way):
    with kt.Explorer(traces[way]) as view:
        assert view.site == ("likeness" if way == "drawn" else "cells")
        if way != "drawn":
            view.site = "style"
        view.to_html(tmp_path / "page.html")
    assert kt.backtracking_figure(traces[way])
    assert share_figure(traces[way])
    assert system(traces[way].input, seed=3)._repr_html_()


@pytest.mark.parametrize("way", WAYS)
def test_an_audit_is_verified(system, library, traces, tmp_path, way):
    audit = kt.Audit.create(traces[way], comparisons=[kt.compare(traces[way], system.rerun(traces[way], seed=1))])
    taken = audit.tables["counterfactuals"][["source", "taken_over_by"]].values.tolist()
    if way in ("nearest", "drawn"):
        ranked = one_site(traces[way]) if way == "drawn" else traces[way].site("style")
        assert taken == [ranked.column("source", winners=False).tolist()[:2]]
    assert len(taken) == {"given": 0, "named": 0, "several": 3, "mix": 2}.get(way, 1)
    audit.save(tmp_path / "audit")
    verdict = kt.verify(tmp_path / "audit", library, model=system)
    assert verdict, verdict.difference
    shown = "as the picture need not show it: seed" in " ".join(verdict.checks)
    assert shown == (way != "drawn")


def test_a_path_leads_from_one_style_to_the_other(system, networks, picture, exemplar):
    one, other = system.code("a").double().numpy(), style_of(networks, exemplar).double().numpy()
    angle = np.arccos(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
    parts = np.linspace(0, 1, 5)[:, None]
    expected = (np.sin((1 - parts) * angle) * one + np.sin(parts * angle) * other) / np.sin(angle)
    curved = system.path(picture, "a", exemplar, 5)
    line = system.path(picture, system.code("a").tolist(), exemplar, 5, line=True)
    for n in range(5):
        assert near(curved[n], painted(networks, picture, torch.from_numpy(expected[n]).float()), 2)
        mixed = one + n / 4 * (other - one)
        assert near(line[n], painted(networks, picture, torch.from_numpy(mixed).float()), 2)
    assert near(curved[0], system(picture, exemplar="a").output)
    assert near(curved[-1], system(picture, exemplar=exemplar).output)


def test_a_path_is_a_strip_with_its_pictures_and_what_they_are(system, picture, exemplar):
    way = system.path(picture, "a", exemplar, 10)
    assert repr(way) == "StylePath(a to a picture, 10 pictures)"
    assert np.array_equal(np.stack(way[2:4]), np.stack([way[2], way[3]]))
    assert way.codes[0] == pytest.approx(system.code("a").numpy())
    assert way.parts == pytest.approx(np.arange(10) / 9)
    apart = np.abs(way[4].astype(float) - way[3]).mean()
    assert way.differences[3] == pytest.approx(apart)
    figure = way.plot()
    drawn = [image.get_array() for image in figure.findobj(AxesImage)]
    assert all(np.array_equal(*pair) for pair in zip(drawn, [picture, *way], strict=True))
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert {"a", "a picture", "33% of the way", way.facts} <= set(texts)
    assert "along the arc" in way.facts
    card = way._repr_html_()
    assert card.count("<img") == 11
    assert "33% of the way" in card
    assert system.path(picture, [0.0] * 4, "a", 2, line=True).ends == ("a code", "a")
    assert [(one == other).all() for one, other in zip(way, way[:], strict=True)] == [True] * 10


def test_a_card_of_a_path_shows_ends_of_one_name_and_of_many_pictures_some(system, picture, exemplar):
    alike = system.path(picture, exemplar, exemplar[::-1].copy(), 4)
    assert alike.ends == ("a picture", "a picture")
    assert alike._repr_html_().count("<img") == 5
    long = system.path(picture, "a", exemplar, 60)._repr_html_()
    assert "of 61 are shown" in long
    assert long.count("<img") < 61


@pytest.mark.parametrize(("one", "other"), [([1, 2], [2, 4]), ([1, 2], [-1, -2]), ([0, 0], [3, 1])])
def test_where_there_is_no_arc_the_way_is_straight(one, other):
    ends, parts = (torch.tensor(one).float(), torch.tensor(other).float()), torch.linspace(0, 1, 4)
    assert torch.allclose(arc(*ends, parts), straight(*ends, parts))


@pytest.mark.parametrize("times", [-1, -3, -1 / 3, 0, 1, 7])
def test_between_parallel_styles_of_any_length_the_way_stays_between_them(times):
    for seed in range(20):
        one = torch.from_numpy(np.random.default_rng(seed).normal(size=8)).float()
        way = arc(one, times * one, torch.linspace(0, 1, 5))
        assert torch.allclose(way, straight(one, times * one, torch.linspace(0, 1, 5)), atol=1e-3)
        assert way.norm(dim=1).max() <= max(1, abs(times)) * one.norm() + 1e-5


def test_an_arc_is_the_published_one_where_there_is_one():
    rng = np.random.default_rng(5)
    one, other = rng.normal(size=8), rng.normal(size=8)
    angle = np.arccos(np.dot(one / np.linalg.norm(one), other / np.linalg.norm(other)))
    expected = [(np.sin((1 - t) * angle) * one + np.sin(t * angle) * other) / np.sin(angle) for t in (0, 0.3, 1)]
    found = arc(torch.tensor(one), torch.tensor(other), torch.tensor([0, 0.3, 1]).double())
    assert found.numpy() == pytest.approx(np.array(expected))


def test_published_files_load_by_their_names(networks, picture, exemplar, tmp_path):
    held = {key: dict(part.state_dict()) for key, part in (("a", networks.a), ("b", networks.b))}
    held["b"]["dec.model.0.model.0.model.0.norm.running_mean"] = torch.zeros(3)
    torch.save(held, tmp_path / "gen.pt")
    loaded = Munit.from_checkpoint(tmp_path / "gen.pt", networks.shape, ("drawings", "photographs"))
    assert np.array_equal(
        loaded(picture, exemplar=exemplar).output, Munit(networks=networks)(picture, exemplar=exemplar).output
    )
    assert loaded.target == "photographs"


def test_networks_are_saved_and_loaded_as_halves(networks, tmp_path, picture):
    networks.save(tmp_path)
    loaded = type(networks).load(tmp_path)
    assert loaded.domains == networks.domains
    assert loaded.shape == networks.shape
    apart = (
        Munit(networks=loaded)(picture, seed=1).output.astype(int) - Munit(networks=networks)(picture, seed=1).output
    )
    assert np.abs(apart).mean() < 3


def test_what_is_left_out_and_weights_of_it_are_named_as_stated(system, picture, traces):
    """Another picture left out, or another one's weight, may have made the same."""
    mix = {NAMES[0]: 0.5, NAMES[4]: 0.5}
    trace = system.traced(picture, mix=mix, without=[NAMES[0]])
    stated = stated_settings(trace)
    assert stated["without"] == trace.picture.settings["without"]
    assert stated["mix"] == trace.picture.settings["mix"]
    assert not {"without", "mix"} & {*stated_settings(traces["mix"])}
