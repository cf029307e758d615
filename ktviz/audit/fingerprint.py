"""Fingerprints of sources: enough to find what a library holds of one in any file, not enough to make it again.

A bank of patches stores a source as feature cells (C float16 numbers each), as search keys, which lie in blocks of 16,
four bytes of each after the other, and as a picture; a bank of pictures as a picture without loss and a small one, and
as maps where it has some; a bank of codes has the codes of its objects, too. A fingerprint keeps a 64-bit hash of each
of these runs of bytes that no other source of the banks shares; where another source holds all of the first (a PNG copy
of a JPEG), it keeps those of all of them. After a source was removed, every file of the library is searched for them at
every offset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ktviz.library.banks import Banks, of_kind
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.maps import Maps
from ktviz.library.kinds.patches.union import BankUnion
from ktviz.library.kinds.pictures.kept import KeptBanks
from ktviz.library.layout import MAPS
from ktviz.tables import MOST_VALUES, read_rows

Bytes = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]
Owners = dict[int, dict[int, tuple[str, str]]]
"""By length of runs: of each hash the source, and the kind of the run."""

NO_HASHES: Hashes = np.empty(0, dtype=np.uint64)
RUN = 256
"""Bytes of a run of a picture."""
VARIED = 8
"""Different bytes in a run of codes that is nobody else's."""
HEAD = 3
"""Runs at the beginning of a JPEG that say how it is coded."""
FACTOR = 0x9E3779B97F4A7C15
"""Odd, so that powers of it can be divided by, modulo 2^64."""
INVERSE = pow(FACTOR, -1, 1 << 64)
LOW = np.uint64((1 << 22) - 1)
ROWS = 1024
"""Runs hashed at a time."""
CHUNK = 1 << 20
"""Bytes searched at a time."""
BLOCKS, STEP, WORD = "keys in blocks", 64, 4
"""How such runs are called: of so many bytes as many at the beginning belong to one of them."""
LONGEST = 1 << 13
"""Bytes in the longest run: a cell of 4,096 channels."""


@dataclass(frozen=True)
class Fingerprint:
    """Hashes of a source's runs of bytes.

    Attributes:
        source: Its name.
        sha256: Of its original file.
        runs: By kind, the length of a run in bytes and the hashes.
    """

    source: str
    sha256: str
    runs: dict[str, tuple[int, list[int]]] = field(repr=False)


def write_fingerprints(path: Path, prints: Iterable[Fingerprint]) -> None:
    """One row per hash."""
    rows = [(p.source, p.sha256, kind, length, hashes) for p in prints for kind, (length, hashes) in p.runs.items()]
    counts = [len(hashes) for *_, hashes in rows]
    columns = {
        name: pa.array([row[n] for row in rows]).take(pa.array(np.repeat(np.arange(len(rows)), counts)))
        for n, name in enumerate(("source", "sha256", "kind", "length"))
    }
    values = np.concatenate([NO_HASHES, *(np.array(hashes, dtype=np.uint64) for *_, hashes in rows)])
    pq.write_table(pa.table({**columns, "hash": values}), path, compression="zstd")


def read_fingerprints(path: Path) -> tuple[Fingerprint, ...]:
    """The inverse of `write_fingerprints`."""
    found: dict[tuple[str, str], dict[str, tuple[int, list[int]]]] = {}
    table = read_rows(path, most=MOST_VALUES).to_pandas()
    for (source, sha256, kind, length), rows in table.groupby(["source", "sha256", "kind", "length"], sort=False):
        found.setdefault((source, sha256), {})[kind] = (int(length), rows["hash"].tolist())
    return tuple(Fingerprint(source, sha256, runs) for (source, sha256), runs in found.items())


@dataclass(frozen=True)
class Form:
    """What banks store of their sources in one form.

    Attributes:
        kind: Which form.
        of: By number of a source, the length of its runs in bytes, and their hashes.
    """

    kind: str
    of: Callable[[int], tuple[int, Hashes]]


@dataclass(frozen=True)
class Told:
    """Hashes of the runs of a source in one form.

    Attributes:
        length: Of a run in bytes.
        all: (n,) each once.
        own: (m,) those that no other source of the banks has.
    """

    length: int
    all: Hashes
    own: Hashes


