"""Whose work fills all outputs of a store, as a page with pictures."""

from __future__ import annotations

import re

import pytest
from command import ktviz

import ktviz as kt
from ktviz.errors import SettingError, StorageError, TraceError


@pytest.fixture(scope="module")
def store(world, paint, tmp_path_factory):
    """Three outputs, one of them without its pictures."""
    found = kt.TraceStore(tmp_path_factory.mktemp("store"))
    for number, pictures in enumerate(("both", "both", "none")):
        found.append(world.translator.traced(paint(number, 48, 64)), pictures=pictures)
    return found


def numbers(text, start, end):
    """Percentages in a part of a page, in their order."""
    part = text[text.index(start) : text.index(end)]
    return [float(one) for one in re.findall(r">(?:<b>)?(\d+(?:\.\d+)?)%<", part)]


def test_the_page_says_what_the_store_says_and_shows_the_pictures(store, tmp_path):
    page = kt.write_exhibition(store, tmp_path / "page.html").read_text(encoding="utf-8")
    table = store.shares(by="creator")
    for creator in table["creator"]:
        assert creator in page
    said = numbers(page, "<h2>In all", "<h2>Picture by picture")
    assert said[0::2] == pytest.approx([100 * share for share in table["share"]], abs=0.51)
    assert page.count("<figure>") == 3
    assert page.count("data:image/jpeg;base64,") == 2
    assert page.count("not kept with the trace") == 1
    assert "http://" not in page.replace("http-equiv", "")
    assert "https://" not in page


def test_shares_of_a_picture_are_those_of_its_sources_added_up(store, tmp_path):
    page = kt.write_exhibition(store, tmp_path / "page.html", by="bank").read_text(encoding="utf-8")
    first = page[page.index("<figure>") : page.index("</figure>")]
    shares = store.open(store.names[0]).sources().groupby("bank", observed=True)["share"].sum()
    said = dict(re.findall(r"<span>([^<]+)</span><b>([\d.]+)%</b>", first))
    assert {name: float(share) for name, share in said.items()} == pytest.approx(
        {name: 100 * share for name, share in shares.items() if share > 0}, abs=0.51
    )


def test_names_of_strangers_are_text(world, paint, tmp_path):
    library = kt.Library.create(tmp_path / "l.ktlib", world.translator.encoder)
    kt.write_image(tmp_path / "in" / "a.png", paint(1, 64, 64))
    (tmp_path / "credits.csv").write_text("file,creator\na.png,<script>alert(1)</script>\n", encoding="utf-8")
    library.build(
        "art/evil", tmp_path / "in", credits=tmp_path / "credits.csv", encoder=world.translator.encoder, quiet=True
    )
    translate = kt.Translator(library["art/evil"], world.translator.encoder, world.translator.decoder)
    store = kt.TraceStore(tmp_path / "store")
    store.append(translate.traced(paint(2, 48, 48)), pictures="both")
    page = kt.write_exhibition(store, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_what_cannot_be_written_says_why(store, tmp_path):
    with pytest.raises(TraceError, match="no trace that can be read"):
        kt.write_exhibition(kt.TraceStore(tmp_path / "empty"), tmp_path / "page.html")
    with pytest.raises(SettingError):
        kt.write_exhibition(store, tmp_path / "page.html", by="weather")
    assert not (tmp_path / "page.html").exists()
    kt.write_exhibition(store, tmp_path / "page.html")
    with pytest.raises(StorageError, match="it exists"):
        kt.write_exhibition(store, tmp_path / "page.html")


def test_a_broken_trace_is_named_and_the_others_are_shown(world, paint, tmp_path):
    store = kt.TraceStore(tmp_path / "store")
    for number in range(2):
        store.append(world.translator.traced(paint(number, 48, 64)), pictures="both")
    broken = store.names[0]
    (tmp_path / "store" / "traces" / f"{broken}.parquet").write_bytes(b"PAR1 nothing")
    with pytest.warns(UserWarning, match=broken):
        page = kt.write_exhibition(store, tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 1
    assert f"Traces that are damaged: {broken}" in page


def test_the_command_writes_it(store, tmp_path):
    asked = ("exhibition", store.folder, "-o", tmp_path / "page.html", "--by", "licence")
    ktviz(*asked)
    assert store.shares(by="licence")["licence"][0] in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert ktviz(*asked, check=False).returncode == 8
    gone = ktviz("exhibition", tmp_path / "none", "-o", tmp_path / "x.html", check=False)
    assert gone.returncode == 10
