// The line at the top: what is shown, and which of several sites.

import { counted, h, percent } from "./dom";
import type { About } from "./scene";
import type { Session } from "./session";
import { SiteSwitch } from "./sites";

export class Header {
  readonly el: HTMLElement;
  readonly sites: SiteSwitch;

  /** @param alone whether only the sites are told of, above a single panel */
  constructor(session: Session, alone: boolean) {
    this.sites = new SiteSwitch(session);
    this.el = h("header", { class: "kt-header", hidden: alone && this.sites.el.hidden });
    this.el.append(this.sites.el);
    if (alone) return;
    const facts = h("span", { class: "kt-faint" });
    session.store.listen((changed) => {
      if (changed.has("showing")) facts.textContent = factsOf(session.scene.about);
    });
    const { canvas, banks } = session.before.about;
    const title = `${canvas.title} ${canvas.width} × ${canvas.height} px → ${banks.map((bank) => bank.name).join(", ")}`;
    this.el.prepend(h("strong", {}, title));
    this.el.append(facts);
  }
}

/** The trace that is shown in a line. */
function factsOf(about: About): string {
  const facts = [
    counted(about.queries, "retrieval"),
    about.preset ? `preset ${about.preset}` : "",
    about.left_over > 0.0005 ? `${percent(about.left_over)} not recorded` : "",
    ...Object.entries(about.lacking).map(([why, part]) => `${percent(part)} ${why}`),
    about.causal ? "" : "nearest explanation, not cause",
    about.without.length ? `${about.without.length} left out` : "",
    ...Object.entries(about.measures).map(([name, value]) => `${name.replaceAll("_", " ")} ${digits(value)}`),
    about.coherent ? `${percent(about.coherent)} of the winners continue a neighbour${kept(about)}` : "",
  ];
  return facts.filter(Boolean).join(" · ");
}

/** A number of any size in little room. */
function digits(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString("en-US", { maximumSignificantDigits: 4 });
}

/** What coherence gave up, in words. */
function kept({ best, kept, can }: About): string {
  if (best === null || kept === null) return "";
  const of = can.regret ? "of all entries" : "found";
  return `; ${percent(best)} are the best ${of}, and ${(100 * kept).toFixed(1)} % of its similarity is kept`;
}
