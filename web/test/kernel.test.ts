import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Refused, Stale, Unanswered } from "../src/core/host";
import { PROTOCOL } from "../src/core/protocol";
import { KernelHost, type Model, SLOW_MS } from "../src/core/kernel";
import { bytesOf, known } from "./known";

type Callback = (...given: any[]) => void;

/** A model without a kernel behind it: what is sent is kept, and answers come when a test says so. */
class FakeModel implements Model {
  readonly sent: any[] = [];
  readonly state: Record<string, unknown> = {};
  saved = 0;
  fails = false;
  private readonly callbacks = new Map<string, Set<Callback>>();

  get(name: string): unknown {
    return this.state[name];
  }
  set(name: string, value: unknown): void {
    this.state[name] = value;
  }
  save_changes(): void {
    this.saved++;
  }
  send(content: unknown): void {
    if (this.fails) throw new Error("the comm is closed");
    this.sent.push(content);
  }
  on(name: string, callback: Callback): void {
    this.callbacks.set(name, (this.callbacks.get(name) ?? new Set()).add(callback));
  }
  off(name: string, callback?: Callback): void {
    if (callback) this.callbacks.get(name)?.delete(callback);
  }
  trigger(name: string, ...given: unknown[]): void {
    for (const callback of this.callbacks.get(name) ?? []) callback(...given);
  }
  listeners(): number {
    return [...this.callbacks.values()].reduce((sum, found) => sum + found.size, 0);
  }
  answer(id: number, offset = 0): void {
    const bytes = bytesOf(known.packed.bytes);
    const larger = new Uint8Array(bytes.length + offset);
    larger.set(bytes, offset);
    this.trigger("msg:custom", { id, ok: true }, [new DataView(larger.buffer, offset)]);
  }
  refuse(id: number): void {
    this.trigger("msg:custom", { id, ok: false, error: ["a box", "it is empty", "Give it a width"] }, []);
  }
}

let model: FakeModel;
let host: KernelHost;
const frozen = vi.fn();
const failed = vi.fn();
const TRACE = "0123456789ab";
const candidates = (queries: number[], topic = "") => host.ask("candidates", { queries }, topic, TRACE);

beforeEach(() => {
  vi.useFakeTimers();
  frozen.mockClear();
  failed.mockClear();
  model = new FakeModel();
  host = new KernelHost(model, true, frozen, failed);
});
afterEach(() => vi.useRealTimers());

describe("requests", () => {
  it("carry an id of their own, the protocol, the trace, kind and body", () => {
    void candidates([3]);
    void host.ask("region", { box: [0, 0, 8, 8] }, "", "another");
    const [one, other] = model.sent;
    const [protocol, box] = [PROTOCOL, [0, 0, 8, 8]];
    expect(one).toEqual({ id: one.id, protocol, trace: TRACE, kind: "candidates", body: { queries: [3] } });
    expect(other).toEqual({ id: other.id, protocol, trace: "another", kind: "region", body: { box } });
    expect(other.id).not.toBe(one.id);
  });

  it("get their own answers, also out of order", async () => {
    const [one, other] = [
      host.ask("thumbs", { bank: 0, nodes: [1] }, "a", TRACE),
      host.ask("thumbs", { bank: 0, nodes: [2] }, "b", TRACE),
    ];
    model.refuse(model.sent[1].id);
    model.answer(model.sent[0].id);
    await expect(other).rejects.toThrow(Refused);
    expect((await one).values).toEqual(known.packed.values);
  });

  it.each([0, 1, 2, 5, 7])("are answered from a buffer at offset %i", async (offset) => {
    const asked = candidates([0]);
    model.answer(model.sent[0].id, offset);
    expect(Array.from((await asked).column("nodes"))).toEqual(known.packed.parts.nodes.values);
  });

  it("are stale once they are asked again, and their late answers are dropped", async () => {
    const [first, second] = [candidates([1]), candidates([2])];
    await expect(first).rejects.toThrow(Stale);
    model.answer(model.sent[0].id);
    model.answer(model.sent[1].id);
    expect((await second).has("nodes")).toBe(true);
    expect(failed).not.toHaveBeenCalled();
  });

  it("of other kinds and topics do not make each other stale", async () => {
    const asked = [candidates([1]), candidates([1], "another"), host.ask("descent", { queries: [1] }, "", TRACE)];
    for (const { id } of model.sent) model.answer(id);
    expect(await Promise.all(asked)).toHaveLength(3);
  });

  it("that are refused say what was asked, found, and what to do", async () => {
    const asked = host.ask("region", { box: [0, 0, 0, 0] }, "", TRACE);
    model.refuse(model.sent[0].id);
    await expect(asked).rejects.toThrow("a box: it is empty. Give it a width.");
  });

  it("about a trace that has gone are stale, and no error", async () => {
    const asked = candidates([1]);
    model.trigger("msg:custom", { id: model.sent[0].id, ok: false }, []);
    await expect(asked).rejects.toThrow(Stale);
    expect(failed).not.toHaveBeenCalled();
  });

  it("ignore answers to nobody, such as those of another view of the same model", () => {
    expect(() => model.answer(1234)).not.toThrow();
    expect(() => model.trigger("msg:custom", undefined, [])).not.toThrow();
  });
});

