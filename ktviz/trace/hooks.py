"""Sites and hooks: where a recorder listens, and how its hooks leave no trace of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from ktviz.errors import SettingError, TraceError
from ktviz.retrieval.extension import Extension
from ktviz.retrieval.site import Reading, RetrievalSite
from ktviz.trace.about import is_compiled
from ktviz.trace.adapt import Adapted


@dataclass(frozen=True)
class Site:
    """A module that is listened to.

    Attributes:
        number: Among the sites of the recording.
        name: Its name in the model.
        module: The module.
        told: What says how it is read: the module itself, or its adapter.
    """

    number: int
    name: str
    module: nn.Module
    told: RetrievalSite | Adapted

    def read(self, inputs: tuple[Any, ...], output: Any) -> list[Reading]:
        """From a call's arguments and result to readings, one per image."""
        return self.told.read(inputs, output)

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
    if readers:
        stranger = type(next(iter(readers.values())).module).__name__
        raise TraceError(f"record {kind}", f"the adapted {stranger} is not one of its modules", "Adapt a part of it")
    if not sites:
        raise TraceError(
            f"record {kind}", "it has no retrieval site", "Say where it retrieves: ktviz.adapt(module, ...)"
        )
    return sites


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


class Listener:
    """A forward hook. A copy of the model that is made while it listens (pickle, deepcopy) gets one that is deaf."""

    def __init__(self, number: int, hear: Callable[..., None] | None = None) -> None:
        self.number, self.hear = number, hear

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...], *rest: Any) -> None:
        """`rest` is the keywords and the output of a call."""
        if len(rest) < 2:
            return  # another thread has removed the hook since this call began, and with it the mark for keywords
        if self.hear is None:
            forget(module._forward_hooks, self)
        else:
            self.hear(self.number, (*inputs, *rest[0].values()), rest[1])

    def __reduce__(self) -> tuple[type[Listener], tuple[int]]:
        return Listener, (self.number,)


def forget(hooks: dict[int, Any], deaf: object) -> None:
    """Remove a hook that was copied along with a model, once the copy runs."""
    for number in [number for number, hook in hooks.items() if hook is deaf]:
        del hooks[number]


class Starter:
    """A forward hook that marks the beginning of a run; deaf in a copy, like `Listener`."""

    def __init__(self, number: int, start: Callable[[int], None] | None = None) -> None:
        self.number, self.start = number, start

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if self.start is not None:
            self.start(self.number)
        else:
            forget(module._forward_pre_hooks, self)

    def __reduce__(self) -> tuple[type[Starter], tuple[int]]:
        return Starter, (self.number,)
