"""Where the files of banks lie, and libraries as older versions of ktviz wrote them."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import save_file

from ktviz.images import file_digest
from ktviz.library import format as format_module
from ktviz.library.format import body_digest
from ktviz.library.kinds.patches.bands import inverse_norm
from ktviz.library.library import Library
from ktviz.library.older import PLACES, place_of
from ktviz.library.place import source_kind
from ktviz.library.shards import stated_of
from ktviz.library.sources import read_sources, row_of, write_sources

ENERGIES = ("energy_ll", "energy_lh", "energy_hl", "energy_hh")


def file_of(bank, name):
    """A file of a bank: a table by its name, or "1.jpg" of the second source."""
    number, _, ending = name.partition(".")
    return bank.place.path(int(number), f".{ending}") if number.isdigit() else bank.place.folder / name


def edit_manifest(folder, change, sealed=True):
    """Change `library.json`, as a faulty ktviz would (sealed with the right digest) or as an editor would."""
    path = folder / "library.json"
    data = json.loads(path.read_text())
    change(data)
    if sealed:
        data["sha256"] = body_digest(data)
    path.write_text(json.dumps(data))


def resealed(library, name):
    """The library opened again, all digests made to fit the bytes of a bank, as somebody could who wrote these."""
    place = place_of(name, library.folder, Library.open(library.folder).record(name))
    if not (place.folder / "sources.parquet").read_bytes().endswith(b"PAR1"):
        sources = ()  # cut short: what it says of files stays
    else:
        sources = read_sources(place.folder / "sources.parquet", source_kind(place.record))
    if sources:
        endings = place.record.of_source
        stated = [[stated_of(place.contents / f"{source.content}{end}") for end in endings] for source in sources]
        write_sources(place.folder, list(sources), stated)
    record = replace(place.record, tables={table: stated_of(place.folder / table) for table in place.record.tables})
    told = json.loads(json.dumps(format_module.stated(record)))
    edit_manifest(library.folder, lambda data: data["banks"].update({name: told}))
    return Library.open(library.folder)


def older(library, folder, version):
    """A copy of a library as format 1 or 2 had it."""
    banks = {name: older_bank(library.bank(name), folder / f"banks/{name}@1", version) for name in library}
    data = json.loads((library.folder / "library.json").read_text())
    data = {"encoder": data["encoder"], "settings": data["settings"], "banks": banks}
    (folder / "library.json").write_text(json.dumps({"format": version, "sha256": body_digest(data), **data}))
    return folder


def older_bank(bank, folder, version):
    """The files of a bank in one folder, all of them named in the manifest."""
    record = bank.place.record
    for number in range(len(bank.sources)):
        for ending in record.of_source:
            target = folder / PLACES[ending](number)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bank.place.path(number, ending), target)
    pq.write_table(pa.Table.from_pylist([row_of(source) for source in bank.sources]), folder / "sources.parquet")
    if bank.kind == "patches":
        older_tables(bank, folder)
    else:
        for name in record.tables.keys() - {"sources.parquet"}:
            shutil.copyfile(bank.place.folder / name, folder / name)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {p.relative_to(folder).as_posix(): [p.stat().st_size, file_digest(p)] for p in paths}
    lines = sorted(f"{name} {digest}\n" for name, (_, digest) in files.items())
    stated = {
        "folder": f"banks/{bank.name}@1",
        "sources": record.sources,
        "entries": record.entries,
        "files": files,
        "digest": hashlib.sha256("".join(lines).encode()).hexdigest(),
    }
    return stated if version == 1 else {"kind": bank.kind, **stated}


def older_tables(bank: object, folder: Path) -> None:
    """Keys in half precision that are not divided by norms."""
    entries, tree, projection = bank.entries, bank.tree, bank.projection
    columns = {"source": entries.source.int(), "y": entries.y.short(), "x": entries.x.short()}
    columns |= {name: entries.energy[:, band] for band, name in enumerate(ENERGIES)}
    pq.write_table(pa.table({name: values.numpy() for name, values in columns.items()}), folder / "entries.parquet")
    nodes = {"centres": tree.centres.half(), "parent": tree.parent, "start": tree.start, "end": tree.end}
    save_file({name: values.clone() for name, values in nodes.items()}, folder / "tree.safetensors")
    norm = 1 / inverse_norm(entries.energy, torch.ones(4))[:, None]
    keys = (bank.keys[torch.arange(len(bank))].float() * projection.units * norm).half()
    bases = {f"basis_{band}": basis.clone() for band, basis in enumerate(projection.bases)}
    save_file({"keys": keys, **bases}, folder / "keys.safetensors")


def open_all(library: Library) -> None:
    """Touch every file of every bank, as searching and showing do."""
    for name in library:
        union = library[name]
        for number in range(len(union.sources)):
            union.picture(number)
            union.thumb(number)
        if union.kind == "patches":
            union.vectors(torch.arange(len(union)))
            union.banks[0].index((1.0, 1.0, 1.0, 0.0))
