/** Several tenants full of users who resemble each other and have near-identical secrets in every tier. */
import { sha256HexSync } from "../../../src/lib/base/hash.ts";
import { receiptId } from "../../../src/lib/base/document-uid.ts";
import { TIERS, type Tier } from "../../../src/lib/contract/scope.ts";
import type { DocumentInput } from "../../../src/lib/contract/document.ts";
import { upsertArtifact } from "../../../src/lib/db/queries/artifacts.ts";
import { insertDeadLetters } from "../../../src/lib/db/queries/dead-letters.ts";
import { insertFactVersions } from "../../../src/lib/db/queries/profiles.ts";
import { createTenant } from "../../../src/lib/flows/keys/manage-keys.ts";
import { indexRange } from "../../../src/lib/flows/indexing/index-range.ts";
import { sessionBatchTag } from "../../../src/lib/session/batch-tag.ts";
import { expectOk, statement } from "../../support/database.ts";
import { openWorld, type World } from "../../flow/support/world.ts";
import { HOSTILE_IDS } from "./hostile-ids.ts";
import { Secrets, type Owner } from "./secrets.ts";

export const TENANTS = ["acme", "acme-2", "acme2"] as const;
/** One batch of this name in every tenant. */
export const BATCH_TAG = "nightly";
export const DOCUMENT_ID = "plan";
export const SESSION_ID = "s-1";
/** Held back by the gate: one word a hundred times. */
const REPEATED = "token ".repeat(100);

/** What one user of one tenant has, and how others could name it. */
export interface Victim extends Owner {
  readonly walId: string;
  readonly receiptIds: readonly string[];
  readonly quarantineId: string;
  readonly artifactId: string;
  readonly artifactHash: string;
  readonly documentIds: readonly string[];
  readonly wordOfTier: ReadonlyMap<Tier, string>;
}

export interface Population {
  readonly world: World;
  readonly secrets: Secrets;
  readonly victims: readonly Victim[];
  close(): Promise<void>;
}

export const sentenceOf = (tier: Tier, word: string): string =>
  `The ${tier} of the night shift says that the code of the vault is ${word} and that nobody else may know it.`;
/** The same for every user, so that what is equal is told apart by its owner alone. */
const EQUAL_TEXT = "The jet flows over the wing, and the boundary layer is as thin as a token of paper.";

function documentsOf(
  owner: Owner,
  words: ReadonlyMap<Tier, string>,
  { hostileId, junk }: { readonly hostileId: string; readonly junk: string },
): DocumentInput[] {
  const mine = owner.userId === "" ? {} : { user_id: owner.userId };
  const metadata = { session_id: SESSION_ID, team: "red" };
  const secret = [...words].map(([tier, word]) => ({
    id: DOCUMENT_ID,
    tier,
    text: sentenceOf(tier, word),
    title: `Vault ${word}`,
    source: "vault",
    metadata: { ...metadata, word },
    ...mine,
  }));
  const word = words.get("doc") ?? "";
  const named = { id: hostileId, text: `A memo of the night shift about ${word}, for nobody else.`, metadata, ...mine };
  const equal = { id: "same", text: EQUAL_TEXT, metadata, ...mine };
  const held = { id: "held", text: `${junk} wing ${REPEATED}`, title: junk, ...mine };
  return [...secret, named, ...(owner.userId === "" ? [] : [equal]), held];
}

/** Ingests and indexes all of it through the flows that serve clients; segments are registered as their consumer does. */
export async function openPopulation(): Promise<Population> {
  const world = await openWorld();
  const secrets = new Secrets();
  const victims: Victim[] = [];
  for (const tenantId of TENANTS) {
    expectOk(await createTenant(world.database.sql, tenantId, ""));
    for (const [index, userId] of ["", ...HOSTILE_IDS].entries())
      victims.push(await settle(world, secrets, { owner: { tenantId, userId }, index }));
  }
  for (const tenantId of TENANTS) await bury(world, tenantId, secrets.newWord({ tenantId, userId: "*" }));
  for (const message of world.take()) expectOk(await indexRange(world.context(), message));
  return { world, secrets, victims, close: () => world.close() };
}

async function settle(
  world: World,
  secrets: Secrets,
  { owner, index }: { readonly owner: Owner; readonly index: number },
): Promise<Victim> {
  const words = new Map(TIERS.map((tier) => [tier, secrets.newWord(owner)]));
  const junk = secrets.newWord(owner);
  const documents = documentsOf(owner, words, { hostileId: HOSTILE_IDS[index] ?? "shared", junk });
  const walId = await world.ingest(owner.tenantId, documents, { batchTag: BATCH_TAG });
  const receiptIds = documents.map((_, documentIndex) => receiptId(walId, documentIndex));
  for (const id of receiptIds) secrets.add(id, owner);
  if (owner.userId !== "") await describeUser(world, owner, secrets.newWord(owner));
  const insertBatch = statement(
    "insert into batches (tenant_id, batch_tag, indexed_count) values ($1, $2, 7)",
    owner.tenantId,
    sessionBatchTag({ ...owner, sessionId: SESSION_ID }),
  );
  expectOk(await world.database.ownerSql.transaction({ tenantId: owner.tenantId, userId: "*" }, [insertBatch]));
  const artifact = await registerSegment({ world, secrets }, owner, index);
  return {
    ...owner,
    ...artifact,
    walId,
    receiptIds,
    quarantineId: receiptIds.at(-1) ?? "",
    documentIds: documents.map(({ id }) => id),
    wordOfTier: words,
  };
}

/** A profile whose facts have the same names for everyone. */
async function describeUser(world: World, { tenantId, userId }: Owner, word: string): Promise<void> {
  const facts = ["vault", "shift"].map((key) => ({
    key,
    value: `The code is ${word}.`,
    removed: false,
    source: "vault",
    observedAt: "2026-01-01T00:00:00Z",
    outboxJson: "null",
  }));
  const insert = insertFactVersions({ tenantId, userId }, { expected: 0, walId: world.context().newUlid(), facts });
  expectOk(await world.database.sql.transaction({ tenantId, userId }, [insert]));
}

/** Something that could not be applied, for the operators of the tenant to see. */
async function bury(world: World, tenantId: string, deadLetterId: string): Promise<void> {
  const row = {
    deadLetterId,
    queue: "jeeves-embed",
    code: "wal_missing",
    walKey: null,
    walId: null,
    rangeIndex: 0,
    documentIndex: null,
    chunkIndex: null,
    attempts: 1,
  };
  expectOk(await world.database.sql.transaction({ tenantId, userId: "*" }, [insertDeadLetters(tenantId, [row])]));
}

/** A sealed segment under an id that is the same in each tenant. */
async function registerSegment(
  { world, secrets }: Pick<Population, "world" | "secrets">,
  { tenantId, userId }: Owner,
  index: number,
): Promise<{ artifactId: string; artifactHash: string }> {
  const artifactId = `segment-${index}`;
  const content = `A sealed conversation about ${secrets.newWord({ tenantId, userId })}.`;
  const objectKey = `segments/${tenantId}/${index}`;
  await world.bucket.put(objectKey, content);
  const artifactHash = sha256HexSync(content);
  secrets.add(artifactHash, { tenantId, userId });
  const row = {
    artifactId,
    userId,
    kind: "segment" as const,
    objectKey,
    mediaType: "application/octet-stream",
    sizeBytes: content.length,
    sha256Hex: artifactHash,
    batchTag: null,
  };
  expectOk(await world.database.ownerSql.transaction({ tenantId, userId: "*" }, [upsertArtifact(tenantId, row)]));
  return { artifactId, artifactHash };
}
