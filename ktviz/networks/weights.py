"""Weights on disk: safetensors in, checked; float16 on disk, float32 in memory.

A damaged file gives other pixels and no error of its own. So files carry a digest of their tensors, those that come
with the package have to be the ones that were packaged, and PyTorch's archives are held to their checksums.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ktviz.errors import KtvizError, MissingWeightsError, WeightsError
from ktviz.files import replacing
from ktviz.images import file_digest
from ktviz.networks.running import check_defaults
from ktviz.values import short

LONGEST_REASON = 200
"""Letters of what PyTorch says of weights that do not fit."""


@dataclass(frozen=True)
class Packaged:
    """Weight files that come with the package.

    Attributes:
        folder: Where they lie.
        sha256: Of each, by its name.
    """

    folder: Path
    sha256: Mapping[str, str]

    def checked(self, system: str) -> Path:
        """The folder, in which every file is the one that was packaged.

        Args:
            system: Whose weights they are, for messages.

        Raises:
            MissingWeightsError: None come with this version.
            WeightsError: A file is missing, or not the one that was packaged.
        """
        if not self.sha256:
            todo = f"Train some: `ktviz train {system}`; or load the authors'"
            raise MissingWeightsError(f"weights of {system}", "none come with this version", todo)
        for name in self.sha256:
            self.path(name)
        return self.folder

    def path(self, name: str) -> Path:
        """Path of a file; its bytes are looked at once per process.

        Raises:
            MissingWeightsError: No such file comes with this version.
            WeightsError: It is missing, or not the file that was packaged.
        """
        if name not in self.sha256:
            asked = f"weights {str(self.folder / name)!r}"
            raise MissingWeightsError(asked, "none come with this version", "Train some, or load others")
        return checked(self.folder / name, self.sha256[name])


@cache
def checked(path: Path, sha256: str) -> Path:
    """A packaged file, if it is the one that was packaged."""
    asked, todo = f"weights {str(path)!r}", "Install ktviz again"
    if not path.is_file():
        raise WeightsError(asked, "no such file", todo)
    digest = file_digest(path)
    if digest != sha256:
        raise WeightsError(asked, f"not what was packaged (SHA-256 {digest[:12]}, not {sha256[:12]})", todo)
    return path


def as_path(given: object) -> Path:
    """Where weights are to be read or written, as a person says it.

    Raises:
        WeightsError: It is no path.
    """
    if not isinstance(given, (str, os.PathLike)):
        raise WeightsError(f"weights {short(given)}", "no path", "Say where they are")
    return Path(given)


def read_tensors(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """All tensors of a .safetensors file, or of a PyTorch state dict (loaded without running pickled code).

    Raises:
        WeightsError: No path, or a missing or damaged file.
    """
    return read_checkpoint(as_path(path))[0]


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], str | None]:
    """The tensors of a file, and the digest that it carries for them, checked; None if it carries none."""
    with reading(path):
        tensors, digest = read_safetensors(path) if path.suffix == ".safetensors" else (read_archive(path), None)
    if digest is not None and digest != tensors_digest(tensors):
        asked = f"weights {str(path)!r}"
        raise WeightsError(asked, "damaged: its tensors are not those of the digest in it", "Fetch it again")
    return tensors, digest


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise WeightsError for whatever goes wrong with a file meanwhile."""
    asked = f"weights {str(path)!r}"
    if path.exists() and not path.is_file():
        raise WeightsError(asked, "not a plain file", "Check the path")
    try:
        yield
    except KtvizError:
        raise
    except FileNotFoundError:
        raise MissingWeightsError(asked, "no such file", "Check the path, or run `ktviz doctor`") from None
    except (SafetensorError, OSError, RuntimeError, ValueError, EOFError, AttributeError, KeyError) as error:
        raise WeightsError(asked, f"damaged or not a checkpoint ({error})", "Fetch it again") from None
    except Exception as error:  # torch.load raises pickle.UnpicklingError and others on foreign files
        raise WeightsError(asked, f"not a plain state dict ({type(error).__name__})", "Save tensors only") from None


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], str | None]:
    """Tensors, and the digest that `save_weights` wrote beside them."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    return tensors, read_about(path).get("sha256")


def read_about(path: str | os.PathLike[str]) -> dict[str, str]:
    """What `save_weights` wrote beside the tensors of a .safetensors file; nothing in one of another program.

    Raises:
        WeightsError: No path, or a missing or damaged file.
    """
    path = as_path(path)
    asked = f"weights {os.fspath(path)!r}"
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
    except FileNotFoundError:
        raise MissingWeightsError(asked, "no such file", "Check the path, or run `ktviz doctor`") from None
    except (SafetensorError, OSError) as error:
        raise WeightsError(asked, f"damaged or not a checkpoint ({error})", "Fetch it again") from None
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in about.items()} if isinstance(about, dict) else {}


def read_archive(path: Path) -> dict[str, Tensor]:
    """The tensors of a state dict that `torch.save` wrote."""
    return only_tensors(read_pickle(path))


def only_tensors(state: Mapping[Any, Any]) -> dict[str, Tensor]:
    """What of a state dict is a tensor with a name."""
    return {name: value for name, value in state.items() if isinstance(name, str) and isinstance(value, Tensor)}


def read_pickle(path: Path) -> Any:
    """What `torch.save` wrote, of tensors and plain values alone."""
    check_archive(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def read_nested(path: str | os.PathLike[str], keys: Sequence[str]) -> dict[str, dict[str, Tensor]]:
    """Several state dicts that `torch.save` wrote into one file, under these keys.

    Raises:
        WeightsError: Missing or damaged file, or one without a state dict under each key.
    """
    path = Path(path)
    with reading(path):
        held = read_pickle(path)
        missing = [key for key in keys if not isinstance(held.get(key) if isinstance(held, dict) else None, Mapping)]
        if missing:
            asked = f"weights {str(path)!r}"
            raise WeightsError(asked, f"no state dict under {missing[0]!r}", f"Give a file with {', '.join(keys)}")
        return {key: only_tensors(held[key]) for key in keys}


def check_archive(path: Path) -> None:
    """Hold a file of `torch.save` to the checksums in it, which `torch.load` ignores.

    Raises:
        OSError: The file cannot be read, or a checksum is wrong.
    """
    if not zipfile.is_zipfile(path):  # the format before PyTorch 1.6 has none
        return
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except (zipfile.BadZipFile, NotImplementedError, zlib.error) as error:
        raise OSError(str(error)) from None
    if broken is not None:
        raise OSError(f"wrong checksum of {broken}")


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The tensors that `save_weights` wrote, as float32.

    Raises:
        WeightsError: No path, a missing or damaged file, one without a digest, or a value that is not finite.
    """
    asked = f"weights {str(path)!r}"
    tensors, digest = read_checkpoint(as_path(path))
    if digest is None:
        found = "no digest of its tensors in it, so damage would not be seen (from an older ktviz, or another program)"
        raise WeightsError(asked, found, "If you trust it, load the tensors yourself and write them with `save`")
    broken = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if broken:
        raise WeightsError(asked, f"NaN or infinity in {broken[0]}", "Train or fetch them again")
    return {name: value.float() for name, value in tensors.items()}


