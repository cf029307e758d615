"""What goes over the wire between a view and a browser, read by other code than that which wrote it."""

from __future__ import annotations

import gzip
import json
import struct
from types import SimpleNamespace

import numpy as np
import pytest

from ktviz.widgets.protocol import PROTOCOL

HEIGHT, WIDTH = 72, 90
"""Of the photo."""
NAMES = ("region", "selection", "node")
"""What a view tells of itself."""


def unpack(data):
    """(values, parts) of a container, within gzip or not: its header by json, its parts by the described types, little
    endian."""
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    (length,) = struct.unpack_from("<I", data)
    values = json.loads(data[4 : 4 + length].decode("utf-8"), parse_constant=pytest.fail)
    parts, end = {}, 0
    for name, part in values.pop("parts").items():
        start = 4 + length + part["at"]
        kind = np.dtype(part["type"]).newbyteorder("<")
        assert start % 8 == 0, name
        assert part["at"] >= end, name
        assert part["bytes"] == kind.itemsize * int(np.prod(part["shape"])), name
        end = part["at"] + part["bytes"]
        run = np.frombuffer(data[start : start + part["bytes"]], np.uint8)
        if part.get("planes"):
            run = np.ascontiguousarray(run.reshape(kind.itemsize, -1).T)
        stored = run.view(kind).reshape(part["shape"])
        if part.get("differences"):
            stored = np.cumsum(stored.view(f"<u{kind.itemsize}"), axis=0, dtype=f"<u{kind.itemsize}").view(kind)
        parts[name] = stored
    assert 4 + length + end <= len(data) < 4 + length + end + 8
    return values, parts


def jsonable(value):
    """As it comes out at the other end."""
    return json.loads(json.dumps(value, allow_nan=False))


class Wire:
    """The browser's end of a view: hears all that is sent, and says what it likes."""

    def __init__(self, view):
        self.view, self.heard, self.updates = view, [], []
        view.comm.publish_msg = self.hear

    def hear(self, kind, data=None, metadata=None, buffers=None, **rest):
        if kind == "comm_msg" and data["method"] == "custom":
            self.heard.append(SimpleNamespace(content=jsonable(data["content"]), buffers=buffers or []))
        elif kind == "comm_msg":
            self.updates.append(jsonable(data["state"]))

    def select(self, selected):
        self.view.set_state({"_selected": selected})

    def say(self, content):
        """A message, and what came back."""
        self.heard.clear()
        self.view._handle_custom_msg(content, [])
        return self.heard

    def ask(self, kind, body, id=7, protocol=PROTOCOL, **more):
        """The only answer to a request."""
        (answer,) = self.say({"id": id, "kind": kind, "body": body, "protocol": protocol, **more})
        assert answer.content["id"] == id
        return answer

    def answer(self, kind, body):
        """Values and parts of an answer that is none of an error."""
        answer = self.ask(kind, body)
        assert answer.content == {"id": 7, "kind": kind, "ok": True}, answer.content
        (packed,) = answer.buffers
        return unpack(packed)

    def refusal(self, kind, body, **more):
        """What was asked, what was found, what to do."""
        answer = self.ask(kind, body, **more)
        assert not answer.content["ok"]
        assert not answer.buffers
        error = answer.content["error"]
        assert len(error) == 3
        assert all(isinstance(part, str) and part for part in error)
        assert len(json.dumps(answer.content)) < 2000
        return error
