"""A forger who knows everything about the format is caught, whatever is changed and however well it is made to fit.

What may depend on rounding is tried twice: as it is, and claiming to come from another processor, where rounding is
allowed. docs/audit.md says how many tamperings these are; the last test counts them.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from ktviz.audit.audit import Audit
from ktviz.audit.folder import MANIFEST, write_table
from ktviz.audit.verify import verify
from ktviz.errors import AuditError
from ktviz.folders import as_csv
from ktviz.images import encode_image, pixel_digest, read_image
from ktviz.systems.kt.retrieval import EXTENSIONS
from ktviz.testing.forging import change_cell, edit, forge, seal, with_other_pixels
from ktviz.trace.pictures import Picture
from ktviz.trace.schema import CORE, REGRET
from ktviz.trace.trace import Trace

PLACES = ("here", "elsewhere")
ANY = {"height": 1, "width": 1, "sha256": "f" * 64}
"""What could be said of a picture."""
TRACE_COLUMNS = (*CORE.names, *(f"kt.{extension.name}" for extension in EXTENSIONS))


@pytest.fixture(scope="module")
def originals(world, paint, tmp_path_factory):
    """By place: the folder of an honest audit."""
    folder = tmp_path_factory.mktemp("originals")
    trace = world.translator.traced(planted(paint))
    audit = Audit.create(trace, title="Stripes", top=2, sample=20)
    assert len(audit.tables["pieces"])
    assert len(audit.tables["copies"])
    audit.save(folder / "here")
    evidence = replace(
        audit.evidence,
        recording=elsewhere(audit.evidence.recording),
        without={name: elsewhere(after) for name, after in audit.evidence.without.items()},
    )
    versions = {**audit.about["versions"], "torch": "9.9"}
    about = {**audit.about, "processor": "Another, SSE2", "versions": versions}
    replace(audit, evidence=evidence, about=about).save(folder / "elsewhere")
    return folder


def planted(paint):
    """A photo of which a part is from a work in the library."""
    photo = paint(9)
    photo[:48, :48] = paint(3)[8:56, 8:56]
    return photo


def elsewhere(trace):
    """A trace that says it was made on another processor."""
    about = {**trace.about, "processor": "Another, SSE2", "versions": {**trace.about["versions"], "torch": "9.9"}}
    return Trace(trace.table, about, trace.pictures)


@pytest.fixture(params=PLACES)
def folder(request, originals, tmp_path):
    shutil.copytree(originals / request.param, tmp_path / "audit")
    return tmp_path / "audit"


@pytest.fixture
def mine(originals, tmp_path):
    """The folder of an audit of this processor."""
    shutil.copytree(originals / "here", tmp_path / "audit")
    return tmp_path / "audit"


@pytest.fixture
def check(world):
    return lambda folder: verify(folder, world.folder, model=world.translator)


@pytest.mark.parametrize("place", PLACES)
def test_honest_audits_agree(originals, check, place):
    verdict = check(originals / place)
    assert verdict.ok, verdict.difference


# The trace: a value of each column, in the row of a winner and of another candidate.


@pytest.mark.parametrize("site", [0, 1], ids=["tone", "retrieval"])
@pytest.mark.parametrize("chosen", [True, False], ids=["winner", "other"])
@pytest.mark.parametrize("name", [*TRACE_COLUMNS, *REGRET])
def test_a_changed_cell_of_the_trace_is_caught(folder, check, world, name, chosen, site):
    forge(folder, world.translator, lambda evidence: change_cell(evidence, name, chosen, site))
    assert re.search(r"trace\.parquet|^a question to the model", check(folder).difference)


# Tables: a cell of each column, in Parquet and CSV alike.


COLUMNS = [
    *(("sources", name) for name in ("source", "share", "retrievals", "similarity", "licence", "sha256")),
    *(("creators", name) for name in ("creator", "share", "retrievals", "sources")),
    *(("licences", name) for name in ("licence", "share", "retrievals", "sources")),
    *(("banks", name) for name in ("bank", "share", "retrievals", "sources")),
    *(("years", name) for name in ("year", "share", "retrievals", "sources")),
    *(("boxes", name) for name in ("query", "source", "x", "source_width", "overlap", "similarity", "entry")),
    *(("counterfactuals", name) for name in ("source", "share", "changed_share", "mean_change", "new_winners")),
    *(("counterfactuals", name) for name in ("taken_over_by", "picture")),
    *(("regret", name) for name in ("query", "entry", "similarity", "exact_entry", "exact_similarity", "regret")),
    ("regret", "coherent"),
    *(("pieces", name) for name in ("source", "retrievals", "own", "rivals", "area", "width", "source_x")),
    *(("rivals", name) for name in ("query", "rivals")),
    *(("copies", name) for name in ("picture", "source", "area", "correlation", "x", "source_y", "scale", "mirrored")),
]


def change_table(folder, name, change):
    path = folder / "tables" / f"{name}.parquet"
    table = change(pd.read_parquet(path))
    write_table(path, table)
    path.with_suffix(".csv").write_text(as_csv(table), encoding="utf-8")
    seal(folder)


def nudged(table, column):
    """The table with another value in a column's first row: numbers off in the seventh digit."""
    value = table[column].iloc[0]
    if isinstance(value, str):
        other = f"{value[:-1]}!"
    elif table[column].dtype == bool:
        other = not value
    else:
        other = value + 1 if table[column].dtype.kind in "iu" else np.nextafter(value, table[column].dtype.type(9))
    return table.assign(**{column: [other, *table[column].iloc[1:]]}).astype(table.dtypes)


