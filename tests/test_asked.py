"""What a person asked of a trace is in its audit, asked again by whoever verifies it, and cannot be forged."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import ktviz as kt
from ktviz.audit.agreement import check_compared
from ktviz.audit.asked import ROOM, asked_again, check_attributions, check_circumstances
from ktviz.audit.evidence import only_winners
from ktviz.audit.folder import MANIFEST, file_list, manifest_bytes
from ktviz.errors import Difference, SettingError
from ktviz.explain.case import Case
from ktviz.images import encode_image, read_image
from ktviz.trace.trace import Trace

BOX = kt.Box(8, 8, 30, 24)
METHODS = ("overlap", "footprint", "gradient", "ablation", "datamodel")
PARAMETERS = {"top": 1, "sample": 10}


@pytest.fixture(scope="module")
def trace(world, paint):
    return world.translator.traced(paint(9))


@pytest.fixture(scope="module")
def attributions(trace):
    disc = (np.indices(trace.size) ** 2).sum(0) < 40**2
    found = [kt.attribute(trace, BOX, through=through, most=3, runs=9, seed=4, quiet=True) for through in METHODS]
    return [
        *found,
        kt.attribute(trace, disc, by="entry", through="ablation", most=2, quiet=True),
        kt.attribute(trace, by="node"),
        kt.attribute(trace, by="band", through="gradient"),
    ]


@pytest.fixture(scope="module")
def comparisons(trace, world, paint):
    other = world.translator.traced(paint(9), coherence=0.3, transfer="swap")
    several = kt.without(trace, ["d.png", 3])
    return [kt.compare(trace, kt.without(trace, "c.png")), kt.compare(trace, several), kt.compare(trace, other)]


@pytest.fixture(scope="module")
def audited(trace, attributions, comparisons):
    return kt.Audit.create(trace, title="Asked", attributions=attributions, comparisons=comparisons, **PARAMETERS)


@pytest.fixture(scope="module")
def original(audited, tmp_path_factory):
    folder = tmp_path_factory.mktemp("asked") / "audit"
    audited.save(folder)
    return folder


@pytest.fixture
def case(audited, world):
    return Case(audited.trace, world.translator)


@pytest.fixture
def check(world):
    return lambda folder: kt.verify(folder, world.folder, model=world.translator)


def test_an_audit_with_them_is_verified_by_asking_again(original, check, attributions, comparisons):
    verdict = check(original)
    assert verdict.ok, verdict.difference
    assert f"attributions: {len(attributions)} asked again" in verdict.checks
    (said,) = (line for line in verdict.checks if line.startswith("comparisons"))
    assert f"{len(comparisons)} translations made again; output identical" in said


def test_the_folder_gives_back_what_was_found(original, attributions, comparisons):
    for number, asked in enumerate(attributions, 1):
        found = kt.Attribution.open(original / f"attributions/{number}.parquet")
        assert found.frame[asked.by].tolist() == asked.frame[asked.by].tolist()
        assert np.array_equal(found.frame["share"], asked.frame["share"], equal_nan=True)
        assert np.array_equal(found.pictures["region"], asked.pictures["region"])
    for number, made in enumerate(comparisons, 1):
        found = kt.Comparison.open(original / f"comparisons/{number}.parquet")
        assert found.headline() == made.headline()
        assert found.frame["entry_after"].tolist() == made.frame["entry_after"].tolist()
        assert np.array_equal(read_image(original / f"pictures/comparison-{number}.png"), made.pictures["after"])


def test_opened_and_saved_again_it_is_the_same_to_the_byte(original, tmp_path, audited):
    again = kt.Audit.open(original)
    assert [found.through for found in again.attributions] == [asked.through for asked in audited.attributions]
    assert len(again.comparisons) == len(audited.comparisons)
    again.save(tmp_path / "again")
    for path in (path for path in original.rglob("*") if path.is_file()):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(original)).read_bytes(), path.name


def test_the_manifest_and_so_a_signature_covers_every_file_of_them(original):
    files = json.loads((original / MANIFEST).read_text())["files"]
    for kind in ("attributions", "comparisons"):
        assert {f"{kind}/{path.name}" for path in (original / kind).iterdir()} <= set(files)


def test_the_report_shows_what_was_asked_and_what_was_found(original, attributions, comparisons):
    text = (original / "report.html").read_text(encoding="utf-8")
    for asked in attributions:
        assert f"By {asked.by} through {asked.through}" in text
    assert "Region 30x24 px at (8, 8)" in text
    for made in comparisons:
        assert made.headline() in text
    assert "without: nothing → art/warm/c.png" in text
    assert text.count("Before: the picture that is audited") == len(comparisons)


def test_an_audit_without_them_has_neither_files_nor_sections(trace, tmp_path, check):
    kt.Audit.create(trace, **PARAMETERS).save(tmp_path / "audit")
    assert not (tmp_path / "audit/attributions").exists()
    assert not (tmp_path / "audit/comparisons").exists()
    assert "What was asked of it" not in (tmp_path / "audit/report.html").read_text(encoding="utf-8")
    assert not any("asked again" in line for line in check(tmp_path / "audit").checks)


def test_one_may_be_given_alone_and_from_a_file(trace, attributions, comparisons, tmp_path):
    attributions[4].save(tmp_path / "a.parquet")
    comparisons[0].save(tmp_path / "c.parquet")
    found = kt.Audit.create(
        trace,
        attributions=kt.Attribution.open(tmp_path / "a.parquet"),
        comparisons=kt.Comparison.open(tmp_path / "c.parquet"),
        **PARAMETERS,
    )
    assert found.attributions[0].frame["share"].tolist() == attributions[4].frame["share"].tolist()
    assert found.comparisons[0].headline() == comparisons[0].headline()


def test_what_was_asked_of_a_trace_with_regret_is_of_the_trace_that_is_audited(trace, check, tmp_path):
    trace = trace.with_regret()
    asked, made = kt.attribute(trace, BOX), kt.compare(trace, kt.without(trace, "c.png"))
    kt.Audit.create(trace, attributions=[asked], comparisons=[made], **PARAMETERS).save(tmp_path / "audit")
    verdict = check(tmp_path / "audit")
    assert verdict.ok, verdict.difference


# What is refused.


def refused(trace, match, **given):
    with pytest.raises(SettingError, match=match):
        kt.Audit.create(trace, **given, **PARAMETERS)


def test_what_is_no_attribution_or_comparison_is_refused(trace, attributions, comparisons):
    refused(trace, "attributions, number 2: a Comparison, not an attr", attributions=[attributions[0], comparisons[0]])
    refused(trace, "comparisons, number 1: a Trace, not a comparison", comparisons=kt.without(trace, "c.png"))
    refused(trace, "attributions, number 1: a str", attributions="overlap")


def test_those_of_another_trace_are_refused(trace, world, paint):
    other = world.translator.traced(paint(9), coherence=0.3)
    refused(trace, f"another trace.*{other.painting().digest[:12]}", attributions=kt.attribute(other))
    refused(trace, "another trace", comparisons=kt.compare(other, world.translator.traced(paint(9), coherence=0.2)))
    refused(trace, "another trace.*compare.trace, other", comparisons=kt.compare(other, trace))


def test_what_depends_on_time_is_refused(trace):
    for through in ("ablation", "datamodel"):
        asked = kt.attribute(trace, BOX, through=through, most=2, runs=4, seconds=60, quiet=True)
        refused(trace, f"through {through} in 60 seconds, which cannot be asked again", attributions=asked)


def test_one_that_does_not_say_what_was_asked_is_refused(trace, attributions):
    for asked, name in ((attributions[3], "most"), (attributions[4], "seed")):
        about = {part: value for part, value in asked.about.items() if part != name}
        refused(trace, f"without the {name}", attributions=replace(asked, about=about))


def test_a_comparison_with_other_knowledge_is_refused(trace, world, paint, toy, toy_decoder):
    fewer = kt.Translator(world.library["art/warm"], toy, toy_decoder)
    made = kt.compare(trace, fewer.traced(paint(9)))
    refused(trace, "other knowledge .library bank art/cool", comparisons=made)


def test_a_comparison_that_is_another_when_made_again_is_refused(trace, comparisons):
    made = comparisons[0]
    moved = replace(made, frame=made.frame.assign(entry_after=made.frame["entry_after"] + 1))
    refused(trace, "it is another: row 0: entry_after", comparisons=moved)
    painted = {**made.pictures, "after": 255 - made.pictures["after"]}
    refused(trace, "it is another: other pixels", comparisons=replace(made, pictures=painted))


# What is forged. The rest follows from it, and is made to fit.


def other_cell(column, row=0):
    def change(asked):
        values = asked.frame[column].to_list()
        value = values[row]
        if isinstance(value, str):
            values[row] = f"{value}!"
        elif isinstance(value, np.ndarray):
            values[row] = value + 1
        else:
            values[row] = np.nextafter(value, 9) if isinstance(value, float) else value + 1
        return replace(asked, frame=asked.frame.assign(**{column: values}))

    return change


def other_about(**said):
    return lambda asked: replace(asked, about={**asked.about, **said})


def moved_region(asked):
    region = np.roll(asked.pictures["region"], 9, axis=1)
    return replace(
        asked, pictures={**asked.pictures, "region": region}, about={**asked.about, "region": [17, 8, 30, 24]}
    )


ATTRIBUTIONS = {
    **{f"a share through {name}": (number, other_cell("share")) for number, name in enumerate(METHODS)},
    "levels": (3, other_cell("levels", 1)),
    "a work": (0, other_cell("source", 2)),
    "a creator": (2, other_cell("creator")),
    "an entry's box": (5, other_cell("source_box")),
    "a row less": (0, lambda asked: replace(asked, frame=asked.frame.head(2))),
    "a column more": (0, lambda asked: replace(asked, frame=asked.frame.assign(approved=True))),
    "another order": (1, lambda asked: replace(asked, frame=asked.frame[::-1].reset_index(drop=True))),
    "the region": (0, moved_region),
    "the region of a gradient": (2, moved_region),
    "another method": (0, other_about(through="footprint")),
    "another unit": (0, other_about(by="creator")),
    "what a share is": (1, other_about(unit="part that the Louvre approves")),
    "the seed": (4, other_about(seed=5)),
    "fewer runs": (4, other_about(runs=8)),
    "how well it predicts": (4, other_about(held_out_r2=0.99)),
    "fewer left out": (3, other_about(most=2)),
    "the change": (2, other_about(change=99.0)),
    "the error": (2, other_about(completeness_error=0.0)),
    "a remark": (0, other_about(approved="yes")),
    "another trace": (0, other_about(trace="0" * 64)),
    "a time": (3, other_about(seconds=60)),
    "nearest, not the cause": (0, other_about(causal=False)),
}


@pytest.mark.parametrize(("number", "change"), ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_a_forged_attribution_is_named(audited, case, number, change):
    with pytest.raises(Difference, match=r"^attributions/1\.parquet"):
        check_attributions(case, [change(audited.attributions[number])], here=True)


def repainted(after):
    pixels = after.output.copy()
    pixels[3, 5] ^= 1
    return after.with_canvases({"output": pixels})


def otherwise(**settings):
    return lambda after: after.with_settings({**after.picture.settings, **settings})


def other_winner(after):
    place = after.table.schema.get_field_index("entry")
    column = after.table["entry"].to_numpy().copy()
    column[7] += 1
    field = after.table.schema.field("entry")
    return after.with_table(after.table.set_column(place, field, [column.astype(field.type.to_pandas_dtype())]))


COMPARISONS = {
    "a pixel": repainted,
    "a winner": other_winner,
    "another work is gone": otherwise(without=["art/warm/a.png"]),
    "nothing is gone": otherwise(without=[]),
    "another setting": otherwise(coherence=0.1),
    "a setting that there is not": otherwise(approved=True),
    "a remark": lambda after: Trace(after.table, {**after.about, "approved": 1}, after.pictures),
}


@pytest.mark.parametrize("change", COMPARISONS.values(), ids=COMPARISONS)
def test_a_forged_comparison_is_named(audited, case, change):
    with pytest.raises(Difference, match=r"comparisons/2-trace\.parquet"):
        check_compared(case, [audited.evidence.compared[2], change(audited.evidence.compared[0])])


def test_the_audited_translation_is_no_other(audited, case):
    after = audited.evidence.compared[2]
    same = only_winners(audited.trace.with_settings(after.picture.settings))
    with pytest.raises(Difference, match=r"comparisons/1-trace\.parquet"):
        check_compared(case, [same])


def test_a_whole_audit_forged_and_sealed_is_caught(audited, check, tmp_path):
    changed = other_cell("share")(audited.attributions[1])
    attributions = (audited.attributions[0], changed, *audited.attributions[2:])
    replace(audited, evidence=replace(audited.evidence, attributions=attributions)).save(tmp_path / "one")
    assert check(tmp_path / "one").difference.startswith("attributions/2.parquet, row 0: share")
    compared = (repainted(audited.evidence.compared[0]), *audited.evidence.compared[1:])
    replace(audited, evidence=replace(audited.evidence, compared=compared)).save(tmp_path / "other")
    assert "comparisons/1-trace.parquet" in check(tmp_path / "other").difference


@pytest.fixture(scope="module")
def small(trace, attributions, comparisons, tmp_path_factory):
    """The folder of an audit with few of them."""
    folder = tmp_path_factory.mktemp("small") / "audit"
    few = {"attributions": attributions[:3:2], "comparisons": comparisons[:2]}
    kt.Audit.create(trace, **few, top=0, sample=1).save(folder)
    return folder


def seal(folder):
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest.pop("sha256", None)
    (folder / MANIFEST).write_bytes(manifest_bytes({**manifest, "files": file_list(folder)}))


def rename(one, other):
    def tamper(folder):
        (folder / one).rename(folder / "there")
        (folder / other).rename(folder / one)
        (folder / "there").rename(folder / other)

    return tamper


def change_pixel(name):
    def tamper(folder):
        pixels = read_image(folder / name).copy()
        pixels[3, 5] ^= 1
        (folder / name).write_bytes(encode_image(pixels, "png"))

    return tamper


def rewrite(name, kind, change):
    """A result's file with something else in it."""
    return lambda folder: change(kind.open(folder / name)).save(folder / name, overwrite=True)


