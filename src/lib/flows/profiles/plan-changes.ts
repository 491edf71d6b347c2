/** What a request changes in a profile. Pure. */

/** What is known of a fact: its last version. */
export interface KnownFact {
  readonly key: string;
  readonly version: number;
  readonly value: string;
  readonly removed: boolean;
  readonly source: string;
  readonly observedAtMs: number;
}

/** What is asked of a fact; `null` is a removal. Left-out fields are taken as they are. */
export interface WantedFact {
  readonly key: string;
  readonly value: string | null;
  readonly source: string | undefined;
  readonly observedAtMs: number | undefined;
}

export interface PlannedChange {
  readonly key: string;
  readonly value: string | null;
  readonly source: string;
  readonly observedAtMs: number;
}

export interface Plan {
  readonly changes: readonly PlannedChange[];
  readonly unchanged: readonly { readonly key: string; readonly version: number }[];
  /** Facts that hold after the changes. */
  readonly factCount: number;
}

/** Source of a fact of which none was named. */
const SOURCE_DEFAULT = "profile";

/**
 * Compares what is asked with what is known. A fact that says nothing new makes no version: the same value, from the same source or without
 * one, and not since an earlier time. With `replace`, facts that are neither wanted nor `kept` are removed.
 */
export function planChanges(
  known: readonly KnownFact[],
  wanted: readonly WantedFact[],
  options: { readonly replace: boolean; readonly keptKeys: ReadonlySet<string>; readonly nowMs: number },
): Plan {
  const byKey = new Map(known.map((fact) => [fact.key, fact]));
  const named = new Set(wanted.map(({ key }) => key));
  const replaced = known.filter(({ key, removed }) => !removed && !named.has(key) && !options.keptKeys.has(key));
  const removals = options.replace
    ? replaced.map(({ key }) => ({ key, value: null, source: undefined, observedAtMs: undefined }))
    : [];
  const all = [...wanted, ...removals];
  const changes = all
    .filter((fact) => isNews(fact, byKey.get(fact.key)))
    .map(({ key, value, source, observedAtMs }) => ({
      key,
      value,
      source: source ?? SOURCE_DEFAULT,
      observedAtMs: observedAtMs ?? options.nowMs,
    }));
  const changed = new Map(changes.map((change) => [change.key, change]));
  const unchanged = wanted
    .filter(({ key }) => !changed.has(key))
    .map(({ key }) => ({ key, version: byKey.get(key)?.version ?? 0 }));
  const holding = new Set(known.filter(({ removed }) => !removed).map(({ key }) => key));
  for (const { key, value } of changes) {
    if (value === null) holding.delete(key);
    else holding.add(key);
  }
  return { changes, unchanged, factCount: holding.size };
}

function isNews(wanted: WantedFact, known: KnownFact | undefined): boolean {
  if (known === undefined) return wanted.value !== null;
  const isSame = wanted.value === null ? known.removed : !known.removed && known.value === wanted.value;
  if (!isSame) return true;
  if (wanted.source !== undefined && wanted.source !== known.source) return true;
  return wanted.observedAtMs !== undefined && wanted.observedAtMs < known.observedAtMs;
}
