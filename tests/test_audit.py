"""Audits of the toy world: what the tables say can be counted by hand, and the report is safe to open anywhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import ktviz as kt
from ktviz.audit.audit import Audit
from ktviz.audit.findings import headline, roll_up
from ktviz.errors import AuditError, StorageError, TraceError
from ktviz.explain.pieces import LEAST, control, pieces, pieces_mask
from ktviz.folders import as_csv
from ktviz.images import read_image, write_image
from ktviz.systems.kt.translator import Translator
from ktviz.testing import CellColours, CellMeans, ToyWorld, toy_photo
from ktviz.trace.trace import Trace

PARAMETERS = {"top": 2, "sample": 20}


@pytest.fixture(scope="module")
def toy_world(tmp_path_factory):
    return ToyWorld(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def audited(toy_world):
    trace = toy_world.translator.traced(toy_photo(), transfer="swap", coherence=0)
    return Audit.create(trace, title="Stripes", **PARAMETERS)


@pytest.fixture(scope="module")
def saved(audited, tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit") / "stripes"
    audited.save(folder)
    return folder


class Resources(HTMLParser):
    """What a page would load, and what it would run."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.scripts, self.tags = [], 0, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.scripts += tag == "script" or any(name.startswith("on") for name, _ in attributes)
        self.loads += [value for name, value in attributes if name in ("src", "srcset", "data", "background")]
        self.loads += [value for name, value in attributes if tag == "link" and name == "href"]


def test_shares_are_those_counted_by_hand(audited):
    shares = audited.tables["sources"].set_index("source")["share"]
    expected = {"red": 3 / 16, "yellow": 6 / 16, "green": 2 / 16, "cyan": 5 / 16, "magenta": 0}
    assert shares.to_dict() == pytest.approx({f"toy/flat/{name}.png": share for name, share in expected.items()})


def test_who_chose_the_tone_is_held_and_told_beside_who_painted(world, paint, tmp_path):
    trace = world.translator.traced(paint(9))
    audit = Audit.create(trace, top=1, sample=5)
    assert audit.evidence.recording.digest == trace.digest
    assert audit.trace.digest == trace.site("retrieval").digest
    served = audit.tables["served"]
    shares = trace.site("tone").sources().query("share != 0")
    assert set(served["site"]) == {"tone"}
    assert dict(zip(served["source"], served["share"], strict=True)) == dict(
        zip(shares["source"], shares["share"], strict=True)
    )
    audit.save(tmp_path / "audit")
    assert "What served it" in (tmp_path / "audit" / "report.html").read_text()
    again = Audit.open(tmp_path / "audit")
    assert again.evidence.recording.digest == trace.digest
    (without,) = again.evidence.without.values()
    assert without.sites == ["tone", "retrieval"]


def test_without_alignment_nothing_served(world, paint):
    audit = Audit.create(world.translator.traced(paint(9), align=0), top=0, sample=5)
    assert audit.evidence.recording.sites == ["retrieval"]
    assert not len(audit.tables["served"])


def test_creators_and_licences_add_up_their_works(audited):
    creators = audited.tables["creators"].set_index("creator")
    assert creators.loc["Painter 1", "share"] == pytest.approx(6 / 16)
    assert creators["share"].sum() == pytest.approx(1)
    licences = audited.tables["licences"]
    assert licences["licence"].tolist() == ["CC0-1.0"]
    assert licences["retrievals"].tolist() == [49]
    assert licences["sources"].tolist() == [4]


def test_what_is_unknown_is_counted_as_unknown():
    works = pd.DataFrame(
        {
            "source": list("abc"),
            "share": [0.5, 0.3, 0.2],
            "retrievals": [5, 3, 0],
            "creator": ["Ann", "unknown", ""],
        }
    )
    trace = SimpleNamespace(sources=lambda: works, about={"sources": works.to_dict("records")})
    table = roll_up(trace, "creator")
    assert table["creator"].tolist() == ["Ann", "unknown"]
    assert table["share"].tolist() == pytest.approx([0.5, 0.5])
    assert table["sources"].tolist() == [1, 1]


