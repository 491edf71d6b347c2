import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { err, ok } from "../base/result.ts";
import type { FetchRequest, ModelSource } from "./model-source.ts";

const HUB_ENDPOINT_DEFAULT = "https://huggingface.co";
/** Milliseconds until the hub must have answered: where it is not reached, the next source is a few seconds away. */
const ANSWER_TIMEOUT_MS = 4_000;
/** Milliseconds for one whole file: 90 MB at 300 KB/s. */
const FILE_TIMEOUT_MS = 300_000;

async function download(url: string, target: string, sizeBytes: number): Promise<string | undefined> {
  const answer = new AbortController();
  const timer = setTimeout(
    () => answer.abort(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)),
    ANSWER_TIMEOUT_MS,
  );
  try {
    const signal = AbortSignal.any([answer.signal, AbortSignal.timeout(FILE_TIMEOUT_MS)]);
    const response = await fetch(url, { signal });
    clearTimeout(timer);
    if (!response.ok || response.body === null) return `HTTP ${response.status}`;
    let receivedBytes = 0;
    const bounded = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        receivedBytes += chunk.byteLength;
        if (receivedBytes > sizeBytes) throw new Error("more bytes than the pinned file has");
        yield chunk;
      }
    };
    await pipeline(Readable.fromWeb(response.body), bounded, createWriteStream(target));
    return undefined;
  } catch (cause) {
    const reason = answer.signal.aborted ? answer.signal.reason : cause;
    const nested = reason instanceof Error && reason.cause instanceof Error ? `: ${reason.cause.message}` : "";
    return reason instanceof Error ? `${reason.message}${nested}` : "failed";
  } finally {
    clearTimeout(timer);
  }
}

/** The Hugging Face hub at the manifest's pinned revision. `HF_ENDPOINT` names a mirror; `EMBED_MODEL_HUB=0` skips it. */
export function hubSource(environment: NodeJS.ProcessEnv): ModelSource {
  const endpoint = (environment["HF_ENDPOINT"] ?? HUB_ENDPOINT_DEFAULT).replace(/\/$/, "");
  return {
    name: "Hugging Face hub",
    async fetch(request: FetchRequest) {
      if (environment["EMBED_MODEL_HUB"] === "0") return err("skipped by EMBED_MODEL_HUB=0");
      const { modelId, revision } = request.manifest;
      for (const file of request.wanted) {
        const target = join(request.stagingFolder, file.path);
        await mkdir(dirname(target), { recursive: true });
        const failure = await download(
          `${endpoint}/${modelId}/resolve/${revision}/${file.path}`,
          target,
          file.sizeBytes,
        );
        if (failure !== undefined) return err(`${file.path}: ${failure}`);
      }
      return ok(undefined);
    },
  };
}
