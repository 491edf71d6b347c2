/** Several embedding servers behind one port, as while the model changes. */
import type { Clock } from "../base/clock.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { EmbedError, Embedder } from "./embedder.ts";

/** How long a server is believed to run what it said, milliseconds; a reply with another fingerprint ends it at once. */
const INFO_FRESH_MS = 60_000;

interface Server {
  readonly embedder: Embedder;
  known: { readonly fingerprint: string; readonly atMs: number } | undefined;
}

/**
 * Makes a port that sends each text to the server that runs the fingerprint asked for. `info` and `tokenizer` are the first one's. Errors: a fingerprint
 * that no server runs is `embedder_mismatch`, or the failure of a server that could not be asked.
 */
export function createEmbedderPool(embedders: readonly [Embedder, ...Embedder[]], clock: Clock): Embedder {
  const [first] = embedders;
  if (embedders.length === 1) return first;
  const servers = embedders.map((embedder): Server => ({ embedder, known: undefined }));
  return {
    info: () => first.info(),
    tokenizer: () => first.tokenizer(),
    async embed(texts, options) {
      const found = await serverOf(servers, options.fingerprint, clock);
      if (!found.ok) return found;
      const reply = await found.value.embedder.embed(texts, options);
      if (reply.ok || reply.error.code !== "embedder_mismatch") return reply;
      // It was started anew with another model.
      found.value.known = undefined;
      const other = await serverOf(servers, options.fingerprint, clock);
      return other.ok ? other.value.embedder.embed(texts, options) : other;
    },
  };
}

async function serverOf(
  servers: readonly Server[],
  fingerprint: string,
  clock: Clock,
): Promise<Result<Server, EmbedError>> {
  const known = servers.find((server) => isFresh(server, clock()) && server.known?.fingerprint === fingerprint);
  if (known !== undefined) return ok(known);
  const asked = await Promise.all(
    servers.map(async (server) => {
      const info = await server.embedder.info();
      if (info.ok) server.known = { fingerprint: info.value.fingerprint, atMs: clock() };
      return info;
    }),
  );
  const found = servers.find((_, index) => {
    const info = asked[index];
    return info?.ok === true && info.value.fingerprint === fingerprint;
  });
  if (found !== undefined) return ok(found);
  const failure = asked.find((info) => !info.ok);
  if (failure !== undefined && !failure.ok) return failure;
  return err({ code: "embedder_mismatch", fingerprint: servers[0]?.known?.fingerprint ?? "" });
}

function isFresh({ known }: Server, nowMs: number): boolean {
  return known !== undefined && nowMs - known.atMs < INFO_FRESH_MS;
}
