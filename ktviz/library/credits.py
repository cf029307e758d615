"""Credits: a table of who made which file, matched with the files before any work starts.

Nothing is guessed and nothing is passed over: what a table says in two ways is refused with its line; rows that match
no file, and files without a row, are told.
"""

from __future__ import annotations

import difflib
import os
import posixpath
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ktviz.images import suffixes
from ktviz.library.sources import SourceFile
from ktviz.library.table import NEWLINE, Record, Table, read_table, refuse
from ktviz.licences import UNKNOWN
from ktviz.names import composed, ends_in
from ktviz.retrieval.credit import Credit

COLUMNS = {
    "file": ("file", "filename", "file name", "filepath", "file path", "path", "name", "image"),
    "title": ("title",),
    "creator": ("creator", "author", "artist", "photographer"),
    "year": ("year", "date"),
    "licence": ("licence", "license"),
    "url": ("url", "uri", "link"),
}
"""What a table says of a file, and the names that a column may have; letter case, spaces, - and _ do not count."""
ADDRESS = re.compile(r"(?i:[a-z][a-z0-9+.-]*:\S.*|(?:[\w-]+\.)+[^\W\d_]{2,}(?::\d+)?(?:[/?#]\S*)?)")
"""A scheme and something, or the name of a computer and no space."""
NUMBERS = re.compile(r"[\d\s.,/\N{EN DASH}-]+")
"""Years and the like, which no licence is called."""
MEANING = {name: meaning for meaning, names in COLUMNS.items() for name in names}


@dataclass(frozen=True)
class CreditRow:
    """One row of a table of credits.

    Attributes:
        line: Where it begins in the file, from 1.
        file: As it is written there.
        credit: What it says.
    """

    line: int
    file: str
    credit: Credit


@dataclass(frozen=True)
class Credited:
    """Files with their credits.

    Attributes:
        files: All of them; those without a row have unknown credits.
        without_row: Names of those without a row.
        unmatched: Rows that match no file.
    """

    files: list[SourceFile]
    without_row: list[str]
    unmatched: list[CreditRow]


@dataclass(frozen=True, repr=False)
class CreditsTable:
    """A table of credits, as it was read.

    Attributes:
        path: Of the file.
        rows: In its order, each file once.
        remarks: What a person should know of how it was read.
    """

    path: Path
    rows: tuple[CreditRow, ...]
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"CreditsTable({str(self.path)!r}, {len(self.rows)} rows)"

    def below(self, folder: str) -> CreditsTable:
        """The rows whose file is written with this folder before it."""
        return replace(self, rows=tuple(row for row in self.rows if row.file.startswith(f"{folder}/")))

    def match(self, files: Sequence[SourceFile]) -> Credited:
        """Give each file its credit.

        A row's `file` is the name of a file in the bank, its absolute path, or the end of its path, cut at a slash.

        Raises:
            CreditsError: A row fits several files, or two rows with different credits fit one; the message names the
                lines.
        """
        found: dict[str, CreditRow] = {}
        unmatched, problems = [], []
        places = Places.of(files)
        for row in self.rows:
            fits = places.fitting(located(row.file, self.path.parent))
            digests = {file.sha256 for file in fits}
            if not fits:
                unmatched.append(row)
            elif len(digests) > 1:
                names = " or ".join(sorted(str(file.path) for file in fits))
                problems.append(f"line {row.line}: {row.file!r} may be {names}; write more of its path")
            else:
                first = found.setdefault(digests.pop(), row)
                if first.credit != row.credit:
                    problems.append(f"lines {first.line} and {row.line}: two credits for {fits[0].path}")
        refuse(f"credits {str(self.path)!r}", problems)
        credited = [replace(f, credit=found[f.sha256].credit) if f.sha256 in found else f for f in files]
        return Credited(credited, [file.name for file in files if file.sha256 not in found], unmatched)


def read_credits(path: str | os.PathLike[str]) -> CreditsTable:
    """Read a table of credits: CSV with a column `file` and any of title, creator, year, licence, url.

    `docs/credits.md` lists what is accepted. Empty values become "unknown".

    Raises:
        CreditsError: The table cannot be read, or can be read in more than one way; the message names the lines.

    Example:
        >>> table = read_credits("sample_data/credits.csv")
        >>> table.rows[0].credit.creator
        'NASA'
    """
    path = Path(path)
    table = read_table(path, lambda names: sum(1 + (meant(name) == "file") for name in names if meant(name)))
    columns = columns_of(table, path)
    problems: list[str] = []
    rows: dict[str, CreditRow] = {}
    again: list[str] = []
    for record in table.rows:
        row = row_of(record, columns, table.delimiter, problems)
        first = rows.setdefault(composed(located(row.file, path.parent)), row) if row.file else row
        if first.credit != row.credit:
            problems.append(f"lines {first.line} and {row.line}: two credits for {row.file!r}")
        elif first is not row:
            again.append(f"line {row.line}")
    refuse(f"credits {str(path)!r}", problems)
    remarks = [f"{path.name} is {table.remark}"] if table.remark else []
    remarks += [f"{path.name} says again what it has said: {', '.join(again)}"] if again else []
    return CreditsTable(path, tuple(rows.values()), tuple(remarks))


