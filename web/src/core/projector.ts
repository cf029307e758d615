// For a class: the whole screen, large type, one panel at a time, and arrow keys.

import { button, h } from "./dom";

export class Projector {
  readonly button = button("Projector", () => void this.begin(), { title: "The whole screen, one panel at a time" });
  private readonly told = h("span", { role: "status" });
  private readonly bar = h(
    "div",
    { class: "kt-slides", hidden: true },
    button("◀", () => this.turn(-1), { "aria-label": "Panel before" }),
    this.told,
    button("▶", () => this.turn(1), { "aria-label": "Next panel" }),
    button("Leave", () => this.end()),
  );
  private at = 0;
  private on = false;

  /**
   * @param slides what is shown together, the first first
   * @param onTurn called whenever there is other room
   */
  constructor(
    private readonly root: HTMLElement,
    private readonly slides: readonly (readonly HTMLElement[])[],
    private readonly onTurn: () => void,
  ) {
    root.append(this.bar);
    root.addEventListener("keydown", (event) => this.pressed(event));
    root.addEventListener("fullscreenchange", () => {
      if (!document.fullscreenElement) this.end();
    });
  }

  private async begin(): Promise<void> {
    this.on = true;
    this.root.classList.add("kt-projector");
    this.bar.hidden = false;
    this.turn(0);
    this.root.tabIndex = -1;
    this.root.focus();
    try {
      await this.root.requestFullscreen();
    } catch {
      // in its place on the page, where a notebook does not allow more
    }
  }

  private end(): void {
    if (!this.on) return;
    this.on = false;
    this.root.classList.remove("kt-projector");
    this.bar.hidden = true;
    for (const el of this.slides.flat()) el.classList.remove("kt-off");
    if (document.fullscreenElement) void document.exitFullscreen();
    this.onTurn();
  }

  private turn(by: number): void {
    this.at = Math.min(this.slides.length - 1, Math.max(0, this.at + by));
    this.slides.forEach((slide, n) => {
      for (const el of slide) el.classList.toggle("kt-off", n !== this.at);
    });
    for (const el of this.slides[this.at]) if (el instanceof HTMLDetailsElement) el.open = true;
    this.told.textContent = `${this.at + 1} / ${this.slides.length}`;
    this.onTurn();
  }

  private pressed(event: KeyboardEvent): void {
    const inControl = event.target !== this.root && !(event.target as HTMLElement).closest(".kt-slides");
    if (!this.on || (inControl && !event.ctrlKey)) return;
    if (event.key === "ArrowRight" || event.key === "PageDown") this.turn(1);
    else if (event.key === "ArrowLeft" || event.key === "PageUp") this.turn(-1);
    else if (event.key === "Escape") this.end();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
