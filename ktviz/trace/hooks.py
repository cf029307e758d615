"""Sites: where a recorder listens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import nn

from ktviz.errors import SettingError, TraceError
from ktviz.retrieval.extension import Extension
from ktviz.retrieval.site import Reading, RetrievalSite
from ktviz.trace.about import is_compiled
from ktviz.trace.adapt import Adapted
from ktviz.trace.ear import EarHooks, Hear, IndexListener
from ktviz.trace.inferred import Given
from ktviz.trace.listeners import Listener


class Handle(Protocol):
    """What ends the listening."""

    def remove(self) -> None: ...


@dataclass(frozen=True)
class Site:
    """A module that is listened to.

    Attributes:
        number: Among the sites of the recording.
        name: Its name in the model.
        module: The module; or the index, which is none.
        told: What says how it is read: the module itself, or its adapter.
    """

    number: int
    name: str
    module: Any
    told: RetrievalSite | Adapted

    def read(self, inputs: tuple[Any, ...], output: Any, given: Given) -> list[Reading]:
        """From a call's arguments and result, in a run that was given something, to readings, one per image."""
        if isinstance(self.told, Adapted):
            return self.told.read(inputs, output, given)
        return self.told.read(inputs, output)

    def listen(self, hear: Hear) -> list[Handle]:
        """Hear every call, until the handles are removed."""
        if not isinstance(self.module, nn.Module):
            return [IndexListener(self.module, self.number, hear)]
        ear = self.told.ear if isinstance(self.told, Adapted) else None
        opened = [] if ear is None else [EarHooks(self.module, ear)]
        return [*opened, self.module.register_forward_hook(Listener(self.number, hear), with_kwargs=True)]

    @property
    def canvas(self) -> str:
        """The picture in which its queries lie."""
        return self.told.canvas

    @property
    def optional(self) -> bool:
        """Whether it is told of only where it was asked something."""
        return isinstance(self.told, RetrievalSite) and self.told.optional

    @property
    def prefix(self) -> str:
        """Of its extension columns."""
        return self.told.prefix or "site"

    @property
    def extensions(self) -> Sequence[Extension]:
        """What it adds to a trace."""
        return self.told.extensions

    def described(self, kind: str) -> dict[str, Any]:
        """What a trace says of it; `kind` is how its candidates were used."""
        told = self.told
        return {
            "name": self.name,
            "type": type(self.module).__name__,
            "causal": told.causal,
            "kind": kind,
            "canvas": told.canvas,
            "output": told.output,
            "direction": told.direction,
            "scale_px": told.scale_px,
            "paints": told.paints,
            "searched": told.searched,
            "extensions": [{**e.described(), "name": f"{self.prefix}.{e.name}"} for e in told.extensions],
        }


def find_sites(model: nn.Module, adapted: Sequence[Adapted]) -> list[Site]:
    """The retrieval sites of a model, in the order of its modules.

    Raises:
        TraceError: There is none, it is compiled, or an adapted module is not part of the model.
    """
    kind = type(model).__name__
    for given in adapted:
        if not isinstance(given, Adapted):
            raise SettingError(f"record {kind}", f"a {type(given).__name__} that is no adapter", "Give kt.adapt(...)")
    readers: dict[int, Adapted] = {id(a.module): a for a in adapted}
    if len(readers) < len(adapted):
        raise TraceError(f"record {kind}", "a module is adapted twice", "Adapt it once")
    sites: list[Site] = []
    for name, module in model.named_modules():
        own = module if isinstance(module, RetrievalSite) else None
        known: RetrievalSite | Adapted | None = readers.pop(id(module), own)
        if known is not None:
            check_not_compiled(model, name)
            sites.append(Site(len(sites), name or type(module).__name__, module, known))
    for index in [one for one in readers.values() if not isinstance(one.module, nn.Module)]:
        sites.append(Site(len(sites), name_within(model, index.module), index.module, readers.pop(id(index.module))))
    if readers:
        stranger = type(next(iter(readers.values())).module).__name__
        raise TraceError(f"record {kind}", f"the adapted {stranger} is not one of its modules", "Adapt a part of it")
    if not sites:
        raise TraceError(
            f"record {kind}", "it has no retrieval site", "Say where it retrieves: ktviz.adapt(module, ...)"
        )
    return sites


def name_within(model: nn.Module, held: object) -> str:
    """What a model calls something that is no module: the attribute in which it holds it, else its class."""
    for name, module in model.named_modules():
        for attribute, value in vars(module).items():
            if value is held:
                return f"{name}.{attribute}" if name else attribute
    return type(held).__name__


def check_not_compiled(model: nn.Module, site: str) -> None:
    """Raise TraceError if a site lies in a part that was compiled: compiled code does not call hooks."""
    for name, module in model.named_modules():
        if is_compiled(module) and (site == name or not name or site.startswith(f"{name}.")):
            part = f"its part {name!r}" if name else "the model"
            raise TraceError(
                f"record {type(model).__name__}",
                f"{part} is compiled (torch.compile), and compiled code does not tell what it retrieves",
                "Record the model as it was before, or compile parts without a retrieval site",
            )
