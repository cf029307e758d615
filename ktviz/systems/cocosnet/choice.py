"""Which exemplar a label map is given: the picture of a bank that is most like it as a whole.

The published tests read a list of retrieved exemplars. Here both are compared in the common domain of the two feature
nets: features of the label map and of every picture, their means over 4x4 parts of the picture, as one vector each, by
cosine. So what is asked is whether the same classes lie in the same parts. Pictures and maps are seen with a shorter
side of 256 px at most.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ktviz.errors import UnknownNameError
from ktviz.images import Pixels, resize_short_side
from ktviz.labels.maps import Map
from ktviz.networks.running import run
from ktviz.networks.threads import threads_for
from ktviz.networks.weights import module_digest
from ktviz.retrieval.exact import cosines
from ktviz.systems.choice import Choice, Pictures
from ktviz.systems.cocosnet.correspondence import CELL_PX
from ktviz.systems.cocosnet.networks import Networks
from ktviz.systems.cocosnet.passage import features_of, planes_of

PARTS = 4
"""Parts of a picture, a side."""
SIDE_PX = 256


@dataclass(eq=False)
class Ranking:
    """The pictures of banks, as they are compared with label maps; what is seen of them is kept.

    Attributes:
        networks: Whose features are compared.
        catalogue: Of the pictures.
    """

    networks: Networks
    catalogue: Pictures
    _known: tuple[str, Tensor] | None = field(default=None, repr=False)

    def of(self, labels: Map, without: Collection[int]) -> Choice:
        """The pictures by falling similarity to a label map; of equally similar ones the lowest number first.

        Raises:
            UnknownNameError: All are left out.
        """
        kept = torch.tensor([number for number in range(len(self.catalogue)) if number not in without])
        if not len(kept):
            raise UnknownNameError(f"a run without {self.catalogue.name}", "nothing would be left", "Leave out fewer")
        planes = planes_of(seen_labels(labels), self.networks.configuration.planes)
        with threads_for(planes[0, 0].numel() // CELL_PX**2):
            asked = summary(run(self.networks.correspondence.of_labels, planes))
        similarity = cosines(asked, self.summaries[kept])[0]
        order = similarity.sort(descending=True, stable=True).indices
        return Choice(kept[order], similarity[order], self.catalogue)

    @property
    def summaries(self) -> Tensor:
        """Of all pictures, by these weights: (pictures, D)."""
        digest = module_digest(self.networks.correspondence.adaptive_model_img)
        if self._known is None or self._known[0] != digest:
            banks = self.catalogue.banks
            self._known = digest, torch.cat([self.summary_of(banks.picture(n)) for n in range(len(banks))])
        return self._known[1]

    def summary_of(self, pixels: Pixels) -> Tensor:
        """Of a picture: (1, D)."""
        seen = resize_short_side(pixels, SIDE_PX) if min(pixels.shape[:2]) > SIDE_PX else pixels
        return summary(features_of(self.networks, seen))


def seen_labels(labels: Map) -> Map:
    """A label map as large as pictures are seen: of every pixel of the small one the class in its middle."""
    shorter = min(labels.shape)
    if shorter <= SIDE_PX:
        return labels
    sides = [(round(side * SIDE_PX / shorter), side) for side in labels.shape]
    rows, columns = ((2 * np.arange(small) + 1) * large // (2 * small) for small, large in sides)
    return labels[np.ix_(rows, columns)]


def summary(features: Tensor) -> Tensor:
    """Means over parts of a picture: (1, C, h, w) to (1, C * parts)."""
    return F.adaptive_avg_pool2d(features, PARTS).flatten(1)
