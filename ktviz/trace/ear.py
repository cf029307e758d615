"""Hearing what no hook tells: the attention that a module computes inside, and the searches of an index."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from ktviz.trace.dot_product import DotProduct
from ktviz.trace.listeners import forget

Hear = Callable[[int, tuple[Any, ...], Any], None]
METHODS = ("search", "kneighbors", "query")
"""What looks up neighbours in an index: of faiss and usearch, of scikit-learn's estimators, of its trees."""


class Hearing(TorchFunctionMode):
    """Notes every call of `scaled_dot_product_attention` in this thread, and changes none."""

    def __init__(self) -> None:
        self.heard: list[DotProduct] = []

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is F.scaled_dot_product_attention:
            self.heard.append(DotProduct.of_call(result, *args, **(kwargs or {})))
        return result


class Ear(threading.local):
    """Open while a module runs; what was heard in its last call in this thread is kept until it is taken."""

    def __init__(self) -> None:
        self.hearing: list[Hearing] = []
        self.heard: list[DotProduct] = []

    def open(self) -> None:
        """A call begins."""
        self.hearing.append(Hearing())
        self.hearing[-1].__enter__()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """The call has ended, or failed."""
        if self.hearing:
            ended = self.hearing.pop()
            ended.__exit__(None, None, None)  # type: ignore[no-untyped-call]
            self.heard = ended.heard

    def take(self) -> list[DotProduct]:
        """What was heard; it is not kept any longer."""
        taken, self.heard = self.heard, []
        return taken


class Hook:
    """A hook that needs to know nothing; deaf in a copy of the model, like `Listener`."""

    def __init__(self, call: Callable[[], None] | None = None) -> None:
        self.call = call

    def __call__(self, module: nn.Module, *rest: Any) -> None:
        if self.call is not None:
            self.call()
        else:
            forget(module._forward_pre_hooks, self)
            forget(module._forward_hooks, self)

    def __reduce__(self) -> tuple[type[Hook], tuple[()]]:
        return Hook, ()


class EarHooks:
    """Open an ear before every call of a module and close it after; a handle.

    Once it is removed, a call that still goes on in another thread closes the ear all the same.
    """

    def __init__(self, module: nn.Module, ear: Ear) -> None:
        self.ear, self.lock, self.inside, self.removed = ear, threading.Lock(), 0, False
        self.before = module.register_forward_pre_hook(Hook(self.enter))
        self.after = module.register_forward_hook(Hook(self.leave), always_call=True)

    def enter(self) -> None:
        with self.lock:
            if not self.removed:
                self.inside += 1
                self.ear.open()

    def leave(self) -> None:
        with self.lock:
            self.inside -= bool(self.ear.hearing)
            self.ear.close()
            if self.removed and not self.inside:
                self.after.remove()

    def remove(self) -> None:
        """Hear no further call."""
        with self.lock:
            self.removed = True
            self.before.remove()
            if not self.inside:
                self.after.remove()


class Overheard:
    """The method of an index that looks up, and tells those who listen what it found.

    An index is no module and has no hooks: while somebody listens, this lies over the method in the index's own
    attributes, and afterwards it is gone. In a copy of the index it is the method itself.
    """

    lock = threading.Lock()

    def __init__(self, index: object, name: str) -> None:
        self.index, self.name, self.method = index, name, getattr(index, name)
        self.listeners: dict[int, tuple[int, Hear]] = {}

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        output = self.method(*inputs, **named)
        for number, hear in list(self.listeners.values()):
            hear(number, (*inputs, *named.values()), output)
        return output

    def __reduce__(self) -> tuple[Any, tuple[object, str]]:
        return getattr, (self.index, self.name)


class IndexListener:
    """Hear the searches of an index; a handle."""

    def __init__(self, index: object, number: int, hear: Hear) -> None:
        self.held, self.name = vars(index), search_of(index)
        with Overheard.lock:
            if not isinstance(self.held.get(self.name), Overheard):
                self.held[self.name] = Overheard(index, self.name)
            self.held[self.name].listeners[id(self)] = number, hear

    def remove(self) -> None:
        """Hear no further search."""
        with Overheard.lock:
            over = self.held[self.name]
            del over.listeners[id(self)]
            if not over.listeners:
                del self.held[self.name]


def search_of(index: object) -> str:
    """The name of the method by which an index looks up; empty if it has none that can be heard."""
    if not hasattr(index, "__dict__"):
        return ""
    return next((name for name in METHODS if callable(getattr(type(index), name, None))), "")
