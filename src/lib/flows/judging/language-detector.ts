import type { TenantPolicy } from "../../contract/policy.ts";
import type { LanguageDetector } from "../../gate/language.ts";

/** The language detector where the policy lets some languages in only: loading it costs more than judging a request. */
export async function detectorFor(
  policy: TenantPolicy,
  load: () => Promise<LanguageDetector>,
): Promise<LanguageDetector | undefined> {
  return policy.gate.enabled && policy.gate.languages.length > 0 ? load() : undefined;
}
