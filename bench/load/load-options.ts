import { join } from "node:path";
import { parseArgs } from "node:util";
import { HOME_FOLDER } from "../support/home-folder.ts";

export interface LoadOptions {
  readonly database: string;
  /** Chunks of the bulk load, about. */
  readonly chunks: number;
  /** A document ends with the sentence in which it has so many: about four chunks. */
  readonly charactersMin: number;
  /** Requests a second of the levels, as parts of what the bulk load showed; ascending. */
  readonly levels: readonly number[];
  readonly levelSeconds: number;
  readonly overloadFactor: number;
  readonly overloadSeconds: number;
  readonly recoverySeconds: number;
  /** Messages in the queue above which the service refuses. */
  readonly backlogMax: number;
  /** A level bends when the p95 until searchable is above this. */
  readonly searchableBoundMs: number;
  readonly seed: number;
  readonly textsPath: string | undefined;
  readonly outFolder: string;
}

/** A bench, not an attack. */
const CHUNKS_MAX = 200_000;
const SECONDS_MAX = 3_600;
const FACTOR_MAX = 100;

/** Throws on what is no option, and no number within its bounds. */
export function readLoadOptions(): LoadOptions {
  const { values } = parseArgs({
    options: {
      database: { type: "string", default: "pglite" },
      chunks: { type: "string", default: "10000" },
      "document-characters": { type: "string", default: "4000" },
      levels: { type: "string", default: "0.3,0.5,0.7,0.85,1,1.2,1.5" },
      "level-seconds": { type: "string", default: "30" },
      "overload-factor": { type: "string", default: "10" },
      "overload-seconds": { type: "string", default: "60" },
      "recovery-seconds": { type: "string", default: "90" },
      "backlog-max": { type: "string", default: "200" },
      "searchable-ms": { type: "string", default: "5000" },
      seed: { type: "string", default: "1" },
      texts: { type: "string" },
      out: { type: "string", default: join(HOME_FOLDER, "load") },
    },
  });
  const number = (name: keyof typeof values, max: number): number => {
    const value = Number(values[name]);
    if (!(value > 0 && value <= max)) throw new Error(`--${name} has to be a number above 0 and at most ${max}`);
    return value;
  };
  return {
    database: values.database,
    chunks: Math.round(number("chunks", CHUNKS_MAX)),
    charactersMin: Math.round(number("document-characters", 100_000)),
    levels: values.levels
      .split(",")
      .map(Number)
      .filter((level) => level > 0 && level <= FACTOR_MAX),
    levelSeconds: number("level-seconds", SECONDS_MAX),
    overloadFactor: number("overload-factor", FACTOR_MAX),
    overloadSeconds: number("overload-seconds", SECONDS_MAX),
    recoverySeconds: number("recovery-seconds", SECONDS_MAX),
    backlogMax: Math.round(number("backlog-max", 1_000_000)),
    searchableBoundMs: number("searchable-ms", SECONDS_MAX * 1000),
    seed: Math.round(number("seed", 2 ** 31)),
    textsPath: values.texts,
    outFolder: values.out,
  };
}
