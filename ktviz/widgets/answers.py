"""What answers the requests of a view: those of its panels, and those that are about all of them."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ktviz.errors import KtvizError, RegionError
from ktviz.widgets.asking import Answer, Answering, Body, RequestError
from ktviz.widgets.change import Change
from ktviz.widgets.packing import pack
from ktviz.widgets.panels.registry import PANELS
from ktviz.widgets.protocol import PROTOCOL
from ktviz.widgets.scene import short_digest
from ktviz.widgets.selection import checked_region, queries_in
from ktviz.widgets.subject import Subject

log = logging.getLogger("ktviz")
LARGEST_BYTES = 8192
"""A request is ids and boxes, never data."""


def region(subject: Subject, body: Body) -> Answer:
    """{box} → the retrievals that paint a part of it, and the share of every source."""
    box = checked_region(body.get("box"), subject.trace)
    if box is None:
        raise RegionError("a region", "none given", "Give x, y, width and height")
    shares = np.zeros(len(subject.names), dtype=np.float32)
    found = subject.trace.sources(box)
    shares[[subject.number[name] for name in found["source"]]] = found["share"]
    return {}, {"queries": np.array(queries_in(subject.trace, box), dtype=np.int32), "shares": shares}


ANSWERS: Mapping[str, Answering] = {
    "region": region,
    **{kind: answer for panel in PANELS for kind, answer in panel.answers.items()},
}


@dataclass(frozen=True)
class Answers:
    """Answers the requests of a view about one trace.

    Attributes:
        subject: The trace, and what can be asked of its model.
        on_change: Told of every change that is asked for, and of none where the recorded translation is wanted back;
            without it nothing is translated.
    """

    subject: Subject
    on_change: Callable[[Change], None] | None = None

    def to(self, request: Mapping[str, Any]) -> Answer:
        """The answer to a request of the form {protocol, kind, body}.

        Raises:
            RequestError: Of another protocol, an unknown kind, or not as that kind should be.
            KtvizError: What went wrong in answering.
        """
        if request.get("protocol") != PROTOCOL:
            raise RequestError(
                f"a view with messages of version {request.get('protocol')}",
                f"this ktviz has version {PROTOCOL}",
                "Run the cell again to draw a new view",
            )
        kinds: dict[str, Answering] = {**ANSWERS, "translate": self.translate}
        kind, body = request.get("kind"), request.get("body")
        if len(str(body)) > LARGEST_BYTES:
            raise RequestError("a request", f"more than {LARGEST_BYTES} bytes", "Name fewer things at a time")
        known = isinstance(kind, str) and kind in kinds
        if not known or not isinstance(body, Mapping):
            raise RequestError(f"a request {str(kind)[:40]!r}", "not one that is known", f"Known: {', '.join(kinds)}")
        return kinds[str(kind)](self.subject, body)

    def translate(self, subject: Subject, body: Body) -> Answer:
        """What is to be otherwise (see `Change`) → the view shows the photo translated so."""
        subject.live()
        if self.on_change is None:
            raise RequestError("a counterfactual", "not of the recorded translation", "Ask about the recorded one")
        self.on_change(Change.asked(subject, body))
        return {}, {}


def answered(known: Sequence[Answers], request: Mapping[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    """The message that answers a request, also where it fails: nothing stays without an answer.

    Args:
        known: Those about the traces of a view; a request that names none is about the first.
        request: As it came. If its trace has made room for another since, the answer has no error, but is not ok.
    """
    envelope = {"id": request["id"], "kind": str(request.get("kind"))[:40]}
    about = {short_digest(one.subject): one for one in known}
    answers = about.get(str(request["trace"])) if "trace" in request else known[0]
    if answers is None:
        return {**envelope, "ok": False}, []
    try:
        values, parts = answers.to(request)
        return {**envelope, "ok": True}, [pack(values, parts)]
    except KtvizError as error:
        return {**envelope, "ok": False, "error": [error.asked, error.found, error.todo]}, []
    except Exception as error:
        # As text: a record that held the traceback would hold the view.
        log.error("a view's request failed\n%s", traceback.format_exc())
        return {**envelope, "ok": False, "error": [envelope["kind"], repr(error)[:400], "See the log"]}, []
