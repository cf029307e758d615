"""CoCosNet on pictures that its training never saw.

`python -m benchmarks.cocosnet_checks [SEED]` asks the shipped weights about rooms;
`python -m benchmarks.cocosnet_checks LEARNED TARGETS RUN` those of a run of `ktviz train cocosnet LEARNED -o RUN` about
another folder of pairs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

import numpy as np
import numpy.typing as npt
import torch
from skimage.color import rgb2lab
from torch import Tensor
from torch.nn import functional as F

from benchmarks.held_out import asked_seed, held_out, part, seed_given
from benchmarks.measures import lab_mean, psnr
from benchmarks.segmenter import Agreement, seen, trained
from benchmarks.tables import Table, publish
from ktviz.labels import Classes
from ktviz.systems.cocosnet.correspondence import CELL_PX, Warp
from ktviz.systems.cocosnet.networks import Networks
from ktviz.systems.cocosnet.packaged import WEIGHTS
from ktviz.systems.cocosnet.result import Synthesis
from ktviz.systems.cocosnet.sites import WARPED
from ktviz.systems.cocosnet.system import CoCosNet
from ktviz.training.cocosnet import start_xavier
from ktviz.training.pairs import Pair, read_pairs

COUNT, LEARNED = 40, 25
"""Layouts in two looks each, and those of them from which the segmenter learns."""
AFFINE, SHIFT_PX, BEND_PX = 0.08, 8.0, 5.0
"""Deviations of the affine part, the shift and the smooth bend of a known warp."""
AROUND = 4
"""Cells as large as one of the 16x16 for which the first check was thought out."""
SAME_LOOK = (
    "Same look: another picture with the same walls, things and light is the exemplar, and the right answer known."
)
APART = 20.0
"""Two classes of an exemplar whose colours differ by as much in Lab exchange them."""
Row = tuple[str, str, str]


@dataclass(frozen=True)
class Data:
    """Pictures with their label maps.

    Attributes:
        classes: Of the label maps.
        learned: From which the segmenter learns.
        targets: That are made again.
        others: Among which exemplars are found.
    """

    classes: Classes
    learned: Sequence[Pair]
    targets: Sequence[Pair]
    others: Sequence[Pair]

    @property
    def looks(self) -> bool:
        """Whether it is known which pictures have one look."""
        return all(pair.look for pair in self.targets)

    def alike(self, target: Pair) -> Pair:
        """Another picture of the target's look, or else the next of the targets."""
        found = [pair for pair in self.others if pair.look and pair.look == target.look and pair.name != target.name]
        names = [pair.name for pair in self.targets]
        return found[0] if found else self.targets[(names.index(target.name) + 1) % len(names)]


def main() -> Iterator[Table]:
    folders = [Path(name) for name in sys.argv[1:] if not name.isdigit() and Path(name).is_dir()]
    if len(folders) == 3:
        run = folders[2]
        networks = Networks.load(run)
        yield check(networks, run / "log.json", of_folders(*folders[:2]), folders[1].name, "pictures of a folder")
    else:
        title = f"rooms of seed {asked_seed()}"
        yield check(Networks.shipped(), WEIGHTS.folder / "log.json", rooms(), part(), title)


def rooms() -> Data:
    """Rooms of a seed of their own, in two looks each."""
    made = held_out("rooms", COUNT, looks=2, seed=asked_seed())
    return Data(made.classes, made.pairs[: 2 * LEARNED], made.pairs[2 * LEARNED :: 2], made.pairs)


def of_folders(learned: Path, targets: Path) -> Data:
    """Pairs of a training, and others."""
    classes = Classes.read(learned / "classes.csv")
    both = [read_pairs(folder, classes, quiet=True) for folder in (learned, targets)]
    return Data(classes, *both, others=both[1])