@pytest.mark.parametrize(("name", "column"), COLUMNS)
def test_a_changed_cell_of_a_table_is_caught(originals, tmp_path, check, name, column):
    """Of an audit from elsewhere: here, its very bytes are compared."""
    folder = shutil.copytree(originals / "elsewhere", tmp_path / "audit")
    change_table(folder, name, lambda table: nudged(table, column))
    # A copy may lie a few px elsewhere where it was found elsewhere; but then the report must say so, too.
    told = (f"tables/{name}", "counterfactuals", *["report.html"] * (name == "copies"))
    assert any(name in check(folder).difference for name in told)


# Everything else.


def all_regrets_to_zero(folder):
    change_table(folder, "regret", lambda table: table.assign(regret=np.float32(0), exact_similarity=table.similarity))


def pretend_close_calls(folder, model):
    """One work made everything: sources and weights of candidates that are close calls say whatever one likes."""

    def change(evidence):
        trace = evidence.recording
        names = [source["source"] for source in trace.about["sources"]]
        source = np.array([names[-1]] * len(trace.table))
        weight = np.where(trace.column("chosen", winners=False), 1.0, 0.001).astype(np.float32)
        table = trace.table
        for name, values in (("source", pa.array(source).dictionary_encode()), ("weight", pa.array(weight))):
            field = table.schema.field(name)
            table = table.set_column(table.schema.get_field_index(name), field, values.cast(field.type))
        return replace(evidence, recording=trace.with_table(table))

    forge(folder, model, change)


def draw_words(folder, name="sources/000.jpg"):
    image = Image.fromarray(read_image(folder / name))
    ImageDraw.Draw(image).text((2, 2), "MINE", fill=tuple(min(255, level + 13) for level in image.getpixel((0, 0))))
    (folder / name).write_bytes(encode_image(np.asarray(image), "jpeg"))


def draw_in_report(folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    first = re.search(r"base64,([A-Za-z0-9+/=]+)", text).group(1)
    (folder / "picture.jpg").write_bytes(base64.b64decode(first))
    draw_words(folder, "picture.jpg")
    drawn = base64.b64encode((folder / "picture.jpg").read_bytes()).decode()
    (folder / "picture.jpg").unlink()
    (folder / "report.html").write_text(text.replace(first, drawn), encoding="utf-8")


def change_pixels(folder, name, by=1):
    path = folder / "pictures" / f"{name}.png"
    pixels = read_image(path).copy()
    pixels[3, 5] = (pixels[3, 5].astype(int) + by) % 256
    path.write_bytes(encode_image(pixels, "png"))


def remark_in_png(folder):
    path, remark = folder / "pictures" / "output.png", PngInfo()
    remark.add_text("Author", "Somebody else")
    Image.fromarray(read_image(path)).save(path, pnginfo=remark)


def remark_in_jpeg(folder):
    path = folder / "sources" / "000.jpg"
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xfe\x00\x08remark" + data[2:])


def more_in_png_stream(folder):
    """Bytes behind the pixels, within the compressed data."""
    path = folder / "pictures" / "input.png"
    pixels = read_image(path)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels) + b"hidden"
    header = pixels.shape[1].to_bytes(4, "big") + pixels.shape[0].to_bytes(4, "big") + b"\x08\x02\0\0\0"
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = [len(d).to_bytes(4, "big") + k + d + zlib.crc32(k + d).to_bytes(4, "big") for k, d in parts]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def remark_in_parquet(folder, name="tables/boxes.parquet"):
    table = pq.read_table(folder / name)
    pq.write_table(table.replace_schema_metadata({"remark": "approved"}), folder / name, compression="zstd")


