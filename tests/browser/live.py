"""A live view in a page of its own: what a notebook's kernel would carry crosses through Playwright."""

from __future__ import annotations

from base64 import b64decode, b64encode

from browser.explorer_driver import ExplorerDriver
from ktviz.widgets.view import static_text

PAGE = """<!doctype html><html lang="en"><title>live</title><style>body { margin: 0 }</style><main></main></html>"""
MODEL = """async ({ bundle, state }) => {
  const data = text => new DataView(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
  const value = v => (v && typeof v === "object" && "base64" in v ? data(v.base64) : v);
  const listeners = new Map();
  const fire = (name, ...given) => [...(listeners.get(name) ?? [])].forEach(call => call(...given));
  const values = Object.fromEntries(Object.entries(state).map(([name, v]) => [name, value(v)]));
  let changed = {};
  window.deliver = messages => {
    for (const { content, buffers, update } of messages) {
      if (!update) { fire("msg:custom", content, buffers.map(data)); continue; }
      for (const [name, v] of Object.entries(update)) values[name] = value(v);
      for (const name of Object.keys(update)) fire(`change:${name}`);
    }
  };
  const model = {
    get: name => values[name],
    set: (name, v) => { values[name] = v; changed[name] = v; },
    save_changes: () => { const all = changed; changed = {}; toPython({ state: all }).then(deliver); },
    send: (content, _, buffers = []) => {
      const texts = buffers.map(one => btoa(String.fromCharCode(...new Uint8Array(one))));
      toPython({ content, buffers: texts }).then(deliver);
    },
    on: (name, call) => listeners.set(name, [...(listeners.get(name) ?? []), call]),
    off: (name, call) => listeners.set(name, (listeners.get(name) ?? []).filter(one => one !== call)),
  };
  const url = URL.createObjectURL(new Blob([bundle], { type: "text/javascript" }));
  const { default: { render } } = await import(url);
  await render({ model, el: document.querySelector("main") });
}"""
SYNCED = ("_scene", "_after", "_tried", "_parts", "_selected", "_site", "_stand_in", "by")


class Connected:
    """A widget of this process, drawn in a page.

    Args:
        page: An empty page.
        view: The widget.
        synced: Names of its traits that the page knows.
    """

    def __init__(self, page, view, synced):
        self.page, self.view, self.waiting = page, view, []
        page.expose_function("toPython", self.answer)
        page.set_content(PAGE)
        page.add_style_tag(content=static_text("ktviz.css"))
        state = {name: crossing(getattr(view, name)) for name in synced}
        page.evaluate(MODEL, {"bundle": view._esm, "state": state})

    def hear(self, kind, data=None, metadata=None, buffers=None, **rest):
        """Keep what the view sends until the page takes it."""
        if kind != "comm_msg":
            return
        if data["method"] == "custom":
            self.waiting.append({"content": data["content"], "buffers": [encoded(buffer) for buffer in buffers or []]})
        elif data["method"] == "update":
            update = dict(data["state"])
            for (name,), buffer in zip(data["buffer_paths"], buffers or [], strict=True):
                update[name] = {"base64": encoded(buffer)}
            self.waiting.append({"update": update})

    def answer(self, said):
        """Hand what the page says to the view; what the view says in return."""
        if self.view.comm is None:
            return []  # it is closed, while the page was asking
        self.view.comm.publish_msg = self.hear  # of several pages with one view, the one that spoke last hears
        if "state" in said:
            self.view.set_state(said["state"])
        else:
            self.view._handle_custom_msg(said["content"], [b64decode(text) for text in said["buffers"]])
        return self.taken()

    def taken(self):
        found, self.waiting = self.waiting, []
        return found

    def set(self, **traits):
        """Set traits in Python, and let the page hear of it."""
        self.view.comm.publish_msg = self.hear
        for name, value in traits.items():
            setattr(self.view, name, value)
        self.page.evaluate("deliver", self.taken())


class LiveView(ExplorerDriver, Connected):
    """A view, drawn and connected.

    Args:
        page: An empty page.
        view: Of this process.
    """

    def __init__(self, page, view):
        ExplorerDriver.__init__(self, page)
        Connected.__init__(self, page, view, SYNCED)
        self.settled()

    def set(self, **traits):
        """Set traits in Python, and wait until all is drawn."""
        super().set(**traits)
        return self.settled()


def encoded(buffer):
    return b64encode(bytes(buffer)).decode()


def crossing(value):
    return {"base64": encoded(value)} if isinstance(value, bytes) else value
