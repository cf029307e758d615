// One bundle and one style sheet, for notebooks and exported pages alike.
import { build } from "esbuild";

const folder = process.env.KTVIZ_STATIC ?? "../ktviz/widgets/static";

await build({
  entryPoints: { ktviz: "src/index.ts" },
  outdir: folder,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  charset: "utf8",
});
await build({
  entryPoints: { ktviz: "src/style.css" },
  outdir: folder,
  bundle: true,
  minify: true,
  charset: "utf8",
});