def check(networks: Networks, log: Path, data: Data, name: str, title: str) -> Table:
    """All checks of some networks, as a table."""
    rows = [
        *known_warp(networks, data.targets),
        *mixed_labels(networks, data),
        *itself(networks, data.targets),
        *same_look(networks, data),
        *learning(log, data),
        *exchanged(networks, data),
        *layouts(networks, data),
        *recorded(networks, data),
        *odd(networks, data.targets[0]),
    ]
    return Table(
        "cocosnet_checks",
        f"CoCosNet: {len(data.targets)} {title}, which no training saw",
        ["check", "found", "wanted"],
        rows,
        SAME_LOOK if data.looks else "",
        part=name,
        given=seed_given(),
    )


def learning(log: Path, data: Data) -> list[Row]:
    """What a training measured on some of its pictures, each after another one of its look, or after itself."""
    history = [row for row in json.loads(log.read_text(encoding="utf-8"))["history"] if "warped" in row]
    first, last = history[0], history[-1]
    steps = f"steps {first['step']} and {last['step']}"
    after = "of the same look" if data.looks else "that is the target, mirrored or not"
    return [
        (f"4 L1 of the warped exemplar {after}, {steps}", f"{first['warped']:.3f}, {last['warped']:.3f}", ""),
        (f"7 entropy of a row in nats, {steps}", f"{first['entropy']:.2f}, {last['entropy']:.2f}", "falls"),
    ]


def painted(networks: Networks, target: Pair, exemplar: Pair) -> Synthesis:
    """The target's label map in the look of an exemplar."""
    return CoCosNet(exemplar.photo, exemplar.labels, networks)(target.labels)


@dataclass(frozen=True)
class Bent:
    """A pair bent, and where each of its pixels was: (H, W, 2) y, x in px."""

    pair: Pair
    origin: npt.NDArray[np.float32]


def bent(pair: Pair, seed: int) -> Bent:
    """A pair and its map under a small affine and smooth warp."""
    random = np.random.default_rng(seed)
    height, width = pair.size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    centre = np.array([height, width], np.float32) / 2
    matrix = np.eye(2) + AFFINE * random.standard_normal((2, 2))
    places = np.einsum("ij,hwj->hwi", matrix, np.stack([y, x], -1) - centre) + centre
    places = places + SHIFT_PX * random.standard_normal(2)
    coarse = torch.from_numpy(BEND_PX * random.standard_normal((1, 2, 4, 4)))
    smooth = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)[0].permute(1, 2, 0).numpy()
    origin = (places + smooth).astype(np.float32)
    rows, columns = (np.clip(np.rint(origin[..., k]), 0, (height, width)[k] - 1).astype(int) for k in (0, 1))
    photo, labels = pair.photo[rows, columns], pair.labels[rows, columns]
    return Bent(Pair(pair.name, photo, labels, pair.instances[rows, columns], pair.look), origin)


