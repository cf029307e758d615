"""Retrieval sites: the modules through which `Matches` pass, and what is needed to read them in any system.

A recorder listens at sites and nowhere else. It needs two things that a tensor of entry numbers does not say: where the
queries lie, and what the entries are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy.typing as npt
from torch import nn

from ktviz.printing import counted
from ktviz.retrieval.catalogue import Knowledge
from ktviz.retrieval.extension import Extension
from ktviz.retrieval.matches import Matches
from ktviz.retrieval.queries import Queries


@dataclass(frozen=True, repr=False)
class Reading:
    """The retrievals of one image at one site.

    Attributes:
        matches: Of N queries.
        queries: Where they lie.
        knowledge: What the entries are.

    Example:
        >>> [*kt.Reading.__dataclass_fields__]
        ['matches', 'queries', 'knowledge']
    """

    matches: Matches
    queries: Queries
    knowledge: Knowledge

    def __repr__(self) -> str:
        return f"Reading({self.matches!r}, {self.queries!r}, {counted(len(self.knowledge.source_names), 'source')})"


class RetrievalSite(nn.Module):
    """A module whose forward returns `Matches`; subclasses say how a call is read.

    Attributes:
        prefix: Of its extension columns in a trace: the system's name.
        extensions: What it adds to a trace.
        canvas: The picture in which its queries lie.
        output: The picture that its retrievals paint.
        direction: In words, where a system retrieves in several, such as "A to B'".
        scale_px: Side of a query's own part of the canvas in px, where they lie on a grid.
        paints: Whether the output is made of what it retrieves; otherwise it serves a site that comes later.
        optional: Whether it is told of only where it was asked something.
        searched: Whether its winners were searched for, so that an exact search may find better ones.
        causal: Whether the recorded candidates really fed the output, or are only its nearest explanation.

    Example:
        >>> sum(isinstance(module, kt.RetrievalSite) for module in world.translator.modules())
        2
    """

    prefix: str = ""
    extensions: Sequence[Extension] = ()
    canvas: str = "input"
    output: str = "output"
    direction: str = ""
    scale_px: float | None = None
    paints: bool = True
    optional: bool = False
    searched: bool = True
    causal: bool = True

    def read(self, inputs: tuple[Any, ...], output: Any) -> list[Reading]:
        """The retrievals of one call, one `Reading` per image.

        Example:
            >>> site, grid = world.translator.retrieval, world.translator.grid(64, 64)
            >>> given = world.translator.encode(photo), grid, kt.Settings()
            >>> [reading.queries for reading in site.read(given, site(*given))]
            [Queries(49 in 7 rows and 7 columns)]
        """
        raise NotImplementedError


@runtime_checkable
class Recordable(Protocol):
    """A model that tells itself what a recording of it holds; of others a recorder can only guess.

    `digests` are of its weights and its knowledge. `pictures` are all pictures of one run by name, "input" and "output"
    among them, (H, W, 3) uint8, and label maps as "labels:CANVAS"; `settings_of` is how that run was made, and
    `measures_of` what else is known of it, in numbers.

    Example:
        >>> made = world.translator(photo)
        >>> [*world.translator.pictures((photo,), made)], [*world.translator.digests()]
        (['input', 'output'], ['encoder', 'decoder', 'library bank toy/flat'])
        >>> world.translator.settings_of((photo,), made)["transfer"], world.translator.measures_of((photo,), made)
        ('statistics', {})
    """

    @property
    def name(self) -> str: ...

    def digests(self) -> Mapping[str, str]: ...

    def pictures(self, inputs: tuple[Any, ...], output: Any, /) -> Mapping[str, npt.NDArray[Any]]: ...

    def settings_of(self, inputs: tuple[Any, ...], output: Any, /) -> Mapping[str, Any]: ...

    def measures_of(self, inputs: tuple[Any, ...], output: Any, /) -> Mapping[str, Any]: ...
