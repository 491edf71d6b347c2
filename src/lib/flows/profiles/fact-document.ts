import { z } from "zod";
import type { Principal } from "../../contract/principal.ts";
import type { Reason } from "../../contract/verdict.ts";
import { walDocumentSchema, type Curation, type WalDocument } from "../../contract/wal-record.ts";
import { GATE_VERSION } from "../../gate/profile.ts";
import { PII_RULES_VERSION } from "../../pii/find-pii.ts";
import { walHeadSchema, type WalHead } from "../../wal/wal-codec.ts";

/** What is in an outbox: a document and the head of the WAL object it goes into. The same head stands beside each document of the object. */
export const outboxEntrySchema = z.strictObject({ head: walHeadSchema, document: walDocumentSchema });
export type OutboxEntry = z.infer<typeof outboxEntrySchema>;

/** What a document says of a fact. */
export interface FactToSay {
  readonly userId: string;
  readonly key: string;
  readonly version: number;
  readonly source: string;
  readonly observedAtMs: number;
  /** '' for what nobody may find: a fact that was removed, or one that the policy refuses. Its document ends the one before it. */
  readonly text: string;
  readonly reasons: readonly Reason[];
  readonly curation: Curation | undefined;
}

/** A readable sentence: what is embedded of a fact. */
export function sentenceOf(key: string, value: string): string {
  return `${key}: ${value}`;
}

export function factDocumentId(key: string, version: number): string {
  return `profile/${key}/${version}`;
}

/** The document of one version of a fact. Its place in the request is given when it is sent. */
export function factDocument(fact: FactToSay): WalDocument {
  return {
    document_index: 0,
    document_id: factDocumentId(fact.key, fact.version),
    user_id: fact.userId,
    tier: "profile",
    source: fact.source,
    title: "",
    metadata: { fact_key: fact.key, version: fact.version, source: fact.source },
    occurred_at_ms: fact.observedAtMs,
    text: fact.text,
    series: `profile/${fact.userId}/${fact.key}`,
    series_position: fact.version,
    verdict: "accepted",
    reasons: [...fact.reasons],
    ...(fact.curation === undefined ? {} : { curation: fact.curation }),
  };
}

interface FactRequest {
  readonly walId: string;
  readonly requestId: string;
  readonly traceId?: string | undefined;
  readonly nowMs: number;
}

/** Head of the WAL object of one change. No duplicates are looked for: a fact that is true again has the text of an earlier version. */
export function factHead(principal: Principal, { walId, requestId, traceId, nowMs }: FactRequest): WalHead {
  return {
    version: 1,
    tenant_id: principal.tenantId,
    wal_id: walId,
    batch_tag: walId,
    received_at_ms: nowMs,
    request_id: requestId,
    ...(traceId === undefined ? {} : { trace_id: traceId }),
    gate_version: GATE_VERSION,
    pii_version: PII_RULES_VERSION,
    policy_version: principal.policyVersion,
    origin: "profile",
  };
}
