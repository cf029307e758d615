// One bundle and one style sheet, for notebooks and exported pages alike; and the script of the page of a bench.
import { build } from "esbuild";

const folder = process.env.KTVIZ_STATIC ?? "../ktviz/widgets/static";

await build({
  entryPoints: { ktviz: "src/index.ts", bench: "src/bench/index.ts" },
  outdir: folder,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  charset: "utf8",
  // What d3-zoom needs of these for animations, which no view has (every zoom says duration(0)), is a fifth of the bundle.
  alias: {
    "d3-interpolate": "./src/stubs/d3-interpolate.ts",
    "d3-transition": "./src/stubs/d3-transition.ts",
  },
});
await build({
  entryPoints: { ktviz: "src/style.css" },
  outdir: folder,
  bundle: true,
  minify: true,
  charset: "utf8",
});
