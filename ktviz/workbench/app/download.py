"""A button that hands the browser a file out of the kernel, without a server."""

from __future__ import annotations

from collections.abc import Callable

import anywidget
import traitlets

from ktviz.widgets.view import static_text


class Download(anywidget.AnyWidget):
    """A button; at a click the browser asks, and the kernel sends the file.

    Args:
        label: What stands on it.
        make: The name of the file, and its bytes.
    """

    label = traitlets.Unicode().tag(sync=True)
    _esm = traitlets.Unicode().tag(sync=True)

    def __init__(self, label: str, make: Callable[[], tuple[str, bytes]]) -> None:
        self.make = make
        super().__init__(label=label, _esm=static_text("download.js"))
        self.on_msg(self._on_message)

    def _on_message(self, _: object, content: object, buffers: object) -> None:
        if content == "give":
            name, data = self.make()
            self.send({"name": name}, [data])
