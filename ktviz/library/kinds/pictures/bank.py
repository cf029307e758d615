"""A bank of pictures: references of one task, each kept to the pixel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ktviz.errors import LibraryError
from ktviz.images import Pixels, decode_image, stored_size
from ktviz.library.banks import expect, fitting
from ktviz.library.layout import picture_path, thumb_path
from ktviz.library.sources import Source, read_sources


@dataclass(frozen=True, eq=False)
class PictureBank:
    """One bank of pictures. A picture is read from disk when it is asked for.

    Attributes:
        name: "task/style".
        sources: Its sources; each is one entry.
        thumbs: Per source a small JPEG.
        digest: Digest of its files.
        folder: Where it lies on disk.
    """

    name: str
    sources: tuple[Source, ...]
    thumbs: tuple[bytes, ...]
    digest: str
    folder: Path

    def __len__(self) -> int:
        return len(self.sources)

    def __repr__(self) -> str:
        return f"PictureBank({self.name!r}, {len(self)} pictures, digest {self.digest[:12]})"

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        from ktviz.figures.cards import banks_card, unless_refused

        return unless_refused(banks_card, self)

    def picture(self, source: int) -> Pixels:
        """A source as it was given, upright: (H, W, 3) uint8; errors as in `stored`."""
        return decode_image(self.stored(source), asked=f"picture {self.name}/{self.sources[source].name}")

    def stored(self, source: int) -> bytes:
        """The file of a source.

        Raises:
            LibraryError: It is gone: the bank was edited since it was opened.
        """
        try:
            return picture_path(self.folder, source).read_bytes()
        except OSError as error:
            asked = f"picture {self.name}/{self.sources[source].name}"
            raise LibraryError(asked, f"it cannot be read ({error.strerror})", "Open the library again") from None


def load_pictures(name: str, folder: Path, digest: str) -> PictureBank:
    """Open a bank.

    Raises:
        LibraryError: Its files do not fit together.
    """
    with fitting(name):
        sources = read_sources(folder, Source)
        expect(len(sources) > 0, "at least one source")
        sizes = [stored_size(picture_path(folder, n).read_bytes(), source.name) for n, source in enumerate(sources)]
        expect(sizes == [(source.height, source.width) for source in sources], "pictures of the sources' sizes")
        thumbs = tuple(thumb_path(folder, number).read_bytes() for number in range(len(sources)))
    return PictureBank(name, sources, thumbs, digest, folder)
