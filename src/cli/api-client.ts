import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { CommandError } from "./command-error.ts";

const problemSchema = z.object({ code: z.string(), detail: z.string().optional() }).loose();

/** Attempts at a request that the server was too busy for. */
const ATTEMPTS_MAX = 6;
const RETRY_AFTER_SECONDS_DEFAULT = 2;
const REQUEST_TIMEOUT_MS = 60_000;

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The public HTTP API with a key. Every reply is checked against a schema; a problem document becomes a `CommandError`. */
export class ApiClient {
  readonly #baseUrl: string;
  readonly #apiKey: string;

  constructor(baseUrl: string, apiKey: string) {
    this.#baseUrl = baseUrl.replace(/\/$/, "");
    this.#apiKey = apiKey;
  }

  async json<T>(schema: z.ZodType<T>, request: ApiRequest): Promise<T> {
    const response = await this.response(request);
    return schema.parse(await response.json());
  }

  /** The reply of a successful request; 429 and 503 are waited out as the server asks. */
  async response(request: ApiRequest): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      const response = await this.#send(request);
      if (response.ok) return response;
      const problem = problemSchema.safeParse(await response.json().catch(() => ({})));
      const isBusy = response.status === 429 || response.status === 503;
      if (isBusy && attempt < ATTEMPTS_MAX) {
        const seconds = Number(response.headers.get("retry-after") ?? RETRY_AFTER_SECONDS_DEFAULT);
        await sleep(Math.max(0.1, seconds) * 1000);
        continue;
      }
      const reason = problem.success ? `${problem.data.code} ${problem.data.detail ?? ""}`.trim() : "no reason given";
      throw new CommandError(`${request.method ?? "GET"} ${request.path} answered ${response.status}: ${reason}`);
    }
  }

  async #send(request: ApiRequest): Promise<Response> {
    const body = request.json === undefined ? undefined : JSON.stringify(request.json);
    return fetch(this.#baseUrl + request.path, {
      method: request.method ?? "GET",
      headers: {
        authorization: `Bearer ${this.#apiKey}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...request.headers,
      },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
  }
}
