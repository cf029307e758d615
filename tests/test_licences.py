"""Licences get an SPDX identifier where it is certain, and keep what was written beside it."""

import pytest

from ktviz.audit.findings import derived_tables
from ktviz.library.library import Library
from ktviz.licences import UNKNOWN, in_short, readable, spdx
from ktviz.systems.kt.translator import Translator
from ktviz.testing.toy import CellColours, CellMeans, ToyWorld, toy_photo
from ktviz.trace.trace import Trace


@pytest.mark.parametrize(
    ("identifier", "written"),
    [
        (
            "CC-BY-4.0",
            "CC-BY-4.0|cc-by-4.0|CC BY 4.0|CC-BY 4.0|CC_BY_4.0|CC BY v4.0|CC-BY-4|Creative Commons Attribution 4.0|"
            "Creative Commons Attribution 4.0 International License|Attribution 4.0 International (CC BY 4.0)|"
            "https://creativecommons.org/licenses/by/4.0/|http://www.creativecommons.org/licenses/by/4.0|"
            "https://creativecommons.org/licenses/by/4.0/deed.de|https://creativecommons.org/licenses/by/4.0/legalcode|"
            "CC BY 4.0 <https://creativecommons.org/licenses/by/4.0/>|https://spdx.org/licenses/CC-BY-4.0.html",
        ),
        ("CC-BY-SA-3.0", "CC BY-SA 3.0|cc by sa 3.0|CC BY\N{EN DASH}SA 3.0|Attribution-ShareAlike 3.0 Unported"),
        ("CC-BY-SA-3.0-DE", "CC BY-SA 3.0 DE|https://creativecommons.org/licenses/by-sa/3.0/de/"),
        ("CC-BY-NC-ND-2.0", "Creative Commons Attribution-NonCommercial-NoDerivs 2.0 Generic|CC BY-NC-ND 2.0"),
        ("CC-BY-NC-SA-2.5", "CC BY-SA-NC 2.5"),
        (
            "CC0-1.0",
            "CC0|CC0-1.0|cc0 1.0|CC Zero|Creative Commons Zero|Creative Commons CC0 1.0|CC0 1.0 Universal|"
            "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication|CC0-1.0 (public domain)|"
            "https://creativecommons.org/publicdomain/zero/1.0/",
        ),
        ("CC-PDM-1.0", "Public Domain Mark|Public Domain Mark 1.0|https://creativecommons.org/publicdomain/mark/1.0/"),
        ("MIT", "MIT|mit|MIT License"),
        ("Apache-2.0", "apache-2.0|Apache License, Version 2.0|Apache 2.0"),
        ("MIT OR CC-BY-4.0", "mit or cc-by-4.0"),
        ("LicenseRef-house", "LicenseRef-house"),
        (
            UNKNOWN,
            "unknown||CC BY|CC-BY-NC|CC BY 2|BY 4.0|CC BY 5.0|CC BY 4.0 Unported|CC BY-SA 3.0 US|CC BY 4.0, CC0|"
            "CC BY-NC 4.0 and CC0|CC0 (not CC BY)|GPL-2.0 (or later)|public domain|PD|no known copyright|Fair|Intel|"
            "All rights reserved|© Ann Ox|Creative Commons|Attribution|by|0|()|MIT OR|((((|MIT\0|1900|"
            "https://example.org/licenses/by/4.0/",
        ),
    ],
)
def test_a_licence_has_an_identifier_where_it_is_certain(identifier, written):
    assert {text: spdx(text) for text in written.split("|")} == dict.fromkeys(written.split("|"), identifier)


def test_a_licence_is_shown_with_both():
    assert readable("CC0-1.0") == "CC0-1.0"
    assert readable("CC BY 4.0") == "CC-BY-4.0 (CC BY 4.0)"
    assert readable("All rights reserved") == "All rights reserved"


def test_where_room_is_scarce_a_licence_is_its_identifier_if_it_has_one():
    assert in_short("CC BY 4.0") == "CC-BY-4.0"
    assert in_short("CC BY") == "CC BY"


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    """Red and yellow under CC BY 4.0, written in two ways; green all rights reserved; cyan CC0."""
    folder = tmp_path_factory.mktemp("licences")
    world = ToyWorld(folder)
    written = {
        "red": "CC BY 4.0",
        "yellow": "https://creativecommons.org/licenses/by/4.0/",
        "green": "All rights reserved",
        "cyan": "CC0",
        "magenta": "CC BY",
    }
    rows = [f"{name}.png,{licence}" for name, licence in written.items()]
    (folder / "licences.csv").write_text("\n".join(("file,license", *rows)))
    world.library.build(
        "toy/other", [folder / "flats"], credits=folder / "licences.csv", encoder=CellMeans(), quiet=True
    )
    banks = Library.open(world.library.folder)["toy/other"]
    return Translator(banks, CellMeans(), CellColours()).traced(toy_photo())


def test_tables_hold_the_identifier_beside_what_was_written(trace, tmp_path):
    trace.save(tmp_path / "trace.parquet")
    for one in (trace, Trace.open(tmp_path / "trace.parquet")):
        shares = one.sources().set_index("source")
        assert shares.loc["toy/other/red.png", ["licence", "spdx"]].tolist() == ["CC BY 4.0", "CC-BY-4.0"]
        assert shares.loc["toy/other/green.png", ["licence", "spdx"]].tolist() == ["All rights reserved", "unknown"]
        assert shares.loc["toy/other/magenta.png", ["licence", "spdx"]].tolist() == ["CC BY", "unknown"]


def test_an_audit_counts_one_licence_once_however_it_was_written(trace):
    shares = trace.sources().set_index("source")["share"]
    found = derived_tables(trace.painting())["licences"].set_index("licence")["share"]
    assert set(found.index) == {"CC-BY-4.0", "CC0-1.0", "All rights reserved", "CC BY"}
    assert found["CC-BY-4.0"] == pytest.approx(shares["toy/other/red.png"] + shares["toy/other/yellow.png"])
