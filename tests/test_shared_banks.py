"""Banks that several threads search at once, and that are copied; what a search refuses."""

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from ktviz.errors import SettingError
from ktviz.images import to_tensor
from ktviz.library.kinds.patches.compiled import compiled
from ktviz.library.kinds.patches.grid import PatchGrid
from ktviz.library.kinds.patches.search import SearchSettings
from ktviz.library.library import Library
from ktviz.systems.kt.encoder import Encoder

THREADS = 8
WEIGHTS = ((1.0, 1.0, 1.0, 0.0), (1.0, 0.5, 2.0, 1.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, paint, save, settings):
    """A library of eight pictures; real features, which kernels read."""
    root = tmp_path_factory.mktemp("shared")
    for number in range(8):
        save(root / "in" / f"{number}.png", paint(number, 64, 64))
    library = Library.ensure(root / "shared.ktlib", Encoder.shipped(), settings)
    library.build("art/shared", [root / "in"], quiet=True)
    return library.folder


@pytest.fixture(scope="module")
def queries(paint):
    features = Encoder.shipped()(to_tensor(paint(99, 96, 96)))[0].detach()
    return PatchGrid(*features.shape[1:]).unfold(features)


@pytest.mark.parametrize("round_", range(3))
def test_threads_that_search_a_bank_for_the_first_time_find_what_one_does(folder, queries, round_):
    known = [Library.open(folder).bank("art/shared").search(queries, SearchSettings(band_weights=w)) for w in WEIGHTS]
    bank, together = Library.open(folder).bank("art/shared"), threading.Barrier(THREADS)

    def found(number):
        together.wait()
        return bank.search(queries, SearchSettings(band_weights=WEIGHTS[number % len(WEIGHTS)]))

    with ThreadPoolExecutor(THREADS) as pool:
        for number, one in enumerate(pool.map(found, range(THREADS))):
            assert torch.equal(one.entry, known[number % len(WEIGHTS)].entry)
            assert torch.equal(one.similarity, known[number % len(WEIGHTS)].similarity)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda bank: pickle.loads(pickle.dumps(bank))])
def test_a_copy_of_a_bank_that_was_searched_reads_its_own_memory(folder, queries, copied):
    bank = Library.open(folder).bank("art/shared")
    known = bank.search(queries)
    other = copied(bank)
    rows = torch.arange(len(bank))
    assert not torch.equal(other.entries.views(rows)[0], bank.entries.views(rows)[0])
    del bank
    assert torch.equal(other.search(queries).similarity, known.similarity)


@pytest.mark.parametrize("shape", [(5, 64, 4, 4), (5, 128, 4, 3), (5, 128, 16), (5, 2048)])
def test_queries_of_another_shape_are_refused(folder, shape):
    with pytest.raises(SettingError, match="this bank wants Nx128x4x4"):
        Library.open(folder).bank("art/shared").search(torch.zeros(shape))


def test_queries_of_other_numbers_are_read_as_single_precision(folder, queries):
    bank = Library.open(folder).bank("art/shared")
    halves = queries.half()
    known = bank.search(halves.float())
    for asked in (halves, halves.double(), halves.float().requires_grad_(True)):
        assert torch.equal(bank.search(asked).similarity, known.similarity)


def test_a_mask_that_leaves_nothing_or_is_of_another_bank_is_refused(folder, queries):
    bank = Library.open(folder).bank("art/shared")
    for excluded in (torch.ones(len(bank), dtype=torch.bool), torch.zeros(len(bank) + 1, dtype=torch.bool)):
        with pytest.raises(SettingError, match="Leave one of them at least"):
            bank.search(queries, excluded=excluded)


def test_what_cannot_be_kept_is_compiled_all_the_same():
    """As where neither the folder of the package nor the home can be written: of such a function there is no file."""
    namespace = {}
    exec("def double(number):\n    return 2 * number", namespace)
    assert compiled()(namespace["double"])(3) == 6
