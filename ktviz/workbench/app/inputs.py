"""What is translated: a sample or an uploaded picture, with the maps and the attributes that some systems need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import traitlets
from ipywidgets import HTML, Accordion, Dropdown, FileUpload, Image, Layout, TagsInput, VBox

from ktviz import samples
from ktviz.errors import KtvizError
from ktviz.images import Pixels, encode_image, read_image, resize_short_side
from ktviz.systems.material import Material
from ktviz.workbench.app.private import PrivateFolder
from ktviz.workbench.app.saying import Saying
from ktviz.workbench.app.uploads import kept

WIDE = Layout(width="auto")
PREVIEW_PX = 160
SAMPLES_WITH: Mapping[str, tuple[str, ...]] = {
    "photo": ("photo", "drawing", "portrait", "scene"),
    "labels": ("scene",),
    "instances": ("scene",),
    "attributes": ("portrait",),
}
"""By part of a picture, the kinds of samples that have it."""
MAPS = {"labels": "label map", "instances": "instance map", "classes": "classes.csv"}


class Inputs(VBox):
    """Which picture is to be translated.

    Args:
        folder: Where uploads are kept.

    Attributes:
        name: Of the chosen picture, as the list names it.
    """

    name = traitlets.Unicode()

    def __init__(self, folder: PrivateFolder) -> None:
        self.folder = folder
        self.uploaded: dict[str, Path] = {}
        self.takes: tuple[str, ...] = ("photo",)
        self.samples: dict[str, tuple[str, str]] = {}
        self.maps: dict[str, Path] = {}
        self.saying = Saying()
        self.choice = Dropdown(description="Picture", layout=WIDE)
        self.upload = FileUpload(accept="image/*", multiple=True, description="Upload pictures", layout=WIDE)
        self.preview = Image(layout=Layout(max_width="100%", max_height=f"{PREVIEW_PX}px", object_fit="contain"))
        self.has = TagsInput(allow_duplicates=False)
        self.want = TagsInput(allow_duplicates=False)
        self.of_maps = {name: FileUpload(accept=".png,.csv", multiple=False) for name in MAPS}
        for name, uploader in self.of_maps.items():
            uploader.description = f"Upload its {MAPS[name]}"
            uploader.layout = WIDE
            uploader.observe(lambda change, name=name: self._map(name, change["new"]), "value")
        self.more = Accordion(layout=WIDE)
        self.upload.observe(lambda change: self._upload(change["new"]), "value")
        super().__init__([self.choice, self.upload, self.saying, self.preview, self.more], layout=WIDE)
        traitlets.link((self.choice, "value"), (self, "name"), transform=(lambda one: one or "", lambda one: one))
        self.observe(lambda _: self._preview(), "name")
        self.offer(self.takes, *samples.names_for(""))

    def offer(self, takes: tuple[str, ...], kind: str, names: Sequence[str]) -> None:
        """Offer what a system can take, samples of a kind first, and of these some."""
        self.takes = takes
        fitting = [one for one in SAMPLES_WITH["photo"] if all(one in SAMPLES_WITH[part] for part in takes)]
        known = [(one, name) for one in fitting for name in samples.names()[one]]
        first = [(kind, name) for name in names if (kind, name) in known]
        self.samples = {f"{one[1]} (sample {one[0]})": one for one in dict.fromkeys([*first, *known])}
        chosen, options = self.name, [*self.uploaded, *self.samples]
        keep = chosen in self.uploaded or self.samples.get(chosen) in first
        self.choice.options = options
        self.choice.value = chosen if keep else next(iter(self.samples), options[0] if options else None)
        self._ask_more()

    def material(self) -> Material:
        """The chosen picture, with all that is known of it.

        Raises:
            KtvizError: Nothing is chosen, or what was given cannot be used.
        """
        if self.name in self.samples:
            return self._with_attributes(*self.samples[self.name])
        more: dict[str, Any] = {}
        if "labels" in self.takes:
            more |= {name: self.maps.get(name) for name in MAPS}
        if "attributes" in self.takes:
            more |= {"attributes": [*self.has.value], "want": [*self.want.value] or None}
        return Material(self.uploaded.get(self.name), name=self.name, **more)

    def pixels(self) -> Pixels:
        """The chosen picture itself."""
        if self.name in self.uploaded:
            return read_image(self.uploaded[self.name])
        kind, name = self.samples[self.name]
        found = getattr(samples, kind)(name)
        pixels: Pixels = {"portrait": lambda: found.pixels, "scene": lambda: found.photo}.get(kind, lambda: found)()
        return pixels

    def _with_attributes(self, kind: str, name: str) -> Material:
        found = getattr(samples, kind)(name)
        if kind == "scene":
            return Material(found.photo, found.labels, found.instances, found.classes, name=name)
        if kind == "portrait":
            want = [*self.want.value] if "attributes" in self.takes else None
            return Material(found.pixels, attributes=found.has, want=want or None, name=name)
        return Material(found, name=name)

    def _upload(self, given: Any) -> None:
        """Keep what was uploaded, if it is a picture, and choose it."""
        if not given:
            return
        self.saying.clear()
        for path in kept(self.folder, given):
            try:
                read_image(path)
            except KtvizError as error:
                self.saying.say(f"{path.name}: {error.found}. {error.todo}.", "wrong")
                continue
            name = untaken(path.name, self.uploaded)
            self.uploaded[name] = path
            self.choice.options = [*self.uploaded, *self.samples]
            self.choice.value = name
        self.upload.value = ()

    def _map(self, name: str, given: Any) -> None:
        """Keep an uploaded map."""
        if given:
            (self.maps[name],) = kept(self.folder, given)
            self.of_maps[name].description = f"Its {MAPS[name]}: {self.maps[name].name}"
            self.of_maps[name].value = ()

    def _preview(self) -> None:
        """Show the chosen picture, small; what was said of another is not said of it."""
        self.saying.clear()
        self.maps.clear()
        self.has.value = []
        for name, uploader in self.of_maps.items():
            uploader.description = f"Upload its {MAPS[name]}"
        if self.name:
            try:
                self.preview.value = encode_image(resize_short_side(self.pixels(), PREVIEW_PX), "jpeg")
                self.preview.format = "jpeg"
            except KtvizError as error:
                self.saying.refuse(error)
        self._ask_more()

    def _ask_more(self) -> None:
        """Ask for what the system needs beside the picture, where that is not known."""
        kind = self.samples.get(self.name, ("",))[0]
        asked: list[Any] = []
        if "labels" in self.takes and kind != "scene":
            asked += self.of_maps.values()
        if "attributes" in self.takes:
            if kind == "portrait":
                known = samples.portrait(self.samples[self.name][1]).has
                self.want.allowed_tags = [*known]
                self.want.value = [name for name in self.want.value if name in known] or [
                    next(name for name, there in known.items() if not there)
                ]
                asked.append(HTML(f"It has: {', '.join(name for name, there in known.items() if there)}"))
            else:
                self.want.allowed_tags = []
                asked += [HTML("Attributes that it has, each with Enter"), self.has]
            asked += [HTML("Attributes that are to change; none: those of the reference"), self.want]
        self.more.children = [VBox(asked)] if asked else []
        self.more.titles = ["More of this picture"] if asked else []
        self.more.selected_index = 0 if asked else None


def untaken(name: str, taken: Mapping[str, Path]) -> str:
    """A name, told apart from those that are taken: cameras call every picture alike.

    Example:
        >>> untaken("image.jpg", {"image.jpg": Path("a"), "image.jpg (2)": Path("b")})
        'image.jpg (3)'
    """
    number = 1
    found = name
    while found in taken:
        number += 1
        found = f"{name} ({number})"
    return found