def test_every_box_of_every_work_is_listed(audited):
    boxes = audited.tables["boxes"]
    assert len(boxes) == 49
    assert boxes["overlap"].sum() == pytest.approx(1)
    assert (boxes.loc[boxes["query"] == 8, ["x", "y", "width", "height"]].to_numpy() == [[8, 8, 16, 16]]).all()
    summed = boxes.groupby("source")["overlap"].sum()
    shares = audited.tables["sources"].set_index("source")["share"]
    assert summed.to_dict() == pytest.approx(shares[shares > 0].to_dict())


def test_counterfactuals_are_of_the_largest_works_and_keep_their_pictures(audited, toy_world):
    table = audited.tables["counterfactuals"]
    assert table["source"].tolist() == ["toy/flat/yellow.png", "toy/flat/cyan.png"]
    again = toy_world.translator(toy_photo(), transfer="swap", coherence=0, without=["yellow"])
    assert np.array_equal(audited.pictures["without-1-yellow"], again.image)
    changed = (again.image != audited.trace.output).any(2).mean()
    assert table["changed_share"][0] == pytest.approx(changed)


def test_what_coherence_gives_up_is_counted_beside_what_the_search_missed():
    table = pd.DataFrame(
        {
            "entry": [1, 2, 3, 4],
            "exact_entry": [1, 9, 9, 4],
            "similarity": np.float32([1, 0.5, 0.8, 1]),
            "exact_similarity": np.float32([1, 1, 1, 1]),
            "regret": np.float32([0, 0.5, 0.2, 0]),
            "coherent": [False, True, False, False],
        }
    )
    said = dict(headline(table))
    assert said["the winner is the best entry of all"] == "50.0%"
    assert said["similarity kept, of the best there was"] == "82.5%"
    assert said["the search alone found the best"] == "66.7%"
    assert said["gave similarity up to continue a neighbour"] == "25.0%"


def test_an_exact_search_has_no_regret(toy_world):
    trace = toy_world.translator.traced(toy_photo(), preset="exact", coherence=0)
    regret = Audit.create(trace, **PARAMETERS).tables["regret"]
    assert len(regret) == 20
    assert regret["regret"].max() < 1e-6


def test_a_photo_that_is_a_source_is_one_piece_of_its_own_size(world, paint):
    """A photo that is itself in the library takes every patch from its own place."""
    trace = world.translator.traced(paint(3), preset="exact", transfer="swap", coherence=0).painting()
    found = pieces(trace)
    assert found["source"].tolist() == ["art/cool/d.png"]
    assert found["area"].tolist() == pytest.approx([1.0])
    assert found[["x", "y", "width", "height"]].to_numpy().tolist() == [[0, 0, 64, 64]]
    assert found[["source_x", "source_y", "source_width", "source_height"]].to_numpy().tolist() == [[0, 0, 64, 64]]
    assert pieces_mask(trace).all()


@pytest.mark.parametrize("coherence", [0, 0.06])
def test_a_shifted_piece_is_found_where_it_was_put(world, paint, coherence):
    """A piece of one source, moved by a multiple of the query's step, in the middle of noise."""
    trace = world.translator.traced(planted(paint(3)[8:56, 0:48]), preset="exact", coherence=coherence).painting()
    largest = pieces(trace).iloc[0]
    assert largest["source"] == "art/cool/d.png"
    x, y, width, height = largest[["x", "y", "width", "height"]]
    # Queries that are half in the piece may take its continuation in the source.
    more = 8 if coherence else 0  # and with coherence, those that are half beside it
    assert 16 <= x <= 24
    assert 24 <= y <= 32
    assert 72 <= x + width <= 80 + more
    assert 80 <= y + height <= 88 + more
    assert largest["own"] >= 25
    assert largest["retrievals"] >= largest["own"]
    assert largest[["source_x", "source_y", "source_width", "source_height"]].tolist() == [
        x - 24,
        y - 24,
        width,
        height,
    ]


def planted(part):
    """A part of a work, 48x48 px, in the middle of noise."""
    photo = np.random.default_rng(5).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    photo[32:80, 24:72] = part
    return photo


def test_what_coherence_goes_on_with_is_no_piece_by_itself(world):
    """Noise that shares nothing with any work: coherence makes large parts of it, and none is reported."""
    photo = np.random.default_rng(1).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    trace = world.translator.traced(photo, coherence=1.0).painting()
    assert np.mean(trace.column("kt.coherent")) > 0.5
    assert max(flood(keys_of(trace), 23)) > LEAST
    assert not len(pieces(trace))


