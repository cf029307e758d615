"""Extensions: what a system knows of its retrievals besides what all systems do, as columns of a trace."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pyarrow as pa

from ktviz.errors import SettingError
from ktviz.values import one_of

Of = Literal["query", "candidate", "winner"]
TYPES = {
    str(kind): kind
    for kind in (
        pa.bool_(),
        pa.int32(),
        pa.int64(),
        pa.float16(),
        pa.float32(),
        pa.list_(pa.float16(), 4),
        pa.list_(pa.float32(), 4),
        pa.list_(pa.int32()),
        pa.list_(pa.float32()),
    )
}
"""Types that a column may have, by their names."""
NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Extension:
    """A column that a site adds to a trace.

    Attributes:
        name: What `Matches.extensions` calls it; in the trace it carries the site's prefix, such as `kt.path`.
        type: Of its values. In lists of any length, -1 (of whole numbers) and -inf stand for nothing.
        unit: What the numbers are, in words.
        of: What has a value: every query, every candidate, or each query's winner alone.
        parts: What the four numbers of a list of fixed length are.

    Raises:
        SettingError: A name that is no plain word, or a type that no trace can hold.

    Example:
        >>> Extension("path", pa.list_(pa.int32()), "nodes from below the root to the leaf", "winner").name
        'path'
    """

    name: str
    type: pa.DataType
    unit: str = ""
    of: Of = "candidate"
    parts: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise SettingError(f"an extension {self.name!r}", "no plain word", "Use small letters, digits and _")
        if str(self.type) not in TYPES:
            raise SettingError(f"an extension of type {self.type}", "no trace holds it", f"Take one of {[*TYPES]}")
        fixed = pa.types.is_fixed_size_list(self.type)
        if len(self.parts) != (self.type.list_size if fixed else 0):
            raise SettingError(f"an extension of type {self.type}", f"{len(self.parts)} parts", "Name each number")
        one_of("an extension of", self.of, get_args(Of))

    def described(self) -> dict[str, Any]:
        """All of it, as JSON holds it."""
        return {
            "name": self.name,
            "type": str(self.type),
            "unit": self.unit,
            "of": self.of,
            "parts": [*self.parts],
        }
