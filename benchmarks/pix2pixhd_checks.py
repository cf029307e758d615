"""pix2pixHD on streets that its training never saw: `python -m benchmarks.pix2pixhd_checks [SEED]`.

Some of them are the library, the others are made again; nothing of either was in the training.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean, median

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import normalized_mutual_info_score

from benchmarks.held_out import HeldOut, asked_seed, held_out, part, seed_given
from benchmarks.measures import psnr
from benchmarks.segmenter import Agreement, seen, trained
from benchmarks.tables import Table, publish
from ktviz.images import to_tensor
from ktviz.labels import class_of
from ktviz.library.kinds.codes.union import CodeUnion
from ktviz.library.library import Library
from ktviz.systems.pix2pixhd.planes import region_means
from ktviz.systems.pix2pixhd.result import effect
from ktviz.systems.pix2pixhd.system import Pix2PixHD
from ktviz.systems.pix2pixhd.trained import Networks
from ktviz.training.evaluate import structural_similarity
from ktviz.training.pairs import Pair
from sample_data.generator.scenes.styles import CLASSES as SCENES

COUNT, LIBRARY = 60, 45
"""Streets in all, and those in the library."""
OBJECTS = 6
"""Objects of a picture that are restyled: the largest that have a choice."""
CAR = SCENES["streets"].index("car")
LEAST = 20
"""Objects of a class, at least, for its clusters to be compared with styles."""
Row = tuple[str, str, str]


def main(networks: Networks | None = None) -> Iterator[Table]:
    data = held_out("streets", COUNT, seed=asked_seed())
    networks = Networks.shipped() if networks is None else networks
    with tempfile.TemporaryDirectory() as scratch:
        banks = built(data, networks, Path(scratch))
        system, inputs = Pix2PixHD(banks, networks), data.pairs[LIBRARY:]
        rows = [
            *reconstruction(system, inputs),
            *purity(banks, data),
            *constancy(networks, inputs[0]),
            *restyled(system, inputs),
            *repeated(system, inputs[0]),
            *nothing_known(system, inputs[0]),
            *understood(system, data),
        ]
    yield Table(
        "pix2pixhd_checks",
        f"pix2pixHD: {COUNT} streets of seed {asked_seed()}, which no training saw, {LIBRARY} of them in the library",
        ["check", "found", "wanted"],
        rows,
        "NMI: normalised mutual information between the cluster and the style that the generator of the scenes gave.",
        part=part(),
        given=seed_given(),
    )


def built(data: HeldOut, networks: Networks, scratch: Path) -> CodeUnion:
    """A bank of the first pairs."""
    library = Library.create(scratch / "streets.ktlib")
    photos = [data.folder / "photo" / f"{pair.name}.jpg" for pair in data.pairs[:LIBRARY]]
    maps = {name: data.folder / part for name, part in (("labels", "label"), ("instances", "inst"))}
    coder = Pix2PixHD(networks=networks).coder
    made = library.build("streets/all", photos, kind="codes", coder=coder, classes=data.classes, quiet=True, **maps)
    assert isinstance(made, CodeUnion)
    return made


def reconstruction(system: Pix2PixHD, inputs: Sequence[Pair]) -> list[Row]:
    """Pictures made of their photograph's own codes, and of none."""
    own, none, alike = [], [], []
    for pair in inputs:
        reference = (pair.photo, pair.labels, pair.instances)
        made = system(pair.labels, pair.instances, choice="encoded", reference=reference).output
        plain = Pix2PixHD(networks=system.networks)(pair.labels, pair.instances).output
        own.append(psnr(made, pair.photo))
        none.append(psnr(plain, pair.photo))
        alike.append(structural_similarity(to_tensor(made), to_tensor(pair.photo)))
    return [
        ("1 PSNR with encoded codes, dB", f"{fmean(own):.2f}", ">= 22"),
        ("1 SSIM with encoded codes", f"{fmean(alike):.3f}", ">= 0.75"),
        ("1 PSNR lost without codes, dB", f"{fmean(own) - fmean(none):.2f}", ">= 3"),
    ]


def purity(banks: CodeUnion, data: HeldOut) -> list[Row]:
    """How well clusters know the styles, class by class."""
    known = [
        data.styles[Path(banks.source_names[s]).stem, int(n)] for s, n in zip(banks.source, banks.number, strict=True)
    ]
    styles, rows, found, weight = np.array(known), [], [], []
    for label in np.unique(banks.label):
        mine = (banks.label == label) & (banks.centre >= 0)
        if mine.sum() >= LEAST and len(np.unique(styles[mine])) > 1:
            found.append(float(normalized_mutual_info_score(styles[mine], banks.centre[mine])))
            weight.append(int(mine.sum()))
            rows.append(f"{data.classes.names[label]} {found[-1]:.2f} ({weight[-1]})")
    mean = float(np.average(found, weights=weight))
    return [("2 NMI of clusters and styles", f"{mean:.2f}: {', '.join(rows)}", ">= 0.8")]