describe("a kernel that is gone", () => {
  it("leaves what was asked unanswered, and says that the view is frozen", async () => {
    const asked = candidates([1]);
    model.trigger("comm_live_update");
    await expect(asked).rejects.toThrow(Unanswered);
    expect(frozen).toHaveBeenLastCalledWith(expect.stringContaining("frozen"));
  });

  it("is not asked again", async () => {
    model.trigger("comm_live_update");
    await expect(candidates([1])).rejects.toThrow(Unanswered);
    host.select({ kind: "none" }, null, "before");
    const sent = model.sent.filter(({ id }) => id !== 0); // but knocked at, in case that it came back
    expect([sent.length, model.saved]).toEqual([0, 0]);
  });

  it("is noticed when nothing can be sent any more", async () => {
    model.fails = true;
    await expect(candidates([1])).rejects.toThrow(Unanswered);
    expect(frozen).toHaveBeenLastCalledWith(expect.stringContaining("frozen"));
  });
});

describe("a kernel that is busy", () => {
  it("is said to be so after a while, and no longer once it answers", async () => {
    const asked = candidates([1]);
    vi.advanceTimersByTime(SLOW_MS - 1);
    expect(frozen).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(frozen).toHaveBeenLastCalledWith(expect.stringContaining("busy"));
    model.answer(model.sent[0].id);
    await asked;
    expect(frozen).toHaveBeenLastCalledWith("");
  });

  it("is not said to be so after it answered, or was asked again", async () => {
    void candidates([1]).catch(() => undefined);
    vi.advanceTimersByTime(SLOW_MS / 2);
    const again = candidates([2]);
    model.answer(model.sent[1].id);
    await again;
    frozen.mockClear();
    vi.advanceTimersByTime(2 * SLOW_MS);
    expect(frozen).not.toHaveBeenCalled();
  });
});

describe("a host", () => {
  it("tells Python what was selected", () => {
    host.select({ kind: "queries", queries: [4] }, [0, 2], "after");
    expect(model.state._selected).toEqual({ kind: "queries", queries: [4], node: [0, 2], showing: "after" });
    expect(model.saved).toBe(1);
  });

  it("shows errors that Python sends unasked, without taking them for answers", async () => {
    const asked = candidates([1]);
    model.trigger("msg:custom", { kind: "error", error: ["node 9", "there is none", "Give another"] }, []);
    expect(failed).toHaveBeenCalledWith(expect.stringContaining("there is none"));
    model.answer(model.sent[0].id);
    expect((await asked).has("nodes")).toBe(true);
  });

  it("leaves nothing behind when it is closed", async () => {
    const asked = candidates([1]);
    host.close();
    await expect(asked).rejects.toThrow(Stale);
    expect([model.listeners(), vi.getTimerCount()]).toEqual([0, 0]);
  });
});
