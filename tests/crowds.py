"""Libraries of very many tiny sources, made from few pictures: tables are written at once, files are shared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from ktviz.files import link
from ktviz.images import write_image
from ktviz.library.format import BankRecord, LibrarySettings, write_manifest
from ktviz.library.kinds.patches.build import made_with
from ktviz.library.kinds.patches.source import PatchSource
from ktviz.library.kinds.patches.tables import Tables
from ktviz.library.layout import ENTRIES, KEYS, SOURCES, TREE
from ktviz.library.library import Library
from ktviz.library.shards import stated_of
from ktviz.library.sources import content_of, read_sources

BANK = "crowd/many"
SIDE_PX = 16
"""Of the pictures: each is one entry."""
OWN, SHARED = 12, 64
"""The last sources of a crowd, each a picture of its own; all others are some of these, again and again."""


def crowd(folder, count, encoder):
    """A library of one bank of so many sources, of which the last `OWN` look like no other."""
    settings = LibrarySettings(side_px=SIDE_PX, dedupe=1.0, key_dimensions=16, branching=(8,))
    seed = Library.create(folder / "seed.ktlib", encoder, settings)
    for number in range(SHARED + OWN):
        write_image(folder / "seed" / f"{number:03d}.png", picture(number))
    bank = seed.build("crowd/seed", [folder / "seed"], encoder=encoder, quiet=True).banks[0]
    library = Library.create(folder / "crowd.ktlib", encoder, settings)
    like = np.r_[np.arange(count - OWN) % SHARED, SHARED + np.arange(OWN)]
    tables, contents = library.folder / "banks" / f"{BANK}@1", library.folder / "banks" / BANK
    tables.mkdir(parents=True)
    contents.mkdir()
    for path in bank.place.contents.iterdir():
        link(path, contents / path.name)
    write_sources(bank, like, tables / SOURCES)
    write_entries(bank, like, tables)
    link(bank.place.table(TREE), tables / TREE)
    stated = {path.name: stated_of(path) for path in sorted(tables.iterdir())}
    assert {*stated} == {SOURCES, ENTRIES, KEYS, TREE}
    record = bank.place.record
    sources, files = zip(*read_sources(tables / SOURCES, PatchSource).parts(), strict=True)
    content = content_of(made_with(library.manifest.encoder.digest, settings), sources, files)
    known = BankRecord(
        record.kind, f"banks/{BANK}@1", record.of_source, count, count, record.source_bytes, content, stated
    )
    write_manifest(library.folder, replace(library.manifest, banks={BANK: known}))
    return Library.open(library.folder)


def picture(number):
    """Cells of colours of their own: (16, 16, 3) uint8."""
    random = np.random.default_rng(number)
    cells = random.integers(20, 235, (SIDE_PX // 4, SIDE_PX // 4, 3)).repeat(4, 0).repeat(4, 1)
    return (cells + random.integers(-15, 15, cells.shape)).astype(np.uint8)


def photo():
    """Those that only the last sources look like, side by side: (32, 96, 3) uint8."""
    rows = [np.concatenate([picture(SHARED + n + row * OWN // 2) for n in range(OWN // 2)], 1) for row in range(2)]
    return np.concatenate(rows)


def write_sources(bank, like, path):
    """The table of sources, named by their numbers."""
    table = pq.read_table(bank.place.table(SOURCES)).take(pa.array(like))
    names = pa.array([f"{number:06d}.png" for number in range(len(like))])
    title = pa.array([f"Picture {number}" for number in range(len(like))])
    for column, values in (("name", names), ("title", title)):
        table = table.set_column(table.column_names.index(column), column, values)
    pq.write_table(table, path)


def write_entries(bank, like, folder):
    """The entries of all sources, one each, and their keys."""
    held, count = bank.tables, len(like)
    assert len(held) == SHARED + OWN
    entry_of = held.by_source.numpy()[like]  # of what each source looks like
    leaf = (np.searchsorted(held.ends.numpy(), entry_of, side="right") - 1).astype(np.int64)
    order = np.argsort(leaf, kind="stable")
    ends = np.r_[0, np.bincount(leaf, minlength=len(held.ends) - 1).cumsum()]
    made = Tables.room(folder, ends, count, bank.projection.units)
    rows = torch.from_numpy(entry_of[order].astype(np.int64))
    columns = {name: getattr(held, name)[rows] for name in ("y", "x", "energy")}
    made.put(np.arange(count), leaf[order], held.keys[rows], source=torch.from_numpy(order), **columns)
    made.by_source[torch.from_numpy(order)] = torch.arange(count, dtype=torch.int32)
    made.fit[:] = held.fit[torch.from_numpy(like)]
