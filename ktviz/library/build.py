"""Building a bank in stages: encode each source, drop look-alikes, cluster, write; each source's part can be reused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Condition, Lock

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm.auto import tqdm

from ktviz.errors import LibraryError
from ktviz.files import replacing
from ktviz.images import MIN_SIDE, Pixels, decode, file_digest, resize_short_side, to_tensor, write_image
from ktviz.library.format import BUILDING, BankRecord, LibrarySettings, features_path, record_files, thumb_path
from ktviz.library.kinds.patches.bank import Bank, load_bank, save_bank
from ktviz.library.kinds.patches.dedupe import survivors
from ktviz.library.kinds.patches.entries import Entries
from ktviz.library.kinds.patches.features import FeatureExtractor, encode
from ktviz.library.kinds.patches.grid import SIZE
from ktviz.library.kinds.patches.keys import compute_keys, fit_projection
from ktviz.library.kinds.patches.tree import choose_branching, fit_tree
from ktviz.library.sources import Source, SourceFile
from ktviz.networks.running import without_autocast
from ktviz.networks.threads import one_thread
from ktviz.retrieval.credit import Credit

WORKERS = 4
"""Sources worked on at a time, at most."""
PATCHES_AT_ONCE = 40_000
"""Patches de-duplicated at a time: two sources of 640x512 px, about 1 GB. A larger source waits to be alone."""


@dataclass(frozen=True)
class Part:
    """One source, encoded and thinned: all that a bank needs of it.

    Attributes:
        source: What is known of it.
        features: Its feature map, with the positions that survived.
        thumb: The picture the encoder saw.
    """

    source: Source
    features: Path
    thumb: Path


def prepare_parts(
    library: Path,
    files: Sequence[SourceFile],
    encoder: FeatureExtractor,
    encoder_digest: str,
    settings: LibrarySettings,
    quiet: bool,
) -> list[Part]:
    """Encode sources into `building/`, some at a time; what an interrupted build has finished is used again.

    Each source is worked on by one thread alone, so that its part does not depend on how many there are.
    """
    made_with = json.dumps([encoder_digest, settings.side_px, settings.stride, settings.dedupe])
    folder = library / BUILDING / hashlib.sha256(made_with.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    workers = min(torch.get_num_threads(), WORKERS, len(files))
    turn = Lock()  # an encoder need not be safe to call from several threads
    room = Room(PATCHES_AT_ONCE)

    def prepare(file: SourceFile) -> Part:
        return prepare_part(folder, file, encoder, turn, room, settings)

    with one_thread(), ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(
            tqdm(pool.map(prepare, files), desc="encoding sources", unit="image", total=len(files), disable=quiet)
        )


def prepare_part(
    folder: Path, file: SourceFile, encoder: FeatureExtractor, turn: Lock, room: Room, settings: LibrarySettings
) -> Part:
    features, thumb, seal = (folder / f"{file.sha256}.{kind}" for kind in ("safetensors", "jpg", "json"))
    if seal.exists():
        check_part(seal, (features, thumb), file)
    else:
        encode_part(features, thumb, file, encoder, turn, room, settings)
        sealed = {path.suffix: [path.stat().st_size, file_digest(path)] for path in (features, thumb)}
        with replacing(seal) as partial:
            partial.write_text(json.dumps(sealed), encoding="utf-8")
    with safe_open(features, framework="pt") as opened:
        known = json.loads(opened.metadata()["source"])
    return Part(Source(**{**known, "name": file.name, "credit": file.credit}), features, thumb)


class Room:
    """Room for so many patches in memory, shared by threads."""

    def __init__(self, patches: int) -> None:
        self.patches = patches
        self.used = 0
        self.changed = Condition()

    @contextmanager
    def taken(self, patches: int) -> Iterator[None]:
        """Wait until there is room, or nobody else."""
        with self.changed:
            self.changed.wait_for(lambda: self.used == 0 or self.used + patches <= self.patches)
            self.used += patches
        try:
            yield
        finally:
            with self.changed:
                self.used -= patches
                self.changed.notify_all()


def check_part(seal: Path, parts: Sequence[Path], file: SourceFile) -> None:
    """Compare a finished part of an interrupted build with the digests that were noted when it was finished.

    Raises:
        LibraryError: It was changed or damaged since; the message names the file.
    """
    asked = f"go on with the interrupted build of {file.name!r}"
    todo = f"Remove the folder {str(seal.parent)!r}, and build again"
    try:
        sealed = json.loads(seal.read_text(encoding="utf-8"))
        for path in parts:
            if sealed[path.suffix] != [path.stat().st_size, file_digest(path)]:
                raise LibraryError(asked, f"{str(path)!r} has other bytes than it was written with", todo)
    except FileNotFoundError as error:
        raise LibraryError(asked, f"{error.filename!r} is missing", todo) from None
    except (ValueError, LookupError, TypeError):
        raise LibraryError(asked, f"{str(seal)!r} is damaged", todo) from None


def encode_part(
    features: Path,
    thumb: Path,
    file: SourceFile,
    encoder: FeatureExtractor,
    turn: Lock,
    room: Room,
    settings: LibrarySettings,
) -> None:
    """Write the files of one part, each by rename."""
    original, _ = decode(file.path)  # what there is to warn of has been said when it was checked
    pixels = crop_to_cells(resize_short_side(original, settings.side_px), encoder.stride)
    with turn:
        cells = encode(encoder, to_tensor(pixels))[0].permute(1, 2, 0)
    stored = cells.half().contiguous()
    if not torch.isfinite(stored).all():
        raise LibraryError(f"encode {str(file.path)!r}", "NaN or infinite features", "Check the encoder's weights")
    rows, columns, _ = stored.shape
    positions = patch_positions(rows, columns, settings.stride)
    with room.taken(len(positions)):
        kept = positions[survivors(patch_vectors(stored, positions), settings.dedupe)]
    source = Source(
        name="",
        sha256=file.sha256,
        credit=Credit(),
        width=original.shape[1],
        height=original.shape[0],
        rows=rows,
        columns=columns,
        entries=len(kept),
        positions=len(positions),
    )
    known = {name: value for name, value in asdict(source).items() if name not in ("name", "credit")}
    write_image(thumb, pixels)
    with replacing(features) as partial:
        save_file({"features": stored, "kept": kept.int()}, partial, metadata={"source": json.dumps(known)})


def crop_to_cells(pixels: Pixels, stride: int) -> Pixels:
    """Cut a strip of less than a cell from the right and the bottom, so that cells and pixels line up."""
    height, width = (max(MIN_SIDE, side // stride * stride) for side in pixels.shape[:2])
    return pixels[:height, :width]


def patch_positions(rows: int, columns: int, stride: int) -> Tensor:
    """Top-left cells of the patches of a map in reading order, as y * columns + x: (positions,) int64."""
    y, x = torch.arange(0, rows - SIZE + 1, stride), torch.arange(0, columns - SIZE + 1, stride)
    return (y[:, None] * columns + x).flatten()


def patch_vectors(cells: Tensor, positions: Tensor) -> Tensor:
    """Patches of a map (h, w, C) at some positions: (n, 16 C) float32."""
    step = torch.arange(SIZE)
    window = (step[:, None] * cells.shape[1] + step).flatten()
    place = (positions[:, None] + window).flatten()
    return cells.flatten(0, 1).index_select(0, place).view(len(positions), -1).float()


def reusable_parts(bank: Bank) -> list[Part]:
    """The parts of a bank that exists."""
    return [
        Part(source, features_path(bank.folder, number), thumb_path(bank.folder, number))
        for number, source in enumerate(bank.sources)
    ]


@without_autocast
def write_bank(
    library: Path,
    name: str,
    parts: Sequence[Part],
    settings: LibrarySettings,
    previous: BankRecord | None,
    quiet: bool,
) -> BankRecord:
    """Put parts together as a new generation of a bank; the manifest is still to be written.

    The result depends on the parts, their names and the settings alone: adding and removing sources gives the same
    bytes as building from what remains.
    """
    parts = sorted(parts, key=lambda part: part.source.name)
    number = 1 if previous is None else int(previous.folder.rsplit("@", 1)[1]) + 1
    folder = library / "banks" / f"{name}@{number}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        assemble(folder, parts, settings, quiet)
        load_bank(name, folder, "")  # what cannot be opened is not announced
        entries = sum(part.source.entries for part in parts)
        return BankRecord(folder.relative_to(library).as_posix(), len(parts), entries, record_files(folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # on a full disk, these bytes are the ones that are missing
        raise


def assemble(folder: Path, parts: Sequence[Part], settings: LibrarySettings, quiet: bool) -> None:
    """Write a bank's files."""
    (folder / "features").mkdir(parents=True)
    (folder / "thumbs").mkdir()
    for index, part in enumerate(parts):
        link(part.features, features_path(folder, index))
        link(part.thumb, thumb_path(folder, index))
    with one_thread():
        cluster(folder, parts, settings, quiet)


