"""A library of a person's own: uploaded pictures, with credits typed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from ipywidgets import HTML, Combobox, Dropdown, FileUpload, GridBox, Image, Layout, Text, VBox

from ktviz.errors import KtvizError, SettingError
from ktviz.images import encode_image, read_image, resize_short_side
from ktviz.library.credits import CreditRow, CreditsTable
from ktviz.library.library import Library
from ktviz.licences import UNKNOWN
from ktviz.retrieval.credit import Credit
from ktviz.workbench.app.known import Known
from ktviz.workbench.app.private import PrivateFolder
from ktviz.workbench.app.saying import Saying
from ktviz.workbench.app.uploads import kept
from ktviz.workbench.app.working import Working

WIDE = Layout(width="auto")
SIDE_PX = 64
LICENCES = ("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "Public domain", "All rights reserved")
COLUMNS = tuple(one.name for one in fields(Credit))


class Building(VBox):
    """Build a bank from uploaded pictures.

    Args:
        folder: Where uploads, and the library, are kept.
        known: Systems, by name.
        built: Called with the library when a bank is there.
    """

    def __init__(self, folder: PrivateFolder, known: dict[str, Known], built: Callable[[Library], None]) -> None:
        self.folder, self.known, self.built = folder, known, built
        self.paths: list[Path] = []
        self.credits: list[dict[str, Text]] = []
        plain = [name for name, one in known.items() if one.of_photographs and one.bank_kind]
        self.name = Text("mine/works", description="Bank", placeholder="task/style", layout=WIDE)
        self.of_system = Dropdown(description="For", options=plain, layout=WIDE)
        self.upload = FileUpload(accept="image/*", multiple=True, description="Upload pictures", layout=WIDE)
        self.saying, self.table = Saying(), GridBox(layout=Layout(width="100%", overflow="auto"))
        self.working = Working("Build", self.build)
        self.upload.observe(lambda change: self._upload(change["new"]), "value")
        top = VBox([self.name, self.of_system, self.upload], layout=Layout(max_width="32em"))
        super().__init__([top, self.saying, self.table, self.working], layout=WIDE)
        self._draw()

    @property
    def library(self) -> Path:
        """Where it lies."""
        return self.folder.path / "my-library.ktlib"

    def build(self) -> None:
        """Build the bank, or add to it where it is there, in the background."""
        self.saying.clear()
        try:
            if not self.paths:
                raise SettingError("build a bank", "no pictures", "Upload some")
            table = self.credits_table()
        except KtvizError as error:
            self.saying.refuse(error)
            return
        name, system, paths = self.name.value.strip(), self.known[self.of_system.value], [*self.paths]

        def work() -> Library:
            library = Library.ensure(self.library)
            coder = system.coder()
            if name in library.manifest.banks:
                library.add(name, paths, credits=table, coder=coder, quiet=True)
            else:
                kind = system.bank_kind or "pictures"
                library.build(name, paths, kind=kind, credits=table, coder=coder, quiet=True)
            return library

        def done(library: Library) -> None:
            self.working.saying.say(f"{name} is built: choose it under Translate", "done")
            self.paths, self.credits = [], []
            self._draw()
            self.built(library)

        self.working.start(work, done, key=f"build {len(paths)}", shared=True)

    def credits_table(self) -> CreditsTable:
        """The credits as they were typed; what was left empty is unknown."""
        rows = []
        for number, (path, typed) in enumerate(zip(self.paths, self.credits, strict=True)):
            said = {name: box.value.strip() or UNKNOWN for name, box in typed.items()}
            rows.append(CreditRow(number + 1, str(path.absolute()), Credit(**said)))
        return CreditsTable(self.folder.path / "typed.csv", tuple(rows))

    def _upload(self, given: Any) -> None:
        if not given:
            return
        refused = []
        for path in kept(self.folder, given):
            try:
                read_image(path)
            except KtvizError as error:
                refused.append(f"{path.name}: {error.found}")
                continue
            self.paths.append(path)
            self.credits.append(boxes(path))
        self.upload.value = ()
        self.saying.clear()
        if refused:
            self.saying.say(f"Not taken: {'; '.join(refused)}.", "wrong")
        self._draw()

    def _draw(self) -> None:
        """A row for each picture."""
        if not self.paths:
            self.table.children = [HTML("Every picture gets a row here, for its credits.")]
            self.table.layout.grid_template_columns = "1fr"
            return
        cells: list[Any] = [HTML(f"<b>{name}</b>") for name in ("", *COLUMNS)]
        for path, typed in zip(self.paths, self.credits, strict=True):
            small = encode_image(resize_short_side(read_image(path), SIDE_PX), "jpeg")
            cells += [Image(value=small, format="jpeg", layout=Layout(height=f"{SIDE_PX}px")), *typed.values()]
        self.table.layout.grid_template_columns = f"auto repeat({len(COLUMNS)}, minmax(8em, 1fr))"
        self.table.children = cells


def boxes(path: Path) -> dict[str, Text]:
    """Boxes for the credits of a picture; its title begins with the name of its file."""
    found = {name: Text(placeholder=name, layout=WIDE) for name in COLUMNS}
    found["title"].value = path.stem.replace("_", " ").replace("-", " ")
    found["licence"] = Combobox(options=LICENCES, placeholder="licence", ensure_option=False, layout=WIDE)
    return found
