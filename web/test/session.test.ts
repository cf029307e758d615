import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Answer, type Host, Refused, type Showing, Unanswered } from "../src/core/host";
import type { Kind } from "../src/core/protocol";
import { OTHER_VERSION, Session } from "../src/core/session";
import type { Selected } from "../src/core/store";
import { after, known, near, world } from "./known";
import type { Scene } from "../src/core/scene";
import { packed } from "./made";

/** Answers when a test says so, and keeps what was asked and told. */
class SlowHost implements Host {
  readonly canTranslate = true;
  readonly live = true;
  readonly leftOut = [];
  gone = false;
  readonly told: Selected[] = [];
  readonly showing: Showing[] = [];
  readonly asked: {
    kind: Kind;
    body: unknown;
    trace: string;
    resolve(answer: Answer): void;
    reject(error: Error): void;
  }[] = [];

  ask(kind: Kind, body: unknown, _topic: string, trace: string): Promise<Answer> {
    return new Promise((resolve, reject) => this.asked.push({ kind, body, trace, resolve, reject }));
  }
  select(selected: Selected, _node: unknown, showing: Showing): void {
    this.told.push(selected);
    this.showing.push(showing);
  }
  group(): void {}
  hasSite(): boolean {
    return true;
  }
  showSite(): void {
    if (this.gone) throw new Unanswered("gone");
  }
  close(): void {}
}

