"""With what is translated: a system, a library, its banks, and the picture among them whose look is taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import traitlets
from ipywidgets import Dropdown, Layout, SelectMultiple, VBox

from ktviz import samples
from ktviz.errors import SettingError
from ktviz.images import find_images
from ktviz.library.banks import Banks
from ktviz.library.library import Library
from ktviz.systems.material import Material
from ktviz.workbench.app.known import known_systems
from ktviz.workbench.app.saying import Saying

WIDE = Layout(width="auto")
ALL = "all of the banks"


class Shelf(Protocol):
    """Banks that can be chosen from."""

    title: str

    def kinds(self) -> dict[str, str]:
        """The kind of each bank, by its name."""
        ...

    def open(self, names: Sequence[str]) -> Banks[Any]:
        """Some of them as one."""
        ...

    def sources(self, name: str) -> list[str]:
        """What the sources of a bank are called."""
        ...


class SampleShelf:
    """The sample banks; one that was never used is built when it is first opened."""

    title = "sample banks"

    def kinds(self) -> dict[str, str]:
        """See `Shelf`."""
        return samples.banks()

    def open(self, names: Sequence[str]) -> Banks[Any]:
        """See `Shelf`."""
        kinds = self.kinds()
        if len(names) > 1 and {kinds[name] for name in names} == {"patches"}:
            return samples.library(names, quiet=True).select(names)
        if len(names) > 1:
            raise SettingError(f"banks {', '.join(names)}", "they lie in libraries of their own", "Choose one of them")
        return samples.bank(names[0], quiet=True)

    def sources(self, name: str) -> list[str]:
        """See `Shelf`."""
        place = samples.folder() / name
        photos = place / "photo"
        return sorted(path.stem for path in find_images(photos if photos.is_dir() else place).paths)


class LibraryShelf:
    """The banks of a library."""

    def __init__(self, library: Library) -> None:
        self.library, self.title = library, library.folder.name

    def kinds(self) -> dict[str, str]:
        """See `Shelf`."""
        return {name: self.library.record(name).kind for name in self.library}

    def open(self, names: Sequence[str]) -> Banks[Any]:
        """See `Shelf`."""
        return self.library.select(names)

    def sources(self, name: str) -> list[str]:
        """See `Shelf`."""
        return [source.name for source in self.library.bank(name).sources]


class Knowledge(VBox):
    """A system and its banks.

    Args:
        libraries: Besides the sample banks.

    Attributes:
        system: Name of the system.
        banks: Names of the banks.
        reference: Name of the picture whose look is taken, or `ALL`.
    """

    system = traitlets.Unicode()
    banks = traitlets.Tuple()
    reference = traitlets.Unicode(ALL)

    def __init__(self, libraries: Iterable[Library | str | Path] = ()) -> None:
        self.known = known_systems()
        self.shelves: dict[str, Shelf] = {}
        self.saying = Saying()
        first = next(name for name, one in self.known.items() if one.bank_kind == "patches")
        self.of_system = Dropdown(description="System", options=[*self.known], value=first, layout=WIDE)
        self.of_library = Dropdown(description="Library", layout=WIDE)
        self.of_banks = SelectMultiple(description="Banks", rows=5, layout=WIDE)
        self.of_reference = Dropdown(description="Reference", options=[ALL], value=ALL, layout=WIDE)
        super().__init__([self.of_system, self.of_library, self.of_banks, self.of_reference, self.saying], layout=WIDE)
        for name, control in (("system", self.of_system), ("banks", self.of_banks), ("reference", self.of_reference)):
            traitlets.link((control, "value"), (self, name))
        for library in libraries:
            self.add(library if isinstance(library, Library) else Library.open(library))
        self._shelve(SampleShelf(), chosen=not self.shelves)
        self.of_library.observe(lambda _: self._list_banks(), "value")
        self.observe(lambda _: self._list_banks(), "system")
        self.observe(lambda _: self._list_references(), "banks")
        self._list_banks()

    def add(self, library: Library) -> None:
        """Offer the banks of a library, and choose it."""
        self._shelve(LibraryShelf(library), chosen=True)

    def _shelve(self, shelf: Shelf, chosen: bool) -> None:
        again = self.of_library.value == shelf.title
        self.shelves[shelf.title] = shelf
        before = self.of_library.value
        self.of_library.options = [*self.shelves]
        self.of_library.value = shelf.title if chosen or before is None else before
        if again:
            self._list_banks()

    @property
    def shelf(self) -> Shelf:
        """The library that is chosen."""
        return self.shelves[self.of_library.value]

    def chosen(self) -> Material | Banks[Any]:
        """The banks that are chosen, or the picture of them.

        Raises:
            KtvizError: None is chosen, or they cannot be opened.
        """
        if not self.banks:
            raise SettingError(f"translate with {self.system}", "no bank is chosen", "Choose one, or build one")
        union = self.shelf.open(self.banks)
        return union if self.reference == ALL else Material.of_bank(union, self.reference)

    def _list_banks(self) -> None:
        """Those that the system takes."""
        system, kinds = self.known[self.system], self.shelf.kinds()
        fitting = [name for name, kind in kinds.items() if system.bank_kind in (None, kind) and self._fits(name)]
        keep = tuple(name for name in self.banks if name in fitting)
        self.of_banks.options = fitting
        self.of_banks.value = keep or tuple(fitting[:1])
        self.saying.clear()
        if not fitting:
            kind = system.bank_kind or "pictures"
            self.saying.say(
                f"{self.shelf.title} has no bank of {kind} for {self.system}. Build one, or choose another."
            )
        self._list_references()

    def _fits(self, bank: str) -> bool:
        """Whether a sample bank is one for this system, of which it knows enough."""
        takes = self.known[self.system].takes
        if not isinstance(self.shelf, SampleShelf):
            return True
        wanted = {"labels": "scene", "attributes": "portrait"}
        kinds = {wanted[part] for part in takes if part in wanted}
        kind, _ = samples.names_for(bank)
        return kind in kinds if kinds else kind in ("photo", "drawing")

    def _list_references(self) -> None:
        """The pictures of the banks; a system that takes one picture has one chosen."""
        names = [source for bank in self.banks for source in self.shelf.sources(bank)]
        one = self.known[self.system].bank_kind is None
        options = [*([] if one else [ALL]), *dict.fromkeys(names)] or [ALL]
        keep = self.reference if self.reference in options else options[0]
        self.of_reference.options = options
        self.of_reference.value = keep