def fingerprints(banks: Banks[Any], names: Iterable[str] | None = None) -> list[Fingerprint]:
    """Fingerprints of some sources of banks, by their names, or of all.

    The others are gone through once, and nothing of them is kept.
    """
    if isinstance(banks, KeptBanks):
        forms = forms_of_pictures(banks) + ([codes_of(banks)] if isinstance(banks, CodeUnion) else [])
    else:
        forms = forms_of_patches(of_kind(banks, BankUnion, "take fingerprints of"))
    count = len(banks.sources)
    numbers = [*range(count)] if names is None else sorted(banks.numbers_of(names))
    known = {form.kind: told_apart(form, numbers, count) for form in forms}
    found = []
    for place, number in enumerate(numbers):
        told = {kind: each[place] for kind, each in known.items()}
        runs = {kind: (one.length, one.own.tolist()) for kind, one in told.items()}
        whole = forms[0].kind
        if not runs[whole][1]:  # another source is the same picture: it is gone when both are
            runs = {whole: (told[whole].length, told[whole].all.tolist())}
        runs = {kind: (length, hashes) for kind, (length, hashes) in runs.items() if hashes}
        found.append(Fingerprint(banks.source_names[number], banks.sources[number].sha256, runs))
    return found


def told_apart(form: Form, numbers: Sequence[int], count: int) -> list[Told]:
    """What some of `count` sources have in one form, and none of the others."""
    each = [(length, np.unique(hashes)) for length, hashes in map(form.of, numbers)]
    known, owners = np.unique(np.concatenate([NO_HASHES, *(mine for _, mine in each)]), return_counts=True)
    alone = owners == 1
    for number in np.setdiff1d(np.arange(count), numbers).tolist() if len(known) else ():
        _, theirs = form.of(number)
        place = np.searchsorted(known, theirs).clip(max=len(known) - 1)
        alone[place[known[place] == theirs]] = False
    return [Told(length, mine, mine[alone[np.searchsorted(known, mine)]]) for length, mine in each]


