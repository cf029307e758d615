"""The networks of one training, with the names of its attributes and its table of noise."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from ktviz.errors import MissingWeightsError, SettingError, WeightsError
from ktviz.networks.weights import as_path, load_weights, module_digest, read_about, save_weights, text_digest
from ktviz.systems.bridge.configuration import Configuration, named
from ktviz.systems.bridge.losses import Makers
from ktviz.systems.bridge.packaged import WEIGHTS
from ktviz.systems.bridge.published import SCOPES, Arrays, table_of, whole_state_of
from ktviz.systems.bridge.shape import Shape
from ktviz.values import short, whole

FILE = "networks.safetensors"
MOST_ROWS = 2**24
"""Of a table of noise."""


class Networks(nn.Module):
    """What changes attributes of a picture.

    Args:
        shape: Sizes.
        attributes: Names, as many as the shape says.
        exclusive: Groups of attributes of which a picture has one at most, as colours of hair.
        rows: Of the table of noise: one for each picture of the training.

    Attributes:
        known_db: PSNR in dB at which pictures of the training come back at least, where nothing is to change; None
            where nobody says, and then networks take any picture.

    Raises:
        SettingError: More or fewer attributes, one twice, no names, a group of others, or no number of rows.

    Example:
        >>> shape = Shape(side=32, attributes=2, noise=4, width=4, downs=2, hidden=4, encoder_width=2, ups=2,
        ...     discriminator_width=4, discriminator_downs=2)
        >>> networks = Networks(shape, ("Hat", "Smile"))
        >>> networks.encoder(torch.zeros(1, 3, 32, 32), torch.tensor([[1.0, 0.0]])).shape
        torch.Size([1, 4, 16, 16])
    """

    table: Tensor
    known_db: float | None = None

    def __init__(
        self, shape: Shape, attributes: Sequence[str], exclusive: Sequence[Sequence[str]] = (), rows: int = 0
    ) -> None:
        super().__init__()
        # Whatever is no names is refused there.
        configuration = Configuration(shape, cast(Any, attributes), cast(Any, exclusive))
        check_rows(rows)
        self.shape, self.attributes, self.exclusive = shape, configuration.attributes, configuration.exclusive
        self.encoder, self.mapping, self.generator = shape.encoder(), shape.mapping(), shape.generator()
        self.register_buffer("table", torch.zeros(rows, shape.noise))
        self.eval().requires_grad_(False)

    @property
    def makers(self) -> Makers:
        """The three networks."""
        return Makers(self.encoder, self.mapping, self.generator)

    @classmethod
    def shipped(cls) -> Networks:
        """Those that come with the package.

        Raises:
            MissingWeightsError: None come with this version.
            WeightsError: They are not the file that was packaged.
        """
        return cls.load(WEIGHTS.checked("bridge"))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Networks:
        """From a folder that `save` wrote.

        Raises:
            WeightsError: The file is missing, damaged, of another layout, or holds NaN.
        """
        path = as_path(folder) / FILE
        stated, rows, known_db = described(path)
        made = cls(stated.shape, stated.attributes, stated.exclusive, rows)
        made.known_db = known_db
        load_weights(made, path)
        return made

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write networks.safetensors: all networks and the table, rounded to float16, with sizes and attributes.

        Raises:
            WeightsError: No path.
            StorageError: The disk refuses.
        """
        save_weights(self, as_path(folder) / FILE, self.about)

    @property
    def about(self) -> dict[str, str]:
        """Sizes and attributes, as a file of weights states them."""
        return {
            "shape": json.dumps(asdict(self.shape)),
            "attributes": json.dumps(self.attributes),
            "exclusive": json.dumps(self.exclusive),
            "rows": json.dumps(len(self.table)),
            **({} if self.known_db is None else {"known_db": json.dumps(round(self.known_db, 2))}),
        }

    @classmethod
    def from_checkpoint(
        cls, arrays: Arrays | str | os.PathLike[str], configuration: Configuration | str = "celeba_128"
    ) -> Networks:
        """From arrays under the variable names of the authors' code.

        Args:
            arrays: By name; or an .npz file of them.
            configuration: What they were trained for; or the name of the authors' experiment.

        Raises:
            SettingError: No configuration.
            WeightsError: The file is missing or damaged, or a variable is missing, has another shape, or does not hold
                finite numbers: the first one is named.
        """
        chosen, asked, held = named(configuration), "arrays of the authors", arrays
        if isinstance(held, (str, os.PathLike)):
            asked, held = f"weights {os.fspath(held)!r}", read_arrays(held)
        if not isinstance(held, Mapping):
            raise WeightsError(f"{asked}: {short(held)}", "no arrays by name", "Give them by name, or an .npz file")
        table = table_of(held, chosen.shape.noise, asked)
        made = cls(chosen.shape, chosen.attributes, chosen.exclusive, len(table))
        for part in ("encoder", "mapping", "generator"):
            network = made.get_submodule(part)
            network.load_state_dict(whole_state_of(network, SCOPES[part], held, asked))
        made.table.copy_(table)
        return made

    def digests(self) -> dict[str, str]:
        """Of networks and table, and of sizes and attributes: of equal weights, others make other pictures."""
        return {"networks": module_digest(self), "configuration": text_digest(json.dumps(self.about, sort_keys=True))}


def read_arrays(path: str | os.PathLike[str]) -> Arrays:
    """The arrays of an .npz file, without running pickled code.

    Raises:
        WeightsError: It is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file}
    except FileNotFoundError:
        raise MissingWeightsError(f"weights {os.fspath(path)!r}", "no such file", "Check the path") from None
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds
        raise WeightsError(
            f"weights {os.fspath(path)!r}", f"no archive of arrays ({type(error).__name__})", "Give an .npz file"
        ) from None


def check_rows(rows: Any) -> int:
    """A number of rows of a table of noise; SettingError for anything else."""
    if not 0 <= whole("rows", rows) <= MOST_ROWS:
        raise SettingError(f"rows {rows}", f"not from 0 to {MOST_ROWS:,}", "Give one for each picture of the training")
    return int(rows)


def described(path: str | os.PathLike[str]) -> tuple[Configuration, int, float | None]:
    """Sizes, attributes, rows, and how well pictures come back, if that is said, as a file states them.

    Raises:
        WeightsError: It states none, or such as no networks have.
    """
    about = read_about(path)
    try:
        parts = {name: json.loads(about[name]) for name in ("shape", "attributes", "exclusive", "rows")}
        stated = Configuration(Shape(**parts["shape"]), parts["attributes"], parts["exclusive"])
        known_db = json.loads(about["known_db"]) if "known_db" in about else None
        return stated, check_rows(parts["rows"]), None if known_db is None else float(known_db)
    except (LookupError, TypeError, ValueError):
        raise WeightsError(
            f"weights {os.fspath(path)!r}", "they do not state sizes and attributes", "Give a file that `save` wrote"
        ) from None
