"""Tables of credits: what is unambiguous is read, whatever program wrote it; all else is refused with its line."""

import warnings

import pytest

from ktviz.errors import CreditsError, SourceWarning
from ktviz.library.credits import read_credits
from ktviz.library.intake import take_in
from ktviz.library.library import Library
from ktviz.library.sources import Source
from ktviz.retrieval.credit import Credit

HEADER = "file,title,creator,year,licence,url\n"
ROW = "a.png,Mer bleue,Zoé,1900,CC0,https://x.org\n"
SEA = Credit("Mer bleue", "Zoé", "1900", "CC0", "https://x.org")
TABLE = HEADER + ROW


@pytest.fixture(scope="module")
def images(tmp_path_factory, save, paint):
    """a.png, sub/a.png, sub/b.png, sub/café.png, sub/IMG 1.JPG"""
    root = tmp_path_factory.mktemp("images")
    for seed, name in enumerate(("a.png", "sub/a.png", "sub/b.png", "sub/caf\u00e9.png", "sub/IMG 1.JPG")):
        save(root / name, paint(seed, 16, 16))
    return root


@pytest.fixture
def write(tmp_path):
    def make(content, encoding="utf-8"):
        path = tmp_path / "credits.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return make


@pytest.fixture
def credit_of(write, images):
    """`credit_of(table, name)`: what a table says of one of the images."""

    def find(content, name="a.png"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SourceWarning)
            files, _ = take_in(images, write(content), ())
        return next(file.credit for file in files if file.name == name)

    return find


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode(),
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        TABLE.encode("utf-32"),
        TABLE.encode("latin-1"),
        (TABLE + "b.png,\u00abLe th\u00e9\u00bb,,,,\n").encode("windows-1252"),
        TABLE.replace(",", ";").encode(),
        TABLE.replace(",", "\t").encode(),
        TABLE.replace(",", ";").encode("windows-1252"),
        TABLE.replace(",", "\t").encode("utf-16"),
        ("sep=;\n" + TABLE.replace(",", ";")).encode(),
        ('"sep=\t"\r\n' + TABLE.replace(",", "\t")).encode(),
        TABLE.replace("\n", "\r\n").encode(),
        TABLE.replace("\n", "\r").encode(),
        TABLE.rstrip("\n").encode(),
        TABLE.replace("file", "File").replace("creator", "CREATOR").encode(),
        TABLE.replace("licence", "license").encode(),
        TABLE.replace("creator", "Author").replace("url", "Link").encode(),
        TABLE.replace("creator", "artist").replace("file", "File_Name").encode(),
        TABLE.replace("file", "path").replace("year", "date").encode(),
        TABLE.replace("file", "name").encode(),
        TABLE.replace("file,", "file , ").replace("a.png,", " a.png ,  ").encode(),
        ("\n\r\n,,,,,\n" + HEADER + "\n,,,,,\n   \n" + ROW + ",,,,,\n\n").encode(),
        (HEADER.strip() + ",,\n" + ROW.strip() + ",,\n").encode(),
        (HEADER + ROW.replace("Mer bleue", '"Mer bleue"').replace("Zoé", ' "Zoé"')).encode(),
        (HEADER + ROW.replace("Mer bleue", '"Mer\r\nbleue"')).encode(),
        (HEADER + ROW + ROW).encode(),
        (HEADER + ROW + "gone.png,,,,,\n").encode(),
        "url,licence,year,creator,title,file\nhttps://x.org,CC0,1900,Zoé,Mer bleue,a.png\n".encode(),
        "file;creator;title;license;year;link\na.png;Zoé;Mer bleue;CC0;1900;https://x.org\n".encode(),
    ],
)
def test_every_way_to_write_one_table_says_the_same(credit_of, content):
    assert credit_of(content) == SEA


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('"Sea, with ""boats"""', 'Sea, with "boats"'),
        ('"Sea; calm\tnight"', "Sea; calm\tnight"),
        ("", "unknown"),
        ("Unknown", "unknown"),
        ("  ", "unknown"),
        ("海と船", "海と船"),
        ("\u0646\u06cc\u200c\u0645", "\u0646\u06cc\u200c\u0645"),
        ("\U0001f469\u200d\U0001f3a8", "\U0001f469\u200d\U0001f3a8"),
        ('"Sea, calm\nafter a.png"', "Sea, calm after a.png"),
        ('"a.png, a sketch"', "a.png, a sketch"),
        ("=1+1", "=1+1"),
    ],
)
def test_a_value_is_kept_as_it_was_written(credit_of, value, written):
    assert credit_of(f"file,title\na.png,{value}\n").title == written


