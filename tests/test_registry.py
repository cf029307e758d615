"""Systems that are known here: ours, and those that other packages register; what breaks the protocol is named."""

import json
from importlib.metadata import EntryPoint

import pytest
from command import ktviz

import ktviz as kt
from ktviz.errors import AbilityError, KtvizError, MismatchError, ProtocolError, TraceError, UnknownNameError
from ktviz.library.library import Library
from ktviz.systems import registry
from ktviz.systems.plain import PlainSystem
from ktviz.systems.protocol import METHODS, NEEDED, System
from ktviz.systems.registry import names, opened, system_class

REQUIRED = ("opened", *NEEDED, *METHODS["rerun"], *METHODS["blend"])


@classmethod
def opens(cls, trace, library, like, /):
    return cls()


GUEST = {
    "name": "guest",
    "abilities": frozenset({"rerun", "blend"}),
    "baseline": "nothing at all",
    **{method: opens if method == "opened" else getattr(System, method) for method in REQUIRED},
}
REFUSED = {method: getattr(PlainSystem, method) for methods in METHODS.values() for method in methods}
Guest = type("Guest", (), GUEST)
"""A system of another package: keeps the protocol, and does nothing."""


def changed(**parts):
    """The guest with other parts; None takes one away."""
    return type("Guest", (), {name: part for name, part in {**GUEST, **parts}.items() if part is not None})


@pytest.fixture
def register(monkeypatch):
    """`register(cls)`: as if another package had registered a class as the system "guest"."""

    def known_as(found, name="guest"):
        point = EntryPoint(name, "guests.module:Guest", registry.GROUP)
        monkeypatch.setattr(EntryPoint, "load", lambda self: found() if callable(found) and found is broken else found)
        monkeypatch.setattr(registry, "registered", lambda: {name: point})

    return known_as


def broken():
    raise ModuleNotFoundError("No module named 'guests'")


@pytest.mark.parametrize("name", registry.OURS)
def test_ours_keep_the_protocol(name):
    registry.check_class(system_class(name), name, "ktviz")
    assert name in names()


def test_an_instance_of_ours_is_a_system(world):
    assert isinstance(world.translator, System)


def test_a_system_of_another_package_is_known_by_its_name(register):
    register(Guest)
    assert names() == sorted({"kt", "guest"} | {*registry.OURS})
    assert system_class("guest") is Guest


def test_entry_points_of_installed_packages_are_found(monkeypatch):
    points = [EntryPoint(name, "x:Y", registry.GROUP) for name in ("guest", "kt")]
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == "ktviz.systems" else [])
    assert registry.registered() == {"guest": points[0]}  # nobody takes the place of ours


@pytest.mark.parametrize(("asked", "nearest"), [("kd", "kt"), ("guests", "guest"), ("Guest", "guest")])
def test_an_unknown_system_suggests_the_nearest(register, asked, nearest):
    register(Guest)
    with pytest.raises(UnknownNameError, match=rf"system '?{asked}'?.*Did you mean {nearest}"):
        system_class(asked)


@pytest.mark.parametrize("method", REQUIRED)
def test_a_method_that_is_missing_is_named(register, method):
    register(changed(**{method: None}))
    with pytest.raises(ProtocolError, match=rf"system 'guest' \(guests.module:Guest\): it has no {method}\b"):
        system_class("guest")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"blend": lambda self, trace: None}, r"blend\(self, trace\), should be blend\(self, trace.*, within"),
        ({"rerun": lambda self, trace: None}, r"rerun\(self, trace\), should be rerun\(self, trace"),
        ({"behind": lambda self, trace, mask, more: None}, r"behind\(self, trace, mask, more\), should be"),
        ({"name": "other"}, "its name is 'other'"),
        ({"name": None}, "its name is None"),
        ({"abilities": {"rerun"}}, "abilities {'rerun'}, not a frozenset"),
        ({"abilities": frozenset({"fly"})}, "abilities frozenset.*fly.*, not a frozenset of rerun, exclude"),
        ({"abilities": frozenset({"rerun", "exclude"})}, "it has no exclude"),
        ({"abilities": frozenset({"oracle"})}, "it has no oracle"),
        ({"baseline": ""}, "a blend without a baseline in words"),
        ({"baseline": 3}, "a blend without a baseline in words"),
        ({"rerun": 3}, "rerun is a int, not a method"),
        ({"opened": lambda cls, trace, library, like: None}, "opened is a function, not a class method"),
        ({"opened": classmethod(lambda cls: cls())}, r"opened\(cls\), should be opened\(self, trace"),
        ({"abilities": property(lambda self: frozenset())}, "abilities <property"),
    ],
)
def test_what_breaks_the_protocol_is_named(register, parts, said):
    register(changed(**parts))
    with pytest.raises(ProtocolError, match=said) as caught:
        system_class("guest")
    assert "ktviz.systems.protocol.System" in str(caught.value)


