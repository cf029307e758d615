"""Settings as controls: a slider, a list or a box for each, made of the type that a system declares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from inspect import getdoc
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import traitlets
from ipywidgets import BoundedIntText, Button, Checkbox, Dropdown, FloatSlider, IntSlider, Layout, VBox, Widget

from ktviz.errors import KtvizError
from ktviz.values import KnownKeywords
from ktviz.workbench.app.saying import Saying

WIDE = Layout(width="auto")
STYLE = {"description_width": "8.5em"}
LARGEST_SEED = 2**31 - 1
STEPS = 100
"""Of a slider."""
CHOSEN_ELSEWHERE = ("exemplar", "without")
"""Settings for which there is another place."""


class Controls(VBox):
    """The settings of a system as controls.

    Attributes:
        chosen: What a person has changed, by name of the setting; the rest is the system's own default.
    """

    chosen = traitlets.Dict()

    def __init__(self) -> None:
        self.kind: type[KnownKeywords] | None = None
        self.controls: dict[str, Any] = {}
        self.problem = Saying()
        self._settling = False
        self._again = Button(description="Defaults", tooltip="All settings as they are without a change")
        self._again.on_click(lambda _: self.show(self.kind))
        super().__init__(layout=WIDE)

    def show(self, kind: type[KnownKeywords] | None) -> None:
        """Show the settings of another system, or these as they were at first."""
        self.kind, self.controls = kind, {} if kind is None else controls_of(kind)
        for name, control in self.controls.items():
            control.observe(lambda change, name=name: self._change(name, change["new"]), "value")
        self.problem.clear()
        self.chosen = {}
        self.children = [*self.controls.values(), self.problem, *([self._again] if self.controls else [])]

    def settle(self) -> Mapping[str, Any]:
        """What was chosen.

        Raises:
            SettingError: It does not go together.
        """
        if self.kind is not None:
            self.kind(**self.chosen)
        return dict(self.chosen)

    def _change(self, name: str, value: Any) -> None:
        if self._settling:
            return
        self.chosen = {**self.chosen, name: value}
        assert self.kind is not None
        try:
            settled = self.kind(**self.chosen)
        except KtvizError as error:
            self.problem.refuse(error)
            return
        self.problem.clear()
        self._settling = True  # what follows from what was chosen is no choice
        try:
            for other in self.controls.keys() - self.chosen.keys():
                if (follows := getattr(settled, other)) is not None:
                    self.controls[other].value = follows
        finally:
            self._settling = False


def controls_of(kind: type[KnownKeywords]) -> dict[str, Widget]:
    """A control for each setting of a type, by its name, but for those that are no single value."""
    hints, defaults, told = get_type_hints(kind), kind(), meanings(kind)
    found = {}
    for setting in fields(kind):
        name = setting.name
        if name not in CHOSEN_ELSEWHERE:
            control = control_of(name, hints[name], getattr(defaults, name), kind.SLIDERS.get(name))
            if control is not None:
                control.tooltip = told.get(name, "")
                found[name] = control
    return found


def control_of(name: str, hint: Any, value: Any, span: tuple[float, float] | None) -> Widget | None:
    """A control for a setting; None if it is no word, no number and no yes or no."""
    how = {"description": name.replace("_", " "), "layout": WIDE, "style": STYLE}
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    words = next((get_args(one) for one in kinds if get_origin(one) is Literal), ())
    if words:
        return Dropdown(options=words, value=value, **how)
    if bool in kinds:
        return Checkbox(value=value, indent=False, **how)
    if span is not None:
        least, most = span
        if int in kinds:
            start = value if isinstance(value, int) else least
            return IntSlider(value=start, min=least, max=most, continuous_update=False, **how)
        start = least if value is None else min(max(value, least), most)
        step, form = (most - least) / STEPS, ".3f" if most < 1 else ".2f"
        slider = {"step": step, "readout_format": form, "continuous_update": False}
        return FloatSlider(value=start, min=least, max=most, **slider, **how)
    if int in kinds and value is not None:
        return BoundedIntText(value=value, min=0, max=LARGEST_SEED, **how)
    return None


def meanings(kind: type) -> dict[str, str]:
    """What each attribute of a class is, as its docstring says."""
    _, _, section = (getdoc(kind) or "").partition("Attributes:\n")
    section = section.partition("\n\n")[0]
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", text) for name, text in found}
