import { ulidTimeMs } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { PiiPolicy } from "../../contract/pii.ts";
import type { Curation, PiiCounts, WalDocument } from "../../contract/wal-record.ts";
import { applyPiiPolicy } from "../../pii/apply-policy.ts";
import { finderFor } from "../../pii/find-for-policy.ts";
import { PII_RULES_VERSION } from "../../pii/find-pii.ts";
import type { PiiKey } from "../../pii/pii-key.ts";
import { Sealer } from "../../pii/seal.ts";
import type { WalHead } from "../../wal/wal-codec.ts";
import { nextVersionKey } from "../indexing/version-key-of.ts";
import type { PackReadContext } from "../packs/context.ts";
import { readStoredDocument } from "../packs/read-stored-document.ts";
import { redactMetadata, sumCounts } from "../judging/redact-metadata.ts";
import { reenter } from "./reenter.ts";
import { planSealing, sealContent, type Content } from "../judging/seal-content.ts";
import type { StoreContext } from "../ingest/store-request.ts";

/** A document of the store, by where its text lies. */
export interface StoredVersion {
  readonly walKey: string;
  readonly documentIndex: number;
  readonly versionKey: string;
}

/** A stored text as the rules of now and the policy of now leave it. */
export interface RedactedAgain {
  readonly head: WalHead;
  readonly document: WalDocument;
  readonly isChanged: boolean;
  /** Its placeholders are numbered though a key was there: sealed ones would make it too large, and in clear it cannot stay. */
  readonly isNumberedForSize: boolean;
  /** What the rules of now found, by type. */
  readonly counts: PiiCounts;
}

/** What a stored text is redacted by. */
export interface Redaction {
  readonly policy: PiiPolicy;
  /** Seals the placeholders; undefined for numbered ones. */
  readonly key: PiiKey | undefined;
}

/** Reads a stored document from its WAL object or its pack and applies the rules of now to its text, title and metadata. */
export async function redactStored(
  context: PackReadContext,
  version: StoredVersion,
  { policy, key }: Redaction,
): Promise<Result<RedactedAgain, { readonly code: string }>> {
  const place = { key: version.walKey, documentIndex: version.documentIndex };
  const read = await readStoredDocument(context, place);
  if (!read.ok) return read;
  const { head, document } = read.value;
  if (document.text === null) return err({ code: "wal_invalid" });
  const content = { text: document.text, title: document.title, metadata: document.metadata };
  const saidBefore = document.context === undefined ? undefined : redactContext(document.context, policy);
  const numbered = redactContent(content, policy);
  const plan = key === undefined ? undefined : planSealing(content, policy, { find: finderFor(policy) });
  const isSealed = key !== undefined && plan !== undefined && plan.refusal === undefined;
  const redacted = isSealed ? await sealContent(plan, new Sealer(key)) : numbered.content;
  return ok({
    head: { ...head, pii_version: PII_RULES_VERSION },
    document: { ...document, ...redacted, ...(saidBefore === undefined ? {} : { context: saidBefore }) },
    isChanged: JSON.stringify(redacted) !== JSON.stringify(content) || saidBefore !== document.context,
    isNumberedForSize: key !== undefined && !isSealed,
    counts: numbered.counts,
  });
}

function redactContent(content: Content, policy: PiiPolicy): { readonly content: Content; readonly counts: PiiCounts } {
  const find = finderFor(policy);
  const text = applyPiiPolicy(content.text, find(content.text), policy);
  const title = applyPiiPolicy(content.title, find(content.title), policy);
  const metadata = redactMetadata(content.metadata, policy);
  return {
    content: { text: text.text, title: title.text, metadata: metadata.metadata },
    counts: sumCounts(sumCounts(text.counts, title.counts), metadata.counts),
  };
}

/** Placeholders are numbered there: nobody opens one in what is only searched. They may be longer than what they stand for. */
function redactContext(context: string, policy: PiiPolicy): string {
  const { text } = applyPiiPolicy(context, finderFor(policy)(context), policy);
  return text.slice(0, LIMITS.contextCharactersMax).toWellFormed();
}

/** Sends a stored document through the front door again, right after the version it is of. Errors: `storage_unavailable`. */
export async function reenterStored(
  context: StoreContext & { readonly newUlid: () => string },
  version: StoredVersion,
  { again, cause }: { readonly again: RedactedAgain; readonly cause: "rescanned" | "original_gone" | "repaired" },
): Promise<Result<null, { readonly code: string }>> {
  const { duplicate_of: _original, pii_counts: before, ...kept } = again.document.curation ?? {};
  const curation: Curation = {
    ...kept,
    pii_counts: sumCounts(before ?? {}, again.counts),
    reentry: { cause, version_key: nextVersionKey(version.versionKey) },
  };
  const walId = context.newUlid();
  const entered = await reenter(context, {
    head: { ...again.head, request_id: `${cause}-${version.versionKey}` },
    walId,
    receivedAtMs: ulidTimeMs(walId),
    documents: [
      {
        ...again.document,
        verdict: "accepted",
        reasons: [{ code: cause }, ...again.document.reasons.filter(({ code }) => !code.startsWith("duplicate_"))],
        curation,
      },
    ],
  });
  return entered.ok ? ok(null) : entered;
}
