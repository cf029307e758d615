// What the words of a view mean, for whoever asks.

import { button, h } from "./dom";
import type { About } from "./scene";

interface Term {
  name: string;
  means: string;
  /** Whether the view speaks of it. */
  where?(about: About): boolean;
}

const TERMS: Term[] = [
  { name: "Retrieval", means: "One look-up: a query of the picture, and what the library gave for it." },
  {
    name: "Share",
    means:
      "Overlap: the part of the pixels that a source's retrievals cover, each pixel shared out among those over it.",
  },
  { name: "Similarity", means: "How alike a query and an entry are: 1 is the same, 0 nothing in common." },
  {
    name: "Margin",
    means: "The best similarity less the second best: small where it was a close call.",
    where: ({ candidates }) => candidates > 1,
  },
  {
    name: "Entropy",
    means: "How mixed a place is: 0 where one entry gives all, the more the more entries give alike.",
    where: ({ can }) => can.soft,
  },
  {
    name: "Spread",
    means: "Of a node of the tree: 1 less the mean cosine of its entries to their mean. 0: all alike.",
    where: ({ can }) => can.tree,
  },
  {
    name: "LL, LH, HL, HH",
    means:
      "Bands of a patch: LL its coarse colours, LH what changes from left to right, HL from top to bottom, HH both, which the paper leaves out.",
    where: ({ can }) => can.bands,
  },
  {
    name: "Visits",
    means: "Retrievals whose winner lies below a node of the tree.",
    where: ({ can }) => can.tree,
  },
  {
    name: "Regret",
    means: "The similarity that was missed: that of the best entry of all, less the winner's.",
    where: ({ can }) => can.regret,
  },
  {
    name: "Coherent",
    means: "Chosen because it continues the source of a neighbour, though another entry was a little more alike.",
    where: ({ coherent }) => coherent > 0,
  },
  {
    name: "Counterfactual",
    means: "The same picture, made again without some of the knowledge.",
    where: ({ can }) => can.exclude,
  },
];

/** A button that opens the words of a view. */
export function glossary(about: About): HTMLElement {
  const terms = TERMS.filter(({ where }) => where?.(about) ?? true);
  const list = h("dl", {}, ...terms.flatMap(({ name, means }) => [h("dt", {}, name), h("dd", {}, means)]));
  const dialog = h("dialog", { class: "kt-glossary", "aria-label": "What the words mean" }, list);
  dialog.append(button("Close", () => dialog.close()));
  const open = button("?", () => dialog.showModal(), {
    "aria-label": "What the words mean",
    title: "What the words mean",
  });
  return h("span", {}, open, dialog);
}
