import { withDerived } from "../../artifact/derivations.ts";
import type { PackHead } from "../../artifact/pack-footer.ts";
import { isKeyBefore } from "../../artifact/record-key.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { PackRecord } from "../../contract/pack-record.ts";
import { type PackMember, registerPack } from "../../db/queries/packs.ts";
import { currentDictionary } from "../dictionaries/current-dictionary.ts";
import type { PackContext, PackFailure } from "./context.ts";
import { PACK_DERIVATIONS, PACK_VERSIONS } from "./derivations.ts";
import { RecordsDigest } from "./records-digest.ts";
import { register } from "./register.ts";
import { writePack } from "./write-pack.ts";

/** Records that become one pack, with the fingerprints that they count in. */
export interface RecordsToPack {
  readonly tenantId: string;
  readonly records: readonly PackRecord[];
  readonly models: readonly string[];
}

/** Makes one pack of records, by user and document: written, verified and registered, or nothing. */
export async function packRecords(
  context: PackContext,
  { tenantId, records, models }: RecordsToPack,
): Promise<Result<{ readonly sizeBytes: number }, PackFailure>> {
  const dictionary = await currentDictionary(context, tenantId);
  if (!dictionary.ok) return err({ code: dictionary.error.code });
  const head = packHead(tenantId, models, context.clock());
  const derivation = { derivations: PACK_DERIVATIONS, head };
  const sorted = records.map((record) => withDerived(record, derivation)).sort(byKey);
  const written = await writePack(context, { head, dictionary: dictionary.value, vectors: null }, async (writer) => {
    const digest = new RecordsDigest();
    for (const record of sorted) {
      const added = await writer.add(record);
      if (!added.ok) return err({ code: added.error.code });
      digest.add(record);
    }
    return ok({ recordsDigest: digest.value() });
  });
  if (!written.ok) return written;
  const statements = registerPack(tenantId, written.value.row, {
    members: sorted.map(memberOf),
    mustHold: false,
  });
  const place = { tenantId, pack: written.value };
  const registered = await register(context, place, { statements, answerAt: statements.length - 1 });
  return registered.ok ? ok({ sizeBytes: written.value.row.sizeBytes }) : registered;
}

/** What a pack that is made now says of itself. */
export function packHead(tenantId: string, models: readonly string[], nowMs: number): PackHead {
  return { tenant_id: tenantId, created_at_ms: nowMs, models: [...models], versions: { ...PACK_VERSIONS } };
}

function byKey(a: PackRecord, b: PackRecord): number {
  if (isKeyBefore(a, b)) return -1;
  return isKeyBefore(b, a) ? 1 : 0;
}

/** The member of a registry that a record is. */
export function memberOf(record: PackRecord, position: number): PackMember {
  return {
    position,
    userId: record.user_id,
    documentUid: record.document_uid ?? "",
    walId: record.wal_id,
    documentIndex: record.document_index,
    versionKey: record.version_key ?? "",
  };
}
