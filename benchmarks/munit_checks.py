"""MUNIT on pots that its training never saw: `python -m benchmarks.munit_checks [SEED]`.

Some photographs are the bank, drawings of other pots take their styles. The generator knows the style of every
photograph, and can show the pot of a drawing in any.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.held_out import asked_seed, part, seed_given
from benchmarks.measures import lab_mean, psnr
from benchmarks.pots import Pot, Pots, glazed, held_out, plain
from benchmarks.segmenter import Segmenter, seen, trained
from benchmarks.tables import Table, publish
from ktviz.images import Pixels, to_pixels, to_tensor
from ktviz.labels import Classes
from ktviz.library.library import Library
from ktviz.systems.draws import drawn
from ktviz.systems.munit.direction import Direction
from ktviz.systems.munit.system import Munit
from ktviz.systems.munit.trained import Networks
from ktviz.training.pairs import Pair
from sample_data.generator.pottery.glazes import GLAZES, style

COUNT, ASKED = 60, 20
"""Photographs, all of them the bank, and as many drawings; drawings that are translated."""
STYLES, REAL = 10, 6
"""Styles of one drawing, and drawings whose pots are also shown in as many real ones."""
DRAWN, EXEMPLARS = 3, 3
"""Drawn styles of each drawing whose pot is looked for, and drawings that take the style of each exemplar."""
ALIKE = 8
"""Pairs of drawings that exchange their exemplars."""
Row = tuple[str, str, str]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def main(networks: Networks | None = None) -> Iterator[Table]:
    networks = Networks.shipped() if networks is None else networks
    rows = checked(networks, held_out(COUNT, asked_seed()))
    yield Table(
        "munit_checks",
        f"MUNIT: {COUNT} photographs and {ASKED} drawings of pots of seed {asked_seed()}, which no training saw",
        ["check", "found", "wanted"],
        rows,
        "Real: the generator's own photographs of the drawn pots, in as many styles. Glaze: the nearest in Lab of those"
        " of plain pots, by the mean colour of a pot; exemplars have one glaze. The segmenter learned from half of the"
        " photographs, the others are the real ones. Sharpness: mean difference of neighbouring pixels in the pots.",
        part=part(),
        given=seed_given(),
    )


def checked(networks: Networks, pots: Pots) -> list[Row]:
    """All checks of some networks."""
    with tempfile.TemporaryDirectory() as scratch:
        system, drawings = built(networks, pots, Path(scratch)), pots.drawings[:ASKED]
        learned, others = pots.photographs[::2], pots.photographs[1::2]
        network, palette = segmenter(learned), palette_of(drawings)
        return [
            *reconstruction(networks, pots),
            *found_again(networks, pots),
            *preserved(system, drawings, network, others),
            *diversity(system, drawings[:REAL]),
            *fidelity(system, drawings[:EXEMPLARS], pots.photographs, palette),
            *purity(system, pots.photographs),
            *swapped(system, drawings, pots.photographs, network),
            *statistics(system),
            *identity(system, drawings[0], pots.photographs),
            *repeated(system, drawings[0], pots.photographs[0]),
        ]


def built(networks: Networks, pots: Pots, scratch: Path) -> Munit:
    """The system with a bank of all photographs."""
    library, coder = Library.create(scratch / "pots.ktlib"), Munit(networks=networks).coder
    paths = [pot.path for pot in pots.photographs]
    return Munit(library.build("pots/all", paths, kind="codes", coder=coder, quiet=True), networks)


def name_of(pot: Pot) -> str:
    """What the bank calls it."""
    return f"pots/all/{pot.path.name}"


@torch.no_grad()
def reconstruction(networks: Networks, pots: Pots) -> list[Row]:
    """Pictures made again within their domain, from their own content and style."""
    rows = []
    for domain, mine, wanted in zip(networks.domains, (pots.drawings, pots.photographs), (22, 20), strict=True):
        there, back = Direction(networks, networks.other(domain)), Direction(networks, domain)
        made = [back.paint(there.content(pot.picture), back.code(pot.picture), pot.mask.shape) for pot in mine]
        apart = [psnr(to_pixels(one), pot.picture) for one, pot in zip(made, mine, strict=True)]
        rows.append((f"1 {domain} made again: PSNR, dB", f"{fmean(apart):.2f}", f">= {wanted}"))
    return rows


@torch.no_grad()
def found_again(networks: Networks, pots: Pots) -> list[Row]:
    """Drawn styles, and contents, encoded again from the pictures that were made of them."""
    styles, contents = [], []
    for domain, mine in zip(networks.domains[::-1], (pots.drawings, pots.photographs), strict=True):
        to, back = Direction(networks, domain), Direction(networks, networks.other(domain))
        own, other = [], []
        for seed, pot in enumerate(mine[:ASKED]):
            content, code = to.content(pot.picture), drawn(seed, to.codes)
            made = to_pixels(to.paint(content, code, pot.mask.shape))
            own.append(float((to.code(made) - code).abs().mean()))
            other.append(float((back.content(made) - content).abs().mean() / content.abs().mean()))
        styles.append(fmean(own))
        contents.append(fmean(other))
    return [
        ("2 drawn styles found again: L1, there and back", in_words(styles), "<= 0.35"),
        ("2 contents found again: relative L1, there and back", in_words(contents), "<= 0.3"),
    ]


def in_words(values: Sequence[float]) -> str:
    """Numbers with commas between them."""
    return ", ".join(f"{value:.2f}" for value in values)


def segmenter(photographs: Sequence[Pot]) -> Segmenter:
    """A network that has learned from real photographs where a pot is."""
    classes = Classes(("around", "pot"), ((0, 0, 0), (255, 255, 255)))
    maps = [pot.mask.astype(np.uint8) for pot in photographs]
    pairs = [Pair(p.path.stem, p.picture, m, m.astype(np.int32)) for p, m in zip(photographs, maps, strict=True)]
    return trained(pairs, classes)


def shared(network: Segmenter, picture: Pixels, mask: Mask) -> float:
    """Intersection over union of the pot that is seen in a picture and a mask."""
    found = seen(network, picture) == 1
    return float((found & mask).sum() / max(1, (found | mask).sum()))


def preserved(system: Munit, drawings: Sequence[Pot], network: Segmenter, real: Sequence[Pot]) -> list[Row]:
    """Where a segmenter sees the pot in pictures of drawn styles."""
    runs = [(pot, seed) for pot in drawings for seed in range(DRAWN)]
    made = [shared(network, system(pot.picture, seed=seed).output, pot.mask) for pot, seed in runs]
    itself = fmean(shared(network, pot.picture, pot.mask) for pot in real)
    return [("3 IoU of pots, of drawing and output", f"{fmean(made):.2f} (real photographs {itself:.2f})", ">= 0.7")]


def diversity(system: Munit, drawings: Sequence[Pot]) -> list[Row]:
    """How far pictures of one pot in several styles are from each other."""
    made, real = Spread(), Spread()
    for number, pot in enumerate(drawings):
        made.add([system(pot.picture, seed=seed).output for seed in range(STYLES)], pot.mask)
        looks = [style(np.random.default_rng([number, seed])) for seed in range(STYLES)]
        real.add([glazed(pot.form, look, len(pot.mask))[0] for look in looks], pot.mask)
    return [
        (
            "4 mean difference of ten styles of a drawing, of real ones",
            over(made.apart, real.apart),
            ">= 0.5 (below 0.1: collapsed)",
        ),
        ("4 sharpness of these, of real ones", over(made.sharp, real.sharp), ">= 0.7"),
    ]


class Spread:
    """How far pictures of one pot are apart, and how sharp they are, pot by pot."""

    def __init__(self) -> None:
        self.apart: list[float] = []
        self.sharp: list[float] = []

    def add(self, pictures: Sequence[Pixels], mask: Mask) -> None:
        """Those of a pot."""
        self.apart.append(spread(pictures))
        self.sharp.append(fmean(sharpness(picture, mask) for picture in pictures))


def over(found: Sequence[float], real: Sequence[float]) -> str:
    """Means in levels, and the one over the other."""
    return f"{fmean(found):.1f} of {fmean(real):.1f} levels: {fmean(found) / fmean(real):.2f}"


def sharpness(picture: Pixels, mask: Mask) -> float:
    """Mean difference of pixels side by side and below each other, in a mask, in levels."""
    grey = picture.mean(2)
    steps = [np.abs(np.diff(grey, axis=axis))[np.logical_and(*halves(mask, axis))].mean() for axis in (0, 1)]
    return fmean(map(float, steps))


def halves(mask: Mask, axis: int) -> tuple[Mask, Mask]:
    """A mask without its last row or column, and without its first: of both pixels of a step."""
    length = mask.shape[axis]
    return mask.take(range(length - 1), axis), mask.take(range(1, length), axis)


def spread(pictures: Sequence[Pixels]) -> float:
    """Mean difference of all pairs of pictures in levels."""
    return fmean(float(np.abs(a.astype(np.int16) - b).mean()) for a, b in combinations(pictures, 2))


def palette_of(drawings: Sequence[Pot]) -> Floats:
    """The colour of a plain pot in every glaze, means over two forms: (glazes, 3) Lab."""
    forms = [pot.form for pot in drawings[:2]]
    size = len(drawings[0].mask)
    return np.array(
        [np.mean([lab_mean(*glazed(form, plain(n), size)) for form in forms], 0) for n in range(len(GLAZES))]
    )


def glaze_of(palette: Floats, picture: Pixels, mask: Mask) -> int:
    """The nearest glaze to the colour of a pot."""
    return int(np.square(palette - lab_mean(picture, mask)).sum(1).argmin())


def fidelity(system: Munit, drawings: Sequence[Pot], photographs: Sequence[Pot], palette: Floats) -> list[Row]:
    """Whether a drawing in the style of an exemplar has its glaze."""
    names, right, own = [*GLAZES], [], []
    for exemplar in (pot for pot in photographs if pot.single):
        known = names.index(exemplar.known["glaze"])
        own.append(glaze_of(palette, exemplar.picture, exemplar.mask) == known)
        for pot in drawings:
            made = system(pot.picture, exemplar=name_of(exemplar)).output
            right.append(glaze_of(palette, made, pot.mask) == known)
    beside = f"exemplars themselves {np.mean(own):.2f}, chance {1 / len(names):.2f}"
    found = f"{np.mean(right):.2f} of {len(right)} ({beside})"
    return [("5 glaze of the output is the exemplar's", found, ">= 0.8")]


def purity(system: Munit, photographs: Sequence[Pot]) -> list[Row]:
    """Whether the nearest other code is of the same glaze, and of the same wall."""
    assert system.banks is not None
    place = system.banks.source_numbers
    rows = []
    for what, mine in (("glaze", [pot for pot in photographs if pot.single]), ("wall", [*photographs])):
        codes = system.banks.codes[[place[name_of(pot)] for pot in mine]]
        known = np.array([pot.known[what] for pot in mine])
        apart = np.linalg.norm(codes[:, None] - codes[None], axis=2) + np.diag(np.full(len(mine), np.inf))
        same = float((known[apart.argmin(1)] == known).mean())
        chance = float(np.mean([(known == one).mean() for one in known]))
        found = f"{same:.2f} of {len(mine)} (chance {chance:.2f})"
        rows.append((f"6 nearest other code is of the same {what}", found, ">= 0.8" if what == "glaze" else ""))
    return rows


def swapped(system: Munit, drawings: Sequence[Pot], photographs: Sequence[Pot], network: Segmenter) -> list[Row]:
    """Two drawings exchange their exemplars: colours follow these, pots stay."""
    exemplars = [pot for pot in photographs if pot.single]
    followed, changed = [], []
    for number in range(min(ALIKE, len(drawings) // 2, len(exemplars) // 2)):
        pots, styles = drawings[2 * number :][:2], exemplars[2 * number :][:2]
        colours = [lab_mean(one.picture, one.mask) for one in styles]
        for pot in pots:
            made = [system(pot.picture, exemplar=name_of(one)).output for one in styles]
            for place, picture in enumerate(made):
                away = [np.linalg.norm(lab_mean(picture, pot.mask) - colour) for colour in colours]
                followed.append(int(np.argmin(away)) == place)
            changed.append(abs(shared(network, made[0], pot.mask) - shared(network, made[1], pot.mask)))
    return [
        ("7 exemplars exchanged: the pot's colour is nearer to its own", f"{np.mean(followed):.2f}", ">= 0.9"),
        ("7 exemplars exchanged: mean change of IoU", f"{fmean(changed):.3f}", "<= 0.05"),
    ]


def statistics(system: Munit) -> list[Row]:
    """Whether codes of photographs lie where styles are drawn from."""
    assert system.banks is not None
    codes = system.banks.codes
    mean, deviation = codes.mean(0), codes.std(0)
    return [
        ("8 codes of photographs: largest mean of a number", f"{np.abs(mean).max():.2f}", "< 0.5"),
        ("8 codes of photographs: deviations", f"{deviation.min():.2f} to {deviation.max():.2f}", "0.5 to 1.5"),
    ]


def identity(system: Munit, drawing: Pot, photographs: Sequence[Pot]) -> list[Row]:
    """Cells of exemplars add up to what the style encoder says of these as a whole."""
    apart, encoder = [], system.networks.of(system.target)
    for exemplar in photographs[:ASKED]:
        made = system(drawing.picture, exemplar=name_of(exemplar))
        sums = np.array([made.contribution(n).sum() for n in range(len(made.code))])
        whole = encoder.style(2 * to_tensor(exemplar.picture) - 1)[0].numpy()
        apart.append(float(np.abs(sums + made.bias - whole).max()))
    return [("9 contributions of cells and bias, less the encoder's code", f"{max(apart):.0e}", "< 1e-5")]


def repeated(system: Munit, drawing: Pot, exemplar: Pot) -> list[Row]:
    """The same seed, and the run that a trace states, make the same."""
    rows = []
    ways: dict[str, dict[str, Any]] = {"seed": {"seed": 4}, "exemplar": {"exemplar": name_of(exemplar)}}
    for what, way in ways.items():
        first, second = (system(drawing.picture, **way).output for _ in range(2))
        again = system.rerun(system.traced(drawing.picture, **way)).picture.canvases["output"]
        same = f"{np.array_equal(first, second)}, {np.abs(again.astype(int) - first).max()}"
        rows.append((f"10 same {what}, same picture; made again from the log, apart", same, "True, 0"))
    return rows


if __name__ == "__main__":
    publish(main())
