// Files that a person takes home: made here, handed to the browser.

import { h } from "./dom";

/** Let the browser keep something as a file. */
export function save(name: string, content: Blob): void {
  const place = URL.createObjectURL(content);
  h("a", { href: place, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(place), 10_000);
}