def forms_of_patches(banks: BankUnion) -> list[Form]:
    """Cells of features, search keys, and pieces of the pictures."""

    def cells(number: int) -> tuple[int, Hashes]:
        bank, place = banks.bank_of_source(number)
        maps = bank.entries.maps
        features = (maps.once(place) if isinstance(maps, Maps) else maps[place]).numpy()
        return 2 * features.shape[2], hash_rows(as_bytes(features.reshape(-1, features.shape[2])))

    def keys(number: int) -> tuple[int, Hashes]:
        bank, place = banks.bank_of_source(number)
        return WORD * -(-len(bank.keys.scale) // WORD), key_hashes(bank, place)

    return [Form("features", cells), Form(BLOCKS, keys), thumbs_of("picture", banks)]


def forms_of_pictures(banks: KeptBanks[Any]) -> list[Form]:
    """Pieces of the pictures, whole ones where they are small, of the small pictures, and of the maps."""
    known = {name for bank in banks.banks for name in bank.maps}
    maps = [files_of(name, banks, ending) for name, ending in MAPS.items() if name in known]
    return [files_of("picture", banks, ".png"), thumbs_of("small picture", banks), *maps]


def files_of(kind: str, banks: KeptBanks[Any], ending: str) -> Form:
    """Pieces of one of the files of each source; of none where a bank has no such."""

    def pieces(number: int) -> tuple[int, Hashes]:
        bank, place = banks.bank_of_source(number)
        has = ending in (".png", *(MAPS[name] for name in bank.maps))
        data = np.frombuffer(bank.stored(place, ending) if has else b"", dtype=np.uint8)
        length = max(1, min(RUN, len(data)))
        return length, telling(hash_rows(rows_of(data, length)))

    return Form(kind, pieces)


def codes_of(banks: CodeUnion) -> Form:
    """Pieces of the codes of all objects of a source, as they stand in tables; round numbers are others', too."""
    order = np.argsort(banks.source, kind="stable")
    first = np.searchsorted(banks.source[order], np.arange(len(banks.sources) + 1))

    def pieces(number: int) -> tuple[int, Hashes]:
        data = as_bytes(banks.codes[order[first[number] : first[number + 1]]]).ravel()
        length = min(RUN, len(data))
        rows = rows_of(data, length)
        return length, hash_rows(rows[[len(np.unique(row)) >= VARIED for row in rows]])

    return Form("codes", pieces)


def thumbs_of(kind: str, banks: Banks[Any]) -> Form:
    """Pieces of JPEGs; their heads, which all have in common, are left out."""

    def pieces(number: int) -> tuple[int, Hashes]:
        bank, place = banks.bank_of_source(number)
        return RUN, hash_rows(rows_of(np.frombuffer(bank.thumb(place), dtype=np.uint8), RUN)[HEAD:])

    return Form(kind, pieces)


def telling(hashes: Hashes) -> Hashes:
    """Those that stand there once, if any do: what stands there again is a plain surface, which others have, too."""
    values, counts = np.unique(hashes, return_counts=True)
    once: Hashes = values[counts == 1]
    return once if len(once) else values


def key_hashes(bank: Bank, source: int) -> Hashes:
    """Of the keys of a source as they lie in blocks: filled up to whole words."""
    fill = -len(bank.keys.scale) % WORD
    return hash_rows(np.pad(as_bytes(bank.keys[bank.entries.of_source(source)].numpy()), ((0, 0), (0, fill))))


def as_bytes(values: npt.NDArray[np.generic]) -> Bytes:
    """Rows of numbers as rows of bytes."""
    return np.ascontiguousarray(values).view(np.uint8)


def rows_of(data: Bytes, length: int) -> Bytes:
    """Bytes as rows of a length; the rest of the last row is left out."""
    rows = len(data) // length
    return data[: rows * length].reshape(rows, length)


@cache
def powers(base: int, count: int) -> Hashes:
    """A number to the power of 0, 1, ... modulo 2^64."""
    result = np.full(count, base, dtype=np.uint64)
    result[:1] = 1
    return np.multiply.accumulate(result)


def hash_rows(rows: Bytes) -> Hashes:
    """Hash of each row of bytes (n, length): (n,). A byte counts from 1, so that zeros count."""
    factors, found = powers(FACTOR, rows.shape[1]), np.empty(len(rows), dtype=np.uint64)
    for first in range(0, len(rows), ROWS):
        some = slice(first, first + ROWS)
        found[some] = (rows[some].astype(np.uint64) + np.uint64(1)) @ factors
    return found


def find_runs(path: Path, prints: Iterable[Fingerprint]) -> dict[str, str]:
    """Which sources have a run of bytes in a file, at any offset: source to the kind that was found."""
    wanted: dict[bool, Owners] = {False: {}, True: {}}
    for fingerprint in prints:
        for kind, (length, hashes) in fingerprint.runs.items():
            owners = wanted[kind == BLOCKS].setdefault(length, {})
            owners.update(dict.fromkeys(hashes, (fingerprint.source, kind)))
    data = np.memmap(path, dtype=np.uint8, mode="r") if path.stat().st_size else np.empty(0, dtype=np.uint8)
    found = find_owners(data, wanted[False])
    for phase in range(STEP if any(wanted[True].values()) else 0):
        words = data[phase : phase + (len(data) - phase) // STEP * STEP].reshape(-1, STEP)[:, :WORD]
        found |= find_owners(words.ravel(), wanted[True])
    return found


def find_owners(data: Bytes, wanted: Owners) -> dict[str, str]:
    """The same in some bytes."""
    filters = {length: Filter.create(owner) for length, owner in wanted.items() if owner}
    found: dict[str, str] = {}
    for start in range(0, len(data) if filters else 0, CHUNK):
        sums = prefix_sums(data[start : start + CHUNK + max(filters) - 1])
        for length, known in filters.items():
            for value in known.hits(rolling(sums, length)):
                found.setdefault(*wanted[length][value])
    return found


@dataclass(frozen=True)
class Filter:
    """Hashes to look for.

    Attributes:
        known: Sorted.
        low: (2^22,) bool, whether one of them ends in these 22 bits: rules out nearly everything at once.
    """

    known: Hashes
    low: npt.NDArray[np.bool_]

    @classmethod
    def create(cls, hashes: Iterable[int]) -> Filter:
        known = np.array(sorted(hashes), dtype=np.uint64)
        low = np.zeros(int(LOW) + 1, dtype=bool)
        low[known & LOW] = True
        return cls(known, low)

    def hits(self, hashes: Hashes) -> list[int]:
        """Those that are known."""
        maybe = hashes[self.low[hashes & LOW]]
        return [int(value) for value in np.intersect1d(maybe, self.known)]


def prefix_sums(data: Bytes) -> Hashes:
    """Sums from which the hash of any run follows: (n + 1,)."""
    weighted = data.astype(np.uint64)
    weighted += np.uint64(1)
    weighted *= powers(FACTOR, CHUNK + LONGEST)[: len(data)]
    return np.concatenate((np.zeros(1, dtype=np.uint64), weighted.cumsum(dtype=np.uint64)))


def rolling(sums: Hashes, length: int) -> Hashes:
    """Hashes of the runs at every offset."""
    count = len(sums) - length
    if count <= 0:
        return np.empty(0, dtype=np.uint64)
    # The power at which a run begins is divided out: multiplied by the power of the inverse.
    return (sums[length:] - sums[:count]) * powers(INVERSE, CHUNK + LONGEST)[:count]