let host: SlowHost;
let session: Session;
let settled: boolean[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("requestAnimationFrame", (call: () => void) => setTimeout(call, 16));
  host = new SlowHost();
  settled = [];
  session = new Session(world(), host, (now) => settled.push(now));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const [region, other] = known.world.regions.slice(1);
const box = ([x, y, width, height]: number[]) => [x, y, x + width, y + height] as const;
const sharesOf = (values: number[]) => packed({}, { shares: { column: Float32Array.from(values) } });

describe("a region", () => {
  it("has the browser's shares at once, and Python's when they come", async () => {
    session.selectBox(...box(region.box));
    expect(near(session.state.shares!, region.shares, 2e-6)).toBe(true);
    host.asked[0].resolve(sharesOf([0.25, 0.75]));
    await vi.runAllTimersAsync();
    expect(Array.from(session.state.shares!)).toEqual([0.25, 0.75]);
  });

  it("keeps its shares when those of an earlier one come late", async () => {
    session.selectBox(...box(region.box));
    session.selectBox(...box(other.box));
    host.asked[0].resolve(sharesOf([1, 0]));
    await vi.runAllTimersAsync();
    expect(near(session.state.shares!, other.shares, 2e-6)).toBe(true);
  });

  it("keeps the browser's shares where nobody answers", async () => {
    session.selectBox(...box(region.box));
    host.asked[0].reject(new Unanswered());
    await vi.runAllTimersAsync();
    expect(near(session.state.shares!, region.shares, 2e-6)).toBe(true);
    expect(session.state.error).toBe("");
  });

  it("is cut to the image, and whole pixels wide, and nothing outside it", () => {
    session.selectBox(-20, 3.4, 7.2, 9.6);
    expect(session.state.selected).toEqual({ kind: "region", box: [0, 3, 8, 7] });
    session.selectBox(-20, -20, -5, -5);
    expect(host.told).toHaveLength(1);
  });

  it("is focused on a retrieval that paints most of it", () => {
    session.selectBox(...box(region.box));
    const most = Math.max(...region.weight);
    expect(region.weight[session.state.focus]).toBeGreaterThan(0.998 * most);
  });
});

describe("a click", () => {
  it("selects a retrieval, and again nothing", () => {
    session.selectPlace(5);
    session.selectPlace(5);
    expect(host.told).toEqual([{ kind: "queries", queries: [session.scene.query[5]] }, { kind: "none" }]);
  });

  it("on a source selects all that it won", () => {
    session.selectSource(1);
    const expected = [...session.scene.query.keys()].filter((place) => session.scene.winnerSource(place) === 1);
    expect(Array.from(session.state.picked)).toEqual(expected);
  });
});

describe("what Python selected", () => {
  it("is adopted without being told back", () => {
    session.adopt({ kind: "queries", queries: [2, 3] }, [0, 1]);
    expect([Array.from(session.state.picked), session.state.node]).toEqual([
      [2, 3],
      [0, 1],
    ]);
    expect(host.told).toEqual([]);
  });

  it("is not shown where the trace has no such retrieval", () => {
    session.adopt({ kind: "queries", queries: [2, 9999] }, null);
    expect(Array.from(session.state.picked)).toEqual([2]);
  });
});

describe("a view", () => {
  it("is settled once nothing is asked any more", async () => {
    session.selectBox(...box(region.box));
    await vi.runAllTimersAsync();
    expect(settled.at(-1)).toBe(false);
    host.asked[0].reject(new Unanswered());
    await vi.runAllTimersAsync();
    expect(settled.at(-1)).toBe(true);
  });

  it("shows what Python refused, and settles", async () => {
    session.selectBox(...box(region.box));
    host.asked[0].reject(new Refused("a region: it is empty."));
    await vi.runAllTimersAsync();
    expect(session.state.error).toBe("a region: it is empty.");
    expect(settled.at(-1)).toBe(true);
  });

  it("of another version says that and nothing else, whatever fails", async () => {
    session.before.about.protocol += 1;
    session.selectBox(...box(region.box));
    host.asked[0].reject(new TypeError("'NoneType' object is not callable"));
    await vi.runAllTimersAsync();
    expect(session.state.error).toBe(OTHER_VERSION);
  });

  it("asks for the picture of a source once", async () => {
    void session.loadPictures([0, 1]);
    void session.loadPictures([0, 1]);
    await vi.runAllTimersAsync();
    for (const { reject } of [...host.asked]) reject(new Unanswered());
    await vi.runAllTimersAsync();
    for (const { reject } of host.asked.slice(1)) reject(new Unanswered());
    await vi.runAllTimersAsync();
    expect(host.asked.filter(({ kind }) => kind === "pictures").length).toBe(2);
  });

  it("says what it translates without, and that it no longer does", async () => {
    void session.translate({ without: [0] });
    expect(session.state.making).toContain(session.scene.about.sources[0].title);
    host.asked[0].reject(new Refused("it is the last one."));
    await vi.runAllTimersAsync();
    const { making, after, change } = session.state;
    expect([making, after, change.without]).toEqual(["", null, []]);
  });
});

describe("a counterfactual", () => {
  const arrive = async () => {
    await session.compare(after());
    session.adopt({ kind: "none" }, null, "after");
  };
  it("may take sources that the recorded trace does not list: they have the numbers after the others", async () => {
    const made = after();
    const { sources } = made.values as { sources: { title: string }[] };
    const first = session.sources.length;
    sources.push({ ...sources[0], title: "A newcomer" });
    expect(session.sources).toBe(session.before.about.sources);
    await session.compare(made);
    expect(session.sources.map((source) => source.title).slice(first)).toEqual(["A newcomer"]);
    void session.translate({ without: [first] });
    expect(session.state.making).toContain("A newcomer");
  });

  const winners = () => [...session.scene.query.keys()].map((place) => session.scene.winnerSource(place));

  it("is what everything speaks of while it is shown, and the recorded trace after the switch", async () => {
    const recorded = winners();
    await arrive();
    expect(winners()).not.toContain(0);
    expect([session.label, session.other]).toEqual([
      `without ${session.before.about.sources[0].title}`,
      session.before,
    ]);
    session.show("before");
    expect(winners()).toEqual(recorded);
    expect(session.other).toBe(session.state.after);
  });

  it("has shares of its own in a region, and the recorded ones beside them", async () => {
    await arrive();
    session.selectBox(...box(region.box));
    const there = known.after.regions[1];
    expect(near(session.state.shares!, there.shares, 2e-6)).toBe(true);
    expect(near(session.sharesIn(session.before), region.shares, 2e-6)).toBe(true);
    session.show("before");
    expect(near(session.state.shares!, region.shares, 2e-6)).toBe(true);
    expect(near(session.sharesIn(session.state.after!), there.shares, 2e-6)).toBe(true);
  });

  it("is asked about by its digest, and an answer after the switch is not taken", async () => {
    await arrive();
    session.selectBox(...box(region.box));
    session.show("before");
    expect(host.asked.map(({ trace }) => trace)).toEqual(["after", ""]);
    host.asked[0].resolve(sharesOf([0.25, 0.75]));
    await vi.runAllTimersAsync();
    expect(near(session.state.shares!, region.shares, 2e-6)).toBe(true);
  });

  it("selects what a source won there, and tells in which trace", async () => {
    await arrive();
    session.selectSource(1);
    const won = (scene: Scene) => [...scene.query.keys()].filter((place) => scene.winnerSource(place) === 1);
    expect(Array.from(session.state.picked)).toEqual(won(session.state.after!));
    session.show("before");
    expect(Array.from(session.state.picked)).toEqual(won(session.before));
    expect(host.showing).toEqual(["after", "before"]);
  });

  it("changes everything that is drawn", async () => {
    let heard: unknown[] = [];
    session.store.listen((changed) => (heard = [...changed]));
    await arrive();
    await vi.runAllTimersAsync();
    heard = [];
    session.show("before");
    await vi.runAllTimersAsync();
    expect(heard).toEqual(Object.keys(session.state));
  });

  it("keeps what was unticked since, and takes over what it was made without", async () => {
    void session.translate({ without: [0, 2] });
    await arrive(); // that of an earlier request
    expect(session.state.change.without).toEqual([0, 2]);
    host.asked[0].resolve(sharesOf([]));
    await vi.runAllTimersAsync();
    await arrive();
    expect(session.state.change.without).toEqual([0]);
  });

  it("keeps what is unticked while it arrives", async () => {
    void session.translate({ without: [0] });
    host.asked[0].resolve(sharesOf([]));
    await vi.runAllTimersAsync();
    session.store.set({ change: { ...session.state.change, without: [0, 2] } }); // it is asked for after a moment
    await arrive();
    expect(session.state.change.without).toEqual([0, 2]);
    void session.translate({});
    expect(host.asked.at(-1)!.body).toMatchObject({ without: [0, 2] });
  });

  it("is closed at once, also where Python is busy", async () => {
    await arrive();
    session.closeComparison();
    await Promise.resolve();
    expect([session.state.after, session.scene]).toEqual([null, session.before]);
    expect(session.state.change.without).toEqual([]);
    expect(host.asked.at(-1)!.kind).toBe("translate");
  });

  it("makes room for a later one that comes first", async () => {
    const [first, second] = [session.compare(after()), session.compare(null)];
    await Promise.all([first, second]);
    expect(session.state.after).toBe(null);
  });
});

describe("another site", () => {
  it("is waited for, and no longer when it does not come", async () => {
    expect(session.showSite("vote")).toBe(true);
    expect(session.state.making).toContain("vote");
    expect(session.state.waiting).toBe(1);
    session.showSite("fine"); // changed their mind
    session.stay();
    session.stay(); // said to all views of a model, also to those that had not asked
    await vi.runAllTimersAsync();
    expect([session.state.making, session.state.waiting]).toEqual(["", 0]);
    expect(settled.at(-1)).toBe(true);
  });

  it("is not waited for where nobody is there", () => {
    host.gone = true;
    expect(session.showSite("vote")).toBe(false);
    expect([session.state.error, session.state.making]).toEqual(["gone", ""]);
  });
});

describe("another look of an object", () => {
  const asked = () => host.asked.at(-1)!.body;

  it("is asked for beside what else was changed, the latest for each object", () => {
    session.restyle(3, { style: 1 });
    session.restyle(4, { like: 3 });
    expect(asked()).toMatchObject({ without: [], styles: [[3, 1]], copies: [[4, 3]] });
    session.restyle(4, { style: 2 });
    expect(asked()).toMatchObject({
      styles: [
        [3, 1],
        [4, 2],
      ],
      copies: [],
    });
    void session.translate({ without: [0] });
    expect(asked()).toMatchObject({
      without: [0],
      styles: [
        [3, 1],
        [4, 2],
      ],
    });
  });

  it("is gone with the comparison, and where it was refused", async () => {
    session.restyle(3, { style: 1 });
    expect(session.state.making).toContain("another look of an object");
    host.asked.at(-1)!.reject(new Refused("no such style"));
    await vi.runAllTimersAsync();
    expect(session.state.change).toMatchObject({ styles: [], copies: [] });
    expect(session.state.making).toBe("");
    session.restyle(3, { style: 1 });
    session.closeComparison();
    expect(asked()).toMatchObject({ styles: [], copies: [] });
  });

  it("is for the object that is clicked next, which is not selected", () => {
    const picked: number[] = [];
    session.await((place) => picked.push(place), "Click one", new Map([[2, 1]]));
    session.selectPlace(-1);
    session.selectPlace(2);
    expect(picked).toEqual([2]);
    expect(session.state.selected.kind).toBe("none");
    expect(session.state.picking).toBe("Click one");
    session.clear();
    expect([session.state.picking, session.state.lit]).toEqual(["", null]);
    session.selectPlace(2);
    expect(session.state.selected.kind).toBe("queries");
  });
});