def hole_in_parquet(folder, name="tables/sources.parquet"):
    data = (folder / name).read_bytes()
    footer = int.from_bytes(data[-8:-4], "little") + 8
    (folder / name).write_bytes(data[:-footer] + b"hidden" + data[-footer:])


def append(name, data=b"more"):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + data)


def change_fingerprint(folder):
    path = folder / "fingerprints.parquet"
    table = pq.read_table(path)
    hashes = table["hash"].to_numpy().copy()
    hashes[3] += 1
    pq.write_table(table.set_column(table.schema.get_field_index("hash"), "hash", pa.array(hashes)), path)


def swap(one, other):
    def tamper(folder):
        first, second = (folder / one).read_bytes(), (folder / other).read_bytes()
        (folder / one).write_bytes(second)
        (folder / other).write_bytes(first)

    return tamper


def rewrite_about(change, name="trace.parquet"):
    """Other metadata in a trace, with a digest that fits."""

    def tamper(folder):
        path = folder / name if name == "trace.parquet" else next((folder / "counterfactuals").iterdir())
        trace = Trace.open(path)
        about = json.loads(json.dumps(dict(trace.about), default=dict))
        change(about)
        forged = Trace(trace.table, about, trace.pictures)
        forged.save(path, overwrite=True, pictures="none")
        if name == "trace.parquet":
            edit(folder, lambda manifest: manifest.update(trace=forged.digest))

    return tamper


def forge_credits(about):
    for source in about["sources"]:
        source.update(creator="Nobody", licence="CC0-1.0", sha256="0" * 64)


def other_counterfactual(folder):
    """The first one names a work that has a smaller share."""
    change_table(folder, "counterfactuals", lambda table: table.assign(source=table["source"].to_list()[::-1]))


def rank_of_a_continuation(trace):
    """Winners that coherence took came from nowhere."""
    rank = trace.column("rank", winners=False).copy()
    rank[trace.column("kt.coherent", winners=False)] = 31_999
    return with_column(trace, "rank", rank)


def minus_zero(trace, name="left_over"):
    values = trace.column(name, winners=False)
    assert (values == 0).any()
    return with_column(trace, name, np.where(values == 0, np.float32(-0.0), values))


def remark_on_the_picture(trace):
    about = {**trace.picture.about, "approved": None}
    return Trace(trace.table, trace.about, [replace(trace.picture, about=about)])


def with_column(trace, name, values):
    field = trace.table.schema.field(name)
    place = trace.table.schema.get_field_index(name)
    return trace.with_table(trace.table.set_column(place, field, pa.array(values).cast(field.type)))


def other_rows(change, name="trace.parquet"):
    """Other rows in a trace."""

    def tamper(folder):
        path = folder / name
        forged = change(Trace.open(path))
        forged.save(path, overwrite=True, pictures="none")
        edit(folder, lambda manifest: manifest.update(trace=forged.digest))

    return tamper


def metadata_of_parquet(name, **more):
    """Other metadata under a key that files of ktviz have."""

    def tamper(folder):
        path = folder / name
        file = pq.ParquetFile(path)
        kept = {key.decode(): text for key, text in (file.metadata.metadata or {}).items() if key != b"ARROW:schema"}
        table = file.read().replace_schema_metadata(None)
        with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
            writer.write_table(table)
            writer.add_key_value_metadata({**kept, **more})

    return tamper


