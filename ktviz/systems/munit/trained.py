"""The generators of one training: pictures of two domains to contents and styles, and back."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from ktviz.errors import SettingError, WeightsError
from ktviz.networks.weights import as_path, fill, load_weights, module_digest, read_about, read_nested, save_weights
from ktviz.systems.blocks.checkpoint import checked_tensors
from ktviz.systems.munit.networks import Generator
from ktviz.systems.munit.packaged import WEIGHTS
from ktviz.systems.munit.shape import PUBLISHED, Shape
from ktviz.values import one_of, short

FILE = "generators.safetensors"
KEYS = ("a", "b")
"""Of both domains, in files."""


class Networks(nn.Module):
    """What takes pictures of two domains apart, and puts them together again.

    Args:
        shape: Sizes.
        domains: What the two are called.

    Raises:
        SettingError: Not two different names.

    Example:
        >>> networks = Networks(Shape(width=4, blocks=1, hidden=8), ("drawings", "photographs"))
        >>> networks.of("photographs").content(torch.zeros(1, 3, 32, 32)).shape
        torch.Size([1, 16, 8, 8])
    """

    def __init__(self, shape: Shape, domains: Sequence[str] = ("a", "b")) -> None:
        super().__init__()
        self.shape, self.domains = shape, two_names(domains)
        self.a, self.b = shape.generator(), shape.generator()
        self.eval().requires_grad_(False)

    def of(self, domain: str) -> Generator:
        """The networks of a domain.

        Raises:
            SettingError: There is no such domain.
        """
        one_of("a domain", domain, self.domains)
        return self.a if domain == self.domains[0] else self.b

    def other(self, domain: str) -> str:
        """The other domain."""
        one_of("a domain", domain, self.domains)
        return self.domains[1 if domain == self.domains[0] else 0]

    @classmethod
    def shipped(cls) -> Networks:
        """Those that come with the package.

        Raises:
            MissingWeightsError: None come with this version.
            WeightsError: They are not the file that was packaged.
        """
        return cls.load(WEIGHTS.checked("munit"))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Networks:
        """From a folder that `save` wrote.

        Raises:
            WeightsError: The file is missing, damaged, of another layout, or holds NaN.
        """
        path = as_path(folder) / FILE
        made = cls(*described(path))
        load_weights(made, path)
        return made

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write generators.safetensors: all networks, rounded to float16, with sizes and names of the domains.

        Raises:
            WeightsError: No path.
            StorageError: The disk refuses.
        """
        about = {"shape": json.dumps(asdict(self.shape)), "domains": json.dumps(self.domains)}
        save_weights(self, as_path(folder) / FILE, about)

    @classmethod
    def from_checkpoint(
        cls, path: str | os.PathLike[str], configuration: Shape | str = "edges2shoes", domains: Sequence[str] = KEYS
    ) -> Networks:
        """From a file of the authors' code, `gen_01000000.pt`, read without running pickled code.

        Args:
            path: The file.
            configuration: Sizes that it was trained with; or the name of one of the authors' experiments, `PUBLISHED`.
            domains: What its domains a and b are called.

        Raises:
            WeightsError: The file is missing, damaged, or of other sizes: the first tensor that differs is named.
            SettingError: There is no such experiment.
        """
        shape = configuration
        if not isinstance(shape, Shape):
            shape = PUBLISHED[one_of("an experiment", shape, PUBLISHED)]
        with torch.device("meta"):  # no time is spent on weights that are thrown away
            made = cls(shape, domains)
        made = made.to_empty(device="cpu")
        held = read_nested(path, KEYS)
        for key, network in zip(KEYS, (made.a, made.b), strict=True):
            fill(network, checked_tensors(network, held[key], path), path)
        return made

    def digests(self) -> dict[str, str]:
        """Of the networks of both domains, and what these are called."""
        networks = {
            f"networks {key}": module_digest(self.of(name)) for key, name in zip(KEYS, self.domains, strict=True)
        }
        return {**networks, "domains": ", ".join(self.domains)}


def two_names(domains: Any) -> tuple[str, str]:
    """What two domains are called; SettingError for anything else than two different names."""
    several = isinstance(domains, (tuple, list)) and all(isinstance(name, str) and name for name in domains)
    if not several or len(domains) != 2 or domains[0] == domains[1]:
        raise SettingError(f"domains {short(domains)}", "not two names", "Give two, as ('drawings', 'photographs')")
    return domains[0], domains[1]


def described(path: str | os.PathLike[str]) -> tuple[Shape, tuple[str, str]]:
    """Sizes and names of the domains as a file states them.

    Raises:
        WeightsError: It states none, or such as no networks have.
    """
    about = read_about(path)
    try:
        return Shape(**json.loads(about["shape"])), two_names(json.loads(about["domains"]))
    except (LookupError, TypeError, ValueError):
        raise WeightsError(
            f"weights {os.fspath(path)!r}", "they do not state sizes and domains", "Give a file that `save` wrote"
        ) from None
