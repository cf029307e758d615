// Elements by name, attributes and children. Text is always text: nothing that a trace says becomes markup.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined | ((event: any) => void)>;

export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  apply(element, attributes);
  append(element, children);
  return element;
}

export function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  apply(element, attributes);
  append(element, children);
  return element;
}

function apply(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
}

function append(element: Element, children: Child[]): void {
  for (const child of children) if (child !== null && child !== undefined && child !== false) element.append(child);
}

export function button(label: string, onclick: (event: Event) => void, more: Attributes = {}): HTMLButtonElement {
  return h("button", { type: "button", onclick, ...more }, label);
}

/** A canvas for device pixels: sharp on every screen. */
export function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = globalThis.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/**
 * Make these the children of an element. Those that are there in this order are not moved: what has the focus keeps it.
 */
export function setChildren(parent: Element, children: readonly Element[]): void {
  for (const child of [...parent.children]) if (!children.includes(child)) child.remove();
  children.forEach((child, n) => {
    if (parent.children[n] !== child) parent.insertBefore(child, parent.children[n] ?? null);
  });
}

/** A map as something that can be drawn. */
export function asCanvas(image: ImageData): HTMLCanvasElement {
  const canvas = h("canvas", { width: image.width, height: image.height });
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  return canvas;
}

export function percent(share: number): string {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** So many things, in words. */
export function counted(value: number, what: string, several = `${what}s`): string {
  return `${count(value)} ${value === 1 ? what : several}`;
}

/** A name's last part without its suffix, for where there is little room. */
export function shortName(name: string): string {
  return name
    .split("/")
    .pop()!
    .replace(/\.\w{1,5}$/, "");
}

/** A spot of a source's colour. */
export function chip(colour: string): HTMLElement {
  const mark = h("span", { class: "kt-chip", "aria-hidden": "true" });
  mark.style.background = colour;
  return mark;
}

/** Somebody else's words, which may run from right to left: they do not turn ours around. */
export function words(text: string): HTMLElement {
  return h("bdi", {}, text);
}
