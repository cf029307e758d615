"""The networks of one training, with the names of its attributes and its table of noise."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor, nn

from ktviz.errors import MissingWeightsError, WeightsError
from ktviz.networks.weights import as_path, load_weights, module_digest, read_about, save_weights, text_digest
from ktviz.systems.blocks.checkpoint import checked_tensors
from ktviz.systems.bridge.configuration import Configuration, named
from ktviz.systems.bridge.losses import Makers
from ktviz.systems.bridge.packaged import WEIGHTS
from ktviz.systems.bridge.published import SCOPES, TABLE, Arrays, state_of
from ktviz.systems.bridge.shape import Shape

FILE = "networks.safetensors"


class Networks(nn.Module):
    """What changes attributes of a picture.

    Args:
        shape: Sizes.
        attributes: Names, as many as the shape says.
        exclusive: Groups of attributes of which a picture has one at most, as colours of hair.
        rows: Of the table of noise: one for each picture of the training.

    Raises:
        SettingError: More or fewer attributes, one twice, or a group of others.

    Example:
        >>> shape = Shape(side=32, attributes=2, noise=4, width=4, downs=2, hidden=4, encoder_width=2, ups=2,
        ...     discriminator_width=4, discriminator_downs=2)
        >>> networks = Networks(shape, ("Hat", "Smile"))
        >>> networks.encoder(torch.zeros(1, 3, 32, 32), torch.tensor([[1.0, 0.0]])).shape
        torch.Size([1, 4, 16, 16])
    """

    table: Tensor

    def __init__(
        self, shape: Shape, attributes: Sequence[str], exclusive: Sequence[Sequence[str]] = (), rows: int = 0
    ) -> None:
        super().__init__()
        configuration = Configuration(shape, tuple(attributes), tuple(tuple(group) for group in exclusive))
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
        made = cls(*described(path))
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
            WeightsError: The file is missing or damaged, or a variable is missing or has another shape: the first one.
        """
        chosen, asked, held = named(configuration), "arrays", arrays
        if isinstance(held, (str, os.PathLike)):
            asked, held = f"weights {os.fspath(held)!r}", read_arrays(held)
        table = held.get(TABLE)
        if table is not None and (table.ndim != 2 or table.shape[1] != chosen.shape.noise):
            found = f"{TABLE} has shape {[*table.shape]}, and noise has {chosen.shape.noise} numbers"
            raise WeightsError(asked, found, "Give those of one training")
        made = cls(chosen.shape, chosen.attributes, chosen.exclusive, 0 if table is None else len(table))
        for part in ("encoder", "mapping", "generator"):
            network = made.get_submodule(part)
            network.load_state_dict(checked_tensors(network, state_of(network, SCOPES[part], held), asked))
        if table is not None:
            made.table.copy_(torch.from_numpy(np.asarray(table)).float())
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


def described(path: str | os.PathLike[str]) -> tuple[Shape, list[str], list[list[str]], int]:
    """Sizes, attributes and rows as a file states them.

    Raises:
        WeightsError: It states none.
    """
    about = read_about(path)
    try:
        parts = {name: json.loads(about[name]) for name in ("shape", "attributes", "exclusive", "rows")}
        return Shape(**parts["shape"]), list(parts["attributes"]), list(parts["exclusive"]), int(parts["rows"])
    except (LookupError, TypeError, ValueError):
        raise WeightsError(
            f"weights {os.fspath(path)!r}", "they do not state sizes and attributes", "Give a file that `save` wrote"
        ) from None
