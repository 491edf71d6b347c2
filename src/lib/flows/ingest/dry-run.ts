import type { Clock } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { BODY_LIMITS } from "../../body/body-limits.ts";
import { decodeBody, type BodyHeaders } from "../../body/decode-body.ts";
import type { DryRunReply } from "../../contract/accept-reply.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import type { TokenCounter } from "../../model/token-counter.ts";
import { prepareChunks, type ChunkingModel } from "../indexing/prepare-document.ts";
import { judgeRequest, type JudgingContext } from "../judging/judge-request.ts";
import type { ModelSource } from "../models/model-source.ts";

export interface DryRunContext extends JudgingContext {
  readonly clock: Clock;
  readonly models: ModelSource;
}

interface Chunking {
  readonly fingerprint: string;
  readonly model: ChunkingModel;
  readonly counter: TokenCounter;
}

/** Verdicts, chunk and token counts of a request; nothing is written. Without an active model the counts are null. */
export async function dryRun(
  context: DryRunContext,
  request: { readonly principal: Principal; readonly body: Uint8Array; readonly headers: BodyHeaders },
): Promise<Result<DryRunReply, Problem>> {
  const decoded = decodeBody(request.body, request.headers, BODY_LIMITS);
  if (!decoded.ok) return err(decoded.error);
  const { candidates } = decoded.value;
  const judged = await judgeRequest(context, { principal: request.principal, candidates, nowMs: context.clock() });
  if (!judged.ok) return judged;
  const chunking = await chunkingOf(context.models);
  const counts = { accepted: 0, duplicate: 0, quarantined: 0, rejected: 0 };
  const documents = judged.value.map(({ document }) => {
    counts[document.verdict]++;
    return {
      index: document.document_index,
      document_id: document.document_id,
      status: document.verdict,
      reasons: document.reasons,
      ...countsOf(document, chunking),
    };
  });
  const sum = (name: "chunk_count" | "token_count") =>
    chunking === undefined ? null : documents.reduce((total, document) => total + (document[name] ?? 0), 0);
  return ok({
    dry_run: true,
    fingerprint: chunking?.fingerprint ?? null,
    ...counts,
    chunk_count: sum("chunk_count"),
    token_count: sum("token_count"),
    documents,
  });
}

async function chunkingOf(models: ModelSource): Promise<Chunking | undefined> {
  const model = await models.active();
  if (!model.ok) return undefined;
  const counter = await models.tokenCounter(model.value.fingerprint);
  return counter.ok ? { fingerprint: model.value.fingerprint, model: model.value, counter: counter.value } : undefined;
}

function countsOf(
  document: WalDocument,
  chunking: Chunking | undefined,
): { chunk_count: number | null; token_count: number | null } {
  if (chunking === undefined) return { chunk_count: null, token_count: null };
  if (document.verdict !== "accepted") return { chunk_count: 0, token_count: 0 };
  const chunks = prepareChunks(document, chunking.counter, chunking.model);
  return { chunk_count: chunks.length, token_count: chunks.reduce((total, chunk) => total + chunk.tokenCount, 0) };
}
