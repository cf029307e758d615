"""Hooks that tell what goes into modules and comes out of them, and leave no trace of their own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch import nn


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
            self.hear(self.number, by_position(module, inputs, rest[0]), rest[1])

    def __reduce__(self) -> tuple[type[Listener], tuple[int]]:
        return Listener, (self.number,)


class Starter:
    """A forward hook that marks the beginning of a run; deaf in a copy, like `Listener`."""

    def __init__(self, number: int, start: Callable[[int, tuple[Any, ...]], None] | None = None) -> None:
        self.number, self.start = number, start

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any] | None = None) -> None:
        """`named` is the keywords of a call; None once another thread has removed the hook."""
        if self.start is None:
            forget(module._forward_pre_hooks, self)
        elif named is not None:
            self.start(self.number, by_position(module, inputs, named))

    def __reduce__(self) -> tuple[type[Starter], tuple[int]]:
        return Starter, (self.number,)


def forget(hooks: dict[int, Any], deaf: object) -> None:
    """Remove a hook that was copied along with a model, once the copy runs."""
    for number in [number for number, hook in hooks.items() if hook is deaf]:
        del hooks[number]


def by_position(module: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of a call in the order of the parameters of `forward`, up to the last one that was given: keywords
    stand where they would stand without their names, and what was left out before them has its default."""
    if not named:
        return inputs
    try:
        signature = inspect.signature(module.forward)
        bound = signature.bind(*inputs, **named)
    except (TypeError, ValueError):  # of compiled and scripted modules nobody knows the parameters
        return (*inputs, *named.values())
    last = [*bound.arguments][-1]
    bound.apply_defaults()
    found: list[Any] = []
    for name, parameter in signature.parameters.items():
        value = bound.arguments[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            found += value
        elif parameter.kind is parameter.VAR_KEYWORD:
            found += value.values()
        else:
            found.append(value)
        if name == last:
            break
    return tuple(found)
