import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { z } from "zod";
import { parseYamlDocuments, type YamlObject } from "./yaml-documents.ts";

const SCHEMA_PATH = new URL("../schemas/compose-spec.json", import.meta.url);

const mapSchema = z.record(z.string(), z.unknown());
const listOrMap = z.union([z.array(z.string()), z.record(z.string(), z.unknown())]);

/** The parts of a Compose file that the tests ask for. */
const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      profiles: z.array(z.string()).optional(),
      build: z
        .object({ context: z.string(), dockerfile: z.string().optional(), target: z.string().optional() })
        .optional(),
      environment: z.record(z.string(), z.string()).optional(),
      networks: listOrMap,
      ports: z.array(z.string()).optional(),
      volumes: z.array(z.string()).optional(),
      tmpfs: z.array(z.string()).optional(),
      healthcheck: z.object({ test: z.array(z.string()) }).optional(),
      depends_on: z
        .record(z.string(), z.object({ condition: z.string(), required: z.boolean().optional() }))
        .optional(),
      read_only: z.boolean().optional(),
      cap_drop: z.array(z.string()).optional(),
      security_opt: z.array(z.string()).optional(),
      stop_grace_period: z.string(),
      deploy: z
        .object({
          resources: z.object({
            reservations: z
              .object({ devices: z.array(z.object({ driver: z.string(), capabilities: z.array(z.string()) })) })
              .optional(),
          }),
        })
        .optional(),
    }),
  ),
  networks: z.record(z.string(), z.object({ internal: z.boolean().optional() })),
});
export type ComposeFile = z.infer<typeof composeSchema>;
export type ComposeService = ComposeFile["services"][string];

const validateSchema = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(
  mapSchema.parse(JSON.parse(readFileSync(SCHEMA_PATH, "utf8"))),
);

/** What the published schema of the Compose specification refuses in a file, one line each. */
export function composeFaults(document: YamlObject): readonly string[] {
  if (validateSchema(document)) return [];
  return (validateSchema.errors ?? []).map(
    (error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
  );
}

/** The one document of a Compose file, its variables replaced. Throws where one is needed and missing. */
export function composeDocument(text: string, variables: Readonly<Record<string, string>>): YamlObject {
  const [document, ...more] = parseYamlDocuments(text);
  if (document === undefined || more.length > 0) throw new Error("a Compose file is one document");
  return interpolateMap(document, variables);
}

export function composeFile(text: string, variables: Readonly<Record<string, string>>): ComposeFile {
  return composeSchema.parse(composeDocument(text, variables));
}

function interpolateMap(map: YamlObject, variables: Readonly<Record<string, string>>): YamlObject {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, interpolateValue(value, variables)]));
}

function interpolateValue(value: unknown, variables: Readonly<Record<string, string>>): unknown {
  if (typeof value === "string") return interpolate(value, variables);
  if (Array.isArray(value)) return value.map((item) => interpolateValue(item, variables));
  const map = mapSchema.safeParse(value);
  return map.success ? interpolateMap(map.data, variables) : value;
}

export function networksOf(service: ComposeService): readonly string[] {
  return Array.isArray(service.networks) ? service.networks : Object.keys(service.networks);
}

/** `${NAME:-default}`, `${NAME:?why}` and `${NAME}`, as Compose replaces them. */
function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_, name: string, operator: string | undefined, rest: string) => {
      const value = variables[name] ?? "";
      if (value !== "") return value;
      if (operator === "?") throw new Error(`${name} is not set: ${rest}`);
      return operator === "-" ? rest : "";
    },
  );
}

/** Seconds of a duration such as `40s` or `1m30s`. */
export function secondsOf(duration: string): number {
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
  return [...duration.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 0),
    0,
  );
}