def cluster(folder: Path, parts: Sequence[Part], settings: LibrarySettings, quiet: bool) -> None:
    """Fit the tree over all parts' entries, put them in leaf order, and write the tables."""
    loaded = [load_file(features_path(folder, index)) for index in range(len(parts))]
    source, y, x = [], [], []
    for index, part in enumerate(loaded):
        columns, kept = part["features"].shape[1], part["kept"].long()
        source.append(torch.full_like(kept, index))
        y.append(kept // columns)
        x.append(kept % columns)
    entries = Entries.create(torch.cat(source), torch.cat(y), torch.cat(x), [part["features"] for part in loaded])
    branching = settings.branching or choose_branching(len(entries))
    tree, order = fit_tree(entries.vectors, len(entries), branching, settings.seed, quiet)
    entries = entries.take(order)
    projection = fit_projection(entries, settings.key_dimensions, settings.seed)
    keys = compute_keys(entries, projection)
    save_bank(folder, [part.source for part in parts], entries, tree, projection, keys)


def link(source: Path, target: Path) -> None:
    """The same file under a second name; a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def discard_parts(library: Path, digests: Collection[str]) -> None:
    """Remove the parts of some sources (SHA-256) from `building/`; those of other interrupted builds stay."""
    for part in (library / BUILDING).glob("*/*"):
        if part.stem in digests or part.name.startswith("."):  # hidden: half-written by a process that was killed
            part.unlink()
    for folder in (*(library / BUILDING).glob("*"), library / BUILDING):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
