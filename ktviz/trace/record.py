"""Recording: listen at every retrieval site of a model while it runs, and go without leaving anything behind."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from ktviz.errors import SettingError, TraceBudgetError, TraceError
from ktviz.images import Pixels, pixel_digest, to_pixels
from ktviz.model.sites import Knowledge, Reading, RetrievalSite
from ktviz.model.translator import Translation, Translator
from ktviz.trace.about import about_recording
from ktviz.trace.adapt import Adapted
from ktviz.trace.columns import Rows, rows_of, to_table
from ktviz.trace.trace import Picture, Trace

UNITS = {"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}
Over = Literal["error", "winners"]


@contextmanager
def record(
    model: nn.Module,
    *adapted: Adapted,
    candidates: int | None = None,
    memory: str | int = "256 MB",
    over: Over = "error",
) -> Iterator[Trace]:
    """Record every retrieval that a model makes inside the block.

        with kt.record(translate) as trace:
            translate(photo)
        trace.summary()

    The output is the same bit for bit. Indices and similarities are kept, never features. Recordings may be nested and
    may overlap; each removes its own hooks whatever happens in the block. If the block fails, the images that were
    finished are kept, and the error goes on.

    Args:
        model: Its modules of type `RetrievalSite` are listened to, and those that `adapted` names.
        adapted: Modules that know nothing of ktviz, made readable by `adapt`.
        candidates: Candidates kept per query; None keeps all that the model reports.
        memory: What the recording may take, in bytes or as "256 MB".
        over: What happens at that limit: "error" stops the run, "winners" keeps only the winners from the start.

    Raises:
        TraceError: The model has no retrieval site.
        TraceBudgetError: The memory is used up.
        SettingError: `candidates`, `memory` or `over` is out of range.
    """
    if candidates is not None and candidates < 1:
        raise SettingError(
            f"record {candidates} candidates", "fewer than the winner", "Give 1 or more, or None for all"
        )
    if over not in get_args(Over):
        raise SettingError(f"over={over!r}", "unknown", "Choose error or winners")
    trace = Trace.unfinished()
    recorder = Recorder(find_sites(model, adapted), candidates, as_bytes(memory), over)
    runs: list[nn.Module] = [module for module in model.modules() if isinstance(module, Translator)] or [model]
    seed = torch.initial_seed()
    handles: list[RemovableHandle] = []
    try:
        for site in recorder.sites:
            handles.append(site.module.register_forward_hook(Listener(site.number, recorder.hear), with_kwargs=True))
        for run in runs:
            handles.append(run.register_forward_pre_hook(Starter(recorder.start)))
            handles.append(run.register_forward_hook(Listener(0, recorder.end), with_kwargs=True))
        yield trace
    except BaseException as error:
        settle(trace, recorder, model, seed, f"the run failed ({type(error).__name__})")
        raise
    else:
        settle(trace, recorder, model, seed, "the model was not run")
    finally:
        for handle in handles:
            handle.remove()


def settle(trace: Trace, recorder: Recorder, model: nn.Module, seed: int, otherwise: str) -> None:
    """Finish a trace with what was recorded, or with the reason why there is nothing."""
    trace.finish(recorder.trace(model, seed) if recorder.pictures else otherwise)


@dataclass(frozen=True)
class Site:
    """A module that is listened to.

    Attributes:
        number: Among the sites of the recording.
        name: Its name in the model.
        module: The module.
        causal: Whether its candidates fed the output.
        read: From a call's arguments and result to readings, one per image.
    """

    number: int
    name: str
    module: nn.Module
    causal: bool
    read: Callable[[tuple[Any, ...], Any], list[Reading]]


def find_sites(model: nn.Module, adapted: Sequence[Adapted]) -> list[Site]:
    """The retrieval sites of a model, in the order of its modules.

    Raises:
        TraceError: There is none, or an adapted module is not part of the model.
    """
    readers = {id(a.module): a for a in adapted}
    sites: list[Site] = []
    for name, module in model.named_modules():
        known = readers.pop(id(module), module if isinstance(module, RetrievalSite) else None)
        if known is not None:
            sites.append(Site(len(sites), name or type(module).__name__, module, known.causal, known.read))
    kind = type(model).__name__
    if readers:
        stranger = type(next(iter(readers.values())).module).__name__
        raise TraceError(f"record {kind}", f"the adapted {stranger} is not one of its modules", "Adapt a part of it")
    if not sites:
        raise TraceError(
            f"record {kind}", "it has no retrieval site", "Say where it retrieves: ktviz.adapt(module, ...)"
        )
    return sites


class Listener:
    """A forward hook. A copy of the model that is made while it listens (pickle, deepcopy) gets one that is deaf."""

    def __init__(self, number: int, hear: Callable[..., None] | None = None) -> None:
        self.number, self.hear = number, hear

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...], keywords: dict[str, Any], output: Any) -> None:
        if self.hear is not None:
            self.hear(self.number, (*inputs, *keywords.values()), output)

    def __reduce__(self) -> tuple[type[Listener], tuple[int]]:
        return Listener, (self.number,)


class Starter:
    """A forward hook that marks the beginning of a run; deaf in a copy, like `Listener`."""

    def __init__(self, start: Callable[[], None] | None = None) -> None:
        self.start = start

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if self.start is not None:
            self.start()

    def __reduce__(self) -> tuple[type[Starter], tuple[()]]:
        return Starter, ()


@dataclass
class Recorder:
    """What has been heard so far.

    Attributes:
        sites: What is listened to.
        candidates: To keep per query; None for all.
        limit: Bytes that may be held.
        over: What to do at the limit.
        rows: Retrievals of runs that ended, with
        images: the number of the image of each, and
        pictures: all images.
        pending: Retrievals of runs that go on, by thread.
        knowledge: What the entries of `rows` are.
    """

    sites: list[Site]
    candidates: int | None
    limit: int
    over: Over
    rows: list[Rows] = field(default_factory=list)
    images: list[int] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    pending: dict[int, list[tuple[int, Rows]]] = field(default_factory=dict)
    knowledge: list[Knowledge] = field(default_factory=list)
    thinned: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """A run begins in this thread; what an earlier one left unfinished is dropped."""
        self.pending[threading.get_ident()] = []

    def hear(self, number: int, inputs: tuple[Any, ...], output: Any) -> None:
        """A site has made retrievals."""
        heard = self.pending.setdefault(threading.get_ident(), [])
        for image, reading in enumerate(self.sites[number].read(inputs, output)):
            rows = rows_of(reading, number, self.number_of(reading.knowledge), self.candidates)
            heard.append((image, rows.winners() if self.thinned else rows))
        self.check_budget()

    def end(self, _: int, inputs: tuple[Any, ...], output: Any) -> None:
        """A run has ended: its retrievals belong to its images."""
        heard = self.pending.pop(threading.get_ident(), [])
        count = 1 + max((image for image, _ in heard), default=-1)
        with self.lock:
            first = len(self.pictures)
            self.pictures += pictures_of(inputs, output, count, [rows for _, rows in heard])
            for image, rows in heard:
                self.rows.append(rows)
                self.images.append(first + image)

    def number_of(self, knowledge: Knowledge) -> int:
        with self.lock:
            for number, known in enumerate(self.knowledge):
                if known is knowledge:
                    return number
            self.knowledge.append(knowledge)
            return len(self.knowledge) - 1

    def check_budget(self) -> None:
        """Thin to winners, or raise, when more is held than may be."""
        if self.held() <= self.limit:
            return
        if self.over == "winners" and not self.thinned:
            self.thinned = True
            self.rows = [rows.winners() for rows in self.rows]
            for thread, heard in self.pending.items():
                self.pending[thread] = [(image, rows.winners()) for image, rows in heard]
        if self.held() > self.limit:
            raise TraceBudgetError(
                f"record within {self.limit / 1e6:.1f} MB",
                f"{len(self.pictures)} images are recorded and the next one needs {self.held() / 1e6:.1f} MB in all",
                "Allow more memory, keep fewer candidates, or say over='winners'",
            )

    def held(self) -> int:
        """Bytes of all retrievals."""
        waiting = (rows for heard in list(self.pending.values()) for _, rows in heard)
        return sum(rows.nbytes for rows in (*self.rows, *waiting))

    def trace(self, model: nn.Module, seed: int) -> Trace:
        """The retrievals of all runs that ended."""
        described = [knowledge.describe_sources() for knowledge in self.knowledge]
        names = [[(source["source"], source["bank"]) for source in sources] for sources in described]
        table = to_table(self.rows, self.images, [site.name for site in self.sites], names)
        sites = [{"name": s.name, "type": type(s.module).__name__, "causal": s.causal} for s in self.sites]
        about = about_recording(model, self.knowledge, described, sites, self.thinned, seed)
        return Trace(table, about, self.pictures, model)


def pictures_of(inputs: tuple[Any, ...], output: Any, count: int, rows: Sequence[Rows]) -> list[Picture]:
    """The images of a run, with sizes, digests and settings."""
    if isinstance(output, Translation):
        return [picture(output.input, output.image, asdict(output.settings), rows)]
    given, made = (image_batch(values) for values in (inputs[:1], (output,)))
    return [picture(at(given, n), at(made, n), {}, rows) for n in range(max(count, len(given)))]


def picture(given: Pixels | None, made: Pixels | None, settings: Mapping[str, Any], rows: Sequence[Rows]) -> Picture:
    if given is not None:
        height, width = given.shape[:2]
    else:  # what the boxes span
        width, height = (
            int(max((np.ceil((b[:, n] + b[:, n + 2]).max()) for b in boxes(rows)), default=0)) for n in (0, 1)
        )
    about = {"height": height, "width": width, "settings": dict(settings)}
    digests = {name: None if p is None else pixel_digest(p) for name, p in (("input", given), ("output", made))}
    return Picture(given, made, {**about, **digests})


def boxes(rows: Sequence[Rows]) -> list[np.ndarray[Any, Any]]:
    return [part.columns["box"] for part in rows if len(part)]


def image_batch(values: tuple[Any, ...]) -> list[Pixels]:
    """Images in the first value, if it is a batch of RGB images in [0, 1]."""
    if values and isinstance(values[0], Tensor) and values[0].ndim == 4 and values[0].shape[1] == 3:
        return [to_pixels(image) for image in values[0]]
    return []


def at(pictures: Sequence[Pixels], number: int) -> Pixels | None:
    return pictures[number] if number < len(pictures) else None


def as_bytes(memory: str | int) -> int:
    """A size such as "256 MB" in bytes.

    Raises:
        SettingError: Not a positive size.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]?B?)\s*", str(memory), re.IGNORECASE)
    unit = match.group(2).upper() if match else ""
    size = float(match.group(1)) * UNITS[unit if unit in UNITS else f"{unit}B"] if match else 0
    if size < 1:
        raise SettingError(f"memory {memory!r}", "not a size", 'Give bytes, or for example "256 MB"')
    return int(size)
