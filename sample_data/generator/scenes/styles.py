"""Classes, the styles of each, and which object of a picture has which: the look of a scene, apart from its layout."""

from __future__ import annotations

import numpy as np

from .texture import colour

Array = np.ndarray

STREETS = (
    "unknown", "sky", "road", "pavement", "grass", "building", "roof", "window", "door", "tree", "car", "person",
    "lamp", "hill",
)  # fmt: skip
ROOMS = (
    "unknown", "wall", "floor", "ceiling", "window", "door", "curtain", "rug", "sofa", "table", "chair", "shelf",
    "lamp", "picture", "plant", "cushion", "bed",
)  # fmt: skip
CLASSES = {"streets": STREETS, "rooms": ROOMS}
REGIONS = {
    "streets": frozenset({"unknown", "sky", "road", "pavement", "grass", "hill"}),
    "rooms": frozenset({"unknown", "wall", "floor", "ceiling"}),
}
"""Classes that are not counted: their instance number is their class number. Others have class * 1000 + n."""

LABEL_COLOURS = {
    "streets": "#000000 #7fb4e6 #5a5560 #d8a9c4 #8cc63f #b5523b #7a2f4a #35d0d6 #f2c14e #1f7a3a #2346c7 #e6194b "
    "#ffe119 #9b8cc9",
    "rooms": "#000000 #d9c7a0 #8f5a3c #f4efe6 #5ec8f2 #b5523b #c77dd6 #d6304a #2f6db3 #e08a2e #7a4fbf #6b4423 #ffe119 "
    "#1fa187 #3a9d3a #ff8fb1 #34406b",
}
"""Display colours of the classes, in their order."""

STYLES: dict[str, dict[str, dict[str, str]]] = {
    "streets": {
        "sky": {"clear noon": "#5b93d6", "overcast": "#b9c0c8", "golden evening": "#e8b878", "blue dusk": "#4a5a96"},
        "road": {"asphalt": "#54545a", "concrete": "#9a958c", "cobbles": "#6e6258", "red clinker": "#8a5240"},
        "pavement": {"grey slabs": "#9c9c9a", "sandstone": "#c2a67c", "red paving": "#a5624c", "dark setts": "#5c6068"},
        "grass": {"fresh": "#5f9a34", "dry": "#b3a45c", "meadow": "#3c6e3a", "autumn": "#9a7a3a"},
        "building": {
            "red brick": "#a14c38", "ochre plaster": "#d9a352", "white render": "#e9e4d8", "grey stone": "#8d8c88",
            "blue clapboard": "#6f93b5", "pink plaster": "#dc9a94", "green plaster": "#93a878",
            "yellow brick": "#c7a873",
        },
        "roof": {
            "red tiles": "#a5482f", "slate": "#4a515e", "brown shingle": "#6b4c38", "copper": "#6aa390",
            "orange pantiles": "#cc7440", "thatch": "#b09660",
        },
        "window": {
            "white sash": "#f2f0ea", "dark timber": "#4a2f22", "green frame": "#2f6b4a", "blue frame": "#3d6ca8",
            "red frame": "#a03030",
        },
        "door": {
            "red": "#b02a2a", "blue": "#2a5a9c", "green": "#2f6b45", "oak": "#9a6a3a", "yellow": "#dcae38",
            "black": "#26262a",
        },
        "tree": {
            "summer green": "#4f8a2c", "dark green": "#25543a", "autumn orange": "#d8822a", "pink blossom": "#eeb0c4",
            "crimson": "#9c2f34", "lime": "#a8bc3c",
        },
        "car": {
            "red": "#b8201f", "blue": "#2458b0", "white": "#e8e8e6", "black": "#1c1e22", "yellow": "#e8b820",
            "mint": "#6fbfa4", "silver": "#9aa2ac",
        },
        "person": {
            "red coat": "#c02c34", "blue jacket": "#2f5ca8", "yellow raincoat": "#ecc02c", "dark suit": "#2c2e36",
            "white summer": "#ece8dc", "green parka": "#4c7a4a",
        },
        "lamp": {"black iron": "#26282a", "green iron": "#2f5a48", "silver": "#a4a8ac", "blue iron": "#2f4a78"},
        "hill": {"wooded": "#4a6a44", "blue": "#6a84a8", "heather": "#8a6a86", "golden": "#b89a5c"},
    },
    "rooms": {
        "wall": {
            "white plaster": "#ece6da", "sage": "#a3b091", "terracotta": "#c4785a", "blue damask": "#7f9fc0",
            "yellow stripes": "#e2c684", "teal": "#43797c", "pink": "#dfaaa6", "panelling": "#a47a50",
        },
        "floor": {
            "oak planks": "#b98a58", "walnut herringbone": "#6e472f", "grey tiles": "#a3a3a0", "checkers": "#8a8680",
            "white boards": "#d6cec0", "terracotta tiles": "#b4694a",
        },
        "ceiling": {"white": "#f2eee6", "cream": "#eadcbc", "pale blue": "#ccd8e2", "timber": "#a8825c"},
        "window": {"noon": "#cfe4f4", "overcast": "#d8dce0", "evening": "#f4c88c", "dusk": "#5a6aa8"},
        "door": {"white": "#ebe6dc", "oak": "#a8743e", "blue": "#40688e", "green": "#4f7358", "red": "#9c3a34"},
        "curtain": {
            "white linen": "#eee8dc", "red velvet": "#9c2a30", "blue stripes": "#5a7cae", "mustard": "#d0a038",
            "green": "#5c8458", "plum": "#6e4468",
        },
        "rug": {
            "persian red": "#a83a32", "blue kilim": "#3a5f96", "cream": "#dccfb4", "green": "#5a8058",
            "sunset stripes": "#d88a44", "charcoal": "#4a4c52",
        },
        "sofa": {
            "grey wool": "#8e9094", "navy": "#2f426e", "mustard": "#d2a236", "cognac leather": "#a0582c",
            "green velvet": "#3c6b4e", "rose": "#d09090",
        },
        "table": {"oak": "#bd8c55", "walnut": "#6a432b", "white": "#e6e2da", "black": "#2c2a2a", "red": "#a8382f"},
        "chair": {"oak": "#bd8c55", "black": "#2e2c2c", "white": "#e8e4dc", "red": "#b03a30", "teal": "#3a8084"},
        "shelf": {"oak": "#bd8c55", "white": "#e8e4dc", "walnut": "#64402a", "teal": "#3f7478"},
        "lamp": {"cream": "#f6dfae", "red": "#d8503c", "green": "#7fae6c", "blue": "#7aa6cc"},
        "picture": {
            "meadow": "#86a05a", "sea": "#4a86b4", "sunset": "#dd8a4e", "red abstract": "#b4403a", "ink": "#c8c0b0",
            "night": "#34406e",
        },
        "plant": {
            "green": "#4a8238", "dark": "#27533a", "lime": "#9fb848", "red leaves": "#9a3c48", "silver": "#94a898",
        },
        "cushion": {
            "red": "#b8352f", "mustard": "#d8a832", "teal": "#2f8088", "white": "#ece6da", "navy stripes": "#33477e",
            "pink": "#e09aa4", "olive": "#7c8444",
        },
        "bed": {
            "white linen": "#ebe6dc", "navy": "#3a4d7e", "red patchwork": "#b04a40", "sage": "#94a686",
            "mustard": "#d4a848", "lilac": "#a894bc",
        },
    },
}  # fmt: skip
"""By kind of scene and class: the name of each style and its typical display colour."""