def test_the_control_counts_what_goes_on_in_a_mirrored_work(world, paint):
    """The mirrored work fits nowhere; one that is its own mirror image fits both ways, and then is no piece."""
    trace = world.translator.traced(paint(3), preset="exact", coherence=0).painting()
    assert 1 <= control(trace) < len(trace) / 4
    table = trace.table
    box = trace.column("box", winners=False)
    both = np.column_stack((48 - box[:, 0], box[:, 1:])).astype(np.float32)
    place = table.schema.get_field_index("source_box")
    mirrored = pa.FixedSizeListArray.from_arrays(pa.array(both.ravel()), 4)
    turned = trace.with_table(table.set_column(place, table.schema.field(place), mirrored))
    assert control(turned) == len(turned)
    assert not len(pieces(turned))


def test_pieces_are_connected_and_large_enough(world, paint):
    trace = world.translator.traced(paint(3), coherence=0.3).painting()
    found = pieces(trace)
    assert len(found)
    assert (found["own"] >= LEAST).all()
    assert found["retrievals"].is_monotonic_decreasing
    assert set(found["retrievals"]) <= set(flood(keys_of(trace), 15))


def test_a_piece_says_how_many_works_would_have_done(tmp_path, paint):
    """The same work twice, but for one pixel: the other one is a rival of every patch that it shares."""
    twin = paint(3).copy()
    twin[0, 0] = 255 - twin[0, 0]
    settings = kt.LibrarySettings(side_px=64, dedupe=1)
    library = kt.Library.ensure(tmp_path / "twins.ktlib", encoder=CellMeans(), settings=settings)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for name, pixels in (("one", paint(3)), ("twin", twin), ("other", noise)):
        write_image(tmp_path / "works" / f"{name}.png", pixels)
    library.build("art/twins", [tmp_path / "works"], encoder=CellMeans(), quiet=True)
    translator = Translator(library["art/twins"], CellMeans(), CellColours())
    trace = translator.traced(paint(3), preset="exact")
    found = Audit.create(trace, model=translator, **PARAMETERS).tables["pieces"]
    assert found["rivals"].iloc[0] == 1


def flood(keys, columns):
    """Sizes of connected parts of equal keys, by walking."""
    left, sizes = set(range(len(keys))), []
    while left:
        open_, part = [left.pop()], 0
        while open_:
            here = open_.pop()
            part += 1
            beside = {here - columns, here + columns}
            beside |= {here - 1} if here % columns else set()
            beside |= {here + 1} if here % columns < columns - 1 else set()
            near = {n for n in beside & left if keys[n] == keys[here]}
            left -= near
            open_ += near
        sizes.append(part)
    return sizes


def keys_of(trace):
    """Source and offset of each retrieval."""
    offset = trace.column("source_box")[:, :2] - trace.column("box")[:, :2]
    return [(s, *o) for s, o in zip(trace.column("source"), offset.tolist(), strict=True)]


def test_the_folder_holds_report_tables_pictures_trace_and_manifest(saved):
    names = {path.relative_to(saved).as_posix() for path in saved.rglob("*") if path.is_file()}
    assert {"report.html", "manifest.json", "trace.parquet", "pictures/input.png", "pictures/output.png"} <= names
    for table in (
        "sources",
        "creators",
        "licences",
        "banks",
        "years",
        "boxes",
        "pieces",
        "rivals",
        "counterfactuals",
        "regret",
    ):
        csv, parquet = (saved / "tables" / f"{table}.{kind}" for kind in ("csv", "parquet"))
        pd.testing.assert_frame_equal(
            pd.read_csv(csv, keep_default_na=False, na_values=[""], dtype={"year": str}).dropna(axis=1, how="all"),
            pd.read_parquet(parquet).replace("", np.nan).dropna(axis=1, how="all"),
            check_dtype=False,
            rtol=1e-6,
        )


def test_pictures_are_kept_without_loss(saved, audited):
    assert np.array_equal(read_image(saved / "pictures" / "output.png"), audited.trace.output)
    assert np.array_equal(read_image(saved / "pictures" / "input.png"), toy_photo())


def test_the_report_is_one_file_that_loads_and_runs_nothing(saved):
    text = (saved / "report.html").read_text(encoding="utf-8")
    page = Resources(text)
    assert page.loads
    assert all(value.startswith("data:image/") for value in page.loads)
    assert page.scripts == 0
    assert not re.search(r"url\(|@import", text)


