// What is selected, as files: the picture, the curves with all that they join, and the retrievals.

import { h, svg } from "../../core/dom";
import { save } from "../../core/saving";
import { boxFrom } from "../../core/scene";
import type { Session } from "../../core/session";
import { columnsOf, placesOf, toCsv } from "../table";

const LINE = 1.25;
/** Texts of a translation view that a file has, too. */
const TEXTS = "figcaption, .kt-sources h3, .kt-title, .kt-credit, .kt-share";

/** @param row the translation with its sources and curves, as it is drawn */
export function saving(session: Session, row: () => HTMLElement): HTMLElement {
  const kinds: Record<string, () => void> = {
    "Picture (PNG)": () => void savePicture(session),
    "Curves (SVG)": () => save("curves.svg", new Blob([drawing(row())], { type: "image/svg+xml" })),
    "Retrievals (CSV)": () => {
      const csv = toCsv(columnsOf(session.before), session.scene, placesOf(session));
      save("retrievals.csv", new Blob([csv], { type: "text/csv" }));
    },
  };
  const choice = h(
    "select",
    {
      "aria-label": "Save what is selected",
      onchange: () => {
        kinds[choice.value]?.();
        choice.value = "Save";
      },
    },
    ...["Save", ...Object.keys(kinds)].map((name) => h("option", { value: name }, name)),
  );
  return choice;
}

/** The output in its own pixels, or the selected region of it. */
async function savePicture({ scene, state }: Session): Promise<void> {
  const picture = scene.output;
  if (!picture) return;
  const across = picture.width / scene.width;
  const down = picture.height / scene.height;
  const all = { x: 0, y: 0, width: scene.width, height: scene.height };
  const box = state.selected.kind === "region" ? boxFrom(state.selected.box) : all;
  const [width, height] = [Math.max(1, Math.round(box.width * across)), Math.max(1, Math.round(box.height * down))];
  const canvas = h("canvas", { width, height });
  const from = [box.x * across, box.y * down, box.width * across, box.height * down] as const;
  canvas.getContext("2d")!.drawImage(picture, ...from, 0, 0, width, height);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done));
  if (blob) save("output.png", blob);
}

/** Pictures, curves and texts of an element where they stand on the screen, as a drawing of its own. */
export function drawing(row: HTMLElement): string {
  const frame = row.getBoundingClientRect();
  const root = svg("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${frame.width} ${frame.height}`,
    width: frame.width,
    height: frame.height,
  });
  const placed = (el: Element) => {
    const { left, top, width, height } = el.getBoundingClientRect();
    return { x: left - frame.left, y: top - frame.top, width, height };
  };
  const seen = ({ x, y, width, height }: ReturnType<typeof placed>) =>
    width > 0 && height > 0 && x + width > 0 && y + height > 0 && x < frame.width && y < frame.height;
  const colour = getComputedStyle(row).color;
  for (const canvas of row.querySelectorAll("canvas")) {
    const where = placed(canvas);
    if (seen(where)) root.append(svg("image", { ...where, href: canvas.toDataURL() }));
  }
  for (const line of row.querySelectorAll(".kt-curves path, .kt-curves rect")) {
    const copy = line.cloneNode() as SVGElement;
    const under = copy.classList.contains("kt-under");
    copy.removeAttribute("class");
    copy.setAttribute("fill", "none");
    copy.setAttribute("stroke-width", under ? "4" : "2");
    if (under) copy.setAttribute("stroke", "#fff");
    root.append(copy);
  }
  for (const el of row.querySelectorAll(TEXTS)) if (seen(placed(el))) root.append(...lines(el, placed(el), colour));
  return new XMLSerializer().serializeToString(root);
}

/** A text, in lines as wide as it stands. */
function lines(el: Element, where: { x: number; y: number; width: number }, fill: string): SVGElement[] {
  const { fontSize, fontWeight } = getComputedStyle(el);
  const context = h("canvas").getContext("2d")!;
  context.font = `${fontWeight} ${fontSize} sans-serif`;
  const found: string[] = [];
  for (const word of (el.textContent ?? "").split(/\s+/).filter(Boolean)) {
    const longer = found.length ? `${found.at(-1)} ${word}` : word;
    if (found.length && context.measureText(longer).width <= where.width + 2) found[found.length - 1] = longer;
    else found.push(word);
  }
  const size = Number.parseFloat(fontSize);
  const look = { fill, "font-family": "sans-serif", "font-size": size, "font-weight": fontWeight };
  return found.map((text, n) => svg("text", { x: where.x, y: where.y + size * (1 + LINE * n), ...look }, text));
}
