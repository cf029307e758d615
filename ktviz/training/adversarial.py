"""What adversarial recipes have in common: makers learn against discriminators, and their average is kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

from ktviz.errors import SettingError
from ktviz.images import Pixels, file_digest
from ktviz.training.average import Average
from ktviz.training.loop import Draws, Loop
from ktviz.training.precision import check_device, fast_arithmetic, fast_type
from ktviz.training.ranges import check_counts, check_rates, check_seed, check_shares, check_weights
from ktviz.values import short, whole

Losses = dict[str, Tensor]
Optimisers = list[tuple[torch.optim.Optimizer, float]]
"""With their peak learning rates."""
N = TypeVar("N", bound=nn.Module)
R = TypeVar("R", bound="Recipe")
D = TypeVar("D")
H = TypeVar("H")


@dataclass(frozen=True)
class Recipe:
    """Settings of a run.

    Attributes:
        steps: Updates.
        constant: Share of them at the full learning rates; then these fall to zero in a straight line.
        batch: Pictures per update.
        crop: Height and width of a crop in px.
        seed: Seeds the initial weights and the crops.
        learning_rate: Of Adam, for the makers.
        discriminator_rate: Of Adam, for the discriminators.
        decay: Of the moving average.
        polish: Share of `steps` that follow them, against what they leave behind.
        polish_rate: Learning rates at the beginning of that, relative to those of the recipe; they fall to zero.
        polish_adversarial: What the discriminators count while polishing, relative to before. Small networks answer
            them with scribbles where they cannot know the texture.

    Raises:
        SettingError: A setting is outside its range.
    """

    steps: int = 12_000
    constant: float = 0.6
    batch: int = 1
    crop: tuple[int, int] = (256, 256)
    seed: int = 7
    learning_rate: float = 4e-4
    discriminator_rate: float = 2e-4
    decay: float = 0.999
    polish: float = 0.0
    polish_rate: float = 0.5
    polish_adversarial: float = 0.35

    def __post_init__(self) -> None:
        check_counts(self, "steps", "batch")
        check_shares(self, "constant", "decay", "polish_rate")
        check_weights(self, "polish", "polish_adversarial")
        check_rates(self, "learning_rate", "discriminator_rate")
        check_seed(self)

    def check_crop(self, least: int, multiple: int) -> None:
        """Raise SettingError unless the crop is a height and a width that the networks take."""
        sides = self.crop if isinstance(self.crop, (tuple, list)) else ()
        crop = tuple(whole("a side of the crop", side) for side in sides)
        if len(crop) != 2 or any(side < least or side % multiple for side in crop):
            found, side = f"not two multiples of {multiple} from {least}", -(-max(least, 256) // multiple) * multiple
            raise SettingError(f"crop {short(self.crop)} px", found, f"Give ({side}, {side})")
        object.__setattr__(self, "crop", crop)

    @property
    def total(self) -> int:
        """All updates, polishing included."""
        return self.steps + round(self.polish * self.steps)

    def rate(self, step: int) -> float:
        """The learning rates at `step`, relative to those of the recipe."""
        if step >= self.steps and self.total > self.steps:
            return self.polish_rate * (self.total - step) / (self.total - self.steps)
        falling = self.steps * (1 - self.constant)
        return min(1.0, (self.steps - step) / falling) if falling else 1.0


class Run(ABC, Generic[R, N, D, H]):
    """One training run: its networks and its position.

    Args:
        out: The run's folder.
        recipe: Settings.
        draws: The data.
        origin: What else a run that goes on must agree with; the digest of the data is `data`.
        device: "cpu" or "cuda".
        quiet: No progress bars.
    """

    BETAS: ClassVar[tuple[float, float]]
    """Of Adam."""
    EPSILON: ClassVar[float] = 1e-8
    """Of Adam."""
    DECAY: ClassVar[float] = 0.0
    """Of the weights, within Adam."""

    def __init__(self, out: Path, recipe: R, draws: Draws, origin: Mapping[str, Any], device: str, quiet: bool) -> None:
        check_device(device)
        torch.manual_seed(recipe.seed)
        self.out, self.recipe, self.device, self.quiet = out, recipe, device, quiet
        self.makers, self.discriminators = self.networks()
        for network in (self.makers, self.discriminators):
            network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = Average(self.makers, recipe.decay)
        self.makers_step = self.optimisers(self.makers, recipe.learning_rate)
        self.discriminators_step = self.optimisers(self.discriminators, recipe.discriminator_rate)
        self.loop = Loop(
            out,
            {"recipe": asdict(recipe), **origin},
            {"makers": self.makers, "discriminators": self.discriminators, "average": self.average},
            [*self.makers_step, *self.discriminators_step],
            draws,
            device,
            quiet,
            self.preview,
        )

    @abstractmethod
    def networks(self) -> tuple[N, nn.Module]:
        """Makers and discriminators, with their initial weights."""

    @abstractmethod
    def draw(self) -> D:
        """The data of a step, on the device."""

    @abstractmethod
    def forward(self, drawn: D) -> tuple[Losses, Callable[[], Losses] | None]:
        """What the makers are to lower at this step, weighted; and what computes, once they have made their step, what
        the discriminators are to lower. None: these rest."""

    @abstractmethod
    def preview(self) -> Pixels:
        """A picture of what the average makes by now."""

    @abstractmethod
    def kept(self) -> N:
        """The average on the CPU, as it is to be used."""

    @abstractmethod
    def save(self, networks: N) -> None:
        """Write float16 weights into the run's folder."""

    @abstractmethod
    def counts(self) -> Mapping[str, int]:
        """How much the networks learn from."""

    @abstractmethod
    def held_out(self, folder: Path) -> tuple[str, H]:
        """Digest and pictures of a folder that is to be scored; errors where these cannot be."""

    @abstractmethod
    def score(self, networks: N, pictures: H) -> dict[str, float]:
        """What the networks are worth on pictures that they never saw."""

    @property
    def polishing(self) -> bool:
        """Whether the steps are over, and the polish has begun."""
        return self.loop.step >= self.recipe.steps

    @property
    def judgement(self) -> float:
        """What the discriminators count at this step."""
        return self.recipe.polish_adversarial if self.polishing else 1.0

    def optimisers(self, network: nn.Module, rate: float) -> Optimisers:
        """What makes the steps of the makers, or of the discriminators: Adam."""
        return [(torch.optim.Adam(network.parameters(), rate, self.BETAS, self.EPSILON, self.DECAY), rate)]

    def train(self, resume: bool, evaluation: Mapping[str, Path]) -> dict[str, Any]:
        """All steps, then the weights, their scores and the log, which is returned.

        What is to be scored is read before the first step: an error there must not end a long run.
        """
        self.loop.restore() if resume else self.loop.begin()
        held_out = {name: self.held_out(path) for name, path in evaluation.items()}
        with fast_arithmetic(self.device):
            self.loop.run(self.recipe.total, self.recipe.rate, self.update)
        networks = self.kept()
        self.save(networks)
        scores = {name: {"digest": digest, **self.score(networks, pairs)} for name, (digest, pairs) in held_out.items()}
        digests = {path.stem: file_digest(path) for path in sorted(self.out.glob("*.safetensors"))}
        return self.loop.write_log(self.counts(), digests, scores)

    def update(self) -> Losses:
        """A step of the makers, then one of the discriminators."""
        drawn = self.draw()
        with self.fast():
            losses, judged = self.forward(drawn)
        self.lower(losses, self.makers_step)
        self.average.update(self.makers)
        if judged is not None:
            with self.fast():
                others = judged()
            self.lower(others, self.discriminators_step)
            losses |= others
        return {name: loss.detach() for name, loss in losses.items()}

    def fast(self) -> AbstractContextManager[None]:
        """bfloat16 where it is fast."""
        return torch.autocast(self.device, torch.bfloat16, enabled=fast_type(self.device) == torch.bfloat16)

    @staticmethod
    def lower(losses: Losses, optimisers: Optimisers) -> None:
        """One step down the sum of losses."""
        for optimiser, _ in optimisers:
            optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        for optimiser, _ in optimisers:
            optimiser.step()
