// Written by `python -m ktviz.widgets.protocol` from ktviz/widgets/protocol.py: change it there.

export const PROTOCOL = 10;
export const NO_SOURCE = -1;
export const STEPS = 10000;
export const SHEET = 256;

/** All that a view may ask, with the body of each request. */
export interface Requests {
  region: { box: number[] };
  candidates: { queries: number[] };
  pictures: { sources: number[] };
  children: { bank: number; nodes: number[] };
  outline: { bank: number };
  thumbs: { bank: number; nodes: number[] };
  descent: { queries: number[] };
  exact: { queries: number[] };
  bands: { queries: number[]; entries: number[] };
  styles: { queries: number[] };
  members: { styles: number[] };
  decode: { entry: number; moved: number[] };
  entries: { entries: number[] };
  attributes: Record<string, never>;
  switch: { on: number[]; labels: number; reference: number; amount: number };
  translate: {
    without: readonly number[];
    by: readonly (readonly [string, string])[];
    parts: readonly (readonly number[])[];
    entries: readonly number[];
    weights: readonly number[];
    styles: readonly (readonly [number, number])[];
    copies: readonly (readonly [number, number])[];
  };
}
export type Kind = keyof Requests;

/** What is asked of the trace that is shown; all else is the same for the recorded one and a counterfactual. */
export const ABOUT_SHOWN: ReadonlySet<Kind> = new Set<Kind>([
  "region",
  "candidates",
  "descent",
  "exact",
  "bands",
  "styles",
  "members",
  "decode",
  "attributes",
  "switch",
]);
