"""The recipe for bridging, from a folder of pictures with their attributes.

Encoder, mapping and generator learn together, against a discriminator that also names attributes (Huang et al. 2021,
section 4). The published training makes five steps of the discriminator for one of the makers, and holds its slope at
all three kinds of made pictures; ours makes one, and holds it at one of the three, drawn anew. It begins with what each
can learn without the other: to make pictures again, and to name attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ktviz.errors import SettingError
from ktviz.images import Pixels
from ktviz.systems.bridge import losses as both_ways
from ktviz.systems.bridge.configuration import Configuration
from ktviz.systems.bridge.known import back_db
from ktviz.systems.bridge.losses import (
    Asked,
    Weights,
    judge_losses,
    made,
    makers_losses,
    refined,
    slopes,
    weighted,
)
from ktviz.systems.bridge.shape import SMALL, Shape
from ktviz.systems.bridge.trained import Networks
from ktviz.training import adversarial, one_way
from ktviz.training.adversarial import Losses, Optimisers
from ktviz.training.attributed import Attributed, Order
from ktviz.training.changes import Changes
from ktviz.training.evaluate import psnr
from ktviz.training.looks import looks
from ktviz.training.loop import optimisers
from ktviz.training.one_way import Way
from ktviz.training.ranges import check_kind, check_rates, check_shares
from ktviz.training.sheet import sheet
from ktviz.values import one_of, whole

SHOWN = 6
"""Pictures that a preview shows."""
LOOKED_AT = 200
"""Pictures that tell, at the end, how well those come back that networks know."""
LEAST = 8
"""Rows and columns of a kernel that Muon learns."""
DIRECTION = 4.0
"""How much larger than others initial weights are that what is asked for meets."""
SIGNS = (-1, 0, 1)
LEARNED = ("both", *both_ways.WAYS)
"""Ways to a code that can learn."""
TABLES = ("looks", "drawn")
"""Beginnings of the table of noise."""


@dataclass(frozen=True, eq=False)
class Drawn(Asked):
    """What a step is about, and more that is known of its pictures.

    Attributes:
        apart: (B, attributes) all in which references differ.
        looks: (B, noise) what the sources look like; None where the table does not say it.
    """

    apart: Tensor
    looks: Tensor | None


@dataclass(frozen=True)
class Recipe(adversarial.Recipe):
    """Settings of a run; those of `ktviz.training.adversarial.Recipe`, and

    Attributes:
        table: How the table of noise begins: "drawn", as published; or "looks": what pictures look like where they have
            an attribute (`ktviz.training.looks`), so that labels can learn from them pixel by pixel.
        refinement: Of the table: 1 as published, away from the references; -1 towards them; 0 for none.
        ways: Which ways to a code learn: "both"; or "labels" or "reference" alone, without noise that is refined.
        alone: Updates at the beginning in which pictures only come back, as they are or after a change in one place,
            and the discriminator only names attributes: small networks judged from the start paint sparks. Codes of
            labels become those of references, which do not yet come towards them.
        together: Learning rates after that, relative to those of the recipe.
        muon_rate: Of Muon, for the kernels of the makers; `learning_rate` is that of Adam for the rest.
        discriminator_muon_rate: The same of the discriminator.
        single: Share of the pictures of which one change is asked; of the others all in which the reference differs.
        weights: Of the losses of the makers.
        shape: Sizes of the networks.
    """

    steps: int = 10_000
    constant: float = 0.6
    batch: int = 2
    crop: tuple[int, int] = (96, 96)
    learning_rate: float = 1e-3
    discriminator_rate: float = 5e-4
    muon_rate: float = 0.002
    discriminator_muon_rate: float = 0.003
    table: str = "looks"
    refinement: int = 0
    ways: str = "both"
    alone: int = 8_500
    together: float = 0.5
    polish: float = 0.05
    polish_adversarial: float = 4.0
    single: float = 0.5
    weights: Weights = field(
        default_factory=lambda: Weights(
            adversarial=0.1, attributes=4.0, cycle=10.0, bridge=1.0, back=100.0, around=50.0
        )
    )
    shape: Shape = SMALL

    def __post_init__(self) -> None:
        super().__post_init__()
        check_kind(self, "weights", Weights)
        check_kind(self, "shape", Shape)
        if whole("alone", self.alone) < 0:
            raise SettingError(f"alone {self.alone}", "less than 0", "Give a whole number from 0")
        check_shares(self, "together", "single")
        check_rates(self, "muon_rate", "discriminator_muon_rate")
        if isinstance(self.refinement, bool) or self.refinement not in SIGNS:
            found = "not one of -1, 0 and 1"
            raise SettingError(f"refinement {self.refinement}", found, 'Give 1 with table="drawn", as published')
        one_of("ways", self.ways, LEARNED)
        one_of("table", self.table, TABLES)
        if self.refinement and self.table == "looks":
            found = "noise that is refined no longer says what pictures look like"
            raise SettingError(f"refinement {self.refinement} of looks", found, 'Begin with table="drawn"')
        if self.crop != (self.shape.side, self.shape.side):
            side = self.shape.side
            raise SettingError(f"crop {self.crop}", f"the networks take {side} px", f"Give ({side}, {side})")

    def rate(self, step: int) -> float:
        """The learning rates at `step`, relative to those of the recipe."""
        return super().rate(step) * (1.0 if step < self.alone else self.together)


def train(
    folder: Path,
    out: Path,
    *,
    attributes: Sequence[str],
    exclusive: Sequence[Sequence[str]],
    recipe: Recipe,
    evaluation: Mapping[str, Path],
    resume: bool = False,
    device: str = "cpu",
    quiet: bool = False,
) -> dict[str, Any]:
    """Train encoder, mapping and generator.

    Args:
        folder: Of pictures and their attributes; see `ktviz.training.attributed.Attributed.read`.
        out: The run's folder: `networks.safetensors`, `log.json`, `preview/`, `checkpoint.pt`.
        attributes: Names of those that can be changed: columns of the table.
        exclusive: Groups of them of which a picture has one at most.
        recipe: Settings.
        evaluation: Named folders of held-out pictures to score at the end.
        resume: Go on from `out/checkpoint.pt`.
        device: "cpu" or "cuda".
        quiet: No progress bars.

    Returns:
        The log, as written to `out/log.json`.

    Raises:
        TrainingError: A checkpoint is missing, already there, or of another recipe; the table cannot be used; the loss
            is no longer finite.
        SettingError: Other numbers of attributes, or the device is unknown.
        ImageError: A picture, or one to score, cannot be read.
    """
    return Run(folder, out, attributes, exclusive, recipe, device, quiet).train(resume, evaluation)


class Run(adversarial.Run[Recipe, Networks, Drawn, Attributed]):
    """One training run of encoder, mapping and generator."""

    BETAS = (0.5, 0.999)

    def __init__(
        self,
        folder: Path,
        out: Path,
        attributes: Sequence[str],
        exclusive: Sequence[Sequence[str]],
        recipe: Recipe,
        device: str,
        quiet: bool,
    ) -> None:
        known = Configuration(recipe.shape, tuple(attributes), tuple(map(tuple, exclusive)))
        self.recipe, self.quiet, self.names, self.exclusive = recipe, quiet, known.attributes, known.exclusive
        self.data = self.read(folder)
        self.order = Order(len(self.data), recipe.seed)
        self.changes = Changes(self.data, self.exclusive, device)
        groups = [list(group) for group in self.exclusive]
        origin = {"attributes": list(self.names), "exclusive": groups, "data": self.data.digest}
        super().__init__(out, recipe, self.order, origin, device, quiet)

    def read(self, folder: Path) -> Attributed:
        """The pictures of a folder."""
        return Attributed.read(folder, self.names, self.recipe.shape.side, self.quiet, self.exclusive)

    def networks(self) -> tuple[Networks, nn.Module]:
        shape = self.recipe.shape
        makers = Networks(shape, self.names, self.exclusive, len(self.data)).train().requires_grad_(True)
        makers.table.copy_(self.first_table())
        with_directions(makers.apply(start_glorot), shape.noise)
        return makers, shape.discriminator().apply(start_glorot)

    def first_table(self) -> Tensor:
        """The noise with which a training begins."""
        size, data, changes = self.recipe.shape.noise, self.data, self.changes
        if self.recipe.table == "drawn":
            return torch.randn(len(data), size)
        return looks(data.pictures, data.has, changes.shown.cpu(), changes.groups, size)

    def draw(self) -> Drawn:
        """Sources; each other's labels and pictures as references; noise of the table, refined and written back."""
        numbers = self.order.draw(self.recipe.batch)
        mixed = self.order.mixed(len(numbers))
        references = [numbers[place] for place in mixed]
        source, has = self.data.batch(numbers).to(self.device), self.data.has[numbers].to(self.device)
        reference, apart = source[mixed], has[mixed] - has
        wanted = has + self.changes.one_or_all(apart, self.recipe.single)
        table, sign = self.makers.table, self.recipe.refinement if self.recipe.ways == "both" else 0
        own = table[numbers] if self.recipe.table == "looks" else None
        noise = refined(self.makers.makers, reference, wanted - has, table[references], sign)
        table[references] = noise
        count = len(numbers)
        fresh = torch.randn(count, self.recipe.shape.noise, device=self.device)
        alpha = torch.rand(count, 1, 1, 1, device=self.device)
        return Drawn(source, reference, has, wanted, noise, fresh, alpha, apart, own)

    @property
    def way(self) -> Way | None:
        """The only way that learns; None for both."""
        return None if self.recipe.ways == "both" else cast(Way, self.recipe.ways)

    def optimisers(self, network: nn.Module, rate: float) -> Optimisers:
        """Muon for kernels, AdamW for the rest: with Adam alone, makers so small need four times the steps."""
        recipe = self.recipe
        muon_rate = recipe.muon_rate if network is self.makers else recipe.discriminator_muon_rate
        return optimisers(network.parameters(), muon_rate, rate, LEAST)

    def forward(self, drawn: Drawn) -> tuple[Losses, Callable[[], Losses]]:
        given = self.recipe.weights
        if self.loop.step < self.recipe.alone:
            losses = self.back(drawn) or {"same": self.same(drawn)}
            return weighted(losses | self.told(drawn), given), partial(self.named, drawn)
        self.discriminators.requires_grad_(False)
        unweighted, pictures = self.learned(drawn)
        losses = weighted(unweighted, replace(given, adversarial=self.judgement * given.adversarial))
        self.discriminators.requires_grad_(True)
        fake = pictures[int(torch.randint(3, ())) % len(pictures)].detach().float()
        return losses, partial(self.judged, drawn, fake)

    def named(self, asked: Asked) -> Losses:
        """What the discriminator is to lower that names attributes only."""
        _, has = self.discriminators(asked.source)
        return {"judge attributes": F.binary_cross_entropy_with_logits(has.float(), asked.has)}

    def told(self, drawn: Drawn) -> Losses:
        """How far codes of labels are from those of references, which stay; nothing where one way learns."""
        if self.way is not None:
            return {}
        makers = self.makers.makers
        with torch.no_grad():
            wanted = makers.encoder(drawn.reference, drawn.difference)
        return {"bridge": F.l1_loss(makers.mapping(drawn.noise, drawn.difference), wanted)}

    def same(self, drawn: Drawn) -> Tensor:
        """How far pictures are from themselves where nothing is to change, by the ways that learn."""
        makers, way = self.makers.makers, self.way
        return both_ways.same(makers, drawn) if way is None else one_way.same(makers, drawn, way)

    def learned(self, drawn: Drawn) -> tuple[Losses, Sequence[Tensor]]:
        """What the makers are to lower, not weighted, and the pictures that the discriminator judges."""
        makers, judge, way = self.makers.makers, self.discriminators, self.way
        pictures: Sequence[Tensor]
        if way is None:
            found = made(makers, drawn)
            losses, pictures = makers_losses(makers, judge, drawn, found), found.pictures
        else:
            one = one_way.made_one_way(makers, drawn, way)
            losses, pictures = one_way.one_way_losses(makers, judge, drawn, one, way), (one.picture,)
        if self.recipe.weights.around:
            losses["around"] = both_ways.around(drawn.source, pictures, self.changes.around(drawn.difference))
        return losses | self.back(drawn), pictures

    def back(self, drawn: Drawn) -> Losses:
        """How far pictures are from themselves after one change in one place is taken back, if that counts."""
        if not self.recipe.weights.back:
            return {}
        difference, where = self.changes.in_one_place(drawn.apart)
        ways = both_ways.WAYS if self.way is None else (self.way,)
        return {"back": both_ways.back(self.makers.makers, drawn, difference, where, drawn.looks, ways)}

    def judged(self, asked: Asked, fake: Tensor) -> Losses:
        """What the discriminator is to lower, weighted; in float32, for its slope is part of it."""
        with torch.autocast(self.device, enabled=False):
            between = [torch.rand(len(fake), 1, 1, 1, device=self.device)]
            losses = judge_losses(self.discriminators, asked, [fake], between)
        parts = {"adversarial": 1.0, "attributes": 1.0, "penalty": self.recipe.weights.penalty}
        return {f"judge {name}": part * losses[name] for name, part in parts.items()}

    @torch.no_grad()
    def preview(self) -> Pixels:
        """Sources, references, pictures by labels with two noises, by the reference, and again; how far apart the codes
        of both ways are, relative to their size, and how steep the discriminator is, join the history."""
        numbers = [*range(min(SHOWN, len(self.data)))]
        makers = self.average.network.makers
        source, has = self.data.batch(numbers).to(self.device), self.data.has[numbers].to(self.device)
        mixed = [*numbers[1:], numbers[0]]
        reference, wanted = source[mixed], has[mixed]
        random = torch.Generator().manual_seed(0)
        noises = [
            torch.randn(len(numbers), self.recipe.shape.noise, generator=random).to(self.device) for _ in range(2)
        ]
        alpha = torch.full((len(numbers), 1, 1, 1), 0.5, device=self.device)
        found = made(makers, Asked(source, reference, has, wanted, noises[0], noises[1], alpha))
        size = (found.by_labels.abs().mean() + found.by_reference.abs().mean()) / 2
        self.loop.history[-1] |= {
            "apart": float(F.l1_loss(found.by_labels, found.by_reference) / size),
            "slope": self.slope(source, found.pictures, alpha),
        }
        nothing = torch.zeros_like(has)
        code = makers.encoder(source, nothing)
        again = makers.generator(source, code + makers.mapping(noises[0], nothing))
        return sheet([source, reference, found.labels, found.again, found.reference, found.between, again])

    @torch.enable_grad()
    def slope(self, source: Tensor, pictures: Sequence[Tensor], alpha: Tensor) -> float:
        """Of the discriminator, in the middle between sources and made pictures: mean."""
        found = [slopes(self.discriminators, source, picture, alpha).detach() for picture in pictures]
        return float(torch.stack(found).mean())

    def kept(self) -> Networks:
        return self.average.network.cpu().eval()

    def save(self, networks: Networks) -> None:
        some = (self.data.batch([number]) for number in range(min(LOOKED_AT, len(self.data))))
        networks.known_db = min(back_db(networks.makers, picture, len(self.names)) for picture in some)
        networks.save(self.out)

    def counts(self) -> dict[str, int]:
        return {"pictures": len(self.data)}

    def held_out(self, folder: Path) -> tuple[str, Attributed]:
        found = self.read(folder)
        return found.digest, found

    @torch.no_grad()
    def score(self, networks: Networks, pictures: Attributed) -> dict[str, float]:
        """PSNR in dB of pictures of which nothing is to change, by a reference: mean."""
        makers, apart = networks.makers, []
        nothing = torch.zeros(1, len(self.names))
        for number in range(len(pictures)):
            source, other = (pictures.batch([n % len(pictures)]) for n in (number, number + 1))
            again = makers.generator(source, makers.encoder(source, nothing) + makers.encoder(other, nothing))
            apart.append(psnr((again + 1) / 2, (source + 1) / 2))
        return {"pictures": len(pictures), "psnr": round(fmean(apart), 3)}


def with_directions(networks: Networks, noise: int) -> None:
    """Initial weights with which codes depend on what is asked for: of all that comes in, that is one number."""
    with torch.no_grad():
        networks.encoder.entry.weight[:, 3:] *= DIRECTION
        networks.mapping.entry.weight[:, noise:] *= DIRECTION


def start_glorot(module: nn.Module) -> None:
    """The published initial weights: Glorot's uniform ones, and no bias."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