SHARED = frozenset({"window", "lamp", "chair", "curtain", "table", "bed", "shelf"})
"""Classes whose objects look alike within one picture."""

LIGHTS = {"streets": "sky", "rooms": "window"}
"""The class whose style is the time of day."""


def class_of(instance: Array) -> Array:
    """Class numbers of instance numbers."""
    return np.where(instance < 1000, instance, instance // 1000).astype(np.uint8)


class Looks:
    """The styles of one picture: drawn by the seed alone, so that the same layout can be seen in other looks."""

    def __init__(self, kind: str, seed: int) -> None:
        self.kind, self.seed = kind, seed
        self.chosen: dict[int, int] = {}
        rng = np.random.default_rng((seed, 11))
        self._palettes = {}
        for name, styles in STYLES[kind].items():
            order = rng.permutation(len(styles))
            single = name in SHARED or name in REGIONS[kind] or name == LIGHTS[kind]
            self._palettes[name] = order[:1] if single else order[: 3 if name == "building" else 4]
        self.light = int(self._palettes[LIGHTS[kind]][0])

    def style(self, name: str, instance: int) -> str:
        """The style of an object, by name; remembered in `chosen`."""
        palette = self._palettes[name]
        number = int(palette[int(self.rng(instance).integers(len(palette)))])
        self.chosen[instance] = number
        return list(STYLES[self.kind][name])[number]

    def base(self, name: str, style: str, instance: int, vary: float = 0.06) -> Array:
        """The linear colour of a style, a little different for each object."""
        rng = self.rng(instance, 5)
        change = np.exp2(rng.normal(0, vary * 2) + rng.normal(0, vary * 0.5, 3))
        return np.clip(colour(STYLES[self.kind][name][style]) * change, 0, 0.95).astype(np.float32)

    def rng(self, instance: int, stream: int = 0) -> np.random.Generator:
        """Random numbers of an object's look."""
        return np.random.default_rng((self.seed, instance, stream, 77))
