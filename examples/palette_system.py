"""A system of your own: every 8x8 px of a photograph take the nearest colour of a palette, and it is known which.

python examples/palette_system.py photo.jpg
"""

import sys

import torch
from torch import nn

import ktviz as kt
from ktviz.errors import UnknownNameError, unknown_name, unknown_settings
from ktviz.images import as_pixels, to_pixels, to_tensor
from ktviz.systems.parts import is_number
from ktviz.systems.plain import PlainSystem
from ktviz.values import listed

CELL = 8
PALETTE = {"ink": (0.08, 0.09, 0.2), "brick": (0.7, 0.25, 0.2), "moss": (0.3, 0.45, 0.2), "sand": (0.9, 0.8, 0.6)}


class Nearest(kt.RetrievalSite):
    """Mean colours (3, h, w) in, their nearest colours out."""

    def forward(self, means, colours, allowed):
        apart = torch.cdist(means.flatten(1).T, colours).masked_fill(~allowed, torch.inf)
        nearest, entry = apart.sort(dim=1, stable=True)
        return kt.Matches.hard(entry[:, : allowed.sum()], -nearest[:, : allowed.sum()])

    def read(self, inputs, output):
        rows, columns = inputs[0].shape[1:]
        catalogue = kt.Catalogue.wholes([*PALETTE], "palette")
        return [kt.Reading(output, kt.Queries.grid(rows, columns, CELL), catalogue)]


class PaletteSystem(nn.Module, PlainSystem):
    """Paints photographs with four colours."""

    name = "palette"
    abilities = frozenset({"rerun", "exclude", "blend"})
    baseline = "the photo's own mean colours"

    def __init__(self):
        super().__init__()
        self.nearest = Nearest()
        self.register_buffer("colours", torch.tensor([*PALETTE.values()]))

    @classmethod
    def opened(cls, trace, library, like=None):
        return cls()

    def forward(self, photo, without=()):
        photo, gone = as_pixels(photo), {named(part): True for part in listed(without)}
        if len(gone) == len(PALETTE):
            raise UnknownNameError("a picture without all colours", "nothing would be left", "Leave out fewer")
        means = nn.functional.avg_pool2d(to_tensor(photo), CELL)[0]
        allowed = torch.tensor([colour not in gone for colour in PALETTE])
        chosen = self.nearest(means, self.colours, allowed).winner
        return photo, as_picture(self.colours[chosen].T.view_as(means)), tuple(gone)

    def digests(self):
        return {"palette": str(self.colours.tolist())}

    def pictures(self, inputs, output):
        return {"input": output[0], "output": to_pixels(output[1])}

    def settings_of(self, inputs, output):
        return {"without": output[2]}

    def rerun(self, trace, *, without=(), **settings):
        if settings:
            raise unknown_settings(settings, [])
        with kt.record(self) as again:
            self(trace.input, (*trace.picture.settings["without"], *without))
        return again

    def blend(self, trace, within):
        means = nn.functional.avg_pool2d(to_tensor(trace.input), CELL)[0]
        entry = torch.tensor(trace.column("entry"))
        return PaletteBlend(means, self.colours[entry].T.view_as(means), within)


class PaletteBlend:
    """A part of the picture for amounts of each cell, from its own mean colour (0) to its palette colour (1)."""

    def __init__(self, means, chosen, within):
        self.means, self.chosen, self.within = means, chosen, within
        self.retrievals = torch.arange(means[0].numel()).numpy()

    def __call__(self, amount):
        mixed = self.means.lerp(self.chosen, amount.view(self.means.shape[1:]))
        return as_picture(mixed)[:, self.within.pixels[0], self.within.pixels[1]]


def named(part):
    """A colour by its name, or by its number."""
    names = [*PALETTE]
    if is_number(part) and 0 <= part < len(names):
        return names[part]
    if part not in names:
        raise unknown_name("colour", part, names)
    return part


def as_picture(cells):
    """Every cell as 8x8 px: (3, h, w) to (3, H, W)."""
    return cells.repeat_interleave(CELL, 1).repeat_interleave(CELL, 2)


if __name__ == "__main__":
    pixels = as_pixels(sys.argv[1])
    pixels = pixels[: len(pixels) // CELL * CELL, : pixels.shape[1] // CELL * CELL]
    system = PaletteSystem()
    with kt.record(system) as trace:
        system(pixels)
    print(trace.sources()[["source", "share"]].to_string(index=False))
    print(kt.attribute(trace, through="gradient"))
    print(kt.compare(trace, kt.without(trace, trace.sources()["source"][0])))
