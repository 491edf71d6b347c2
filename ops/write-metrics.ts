/** Writes docs/metrics.md: `node ops/write-metrics.ts`. A test holds the file against the table of metrics. */
import { writeFileSync } from "node:fs";
import { metricsDocument } from "./metrics-document.ts";

writeFileSync(new URL("../docs/metrics.md", import.meta.url), metricsDocument());
