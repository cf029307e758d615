"""Attributes of pictures that enter a bank: a table says which of them each picture has.

As with credits nothing is guessed: a column of 0 and 1 is an attribute, one that has neither is something else and
told, and one that has others beside them is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ktviz.errors import CreditsError, LabelError, LibraryError, MissingCreditsError, MissingLabelError
from ktviz.library.credits import Places, located, meant
from ktviz.library.sources import Source, SourceFile
from ktviz.library.table import Table, read_table

Attributes = Mapping[str, bool]
"""Whether a picture has each of them, by name."""
VALUES = {"0": False, "1": True}
MOST_NAMED = 10


@dataclass(frozen=True, repr=False)
class AttributesTable:
    """A table of attributes, as it was read.

    Attributes:
        path: Of the file.
        names: Of the attributes, in its order.
        rows: File as it is written there, the line, and which attributes it has.
        remarks: What a person should know of how it was read.
    """

    path: Path
    names: tuple[str, ...]
    rows: tuple[tuple[str, int, Attributes], ...]
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"AttributesTable({str(self.path)!r}, {len(self.rows)} rows, {len(self.names)} attributes)"

    def match(self, files: Sequence[SourceFile]) -> tuple[list[SourceFile], list[LabelError]]:
        """Files with their attributes, and an error for each that has no row.

        Raises:
            LabelError: A row fits several files, or two rows one; the message names the lines.
        """
        places, found = Places.of(files), dict[str, tuple[int, Attributes]]()
        problems = []
        for name, line, has in self.rows:
            fits = {file.sha256 for file in places.fitting(located(name, self.path.parent))}
            if len(fits) > 1:
                problems.append(f"line {line}: {name!r} may be several pictures; write more of its path")
            for digest in fits:
                first, known = found.setdefault(digest, (line, has))
                if known != has:
                    problems.append(f"lines {first} and {line}: other attributes for one picture")
        refuse(self.path, problems)
        known_files = [replace(f, attributes=found[f.sha256][1]) for f in files if f.sha256 in found]
        return known_files, [self.lacking(file.name) for file in files if file.sha256 not in found]

    def of(self, path: Path) -> Attributes:
        """Which attributes a picture has.

        Raises:
            LabelError: It has no row, or several that differ.
        """
        files, lacking = self.match([SourceFile(path, path.name, "")])
        if lacking or files[0].attributes is None:
            raise self.lacking(str(path))
        return files[0].attributes

    def lacking(self, name: str) -> LabelError:
        """The error for a picture without a row."""
        return LabelError(f"attributes of {name}", f"no row in {self.path.name}", "Give a row for every picture")


def read_attributes(path: str | os.PathLike[str]) -> AttributesTable:
    """Read a table of attributes: CSV with a column `file`, and one of 0 and 1 for every attribute.

    Raises:
        LabelError: It is missing, or can be read in more than one way; the message names the lines.
    """
    path = Path(path)
    try:
        table = read_table(path, len, "attributes")
    except MissingCreditsError as error:
        raise MissingLabelError(error.asked, error.found, error.todo) from None
    except CreditsError as error:
        raise LabelError(error.asked, error.found, error.todo) from None
    names = table.header.fields
    of_files = [place for place, name in enumerate(names) if meant(name) == "file"]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems = [f"two columns {name!r}" for name in twice]
    problems += [] if len(of_files) == 1 else [f"{len(of_files) or 'no'} column `file` among {', '.join(names)}"]
    refuse(path, problems)
    columns = [place for place in range(len(names)) if place != of_files[0] and is_attribute(table, place)]
    refuse(path, [] if columns else ["no column of 0 and 1"])
    refuse(path, [*wrong(table, columns), *unnamed(table, of_files[0])])
    found = tuple(names[place] for place in columns)
    rows = tuple(
        (row.fields[of_files[0]], row.line, {names[place]: VALUES[row.fields[place]] for place in columns})
        for row in table.rows
    )
    others = [name for name in names if name and name not in (*found, names[of_files[0]])]
    remarks = [f"{path.name}: no attributes, as they are not 0 and 1: {', '.join(others)}"] if others else []
    return AttributesTable(path, found, rows, tuple(remarks))


def attributes_table(given: str | os.PathLike[str] | AttributesTable | None) -> AttributesTable | None:
    """A table that somebody gave, or the file of one; errors as in `read_attributes`."""
    return given if given is None or isinstance(given, AttributesTable) else read_attributes(given)


def is_attribute(table: Table, place: int) -> bool:
    """Whether a column is meant to be an attribute: it has a name, and 0 or 1 stands in it."""
    return bool(table.header.fields[place]) and any(row.fields[place] in VALUES for row in table.rows)


def wrong(table: Table, columns: Sequence[int]) -> Iterator[str]:
    """Values of attributes that are neither 0 nor 1."""
    for row in table.rows:
        for place in columns:
            if row.fields[place] not in VALUES:
                yield f"line {row.line}: {table.header.fields[place]} is {row.fields[place]!r}, neither 0 nor 1"


def unnamed(table: Table, place: int) -> Iterator[str]:
    """Rows of no file."""
    yield from (f"line {row.line}: no file is named" for row in table.rows if not row.fields[place])


def refuse(path: Path, problems: Sequence[str]) -> None:
    """Raise LabelError if there are problems, and name them."""
    if problems:
        more = [f"and {len(problems) - MOST_NAMED} more"] if len(problems) > MOST_NAMED else []
        raise LabelError(f"attributes {str(path)!r}", "; ".join([*problems[:MOST_NAMED], *more]), "Mend the table")


def check_known(bank: str, held: Sequence[Source], given: AttributesTable | None) -> None:
    """Refuse pictures whose attributes are not those that a bank holds of its pictures.

    Raises:
        LibraryError: It holds others; the message names the first that differs.
    """
    ours, theirs = set(held[0].attributes or ()), set(() if given is None else given.names)
    asked = f"add to bank {bank!r}"
    if bool(ours) != bool(theirs):
        words = ["attributes" if names else "none" for names in (ours, theirs)]
        found = f"its pictures have {words[0]}, these {words[1]}"
        raise LibraryError(asked, found, "Give attributes of all pictures of a bank, or make another bank")
    for name in sorted(ours ^ theirs):
        who, others = ("its pictures", "these") if name in ours else ("these", "its pictures")
        found = f"{who} have an attribute {name!r}, and {others} do not"
        raise LibraryError(asked, found, "Give the same attributes for all pictures of a bank")
