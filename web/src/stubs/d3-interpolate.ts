// Stands in for d3-interpolate, which d3-zoom imports for animated zooms: see d3-transition.ts beside it.

export function interpolateZoom(): never {
  throw new Error("zooms are not animated here");
}
