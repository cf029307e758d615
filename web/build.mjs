// One bundle and one style sheet, for notebooks and exported pages alike; a file for each panel that only some systems have,
// and one for what only pages do; and the script of the page of a bench.
import { build } from "esbuild";

const folder = process.env.KTVIZ_STATIC ?? "../ktviz/widgets/static";
const FURTHER = {
  ...Object.fromEntries(
    ["attributes", "codes", "groups", "reuse", "space"].map((name) => [name, `src/panels/${name}.ts`]),
  ),
  page: "src/page/index.ts",
  compare: "src/compare/index.ts",
};
const small = { bundle: true, minify: true, target: "es2022", legalComments: "none", charset: "utf8" };

await build({
  ...small,
  entryPoints: {
    ktviz: "src/index.ts",
    bench: "src/bench/index.ts",
    download: "src/download/index.ts",
    map: "src/map/index.ts",
  },
  outdir: folder,
  format: "esm",
  // What d3-zoom needs of these for animations, which no view has (every zoom says duration(0)), is a fifth of the bundle.
  alias: {
    "d3-interpolate": "./src/stubs/d3-interpolate.ts",
    "d3-transition": "./src/stubs/d3-transition.ts",
  },
});
await build({ ...small, entryPoints: { ktviz: "src/style.css" }, outdir: folder });

/** What lies in `core` is handed over by the bundle (`core/shared.ts`). */
const shared = {
  name: "shared",
  setup({ onResolve }) {
    onResolve({ filter: /\/core\// }, () => ({ path: "core", external: true }));
  },
};
for (const [name, file] of Object.entries(FURTHER))
  await build({
    ...small,
    entryPoints: { [name]: file },
    outdir: folder,
    format: "cjs",
    plugins: [shared],
    banner: { js: `(globalThis.ktvizFiles??={}).${name}=require=>{const module={exports:{}};` },
    footer: { js: "return module.exports};" },
  });
