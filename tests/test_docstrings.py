"""Every public name says what it is and shows how it is used, and examples in docstrings do what they say."""

import ast
import doctest
import inspect
import pathlib
import re
import textwrap
from importlib import import_module

import pytest

import ktviz as kt
from docs.pages import PREAMBLE, first_line
from ktviz import errors
from ktviz.errors import MissingLibraryError, unknown_name
from ktviz.retrieval.site import Recordable
from ktviz.systems.protocol import System
from ktviz.systems.registry import OURS, SystemClass, system_class

PACKAGE = pathlib.Path(__file__).parents[1] / "ktviz"
WITH_EXAMPLES = sorted(
    ".".join(("ktviz", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)
PUBLIC = sorted(set(kt.__all__) - {"__version__"})
KINDS = {
    name: value if inspect.isclass(value) else type(value)
    for name, value in ((name, getattr(kt, name)) for name in PUBLIC)
    if not inspect.isfunction(value)
}
"""Public classes, and those of public objects, such as `adapt`."""
CLASSES = [name for name, kind in KINDS.items() if kind.__module__.startswith("ktviz.")]
METHODS = [(name, method) for name in CLASSES if not inspect.isclass(getattr(kt, name)) for method in vars(KINDS[name])]
"""Methods of public objects, which stand beside public functions."""
ASKED = (System, SystemClass, Recordable)
"""What every system can be asked is the same: it is shown once, here or with a system that has the ability."""
SYSTEMS = [system_class(name) for name in OURS]


@pytest.fixture(scope="module")
def known():
    """What examples may use without saying where it is from: what the reference says to run first, and no more."""
    names = {}
    exec(PREAMBLE, names)
    return names


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_give_what_they_show(module, known):
    assert not doctest.testmod(import_module(module), extraglobs=known).failed


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example(name):
    value = getattr(kt, name)
    described = value if inspect.isclass(value) or inspect.isfunction(value) else type(value)
    text = inspect.getdoc(described) or ""
    assert len(text.splitlines()[0]) > 10
    assert ">>> " in text


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_method_with_arguments_is_called_in_an_example(name):
    kind = KINDS[name]
    shown = called(kind)
    if kind in SYSTEMS:
        asked = {method for protocol in ASKED for method in vars(protocol)}
        shown |= asked.intersection(set().union(*map(called, (*ASKED, *SYSTEMS))))
    assert sorted(with_arguments(kind) - shown) == []


def test_examples_that_are_demanded_can_be_missing():
    class Silent:
        """Says nothing."""

        __module__ = "ktviz.silent"

        def known(self, number):
            """A number."""

        def shown(self, number):
            """Another.

            Example:
                >>> Silent().shown(3)
            """

        def plain(self):
            """Nothing is given."""

    assert with_arguments(Silent) == {"known", "shown"}
    assert called(Silent) == {"shown"}


def ours(kind):
    """The class and those that it is made of, as far as they are of ktviz."""
    return [base for base in kind.__mro__ if base.__module__.startswith("ktviz.")]


def function_of(value):
    """The function of a method, whatever its kind; None of something else."""
    function = getattr(value, "__func__", value)
    return function if inspect.isfunction(function) else None


def with_arguments(kind):
    """Public methods that take something, but for what other packages call, such as `forward`."""
    found = set()
    for base in ours(kind):
        for name, value in vars(base).items():
            function = function_of(value)
            if name.startswith("_") or function is None:
                continue
            given = [*inspect.signature(function).parameters][0 if isinstance(value, staticmethod) else 1 :]
            foreign = any(name in vars(other) for other in kind.__mro__ if other not in ours(kind))
            if given and not foreign:
                found.add(name)
    return found


def called(kind):
    """Methods that the examples of a class, of its methods and of what it is made of call by name."""
    texts = [base.__doc__ for base in ours(kind)]
    texts += [function.__doc__ for base in ours(kind) for function in map(function_of, vars(base).values()) if function]
    examples = [example for text in texts for example in doctest.DocTestParser().get_examples(text or "")]
    nodes = [node for example in examples for node in ast.walk(ast.parse(example.source))]
    return {node.func.attr for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}


FUNCTIONS = {name: getattr(kt, name) for name in PUBLIC if inspect.isfunction(getattr(kt, name))}
FUNCTIONS |= {f"{name}.{method}": vars(KINDS[name])[method] for name, method in METHODS if not method.startswith("_")}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_describes_its_arguments(name):
    function = FUNCTIONS[name]
    text = inspect.getdoc(function) or ""
    stated = [one for one in inspect.signature(function).parameters if one not in ("self", "_")]
    assert "Args:" in text or len(stated) <= 1 or all(f"`{one}`" in text for one in stated)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_code_in_docstrings_is_shown_as_code(path):
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        text = (ast.get_docstring(node) or "") if isinstance(node, kinds) else ""
        for before in re.findall(r"(?m)^(\S.*)\n\n {4}\S", text):
            assert before.endswith("::"), before


@pytest.mark.parametrize("name", PUBLIC)
def test_the_first_line_of_a_public_name_is_one_sentence(name):
    line = first_line(getattr(kt, name))
    assert line[-1] in ".?"
    assert not re.search(r"[:?.]\.$|:$", line)
    assert not re.search(r"\w{3}\. [A-Z]", line)


def raised(function, kind=None):
    """Names of the errors of ktviz that a function raises itself, not through what it calls."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except OSError:  # what dataclasses write has no source
        return set()
    made = [node.exc for node in own_nodes(body) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    found = (error_of(call.func, function, kind) for call in made)
    return {error.__name__ for error in found if error is not None}


def own_nodes(node):
    """What a function consists of, without the functions in it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            yield child
            yield from own_nodes(child)


def error_of(callee, function, kind):
    """The error that is made by a call: of its class, or of a function that says that it gives one; None of others."""
    if isinstance(callee, ast.Name):
        made = inspect.unwrap(function).__globals__.get(callee.id)
    else:
        made = getattr(kind, callee.attr, None) or getattr(errors, callee.attr, None)
    if inspect.isfunction(made):
        made = vars(errors).get(str(made.__annotations__.get("return")))
    return made if inspect.isclass(made) and issubclass(made, kt.KtvizError) else None


def unsaid(function, texts, kind=None):
    """Errors that a function raises, and that no section `Raises:` of docstrings names, by their class or a base."""
    said = " ".join((text or "").partition("Raises:")[2].partition("Example:")[0] for text in texts)
    return {
        name
        for name in raised(function, kind)
        if not any(
            base.__name__ in said for base in getattr(errors, name).__mro__ if base.__module__ == errors.__name__
        )
    }


def unsaid_of(kind):
    """By method of a class, the errors that are not told; of its making, the class tells."""
    found = {}
    for base in ours(kind):
        for name, value in vars(base).items():
            function = function_of(getattr(value, "fget", None) or getattr(value, "func", None) or value)
            if function is None or (name.startswith("_") and not name.endswith("__")):
                continue
            made = name in ("__init__", "__post_init__", "__new__")
            texts = [one.__doc__ for one in kind.__mro__] if made else [function.__doc__]
            if missing := unsaid(function, texts, kind):
                found[f"{base.__name__}.{name}"] = sorted(missing)
    return found


@pytest.mark.parametrize("name", PUBLIC)
def test_errors_that_a_public_name_raises_are_told(name):
    value = getattr(kt, name)
    if inspect.isfunction(value):
        assert unsaid(value, [value.__doc__]) == set()
    else:
        assert unsaid_of(value if inspect.isclass(value) else type(value)) == {}


def test_errors_that_are_not_told_are_found():
    class Sudden:
        """Says nothing."""

        __module__ = "ktviz.sudden"

        def __init__(self):
            raise errors.LibraryError("a", "b", "c")

        def told(self):
            """One.

            Raises:
                LibraryError: Always.
            """
            raise MissingLibraryError("a", "b", "c")

        def untold(self):
            """Another; raises UnknownNameError."""
            raise unknown_name("a", "b", ["c"])

        def handed(self):
            """What another would raise."""

            def inner():
                raise MissingLibraryError("a", "b", "c")

            return inner

    assert unsaid_of(Sudden) == {"Sudden.__init__": ["LibraryError"], "Sudden.untold": ["UnknownNameError"]}


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if "." in name])
def test_methods_of_public_objects_say_what_they_raise_and_are_shown(name):
    text = inspect.getdoc(FUNCTIONS[name]) or ""
    assert "Raises:" in text
    assert ">>> " in text
