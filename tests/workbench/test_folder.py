"""The folder of a bench, its page, and how outputs are drawn."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import AxesImage
from matplotlib.text import Text
from scipy.sparse import csr_array
from tiny_systems import material, tiny

from ktviz.errors import StorageError
from ktviz.explain.origins import Origins
from ktviz.figures.colours import OTHER
from ktviz.figures.origins import origin_map
from ktviz.images import read_image
from ktviz.workbench import folder as folders_of_benches
from ktviz.workbench import page as pages
from ktviz.workbench import words
from workbench.conftest import CELLS, NAMES


def test_the_folder_holds_what_was_found(found, folder):
    table = pd.read_csv(folder / "table.csv")
    assert table["system"].tolist() == [*NAMES, "cocosnet"]
    assert table["lds"][:3].to_numpy() == pytest.approx(found.frame["lds"][:3].to_numpy(), nan_ok=True)
    agreed = pd.read_csv(folder / "agreement.csv")
    assert agreed["above_chance"].to_numpy() == pytest.approx(found.agreement["above_chance"].to_numpy(), nan_ok=True)
    for name in NAMES:
        assert np.array_equal(read_image(folder / "pictures" / f"{name}.png"), found.outputs[name])
    assert np.array_equal(read_image(folder / "pictures" / "reference.png"), material("reference").photo)
    assert (folder / "pictures" / "agreement-kt+bridge.png").is_file()
    assert len(pd.read_csv(folder / "faithfulness.csv")) == len(found.faithfulness)
    assert f"| {words.pairs(found)[1][0][0]} |" in (folder / "table.md").read_text()


def test_the_page_is_one_offline_file_that_knows_every_cell(found, folder):
    text = (folder / "index.html").read_text()
    held = json.loads(re.search(r'id="origins">(.*?)</script>', text, re.S)[1])
    assert held["cells"] == CELLS
    for name, known in found.origins.items():
        for cell in (0, 27, CELLS**2 - 1):
            pairs = held["systems"][name]["parts"][held["systems"][name]["rows"][cell]]
            part = np.zeros(CELLS**2)
            part[pairs[::2]] = pairs[1::2]
            assert part / 10_000 == pytest.approx(known.part.toarray()[cell], abs=1e-4)
            assert pairs[1::2] == sorted(pairs[1::2], reverse=True)
    script = re.search(r"<script>(.*?)</script>", text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert not re.search(r"https?://", text)


@pytest.mark.parametrize("most", [1, 2])
def test_what_came_from_sources_that_are_not_shown_is_said(world, quick, monkeypatch, most):
    monkeypatch.setattr(pages, "MOST_SOURCES", most)
    found = quick(material("input"), [world.banks], [world.translator])
    known = found.origins["kt"]
    held = pages.packed(known, [source.name for source in found.sources[:most]])
    shown = np.array([sum(held["parts"][row][1::2]) for row in held["rows"]])
    assert shown + held["elsewhere"] == pytest.approx(pages.WHOLE * known.known, rel=1e-3)
    assert sum(held["elsewhere"]) > 0
    hidden = len(found.sources) - most
    assert hidden > 0
    text = folders_of_benches.page(found)
    assert re.search(rf"Grey comes from other sources: {hidden} sources? more gave something", text)
    grey = to_rgb(OTHER)
    cells = origin_map(known, [source.name for source in found.sources[:most]]).reshape(-1, 3)
    for cell in np.flatnonzero(shown == 0):
        assert cells[cell] == pytest.approx(np.array(grey) * 255, abs=0.6)


def test_parts_are_kept_however_small():
    part = np.full((4, 20_000), 1 / 20_000)
    known = Origins(2, tuple(f"{n}" for n in range(5_000)), csr_array(part), np.zeros(4), (8, 8))
    (parts,) = pages.packed(known, list(known.sources))["parts"]
    assert parts[1::2] == [0.5] * 20_000


def test_how_much_is_the_inputs_own_is_said(found, folder):
    row = found.frame.set_index("system").loc["bridge"]
    own = found.origins["bridge"].own
    assert row["own"] == pytest.approx(own.mean())
    assert 0.1 < row["own"] < 0.9
    assert found.frame["own"].tolist()[:2] == [0, 0]
    share = words.percent(row["own"])
    text = (folder / "index.html").read_text()
    assert f"{share} is the input&#39;s own; of the rest 100% known" in text
    assert "What is the input's own is left out" in text
    held = json.loads(re.search(r'id="origins">(.*?)</script>', text, re.S)[1])
    assert held["systems"]["bridge"]["own"] == pytest.approx(pages.WHOLE * own, rel=1e-3)
    columns, rows = words.systems(found)
    assert [row[list(columns).index("input's own")] for row in rows] == [words.NOTHING, words.NOTHING, share]
    assert "- *input's own*: " in (folder / "table.md").read_text()


def test_names_of_others_are_text(quick):
    name = "<b>&</script>"
    found = quick(replace(material("input"), name=name), replace(material("reference"), name=name), [tiny()["munit"]])
    text = folders_of_benches.page(found)
    assert name not in text
    assert "&lt;b&gt;&amp;&lt;/script&gt;" in text


def test_a_folder_is_written_whole_or_not_at_all(found, folder, tmp_path, monkeypatch):
    with pytest.raises(StorageError, match="it is not empty"):
        found.save(folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(StorageError, match="it holds something else than a comparison of systems"):
        found.save(tmp_path / "mine", overwrite=True)
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(folders_of_benches, "page", lambda found: 1 / 0)
    for name in ("new", "empty"):
        with pytest.raises(ZeroDivisionError):
            found.save(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "mine"]
    assert not any((tmp_path / "empty").iterdir())


def test_links_and_the_current_folder_are_refused_before_any_work(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(StorageError, match="it is a link"):
        folders_of_benches.check_target(tmp_path / "link", overwrite=True)
    monkeypatch.chdir(tmp_path / "real")
    with pytest.raises(StorageError, match="the folder in which this runs"):
        folders_of_benches.check_target(Path(), overwrite=True)


def test_overwriting_replaces_what_was_there(found, tmp_path):
    found.save(tmp_path / "x")
    (tmp_path / "x" / "old.txt").write_text("old")
    found.save(tmp_path / "x", overwrite=True)
    assert not (tmp_path / "x" / "old.txt").exists()


@pytest.mark.parametrize("theirs", ["table.csv", "comparison.json", "index.html"])
def test_a_folder_of_somebody_else_is_never_replaced(found, tmp_path, theirs):
    (tmp_path / theirs).write_text('{"name": "a season of sales"}')
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(StorageError, match="it holds something else than a comparison of systems"):
        found.save(tmp_path, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["letter.txt", theirs])


def test_the_folder_says_how_it_was_asked(found, folder):
    said = json.loads((folder / "comparison.json").read_text())
    assert said == {"title": found.title, "systems": [*NAMES, "cocosnet"], "about": found.about}


def test_the_output_of_each_is_drawn_with_its_name(found):
    figure = found.plot()
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert set(NAMES) <= set(texts)
    drawn = [image.get_array() for image in figure.findobj(AxesImage)]
    for name in NAMES:
        assert any(np.array_equal(image, found.outputs[name]) for image in drawn)
