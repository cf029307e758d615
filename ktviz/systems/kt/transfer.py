"""Transfer: what the winner gives to the query."""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor

from ktviz.errors import SettingError
from ktviz.values import one_of

TransferMode = Literal["statistics", "swap"]
EPSILON = 2e-5
"""Added to the query's standard deviation, as in the authors' code."""
MOST_GAIN = 1000.0
"""A larger bound bounds nothing."""


def transfer(
    queries: Tensor, winners: Tensor, mode: TransferMode = "statistics", strength: float = 1.0, max_gain: float = 0.0
) -> Tensor:
    """Give each query its winner's statistics, or its winner.

    `statistics` (the paper's default): per patch and channel, (q - mean q) * gain + mean p over the 16 positions, with
    gain = std p / (std q + 2e-5) and unbiased deviations. In a flat patch std q is almost nothing and the gain blows
    noise up into speckle, so it can be bounded. `swap` takes the winner as it is.

    Args:
        queries: (N, C, 4, 4).
        winners: (N, C, 4, 4).
        mode: "statistics" or "swap".
        strength: 0 leaves the query, 1 is the full transfer.
        max_gain: Upper bound of the gain; 0 means none, as published.

    Returns:
        (N, C, 4, 4).
    """
    if mode == "swap":
        result = winners
    else:
        mean_q, std_q = statistics(queries)
        mean_p, std_p = statistics(winners)
        gain = std_p / (std_q + EPSILON)
        if max_gain > 0:
            gain = gain.clamp(max=max_gain)
        result = (queries - mean_q) * gain + mean_p
    return result if strength == 1 else queries.lerp(result, strength)


def statistics(patches: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and unbiased standard deviation per patch and channel: (N, C, 4, 4) to twice (N, C, 1, 1)."""
    mean = patches.mean((2, 3), keepdim=True)
    # Written out because torch's own std() is five times slower on position-major memory.
    variance = (patches - mean).square().sum((2, 3), keepdim=True) / (patches.shape[2] * patches.shape[3] - 1)
    return mean, variance.sqrt()


def check_transfer(mode: str, strength: float, max_gain: float) -> None:
    """Refuse settings outside their range.

    Raises:
        SettingError: Unknown mode, strength outside 0..1, or a negative gain bound.
    """
    one_of("transfer", mode, get_args(TransferMode))
    if not 0 <= strength <= 1:
        raise SettingError(f"strength {strength}", "outside 0 to 1", "Give a number from 0 (no transfer) to 1")
    if not 0 <= max_gain <= MOST_GAIN:
        found = f"not a number from 0 to {MOST_GAIN:g}"
        raise SettingError(f"gain bound {max_gain}", found, "Give 0 for none, or 2 to 6")
