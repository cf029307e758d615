"""Where exemplars come from: there is one, or each label map is given its own out of banks of pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from ktviz.errors import UnknownNameError
from ktviz.images import Pixels
from ktviz.labels.maps import Map
from ktviz.library.kinds.pictures.union import PictureUnion
from ktviz.names import ends_in
from ktviz.retrieval.catalogue import LIBRARY_SOURCE
from ktviz.systems.choice import Choice
from ktviz.systems.cocosnet.choice import Ranking
from ktviz.systems.cocosnet.configuration import Configuration
from ktviz.systems.cocosnet.exemplar import Exemplar, check_maps, labels_digest, of_bank
from ktviz.systems.cocosnet.settings import Settings
from ktviz.systems.left_out import LeftOut, of_banks, of_reference


class Exemplars(Protocol):
    """What exemplars a system has; `instead` says what takes the place of what is left out of them."""

    @property
    def instead(self) -> str: ...

    def __str__(self) -> str: ...

    def digests(self) -> dict[str, str]: ...

    def settled(self, settings: Settings, without: object) -> tuple[Settings, LeftOut]:
        """Settings with the exemplar's whole name, and what is left out; both checked."""
        ...

    def ranked(self, labels: Map, settings: Settings, gone: LeftOut) -> Choice | None:
        """The ranking from which the exemplar of a label map is taken; None where it is known without one."""
        ...

    def taken(self, settings: Settings, choice: Choice | None) -> Exemplar:
        """The exemplar of a run."""
        ...

    def named(self, name: str) -> Exemplar:
        """The exemplar of that whole name."""
        ...

    def numbered(self, number: int) -> str:
        """The whole name of the exemplar of that number."""
        ...

    def picture(self, name: str) -> Pixels | None:
        """Its pixels; None for a picture that is none of the exemplars."""
        ...

    def left(self, settings: Settings, gone: LeftOut) -> list[str]:
        """Whole names of those that a run could take."""
        ...


@dataclass(frozen=True)
class One:
    """One exemplar.

    Attributes:
        exemplar: It.
    """

    instead = "the exemplar's other cells, by the same softmax"

    exemplar: Exemplar

    def __str__(self) -> str:
        height, width = self.exemplar.size
        return f"{self.exemplar.name}, {width}x{height} px"

    def digests(self) -> dict[str, str]:
        """Of its pixels, and of its label map."""
        source = LIBRARY_SOURCE + self.exemplar.name
        found = {source: self.exemplar.digest}
        labels = self.exemplar.labels
        return found if labels is None else {**found, f"{source} labels": labels_digest(labels)}

    def settled(self, settings: Settings, without: object) -> tuple[Settings, LeftOut]:
        name = self.exemplar.name
        if settings.exemplar is not None and not ends_in(name, settings.exemplar):
            raise UnknownNameError(f"exemplar {settings.exemplar!r}", f"there is one, {name}", "Leave it out")
        return replace(settings, exemplar=None), of_reference(without, self.exemplar)

    def ranked(self, labels: Map, settings: Settings, gone: LeftOut) -> Choice | None:
        return None

    def taken(self, settings: Settings, choice: Choice | None) -> Exemplar:
        return self.exemplar

    def named(self, name: str) -> Exemplar:
        return self.exemplar

    def numbered(self, number: int) -> str:
        return self.exemplar.name

    def picture(self, name: str) -> Pixels | None:
        return self.exemplar.pixels if name == self.exemplar.name else None

    def left(self, settings: Settings, gone: LeftOut) -> list[str]:
        return [self.exemplar.name]


@dataclass(frozen=True)
class Several:
    """The pictures of banks: the one that is named, or the one most like the label map.

    Attributes:
        banks: That hold them.
        ranking: Of them.
        configuration: Of the networks.

    Raises:
        LabelError, LibraryError: As in `check_maps`.
    """

    instead = "of an exemplar the next in the ranking, of its cells the others, by the same softmax"

    banks: PictureUnion
    ranking: Ranking
    configuration: Configuration

    def __post_init__(self) -> None:
        check_maps(self.banks, self.configuration)

    def __str__(self) -> str:
        return f"{len(self.banks)} exemplars of {', '.join(self.banks.names)}"

    def digests(self) -> dict[str, str]:
        """Of the banks: which one is taken depends on all of them."""
        return self.banks.digests()

    def settled(self, settings: Settings, without: object) -> tuple[Settings, LeftOut]:
        if settings.exemplar is not None:
            settings = replace(settings, exemplar=self.banks.find_source(settings.exemplar))
        gone = of_banks(without, self.banks, settings.exemplar)
        if settings.exemplar in gone.pictures:
            asked, found = f"a run without {settings.exemplar}", "it is the exemplar that is asked for"
            raise UnknownNameError(asked, found, "Leave out exemplar= or without=")
        return settings, gone

    def ranked(self, labels: Map, settings: Settings, gone: LeftOut) -> Choice | None:
        if settings.exemplar is not None:
            return None
        return self.ranking.of(labels, {self.banks.source_numbers[name] for name in gone.pictures})

    def taken(self, settings: Settings, choice: Choice | None) -> Exemplar:
        if choice is None:
            return self.named(str(settings.exemplar))
        return of_bank(self.banks, int(choice.entry[0]), self.configuration, alone=False)

    def named(self, name: str) -> Exemplar:
        return of_bank(self.banks, self.banks.source_numbers[name], self.configuration, alone=False)

    def numbered(self, number: int) -> str:
        if not 0 <= number < len(self.banks):
            raise UnknownNameError(f"entry {number}", f"there are {len(self.banks):,} pictures", "Count from 0")
        return self.banks.source_names[number]

    def picture(self, name: str) -> Pixels | None:
        number = self.banks.source_numbers.get(name)
        return None if number is None else self.banks.picture(number)

    def left(self, settings: Settings, gone: LeftOut) -> list[str]:
        known = self.banks.source_names if settings.exemplar is None else [settings.exemplar]
        return [name for name in known if name not in gone.pictures]
