"""Recording: listen at every retrieval site of a model while it runs, and go without leaving anything behind."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args
from weakref import ReferenceType, ref

import torch
from torch import Tensor, nn

from ktviz.errors import SettingError, TraceBudgetError
from ktviz.images import Pixels
from ktviz.memory import as_bytes
from ktviz.retrieval.catalogue import Catalogue, Knowledge
from ktviz.retrieval.matches import Kind
from ktviz.retrieval.site import Recordable
from ktviz.trace.about import about_recording
from ktviz.trace.adapt import Adapted
from ktviz.trace.columns import Rows, rows_of, to_table
from ktviz.trace.content import NOT_RUN
from ktviz.trace.hooks import Handle, Site, find_sites
from ktviz.trace.inferred import Given
from ktviz.trace.listed import Listed
from ktviz.trace.listeners import Listener, Starter
from ktviz.trace.of_run import pictures_of
from ktviz.trace.pictures import Picture
from ktviz.trace.recorded import Recorded
from ktviz.trace.trace import Trace
from ktviz.values import one_of

Over = Literal["error", "winners"]
MEMORY = "256 MB"


@contextmanager
def record(
    model: nn.Module,
    *adapted: Adapted,
    candidates: int | None = None,
    memory: str | int = MEMORY,
    over: Over = "error",
    all_threads: bool = True,
) -> Iterator[Trace]:
    """Record every retrieval that a model makes inside the block::

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
        all_threads: Whether runs in other threads are recorded, too.

    Raises:
        TraceError: The model has no retrieval site.
        TraceBudgetError: The memory is used up.
        SettingError: `candidates`, `memory` or `over` is out of range.

    Example:
        >>> with kt.record(world.translator) as heard:
        ...     picture = world.translator(photo)
        >>> len(heard) > 0, bool((picture.image == heard.output).all())
        (True, True)
    """
    if candidates is not None and candidates < 1:
        raise SettingError(
            f"record {candidates} candidates", "fewer than the winner", "Give 1 or more, or None for all"
        )
    one_of("over", over, get_args(Over))
    trace = Trace.unfinished()
    runs = [
        module
        for module in model.modules()  # asking a layer for one name is quick, for all that a protocol has is not
        if module is model or (hasattr(module, "digests") and isinstance(module, Recordable))
    ]
    sites = find_sites(model, adapted)
    recorder = Recorder(sites, runs, adapted, candidates, as_bytes(memory), over)
    if not all_threads:
        recorder.thread = threading.get_ident()
    seed = torch.initial_seed()
    handles: list[Handle] = []
    try:
        for site in recorder.sites:
            handles += site.listen(recorder.hear)
        for number, run in enumerate(runs):
            handles.append(run.register_forward_pre_hook(Starter(number, recorder.start), with_kwargs=True))
            handles.append(run.register_forward_hook(Listener(number, recorder.end), with_kwargs=True))
        yield trace
    except BaseException as error:
        settle(trace, recorder, model, seed, f"the run failed ({type(error).__name__})")
        raise
    else:
        settle(trace, recorder, model, seed, NOT_RUN)
    finally:
        for handle in handles:
            handle.remove()


def settle(trace: Trace, recorder: Recorder, model: nn.Module, seed: int, otherwise: str) -> None:
    """Finish a trace with what was recorded, or with the reason why there is nothing."""
    trace.finish(recorder.trace(model, seed) if recorder.pictures else otherwise)
    for number, known in enumerate(recorder.results):
        result = None if known is None else known()
        if result is not None:
            result.keep(trace.image(number) if len(recorder.results) > 1 else trace)


@dataclass
class Run:
    """A run that goes on.

    Attributes:
        number: Of the module that runs.
        given: What it was given, as far as it shows at its beginning.
        heard: Its retrievals, with the number of the image of each.
        asked: Queries so far by site and image.
    """

    number: int
    given: Given = field(default_factory=Given)
    heard: list[tuple[int, Rows]] = field(default_factory=list)
    asked: Counter[tuple[int, int]] = field(default_factory=Counter)


@dataclass
class Recorder:
    """What has been heard so far.

    Attributes:
        sites: What is listened to.
        models: Whose runs make images: the model, and the systems within it.
        adapted: Adapters, which may give pictures.
        candidates: To keep per query; None for all.
        limit: Bytes that may be held.
        over: What to do at the limit.
        rows: Retrievals of runs that ended, with
        images: the number of the image of each, and
        pictures: all images, with
        results: what the run of each has returned, if it keeps its trace.
        thread: The only one that is recorded; None for all.
        pending: Runs that go on, by thread, the innermost last.
        knowledge: What the entries of `rows` are.
        inputs_on: The device of the first input that is a tensor.
    """

    sites: Sequence[Site]
    models: Sequence[nn.Module]
    adapted: Sequence[Adapted]
    candidates: int | None
    limit: int
    over: Over
    thread: int | None = None
    rows: list[Rows] = field(default_factory=list)
    images: list[int] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    results: list[ReferenceType[Recorded] | None] = field(default_factory=list)
    pending: dict[int, list[Run]] = field(default_factory=dict)
    knowledge: list[Knowledge] = field(default_factory=list)
    inputs_on: str | None = None
    thinned: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, number: int, inputs: tuple[Any, ...]) -> None:
        """A run begins in this thread; what an earlier one of the same module left unfinished is dropped."""
        if self.elsewhere:
            return
        given = Given() if isinstance(self.models[number], Recordable) else Given.of(inputs)
        with self.lock:
            self.leave(number)
            self.runs.append(Run(number, given))

    @property
    def elsewhere(self) -> bool:
        """Whether this is another thread than the only one that is recorded."""
        return self.thread is not None and self.thread != threading.get_ident()

    @property
    def runs(self) -> list[Run]:
        """The runs of this thread."""
        return self.pending.setdefault(threading.get_ident(), [])

    def leave(self, number: int) -> None:
        """Drop a module's run, and those within it, which have failed if they are still there."""
        place = next((place for place, run in enumerate(self.runs) if run.number == number), len(self.runs))
        del self.runs[place:]

    def hear(self, number: int, inputs: tuple[Any, ...], output: Any) -> None:
        """A site has made retrievals."""
        if self.elsewhere or not self.runs:
            return  # the site was called on its own: there is no image that its retrievals belong to
        run = self.runs[-1]
        for image, reading in enumerate(self.sites[number].read(inputs, output, run.given)):
            site = self.sites[number]
            known = self.number_of(reading.knowledge)
            rows = rows_of(reading, number, known, self.candidates, site.prefix, site.extensions)
            rows = replace(rows, first=run.asked[number, image])
            run.asked[number, image] += rows.queries
            with self.lock:
                run.heard.append((image, rows.only_winners() if self.thinned else rows))
                self.check_budget()

    def end(self, number: int, inputs: tuple[Any, ...], output: Any) -> None:
        """A run has ended: its retrievals belong to its images."""
        if self.elsewhere:
            return
        run = next((run for run in self.runs if run.number == number), Run(number))
        made = self.pictures_of(run, inputs, output) if run.heard or number or len(self.models) == 1 else []
        with self.lock:
            self.check_budget(sum(picture.nbytes for picture in made))
            self.leave(number)
            self.inputs_on = self.inputs_on or next((str(x.device) for x in inputs if isinstance(x, Tensor)), None)
            first = len(self.pictures)
            self.pictures += made
            self.results += [ref(output) if isinstance(output, Recorded) else None] * len(made)
            for image, rows in run.heard:
                canvas = self.sites[rows.site].canvas
                self.rows.append(rows.clipped(*self.pictures[first + image].size_of(canvas)))
                self.images.append(first + image)

    def pictures_of(self, run: Run, inputs: tuple[Any, ...], output: Any) -> list[Picture]:
        """The images of a run that has ended."""
        by_image: dict[int, list[tuple[Rows, str]]] = {}
        for image, rows in run.heard:
            by_image.setdefault(image, []).append((rows, self.sites[rows.site].canvas))
        said: dict[str, list[Pixels]] = {}
        for adapted in self.adapted if run.number == 0 else ():
            said |= adapted.shown(inputs, output)
        spans = {adapted.span for adapted in self.adapted if adapted.pictures is None}
        span = spans.pop() if len(spans) == 1 else (0.0, 1.0)
        return pictures_of(self.models[run.number], inputs, output, 1 + max(by_image, default=-1), by_image, said, span)

    def number_of(self, knowledge: Knowledge) -> int:
        with self.lock:
            for number, known in enumerate(self.knowledge):
                if known is knowledge:
                    return number
            self.knowledge.append(knowledge)
            return len(self.knowledge) - 1

    def check_budget(self, more: int = 0) -> None:
        """Thin to winners, or raise, when more is held than may be; `more` bytes are about to be."""
        if self.held() + more <= self.limit:
            return
        if self.over == "winners" and not self.thinned:
            self.thinned = True
            self.rows = [rows.only_winners() for rows in self.rows]
            for run in itertools.chain(*self.pending.values()):
                run.heard = [(image, rows.only_winners()) for image, rows in run.heard]
        if self.held() + more > self.limit:
            less = ", keep fewer candidates, or say over='winners'" if self.over == "error" else ""
            raise TraceBudgetError(
                f"record within {self.limit / 1e3:,.0f} KB",
                f"{len(self.pictures)} images are recorded, with the next it is {(self.held() + more) / 1e3:,.0f} KB",
                f"Allow more memory{less}",
            )

    def held(self) -> int:
        """Bytes of all retrievals and pictures."""
        waiting = [rows for run in itertools.chain(*self.pending.values()) for _, rows in run.heard]
        return sum(rows.nbytes for rows in (*self.rows, *waiting)) + sum(picture.nbytes for picture in self.pictures)

    def trace(self, model: nn.Module, seed: int) -> Trace:
        """The retrievals of all runs that ended."""
        listed = Listed.of(self.knowledge, self.rows)
        counts = [len(known.describe_sources()) for known in self.knowledge]
        names = [[(source["source"], source["bank"]) for source in sources] for sources in listed.described]
        sites = [
            {
                **site.described(self.kind_of(site.number)),
                "banks": self.banks_of(site.number, listed.described),
                "one_source": all(counts[number] == 1 for number in self.asked(site.number)),
            }
            for site in self.told
        ]
        place = {site.number: number for number, site in enumerate(self.told)}
        rows = [replace(part, site=place[part.site]) for part in listed.rows]
        table = to_table(rows, self.images, sites, names, self.catalogues())
        about = about_recording(
            model, self.knowledge, listed, sites, self.thinned, self.candidates, seed, self.inputs_on
        )
        catalogues = [known for known in self.knowledge if isinstance(known, Catalogue)]
        pictured = {digest: pixels for known in catalogues for digest, pixels in known.by_digest().items()}
        return Trace(table, about, self.pictures, model, self.adapted, pictured)

    @property
    def told(self) -> list[Site]:
        """The sites that a trace names: all but optional ones that were not asked."""
        return [site for site in self.sites if not site.optional or self.asked(site.number)]

    def kind_of(self, site: int) -> Kind:
        """How a site's candidates were used: signed where any was, else soft where any was."""
        kinds = {rows.kind for rows in self.rows if rows.site == site}
        return next((kind for kind in ("signed", "soft") if kind in kinds), "hard")

    def banks_of(self, site: int, described: Sequence[Sequence[Mapping[str, Any]]]) -> list[str]:
        """The banks that a site chose from."""
        return list(dict.fromkeys(str(s["bank"]) for number in self.asked(site) for s in described[number]))

    def asked(self, site: int) -> list[int]:
        """Numbers of the knowledge that a site chose from."""
        return sorted({rows.knowledge for rows in self.rows if rows.site == site})

    def catalogues(self) -> list[str]:
        """What each knowledge is called; of those of one name, all but the first get a number."""
        names: list[str] = []
        for known in self.knowledge:
            taken = sum(name.rsplit(" ", 1)[0] == known.name or name == known.name for name in names)
            names.append(f"{known.name} {taken + 1}" if taken else known.name)
        return names
