"""The library on disk: what it keeps, what it forgets, and that equal knowledge has equal digests."""

import shutil
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from ktviz.engines.turn import Room
from ktviz.errors import LibraryError, SettingError, SourceWarning, UnknownNameError
from ktviz.library.format import LibrarySettings
from ktviz.library.kinds.patches.drift import Drift, Fit
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.library.library import Library
from ktviz.systems.kt.encoder import Encoder
from ktviz.systems.kt.translator import Translator


def digest(library):
    return library.manifest.banks["art/test"].digest


def content(library):
    return library.manifest.banks["art/test"].content


def all_bytes(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def snapshot(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_bank_opens_as_it_was_built(world, toy, paint):
    opened = Library.open(world.folder)
    assert list(opened) == ["art/cool", "art/warm"]
    assert opened.digest == world.library.digest
    bank = opened.bank("art/warm")
    assert [source.name for source in bank.sources] == ["a.png", "b.png", "c.png"]
    assert len(bank) == 3 * 13 * 13
    assert [(s.width, s.height, s.rows, s.columns) for s in bank.sources] == [(64, 64, 16, 16)] * 3
    assert np.abs(opened["art/warm"].picture(1).astype(int) - paint(1)).mean() < 12  # a JPEG of the source


def test_a_task_is_the_union_of_its_banks(world):
    assert world.library["art"].names == ["art/cool", "art/warm"]
    assert len(world.library["art"]) == len(world.library["art/cool"]) + len(world.library["art/warm"])
    assert world.library.select(["art/warm", "art"]).names == ["art/warm", "art/cool"]


def test_an_unknown_bank_lists_those_that_exist_and_suggests_the_nearest(world):
    with pytest.raises(UnknownNameError) as caught:
        world.library["art/worm"]
    assert "art/cool, art/warm" in caught.value.found
    assert "art/warm" in caught.value.todo


def test_no_bank_at_all_lists_those_that_exist(world):
    with pytest.raises(UnknownNameError, match="the library has art/cool, art/warm"):
        world.library.select([])


def test_a_library_works_after_it_was_moved_and_its_images_are_gone(world, tmp_path, paint):
    images = tmp_path / "images"
    shutil.copytree(world.pictures, images)
    library = Library.ensure(tmp_path / "old.ktlib", world.translator.encoder, world.library.settings)
    library.build("art/warm", [images / "warm"], encoder=world.translator.encoder, quiet=True)
    library.build("art/cool", [images / "cool"], encoder=world.translator.encoder, quiet=True)
    shutil.rmtree(images)
    (tmp_path / "new").mkdir()
    (tmp_path / "old.ktlib").rename(tmp_path / "new" / "other.ktlib")
    moved = Library.open(tmp_path / "new" / "other.ktlib")
    assert moved.digest == world.library.digest
    queries = moved["art"].patches(torch.arange(0, len(moved["art"]), 50))
    found = moved["art"].search(queries, SearchSettings("exact"))
    assert found.winner.tolist() == list(range(0, len(moved["art"]), 50))


def test_reading_writes_nothing(world, tmp_path):
    folder = shutil.copytree(world.folder, tmp_path / "copy.ktlib")
    before = snapshot(folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    banks = Library.open(folder)["art"]
    banks.search(banks.patches(torch.arange(3)), SearchSettings("beam"))
    banks.picture(0)
    assert snapshot(folder) == before


def test_who_may_read_one_file_of_a_library_may_read_all(world):
    files = [path for path in world.folder.rglob("*") if path.is_file() and path.name != ".lock"]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files}
    assert all(mode & 0o444 == 0o444 for mode in modes.values()), modes


def test_no_absolute_path_and_no_pickle_is_stored(world):
    assert str(world.folder.parent).encode() not in all_bytes(world.folder)
    assert str(world.pictures).encode() not in all_bytes(world.folder)
    suffixes = {path.suffix for path in world.folder.rglob("*") if path.is_file() and path.name != ".lock"}
    assert suffixes == {".json", ".parquet", ".safetensors", ".jpg"}


def test_two_builds_have_the_same_digest(build, pictures):
    assert digest(build("one", [pictures])) == digest(build("two", [pictures]))


def test_a_build_with_two_threads_has_the_same_digest(build, tmp_path, save, paint):
    """The shipped architecture: its convolutions are large enough to be shared among threads."""
    torch.manual_seed(0)
    student = Encoder.student().eval().requires_grad_(False)
    for n in range(2):
        save(tmp_path / "in" / f"{n}.png", paint(n, 120, 160))
    digests = set()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        options = LibrarySettings(side_px=120, dedupe=0.9)
        digests.add(digest(build(f"threads-{threads}", [tmp_path / "in"], student, options)))
    assert len(digests) == 1


def test_adding_gives_the_same_content_as_building_from_all_and_rebuilding_the_same_bank(build, pictures, toy):
    library, whole = build("grown", [pictures / "cool"]), build("whole", [pictures / "warm", pictures / "cool"])
    library.add("art/test", [pictures / "warm"], encoder=toy, quiet=True)  # a, b, c go before d, e
    assert content(library) == content(whole)
    assert digest(library) != digest(whole)
    assert library.rebuild(quiet=True) == ["art/test"]
    assert digest(library) == digest(whole) == digest(Library.open(library.folder))
    assert not (library.folder / "building").exists()


@pytest.mark.parametrize(
    ("now", "matters"), [((0.8, 4.0), False), ((0.75, 4.0), True), ((0.9, 12.1), True), ((0.77, 11.9), False)]
)
def test_drift_matters_where_keys_lie_far_from_centres_or_a_leaf_is_crowded(now, matters):
    assert Drift(Fit(0.8, 4.0), Fit(*now)).matters == matters


def test_drift_is_that_of_the_entries_that_are_there_and_warned_of(build, pictures, toy, monkeypatch):
    library = build("drift", [pictures / "warm"])
    first = library.drift("art/test")
    assert first.now.nearness == pytest.approx(first.before.nearness)
    assert first.now.largest == first.before.largest
    monkeypatch.setattr("ktviz.library.kinds.patches.drift.LEAST", 1.0)
    with pytest.warns(SourceWarning, match=r"art/test: keys are .*`ktviz library rebuild` makes its tree anew"):
        library.add("art/test", [pictures / "cool"], encoder=toy, quiet=True)
    bank, drift = library.bank("art/test"), library.drift("art/test")
    keys = bank.keys[torch.arange(len(bank))].float() * bank.projection.units
    centres = bank.frame.key_centres[bank.tree.leaf_of(torch.arange(len(bank)))]
    near = torch.nn.functional.cosine_similarity(keys, centres)
    assert drift.now.nearness == pytest.approx(float(near.mean()), abs=1e-6)
    assert drift.before == first.before
    library.rebuild(quiet=True)
    assert library.drift("art/test").before != first.before


def test_leaving_a_source_out_finds_what_the_library_finds_without_it(build, pictures, toy):
    library = build("without", [pictures])
    whole = library["art/test"]
    queries = whole.patches(torch.arange(0, len(whole), 11))
    for preset in ("paper", "beam", "exact"):
        settings = SearchSettings(preset, beam=3)
        found = whole.search(queries, settings, whole.excluded(["warm/b", "cool/d"]))
        copy = Library.open(shutil.copytree(library.folder, library.folder.with_name(f"{preset}.ktlib")))
        copy.remove("art/test", ["warm/b", "cool/d"], quiet=True)
        never = copy["art/test"].search(queries, settings)
        assert torch.equal(found.similarity, never.similarity)
        assert named(whole, found) == named(copy["art/test"], never)


def named(banks, matches):
    """Where winners lie: source and cell."""
    source, y, x = (part.tolist() for part in banks.locate(matches.winner))
    return [(banks.sources[n].name, *place) for n, *place in zip(source, y, x, strict=True)]


def test_tables_are_a_function_of_the_frame_and_of_what_is_there(build, pictures, toy):
    """One after the other, in whatever order, or at once: the same bytes."""
    grown = build("grown", [pictures / "warm"])
    for name in ("e", "d"):
        grown.add("art/test", [pictures / "cool" / f"{name}.png"], encoder=toy, quiet=True)
    at_once = build("at-once", [pictures / "warm"])
    at_once.add("art/test", [pictures / "cool"], encoder=toy, quiet=True)
    assert digest(grown) == digest(at_once)
    before = digest(grown)
    for name in ("b", "d"):
        grown.remove("art/test", name, quiet=True)
    for name in ("cool/d", "warm/b"):
        grown.add("art/test", [pictures / f"{name}.png"], encoder=toy, quiet=True)
    assert digest(grown) == before
    grown.check()


def test_adding_encodes_only_what_is_new(build, pictures, toy):
    library = build("grown", [pictures / "warm"])
    encoded = []
    handle = toy.register_forward_hook(lambda *_: encoded.append(1))
    try:
        library.add("art/test", [pictures / "warm", pictures / "cool"], encoder=toy, quiet=True)
    finally:
        handle.remove()
    assert len(encoded) == 2


def test_adding_what_is_there_already_changes_nothing(build, pictures, toy):
    library = build("same", [pictures / "warm"])
    before = library.digest
    library.add("art/test", [pictures / "warm" / "b.png"], encoder=toy, quiet=True)
    assert library.digest == before


def test_removing_gives_the_same_content_as_building_without(build, pictures):
    library = build("shrunk", [pictures])
    library.remove("art/test", ["warm/b", "cool/e.png"], quiet=True)
    kept = [pictures / name for name in ("warm/a.png", "warm/c.png", "cool/d.png")]
    assert [s.name for s in library.bank("art/test").sources] == ["cool/d.png", "warm/a.png", "warm/c.png"]
    whole = rebuilt(build, pictures, kept)
    assert content(library) == content(whole)
    library.rebuild("art/test", quiet=True)
    assert digest(library) == digest(whole)


def rebuilt(build, pictures, kept):
    """A build from a folder that holds nothing else, so that names are the same."""
    folder = pictures.parent / f"kept-{len(kept)}"
    for path in kept:
        target = folder / path.relative_to(pictures)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return build("rebuilt", [folder])


def test_adding_and_removing_again_restores_the_digest(build, pictures, toy):
    library = build("back", [pictures / "warm"])
    before = library.digest
    library.add("art/test", [pictures / "cool"], encoder=toy, quiet=True)
    assert library.digest != before
    library.remove("art/test", ["d", "e"], quiet=True)
    assert library.digest == before


def test_a_removed_source_leaves_no_byte_behind(build, pictures):
    library = build("forget", [pictures / "warm"])
    bank = library.bank("art/test")
    features = bank.entries.maps[1].contiguous().numpy().tobytes()
    needles = (features[1000:1400], bank.sources[1].sha256.encode(), b"b.png")
    thumb = bank.thumb(1)[600:700]
    assert all(needle in all_bytes(library.folder) for needle in (*needles, thumb))
    library.remove("art/test", ["b"], quiet=True)
    left = all_bytes(library.folder)
    assert not any(needle in left for needle in (*needles, thumb))
    assert len(list((library.folder / "banks").glob("*/*"))) == 2  # tables, and what belongs to the sources


def test_a_removed_source_leaves_no_byte_in_an_interrupted_build(build, pictures, toy, monkeypatch):
    library = build("forget", [pictures / "warm"])
    sha256 = library.bank("art/test").sources[0].sha256
    with monkeypatch.context() as patch:
        patch.setattr("ktviz.library.writer.write_bank", interrupt)
        with pytest.raises(KeyboardInterrupt):
            library.build("art/other", [pictures / "warm" / "a.png"], encoder=toy, quiet=True)
    assert list(library.folder.glob(f"building/*/{sha256}*"))
    library.remove("art/test", ["a"], quiet=True)
    assert not list(library.folder.rglob(f"{sha256}*"))


def interrupt(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("sources", [(), ("a", "b", "c")])
def test_removing_all_sources_removes_the_bank(build, pictures, sources):
    library = build("gone", [pictures / "warm"])
    library.remove("art/test", sources, quiet=True)
    assert list(library) == list(Library.open(library.folder)) == []
    assert list((library.folder / "banks").glob("*")) == []


def test_removing_an_unknown_source_suggests_the_nearest(build, pictures):
    library = build("known", [pictures])
    with pytest.raises(UnknownNameError, match=r"Did you mean art/test/warm/b\.png"):
        library.remove("art/test", ["warm/bb.png"])


def test_nested_folders_give_names_below_the_folder(build, pictures):
    names = [source.name for source in build("nested", [pictures]).bank("art/test").sources]
    assert names == ["cool/d.png", "cool/e.png", "warm/a.png", "warm/b.png", "warm/c.png"]


def test_the_same_file_twice_is_one_source(build, tmp_path, save, paint):
    for name in ("one.png", "two.png"):
        save(tmp_path / "in" / name, paint(0))
    library = build("once", [tmp_path / "in", tmp_path / "in" / "one.png"])
    assert [source.name for source in library.bank("art/test").sources] == ["one.png"]


def test_two_pictures_of_the_same_name_are_refused(build, tmp_path, save, paint):
    paths = [save(tmp_path / str(n) / "same.png", paint(n)) for n in range(2)]
    with pytest.raises(LibraryError, match="two different files have this name"):
        build("conflict", paths)


def test_another_picture_under_a_name_that_the_bank_holds_is_refused(build, tmp_path, save, paint, toy):
    library = build("held", [save(tmp_path / "0" / "same.png", paint(0))])
    before = snapshot(library.folder)
    with pytest.raises(LibraryError, match=r"another picture named 'same\.png'"):
        library.add("art/test", [save(tmp_path / "1" / "same.png", paint(1))], encoder=toy, quiet=True)
    assert snapshot(library.folder) == before


def test_an_entry_costs_at_most_2500_bytes(build, tmp_path, save, paint):
    torch.manual_seed(0)
    student = Encoder.student().eval().requires_grad_(False)
    save(tmp_path / "in" / "picture.png", paint(0, 256, 256))
    library = build("size", [tmp_path / "in"], student, LibrarySettings(side_px=256, dedupe=1.0))
    record = library.manifest.banks["art/test"]
    assert record.entries == 61 * 61
    on_disk = sum(path.stat().st_size for path in library.folder.rglob("*") if path.is_file())
    assert on_disk <= 2500 * record.entries


def test_a_single_path_or_name_needs_no_list(build, pictures, toy):
    library = build("single", pictures / "warm")
    library.add("art/test", str(pictures / "cool"), encoder=toy, quiet=True)
    library.remove("art/test", "d", quiet=True)
    assert [source.name for source in library.select("art").sources] == ["a.png", "b.png", "c.png", "e.png"]


def test_a_library_contains_its_banks_and_tasks(world):
    assert "art" in world.library
    assert "art/warm" in world.library
    assert "art/hot" not in world.library


def test_building_gives_the_bank_that_a_translator_takes(tmp_path, pictures, toy, settings):
    banks = Library.ensure(tmp_path / "new.ktlib", toy, settings).build("art/new", [pictures], encoder=toy, quiet=True)
    assert Translator(banks, toy, torch.nn.Identity()).banks.names == ["art/new"]


def test_a_library_without_banks_takes_other_settings(tmp_path, toy, settings):
    folder = tmp_path / "empty.ktlib"
    Library.ensure(folder, toy, settings)
    other = LibrarySettings(side_px=80)
    assert Library.ensure(folder, toy, other).settings == other
    assert Library.open(folder).settings == other


def test_what_was_opened_keeps_its_pictures_when_the_bank_is_edited(build, pictures, toy):
    library = build("edited", [pictures / "cool"])
    before = library["art/test"]
    library.add("art/test", [pictures / "warm"], encoder=toy, quiet=True)
    assert before.picture(1).shape == (64, 64, 3)


def test_large_sources_wait_for_room_and_one_that_is_too_large_works_alone():
    room, together, most = Room(10), [], []

    def work(patches):
        with room.taken(patches):
            together.append(patches)
            most.append(list(together))
            time.sleep(0.01)
            together.remove(patches)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, [4, 5, 30, 4, 6, 25, 5, 3]))
    assert len(most) == 8
    assert all(sum(at_once) <= 10 or len(at_once) == 1 for at_once in most)
    assert max(map(len, most)) > 1


def test_a_patch_is_a_view_of_its_sources_features(world, toy):
    bank = world.library.bank("art/cool")
    stored = sum(features.numel() for features in bank.entries.maps)
    assert stored == 2 * 16 * 16 * 8


def test_stride_two_stores_every_fourth_patch(build, pictures):
    library = build("strided", [pictures / "cool"], settings=LibrarySettings(side_px=64, stride=2, dedupe=1.0))
    bank = library.bank("art/test")
    assert len(bank) == 2 * 7 * 7
    assert not ((bank.entries.x % 2) | (bank.entries.y % 2)).any()


def test_sources_are_scaled_and_cropped_to_whole_cells(build, tmp_path, save, paint):
    bank = build("scaled", [save(tmp_path / "wide.png", paint(0, 100, 151))]).bank("art/test")
    source = bank.sources[0]
    assert (source.width, source.height) == (151, 100)
    assert (source.rows, source.columns) == (16, 24)  # 64 x 97 px, of which 96 are whole cells
    assert bank.picture(0).shape == (64, 96, 3)


def test_dedupe_drops_look_alikes_and_says_how_many(build, tmp_path, save):
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, 32:] = (200, 100, 50)
    settings = LibrarySettings(side_px=64, dedupe=0.95)
    source = build("thin", [save(tmp_path / "halves.png", pixels)], settings=settings).bank("art/test").sources[0]
    assert source.positions == 169
    assert 2 <= source.entries <= 8
    assert source.survivor_rate == source.entries / 169


