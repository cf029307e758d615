"""What enters a bank: files, each picture once, with their credits; and what a person should know of it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from pathlib import Path

from ktviz.errors import ImageError, KtvizError, LabelError, LibraryError, SourceWarning
from ktviz.files import listed
from ktviz.images import check_names, file_digest, find_images
from ktviz.library.attributes import AttributesTable
from ktviz.library.credits import CreditsTable, read_credits
from ktviz.library.maps import MapFolders
from ktviz.library.parts import Part
from ktviz.library.sources import MappedSource, Source, SourceFile
from ktviz.printing import counted
from ktviz.retrieval.credit import Credit

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
MOST_NAMED = 100
"""Names in one warning; `CreditsTable.match` gives all."""


def take_in(
    paths: Paths,
    credits: str | os.PathLike[str] | CreditsTable | None,
    held: Sequence[Source],
    maps: MapFolders | None = None,
    attributes: AttributesTable | None = None,
) -> tuple[list[SourceFile], list[KtvizError]]:
    """The files that a bank does not hold yet, sorted by name, each picture once, with all that is known of them.

    Rows that match no file, files without a row, and files that are passed over are named in a `SourceWarning` each.

    Args:
        paths: Files and folders.
        credits: A table of credits, or its file.
        held: Sources of the bank.
        maps: Where their maps are.
        attributes: Which attributes they have.

    Returns:
        The files, and an error for each that cannot be opened or named, or that lacks a map or its attributes.

    Raises:
        ImageError: A path is missing or holds no image.
        CreditsError: As in `read_credits` and `CreditsTable.match`.
        LabelError: As in `AttributesTable.match`.
        LibraryError: Two different pictures have the same name, here or in the bank.
    """
    files, bad = collect_sources(paths)
    remarks: list[str] = []
    without_row: list[str] = []
    if credits is not None:
        table = credits if isinstance(credits, CreditsTable) else read_credits(credits)
        found = table.match(files)
        files, without_row = found.files, found.without_row
        remarks += table.remarks
        if found.unmatched:
            rows = [f"line {row.line} ({row.file})" for row in found.unmatched]
            remarks.append(f"{counted(len(rows), 'row')} of {table.path.name} without a file: {shortened(rows)}")
    entering = each_once(check_no_conflict(held, files, remarks), remarks)
    uncredited = [file.name for file in entering if file.name in set(without_row)]
    if credits is not None and uncredited:
        remarks.append(
            f"{counted(len(uncredited), 'file')} without a row in {table.path.name}: {shortened(uncredited)}"
        )
    remarks += other_maps(files, maps, held)
    attributed, without_attributes = with_attributes(entering, attributes)
    remarks += [] if attributes is None else [*attributes.remarks, *other_attributes(files, attributes, held)]
    for remark in remarks:
        warnings.warn(remark, SourceWarning, stacklevel=3)  # whoever called Library.build or add
    mapped, without_map = with_maps(attributed, maps)
    return mapped, [*bad, *without_attributes, *without_map]


def with_attributes(
    files: Sequence[SourceFile], attributes: AttributesTable | None
) -> tuple[list[SourceFile], list[LabelError]]:
    """Files with their attributes, and an error for each of which none are known."""
    return (list(files), []) if attributes is None else attributes.match(files)


def other_attributes(files: Sequence[SourceFile], attributes: AttributesTable, held: Sequence[Source]) -> Iterator[str]:
    """What to tell of pictures that a bank holds already, with other attributes."""
    known = {source.sha256: source for source in held}
    for file in attributes.match([file for file in files if file.sha256 in known])[0]:
        if file.attributes != known[file.sha256].attributes:
            name = known[file.sha256].name
            yield f"{name} keeps its attributes in the bank; remove it and add it again to give it others"


def with_maps(files: Sequence[SourceFile], maps: MapFolders | None) -> tuple[list[SourceFile], list[LabelError]]:
    """Files with their maps, and an error for each that lacks one."""
    if maps is None:
        return list(files), []
    mapped, bad = [], []
    for file in files:
        try:
            mapped.append(replace(file, maps=maps.of(file.name)))
        except LabelError as error:
            bad.append(error)
    return mapped, bad


def other_maps(files: Sequence[SourceFile], maps: MapFolders | None, held: Sequence[Source]) -> Iterator[str]:
    """What to tell of pictures that a bank holds already, with other maps."""
    known = {source.sha256: source for source in held if isinstance(source, MappedSource)}
    given, _ = with_maps([file for file in files if file.sha256 in known], maps)
    for file in given:
        source = known[file.sha256]
        if file.maps is not None and file.maps.digests != (source.labels_sha256, source.instances_sha256):
            yield f"{source.name} keeps its maps in the bank; remove it and add it again to give it others"


def collect_sources(paths: Paths) -> tuple[list[SourceFile], list[ImageError]]:
    """The images of files and folders (recursively), sorted by name; and what cannot be opened or named.

    Raises:
        ImageError: A path is missing or holds no image.
        LibraryError: Two different images have the same name.
    """
    named: dict[str, SourceFile] = {}
    bad: list[ImageError] = []
    for path, name in named_images(paths):
        try:
            check_names([path])
            file = SourceFile(path, name, digest_of(path))
        except ImageError as error:
            bad.append(error)
            continue
        first = named.setdefault(name, file)
        if first.sha256 != file.sha256:
            raise LibraryError(
                f"source {name!r}", f"two different files have this name: {first.path} and {path}", "Rename one"
            )
    return [named[name] for name in sorted(named)], bad


def named_images(paths: Paths) -> Iterable[tuple[Path, str]]:
    for given in map(Path, listed(paths)):
        yield from find_images([given]).names.items()


def digest_of(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise ImageError(
            f"image {str(path)!r}", f"cannot be read ({error.strerror})", "Check it, or leave it out"
        ) from None


def each_once(files: Sequence[SourceFile], remarks: list[str]) -> list[SourceFile]:
    """The first file of each picture; the others, the same to the last byte, are told."""
    kept: dict[str, SourceFile] = {}
    for file in files:
        first = kept.setdefault(file.sha256, file)
        if first.path.resolve() != file.path.resolve():
            remarks.append(f"{file.name} is the same file as {first.name}, byte for byte: it enters once")
    return list(kept.values())


def check_no_conflict(held: Sequence[Source], files: Sequence[SourceFile], remarks: list[str]) -> list[SourceFile]:
    """The files that a bank does not hold yet; the others are told where their credit is another.

    Raises:
        LibraryError: A file has the name of a source with other bytes.
    """
    names, digests = {source.name: source for source in held}, {source.sha256: source for source in held}
    for file in files:
        if file.name in names and names[file.name].sha256 != file.sha256:
            raise LibraryError(
                f"add {str(file.path)!r}",
                f"the bank holds another picture named {file.name!r}",
                "Rename the file, or remove that source first",
            )
        source = digests.get(file.sha256)
        if source is not None and file.credit not in (Credit(), source.credit):
            remarks.append(f"{source.name} keeps its credit in the bank; remove it and add it again to give it another")
    return [file for file in files if file.sha256 not in digests]


def shortened(names: Sequence[str]) -> str:
    """Names in a row; of very many the first."""
    more = f", and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def warn_of_twins(names: Sequence[str], parts: Sequence[Part], removed: Set[int]) -> None:
    """Tell of sources that stay and are the same picture as one that goes, such as a PNG copy of a JPEG."""
    digests = [part.stated[0][1] for part in parts]
    gone = {digests[number]: names[number] for number in removed}
    for number, digest in enumerate(digests):
        if digest in gone and number not in removed:
            remark = f"{names[number]} stays, and is the same picture as {gone[digest]}"
            warnings.warn(remark, SourceWarning, stacklevel=3)  # whoever called Library.remove