def fill(module: nn.Module, tensors: Mapping[str, Tensor], path: str | os.PathLike[str]) -> None:
    """Give a module the tensors that were read from `path`.

    Raises:
        WeightsError: Other names or shapes than the module has.
        SettingError: PyTorch's default type is not float32.
    """
    check_defaults()
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        reason = shorten(str(error).splitlines()[-1].strip().rstrip("."), LONGEST_REASON, placeholder=" ...")
        raise WeightsError(
            f"weights {str(path)!r}", f"of another architecture ({reason})", "Give weights made for this one"
        ) from None


def load_weights(module: nn.Module, path: str | os.PathLike[str]) -> None:
    """Fill `module` from a file that `save_weights` wrote, as float32.

    Raises:
        WeightsError: As in `read_weights`, or other names or shapes than the module has.
    """
    fill(module, read_weights(path), path)


def save_weights(module: nn.Module, path: str | os.PathLike[str], metadata: Mapping[str, str]) -> None:
    """Write a module's weights as float16 safetensors, with their digest; the file appears whole or not at all.

    Raises:
        WeightsError: No path.
        StorageError: The disk refuses.
    """
    path, tensors = as_path(path), halves(module)
    about = {**metadata, "sha256": tensors_digest(tensors)}
    with replacing(path) as temporary:
        # One value: safetensors writes several in random order, and a repeated run shall give the same bytes.
        save_file(tensors, temporary, metadata={"about": json.dumps(about, sort_keys=True)})


def save_together(networks: Mapping[Path, nn.Module], metadata: Mapping[str, str]) -> None:
    """`save_weights` for the networks of one training, by the paths of their files: each names all of them."""
    whole = together(tensors_digest(halves(network)) for network in networks.values())
    for path, network in networks.items():
        save_weights(network, path, {**metadata, "together": whole})


def read_together(*paths: str | os.PathLike[str]) -> dict[str, str]:
    """What the files of one training say besides their tensors; files that name no others are taken as they are.

    Raises:
        WeightsError: A file is missing or damaged, or they are of several trainings.
    """
    about = [read_about(path) for path in paths]
    said = [{name: value for name, value in one.items() if name != "sha256"} for one in about]
    whole = together(one.get("sha256", "") for one in about)
    if any(one != said[0] for one in said) or said[0].get("together", whole) != whole:
        names = " and ".join(repr(os.fspath(path)) for path in paths)
        raise WeightsError(f"weights {names}", "they are not of one training", "Give those that it wrote together")
    return said[0]


def together(digests: Iterable[str]) -> str:
    """A digest of several."""
    return text_digest(" ".join(sorted(digests)))


def halves(module: nn.Module) -> dict[str, Tensor]:
    """A module's weights as float16."""
    return {name: value.detach().cpu().half().contiguous() for name, value in module.state_dict().items()}


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes of tensors, as hex."""
    digest = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        digest.update(repr((name, str(value.dtype), tuple(value.shape))).encode())
        digest.update(value.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def module_digest(module: nn.Module, *, in_single: bool = False) -> str:
    """SHA-256 over the layers of a module, and names, shapes, precisions and values of its tensors, as hex.

    Args:
        module: With its weights.
        in_single: The digest that the module has in single precision, whatever it is in now.
    """
    digest = hashlib.sha256(str(module).encode())
    for name, value in sorted(module.state_dict().items()):
        value = value.detach().cpu()
        digest.update(f"{name}{tuple(value.shape)}".encode())
        if not in_single and of_another_precision(value):
            digest.update(str(value.dtype).encode())
        else:
            value = value.float()
        digest.update(value.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def of_another_precision(value: Tensor) -> bool:
    """Whether a tensor computes otherwise than in single precision."""
    return value.dtype != torch.float32 and (value.is_floating_point() or value.is_complex())


def text_digest(text: str) -> str:
    """SHA-256 of a text, as hex."""
    return hashlib.sha256(text.encode()).hexdigest()