@pytest.mark.parametrize("branching", [(10, 10), (4,)])
def test_a_bank_smaller_than_its_tree_is_searched_all_the_same(build, tmp_path, save, paint, branching):
    settings = LibrarySettings(side_px=20, dedupe=1.0, branching=branching, key_dimensions=32)
    banks = build("few", [save(tmp_path / "tiny.png", paint(0, 20, 20))], settings=settings)["art/test"]
    assert len(banks) == 4
    for preset in ("paper", "beam", "exact"):
        found = banks.search(banks.patches(torch.arange(4)), SearchSettings(preset, candidates=1))
        assert found.winner.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("level", [0, 128])
@pytest.mark.parametrize("dedupe", [0.9, 1.0])
def test_constant_pictures_make_a_bank_that_can_be_searched(build, tmp_path, save, level, dedupe):
    settings = LibrarySettings(side_px=64, dedupe=dedupe, branching=(4, 4))
    path = save(tmp_path / "flat.png", np.full((64, 64, 3), level, np.uint8))
    banks = build("flat", [path], settings=settings)["art/test"]
    assert len(banks) == (1 if dedupe < 1 else 169)
    for preset in ("paper", "beam", "exact"):
        found = banks.search(banks.patches(torch.tensor([0])), SearchSettings(preset))
        assert torch.isfinite(found.similarity[:, 0]).all()
        assert torch.isfinite(found["bands"][:, 0]).all()


