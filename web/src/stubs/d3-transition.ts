// Stands in for d3-transition, which d3-zoom imports: our zooms are never animated, so there is nothing to interrupt.
// With d3-interpolate it would bring d3-color, d3-ease and d3-timer along, a fifth of the bundle.

import { selection } from "d3-selection";

export function interrupt(): void {}

Object.assign(selection.prototype, {
  interrupt<T>(this: T): T {
    return this;
  },
});
