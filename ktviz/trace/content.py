"""What a trace holds: rows, what is known of them, and pictures, to be read when the run has ended."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, Self

import pyarrow as pa

from ktviz.errors import TraceError, TraceNotFinishedError
from ktviz.images import Pixels
from ktviz.regions import Mask
from ktviz.trace.pictures import Picture

if TYPE_CHECKING:
    from ktviz.trace.adapt import Adapted

NOT_FINISHED = "the run has not ended"
NOT_RUN = "the model was not run"
REMEDIES = {
    NOT_FINISHED: "Read it after the `with record(...)` block",
    NOT_RUN: "Call the model itself, not a part of it, inside the `with record(...)` block",
}
REMEDY_OF_FAILURE = "Mend what raised the error, and record again"


class Content:
    """Rows, metadata and pictures, frozen; nothing can be read before the run has ended.

    Args:
        table: Columns as in `ktviz.trace.schema`.
        about: Versions, device, digests, sites, sources.
        pictures: The canvases of every image.
        model: What made it, and
        adapted: the adapters through which it was read.
        pictured: (H, W, 3) uint8 of sources that nothing else holds, by the digest of their pixels.
    """

    def __init__(
        self,
        table: pa.Table,
        about: Mapping[str, Any],
        pictures: Sequence[Picture],
        model: object | None = None,
        adapted: Sequence[Adapted] = (),
        pictured: Mapping[str, Pixels] | None = None,
    ) -> None:
        self._state: tuple[pa.Table, Mapping[str, Any], tuple[Picture, ...]] | str = (table, about, tuple(pictures))
        self._model = None if model is None else weakref.ref(model)
        self._adapted = tuple(weakref.ref(one) for one in adapted)
        self._pictured: Mapping[str, Pixels] = dict(pictured or {})
        self._part: tuple[Self, Mask] | None = None
        self._recording: Self | None = None

    @classmethod
    def unfinished(cls) -> Self:
        """What `record` hands out; reading it raises until the run has ended.

        Example:
            >>> unfinished = kt.Trace.unfinished()
            >>> unfinished
            Trace(the run has not ended)
            >>> unfinished.finish(trace)
            >>> unfinished.digest == trace.digest
            True
        """
        trace = cls.__new__(cls)
        trace._state, trace._model, trace._adapted, trace._part = NOT_FINISHED, None, (), None
        trace._recording, trace._pictured = None, {}
        return trace

    def finish(self, other: Self | str) -> None:
        """Become another trace, or say why there is none; once only.

        Raises:
            TraceError: It is finished already.
        """
        if self._state != NOT_FINISHED:
            raise TraceError("finish a trace", "it is finished", "Record another")
        self._state = other if isinstance(other, str) else other._state
        if isinstance(other, Content):
            self._model, self._adapted, self._pictured = other._model, other._adapted, other._pictured

    def __getstate__(self) -> dict[str, Any]:
        return {
            "_state": self._state,
            "_model": None,
            "_adapted": (),
            "_part": self._part,
            "_recording": self._recording,
            "_pictured": self._pictured,
        }

    def _read(self) -> tuple[pa.Table, Mapping[str, Any], tuple[Picture, ...]]:
        if isinstance(self._state, str):
            raise TraceNotFinishedError("read a trace", self._state, REMEDIES.get(self._state, REMEDY_OF_FAILURE))
        return self._state

    @property
    def table(self) -> pa.Table:
        """The rows, as in `ktviz.trace.schema`."""
        return self._read()[0]

    @property
    def about(self) -> Mapping[str, Any]:
        """Schema version, system, versions, device, seed, digests, sites, sources."""
        return MappingProxyType(self._read()[1])

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The canvases of every image."""
        return self._read()[2]

    @property
    def model(self) -> object | None:
        """What made the trace, while it lives and in the process that recorded."""
        return None if self._model is None else self._model()

    @property
    def model_is_gone(self) -> bool:
        """Whether the model that made the trace no longer lives: nobody has kept it."""
        return self._model is not None and self.model is None

    @property
    def adapted(self) -> list[Adapted]:
        """The adapters through which it was read, those that live."""
        return [one for one in (known() for known in self._adapted) if one is not None]

    def source_picture(self, source: str) -> Pixels | None:
        """A source as the trace has it, (H, W, 3) uint8: a canvas of its one image, by its name or its pixels, or a
        picture of a catalogue, as long as the trace was not read from a file; None where it has none.

        Example:
            >>> trace.source_picture("toy/flat/red.png") is None  # the library has it
            True
        """
        known = next((one.get("pixels") for one in self.about["sources"] if one["source"] == source), None)
        for picture in self.pictures if len(self.pictures) == 1 else ():
            for canvas, pixels in picture.canvases.items():
                if canvas == source or (known and known == picture.sha256(canvas)):
                    return pixels
        return self._pictured.get(str(known))

    @property
    def whole(self) -> Self:
        """The trace that this is a part of (`trace[region]`); itself where it is whole."""
        return self if self._part is None else self._part[0]

    @property
    def recording(self) -> Self:
        """The trace of all sites that this is one of (`trace.site(name)`); itself where it is of all."""
        return self if self._recording is None else self._recording

    @property
    def mask(self) -> Mask | None:
        """The pixels (H, W) that a part of a trace is about; None where it is whole."""
        return None if self._part is None else self._part[1]

    def __setattr__(self, name: str, value: object) -> None:
        if name not in ("_state", "_model", "_adapted", "_part", "_recording", "_pictured"):
            refuse(name)
        object.__setattr__(self, name, value)


def refuse(name: str) -> NoReturn:
    raise AttributeError(f"a Trace is frozen; cannot set {name!r}")
