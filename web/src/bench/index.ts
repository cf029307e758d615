// The page of a bench: a place of any output shows, in every system, the places of the reference behind it.

import { cellAt, said, shades, stepped, type Origins } from "./origins";

const DEEPEST = 190;

const held = document.getElementById("origins");
if (held) explore(JSON.parse(held.textContent ?? "") as Origins);

function explore(origins: Origins): void {
  const { cells } = origins;
  const all = <T extends HTMLElement>(selector: string) => [...document.querySelectorAll<T>(selector)];
  const canvases = all<HTMLCanvasElement>("canvas[data-system]");
  const lines = all(".said");
  const marks = all(".mark");
  const spoken = document.getElementById("spoken");
  let cell = cellAt(cells, 0.5, 0.5);
  let pinned = false;

  function show(next: number): void {
    cell = next;
    for (const mark of marks) {
      mark.style.left = `${(100 * (cell % cells)) / cells}%`;
      mark.style.top = `${(100 * Math.floor(cell / cells)) / cells}%`;
    }
    for (const canvas of canvases) {
      const image = new ImageData(cells, cells);
      const dark = shades(origins, canvas.dataset.system ?? "", Number(canvas.dataset.source), cell, DEEPEST);
      dark.forEach((shade, n) => (image.data[4 * n + 3] = shade));
      canvas.getContext("2d")?.putImageData(image, 0, 0);
    }
    for (const line of lines) line.textContent = said(origins, line.dataset.system ?? "", cell);
  }

  function under(event: MouseEvent): number {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return cellAt(cells, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }

  for (const target of all(".target")) {
    target.addEventListener("pointermove", (event) => {
      if (!pinned) show(under(event));
    });
    target.addEventListener("click", (event) => {
      pinned = !pinned || cell !== under(event);
      document.body.classList.toggle("pinned", pinned);
      show(under(event));
    });
    target.addEventListener("keydown", (event) => {
      const next = stepped(cells, cell, event.key);
      if (next === null) return;
      event.preventDefault();
      show(next);
      const words = Object.keys(origins.systems).map((system) => `${system}: ${said(origins, system, cell)}`);
      if (spoken) spoken.textContent = words.join(". ");
    });
  }
  document.body.classList.add("ready");
  show(cell);
}
