"""The known answers that the front end is tested against are still Python's."""

from __future__ import annotations

import importlib.util
import json
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parent.parent / "web" / "test"
MOST_BYTES = 150_000
TOLERANCE = 2e-4
"""Other processors sum in another order."""
REMEDY = "make it again: .venv/bin/python web/test/make_fixture.py"


@pytest.fixture(scope="module")
def maker():
    """The script that makes the fixture."""
    spec = importlib.util.spec_from_file_location("make_fixture", FOLDER / "make_fixture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def stored():
    return json.loads((FOLDER / "fixture.json").read_text(encoding="utf-8"))


def unpacked(text):
    """What a container says, and its arrays."""
    packed = b64decode(text)
    start = 4 + int.from_bytes(packed[:4], "little")
    values = json.loads(packed[4:start])
    parts = values.pop("parts")
    arrays = {
        name: np.frombuffer(packed, part["type"], part["bytes"] // np.dtype(part["type"]).itemsize, start + part["at"])
        for name, part in parts.items()
    }
    return values, {name: (part["shape"], arrays[name].tolist()) for name, part in parts.items()}


def opened(value, name=""):
    """The fixture with its containers unpacked."""
    if isinstance(value, dict):
        return {key: opened(item, key) for key, item in value.items()}
    return unpacked(value) if name in ("scene", "store", "bytes") and isinstance(value, str) else value


def differences(found, expected, place="fixture"):
    """Where two values differ by more than rounding."""
    if isinstance(expected, dict):
        assert isinstance(found, dict)
        assert found.keys() == expected.keys(), place
        for key in expected:
            yield from differences(found[key], expected[key], f"{place}.{key}")
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected), place
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            yield from differences(one, other, f"{place}[{number}]")
    elif isinstance(expected, float) and isinstance(found, (int, float)):
        if not np.isclose(found, expected, atol=TOLERANCE, equal_nan=True):
            yield f"{place}: {found} instead of {expected}"
    elif found != expected:
        yield f"{place}: {found!r} instead of {expected!r}"


def test_the_fixture_of_the_front_end_is_what_python_says(maker, stored, tmp_path):
    made = json.loads(maker.as_json(maker.make(tmp_path)))
    found = list(differences(opened(made), opened(stored)))
    assert not found, "\n".join([REMEDY, *found[:10]])


def test_the_fixture_is_small():
    assert (FOLDER / "fixture.json").stat().st_size < MOST_BYTES