@pytest.mark.parametrize(
    "url",
    [
        "http://x",
        "https://x.org/My Picture.jpg",
        "HTTPS://X.ORG",
        "www.nasa.gov",
        "x.org/a?b=1",
        "x.org:80/a",
        "müller.de/bild",
        "doi:10.1000/182",
        "mailto:ann@x.org",
        "https://a.org https://b.org",
    ],
)
def test_an_address_is_kept(credit_of, url):
    assert credit_of(f"file,url\na.png,{url}\n").url == url


@pytest.mark.parametrize("licence", ["©", "0BSD", "CC BY", "4.0 International", "vgl. Vertrag 12"])
def test_a_licence_is_kept(credit_of, licence):
    assert credit_of(f"file,licence\na.png,{licence}\n").licence == licence


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a.png", "a.png"),
        ("./a.png", "a.png"),
        ("sub/a.png", "sub/a.png"),
        ("sub\\b.png", "sub/b.png"),
        (".\\sub\\b.png", "sub/b.png"),
        ("b.png", "sub/b.png"),
        ("{root}/sub/b.png", "sub/b.png"),
        ("{root}/./sub//b.png", "sub/b.png"),
        ("{root}/sub/../a.png", "a.png"),
        ("{folder}/sub/a.png", "sub/a.png"),
        ("cafe\u0301.png", "sub/caf\u00e9.png"),
        ("sub/caf\u00e9.png", "sub/caf\u00e9.png"),
        ("img 1.jpg", "sub/IMG 1.JPG"),
        ("SUB/B.PNG", "sub/b.png"),
    ],
)
def test_a_file_is_found_however_its_path_is_written(credit_of, images, file, name):
    file = file.format(root=images, folder=images.name)
    assert credit_of(f"file,title\n{file},Found\n", name).title == "Found"


