"""The knowledge library: a folder of banks that can be moved, mounted read-only, and edited safely."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from ktviz.engines.engine import THREADS, Engine, check_engine
from ktviz.errors import LibraryError, SourceWarning, UnknownNameError, unknown_name
from ktviz.files import listed
from ktviz.labels import Classes
from ktviz.library.attributes import AttributesTable, attributes_table
from ktviz.library.build import parts_of
from ktviz.library.check import check_bank
from ktviz.library.credits import CreditsTable
from ktviz.library.format import MANIFEST, BankRecord, LibrarySettings, Manifest
from ktviz.library.founding import check_new, check_settings, establish
from ktviz.library.intake import Paths, take_in, warn_of_twins
from ktviz.library.kinds.codes.coder import Coder
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.drift import Drift
from ktviz.library.kinds.patches.features import FeatureExtractor
from ktviz.library.kinds.patches.identity import check_encoder, identify, shipped_encoder
from ktviz.library.kinds.pictures.kept import KeptBank
from ktviz.library.kinds.preparer import Given, Preparer
from ktviz.library.kinds.registry import AnyKind, AnyUnion, load, preparer_of, united
from ktviz.library.layout import PATCHES
from ktviz.library.maps import map_folders
from ktviz.library.older import place_of
from ktviz.library.sources import SourceFile
from ktviz.library.usable import usable_sources
from ktviz.library.writer import Writer
from ktviz.printing import counted


class Library:
    """A library folder. Opening reads the manifest; a bank is checked against it and mapped at first use.

    Args:
        folder: `NAME.ktlib`.

    Raises:
        LibraryError: Missing, damaged, or of a newer format.

    Example:
        >>> [*world.library], len(world.library["toy/flat"])
        (['toy/flat'], 845)
        >>> library = kt.Library.open(world.library.folder)
        >>> library.check_encoder(CellMeans())
        >>> library.compare("toy/flat")
        >>> library.check("toy/flat")
        >>> library.select(["toy"]), library.bank("toy/flat").kind, library.record("toy/flat").entries
        (BankUnion(toy/flat; 5 sources, 845 entries), 'patches', 845)
        >>> new = kt.Library.create(pathlib.Path(tempfile.mkdtemp()) / "new.ktlib", CellMeans())
        >>> len(kt.Library.ensure(new.folder, CellMeans()))
        0
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._writer = Writer(self.folder)
        self._open: dict[str, AnyKind] = {}

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Library:
        """Open a library that exists."""
        return cls(folder)

    @classmethod
    def create(
        cls,
        folder: str | os.PathLike[str],
        encoder: FeatureExtractor | None = None,
        settings: LibrarySettings | None = None,
    ) -> Library:
        """Make an empty library.

        Args:
            folder: `NAME.ktlib`.
            encoder: What makes its features; the shipped encoder if None.
            settings: How its banks are made; None means the defaults.

        Raises:
            LibraryError: There is one already, or the folder holds something else.
        """
        if (Path(folder) / MANIFEST).exists():
            raise LibraryError(
                f"make the library {os.fspath(folder)!r}", "there is one", "Open it: Library.open, or Library.ensure"
            )
        return cls.ensure(folder, encoder, settings)

    @classmethod
    def ensure(
        cls,
        folder: str | os.PathLike[str],
        encoder: FeatureExtractor | None = None,
        settings: LibrarySettings | None = None,
    ) -> Library:
        """Open a library, or make an empty one where there is none.

        Args:
            folder: `NAME.ktlib`.
            encoder: What makes its features; the shipped encoder if None.
            settings: How its banks are made; None means the defaults, or those of the library that exists.

        Raises:
            LibraryError: There is one with another encoder or other settings, or the folder holds something else.
        """
        folder = Path(folder)
        encoder = shipped_encoder() if encoder is None else encoder
        identity = identify(encoder)
        establish(folder, identity, settings or LibrarySettings())
        library = cls(folder)
        if not len(library):
            library._writer.begin(identity, settings or library.settings)
        library.check_encoder(encoder)
        if settings is not None:
            check_settings(folder, library.settings, settings)
        return library

    def __repr__(self) -> str:
        entries = sum(record.entries for record in self.manifest.banks.values())
        held = f"{counted(len(self), 'bank')}, {counted(entries, 'entry', 'entries')}"
        return f"Library({str(self.folder)!r}, {held}, digest {self.digest[:12]})"

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import library_card, unless_refused

        return unless_refused(library_card, self)

    def __len__(self) -> int:
        return len(self.manifest.banks)

    @property
    def manifest(self) -> Manifest:
        """What `library.json` says."""
        return self._writer.manifest

    def __contains__(self, name: object) -> bool:
        """Whether there is a bank or a task of that name."""
        return any(name in (bank, bank.split("/")[0]) for bank in self)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.manifest.banks))

    @property
    def settings(self) -> LibrarySettings:
        """How its banks are made."""
        return self.manifest.settings

    @property
    def sources(self) -> pa.Table:
        """All sources of all banks, with their credits: source, bank, title, creator, year, licence, spdx, url, sha256,
        width, height."""
        return pa.Table.from_pylist([row for name in self for row in self[name].describe_sources()])

    @property
    def digest(self) -> str:
        """Equal for equal knowledge, wherever it lies."""
        return self.manifest.digest

    def __getitem__(self, name: str) -> AnyUnion:
        """A bank ("art/impasto"), or all banks of a task ("art")."""
        return self.select([name])

    def select(self, names: str | Iterable[str]) -> AnyUnion:
        """The union of banks and tasks, all of one kind.

        Raises:
            UnknownNameError: No such bank, or none at all; the message suggests the nearest, or says what there is.
            LibraryError: A bank's files are damaged, or the banks are of several kinds, coders or classes.
        """
        chosen: dict[str, None] = {}
        for name in map(str, listed(names)):
            hits = [bank for bank in self if bank == name or bank.split("/")[0] == name]
            if not hits:
                raise unknown_name("bank", name, self)
            chosen.update(dict.fromkeys(hits))
        if not chosen:
            raise UnknownNameError("select no bank", f"the library has {', '.join(self) or 'none'}", "Name one or more")
        return united([self.bank(name) for name in chosen], self.manifest)

    def bank(self, name: str) -> AnyKind:
        """One bank; errors as in `select`. What is read of its files is compared with their digests when it is first
        touched."""
        if name not in self._open:
            record = self.record(name)
            self._open[name] = load(place_of(name, self.folder, record))
        return self._open[name]

    def record(self, name: str) -> BankRecord:
        """What the manifest knows of a bank.

        Raises:
            UnknownNameError: There is none of that name.
        """
        if name not in self.manifest.banks:
            raise unknown_name("bank", name, self)
        return self.manifest.banks[name]

    def check_encoder(self, encoder: FeatureExtractor) -> None:
        """Refuse an encoder that did not make this library.

        Raises:
            LibraryError: Another encoder's features cannot be compared with these.
        """
        check_encoder(self.manifest.encoder, encoder, f"library {str(self.folder)!r}")

    def build(
        self,
        name: str,
        paths: Paths,
        *,
        kind: str = PATCHES,
        credits: str | os.PathLike[str] | CreditsTable | None = None,
        labels: str | os.PathLike[str] | None = None,
        instances: str | os.PathLike[str] | None = None,
        classes: str | os.PathLike[str] | Classes | None = None,
        attributes: str | os.PathLike[str] | AttributesTable | None = None,
        encoder: FeatureExtractor | None = None,
        coder: Coder | None = None,
        clusters: int | None = None,
        least_area: float | None = None,
        skip_bad: bool = False,
        engine: Engine = THREADS,
        quiet: bool = False,
    ) -> AnyUnion:
        """Make a new bank from images. Interrupted, it goes on where it was when called again.

        Args:
            name: "task/style", lower case.
            paths: Image files and folders (recursively).
            kind: "patches", which are searched; "pictures", which are kept whole, as references; or "codes", what a
                coder says of the objects of pictures.
            credits: CSV with file, title, creator, year, licence, url, or what `read_credits` made of it. Rows that
                match no file and files without a row are named in a `SourceWarning` before the work starts.
            labels: Folder of label maps, for pictures and codes: that of `a/b.jpg` is `a/b.png` there.
            instances: Folder of instance maps in the same way.
            classes: Of the label maps, or their CSV file; `classes.csv` beside them or in the folder above if None.
            attributes: CSV with `file` and a column of 0 and 1 for each, for pictures, or what `read_attributes` made.
            encoder: The library's encoder, for patches; the shipped one if None.
            coder: What makes codes.
            clusters: Centres of a class of codes, at most; 10 if None.
            least_area: Objects up to this area, in 32nds of their picture, are members of no centre; 0.5 if None.
            skip_bad: Leave out images that cannot be used and name them in a warning, instead of refusing all.
            engine: What works on many images: threads of this process, or a `Cluster`; the bank is the same.
            quiet: No progress bars.

        Returns:
            The bank, as `library[name]` gives it.

        Raises:
            LibraryError: The bank exists already, the encoder is another, or the coder reads other classes.
            ImageError: Nothing to read, or unusable images or maps, all of them named; the library stays as it was.
            CreditsError: The credits can be read in more than one way; the message names the lines.
            LabelError: A folder of maps, the list of classes, or the attributes are missing or something else.
            SettingError: A bank of that kind does not take what was given, or lacks something; or that is no engine.
            UnknownNameError: There is no such kind.
            ClusterError: The cluster has gone; the same call goes on from what it has finished.

        Example:
            >>> library.build("refs/animals", "photos/", kind="pictures", credits="credits.csv")  # doctest: +SKIP
            PictureUnion(refs/animals; 12 sources, 12 entries)
        """
        check_engine(engine)
        check_new(self.manifest, name, kind)
        maps, has = map_folders(labels, instances, classes), attributes_table(attributes)
        preparer = preparer_of(kind, Given(encoder, maps, has, coder, clusters, least_area), self.manifest, None)
        files = usable_sources(*take_in(paths, credits, (), maps, has), preparer.side_px, skip_bad, engine, quiet)
        return self._enter(name, None, files, preparer, engine, quiet)

    def add(
        self,
        name: str,
        paths: Paths,
        *,
        credits: str | os.PathLike[str] | CreditsTable | None = None,
        labels: str | os.PathLike[str] | None = None,
        instances: str | os.PathLike[str] | None = None,
        classes: str | os.PathLike[str] | Classes | None = None,
        attributes: str | os.PathLike[str] | AttributesTable | None = None,
        encoder: FeatureExtractor | None = None,
        coder: Coder | None = None,
        skip_bad: bool = False,
        engine: Engine = THREADS,
        quiet: bool = False,
    ) -> AnyUnion:
        """Add images to a bank; only they are worked on. Pictures it holds already are passed over.

        Arguments and errors are those of `build`; maps and attributes must be those that the bank holds, maps of the
        same classes, which are the bank's where none are given.

        Raises:
            UnknownNameError: No such bank.
            LibraryError: It is of an older format: `rebuild` first.
            LibraryBusyError, StorageError: Another process writes, or the disk is full; the bank stays as it was.

        Example:
            >>> library.add("art/impasto", "more/", credits="credits.csv")  # doctest: +SKIP
            BankUnion(art/impasto; 12 sources, 80,112 entries)
        """
        check_engine(engine)
        bank, record = self.bank(name), self.record(name)
        known = bank.classes if isinstance(bank, KeptBank) else None
        maps, has = map_folders(labels, instances, classes, known), attributes_table(attributes)
        preparer = preparer_of(record.kind, Given(encoder, maps, has, coder), self.manifest, bank)
        fresh = usable_sources(
            *take_in(paths, credits, bank.sources, maps, has), preparer.side_px, skip_bad, engine, quiet
        )
        return self._enter(name, bank, fresh, preparer, engine, quiet)

    def remove(self, name: str, sources: str | Sequence[str] = (), *, quiet: bool = False) -> list[str]:
        """Remove sources from a bank, or the whole bank if none is named (or left).

        The bytes go, too, also those of the same pictures that an interrupted build has left; with a whole bank go all
        that interrupted builds have left. A damaged bank can be removed as a whole. Where the same picture stays in
        another file, a `SourceWarning` names it.

        Args:
            name: Of the bank.
            sources: Names of sources, as in `BankUnion.find_source`.
            quiet: No progress bars.

        Returns:
            Whole names of the sources that were removed; empty for a whole bank.

        Raises:
            UnknownNameError: No such bank, or a name means no source, or several; nothing is removed.
            LibraryError, LibraryBusyError, StorageError: As in `add`.

        Example:
            >>> library.remove("art/impasto", "starry-river")  # doctest: +SKIP
            ['art/impasto/starry-river']
        """
        removed: dict[str, str] = {}
        with self._writer.held():
            self.record(name)
            union = self[name] if sources else None
            named = [] if union is None else [union.find_source(str(source)) for source in listed(sources)]
            if union is not None and len(set(named)) < len(union.sources):
                numbers = {union.source_numbers[source] for source in named}
                held = parts_of(union.banks[0])
                removed = {union.source_names[number]: union.sources[number].sha256 for number in sorted(numbers)}
                warn_of_twins(union.source_names, held, numbers)
                left = [part for number, part in enumerate(held) if number not in numbers]
                self._writer.keep(union.banks[0], left, set(removed.values()), quiet)
            else:
                self._writer.remove(name)
            self._open.pop(name, None)
        self._warn_of_drift(name)
        return list(removed) or sorted(set(named))

    def rebuild(self, name: str | None = None, *, engine: Engine = THREADS, quiet: bool = False) -> list[str]:
        """Make the tree of a bank of patches anew from what it holds now, or of all banks; nothing is encoded again.

        All files are compared with their digests first. A library of an older format becomes one of the newest.

        Args:
            name: Of the bank; all if None.
            engine: As in `build`.
            quiet: No progress bars.

        Returns:
            The banks that were made again.

        Raises:
            UnknownNameError: No such bank.
            LibraryError: A file is damaged, or one bank of a library of an older format is named: all become new ones.
            LibraryBusyError, StorageError: As in `add`.

        Example:
            >>> if library.drift("art/impasto").matters:  # doctest: +SKIP
            ...     library.rebuild("art/impasto")
            ['art/impasto']
        """
        check_engine(engine)
        if self._writer.older and name is not None:
            raise LibraryError(f"rebuild bank {name!r}", self._writer.older, "Rebuild all banks: name none")
        names = list(self) if name is None else [name]
        with self._writer.held(any_version=True):
            banks = {one: self.bank(one) for one in names}
            for bank in banks.values():
                check_bank(bank)
            self._writer.rebuild(banks, engine, quiet)
            self._open.clear()
        return names

    def check(self, name: str | None = None) -> None:
        """Compare every file of a bank, or of all banks, with its digest, and refuse what makes no sense.

        Raises:
            UnknownNameError: No such bank.
            LibraryError: A file is missing, was changed or was added, or does not fit the others; the message names it.
        """
        for one in [name] if name is not None else list(self):
            check_bank(self.bank(one))
            self._warn_of_drift(one)

    def compare(self, name: str) -> None:
        """Compare every file of a bank with its digest; errors as in `check`, which asks more."""
        place = self.bank(name).place
        place.compare_all(place.files())

    def drift(self, name: str) -> Drift | None:
        """How far a bank of patches has moved away from what its tree was made for; None for other kinds.

        Example:
            >>> world.library.drift("toy/flat").matters
            False
        """
        bank = self.bank(name)
        return bank.drift if isinstance(bank, Bank) else None

    def _enter(
        self,
        name: str,
        bank: AnyKind | None,
        files: Sequence[SourceFile],
        preparer: Preparer,
        engine: Engine,
        quiet: bool,
    ) -> AnyUnion:
        if files:
            self._writer.enter(name, bank, files, preparer, engine, quiet)
            self._open.pop(name, None)
            self._warn_of_drift(name, stacklevel=4)
        return self[name]

    def _warn_of_drift(self, name: str, stacklevel: int = 3) -> None:
        """Warn whoever called the public method, so many calls above."""
        drift = self.drift(name) if name in self.manifest.banks else None
        if drift is not None and drift.matters:
            remark = f"bank {name}: {drift}; `ktviz library rebuild` makes its tree anew"
            warnings.warn(remark, SourceWarning, stacklevel=stacklevel)
