"""The workbench itself: what is chosen on the left, what was made on the right."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

import traitlets
from ipywidgets import HTML, Box, HBox, Layout, Tab, VBox

from ktviz import samples
from ktviz.audit.audit import Audit
from ktviz.errors import ImageError, KtvizError, LabelError, LibraryError, TraceError, UnknownNameError
from ktviz.library.library import Library
from ktviz.systems.prepared import Prepared
from ktviz.systems.protocol import System
from ktviz.systems.registry import system_class
from ktviz.trace.trace import Trace
from ktviz.widgets.compare import Compare
from ktviz.widgets.explorer import Explorer
from ktviz.workbench.app.building import Building
from ktviz.workbench.app.controls import Controls
from ktviz.workbench.app.download import Download
from ktviz.workbench.app.inputs import Inputs
from ktviz.workbench.app.knowledge import Knowledge
from ktviz.workbench.app.private import PrivateFolder
from ktviz.workbench.app.results import Result, Results
from ktviz.workbench.app.working import Working

WELCOME = "Choose a picture and a bank, and press Translate. What is made appears here, with where it is from."


class Workbench(VBox):
    """Translate pictures, look into them, audit them and build libraries, without code::

        bench = kt.Workbench()
        bench                                # the last line of a cell draws it
        bench.trace.sources()                # what is shown, for those who do write code

    What is uploaded or built lies in a folder of its own, which no other workbench knows and which goes with this one;
    nothing is sent anywhere. Its parts are widgets as any others: `ipywidgets.link((bench, "system"), ...)`.

    Args:
        libraries: Libraries, or their folders, that are offered besides the sample banks.

    Attributes:
        system: Name of the system; may be set.
        banks: Names of the chosen banks; may be set.
        picture: Name of the chosen picture, as the list has it; may be set.
        settings: What was changed of the system's settings, by name.
        busy: Whether a translation is going on.
        progress: How much of it is done, from 0 to 1.
        trace: Of the result that is shown, or None.

    Raises:
        LibraryError: A library cannot be opened.

    Example:
        >>> bench = Workbench()
        >>> bench.banks
        ('art/impasto',)
        >>> result = Result(trace, world.translator, "four stripes")
        >>> bench.compare([result, result])
        >>> bench.show(result)
        >>> bench.wait(60)
        >>> bench.trace is trace
        True
        >>> bench.close()
    """

    system = traitlets.Unicode()
    banks = traitlets.Tuple()
    picture = traitlets.Unicode()
    settings = traitlets.Dict()
    busy = traitlets.Bool(False)
    progress = traitlets.Float(0.0)
    trace = traitlets.Instance(Trace, allow_none=True)

    def __init__(self, libraries: Iterable[Library | str | Path] = ()) -> None:
        self.folder = PrivateFolder(self)
        self.knowledge, self.controls = Knowledge(libraries), Controls()
        self.inputs = Inputs(self.folder)
        self.translating = Working("Translate", self.translate)
        self.auditing = Working("Audit", self.audit)
        self.results = Results(self.show, self.compare)
        self.stage = Box(layout=Layout(width="100%", display="block"))
        self.audited = VBox(layout=Layout(width="100%"))
        self.shown: Result | None = None
        self.networks: dict[str, System] = {}
        self.building = Building(self.folder, self.knowledge.known, self.knowledge.add)
        tabs = Tab([self._translate_tab(), self.building], titles=["Translate", "Build a library"])
        super().__init__([tabs])
        for mine, part, theirs in (
            ("system", self.knowledge, "system"),
            ("banks", self.knowledge, "banks"),
            ("picture", self.inputs, "name"),
        ):
            traitlets.link((part, theirs), (self, mine))
        for mine, part, theirs in (
            ("settings", self.controls, "chosen"),
            ("busy", self.translating, "busy"),
            ("progress", self.translating, "progress"),
        ):
            traitlets.dlink((part, theirs), (self, mine))
        self.observe(lambda _: self._offer(), ["system", "banks"])
        self._offer()
        self.controls.show(self.knowledge.known[self.system].settings)
        self.observe(lambda _: self.controls.show(self.knowledge.known[self.system].settings), "system")

    def _translate_tab(self) -> HBox:
        def part(title: str, *widgets: Any) -> VBox:
            return VBox([HTML(f"<b>{title}</b>"), *widgets], layout=Layout(width="100%", margin="0 0 10px 0"))

        left = VBox(
            [
                part("1. What is translated", self.inputs),
                part("2. With what", self.knowledge),
                part("3. How", self.controls),
                self.translating,
            ],
            layout=Layout(flex="0 0 320px", max_width="100%", margin="0 16px 0 0"),
        )
        self.stage.children = [HTML(f'<p style="padding:2em;opacity:.7">{WELCOME}</p>')]
        right = VBox(
            [self.results, self.auditing, self.audited, self.stage], layout=Layout(flex="1 1 480px", min_width="0")
        )
        self.auditing.layout.display = "none"  # until there is something to audit
        return HBox([left, right], layout=Layout(flex_flow="row wrap", width="100%"))

    def translate(self) -> None:
        """Make the picture in the background and show it; what is wrong is said beside what caused it."""
        for part in (self.inputs, self.knowledge):
            part.saying.clear()
        try:
            part = self.inputs
            material = self.inputs.material()
            part = self.controls
            settings = dict(self.controls.settle())
            part = self.knowledge
            if not self.knowledge.banks:
                self.knowledge.chosen()  # which says so
        except KtvizError as error:
            (part.problem if isinstance(part, Controls) else part.saying).refuse(error)
            return
        system, banks, picture = self.system, self.banks, self.picture

        def work() -> Trace:
            known = self._reference()
            try:
                ready = system_class(system).prepared(material, known, self.networks.get(system))
            except (LabelError, ImageError) as error:
                self.inputs.saying.refuse(error)
                raise
            except (LibraryError, UnknownNameError) as error:
                self.knowledge.saying.refuse(error)
                raise
            self.networks[system] = ready.system
            return Prepared(ready.system, ready.inputs, {**ready.settings, **settings}).traced()

        def done(trace: Trace) -> None:
            caption = ", ".join((picture, system, " + ".join(banks), *words(settings)))
            result = Result(trace, self.networks[system], caption)
            self.results.add(result)
            self.show(result)

        self.translating.start(work, done, key=f"{system} {picture}")

    def _reference(self) -> Any:
        try:
            return self.knowledge.chosen()
        except KtvizError as error:
            self.knowledge.saying.refuse(error)
            raise

    def show(self, result: Result) -> None:
        """Show a result in an Explorer, instead of the one before."""
        if result is self.shown:
            return
        self._stage(Explorer(result.trace, model=result.system))
        self.shown, self.trace = result, result.trace
        self.auditing.layout.display = ""

    def compare(self, results: list[Result]) -> None:
        """Show some results side by side, instead of the one before."""
        self._stage(
            Compare(
                *(result.trace for result in results),
                titles=[result.caption for result in results],
                models=[result.system for result in results],
            )
        )
        self.shown, self.auditing.layout.display = None, "none"

    def _stage(self, view: Any) -> None:
        before, self.stage.children = self.stage.children, [view]
        for old in before:
            old.close()
        self.audited.children = []
        self.auditing.saying.clear()

    def audit(self) -> None:
        """Audit what is shown, in the background; the folder can then be downloaded as a zip."""
        shown = self.shown
        if shown is None:
            self.auditing.saying.refuse(TraceError("audit a picture", "there is none yet", "Translate one"))
            return

        def work() -> Audit:
            return Audit.create(shown.trace, model=shown.system)

        def done(audit: Audit) -> None:
            place = self.folder.new("audit")
            audit.save(place)
            card = HTML(audit._repr_html_() or escape(repr(audit)))
            button = Download("Download the audit (zip)", lambda: (f"{place.name}.zip", self.folder.zipped(place)))
            self.audited.children = [card, button]

        self.auditing.start(work, done, key=f"audit {shown.trace.system}")

    def wait(self, seconds: float | None = None) -> None:
        """Until the translation, the audit or the building that is going on has ended."""
        for part in (self.translating, self.auditing, self.building.working):
            part.wait(seconds)

    def close(self) -> None:
        """Take it off every page, stop what is going on, and remove what was uploaded and built."""
        if "building" in vars(self):  # not so where it was refused: it is closed when it is collected
            for part in (self.translating, self.auditing, self.building.working):
                part.stop()
                part.wait()
            for child in self.stage.children:
                child.close()
            self.results.clear()
            self.networks.clear()
            self.shown = self.trace = None
            self.folder.remove()
        super().close()

    def _offer(self) -> None:
        """Offer the pictures that the system can take, those first that go with the bank."""
        bank = self.banks[0] if self.banks else ""
        self.inputs.offer(self.knowledge.known[self.system].takes, *samples.names_for(bank))


def words(settings: dict[str, Any]) -> list[str]:
    """Settings in words.

    Example:
        >>> words({"align": 0.5, "preset": "paper"})
        ['align 0.5', 'preset paper']
    """
    return [f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in settings.items()]
