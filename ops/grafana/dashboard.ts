/** The dashboard as Grafana keeps it: its JSON follows from the panels, and nothing in it is written by hand. */
import type { Panel, Row } from "./panels.ts";

const COLUMNS = 24;
/** Three panels beside each other; single figures are narrower and lower. */
const SIZE = { width: 8, height: 8 } as const;
const STAT_HEIGHT = 4;

type Json = Readonly<Record<string, unknown>>;

/** Deterministic: equal rows give equal JSON, byte for byte. */
export function dashboardJson(rows: readonly Row[]): string {
  const dashboard = {
    uid: "jeeves",
    title: "Jeeves Indexer",
    tags: ["jeeves"],
    schemaVersion: 41,
    editable: false,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    timezone: "utc",
    graphTooltip: 1,
    templating: {
      list: [{ name: "source", label: "Prometheus", type: "datasource", query: "prometheus", hide: 0 }],
    },
    panels: placed(rows),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

function placed(rows: readonly Row[]): readonly Json[] {
  const panels: Json[] = [];
  let top = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title: row.title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y: top, w: COLUMNS, h: 1 },
    });
    top += 1;
    const isFigures = row.panels.every(({ kind }) => kind === "stat");
    const width = isFigures ? Math.floor(COLUMNS / row.panels.length) : SIZE.width;
    const height = isFigures ? STAT_HEIGHT : SIZE.height;
    const inLine = Math.floor(COLUMNS / width);
    for (const [index, panel] of row.panels.entries()) {
      const gridPos = {
        x: (index % inLine) * width,
        y: top + Math.floor(index / inLine) * height,
        w: width,
        h: height,
      };
      panels.push(panelJson(panel, { id: panels.length + 1, gridPos }));
    }
    top += Math.ceil(row.panels.length / inLine) * height;
  }
  return panels;
}

function panelJson({ title, kind, unit, queries }: Panel, place: Json): Json {
  const datasource = { type: "prometheus", uid: "${source}" };
  return {
    ...place,
    type: kind,
    title,
    datasource,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCodePoint(65 + index),
      datasource,
      expr,
      legendFormat: legend,
      ...(kind === "timeseries" ? {} : { instant: true }),
    })),
    fieldConfig: {
      defaults: { unit, min: 0, custom: kind === "timeseries" ? { fillOpacity: 10, showPoints: "never" } : {} },
      overrides: [],
    },
    options: kind === "timeseries" ? { tooltip: { mode: "multi", sort: "desc" }, legend: { showLegend: true } } : {},
  };
}
