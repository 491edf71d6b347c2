/** Builds the page at `/`: src/dashboard as two files beside those in its folder `public`, from where the platform serves them. */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

/** zod brings its messages in sixty languages along, more than all the rest of the page. It shows none of them. */
const englishMessages: Plugin = {
  name: "english-messages",
  setup: (building) =>
    building.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    })),
};

const dashboard = join(dirname(fileURLToPath(import.meta.url)), "..", "src", "dashboard");
mkdirSync(join(dashboard, "public"), { recursive: true });
await build({
  entryPoints: [
    { in: join(dashboard, "main.tsx"), out: "app" },
    { in: join(dashboard, "app.css"), out: "app" },
  ],
  outdir: join(dashboard, "public"),
  bundle: true,
  format: "esm",
  target: "es2023",
  minify: true,
  plugins: [englishMessages],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
});
