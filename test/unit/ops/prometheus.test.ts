import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { METRICS } from "../../../src/lib/metrics/metric-names.ts";
import { renderPrometheus, seriesId } from "../../../src/lib/metrics/series.ts";
import { isRunnable } from "../../support/program.ts";
import { type AlertCase, MINUTE_CASES, HOUR_CASES } from "./support/alert-cases.ts";
import { GROUP_NAMES, readAlerts, readRecordings, RULE_FILES } from "./support/prometheus-rules.ts";

const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));
const ALERTS = readAlerts();
const CASES = [...MINUTE_CASES, ...HOUR_CASES];

function promtool(args: readonly string[], input?: string): string {
  return execFileSync("promtool", [...args], { encoding: "utf8", stdio: ["pipe", "pipe", "pipe"], input });
}

/** One test of promtool: the alert is quiet at one time and fires at another, and nothing else has its name. */
function promtoolTest(example: AlertCase, interval: string): object {
  const alert = ALERTS.find((each) => each.alert === example.alert);
  const fires = [{ exp_labels: { ...alert?.labels, ...example.labels }, exp_annotations: { ...alert?.annotations } }];
  return {
    interval,
    input_series: Object.entries(example.series).map(([series, values]) => ({ series, values })),
    alert_rule_test: [
      { eval_time: example.quietAt, alertname: example.alert, exp_alerts: [] },
      { eval_time: example.firesAt, alertname: example.alert, exp_alerts: fires },
    ],
  };
}

function promtoolFile(cases: readonly AlertCase[], interval: string): string {
  return stringify({
    rule_files: RULE_FILES,
    evaluation_interval: interval,
    // An alert reads what the recordings of the same moment say.
    group_eval_order: GROUP_NAMES,
    tests: cases.map((each) => promtoolTest(each, interval)),
  });
}

describe.runIf(isRunnable("promtool"))("the rules of Prometheus", () => {
  it("are well-formed, and the configuration finds them", () => {
    expect(promtool(["check", "config", "--syntax-only", join(PROJECT, "ops/prometheus/prometheus.yml")])).toContain(
      "SUCCESS",
    );
    for (const file of RULE_FILES) expect(promtool(["check", "rules", "--lint-fatal", file])).toContain("SUCCESS");
  });

  it.each([
    ["minutes", "1m", MINUTE_CASES],
    ["hours and days", "1h", HOUR_CASES],
  ] as const)(
    "fire when they should and are quiet when not, over %s",
    (_, interval, cases) => {
      const folder = mkdtempSync(join(tmpdir(), "jeeves-rules-"));
      try {
        const file = join(folder, "cases.yml");
        writeFileSync(file, promtoolFile(cases, interval));
        expect(promtool(["test", "rules", file])).toContain("SUCCESS");
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    120_000,
  );

  it("are shown wrong by a case that does not hold", () => {
    const [first] = MINUTE_CASES;
    if (first === undefined) throw new Error("there is a case");
    const folder = mkdtempSync(join(tmpdir(), "jeeves-rules-"));
    const file = join(folder, "cases.yml");
    const wrong = { ...first, quietAt: first.firesAt };
    writeFileSync(file, promtoolFile([wrong], "1m"));
    expect(() => promtool(["test", "rules", file])).toThrow();
    rmSync(folder, { recursive: true, force: true });
  });

  it("find metrics in good form: names, units, help and types", () => {
    const totals = new Map(Object.entries(METRICS).flatMap(([name, metric]) => exampleSeries(name, metric)));
    const text = renderPrometheus(totals);
    for (const name of Object.keys(METRICS)) expect(text).toContain(`# TYPE ${name} `);
    expect(promtool(["check", "metrics"], text)).toBe("");
  });
});

/** One series of each metric, with a value for each of its labels. */
function exampleSeries(name: string, { type, labels }: (typeof METRICS)[keyof typeof METRICS]): [string, number][] {
  const values = Object.fromEntries(labels.map((label) => [label, "a"]));
  if (name === "fallback_fraction") return [];
  if (name === "ingest_source_inputs_total") return [[seriesId(name, { source: "a", outcome: "accepted" }), 1]];
  if (type !== "histogram") return [[seriesId(name, values), 1]];
  return [
    [seriesId(`${name}_count`, values), 1],
    [seriesId(`${name}_sum`, values), 1],
  ];
}

describe("each alert", () => {
  it("has a case in which it fires, and one name", () => {
    expect(CASES.map(({ alert }) => alert).toSorted()).toEqual(ALERTS.map(({ alert }) => alert).toSorted());
  });

  it("says how urgent it is, what is wrong, and which section of the runbook helps", () => {
    const runbook = readFileSync(join(PROJECT, "docs/operations.md"), "utf8");
    const anchors = new Set([...runbook.matchAll(/^### (.+)$/gm)].map(([, title = ""]) => anchorOf(title)));
    for (const { alert, labels, annotations } of ALERTS) {
      expect(labels["severity"], alert).toMatch(/^(page|ticket)$/);
      expect(annotations["summary"], alert).toMatch(/^[A-Z][^.{}]{10,120}$/);
      const [document, anchor] = (annotations["runbook"] ?? "").split("#");
      expect([document, anchors.has(anchor ?? "")], alert).toEqual(["docs/operations.md", true]);
    }
  });

  it("asks for metrics that there are, in rules as in recordings", () => {
    const known = new Set([
      ...Object.keys(METRICS).flatMap((name) => [name, `${name}_bucket`, `${name}_count`, `${name}_sum`]),
      ...readRecordings().map(({ record }) => record),
      "up",
    ]);
    for (const { expr } of [...ALERTS, ...readRecordings()])
      for (const name of metricNames(expr)) expect(known.has(name), `${name} in ${expr}`).toBe(true);
  });
});

/** Names of series in an expression: words that are neither functions, labels, numbers nor keywords. */
function metricNames(expr: string): readonly string[] {
  const bare = expr.replaceAll(/\{[^}]*\}|\[[^\]]*\]|\b(by|on|ignoring)\s*\([^)]*\)|"[^"]*"/g, " ");
  const words = [...bare.matchAll(/[a-z][a-z0-9_:]*(?!\w*\()/g)].map(([word]) => word);
  const keywords = new Set(["and", "or", "unless", "offset", "by", "on", "e9", "e10", "m", "h", "d"]);
  return words.filter((word) => !keywords.has(word) && !new RegExp(`\\b${word}\\s*\\(`).test(bare));
}

function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w -]/g, "")
    .replaceAll(" ", "-");
}
