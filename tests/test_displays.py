"""What a notebook shows at the end of a cell, without any magic: pictures, cards, and one line for everything else."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import torch
from IPython.core.formatters import DisplayFormatter

import ktviz as kt
from ktviz.figures import cards
from ktviz.figures.gallery import gallery
from ktviz.library.library import Library
from ktviz.systems.kt.descent import descents
from ktviz.systems.kt.live import live

EVIL = "<script>alert(1)</script>\"'&"
TEXT, HTML, PNG = "text/plain", "text/html", "image/png"


def displayed(value):
    data, _ = DisplayFormatter().format(value)
    return data


@pytest.fixture(scope="module")
def evil(tmp_path_factory, toy, settings, paint, save, toy_decoder):
    """A world whose files and credits carry HTML."""
    root = tmp_path_factory.mktemp("evil")
    for number, name in enumerate(("<img src=x onerror=alert(1)>.png", "b&b.png")):
        save(root / "pictures" / name, paint(number))
    texts = [EVIL, EVIL, EVIL, EVIL, f"javascript:{EVIL}"]
    row = ",".join('"' + text.replace('"', '""') + '"' for text in texts)
    (root / "credits.csv").write_text(
        f"file,title,creator,year,licence,url\n<img src=x onerror=alert(1)>.png,{row}\nb&b.png,{row}\n"
    )
    library = Library.ensure(root / "<b>.ktlib", toy, settings)
    library.build("art/evil", root / "pictures", credits=root / "credits.csv", encoder=toy, quiet=True)
    translator = kt.Translator(library["art"], toy, toy_decoder)
    trace = translator.traced(paint(9))
    return {
        "Trace": trace,
        "Translation": translator(paint(9)),
        "Attribution": kt.attribute(trace, kt.Box(8, 8, 16, 16)),
        "Attribution by band": kt.attribute(trace, by="band"),
        "Comparison": kt.compare(trace, kt.without(trace, "art/evil/b&b.png")),
        "Backtrack": kt.backtrack(trace, kt.Box(8, 8, 16, 16)),
        "Library": library,
        "Banks": library["art"],
        "Bank": library.bank("art/evil"),
        "Audit": kt.Audit.create(trace, title=EVIL, top=0, sample=5, model=translator),
        "translator": translator,
    }


CARDS = ("Trace", "Translation", "Attribution", "Comparison", "Backtrack", "Library", "Banks", "Bank", "Audit")


class Reader(HTMLParser):
    """Elements, attributes and text of a card."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("name", CARDS)
def test_a_card_holds_pictures_is_small_and_runs_nothing(evil, name):
    text = displayed(evil[name])[HTML]
    assert len(text) < 100_000
    read = Reader(text)
    assert {tag for tag, _ in read.found} <= {"div", "span", "b", "img"}
    assert {key for _, attributes in read.found for key in attributes} <= {"style", "src", "width", "height", "alt"}
    pictures = [attributes["src"] for tag, attributes in read.found if tag == "img"]
    assert pictures
    assert all(re.fullmatch(r"data:image/(webp|png);base64,[\w+/=]+", source) for source in pictures)


def test_names_and_credits_are_shown_as_they_are(evil):
    for name in ("Trace", "Translation", "Bank"):
        assert EVIL in Reader(displayed(evil[name])[HTML]).text
    assert "<b>.ktlib" in Reader(displayed(evil["Library"])[HTML]).text


def test_a_card_has_no_colour_of_text_or_page_of_its_own(evil):
    """So that it reads on a light page and on a dark one."""
    for name in CARDS:
        styles = " ".join(attributes.get("style", "") for _, attributes in Reader(displayed(evil[name])[HTML]).found)
        assert not re.search(r"(?<!-)color:", styles)
        assert not re.search(r"background: (white|black|#f{3,6}|#0{3,6})", styles)


