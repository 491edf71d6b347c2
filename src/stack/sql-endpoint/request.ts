/** Decodes what the driver sends to `/sql`: headers and JSON body into a job. Everything arrives as `unknown`. */
import { z } from "zod";
import { err, ok } from "../../lib/base/result.ts";
import type { Result } from "../../lib/base/result.ts";
import type { BatchOptions, Login, WireStatement } from "./backend.ts";

/** Parameters of one statement: the wire protocol counts them in 16 bits. */
const PARAMS_MAX = 65_535;
/** Statements of one batch: our choice, far above what any flow sends. */
const STATEMENTS_MAX = 10_000;

const statementSchema = z.object({
  query: z.string(),
  params: z.array(z.json()).max(PARAMS_MAX).default([]),
});
const bodySchema = z.union([z.object({ queries: z.array(statementSchema).max(STATEMENTS_MAX) }), statementSchema]);
const isolationSchema = z.enum(["ReadUncommitted", "ReadCommitted", "RepeatableRead", "Serializable"]);

export interface SqlRequest {
  readonly login: Login;
  readonly statements: readonly WireStatement[];
  readonly batch?: BatchOptions;
  readonly arrayMode: boolean;
}

/** Reads one header by its lower-case name. */
export type HeaderReader = (name: string) => string | undefined;

/** The request, or one sentence (no user text) that says what is wrong with it. */
export function decodeRequest(header: HeaderReader, bodyText: string): Result<SqlRequest, string> {
  const login = decodeLogin(header("neon-connection-string"));
  if (login === undefined) return err("Neon-Connection-String is missing or is no postgres URL with user and database");
  if (header("neon-raw-text-output") !== "true") return err("only Neon-Raw-Text-Output: true is served here");
  const body = decodeBody(bodyText);
  if (body === undefined) return err("the body is not {query, params} or {queries: [...]}");
  const isBatch = "queries" in body;
  const statements: WireStatement[] = [];
  for (const { query, params } of isBatch ? body.queries : [body]) {
    const texts = params.map(paramText);
    if (query.includes("\0")) return err("a statement contains a NUL character");
    if (!query.isWellFormed() || !texts.every((text) => text === null || text.isWellFormed())) {
      return err("a string contains a lone surrogate");
    }
    statements.push({ text: query, params: texts });
  }
  const arrayMode = header("neon-array-mode") === "true";
  if (!isBatch) return ok({ login, statements, arrayMode });
  const isolation = isolationSchema.optional().safeParse(header("neon-batch-isolation-level"));
  if (!isolation.success) return err("Neon-Batch-Isolation-Level is unknown");
  const batch: BatchOptions = {
    ...(isolation.data === undefined ? {} : { isolation: isolation.data }),
    readOnly: header("neon-batch-read-only") === "true",
    deferrable: header("neon-batch-deferrable") === "true",
  };
  return ok({ login, statements, batch, arrayMode });
}

function decodeBody(text: string): z.infer<typeof bodySchema> | undefined {
  try {
    const parsed = bodySchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function decodeLogin(connectionString: string | undefined): Login | undefined {
  if (connectionString === undefined || !/^postgres(ql)?:\/\//.test(connectionString)) return undefined;
  try {
    const url = new URL(connectionString.replace(/^postgres(ql)?:/, "http:"));
    const login = {
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)),
    };
    return login.user === "" || login.database === "" ? undefined : login;
  } catch {
    return undefined;
  }
}

/** Postgres text of one JSON parameter, after `json_to_pg_text` of Neon's proxy. */
function paramText(value: unknown): string | null {
  if (value === null) return null;
  if (typeof value === "string") return value;
  return Array.isArray(value) ? arrayText(value) : JSON.stringify(value);
}

function arrayText(values: readonly unknown[]): string {
  const items = values.map((value) => {
    if (value === null) return "NULL";
    if (Array.isArray(value)) return arrayText(value);
    return typeof value === "object" ? JSON.stringify(JSON.stringify(value)) : JSON.stringify(value);
  });
  return `{${items.join(",")}}`;
}
