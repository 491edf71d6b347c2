/** Writes docs/environment.md. `npm run environment`. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { environmentDocument } from "./environment-table.ts";

writeFileSync(fileURLToPath(new URL("../docs/environment.md", import.meta.url)), environmentDocument());
