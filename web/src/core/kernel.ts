// A host that is a running Python: typed requests with ids, answers that may come late, and a kernel that may die.

import { type Host, Refused, type Showing, Stale, Unanswered } from "./host";
import { Packed } from "./packed";
import { type Kind, PROTOCOL, type Requests } from "./protocol";
import type { Selected } from "./store";

/** The part of an anywidget model that is used. */
export interface Model {
  get(name: string): any;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(name: string, callback: (...given: any[]) => void): void;
  off(name: string, callback?: (...given: any[]) => void): void;
}

interface Pending {
  kind: Kind;
  topic: string;
  resolve(packed: Packed): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

export const SLOW_MS = 20_000;
const GONE = "Python has stopped or was restarted: this view is frozen. Run its cell again for a live one.";
const SLOW = "Python does not answer: it is busy, or has stopped. The view goes on when it answers.";

export class KernelHost implements Host {
  readonly canTranslate: boolean;
  readonly live = true;
  readonly leftOut = [];
  /** Two views of one model hear the same answers: their ids must not meet. */
  private next = 1 + Math.floor(Math.random() * 2 ** 31) * 2 ** 20;
  private gone = false;
  private readonly pending = new Map<number, Pending>();

  constructor(
    private readonly model: Model,
    canTranslate: boolean,
    private readonly onFrozen: (why: string) => void,
    private readonly onError: (text: string) => void,
  ) {
    this.canTranslate = canTranslate;
    model.on("msg:custom", this.hear);
    model.on("comm_live_update", this.lost);
  }

  ask<K extends Kind>(kind: K, body: Requests[K], topic: string, trace: string): Promise<Packed> {
    this.dropStale(kind, topic);
    if (this.gone) return Promise.reject(new Unanswered(GONE));
    const id = this.next++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.slow(id), SLOW_MS);
      this.pending.set(id, { kind, topic, resolve, reject, timer });
      try {
        this.model.send({ id, protocol: PROTOCOL, trace, kind, body });
      } catch {
        this.lost();
      }
    });
  }

  select(selected: Selected, node: [number, number] | null, showing: Showing): void {
    if (this.gone) return;
    this.model.set("_selected", { ...selected, node, showing });
    this.model.save_changes();
  }

  group(by: string): void {
    if (this.gone) return;
    this.model.set("by", by);
    this.model.save_changes();
  }

  hasSite(): boolean {
    return true;
  }

  showSite(site: string): void {
    if (this.gone) throw new Unanswered(GONE);
    this.model.set("_site", site);
    this.model.save_changes();
  }

  close(): void {
    this.model.off("msg:custom", this.hear);
    this.model.off("comm_live_update", this.lost);
    for (const id of [...this.pending.keys()]) this.take(id)?.reject(new Stale());
  }

  private dropStale(kind: Kind, topic: string): void {
    for (const [id, asked] of this.pending) {
      if (asked.kind === kind && asked.topic === topic) this.take(id)?.reject(new Stale());
    }
  }

  private take(id: number): Pending | undefined {
    const asked = this.pending.get(id);
    if (asked) clearTimeout(asked.timer);
    this.pending.delete(id);
    return asked;
  }

  private slow(id: number): void {
    if (this.pending.has(id)) this.onFrozen(SLOW);
  }

  private readonly hear = (content: any, buffers: DataView[]): void => {
    if (content?.kind === "error") return this.onError(content.error.join(": "));
    this.gone = false;
    this.onFrozen("");
    const asked = this.take(content?.id);
    if (!asked) return; // stale, or of another view of the same model
    if (content.ok) asked.resolve(Packed.read(buffers[0]));
    else if (!content.error)
      asked.reject(new Stale()); // the trace has made room for another counterfactual
    else asked.reject(new Refused(`${content.error[0]}: ${content.error[1]}. ${content.error[2]}.`));
  };

  private readonly lost = (): void => {
    this.gone = true;
    this.onFrozen(GONE);
    for (const id of [...this.pending.keys()]) this.take(id)?.reject(new Unanswered(GONE));
    this.knock();
  };

  /** The same event says that a lost connection came back: whoever answers is there. */
  private knock(): void {
    try {
      this.model.send({ id: 0, protocol: PROTOCOL, kind: "region", body: { box: [0, 0, 1, 1] } });
    } catch {
      // nobody is there: the view has said so
    }
  }
}
