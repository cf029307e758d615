"""`ktviz doctor`: is everything here that ktviz needs?"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import typer

from ktviz import __version__
from ktviz.cli.console import Json, Quiet, print_json, print_table
from ktviz.cli.making.registry import MAKINGS
from ktviz.errors import KtvizError, SettingError
from ktviz.files import cache_folder, caching

PACKAGES = (
    "torch",
    "numpy",
    "pandas",
    "pyarrow",
    "numba",
    "safetensors",
    "pillow",
    "matplotlib",
    "plotly",
    "ipywidgets",
    "anywidget",
    "typer",
    "rich",
    "tqdm",
    "platformdirs",
    "filelock",
    "cryptography",
    "securesystemslib",
)


def doctor(as_json: Json = False, quiet: Quiet = False) -> None:
    """Show versions, weights, devices and write access; exit with 1 if something is missing."""
    findings = [
        check("ktviz", lambda: f"{__version__}, Python {platform.python_version()}, {platform.platform()}"),
        *(check(name, partial(metadata.version, name)) for name in PACKAGES),
        *(check(f"weights of {system}", partial(weights, system)) for system in MAKINGS),
        check("sample data", sample_data),
        check("cache folder", cache),
        check("working folder", working_folder),
        check("notebook views", notebook_views),
        check("processors", lambda: f"{os.cpu_count()} cores, {cuda()}"),
    ]
    if as_json:
        print_json(findings)
    elif not quiet:
        rows = [["ok" if f["ok"] else "MISSING", f["what"], f["found"]] for f in findings]
        print_table("", ["", "what", "found"], rows)
    if not all(f["ok"] for f in findings):
        raise typer.Exit(1)


def check(what: str, look: Callable[[], str]) -> dict[str, Any]:
    """One finding; whatever goes wrong is the finding."""
    try:
        return {"what": what, "ok": True, "found": look()}
    except metadata.PackageNotFoundError:
        return {"what": what, "ok": False, "found": "not installed; install ktviz again"}
    except KtvizError as error:
        return {"what": what, "ok": False, "found": str(error)}
    except Exception as error:  # a doctor examines; it does not die of the illness
        return {"what": what, "ok": False, "found": f"{type(error).__name__}: {error}"}


def weights(system: str) -> str:
    """Those that come with a system."""
    from ktviz.systems.registry import packaged

    known = packaged(system)
    files = [known.path(name) for name in known.sha256]
    return f"{len(files)} files, as they were packaged" if files else "none come with this version"


def sample_data() -> str:
    from ktviz import samples

    return str(samples.folder())


def notebook_views() -> str:
    """Live views need anywidget where JupyterLab runs, which may be another environment than the kernel's."""
    try:
        lab = metadata.version("jupyterlab")
    except metadata.PackageNotFoundError:
        return "no JupyterLab here; where it runs, install anywidget, too"
    folder = Path(sys.prefix) / "share" / "jupyter" / "labextensions"
    missing = [name for name in ("anywidget", "@jupyter-widgets/jupyterlab-manager") if not (folder / name).is_dir()]
    if missing:
        raise SettingError(f"JupyterLab {lab}", f"no extension {', '.join(missing)}", "Install anywidget beside it")
    return f"JupyterLab {lab}, with the extensions of anywidget {metadata.version('anywidget')} and ipywidgets"


def cache() -> str:
    with caching():
        cache_folder().mkdir(parents=True, exist_ok=True)
        return writable(cache_folder())


def working_folder() -> str:
    return writable(Path.cwd())


def writable(folder: Path) -> str:
    with tempfile.TemporaryFile(dir=folder):
        return f"{folder} (writable, {shutil.disk_usage(folder).free / 1e9:.0f} GB free)"


def cuda() -> str:
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no CUDA device"