@pytest.mark.parametrize(
    ("found", "said"),
    [(Guest(), "a Guest, not a class"), (7, "a int, not a class"), (broken, "cannot be imported .*'guests'")],
)
def test_what_is_no_class_is_said(register, found, said):
    register(found)
    with pytest.raises(ProtocolError, match=said):
        system_class("guest")
    assert issubclass(ProtocolError, KtvizError)


@pytest.mark.parametrize("ability", ["rerun", "blend", "oracle", "tree", "bands"])
def test_what_a_beginning_only_refuses_is_missing(register, ability):
    register(type("Guest", (PlainSystem,), {**GUEST, "abilities": frozenset({ability}), **REFUSED}))
    with pytest.raises(ProtocolError, match=f"it has no {METHODS[ability][0]}"):
        system_class("guest")


@pytest.mark.parametrize("error", [SystemExit(3), SyntaxError("invalid syntax"), ValueError()])
def test_a_package_that_fails_in_any_way_when_it_is_imported_is_named(register, monkeypatch, error):
    register(Guest)
    monkeypatch.setattr(EntryPoint, "load", lambda self: raising(error))
    with pytest.raises(ProtocolError, match=rf"cannot be imported \({type(error).__name__}"):
        system_class("guest")


def raising(error):
    raise error


def test_a_broken_system_is_named_and_the_others_are_listed(register):
    register(changed(rerun=None))
    found = ktviz("systems", check=False)
    assert found.returncode == 1
    assert "image-analogy" in found.stdout
    assert "it has no rerun" in found.stderr
    listed = json.loads(ktviz("systems", "--json", check=False).stdout)["systems"]
    assert [one["name"] for one in listed] == names()
    assert [one["error"]["found"] for one in listed if "error" in one] == ["it has no rerun"]


# From a trace to its system


def with_system(trace, name):
    return kt.Trace(trace.table, {**trace.about, "system": name}, trace.pictures)


@pytest.fixture(scope="module")
def trace(world, paint):
    return world.translator.traced(paint(9, 32, 32))


def test_the_system_of_a_trace_is_opened_on_the_banks_it_names(world, trace):
    found = opened(trace, world.library, world.translator)
    assert found.digests() == world.translator.digests()
    assert found.rerun(trace).digest == trace.digest


def test_a_library_without_the_banks_of_a_trace_says_so(world, trace, tmp_path):
    with pytest.raises(MismatchError, match="the library has no bank art/cool or art/warm"):
        opened(trace, Library.create(tmp_path / "other.ktlib"), world.translator)


def test_a_guests_trace_is_opened_by_the_guest(register, world, trace):
    register(Guest)
    assert isinstance(opened(with_system(trace, "guest"), world.library), Guest)


@pytest.mark.parametrize(
    ("opens", "said"),
    [
        (lambda *_: None, "its opened gave a NoneType"),
        (lambda *_: Guest, "its opened gave a type"),
        (lambda *_: raising(RuntimeError("boom")), r"its opened failed \(RuntimeError: boom\)"),
    ],
)
def test_a_guest_that_cannot_open_a_trace_is_named(register, world, trace, opens, said):
    register(changed(opened=classmethod(lambda cls, trace, library, like: opens())))
    with pytest.raises(ProtocolError, match=said):
        opened(with_system(trace, "guest"), world.library)


def test_a_guest_may_say_in_its_own_words_why_it_cannot_open_a_trace(register, world, trace):
    error = TraceError("open a trace", "the moon is full", "Wait")
    register(changed(opened=classmethod(lambda cls, trace, library, like: raising(error))))
    with pytest.raises(TraceError, match="the moon is full"):
        opened(with_system(trace, "guest"), world.library)


def test_a_trace_of_a_system_that_is_not_here_says_to_install_it(world, trace):
    with pytest.raises(TraceError, match=r"a trace of the system 'guest'.*known here: .*kt.*Install its package"):
        opened(with_system(trace, "guest"), world.library)


def test_nobody_can_make_an_adapted_model_from_its_name(world, trace):
    with pytest.raises(AbilityError, match="Ask who has the model"):
        opened(with_system(trace, ""), world.library)
