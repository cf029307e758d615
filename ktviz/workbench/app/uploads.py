"""Uploaded files, kept in the folder of a workbench."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ktviz.workbench.app.private import PrivateFolder

LONGEST = 100
"""Letters of a file's name."""


def kept(folder: PrivateFolder, uploaded: Iterable[Mapping[str, Any]]) -> list[Path]:
    """What came in one upload, as files of their own names in a new folder."""
    place = folder.new("upload")
    place.mkdir()
    paths = []
    for one in uploaded:
        path = place / plain_name(str(one["name"]))
        path.write_bytes(bytes(one["content"]))
        paths.append(path)
    return paths


def plain_name(name: str) -> str:
    """The name of a file alone, as any disk takes it, with what it ends in.

    Example:
        >>> plain_name("../../etc/a b.png"), plain_name("C:\\\\x\\\\y.jpg"), plain_name("..")
        ('a b.png', 'y.jpg', 'file')
    """
    last = name.replace("\\", "/").rpartition("/")[2].replace("\0", "").strip()
    stem, dot, ending = last.rpartition(".")
    short = f"{stem[:LONGEST]}{dot}{ending[:10]}" if stem else ending[:LONGEST]
    return short if short.strip(".") else "file"
