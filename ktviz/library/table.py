"""A table that people keep: CSV from any program, read strictly. What can be read in two ways is refused by line."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ktviz.errors import CreditsError, MissingCreditsError
from ktviz.printing import unseen

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
MOST_BYTES = 64 * 2**20
"""A table of a million rows; anything larger is something else."""
MOST_PROBLEMS = 10
"""Lines named in one error."""
BOMS = (  # the longer first: UTF-32 begins as UTF-16 does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How .xlsx, .ods and .xls begin."""
UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
"""A character that is no ASCII, as UTF-8 has it; in Windows-1252 two or more, of which the first is a letter."""
LOST = "\ufffd"
"""What stands for a character that could not be read."""
SEPARATOR_LINE = re.compile(r'\A"?sep=(.)"?(?:\r\n|\r|\n)', re.IGNORECASE)
"""What Excel writes before a table to say what separates its columns."""
NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Record:
    """One row as it stands in the file.

    Attributes:
        line: Where it begins, from 1.
        fields: Its values, spaces around them left out.
    """

    line: int
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A header, and rows with as many fields.

    Attributes:
        header: The first row.
        rows: The others; empty ones are left out.
        delimiter: What separates the columns.
        remark: What a person should know of how it was read; empty if nothing.
    """

    header: Record
    rows: tuple[Record, ...]
    delimiter: str
    remark: str


def read_table(path: Path, known: Callable[[Sequence[str]], int], what: str = "credits") -> Table:
    """Read a CSV file.

    Accepted: commas, semicolons or tabs; UTF-8, UTF-16 and UTF-32 with a mark, Windows-1252; quoted fields with
    delimiters and line breaks in them; empty lines.

    Args:
        path: A file.
        known: How many columns of a header have a known name: it decides what the delimiter is.
        what: What the table is of, as errors call it.

    Raises:
        CreditsError: It cannot be read, or can be read in more than one way; the message names the lines.
    """
    asked = f"{what} {str(path)!r}"
    text, remark = decode(read_bytes(path, asked), asked)
    check_characters(text, asked)
    text, offset, delimiters = without_separator_line(text, asked)
    if not text.strip():
        raise CreditsError(asked, "it is empty", "Give a header, and a row for each file")
    delimiter = max(delimiters, key=lambda d: known(first_record(text, d).fields))
    problems: list[str] = []
    records = [Record(r.line + offset, r.fields) for r in parse(text, delimiter, problems, offset) if any(r.fields)]
    if not records:
        raise CreditsError(asked, "; ".join(problems) or "no row in it", "Give a header, and a row for each file")
    header, rows = records[0], records[1:]
    for row in rows:
        if len(row.fields) != len(header.fields):
            found = f"line {row.line}: {len(row.fields)} fields, the header has {len(header.fields)}"
            more = len(row.fields) > len(header.fields)
            problems.append(f"{found}; put text with {DELIMITERS[delimiter]} in quotes" if more else found)
    refuse(asked, problems)
    return Table(header, tuple(rows), delimiter, remark)


def refuse(asked: str, problems: Sequence[str]) -> None:
    """Raise CreditsError if there are problems, and name them."""
    if problems:
        more = [f"and {len(problems) - MOST_PROBLEMS} lines more"] if len(problems) > MOST_PROBLEMS else []
        raise CreditsError(asked, "; ".join([*problems[:MOST_PROBLEMS], *more]), "Mend the table: a guess could lie")


def read_bytes(path: Path, asked: str) -> bytes:
    try:
        if not path.is_file():
            if path.exists():
                raise CreditsError(asked, "it is no plain file", "Check the path")
            raise MissingCreditsError(asked, "no such file", "Check the path")
        if path.stat().st_size > MOST_BYTES:
            raise CreditsError(asked, f"more than {MOST_BYTES // 2**20} MB", "Give the table, as CSV")
        data = path.read_bytes()
    except CreditsError:
        raise
    except (OSError, ValueError) as error:
        raise CreditsError(asked, f"cannot be read ({error})", "Check the path") from None
    if data.startswith(WORKBOOKS):
        raise CreditsError(asked, "a workbook (.xlsx, .ods or .xls), not text", "Save it as CSV")
    return data


def decode(data: bytes, asked: str) -> tuple[str, str]:
    """Bytes as text, and a remark where the encoding was not stated and is not UTF-8."""
    stated = next((encoding for mark, encoding in BOMS if data.startswith(mark)), None)
    if not stated and b"\0" in data[:4]:  # as in every ASCII letter of a header
        found = "it seems to be UTF-16 or UTF-32, without the mark with which such a file begins"
        raise CreditsError(asked, found, "Save it as UTF-8")
    try:
        return data.decode(stated or "utf-8"), ""
    except UnicodeDecodeError as error:
        wrong = error
    if stated:
        found = f"it begins as {stated.removesuffix('-sig').upper()} does, and is not ({wrong.reason})"
        raise CreditsError(asked, found, "Save it as UTF-8")
    line = line_at(data, wrong.start)
    as_utf8 = UTF8_SEQUENCE.search(data)
    if as_utf8:
        found = f"line {line}: not UTF-8, as line {line_at(data, as_utf8.start())} is"
        raise CreditsError(asked, found, "Save all of it as UTF-8")
    try:
        return data.decode("windows-1252"), "not UTF-8: read as Windows-1252"
    except UnicodeDecodeError:
        raise CreditsError(asked, f"line {line}: neither UTF-8 nor Windows-1252", "Save it as UTF-8") from None


def line_at(data: bytes, place: int) -> int:
    """The line of a byte, from 1."""
    return 1 + len(re.findall(rb"\r\n|\r|\n", data[:place]))


def check_characters(text: str, asked: str) -> None:
    """Refuse characters that nobody sees, NUL among them, and what stands for a lost one."""
    odd = {c for c in set(text) - set("\t\r\n") if c == LOST or unseen(c)}
    problems = []
    for line, content in enumerate(NEWLINE.split(text), 1) if odd else ():
        first = next((c for c in content if c in odd), None)
        if first is not None:
            problems.append(f"line {line}: the character U+{ord(first):04X}, which nobody sees or that stands for none")
    refuse(asked, problems)


def without_separator_line(text: str, asked: str) -> tuple[str, int, Sequence[str]]:
    """Text without a first line `sep=;`, how many lines that was, and which delimiters there may be."""
    stated = SEPARATOR_LINE.match(text)
    if not stated:
        return text, 0, tuple(DELIMITERS)
    if stated[1] not in DELIMITERS:
        raise CreditsError(asked, f"line 1: separated by {stated[1]!r}", "Use commas, semicolons or tabs")
    return text[stated.end() :], 1, (stated[1],)


def first_record(text: str, delimiter: str) -> Record:
    """The first record that is not empty; of no fields if there is none."""
    found = (record for record in parse(text, delimiter, [], 0) if any(record.fields))
    return next(found, Record(1, ()))


def parse(text: str, delimiter: str, problems: list[str], offset: int) -> Iterator[Record]:
    """Records of a text; what is no CSV is added to `problems`."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=delimiter, strict=True, skipinitialspace=True)
    whole = well_formed(delimiter)
    number = 1
    while True:
        taken.clear()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append(f"line {number + offset}: {reason(error)}")
            return
        if not whole.fullmatch("".join(taken)):
            problems.append(f'line {number + offset}: a quote within text; write it "" and put the text in quotes')
        yield Record(number, tuple(field.strip() for field in fields))
        number = reader.line_num + 1


def well_formed(delimiter: str) -> re.Pattern[str]:
    """A record whose quotes stand around whole fields."""
    field = rf' *+(?:"(?:[^"]|"")*+"|[^"\r\n{delimiter}]*+)'
    return re.compile(rf"{field}(?:{delimiter}{field})*+(?:\r\n|\r|\n)?")


def reason(error: csv.Error) -> str:
    """What is wrong with a record's quotes."""
    if "unexpected end" in str(error):
        return "a quote is opened and never closed"
    if "field larger" in str(error):
        return f"a field of more than {csv.field_size_limit():,} characters; a quote may be left open"
    return "text after a closing quote; a quote may be left open"