def test_a_path_that_leads_out_of_the_folder_of_the_table_is_followed(tmp_path, save, paint):
    save(tmp_path / "pictures" / "a.png", paint(0, 16, 16))
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "credits.csv").write_text("file,title\n../pictures/a.png,Found\n")
    files, _ = take_in(tmp_path / "pictures", tmp_path / "tables" / "credits.csv", ())
    assert files[0].credit.title == "Found"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (HEADER + "a.png,Sea, with boats,Ann,1900,CC0,http://x\n", "line 2: 7 fields, the header has 6"),
        (HEADER + "a.png,Sea, with boats,Ann,1900,CC0,\n", "line 2: 7 fields, the header has 6"),
        (HEADER + ROW + "b.png,Sea\n", "line 3: 2 fields, the header has 6"),
        (HEADER + "b.png\n", "line 2: 1 fields"),
        (HEADER.strip() + ",,\n" + "a.png,Sea, with boats,Ann,1900,CC0,x,\n", "line 2: 'x' stands in column 7"),
        (TABLE.replace(ROW, ROW.replace(",", ";")), "line 2: 1 fields"),
        ('file,title\na.png,24" canvas\n', "line 2: a quote within text"),
        ('file,title,creator\na.png,Sea "with, boats"\n', "line 2: a quote within text"),
        ('file,title\na.png,"Sea" at night\n', "line 2: text after a closing quote"),
        (HEADER + ROW + 'b.png,"Sea,Ann,1900,CC0,x\n' + ROW, "line 3: a quote is opened and never closed"),
        ('file,title,creator\na.png,"Sea,Ann\nb.png,Dawn",Bo\n', "line 2: a quote may be left open"),
        ('title,file,licence\n"Sails,a.png,CC0\nHarbour",b.png,MIT\n', "line 2: a quote may be left open"),
        ('title,licence,file\n"Sails,CC0,a.png\nHarbour",MIT,b.png\n', "line 2: a quote may be left open"),
        ('title,file\nSails,"a.png\nHarbour,b.png"\n', "line 2: a quote may be left open"),
        ('title;file;url\nA;a.png;"x.org\nB;b.png;x.org\nC;c.png;"\n', "line 2: a quote may be left open"),
        ('file;title\na.png;"' + "x" * 140_000 + '"\n', "line 2: a field of more than 131,072"),
        (HEADER + ROW.replace("Mer", "M\0er"), r"line 2: the character U\+0000"),
        (TABLE.encode("utf-16-le"), "it seems to be UTF-16"),
        (TABLE.encode("utf-16-be"), "it seems to be UTF-16"),
        (TABLE.encode("utf-32-le"), "it seems to be UTF-16 or UTF-32"),
        *[
            (HEADER + ROW.replace("Mer", f"M{c}er"), rf"line 2: the character U\+{ord(c):04X}")
            for c in "\u200b\u00ad\u200e\u200f\u061c\u2028\u2029\u2060\u3164\U000e0041"
        ],
        (HEADER + ROW.replace("Mer", "M\x07er"), r"line 2: the character U\+0007"),
        (HEADER + ROW.replace("Mer", "M\u202eer"), r"line 2: the character U\+202E"),
        (HEADER + ROW.replace("Mer", "M\ufffder"), r"line 2: the character U\+FFFD"),
        ("\ufeff\ufeff" + TABLE, r"line 1: the character U\+FEFF"),
        (HEADER + ROW + ROW.replace("CC0", "All rights reserved"), "lines 2 and 3: two credits for 'a.png'"),
        (HEADER + ROW + ROW.replace("CC0", "MIT").replace("a.png", ".\\a.png"), "lines 2 and 3: two credits"),
        (HEADER + "\n" + ROW + ",Sea,Ann,,,\n", "line 4: no file is named"),
        ("file,licence,license\na.png,CC0,MIT\n", "line 1: the columns 'licence' and 'license' are both licence"),
        ("file,author,Artist\na.png,A,B\n", "line 1: the columns 'author' and 'Artist' are both creator"),
        ("file,file,title\na.png,b.png,Sea\n", "line 1: the columns 'file' and 'file' are both file"),
        ("file,name\na.png,Sea\n", "line 1: the columns 'file' and 'name' are both file"),
        ("file,licens\na.png,CC0\n", r"line 1: there is no column 'licens'; did you mean licen[cs]e"),
        ("file,width\na.png,300\n", "line 1: there is no column 'width'"),
        ("title,creator\nSea,Ann\n", "line 1: no column `file` among title, creator"),
        ("a.png,Sea,Ann\n", "line 1: no column `file` among a.png, Sea, Ann"),
        ("file|title\na.png|Sea\n", r"line 1: no column `file` among file\|title"),
        ("sep=|\nfile|title\na.png|Sea\n", r"line 1: separated by '\|'"),
        ("", "it is empty"),
        (" \n\n", "it is empty"),
        (",,,\n", "no row in it"),
        (b"PK\x03\x04whatever", "a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook"),
        (b"\xff\xfef\x00i", "begins as UTF-16 does"),
        (b"\xef\xbb\xbffile,title\na.png,\xe9\n", "begins as UTF-8 does"),
        (HEADER.encode() + ROW.encode() + ROW.encode("latin-1"), "line 3: not UTF-8, as line 2 is"),
        (HEADER.encode() + ROW.encode("latin-1") + ROW.replace("a", "b").encode(), "line 2: not UTF-8, as line 3 is"),
        (b"file,title,creator\na.png,\xab Sea \xbb,\xc3\x89mile\n", "line 2: not UTF-8, as line 2 is"),
        (b"file,title\na.png,Th\xe9\nb.png,\xc2\xab Sea \xc2\xbb\n", "line 2: not UTF-8, as line 3 is"),
        (b"file,title\na.png,\x81\xe9\n", "line 2: neither UTF-8 nor Windows-1252"),
        (HEADER + "a.png,Sails, evening,A. Marin,1931,CC BY 4.0\n", "line 2: 'CC BY 4.0' is no address; put the text"),
        *[
            (HEADER + f"a.png,Sails, evening,A. Marin,1931,{licence}\n", f"line 2: {licence!r} is no address")
            for licence in ("CC0", "CC-BY-4.0", "MIT", "All rights reserved", "GPL-2.0-or-later", "1931", "-")
        ],
        ("file,title,creator,year,licence\na.png,Sails, evening,A. Marin,1931\n", "line 2: '1931' is no licence"),
        ("file,title,creator,year,licence\na.png,Sails, evening,A. Marin,1931-33\n", "is no licence"),
        ("sep=;\nfile;title\na.png;Sea;more\n", "line 3: 3 fields"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_with_its_line(write, content, found):
    with pytest.raises(CreditsError, match=rf"credits\.csv.*{found}"):
        read_credits(write(content))


def test_a_workbook_is_to_be_saved_as_csv(write):
    with pytest.raises(CreditsError, match="Save it as CSV"):
        read_credits(write(b"PK\x03\x04"))


def test_all_bad_lines_are_named_at_once(write):
    with pytest.raises(CreditsError, match=r"line 3: .*line 5: "):
        read_credits(write(HEADER + ROW + "b.png,x\n" + "c.png,,,,,\n" + "d.png,x,y\n"))
    with pytest.raises(CreditsError, match="and 20 lines more"):
        read_credits(write(HEADER + "b.png\n" * 30))


@pytest.mark.parametrize("what", ["gone", "folder", "fifo"])
def test_what_is_no_file_is_refused_at_once(tmp_path, what):
    import os

    path = tmp_path / "credits.csv"
    if what == "folder":
        path.mkdir()
    if what == "fifo":
        os.mkfifo(path)
    with pytest.raises(CreditsError, match="no such file" if what == "gone" else "no plain file"):
        read_credits(path)


def test_a_row_that_fits_several_files_is_refused_with_all_of_them(write, tmp_path, save, paint):
    for seed, name in enumerate(("x/c.png", "y/c.png")):
        save(tmp_path / "in" / name, paint(seed, 16, 16))
    with pytest.raises(CreditsError, match=r"line 2: 'c\.png' may be .*x/c\.png or .*y/c\.png"):
        take_in(tmp_path / "in", write("file,title\nc.png,Sea\n"), ())


@pytest.mark.parametrize("other", ["./sub/b.png", "sub\\b.png", "b.png", "SUB/b.png", "{root}/sub/b.png"])
def test_two_credits_for_one_file_are_refused_however_it_is_written(write, images, other):
    table = write(f"file,licence\nsub/b.png,All rights reserved\n{other.format(root=images)},CC0\n")
    with pytest.raises(CreditsError, match="lines 2 and 3: two credits for"):
        take_in(images, table, ())


def test_two_credits_for_one_picture_in_two_files_are_refused(write, tmp_path, save, paint):
    for name in ("in/a.png", "in/b.png"):
        save(tmp_path / name, paint(0, 16, 16))
    with pytest.raises(CreditsError, match="lines 2 and 3: two credits"):
        take_in(tmp_path / "in", write("file,licence\na.png,All rights reserved\nb.png,CC0\n"), ())
    with pytest.warns(SourceWarning, match=r"b\.png is the same file as a\.png, byte for byte: it enters once"):
        files, _ = take_in(tmp_path / "in", write("file,licence\nb.png,CC0\n"), ())
    assert [(file.name, file.credit.licence) for file in files] == [("a.png", "CC0")]


def told_by(work):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        work()
    return [str(warning.message) for warning in told if issubclass(warning.category, SourceWarning)]


def test_rows_without_a_file_and_files_without_a_row_are_told_before_the_work(
    write, tmp_path, images, make_toy, settings
):
    library = Library.ensure(tmp_path / "told.ktlib", make_toy(), settings)
    table = write("file,title\na.png,Sea\ngone.png,Lost\nsub/b.png,Dawn\n")

    class Worked(Exception):
        pass

    def stop(*_):
        raise Worked

    encoder = make_toy()
    encoder.register_forward_pre_hook(stop)

    def build():
        with pytest.raises(Worked):
            library.build("art/x", images, credits=table, encoder=encoder, quiet=True)

    assert told_by(build) == [
        "1 row of credits.csv without a file: line 3 (gone.png)",
        "3 files without a row in credits.csv: sub/IMG 1.JPG, sub/a.png, sub/caf\u00e9.png",
    ]


def test_a_table_answers_by_itself_what_it_matches(write, images):
    table = read_credits(write("file,title\na.png,Sea\ngone.png,Lost\n"))
    found = table.match(take_in(images / "sub", None, ())[0])
    assert [(row.line, row.file) for row in found.unmatched] == [(3, "gone.png")]
    assert found.without_row == ["IMG 1.JPG", "b.png", "caf\u00e9.png"]
    assert len(table.below("sub").rows) == 0


def test_how_a_table_was_read_is_told(write, images):
    told = told_by(lambda: take_in(images, write(TABLE.encode("latin-1") + b"\n" + ROW.encode("latin-1")), ()))
    assert "credits.csv is not UTF-8: read as Windows-1252" in told
    assert "credits.csv says again what it has said: line 4" in told


def test_another_credit_for_a_picture_that_a_bank_holds_is_told(write, images):
    before = take_in(images / "a.png", None, ())[0][0]
    held = Source("a.png", before.sha256, Credit("Old"), 16, 16)
    told = told_by(lambda: take_in(images / "a.png", write(TABLE), [held]))
    assert told == ["a.png keeps its credit in the bank; remove it and add it again to give it another"]


def test_a_million_spaces_and_quotes_are_read_in_no_time(write):
    for field in (" " * 100_000 + "x", '"' + '""' * 60_000 + '"'):
        assert len(read_credits(write(f"file,title\na.png,{field}\n")).rows) == 1
    with pytest.raises(CreditsError):
        read_credits(write("file,title\na.png," + ' "' * 60_000 + "\n"))
