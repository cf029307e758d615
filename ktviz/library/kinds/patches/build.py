"""Making a bank of patches: each source encoded and thinned, then all of them sorted into a tree."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ktviz.engines.engine import THREADS
from ktviz.engines.turn import Room, Turn
from ktviz.errors import LibraryError
from ktviz.files import link, replacing
from ktviz.images import MIN_SIDE, Pixels, decode, resize_short_side, to_tensor, write_image
from ktviz.library.format import LibrarySettings, Manifest
from ktviz.library.kinds.patches.bank import Bank
from ktviz.library.kinds.patches.dedupe import survivors
from ktviz.library.kinds.patches.features import FeatureExtractor, encode
from ktviz.library.kinds.patches.fit import fit_frame
from ktviz.library.kinds.patches.frame import Frame
from ktviz.library.kinds.patches.grid import SIZE
from ktviz.library.kinds.patches.identity import check_encoder, identify, shipped_encoder
from ktviz.library.kinds.patches.maps import patch_vectors
from ktviz.library.kinds.patches.rows import MakeRows
from ktviz.library.kinds.patches.source import PatchSource
from ktviz.library.kinds.patches.tables import write_tables
from ktviz.library.kinds.preparer import Given
from ktviz.library.layout import FEATURES, LAYOUTS, PATCHES, TREE
from ktviz.library.parts import Part, Work, rows_folder
from ktviz.library.shards import stated_of
from ktviz.library.sources import SourceFile
from ktviz.networks.running import without_autocast
from ktviz.retrieval.credit import Credit

PATCHES_AT_ONCE = 40_000
"""Patches de-duplicated at a time: two sources of 640x512 px, about 1 GB. A larger source waits to be alone."""


class PatchPreparer:
    """Encodes and thins sources; see `ktviz.library.kinds.preparer.Preparer`.

    Args:
        given: The library's encoder; the shipped one if None.
        manifest: Of the library.
        bank: What they are to enter; None for a new one.

    The encoder is loaded and checked when the first source is to be prepared.
    """

    kind = PATCHES
    layout = LAYOUTS[PATCHES]

    def __init__(self, given: Given, manifest: Manifest, bank: Bank | None) -> None:
        self.given, self.identity, self.settings = given, manifest.encoder, manifest.settings
        self.side_px = manifest.settings.side_px
        self.turn = Turn()  # an encoder need not be safe to call from several threads
        self.room = Room(PATCHES_AT_ONCE)

    @cached_property
    def encoder(self) -> FeatureExtractor:
        """What makes features.

        Raises:
            LibraryError: It is another than the library's.
        """
        encoder = shipped_encoder() if self.given.encoder is None else self.given.encoder
        check_encoder(self.identity, encoder, "the library")
        return encoder

    @cached_property
    def made_with(self) -> str:
        """The encoder, and how it is used; errors as in `encoder`."""
        return made_with(identify(self.encoder).digest, self.settings)

    def prepare(self, file: SourceFile, files: Sequence[Path]) -> None:
        """Write the picture that the encoder saw, and its features with the positions that survived."""
        thumb, features = files
        original, _ = decode(file.path)  # what there is to warn of has been said when it was checked
        pixels = crop_to_cells(resize_short_side(original, self.settings.side_px), self.encoder.stride)
        with self.turn:
            cells = encode(self.encoder, to_tensor(pixels))[0].permute(1, 2, 0)
        stored = cells.half().contiguous()
        if not torch.isfinite(stored).all():
            raise LibraryError(f"encode {str(file.path)!r}", "NaN or infinite features", "Check the encoder's weights")
        rows, columns, _ = stored.shape
        positions = patch_positions(rows, columns, self.settings.stride)
        with self.room.taken(len(positions)):
            kept = positions[survivors(patch_vectors(stored, positions), self.settings.dedupe)]
        source = PatchSource(
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

    def source(self, file: SourceFile, files: Sequence[Path]) -> PatchSource:
        """What is known of a source whose files are written."""
        _, features = files
        with safe_open(features, framework="pt") as opened:
            known = json.loads(opened.metadata()["source"])
        return PatchSource(**{**known, "name": file.name, "credit": file.credit})


def crop_to_cells(pixels: Pixels, stride: int) -> Pixels:
    """Cut a strip of less than a cell from the right and the bottom, so that cells and pixels line up."""
    height, width = (max(MIN_SIDE, side // stride * stride) for side in pixels.shape[:2])
    return pixels[:height, :width]


def patch_positions(rows: int, columns: int, stride: int) -> Tensor:
    """Top-left cells of the patches of a map in reading order, as y * columns + x: (positions,) int64."""
    y, x = torch.arange(0, rows - SIZE + 1, stride), torch.arange(0, columns - SIZE + 1, stride)
    return (y[:, None] * columns + x).flatten()


def made_with(encoder: str, settings: LibrarySettings) -> str:
    """What tells apart what makes other files of the same picture: the digest of the encoder, and how it is used."""
    return json.dumps([encoder, settings.side_px, settings.stride, settings.dedupe])


@without_autocast
def tables(work: Work) -> int:
    """Write the frame and the tables of a bank, and count its entries.

    A bank that exists keeps its frame; only the rows of sources that are new are worked out.
    """
    frame, held = kept_frame(work)
    known = {} if held is None else {source.name: number for number, source in enumerate(held.sources)}
    moved = np.full(len(known), -1)
    new: list[int] = []
    for number, source in enumerate(work.sources):
        if source.name in known:
            moved[known[source.name]] = number
        else:
            new.append(number)
    rows = made_rows(work, [work.parts[number] for number in new])
    return write_tables(
        work.folder, frame, None if held is None else held.tables, moved, dict(zip(new, rows, strict=True))
    )


def made_rows(work: Work, parts: Sequence[Part]) -> list[Path]:
    """Files of the rows of some sources."""
    tree = work.folder / TREE
    stated = stated_of(tree)
    make = MakeRows(tree, stated, work.prepared, work.shards.within(rows_folder(stated[1])))
    make.shards.folder.mkdir(parents=True, exist_ok=True)
    make.shards.give(tree)
    left = [part for part in parts if not make.shards.taken(part.source.content)]
    for part in left:
        make.prepared.give(part.files[FEATURES])
    work.engine.map(make, left, "computing keys", work.quiet, lambda part: part.source.name)
    return THREADS.map(make.taken, parts, "collecting keys", work.quiet)


def kept_frame(work: Work) -> tuple[Frame, Bank | None]:
    """The frame of a bank, written to its folder: that which it had, or a new one; and the bank, if it had one."""
    if work.previous is None:
        frame = fit_frame(work.parts, work.settings, work.quiet)
        frame.write(work.folder / TREE)
        return frame, None
    link(work.previous.place.table(TREE), work.folder / TREE)
    return work.previous.frame, work.previous
