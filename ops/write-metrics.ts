/** Writes docs/metrics.md: `npm run metrics`. A test holds the file against the table of metrics. */
import { writeFileSync } from "node:fs";
import { metricsDocument } from "./metrics-document.ts";

writeFileSync(new URL("../docs/metrics.md", import.meta.url), metricsDocument());
