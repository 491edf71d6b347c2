import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { dashboardJson } from "../../../ops/grafana/dashboard.ts";
import { ROWS } from "../../../ops/grafana/panels.ts";

const FOLDER = new URL("../../../ops/grafana/", import.meta.url);
const file = readFileSync(new URL("dashboards/jeeves.json", FOLDER), "utf8");
const placeSchema = z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() });
const dashboardSchema = z.object({
  panels: z.array(z.object({ id: z.int(), title: z.string(), gridPos: placeSchema })),
});

describe("the dashboard of Grafana", () => {
  it("is what its panels say (node ops/grafana/write-dashboard.ts writes it)", () => {
    expect(file).toBe(dashboardJson(ROWS));
  });

  it("has panels that lie beside each other, each with an id and a name of its own", () => {
    const { panels } = dashboardSchema.parse(JSON.parse(file));
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { gridPos, title } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x},${y}`), title).toBe(false);
          taken.add(`${x},${y}`);
        }
    }
  });

  it("shows what was asked for", () => {
    expect(ROWS.map(({ title }) => title)).toEqual([
      "At a glance",
      "What comes in",
      "Latency",
      "Freshness and backlog",
      "Embedder",
      "Sessions",
      "Storage",
      "Jobs",
    ]);
  });

  it("is found by the provisioning, in the folder that the compose file mounts", () => {
    const providers = parse(readFileSync(new URL("provisioning/dashboards/jeeves.yml", FOLDER), "utf8"));
    const sources = parse(readFileSync(new URL("provisioning/datasources/prometheus.yml", FOLDER), "utf8"));
    const compose = readFileSync(new URL("../compose.yaml", FOLDER), "utf8");
    expect(providers).toMatchObject({
      apiVersion: 1,
      providers: [{ options: { path: "/var/lib/grafana-dashboards" } }],
    });
    expect(compose).toContain("./grafana/dashboards:/var/lib/grafana-dashboards:ro");
    expect(sources).toMatchObject({ datasources: [{ url: "http://prometheus:9090", type: "prometheus" }] });
  });
});
