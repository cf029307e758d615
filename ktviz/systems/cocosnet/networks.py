"""The two networks of CoCosNet: from a label map and an exemplar to descriptors, and from the warp to a picture."""

from __future__ import annotations

import os
from pathlib import Path

from torch import nn

from ktviz.errors import MissingWeightsError
from ktviz.networks.weights import as_path, load_weights, module_digest, read_together, save_together, text_digest
from ktviz.systems.blocks.checkpoint import load_published
from ktviz.systems.blocks.spectral import without_spectral_norm
from ktviz.systems.cocosnet.configuration import Configuration, named
from ktviz.systems.cocosnet.correspondence import Correspondence
from ktviz.systems.cocosnet.generator import Generator
from ktviz.systems.cocosnet.packaged import WEIGHTS

PARTS = ("correspondence", "generator")
PUBLISHED_NAMES = {
    "correspondence": ("latest_net_netCorr_ema.pth", "latest_net_Corr.pth"),
    "generator": ("latest_net_G_ema.pth", "latest_net_G.pth"),
}
"""What the authors call the latest files of a training; first of averaged weights, which not every one has."""


class Networks(nn.Module):
    """Both networks of a configuration; random until they are trained or loaded.

    Example:
        >>> from ktviz.labels import Classes
        >>> from ktviz.systems.cocosnet.configuration import small
        >>> networks = Networks(small(Classes.numbered(19)))
        >>> sum(weight.numel() for weight in networks.parameters()) < 3_000_000
        True
    """

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self.configuration = configuration
        condition = configuration.planes + 3
        self.correspondence = Correspondence(configuration.shape)
        self.generator = Generator(condition, configuration.width, configuration.hidden, configuration.attention)

    @classmethod
    def shipped(cls) -> Networks:
        """Those that come with the package.

        Raises:
            MissingWeightsError: None come with this version.
            WeightsError: They are not the files that were packaged.
        """
        return cls.load(WEIGHTS.checked("cocosnet"))

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Networks:
        """From a folder that `save` wrote.

        Raises:
            WeightsError: A file is missing, damaged, of another layout or of another training, or holds NaN.
        """
        correspondence, generator = (as_path(folder) / f"{part}.safetensors" for part in PARTS)
        stated = read_together(correspondence, generator).get("configuration", "")
        configuration = Configuration.from_json(stated, f"weights {os.fspath(correspondence)!r}")
        networks = without_spectral_norm(cls(configuration))
        load_weights(networks.correspondence, correspondence)
        load_weights(networks.generator, generator)
        return networks.eval().requires_grad_(False)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write correspondence.safetensors and generator.safetensors, in float16, with their configuration, and without
        the spectral norms of a training.

        Raises:
            WeightsError: No path.
            StorageError: The disk refuses.
        """
        about, plain = {"configuration": self.configuration.as_json()}, self.plain()
        save_together({as_path(folder) / f"{part}.safetensors": plain.get_submodule(part) for part in PARTS}, about)

    def digests(self) -> dict[str, str]:
        """Of both, and of their configuration: of equal weights, another one makes other pictures."""
        found = {part: module_digest(self.get_submodule(part)) for part in PARTS}
        return {**found, "configuration": text_digest(self.configuration.as_json())}

    def plain(self) -> Networks:
        """A copy without spectral norms."""
        made, state = Networks(self.configuration), self.state_dict()
        if not any(name.endswith("weight_orig") for name in state):
            without_spectral_norm(made)
        made.load_state_dict(state)
        return without_spectral_norm(made)

    @classmethod
    def from_checkpoint(
        cls,
        path: str | os.PathLike[str],
        configuration: Configuration | str,
        generator: str | os.PathLike[str] | None = None,
    ) -> Networks:
        """From the authors' files, read without running pickled code.

        Args:
            path: The folder of a training, in which the latest files are looked for; or `..._net_Corr.pth`.
            configuration: What they were trained with; or the name of one of the published tasks, `PUBLISHED`.
            generator: `..._net_G.pth`, where `path` is a file.

        Raises:
            SettingError: No configuration.
            WeightsError: A file is missing or damaged, or of other networks: the first tensor that differs is named.
        """
        networks, correspondence = cls(named(configuration)), path
        if generator is None:
            correspondence, generator = (published_file(as_path(path), part) for part in PARTS)
        load_published(networks.correspondence, correspondence)
        load_published(networks.generator, generator)
        return networks.eval().requires_grad_(False)


def published_file(folder: Path, part: str) -> Path:
    """The file of a network in the folder of one of the authors' trainings: the latest, of averaged weights if any.

    Raises:
        MissingWeightsError: There is none.
    """
    names = PUBLISHED_NAMES[part]
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        asked = f"weights of the {part} in {str(folder)!r}"
        raise MissingWeightsError(asked, f"none of {', '.join(names)}", "Name both files")
    return found