def with_picture(name, pixels):
    return lambda found: replace(found, pictures={**found.pictures, name: pixels(found.pictures[name])})


FILES = {
    "the last attribution removed": lambda folder: [p.unlink() for p in (folder / "attributions").glob("2.*")],
    "the first attribution removed": lambda folder: [p.unlink() for p in (folder / "attributions").glob("1.*")],
    "all attributions removed": lambda folder: shutil.rmtree(folder / "attributions"),
    "an attribution added": lambda folder: shutil.copy(
        folder / "attributions/1.parquet", folder / "attributions/3.parquet"
    ),
    "a file among attributions": lambda folder: (folder / "attributions/note.txt").write_text("approved"),
    "attributions in another order": rename("attributions/1.parquet", "attributions/2.parquet"),
    "tables in another order": rename("attributions/1.csv", "attributions/2.csv"),
    "the region's picture": change_pixel("pictures/attribution-1.png"),
    "the output in an attribution": rewrite(
        "attributions/1.parquet", kt.Attribution, with_picture("output", lambda pixels: 255 - pixels)
    ),
    "grey in a region": rewrite(
        "attributions/1.parquet", kt.Attribution, with_picture("region", lambda pixels: pixels // 2)
    ),
    "a number in CSV": lambda folder: (folder / "attributions/1.csv").write_text(
        (folder / "attributions/1.csv").read_text().replace("0.", "0.9", 1)
    ),
    "a comparison removed": lambda folder: [p.unlink() for p in (folder / "comparisons").glob("2*")],
    "all comparisons removed": lambda folder: shutil.rmtree(folder / "comparisons"),
    "comparisons in another order": rename("comparisons/1.parquet", "comparisons/2.parquet"),
    "their translations in another order": rename("comparisons/1-trace.parquet", "comparisons/2-trace.parquet"),
    "the other picture": change_pixel("pictures/comparison-1.png"),
    "before in a comparison": rewrite(
        "comparisons/1.parquet", kt.Comparison, with_picture("before", lambda pixels: 255 - pixels)
    ),
    "a row in a comparison": rewrite(
        "comparisons/1.parquet", kt.Comparison, lambda made: replace(made, frame=made.frame.tail(-1))
    ),
    "who took over": lambda folder: (folder / "comparisons/1.csv").write_text("source_before,source_after\n"),
}


@pytest.mark.parametrize("tamper", FILES.values(), ids=FILES)
def test_changed_files_are_caught(small, tmp_path, check, tamper):
    folder = shutil.copytree(small, tmp_path / "audit")
    tamper(folder)
    seal(folder)
    assert not check(folder)


# From another processor.


def test_rounding_elsewhere_is_allowed_and_nothing_beyond(case, attributions):
    asked = asked_again(case, attributions[2])
    near = replace(asked, frame=asked.frame.assign(share=asked.frame["share"] * (1 + 1e-4)))
    check_attributions(case, [near], here=False)
    with pytest.raises(Difference, match="share"):
        check_attributions(case, [near], here=True)
    far = replace(asked, frame=asked.frame.assign(share=asked.frame["share"] + [0.02, *[0] * (len(asked) - 1)]))
    with pytest.raises(Difference, match=r"attributions/1\.parquet, row 0: share"):
        check_attributions(case, [far], here=False)


def test_numbers_within_what_is_said_of_an_attribution_are_rounded_elsewhere_too():
    said = {"ways": {"tone": 0.7, "patch": [0.2, 0.1]}, "completeness_error": 0.1}
    moved = {"ways": {"tone": 0.7001, "patch": [0.2, 0.1001]}, "completeness_error": 0.1}
    check_circumstances("one", moved, said, ROOM)
    for room, stated in ((0.0, moved), (ROOM, {**said, "ways": {"tone": 0.8, "patch": [0.2, 0.1]}})):
        with pytest.raises(Difference, match="its ways"):
            check_circumstances("one", stated, said, room)
    with pytest.raises(Difference, match="its ways"):
        check_circumstances("one", {**said, "ways": {"tone": 0.7}}, said, ROOM)


def test_elsewhere_what_follows_from_the_trace_alone_is_exact(case, attributions):
    asked = asked_again(case, attributions[0])
    near = replace(asked, frame=asked.frame.assign(share=asked.frame["share"] * (1 + 1e-6)))
    with pytest.raises(Difference, match="share"):
        check_attributions(case, [near], here=False)


def test_elsewhere_the_order_is_that_of_the_shares(case, attributions):
    asked = asked_again(case, attributions[1])
    turned = replace(asked, frame=asked.frame[::-1].reset_index(drop=True))
    with pytest.raises(Difference, match="a larger share than the row before"):
        check_attributions(case, [turned], here=False)
