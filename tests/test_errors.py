"""Errors are what a Python programmer would catch, say what they say in any catch, and travel between processes."""

import pickle

import numpy as np
import pytest

import ktviz as kt
from ktviz import errors, samples
from ktviz.audit.keys import public_key, signing_key
from ktviz.files import replacing
from ktviz.library.credits import read_credits
from ktviz.library.format import writing
from ktviz.networks.weights import read_tensors
from ktviz.systems.image_analogy.settings import preset
from ktviz.systems.registry import system_class

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.KtvizError)]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_says_its_three_parts_and_survives_pickling(kind):
    error = kind("read 'a'", "no such file", "Check the path")
    assert str(error) == "read 'a': no such file. Check the path."
    assert type(kind.__new__(kind)) is kind  # by which dask copies errors
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (again.asked, again.found, again.todo, str(again)) == (error.asked, error.found, error.todo, str(error))


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (kt.read_image, errors.ImageError),
        (kt.Library.open, errors.LibraryError),
        (kt.Trace.open, errors.TraceError),
        (kt.Audit.open, errors.AuditError),
        (kt.Backtrack.open, errors.TraceError),
        (read_credits, errors.CreditsError),
        (read_tensors, errors.WeightsError),
        (lambda path: kt.verify("audit", path), errors.LibraryError),
        (lambda path: kt.verify("audit", "l.ktlib", sources=path), errors.ImageError),
        (public_key, errors.SigningError),
        (signing_key, errors.SigningError),
    ],
)
def test_what_is_not_there_is_a_file_not_found(tmp_path, read, kind):
    with pytest.raises(FileNotFoundError, match=r"'.*nowhere.*': ") as caught:
        read(tmp_path / "nowhere.png")
    assert isinstance(caught.value, kind)


def test_an_unknown_name_is_a_key_error(world):
    trace = world.translator.traced(world.pictures / "warm" / "a.png")
    for ask in (
        lambda: world.library["art/wram"],
        lambda: world.translator(world.pictures / "warm" / "a.png", without="art/warm/z.png"),
        lambda: trace.site("nowhere"),
        lambda: trace.spread("nobody"),
        lambda: kt.without(trace, "nobody"),
    ):
        with pytest.raises(KeyError, match=r"^[a-z]+ '\w") as caught:
            ask()
        assert str(caught.value).endswith(".")  # not the quoted form that KeyError gives


def test_a_value_out_of_range_is_a_value_error(world, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    for ask in (
        lambda: kt.Settings(strength=2),
        lambda: kt.read_image(tmp_path / "text.png"),
        lambda: world.translator.traced(world.pictures / "warm" / "a.png")[kt.Box(0, 0, 900, 900)],
        lambda: kt.Trace.open(tmp_path / "text.png"),
        lambda: kt.verify("audit", "l.ktlib", sha256="xyz"),
    ):
        with pytest.raises(ValueError, match=r": .*\. [A-Z].*\.\nMore about it: ktviz error [A-Z][A-Za-z]+Error$"):
            ask()


@pytest.mark.parametrize("hold", [lambda folder: replacing(folder / "file"), writing])
def test_writing_passes_an_error_of_ours_on_as_it_is(tmp_path, hold):
    """Though it is an OSError, too, and would be taken for one of the disk."""
    with pytest.raises(errors.MissingImageError, match="nowhere"), hold(tmp_path):
        kt.read_image(tmp_path / "nowhere.png")


def test_a_disk_that_refuses_is_an_os_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="write"):
        kt.write_image(tmp_path / "file" / "picture.png", np.zeros((16, 16, 3), np.uint8))


@pytest.mark.parametrize("name", [None, 3, ["kt"], {}, b"kt"])
def test_what_is_no_name_at_all_is_an_unknown_name(world, name):
    trace = world.translator.traced(world.pictures / "warm" / "a.png")
    for ask in (
        lambda: system_class(name),
        lambda: trace.site(name),
        lambda: preset(name),
        lambda: samples.photo(name),
    ):
        with pytest.raises(errors.UnknownNameError, match="there is none; known: "):
            ask()