def test_the_report_names_works_shares_and_the_control(saved):
    text = (saved / "report.html").read_text(encoding="utf-8")
    for part in ("All yellow", "Painter 1", "CC0-1.0", "38%", "https://example.org/red", "toy/flat/magenta.png"):
        assert part in text
    assert "in mirrored and turned works, by chance, 1 go together here" in " ".join(text.split())


def test_hostile_text_in_titles_and_credits_is_shown_as_text(tmp_path):
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    world = ToyWorld(tmp_path)
    header = "file,title,creator,year,licence,url\n"
    rows = [f'{name}.png,"{evil}","{evil}","{evil}","{evil}",javascript:alert(3)' for name in ("red", "blue")]
    (tmp_path / "evil.csv").write_text(header + "\n".join(rows), encoding="utf-8")
    world.library.build(
        "toy/evil", [tmp_path / "flats"], credits=tmp_path / "evil.csv", encoder=CellMeans(), quiet=True
    )
    translator = Translator(world.library["toy/evil"], CellMeans(), CellColours())
    audit = Audit.create(translator.traced(toy_photo()), title=evil, model=translator, **PARAMETERS)
    audit.save(tmp_path / "audit")
    page = Resources((tmp_path / "audit" / "report.html").read_text(encoding="utf-8"))
    assert page.scripts == 0
    assert all(value.startswith("data:image/") for value in page.loads)
    text = (tmp_path / "audit" / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;" in text
    assert 'href="javascript' not in text


def test_formulas_in_credits_are_text_in_a_spreadsheet():
    table = pd.DataFrame({"title": ["=1+1", "@now", "A cat"], "share": [-0.5, 0.25, 1.0]})
    assert as_csv(table) == "title,share\n'=1+1,-0.5\n'@now,0.25\nA cat,1\n"


def test_opening_gives_the_same_audit(saved, audited):
    again = Audit.open(saved)
    assert again.trace.digest == audited.trace.digest
    assert again.title == "Stripes"
    assert np.array_equal(again.trace.output, audited.trace.output)
    for name, table in audited.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table, check_dtype=False)


def test_the_same_audit_writes_the_same_bytes(saved, audited, tmp_path):
    audited.save(tmp_path / "again")
    for path in (p for p in saved.rglob("*") if p.is_file()):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(saved)).read_bytes(), path.name


def test_nothing_is_overwritten_unless_told_and_never_anything_but_an_audit(saved, audited, tmp_path):
    with pytest.raises(StorageError, match="not empty"):
        audited.save(saved)
    audited.save(saved, overwrite=True)
    (tmp_path / "diary").mkdir()
    (tmp_path / "diary" / "mine.txt").write_text("keep")
    with pytest.raises(StorageError, match="something else"):
        audited.save(tmp_path / "diary", overwrite=True)
    (tmp_path / "diary" / "manifest.json").write_text('{"name": "a web page"}')
    with pytest.raises(StorageError, match="something else"):
        audited.save(tmp_path / "diary", overwrite=True)
    assert (tmp_path / "diary" / "mine.txt").read_text() == "keep"
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="it is a file"):
        audited.save(tmp_path / "file", overwrite=True)


def test_an_audit_that_cannot_be_rendered_leaves_no_folder(audited, tmp_path, monkeypatch):
    monkeypatch.setattr("ktviz.audit.audit.render", lambda audit: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        audited.save(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_trace_from_a_file_can_be_audited_with_its_model(toy_world, tmp_path):
    toy_world.translator.traced(toy_photo()).save(tmp_path / "t.parquet")
    trace = Trace.open(tmp_path / "t.parquet")
    with pytest.raises(TraceError, match="model="):
        Audit.create(trace, **PARAMETERS)
    audit = Audit.create(trace, model=toy_world.translator, **PARAMETERS)
    assert audit.tables["sources"]["share"].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "there is no manifest.json"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "damaged"),
        (lambda folder: (folder / "manifest.json").write_text('{"format": 99}'), "newer than 5"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "not that of an audit"),
        (lambda folder: (folder / "trace.parquet").unlink(), "trace.parquet"),
    ],
)
def test_what_is_no_audit_is_refused_by_name(audited, tmp_path, change, message):
    audited.save(tmp_path / "a")
    change(tmp_path / "a")
    with pytest.raises(AuditError, match=message):
        Audit.open(tmp_path / "a")
