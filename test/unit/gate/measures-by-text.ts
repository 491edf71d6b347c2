import { DEFAULT_GATE_POLICY } from "../../../src/lib/contract/gate-policy.ts";
import { inspectText } from "../../../src/lib/gate/inspect-text.ts";
import { LEGITIMATE_TEXTS } from "./legitimate-texts.ts";

/** What the gate measures of each legitimate text, without the measures that it is too short for. */
export function measuresByText(): Record<string, Record<string, number>> {
  return Object.fromEntries(
    LEGITIMATE_TEXTS.map(([name, text]) => [
      name,
      Object.fromEntries(
        inspectText(text, "doc", DEFAULT_GATE_POLICY).rules.flatMap(({ code, measure }) =>
          measure === null ? [] : [[code, measure] as const],
        ),
      ),
    ]),
  );
}
