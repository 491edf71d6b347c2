import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { CommandError } from "./command-error.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";

const problemSchema = z.object({ code: z.string(), detail: z.string().optional() }).loose();

/** Attempts at a request that the server was too busy for. */
const ATTEMPTS_MAX = 6;
const RETRY_AFTER_SECONDS_DEFAULT = 2;
const REQUEST_TIMEOUT_MS = 60_000;

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly json?: unknown;
  /** A body of another type. */
  readonly body?: { readonly mediaType: string; readonly text: string };
  /** Attempts where the server is too busy; left out, a few. */
  readonly attemptsMax?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the service may take longer than usual, milliseconds. */
  readonly timeoutMs?: number;
}

/** A problem document of the service: `code` as the API defines it. */
export class ApiError extends CommandError {
  readonly code: string;

  constructor(message: string, problem: { readonly status: number; readonly code: string }) {
    super(message, exitCodeOf(problem.status));
    this.code = problem.code;
  }
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
      if (isBusy && attempt < (request.attemptsMax ?? ATTEMPTS_MAX)) {
        const seconds = Number(response.headers.get("retry-after") ?? RETRY_AFTER_SECONDS_DEFAULT);
        await sleep(Math.max(0.1, seconds) * 1000);
        continue;
      }
      const reason = problem.success ? `${problem.data.code} ${problem.data.detail ?? ""}`.trim() : "no reason given";
      const message = `${request.method ?? "GET"} ${request.path} answered ${response.status}: ${reason}`;
      throw new ApiError(message, { status: response.status, code: problem.success ? problem.data.code : "" });
    }
  }

  async #send(request: ApiRequest): Promise<Response> {
    const json =
      request.json === undefined ? undefined : { mediaType: "application/json", text: JSON.stringify(request.json) };
    const body = request.body ?? json;
    const sent = fetch(this.#baseUrl + request.path, {
      method: request.method ?? "GET",
      headers: {
        authorization: `Bearer ${this.#apiKey}`,
        ...(body === undefined ? {} : { "content-type": body.mediaType }),
        ...request.headers,
      },
      ...(body === undefined ? {} : { body: body.text }),
      signal: AbortSignal.timeout(request.timeoutMs ?? REQUEST_TIMEOUT_MS),
    });
    return sent.catch((error: unknown) => {
      throw new CommandError(`${this.#baseUrl} cannot be reached (${failureText(error)})`, EXIT.unreachable);
    });
  }
}

function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.unauthorised;
  return status === 502 || status === 503 || status === 504 ? EXIT.unreachable : EXIT.failed;
}

/** What the network said: fetch hides it in the cause. */
function failureText(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof Error) return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
  return "unknown";
}