def meant(name: str) -> str:
    """What a column is, by its name; empty if no column has that name."""
    return MEANING.get(" ".join(re.split(r"[\s_-]+", unicodedata.normalize("NFKC", name).casefold())).strip(), "")


def columns_of(table: Table, path: Path) -> list[str]:
    """What each column of a table is; empty for one without a name."""
    names, line = table.header.fields, f"line {table.header.line}"
    columns = [meant(name) for name in names]
    strangers = [name for name, column in zip(names, columns, strict=True) if name and not column]
    problems = [f"{line}: {unknown_column(name)}" for name in strangers]
    if "file" not in columns:
        problems = [f"{line}: no column `file` among {', '.join(filter(None, names))}"]
    for meaning in COLUMNS:
        same = [repr(name) for name, column in zip(names, columns, strict=True) if column == meaning]
        if len(same) > 1:
            problems.append(f"{line}: the columns {' and '.join(same)} are both {meaning}")
    refuse(f"credits {str(path)!r}", problems)
    return columns


def unknown_column(name: str) -> str:
    near = difflib.get_close_matches(name.casefold(), MEANING, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"leave it out, or call it one of {', '.join(COLUMNS)}"
    return f"there is no column {name!r}; {hint}"


def row_of(record: Record, columns: Sequence[str], delimiter: str, problems: list[str]) -> CreditRow:
    """What a row says; what is wrong with it is added to `problems`."""
    said = dict.fromkeys(COLUMNS, "")
    for number, (column, value) in enumerate(zip(columns, record.fields, strict=True), 1):
        if column:
            said[column] = value
        elif value:
            problems.append(f"line {record.line}: {value!r} stands in column {number}, which has no name")
        swallowed = swallowed_row(value, delimiter)
        if swallowed:
            problems.append(f"line {record.line}: a quote may be left open; {swallowed[:40]!r} looks like a row")
    file = said.pop("file")
    if not file:
        problems.append(f"line {record.line}: no file is named")
    problems += [f"line {record.line}: {found}" for found in misplaced(**said)]
    return CreditRow(record.line, file, Credit(**{column: tidy(value) for column, value in said.items()}))


def misplaced(url: str, licence: str, **others: str) -> Iterator[str]:
    """What cannot be in its column: where text with a separator stands without quotes, all after it has slipped."""
    todo = "put the text before it in quotes, or leave it empty"
    if tidy(url) != UNKNOWN and not ADDRESS.fullmatch(url):
        yield f"{url!r} is no address; {todo}"
    if NUMBERS.fullmatch(licence):
        yield f"{licence!r} is no licence; {todo}"


def swallowed_row(value: str, delimiter: str) -> str | None:
    """A line of a quoted field that looks like a part of a row: fields, one of them the name of an image.

    Whichever column files stand in, a quote that is left open in one row and closed in another has such a line within.
    """
    lines = NEWLINE.split(value)
    rows = (line for line in lines if len(lines) > 1 and delimiter in line)
    return next((line for line in rows if any(names_image(field) for field in line.split(delimiter))), None)


def names_image(field: str) -> bool:
    return posixpath.splitext(field.strip(' "'))[1].lower() in suffixes()


def tidy(value: str) -> str:
    """A value on one line; "unknown" where nothing is said."""
    value = re.sub(r"\s*[\r\n]\s*", " ", value)
    return UNKNOWN if value.casefold() in ("", UNKNOWN) else value


def located(file: str, folder: Path) -> str:
    """The path that a table names, with slashes and without detours; `..` leads out of the table's folder."""
    path = file.replace("\\", "/")
    if ".." in path.split("/"):
        path = f"{folder.absolute().as_posix()}/{path}" if not path.startswith("/") else path
    return posixpath.normpath(path)


@dataclass(frozen=True)
class Places:
    """Where files are: by the last part of their names and paths, in one letter case."""

    by_end: dict[str, list[tuple[SourceFile, tuple[str, ...]]]]

    @classmethod
    def of(cls, files: Iterable[SourceFile]) -> Places:
        by_end: dict[str, list[tuple[SourceFile, tuple[str, ...]]]] = {}
        for file in files:
            paths = {p.as_posix().replace("\\", "/") for p in (file.path.absolute(), file.path.resolve())}
            for end in {folded(path.rsplit("/", 1)[-1]) for path in (*paths, file.name)}:
                by_end.setdefault(end, []).append((file, tuple(posixpath.normpath(path) for path in paths)))
        return cls(by_end)

    def fitting(self, wanted: str) -> list[SourceFile]:
        """The files that a path means: one of that very name in the bank, or all whose path ends so.

        How accents are stored, and then letter case, count only where nothing fits to the letter.
        """
        near = self.by_end.get(folded(wanted.rsplit("/", 1)[-1]), [])
        for spelled in (str, composed, folded):
            end = spelled(wanted)
            exact = [file for file, _ in near if spelled(file.name) == end]
            fits = [file for file, paths in near if any(ends_in(spelled(path), end) for path in paths)]
            if exact or fits:
                return exact or fits
        return []


def folded(name: str) -> str:
    """A name in one letter case, accents joined to their letters."""
    return composed(composed(name).casefold())
