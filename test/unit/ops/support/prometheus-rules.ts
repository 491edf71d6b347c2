import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";

const FOLDER = new URL("../../../../ops/prometheus/rules/", import.meta.url);
const ALERT_FILE = fileURLToPath(new URL("alerts.yml", FOLDER));
const RECORDING_FILE = fileURLToPath(new URL("recording.yml", FOLDER));
export const RULE_FILES = [RECORDING_FILE, ALERT_FILE];

const groupsOf = <T extends z.ZodType>(rule: T) =>
  z.strictObject({
    groups: z.array(z.strictObject({ name: z.string(), interval: z.string().optional(), rules: z.array(rule) })),
  });
const textsSchema = z.record(z.string(), z.string());
const alertSchema = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string(),
  labels: textsSchema,
  annotations: textsSchema,
});
const recordingSchema = z.strictObject({ record: z.string(), expr: z.string() });

type Alert = z.infer<typeof alertSchema>;

const alertGroups = groupsOf(alertSchema).parse(parse(readFileSync(ALERT_FILE, "utf8"))).groups;
const recordingGroups = groupsOf(recordingSchema).parse(parse(readFileSync(RECORDING_FILE, "utf8"))).groups;

/** Recordings first. */
export const GROUP_NAMES = [...recordingGroups, ...alertGroups].map((group) => group.name);

export function readAlerts(): readonly Alert[] {
  return alertGroups.flatMap((group) => group.rules);
}

export function readRecordings(): readonly z.infer<typeof recordingSchema>[] {
  return recordingGroups.flatMap((group) => group.rules);
}
