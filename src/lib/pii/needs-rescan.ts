import { PII_RULES_VERSION } from "./find-pii.ts";

/** True for text that no rules or older rules have seen. A newer version than ours (a rollback of the code) is left alone. */
export function needsRescan(rulesVersion: string | null | undefined, current: string = PII_RULES_VERSION): boolean {
  if (rulesVersion === null || rulesVersion === undefined) return true;
  const seen = Number(rulesVersion);
  return !(Number.isInteger(seen) && seen >= Number(current));
}