def remark_in_scan(folder, remark=b"\xff\xfe\x00\x08remark"):
    """Between the pixels of a JPEG and its end."""
    path = folder / "sources" / "000.jpg"
    path.write_bytes(path.read_bytes()[:-2] + remark + b"\xff\xd9")


def other_writer(folder, name="tables/boxes.parquet"):
    data = (folder / name).read_bytes()
    known = re.search(rb"parquet-cpp-arrow version [\d.]+", data).group(0)
    (folder / name).write_bytes(data.replace(known, b"approved by the Louvre".ljust(len(known), b".")))


FILES = {
    "output off by a level": lambda folder: change_pixels(folder, "output"),
    "output off by 7": lambda folder: change_pixels(folder, "output", 7),
    "input": lambda folder: change_pixels(folder, "input"),
    "pieces": lambda folder: change_pixels(folder, "pieces"),
    "counterfactual's picture": lambda folder: change_pixels(
        folder, next(p.stem for p in (folder / "pictures").glob("without-1-*.png")), 2
    ),
    "words on a thumbnail": draw_words,
    "words in the report's picture": draw_in_report,
    "pictures swapped": swap("pictures/output.png", "pictures/pieces.png"),
    "thumbnails swapped": swap("sources/000.jpg", "sources/001.jpg"),
    "remark in a PNG": remark_in_png,
    "bytes in a PNG's pixels": more_in_png_stream,
    "remark in a JPEG": remark_in_jpeg,
    "remark in a Parquet file": remark_in_parquet,
    "bytes within a Parquet file": hole_in_parquet,
    "bytes behind a PNG": append("pictures/output.png"),
    "bytes behind a JPEG": append("sources/000.jpg"),
    "bytes behind a Parquet file": append("tables/boxes.parquet"),
    "bytes behind the trace": append("trace.parquet"),
    "bytes behind a CSV": append("tables/sources.csv", b"art/x,1\n"),
    "bytes behind the report": append("report.html", b"\nmore"),
    "windows line ends": lambda folder: (folder / "report.html").write_bytes(
        (folder / "report.html").read_bytes().replace(b"\n", b"\r\n")
    ),
    "half a trace": lambda folder: (folder / "trace.parquet").write_bytes(
        (folder / "trace.parquet").read_bytes()[: (folder / "trace.parquet").stat().st_size // 2]
    ),
    "no picture": lambda folder: (folder / "pictures/pieces.png").write_bytes(b"no picture"),
    "another work in the report": lambda folder: (folder / "report.html").write_text(
        (folder / "report.html").read_text(encoding="utf-8").replace("art/cool/", "art/kool/"), encoding="utf-8"
    ),
    "regrets are zero": all_regrets_to_zero,
    "new winners 999,999": lambda folder: change_table(
        folder, "counterfactuals", lambda table: table.assign(new_winners=999_999)
    ),
    "changed share -0.019": lambda folder: change_table(
        folder, "counterfactuals", lambda table: table.assign(changed_share=table.changed_share - 0.019)
    ),
    "rows dropped": lambda folder: change_table(folder, "boxes", lambda table: table.drop(index=11)),
    "rows added": lambda folder: change_table(folder, "sources", lambda table: pd.concat([table, table.tail(1)])),
    "columns added": lambda folder: change_table(folder, "sources", lambda table: table.assign(approved="yes")),
    "text for numbers": lambda folder: change_table(folder, "sources", lambda table: table.assign(share="much")),
    "counterfactuals of others": other_counterfactual,
    "no counterfactuals": lambda folder: change_table(folder, "counterfactuals", lambda table: table.head(0)),
    "rivals of fewer retrievals": lambda folder: change_table(folder, "rivals", lambda table: table.head(1)),
    "a fingerprint": change_fingerprint,
    "credits in the trace": rewrite_about(forge_credits),
    "causal": rewrite_about(lambda about: about["sites"][0].update(causal=False)),
    "a remark in the trace": rewrite_about(lambda about: about.update(signed_by="Somebody")),
    "a remark in a counterfactual": rewrite_about(lambda about: about.update(signed_by="Somebody"), "without"),
    "a remark in the versions": rewrite_about(lambda about: about["versions"].update(approved="yes")),
    "a long processor": rewrite_about(lambda about: about.update(processor="x" * 500)),
    "a seed of text": rewrite_about(lambda about: about.update(seed="0")),
    "candidates": rewrite_about(lambda about: about.update(candidates=3)),
    "a remark that is null": rewrite_about(lambda about: about.update({"approved by the Louvre": None})),
    "a remark on the picture that is null": other_rows(remark_on_the_picture),
    "a device that reads like another": rewrite_about(lambda about: about.update(device="cpu ")),
    "zeros that are negative": other_rows(minus_zero),
    "weights that are negative zeros": other_rows(lambda trace: minus_zero(trace, "weight")),
    "ranks of continuations": other_rows(rank_of_a_continuation),
    "a picture in the trace": metadata_of_parquet("trace.parquet", **{"ktviz.pictures": '{"evil 7": "AAAA"}'}),
    "metadata of a table": metadata_of_parquet("tables/boxes.parquet", ktviz='{"approved": true}'),
    "metadata of the fingerprints": metadata_of_parquet("fingerprints.parquet", **{"ktviz.pictures": "{}"}),
    "who wrote a table": other_writer,
    "a JPEG without its end": lambda folder: (folder / "sources/000.jpg").write_bytes(
        (folder / "sources/000.jpg").read_bytes()[:-2]
    ),
    "a remark behind a JPEG's pixels": remark_in_scan,
    "text behind a JPEG's pixels": lambda folder: remark_in_scan(folder, b"approved " * 1000),
}
"""What is done to files; the manifest is sealed afterwards."""


@pytest.mark.parametrize("tamper", FILES.values(), ids=FILES)
def test_changed_files_are_caught(folder, check, tamper):
    tamper(folder)
    seal(folder)
    assert not check(folder)


def test_a_single_source_for_everything_is_caught(folder, check, world):
    pretend_close_calls(folder, world.translator)
    assert "trace.parquet, retrieval 0" in check(folder).difference


def test_a_counterfactual_cannot_be_off_by_a_level_everywhere(folder, check, world):
    """It would say that the whole picture had changed."""

    def change(evidence):
        (name, after), *_ = evidence.without.items()
        pixels = np.where(after.output > 127, after.output - 1, after.output + 1).astype(np.uint8)
        stated = after.picture.about["canvases"]
        stated = {**stated, "output": {**stated["output"], "sha256": pixel_digest(pixels)}}
        picture = Picture({"input": after.input, "output": pixels}, {**after.picture.about, "canvases": stated})
        forged = Trace(after.table, after.about, [picture])
        return replace(evidence, without={**evidence.without, name: forged})

    forge(folder, world.translator, change)
    assert re.search("counterfactuals/without-1.*(of its pixels are off|its output is not)", check(folder).difference)


def other_rivals(change):
    return lambda evidence: replace(evidence, rivals=change(evidence.rivals))


def other_copies(change):
    return lambda evidence: replace(evidence, copies=change(evidence.copies))


def other_canvases(change):
    """Something else said of the trace's pictures."""

    def forge(evidence):
        trace = evidence.recording
        canvases = change(trace.picture.about["canvases"])
        picture = Picture(trace.picture.canvases, {**trace.picture.about, "canvases": canvases})
        return replace(evidence, recording=Trace(trace.table, trace.about, [picture]))

    return forge


def other_picture(**more):
    """What the trace says of its image, and more."""

    def change(evidence):
        trace = evidence.recording
        pictures = [Picture(picture.canvases, {**picture.about, **more}) for picture in trace.pictures]
        return replace(evidence, recording=Trace(trace.table, trace.about, pictures))

    return change


def of_sites(*names, everywhere=False):
    """Some sites of the trace, and of the translations without a source."""

    def change(evidence):
        others = {name: after.site(*names) if everywhere else after for name, after in evidence.without.items()}
        return replace(evidence, recording=evidence.recording.site(*names), without=others)

    return change


EVIDENCE = {
    "no rivals": other_rivals(lambda rivals: rivals.assign(rivals=0)),
    "more rivals": other_rivals(lambda rivals: rivals.assign(rivals=rivals["rivals"] + 2)),
    "rivals that are no number": other_rivals(lambda rivals: rivals.assign(rivals=np.nan)),
    "rivals as fractions": other_rivals(lambda rivals: rivals.assign(rivals=rivals["rivals"].astype(float))),
    "no copies": other_copies(lambda copies: copies.head(0)),
    "a copy more": other_copies(lambda copies: pd.concat([copies, copies.head(1).assign(x=0)], ignore_index=True)),
    "a copy of another work": other_copies(lambda copies: copies.assign(source="art/warm/a.png")),
    "a copy elsewhere": other_copies(lambda copies: copies.assign(x=copies["x"] + 12)),
    "a copy that agrees better": other_copies(lambda copies: copies.assign(correlation=1.1)),
    "a copy that was in the photo": other_copies(lambda copies: copies.assign(picture="input", area=0.9)),
    "a copy that agrees more than wholly": other_copies(
        lambda copies: copies.assign(correlation=copies["correlation"].where(copies["correlation"] < 0.99, 1.01))
    ),
    "a measure": other_picture(measures={"retrieval": {"recall": 1.0}}),
    "a remark on the picture": other_picture(approved=True),
    "a remark that is called as a picture is": other_picture(output="approved by the Louvre"),
    "a remark that is called as what rounding may change is": other_picture(device="approved by the Louvre"),
    "an output more": other_canvases(lambda known: {**known, "output:approved by the Louvre": ANY}),
    "more said of an output": other_canvases(lambda known: {**known, "output": {**known["output"], "approved": True}}),
    "another size of an output": other_canvases(lambda known: {**known, "output": {**known["output"], "width": 1}}),
    "another photo": with_other_pixels("input"),
    "no site that served": of_sites("retrieval"),
    "no site that served, everywhere": of_sites("retrieval", everywhere=True),
    "the site that served as if it had painted": of_sites("tone", everywhere=True),
}
"""What else only the model or the pictures can tell; the rest is made to fit."""


@pytest.mark.parametrize("change", EVIDENCE.values(), ids=EVIDENCE)
def test_changed_evidence_is_caught(folder, check, world, change):
    forge(folder, world.translator, change)
    told = r"^tables/(rivals|copies)|its (measures|approved|output.*|device) is not|cannot be read|is another picture"
    told += "|its sites are retrieval; the run has tone, retrieval|it paints nothing itself"
    assert re.search(told, check(folder).difference)


STRUCTURE = {
    "a file more": lambda folder: (folder / "pictures" / "evil.png").write_bytes(b"x"),
    "a file less": lambda folder: (folder / "tables" / "licences.csv").unlink(),
    "a hidden file": lambda folder: (folder / ".note").write_text("x"),
    "a link to a file": lambda folder: (folder / "more.csv").symlink_to("tables/boxes.csv"),
    "a link instead of a file": lambda folder: (
        (folder / "tables/boxes.csv").rename(folder.with_name("boxes.csv")),
        (folder / "tables/boxes.csv").symlink_to(folder.with_name("boxes.csv")),
    ),
    "a link to a folder": lambda folder: (folder / "more").symlink_to("tables"),
    "a link to nothing": lambda folder: (folder / "more").symlink_to("nowhere"),
    "a pipe": lambda folder: os.mkfifo(folder / "more"),
    "an empty folder": lambda folder: (folder / "more").mkdir(),
}


@pytest.mark.parametrize("tamper", STRUCTURE.values(), ids=STRUCTURE)
def test_what_does_not_belong_into_the_folder_is_named(mine, check, tamper):
    tamper(mine)
    difference = check(mine).difference
    assert re.search(r"added|missing|a link|not a plain file|an empty folder", difference)
    try:
        seal(mine)
    except AuditError:
        return  # not even a forger can list it
    assert not check(mine)


def raw(change):
    """Other bytes of the manifest."""

    def tamper(folder):
        path = folder / MANIFEST
        path.write_bytes(change(path.read_bytes()))

    return tamper


def sealed(change):
    return lambda folder: edit(folder, change)


MANIFESTS = {
    "approved": sealed(lambda m: m.update(approved=True)),
    "signed_by": sealed(lambda m: m.update(signed_by="Somebody")),
    "a remark among digests": sealed(lambda m: m["digests"].update(approved="yes")),
    "a remark among parameters": sealed(lambda m: m["parameters"].update(approved=1)),
    "a remark about the image": sealed(lambda m: m["image"].update(approved=1)),
    "a remark among settings": sealed(lambda m: m["image"]["settings"].update(approved=1)),
    "a remark among versions": sealed(lambda m: m["versions"].update(approved="yes")),
    "a field less": sealed(lambda m: m.pop("digests")),
    "another setting": sealed(lambda m: m["image"]["settings"].update(coherence=0.2)),
    "another size": sealed(lambda m: m["image"]["canvases"]["input"].update(width=65)),
    "another library": sealed(lambda m: m["digests"].update(dict.fromkeys(m["digests"], "0" * 64))),
    "another trace": sealed(lambda m: m.update(trace="0" * 64)),
    "control": sealed(lambda m: m.update(control=99)),
    "control of another type": sealed(lambda m: m.update(control=False)),
    "searched": sealed(lambda m: m["searched"].pop()),
    "sources": sealed(lambda m: m["sources"].reverse()),
    "title": sealed(lambda m: m.update(title="Mine")),
    "no date": sealed(lambda m: m.update(made="yesterday")),
    "versions of another kind": sealed(lambda m: m.update(versions={"ktviz": 1})),
    "a long version": sealed(lambda m: m["versions"].update(ktviz="x" * 1000)),
    "sample": sealed(lambda m: m["parameters"].update(sample=19)),
    "top": sealed(lambda m: m["parameters"].update(top=1)),
    "seed": sealed(lambda m: m["parameters"].update(seed=1)),
    "parameters of another kind": sealed(lambda m: m.update(parameters={"sample": "a"})),
    "format 1": sealed(lambda m: m.update(format=1)),
    "format 2.0": sealed(lambda m: m.update(format=2.0)),
    "a key twice": raw(lambda data: data.replace(b'"title"', b'"title": "Mine",\n "title"', 1)),
    "a key twice, far below": raw(lambda data: data.replace(b'"coherence"', b'"coherence": 1, "coherence"', 1)),
    "blanks": raw(lambda data: data.replace(b"\n", b"\n ", 1)),
    "bytes behind it": raw(lambda data: data + b"\n"),
    "bytes before it": raw(lambda data: b"\xef\xbb\xbf" + data),
    "another order": raw(lambda data: json.dumps(dict(reversed(json.loads(data).items())), indent=1).encode()),
    "not a number": raw(lambda data: re.sub(rb'"control": \d+', b'"control": NaN', data)),
    "nested without end": raw(lambda data: b"[" * 200_000),
    "no text": raw(lambda data: b"\xff" + data),
}


@pytest.mark.parametrize("tamper", MANIFESTS.values(), ids=MANIFESTS)
def test_changed_manifests_are_caught(mine, check, tamper):
    before = (mine / MANIFEST).read_bytes()
    tamper(mine)
    assert (mine / MANIFEST).read_bytes() != before
    assert not check(mine)


@pytest.mark.parametrize("at", np.linspace(0.01, 0.99, 8).round(2))
@pytest.mark.parametrize("name", ["trace.parquet", "pictures/output.png", "sources/000.jpg", "fingerprints.parquet"])
def test_a_flipped_bit_is_caught_though_the_manifest_fits(mine, check, name, at):
    data = bytearray((mine / name).read_bytes())
    data[int(at * len(data))] ^= 16
    (mine / name).write_bytes(data)
    seal(mine)
    assert not check(mine)


def test_the_documentation_says_how_many_tamperings_are_tried():
    files = 2 * (len(FILES) + 1)
    counts = (
        8 * len((*TRACE_COLUMNS, *REGRET)),
        len(COLUMNS),
        2 * len(EVIDENCE),
        files,
        len(STRUCTURE),
        len(MANIFESTS),
        4 * 8,
    )
    text = (Path(__file__).parents[1] / "docs" / "audit.md").read_text(encoding="utf-8")
    assert [int(n) for n in re.findall(r"^\| .* \| (\d+) \|$", text, re.MULTILINE)] == [*counts, sum(counts)]
