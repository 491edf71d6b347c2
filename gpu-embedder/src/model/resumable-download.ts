import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { sha256OfFile } from "../base/atomic-file.ts";
import type { ManifestFile } from "./manifest.ts";
import {
  discardPartialFile,
  partialSizeBytes,
  readPartialEtag,
  writePartialEtag,
  type PartialFile,
} from "./partial-file.ts";

export type DownloadLimits = {
  /** Milliseconds until the server must have answered: where it is not reached, the next source is a few seconds away. */
  readonly answerTimeoutMs: number;
  /** Milliseconds without one byte after which a connection counts as dead. */
  readonly stallTimeoutMs: number;
  /** Connections for one file in one run. Each but the first needs the one before to have brought something. */
  readonly connectionsMax: number;
};

export const DOWNLOAD_LIMITS: DownloadLimits = {
  answerTimeoutMs: 4_000,
  stallTimeoutMs: 20_000,
  connectionsMax: 8,
};

/** How one connection ended. `cut`: what came is kept, and the rest may be asked for. `refused`: nothing to go on with. */
type Ending = { readonly kind: "complete" | "cut" | "refused" | "restart"; readonly reason: string };

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "failed";
  return cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
}

/** Aborts a request that gives no sign of life within the time set last. */
class Watch {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  expect(what: string, timeoutMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(new Error(`no ${what} within ${timeoutMs} ms`)), timeoutMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** Where the bytes of an answer go: after those there are, or to the start; undefined where it does not fit what was asked. */
function offsetOf(response: Response, haveBytes: number, sizeBytes: number): number | undefined {
  if (response.status === 200) return 0;
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/u.exec(response.headers.get("content-range") ?? "");
  const fits = range !== null && Number(range[1]) === haveBytes && (range[2] === "*" || Number(range[2]) === sizeBytes);
  return response.status === 206 && fits ? haveBytes : undefined;
}

async function connectOnce(url: string, part: PartialFile, sizeBytes: number, limits: DownloadLimits): Promise<Ending> {
  const haveBytes = await partialSizeBytes(part);
  const etag = haveBytes > 0 ? await readPartialEtag(part) : undefined;
  const watch = new Watch();
  watch.expect("answer", limits.answerTimeoutMs);
  let started = false;
  try {
    const headers = {
      "accept-encoding": "identity",
      ...(haveBytes > 0 ? { range: `bytes=${haveBytes}-` } : {}),
      ...(etag === undefined ? {} : { "if-range": etag }),
    };
    const response = await fetch(url, { headers, signal: watch.signal });
    const offset = offsetOf(response, haveBytes, sizeBytes);
    if (offset === undefined || response.body === null) {
      await response.body?.cancel();
      return { kind: haveBytes > 0 ? "restart" : "refused", reason: `HTTP ${response.status}` };
    }
    if (offset === 0) await writePartialEtag(part, response.headers.get("etag"));
    let receivedBytes = offset;
    const bounded = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      watch.expect("byte", limits.stallTimeoutMs);
      for await (const chunk of chunks) {
        receivedBytes += chunk.byteLength;
        if (receivedBytes > sizeBytes) throw new RangeError("more bytes than the pinned file has");
        watch.expect("byte", limits.stallTimeoutMs);
        yield chunk;
      }
    };
    started = true;
    await pipeline(
      Readable.fromWeb(response.body),
      bounded,
      createWriteStream(part.path, { flags: offset === 0 ? "w" : "a" }),
    );
    if (receivedBytes === sizeBytes) return { kind: "complete", reason: "" };
    return { kind: "restart", reason: `${receivedBytes} bytes instead of ${sizeBytes}` };
  } catch (cause) {
    const reason = reasonOf(watch.signal.aborted ? watch.signal.reason : cause);
    if (cause instanceof RangeError) return { kind: "restart", reason };
    return { kind: started ? "cut" : "refused", reason };
  } finally {
    watch.end();
  }
}

/**
 * Downloads a pinned file into its partial file, going on where an earlier run or a cut connection ended. The hash judges the whole;
 * bytes that were joined wrongly, or a server that gives no ranges, make it start again from the first byte, once.
 * Returns why it failed, or undefined. After a failure of the line the partial file stays for the next run.
 */
export async function downloadResumably(
  url: string,
  part: PartialFile,
  file: ManifestFile,
  limits: DownloadLimits,
): Promise<string | undefined> {
  let restarted = (await partialSizeBytes(part)) === 0;
  let reason = "";
  for (let connection = 1; connection <= limits.connectionsMax; connection++) {
    const beforeBytes = await partialSizeBytes(part);
    const ending: Ending =
      beforeBytes === file.sizeBytes
        ? { kind: "complete", reason: "" }
        : await connectOnce(url, part, file.sizeBytes, limits);
    reason = ending.reason;
    if (ending.kind === "complete") {
      if ((await sha256OfFile(part.path)) === file.sha256) return undefined;
      reason = "SHA-256 differs from the pinned one";
    }
    if (ending.kind === "refused") return reason;
    if (ending.kind === "cut") {
      if ((await partialSizeBytes(part)) === beforeBytes) return reason;
      continue;
    }
    await discardPartialFile(part);
    if (restarted) return reason;
    restarted = true;
  }
  return `${reason} (${limits.connectionsMax} connections)`;
}
