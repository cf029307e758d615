"""A bench of three tiny systems, and ways to make others quickly."""

import pytest
from systems.munit.conftest import BANK, library_of
from tiny_systems import material, tiny

import ktviz as kt

NAMES = ("kt", "munit", "bridge")
CELLS = 8


@pytest.fixture(scope="package")
def found():
    systems = [tiny()[name] for name in NAMES]
    return kt.bench(
        material("input"), material("reference"), [*systems, "cocosnet"], cells=CELLS, runs=5, repeats=2, quiet=True
    )


@pytest.fixture(scope="package")
def folder(found, tmp_path_factory):
    place = tmp_path_factory.mktemp("bench") / "found"
    found.save(place)
    return place


@pytest.fixture
def quick():
    """`quick(input, reference, systems, **more)`: without what takes time."""
    return lambda *given, **more: kt.bench(*given, **{"runs": 0, "repeats": 0, "cells": 4, "quiet": True} | more)


@pytest.fixture(scope="package")
def munit_bank(tmp_path_factory, save, paint):
    """Styles of five pots, and the networks that they are of."""
    networks = tiny()["munit"].networks
    return library_of(tmp_path_factory.mktemp("pots"), networks, save, paint)[BANK], networks
