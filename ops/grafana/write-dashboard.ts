/** Writes the dashboard's JSON: `node ops/grafana/write-dashboard.ts`. A test holds the file against the panels. */
import { writeFileSync } from "node:fs";
import { dashboardJson } from "./dashboard.ts";
import { ROWS } from "./panels.ts";

writeFileSync(new URL("dashboards/jeeves.json", import.meta.url), dashboardJson(ROWS));