@pytest.mark.parametrize(
    "wrong",
    [{"side_px": 8}, {"side_px": 20_000}, {"stride": 0}, {"stride": 5}, {"dedupe": 0}, {"dedupe": 1.5},
     {"dedupe": float("nan")}, {"key_dimensions": 3}, {"branching": (1,)}, {"branching": ()}]
)  # fmt: skip
def test_library_settings_outside_their_range_are_refused(wrong):
    with pytest.raises(SettingError):
        LibrarySettings(**wrong)


@pytest.mark.parametrize("name", ["impasto", "Art/impasto", "art/", "art/../x", "/art/x", "art/a/b", "art/im pasto"])
def test_bank_names_that_are_no_task_and_style_are_refused(build, world, name):
    with pytest.raises(LibraryError, match="task/style"):
        world.library.build(name, [world.pictures], quiet=True)


def test_building_a_bank_twice_is_refused(world, toy):
    with pytest.raises(LibraryError, match="it exists already"):
        world.library.build("art/warm", [world.pictures], encoder=toy, quiet=True)


def test_creating_again_opens_and_other_settings_are_refused(world, toy):
    assert Library.ensure(world.folder, toy).digest == world.library.digest
    with pytest.raises(LibraryError, match="Leave the setting out"):
        Library.ensure(world.folder, toy, LibrarySettings(side_px=100))


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path, toy):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(LibraryError, match=r"thesis\.txt"):
        Library.ensure(tmp_path, toy)
    with pytest.raises(LibraryError, match="it is a file"):
        Library.ensure(tmp_path / "thesis.txt", toy)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_create_makes_a_library_and_never_opens_one(tmp_path, toy, settings):
    Library.create(tmp_path / "new.ktlib", toy, settings)
    with pytest.raises(LibraryError, match=r"there is one\. Open it: Library\.open, or Library\.ensure"):
        Library.create(tmp_path / "new.ktlib", toy, settings)
    assert Library.ensure(tmp_path / "new.ktlib", toy).settings == settings


def test_all_sources_are_one_table_with_credits(world):
    table = world.library.sources.to_pandas()
    assert table["source"].tolist() == [name for bank in world.library for name in world.library[bank].source_names]
    assert {"bank", "title", "creator", "licence", "sha256", "width", "height"} <= set(table.columns)