def test_the_largest_card_is_small(paint):
    """With all the pictures that there is room for."""
    photo = paint(1, 600, 900)
    row = {"share": "1%", "bar": 0.01, "colour": "#000", "thumbs": [cards.thumb(photo)], "name": "n", "text": "t"}
    pictures = [cards.show(photo, cards.PICTURE)] * 3
    assert len(cards.card("Trace", [], pictures, [row] * cards.ROWS)) < 100_000
    assert len(cards.card("Library", [], [], [{**row, "thumbs": row["thumbs"] * 5}] * cards.BANKS)) < 100_000
    assert len(cards.card("Bank", [], [cards.show(photo, cards.TILE)] * cards.TILES, [])) < 100_000


def test_a_trace_that_cannot_be_asked_yet_shows_its_line(world):
    with pytest.raises(ZeroDivisionError), kt.record(world.translator) as trace:
        1 / 0  # noqa: B018
    assert displayed(trace).keys() == {TEXT}


def test_a_trace_of_several_images_shows_them(world, paint):
    with kt.record(world.translator) as trace:
        world.translator.batch([paint(1), paint(2)])
    read = Reader(displayed(trace)[HTML])
    assert "Input 0" in read.text
    assert "Output 1" in read.text


def test_results_that_were_read_from_files_show_what_they_hold(evil, tmp_path):
    for name in ("Trace", "Attribution", "Backtrack", "Comparison"):
        evil[name].save(tmp_path / name)
        assert name in displayed(type(evil[name]).open(tmp_path / name))[HTML]


def test_a_figure_is_a_picture_without_a_magic(paint):
    assert displayed(gallery([paint(1)]))[PNG].startswith(b"\x89PNG")


def test_a_figure_is_shown_once_where_matplotlib_draws_too(paint):
    from IPython.core.pylabtools import select_figure_formats
    from matplotlib import pyplot

    class Shell:
        display_formatter = DisplayFormatter()

    select_figure_formats(Shell, {"png"})
    figure = gallery([paint(1)])
    data, _ = Shell.display_formatter.format(figure)
    assert data.keys() == {TEXT, PNG}
    assert not pyplot.get_fignums()  # no backend shows it a second time at the end of the cell


def test_every_public_result_is_one_informative_line(evil, toy, toy_decoder):
    trace, translator, bank = evil["Trace"], evil["translator"], evil["Bank"]
    case = live(trace, trace.model)
    matches = evil["Translation"].matches
    catalogue = kt.Catalogue.wholes(["a", "b"])
    soft = kt.Matches.soft(torch.rand(3, 9))
    readings = translator.retrieval.read((case.features, case.grid, case.settings), matches)
    objects = [
        *(value for name, value in evil.items() if name != "translator"),
        *(matches, soft, replace(matches, entry=matches.entry[:0]), kt.Queries.grid(4, 5, step_px=8)),
        *(catalogue, readings[0], kt.adapt(toy, len, queries=kt.Queries.grid(1, 1, 4), catalogue=catalogue)),
        *(kt.Settings(band_weights=torch.ones(4)), kt.Box(0, 0, 8, 8), kt.LibrarySettings(), case.grid, case),
        *(trace.picture, bank.tree, bank.entries, bank.projection, bank.sources[0], descents(case, [0])[0]),
        *(
            kt.faithfulness(evil["Attribution"]),
            *trace[kt.Box(0, 0, 9, 9)].pictures,
        ),
        *evil["Audit"].fingerprints,
    ]
    for value in objects:
        line = repr(value)
        assert "\n" not in line
        assert len(line) < 420, line
        assert line.startswith(f"{type(value).__name__}(")
        assert "object at 0x" not in line
        assert "tensor(" not in line


def test_matches_say_how_many_and_how_good():
    matches = kt.Matches.hard(torch.arange(6).view(3, 2), torch.tensor([[0.9, 0.1], [0.5, 0.4], [0.7, 0.2]]))
    assert repr(matches) == "Matches(3 hard retrievals, 2 candidates each, median similarity 0.700)"