def known_warp(networks: Networks, targets: Sequence[Pair]) -> list[Row]:
    """The exemplar is the target, bent: where does each cell look?"""
    near, around, alike = [], [], []
    for seed, target in enumerate(targets):
        exemplar = bent(target, seed)
        found = painted(networks, target, exemplar.pair)
        cells = exemplar.origin[CELL_PX // 2 :: CELL_PX, CELL_PX // 2 :: CELL_PX].reshape(-1, 2)
        rows, columns = (side // CELL_PX for side in target.size)
        place = np.stack(np.mgrid[:rows, :columns], -1).reshape(-1, 2)
        gap, true = nearest(torch.from_numpy(place * CELL_PX + CELL_PX / 2).float(), torch.from_numpy(cells))
        error = np.linalg.norm(place[found.mixture.entry[:, 0].numpy()] - place[true], axis=1)
        counted = (gap < CELL_PX) & told(target.labels)
        near.append(float((error[counted] <= 1).mean()))
        around.append(float((error[counted] <= AROUND).mean()))
        here, there = (found.labels, exemplar.pair.labels)
        inside = gap < CELL_PX
        label_here = here[CELL_PX // 2 :: CELL_PX, CELL_PX // 2 :: CELL_PX].reshape(-1)
        label_there = there[CELL_PX // 2 :: CELL_PX, CELL_PX // 2 :: CELL_PX].reshape(-1)
        alike.append(float((label_here == label_there[found.mixture.entry[:, 0].numpy()])[inside].mean()))
    return [
        ("1 bent exemplar: cells within 1 cell of the truth, near borders of classes", f"{fmean(near):.2f}", ">= 0.80"),
        (f"1 the same within {AROUND} cells, a sixteenth of the side", f"{fmean(around):.2f}", ""),
        ("1 label of the best cell is the target's", f"{fmean(alike):.3f}", ">= 0.95"),
    ]


def nearest(here: Tensor, there: Tensor) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Distance and number of the nearest of some places, for each of others."""
    found = torch.cdist(here, there).min(1)
    return found.values.numpy(), found.indices.numpy()


def told(labels: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Cells with a border of classes in the 3x3 cells around them: elsewhere a label map does not say where one is."""
    known = torch.from_numpy(labels.astype(np.float32))[None, None]
    most, least = (F.max_pool2d(sign * known, 3 * CELL_PX, CELL_PX, CELL_PX) for sign in (1, -1))
    different: npt.NDArray[np.bool_] = (most != -least).flatten().numpy()
    return different


def mixed_labels(networks: Networks, data: Data) -> list[Row]:
    """Which class most of what a cell takes is of, where the exemplar has its class."""
    right = []
    for target in data.targets:
        found = painted(networks, target, data.alike(target))
        weight = torch.zeros(len(found.mixture.entry), len(data.classes))
        weight.scatter_add_(1, found.exemplar.cell_labels()[found.mixture.entry], found.mixture.weight)
        wanted = torch.from_numpy(target.labels[::CELL_PX, ::CELL_PX].astype(np.int64)).flatten()
        known = torch.from_numpy(np.isin(wanted.numpy(), found.exemplar.labels))
        right.append(float((weight.argmax(1) == wanted)[known].float().mean()))
    return [("2 warped labels are the target's", f"{fmean(right):.3f} (chance {1 / len(data.classes):.2f})", ">= 0.9")]


def itself(networks: Networks, targets: Sequence[Pair]) -> list[Row]:
    """The exemplar is the target itself."""
    torch.manual_seed(0)
    untrained = Networks(networks.configuration).apply(start_xavier).eval().plain()
    cycle, self_, warped = [], [], ([], [])
    for target in targets:
        for apart, those in zip(warped, (untrained, networks), strict=True):
            made = CoCosNet(target.photo, target.labels, those).traced(target.labels).picture.canvases[WARPED]
            apart.append(float(np.abs(made.astype(float) - target.photo).mean()) / 127.5)
        found = painted(networks, target, target)
        self_.append(psnr(found.output, target.photo))
        system = CoCosNet(target.photo, target.labels, networks)
        passage = system.live(system.traced(target.labels)).passage
        warp = Warp((passage.target @ passage.source.mT)[None])
        cells = passage.values[None]
        back = warp.to_exemplar(warp.to_target(cells))
        cycle.append(-10 * float(((back - cells) / 2).square().mean().log10()))
    return [
        ("3 there and back, PSNR, dB", f"{fmean(cycle):.1f}", ">= 22"),
        ("4 exemplar is the target: PSNR, dB", f"{fmean(self_):.2f}", ">= 20"),
        ("4 L1 of the warped exemplar, untrained and trained", ", ".join(f"{fmean(w):.3f}" for w in warped), "falls"),
    ]


def same_look(networks: Networks, data: Data) -> list[Row]:
    """Another picture of the same look beside one of any other look, where looks are known."""
    if not data.looks:
        return []
    right, wrong = [], []
    for number, target in enumerate(data.targets):
        right.append(psnr(painted(networks, target, data.alike(target)).output, target.photo))
        other = data.targets[(number + 3) % len(data.targets)]
        wrong.append(psnr(painted(networks, target, other).output, target.photo))
    return [("4 exemplar of the same look: PSNR, dB", f"{fmean(right):.2f} (of another look {fmean(wrong):.2f})", "")]


def exchanged(networks: Networks, data: Data) -> list[Row]:
    """Two classes of the exemplar exchange their colours: does the output follow?"""
    followed = []
    for target in data.targets:
        exemplar = data.alike(target)
        both = largest(target, exemplar, apart=APART)
        if both is None:
            continue
        before = painted(networks, target, exemplar)
        after = painted(networks, target, exchange(exemplar, *both))
        for one, other in (both, both[::-1]):
            own, theirs = (lab_mean(before.output, target.labels == label) for label in (one, other))
            now = lab_mean(after.output, target.labels == one)
            followed.append(float(np.linalg.norm(now - theirs) < np.linalg.norm(now - own)))
    return [
        (
            "5 colours exchanged between two classes: classes that follow",
            f"{fmean(followed):.2f} of {len(followed)}",
            ">= 0.9",
        )
    ]


def largest(target: Pair, exemplar: Pair, apart: float) -> tuple[int, int] | None:
    """The two largest classes that both have, in other colours in the exemplar."""
    counts = np.bincount(target.labels.ravel(), minlength=256) * (
        np.bincount(exemplar.labels.ravel(), minlength=256) > 400
    )
    order = [int(label) for label in np.argsort(-counts) if counts[label] > 400]
    colours = {label: lab_mean(exemplar.photo, exemplar.labels == label) for label in order}
    for place, one in enumerate(order):
        for other in order[:place]:
            if np.linalg.norm(colours[one] - colours[other]) >= apart:
                return other, one
    return None


def exchange(pair: Pair, one: int, other: int) -> Pair:
    """A pair whose photo has the mean colours of two classes exchanged."""
    photo = pair.photo.astype(np.float64)
    masks = [pair.labels == label for label in (one, other)]
    step = photo[masks[1]].mean(0) - photo[masks[0]].mean(0)
    photo[masks[0]] += step
    photo[masks[1]] -= step
    return Pair(pair.name, np.clip(np.rint(photo), 0, 255).astype(np.uint8), pair.labels, pair.instances, pair.look)


def layouts(networks: Networks, data: Data) -> list[Row]:
    """Another exemplar: colours change, the layout stays."""
    network, targets = trained(data.learned, data.classes), data.targets
    real, made, changed = Agreement(len(data.classes)), Agreement(len(data.classes)), []
    for number, target in enumerate(targets):
        first, second = (painted(networks, target, targets[(number + k) % len(targets)]).output for k in (1, 4))
        real.add(seen(network, target.photo), target.labels)
        for picture in (first, second):
            made.add(seen(network, picture), target.labels)
        changed.append(float(np.linalg.norm(rgb2lab(first / 255) - rgb2lab(second / 255), axis=2).mean()))
    return [
        ("6 two exemplars: mean difference of the outputs, Lab", f"{fmean(changed):.1f}", "> 10"),
        ("6 mIoU of a segmenter with the label map", f"{made.mean:.2f} (real pictures {real.mean:.2f})", ">= 0.7"),
    ]


def recorded(networks: Networks, data: Data) -> list[Row]:
    """The warp again from what a trace keeps."""
    target = data.targets[0]
    exemplar = data.alike(target)
    system = CoCosNet(exemplar.photo, exemplar.labels, networks)
    found = system(target.labels).mixture
    values = system.live(system.traced(target.labels)).passage.values
    rebuilt = (found.weight[:, :, None] * values[found.entry]).sum(1)
    error = (rebuilt - found.cells).abs().amax(1)
    bound = found.left_over * float(values.max() - values.min()) + 1e-5
    return [
        ("7 warp from the 8 kept cells: error within left-over x range", str(bool((error <= bound).all())), "True"),
        (
            "7 left over, median and mean",
            f"{median(found.left_over.tolist()):.3f}, {float(found.left_over.mean()):.3f}",
            "",
        ),
        (
            "8 weights and what is left add up to 1, apart",
            f"{float((found.weight.sum(1) + found.left_over - 1).abs().max()):.0e}",
            "< 1e-5",
        ),
    ]


def odd(networks: Networks, target: Pair) -> list[Row]:
    """A constant exemplar."""
    grey = np.full_like(target.photo, 127)
    found = CoCosNet(grey, target.labels, networks)(target.labels)
    finite = bool(torch.isfinite(found.mixture.cells).all() and torch.isfinite(found.mixture.entropy).all())
    return [("8 constant exemplar: finite", str(finite), "True")]


if __name__ == "__main__":
    publish(main())
