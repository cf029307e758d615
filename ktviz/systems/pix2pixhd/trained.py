"""Generator and encoder of one training, with the classes of its label maps: codes and maps in, pictures out, and back.

Sides need not be multiples of the networks' strides: what a network sees is continued to the right and below by its
last pixels, and what it makes is cut off there again. That adds no object, and no edge where there is none.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ktviz.errors import MismatchError, SettingError, WeightsError
from ktviz.images import Pixels, to_tensor
from ktviz.labels import Classes, class_of
from ktviz.labels.maps import Map
from ktviz.networks.running import check_defaults, check_finite, run
from ktviz.networks.threads import threads_for
from ktviz.networks.weights import (
    as_path,
    load_weights,
    module_digest,
    read_about,
    read_together,
    save_together,
    text_digest,
)
from ktviz.systems.blocks.checkpoint import load_published
from ktviz.systems.blocks.hourglass import Hourglass
from ktviz.systems.blocks.margins import missing, widened
from ktviz.systems.blocks.planes import one_hot
from ktviz.systems.pix2pixhd.objects import told_apart
from ktviz.systems.pix2pixhd.packaged import WEIGHTS
from ktviz.systems.pix2pixhd.planes import edges, region_means
from ktviz.systems.pix2pixhd.shape import Shape, named

GENERATOR, ENCODER = "generator.safetensors", "encoder.safetensors"
PUBLISHED_GENERATOR, PUBLISHED_ENCODER = "latest_net_G.pth", "latest_net_E.pth"
ENCODER_NEEDED = "Take a training with codes, and name its encoder's file: encoder="
ENTRY, STEP = 4, 3
"""Modules of an hourglass before its first step down, and of each step."""
FINE_CELL_PX, FINE_CELLS = 4, 4
"""Least side of the cells by which threads share a picture, and how many of them a side of the coarsest cells is."""


class Networks(nn.Module):
    """What makes pictures of label maps, and codes of photographs.

    Args:
        shape: Sizes.
        classes: As many as the shape says.
        generator: From planes to a picture; an untrained one if None.
        encoder: From a photograph to codes; an untrained one if None and the shape has codes.

    Raises:
        SettingError: More or fewer classes.

    Example:
        >>> networks = Networks(Shape(classes=4, codes=3, width=4, downs=2, blocks=1, encoder_width=4, encoder_downs=2))
        >>> instances = np.repeat([[1, 2000]], 24, axis=0).repeat(12, axis=1)
        >>> networks.paint(instances, torch.zeros(2, 3)).shape
        torch.Size([3, 24, 24])
    """

    def __init__(
        self,
        shape: Shape,
        classes: Classes | None = None,
        generator: nn.Module | None = None,
        encoder: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.shape = shape
        self.classes = Classes.numbered(shape.classes) if classes is None else classes
        if len(self.classes) != shape.classes:
            raise SettingError(
                f"networks for {shape.classes} classes",
                f"a list of {len(self.classes)}",
                "Give the list of the training",
            )
        self.generator: nn.Module = shape.generator() if generator is None else generator
        self.encoder: nn.Module | None = encoder if encoder is not None or not shape.codes else shape.encoder()
        self.eval().requires_grad_(False)

    @classmethod
    def shipped(cls) -> Networks:
        """Those that come with the package.

        Raises:
            MissingWeightsError: None come with this version.
            WeightsError: They are not the files that were packaged.
        """
        return cls.load(WEIGHTS.checked("pix2pixhd"))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Networks:
        """From a folder that `save` wrote.

        Raises:
            WeightsError: A file is missing, damaged, of another layout or of another training, or holds NaN.
        """
        generator, encoder = (as_path(folder) / name for name in (GENERATOR, ENCODER))
        made = cls(*described(read_about(generator), generator))
        load_weights(made.generator, generator)
        if made.encoder is not None:
            read_together(generator, encoder)
            load_weights(made.encoder, encoder)
        return made

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write both networks, rounded to float16, with sizes and classes.

        Raises:
            MismatchError: The encoder was left out: what is written could not be read again.
            WeightsError: No path.
            StorageError: The disk refuses.
        """
        if self.shape.codes and self.encoder is None:
            raise MismatchError("save networks", "their encoder was left out", ENCODER_NEEDED)
        parts = {GENERATOR: self.generator, **({} if self.encoder is None else {ENCODER: self.encoder})}
        save_together({as_path(folder) / name: part for name, part in parts.items()}, self.about)

    @classmethod
    def from_checkpoint(
        cls,
        path: str | os.PathLike[str],
        configuration: Shape | str,
        classes: Classes | None = None,
        encoder: str | os.PathLike[str] | None = None,
        *,
        encodes: bool = True,
    ) -> Networks:
        """From the files of the authors' code, read without running pickled code.

        Args:
            path: The folder of a training, with `latest_net_G.pth` and `latest_net_E.pth`; or the generator's file.
            configuration: Sizes that it was trained with; or the name of one of the authors' experiments, `PUBLISHED`.
            classes: Names of the classes, if not "class 0" and so on.
            encoder: The encoder's file, where it lies elsewhere: with `--load_features` (1024p) training writes none,
                and it is that of the experiment that made the features.
            encodes: Whether an encoder is needed. Without, one whose file is not there is left out.

        Raises:
            SettingError: No configuration, or more or fewer classes than it has.
            WeightsError: A file is missing, damaged, or of other sizes: the first tensor that differs is named.
        """
        shape, path = named(configuration), as_path(path)
        beside = (path if path.is_dir() else path.parent) / PUBLISHED_ENCODER
        left_out = not encodes and encoder is None and not beside.exists()
        with torch.device("meta"):  # no time is spent on weights that are thrown away
            networks = [shape.generator(), *([shape.encoder()] if shape.codes else [])]
        made = cls(shape, classes, *(network.to_empty(device="cpu") for network in networks))
        load_published(made.generator, path / PUBLISHED_GENERATOR if path.is_dir() else path)
        if left_out:
            made.encoder = None
        elif made.encoder is not None:
            load_published(made.encoder, beside if encoder is None else encoder)
        return made

    @property
    def about(self) -> dict[str, str]:
        """Sizes and classes, as a file of weights states them."""
        classes = {"names": self.classes.names, "colours": self.classes.colours}
        return {"shape": json.dumps(asdict(self.shape)), "classes": json.dumps(classes)}

    def digests(self) -> dict[str, str]:
        """Of both networks, and of sizes and classes: of equal weights, other ones make other pictures."""
        encoder = {} if self.encoder is None else {"encoder": module_digest(self.encoder)}
        configuration = text_digest(json.dumps(self.about, sort_keys=True))
        return {"generator": module_digest(self.generator), **encoder, "configuration": configuration}

    def paint(self, instances: Map, codes: Tensor) -> Tensor:
        """A picture of a label map: (3, H, W) in [0, 1], with a derivative by the codes.

        Args:
            instances: (H, W), the number of an object at every pixel.
            codes: (n, codes), one for each object, in the order of their numbers.

        Raises:
            SettingError: PyTorch's default type is not float32, or its default device not the CPU.
            WeightsError: The generator made NaN.
        """
        check_defaults()
        height, width = instances.shape
        wide = np.pad(instances, [(0, more) for more in missing(height, width, self.shape.stride)], mode="edge")
        place = torch.from_numpy(told_apart(wide)[1])
        planes = self.planes(torch.from_numpy(wide)[None, None])
        planes = torch.cat([planes, codes.float()[place].movedim(-1, 0)[None]], 1)
        picture = self.run(self.generator, planes)[0, :, :height, :width]
        check_finite(picture, "generator")
        return picture / 2 + 0.5

    def planes(self, instances: Tensor) -> Tensor:
        """What is where, as the generator reads it: (B, 1, H, W) numbers of objects to (B, planes, H, W)."""
        labels = class_of(instances)
        if self.shape.coloured:
            colours = torch.tensor(self.classes.colours) / 127.5 - 1
            known = colours[labels[:, 0]].movedim(-1, 1)
        else:
            known = one_hot(labels, self.shape.classes)
        return torch.cat([known, edges(instances)], 1) if self.shape.edges else known

    def encode(self, pixels: Pixels, instances: Map) -> Tensor:
        """Codes of the objects of a photograph, at all of their pixels: (codes, H, W).

        Raises:
            MismatchError: There is no encoder.
            WeightsError: The encoder made NaN.
        """
        if self.encoder is None:
            raise MismatchError("codes of a photograph", "these networks have no encoder", ENCODER_NEEDED)
        height, width = instances.shape
        image = widened(2 * to_tensor(pixels) - 1, self.shape.stride)
        with torch.no_grad():
            raw = self.run(self.encoder, image)[..., :height, :width]
        check_finite(raw, "encoder")
        return region_means(raw, torch.from_numpy(instances)[None, None])[0]

    def features(self, pixels: Pixels) -> Tensor:
        """What the encoder sees before it goes up again: (C, h, w), a cell for `feature_px` px a side."""
        image = widened(2 * to_tensor(pixels) - 1, self.shape.stride)
        if not isinstance(self.encoder, Hourglass):
            return image[0]
        with torch.no_grad():
            return self.run(self.encoder.model[: ENTRY + STEP * self.shape.encoder_downs], image)[0]

    def run(self, network: nn.Module, planes: Tensor) -> Tensor:
        """What one of the networks makes of planes (1, C, H, W), in multiples of the stride; on any number of threads.

        A thread has 64 of the coarsest cells at least, and 16,384 px: with fewer, convolutions share out their sums.
        """
        side = max(FINE_CELL_PX, self.shape.stride // FINE_CELLS)
        with threads_for(planes[0, 0].numel() // side**2):
            return run(network, planes)

    @property
    def feature_px(self) -> int:
        """Side of a cell of `features`."""
        return 1 << self.shape.encoder_downs if isinstance(self.encoder, Hourglass) else 1


def described(about: dict[str, Any], path: Path) -> tuple[Shape, Classes]:
    """Sizes and classes as a file states them.

    Raises:
        WeightsError: It states none.
    """
    try:
        sizes, classes = json.loads(about["shape"]), json.loads(about["classes"])
        return Shape(**sizes), Classes(classes["names"], classes["colours"])
    except (LookupError, TypeError, ValueError) as error:
        found = f"they do not state sizes and classes ({error})"
        raise WeightsError(f"weights {os.fspath(path)!r}", found, "Give a file that `save` wrote") from None
