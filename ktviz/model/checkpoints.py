"""Weights on disk: safetensors in, checked; float16 on disk, float32 in memory."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ktviz.errors import MissingWeightsError, WeightsError
from ktviz.files import replacing

SHIPPED = Path(__file__).parent / "weights"


def shipped_weights(name: str) -> Path:
    """Path of a weight file that comes with the package."""
    return SHIPPED / name


def read_tensors(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """All tensors of a .safetensors file, or of a PyTorch state dict (loaded without running pickled code).

    Raises:
        WeightsError: Missing or damaged file.
    """
    path = Path(path)
    asked = f"weights {str(path)!r}"
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {name: value for name, value in state.items() if isinstance(value, Tensor)}
    except FileNotFoundError:
        raise MissingWeightsError(asked, "no such file", "Check the path, or run `ktviz doctor`") from None
    except (SafetensorError, OSError, RuntimeError, ValueError, EOFError, AttributeError, KeyError) as error:
        raise WeightsError(asked, f"damaged or not a checkpoint ({error})", "Fetch it again") from None
    except Exception as error:  # torch.load raises pickle.UnpicklingError and others on foreign files
        raise WeightsError(asked, f"not a plain state dict ({type(error).__name__})", "Save tensors only") from None


def load_weights(module: nn.Module, path: str | os.PathLike[str]) -> None:
    """Fill `module` from a file, as float32.

    Raises:
        WeightsError: Missing or damaged file, other names or shapes, or a value that is not finite.
    """
    tensors = {name: value.float() for name, value in read_tensors(path).items()}
    broken = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if broken:
        raise WeightsError(f"weights {str(path)!r}", f"NaN or infinity in {broken[0]}", "Train or fetch them again")
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip().rstrip(".")
        raise WeightsError(
            f"weights {str(path)!r}", f"of another architecture ({reason})", "Give weights made for this one"
        ) from None


def save_weights(module: nn.Module, path: Path, metadata: dict[str, str]) -> None:
    """Write a module's weights as float16 safetensors; the file appears whole or not at all."""
    tensors = {name: value.detach().cpu().half().contiguous() for name, value in module.state_dict().items()}
    with replacing(path) as temporary:
        # One value: safetensors writes several in random order, and a repeated run shall give the same bytes.
        save_file(tensors, temporary, metadata={"about": json.dumps(metadata, sort_keys=True)})


def module_digest(module: nn.Module) -> str:
    """SHA-256 over the layers of a module, and names, shapes and values of its tensors, as hex."""
    digest = hashlib.sha256(str(module).encode())
    for name, value in sorted(module.state_dict().items()):
        array = value.detach().cpu().contiguous().float().numpy()
        digest.update(f"{name}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
