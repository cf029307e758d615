// Who has which share, as one bar: sources with a colour of their own, then all others together.

import { OTHER } from "../../core/colours";
import { counted, h, percent } from "../../core/dom";
import type { Scene } from "../../core/scene";

export class ShareBar {
  readonly el = h("div", { class: "kt-sharebar", role: "img" });

  /** @param order of the sources */
  draw(scene: Scene, order: readonly number[], shares: ArrayLike<number>): void {
    const gave = order.filter((source) => shares[source] > 0);
    const own = gave.filter((source) => !scene.palette.isOther(source));
    const others = gave.filter((source) => scene.palette.isOther(source));
    const parts = own.map((source) => ({
      share: shares[source],
      colour: scene.palette.of(source),
      told: scene.about.sources[source].title,
    }));
    const rest = others.reduce((sum, source) => sum + shares[source], 0);
    if (others.length) parts.push({ share: rest, colour: OTHER, told: counted(others.length, "other") });
    const said = parts.map(({ told, share }) => `${told} ${percent(share)}`);
    this.el.setAttribute("aria-label", `Shares: ${said.join(", ")}`);
    this.el.replaceChildren(
      ...parts.map(({ share, colour }, n) => {
        const el = h("i", { title: said[n] });
        [el.style.width, el.style.background] = [`${100 * share}%`, colour];
        return el;
      }),
    );
  }
}
