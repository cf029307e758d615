"""A folder that only one workbench knows, and that goes with it."""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
import zipfile
from pathlib import Path
from typing import Any


class PrivateFolder:
    """A folder that nobody else may read, removed when its owner goes, or the process ends.

    Args:
        owner: Whose it is.
    """

    def __init__(self, owner: Any) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="ktviz-workbench-"))  # for this user alone, by a name drawn at random
        self._finalizer = weakref.finalize(owner, shutil.rmtree, self.path, True)

    def remove(self) -> None:
        """Remove it now."""
        self._finalizer()

    def new(self, name: str) -> Path:
        """A path in it that is not taken yet, called after something.

        Example:
            >>> class Owner: ...
            >>> owner = Owner()
            >>> PrivateFolder(owner).new("My audit!").name
            'my-audit'
        """
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "file"
        taken = [plain, *(f"{plain}-{number}" for number in range(2, 1000))]
        return next(path for name in taken if not (path := self.path / name).exists())

    def zipped(self, folder: Path) -> bytes:
        """A folder as the bytes of a zip, with its own name before all paths."""
        target = self.path / f"{folder.name}.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder.parent))
        data = target.read_bytes()
        target.unlink()
        return data