def constancy(networks: Networks, pair: Pair) -> list[Row]:
    """Codes within an object, and against plain loops over objects that occur in several samples."""
    codes = networks.encode(pair.photo, pair.instances.astype(np.int64))
    regions = {int(n): codes[:, torch.from_numpy(pair.instances == n)] for n in np.unique(pair.instances)}
    apart = max(float(region.var(1).max()) for region in regions.values() if region.shape[1] > 1)
    cars = torch.stack([region[:, 0] for n, region in regions.items() if class_of(n) == CAR])
    random = torch.Generator().manual_seed(0)
    features, ids = torch.randn(3, 5, 24, 32, generator=random), torch.randint(0, 9, (3, 1, 24, 32), generator=random)
    slow = torch.zeros_like(features)
    for sample in range(3):
        for number in ids[sample].unique():
            where = ids[sample, 0] == number
            slow[sample][:, where] = features[sample][:, where].mean(1, keepdim=True)
    return [
        ("3 variance of codes within an object", f"{apart:.1e}", "< 1e-6"),
        (f"3 largest distance of the codes of {len(cars)} cars", f"{float(torch.pdist(cars).max()):.2f}", "above 0"),
        (
            "8 means by scatter and by loop, apart",
            f"{float((region_means(features, ids) - slow).abs().max()):.1e}",
            "< 1e-6",
        ),
    ]


def restyled(system: Pix2PixHD, inputs: Sequence[Pair]) -> list[Row]:
    """One object takes another centre: where the picture changes, and to which colour."""
    ratios, right, chance = [], [], []
    for pair in inputs:
        before = system(pair.labels, pair.instances, seed=1)
        table = before.objects.sort_values("area", ascending=False)
        choices = [row for row in table.itertuples() if len(row.distances) > 1][:OBJECTS]
        for row in choices:
            colours = centre_colours(system, int(before.looks.label[before.looks.number == row.object][0]))
            for centre in range(len(row.distances)):
                if centre == row.centre:
                    continue
                after = system(pair.labels, pair.instances, seed=1, styles={row.object: centre})
                ratios.append(effect(before, after, row.object).ratio)
                moved = after.output[after.mask(row.object)].mean(0) - before.output[before.mask(row.object)].mean(0)
                towards = colours - colours[row.centre]
                right.append(int(np.argmin(np.square(towards - moved).sum(1))) == centre)
                chance.append(1 / len(colours))
    return [
        ("4 change inside an object over outside, median", f"{median(ratios):.1f}", ">= 5"),
        ("4 colour moves to the centre's", f"{fmean(right):.2f} (chance {fmean(chance):.2f})", ">= 0.9"),
    ]


def centre_colours(system: Pix2PixHD, label: int) -> npt.NDArray[np.float64]:
    """The mean colour of the members of every centre of a class: (K, 3)."""
    banks = system.banks
    assert banks is not None
    return np.array(
        [np.mean([object_colour(banks, int(m)) for m in banks.members(c)], 0) for c in banks.of_class(label)]
    )


@cache
def object_colour(banks: CodeUnion, entry: int) -> npt.NDArray[np.float64]:
    """The mean colour of an object."""
    source = int(banks.source[entry])
    mean: npt.NDArray[np.float64] = banks.picture(source)[banks.object_map(source) == banks.number[entry]].mean(0)
    return mean


def repeated(system: Pix2PixHD, pair: Pair) -> list[Row]:
    """The same seed, and the run that a trace states, make the same."""
    first, second = (system(pair.labels, pair.instances, seed=4) for _ in range(2))
    trace = system.traced(pair.labels, pair.instances, seed=4)
    again = system.rerun(trace)
    same = bool((first.looks.centre == second.looks.centre).all() and (first.output == second.output).all())
    logged = np.abs(again.picture.canvases["output"].astype(int) - first.output).max()
    centres = [one.column("pix2pixhd.centre").tolist() for one in (trace, again)]
    return [
        ("5 same seed, same centres and picture", str(same), "True"),
        ("7 made again from the log: same centres, pictures apart", f"{centres[0] == centres[1]}, {logged}", "True, 0"),
    ]


def nothing_known(system: Pix2PixHD, pair: Pair) -> list[Row]:
    """Classes without centres."""
    bare = Pix2PixHD(networks=system.networks, centres={1: np.zeros((1, system.networks.shape.codes))})
    made = bare(pair.labels, pair.instances)
    zero = not made.looks.codes()[made.looks.centre < 0].any()
    return [("6 classes without centres: code 0, finite picture", str(bool(zero)), "True")]


def understood(system: Pix2PixHD, data: HeldOut) -> list[Row]:
    """What a segmenter that learned from real pictures sees in made ones."""
    network = trained(data.pairs[:LIBRARY], data.classes)
    real, fake = (Agreement(len(data.classes)) for _ in range(2))
    for pair in data.pairs[LIBRARY:]:
        real.add(seen(network, pair.photo), pair.labels)
        fake.add(seen(network, system(pair.labels, pair.instances, seed=2).output), pair.labels)
    found = f"{fake.mean / real.mean:.2f} ({fake.mean:.2f} of {real.mean:.2f})"
    return [("9 mIoU of a segmenter on made pictures, over real", found, ">= 0.8")]


if __name__ == "__main__":
    publish(main())
