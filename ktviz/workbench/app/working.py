"""A button that begins some work, with its progress, a button that stops it, and a word about how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

import traitlets
from ipywidgets import Button, FloatProgress, HBox, Layout, VBox

from ktviz.workbench.app.job import Job, Stopped, part
from ktviz.workbench.app.saying import Saying

EXPECTED = 80
"""Steps of a kind of work that was never done."""
TELL_SECONDS = 0.1
"""Between two words to the browser about progress."""


class Working(VBox):
    """Begin, watch and stop some work.

    Args:
        label: On the button.
        begin: Called when it is pressed; calls `start`, or says why not.

    Attributes:
        busy: Whether work is going on.
        progress: How much of it is done, from 0 to 1.
    """

    busy = traitlets.Bool(False)
    progress = traitlets.Float(0.0)
    took: ClassVar[dict[str, int]] = {}
    """Steps of each kind of work when it was done the last time."""

    def __init__(self, label: str, begin: Callable[[], None]) -> None:
        self.job: Job | None = None
        self.saying = Saying()
        wide = Layout(flex="1 1 auto", width="auto")
        self.button = Button(description=label, button_style="primary", layout=wide)
        self.cancel = Button(description="Cancel", disabled=True, tooltip="Stop before the next step")
        self.bar = FloatProgress(min=0, max=1, layout=Layout(width="100%", visibility="hidden"))
        self.button.on_click(lambda _: begin())
        self.cancel.on_click(lambda _: self.stop())
        super().__init__(
            [HBox([self.button, self.cancel]), self.bar, self.saying], layout=Layout(width="100%", max_width="32em")
        )
        traitlets.dlink((self, "progress"), (self.bar, "value"))

    def start(self, work: Callable[[], Any], done: Callable[[Any], None], *, key: str, shared: bool = False) -> None:
        """Begin some work, unless some is going on.

        Args:
            work: What is done in the background.
            done: Called with what came of it, in the background, too.
            key: What kind of work it is: it takes about as many steps as the last of that kind.
            shared: As in `Job`.
        """
        if self.busy:
            return
        expected, told = self.took.get(key, EXPECTED), [0.0]

        def tell(steps: int) -> None:
            if (now := time.monotonic()) - told[0] > TELL_SECONDS:
                told[0] = now
                self.progress = part(steps, expected)

        def ended(found: Any) -> None:
            assert self.job is not None
            self.took[key] = self.job.steps
            self._end(found, done)

        self.saying.clear()
        self.busy, self.progress = True, 0.0
        self.button.disabled, self.cancel.disabled, self.bar.layout.visibility = True, False, "visible"
        self.job = Job(work, tell, ended, shared=shared)
        self.job.start()

    def stop(self) -> None:
        """Stop what is going on."""
        if self.job is not None and self.busy:
            self.cancel.disabled = True
            self.saying.say("Stopping ...")
            self.job.stop()

    def wait(self, seconds: float | None = None) -> None:
        """Until nothing is going on."""
        if self.job is not None:
            self.job.wait(seconds)

    def _end(self, found: Any, done: Callable[[Any], None]) -> None:
        try:
            if isinstance(found, Stopped):
                self.saying.say("Stopped.")
            elif isinstance(found, BaseException):
                raise found
            else:
                done(found)
        except Exception as error:  # whatever it is, it is told here
            self.saying.refuse(error)
        finally:
            self.progress = 1.0
            self.button.disabled, self.cancel.disabled, self.bar.layout.visibility = False, True, "hidden"
            self.busy = False
