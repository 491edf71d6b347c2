import {
  PII_ACTIONS,
  PII_IDENTIFIER_TYPES,
  PII_SECRET_TYPES,
  type PiiAction,
  type PiiPolicy,
  type PiiSpan,
  type PiiType,
} from "../contract/pii.ts";
import { highestNumbers } from "./placeholder.ts";

/** What the policy made of a text. Counts are by type and hold no value, so they may go into reports. */
export interface PiiVerdict {
  /** The strictest action of all spans; "allow" where there is none. */
  readonly action: PiiAction;
  /** The text with typed placeholders for the spans whose action is redact, quarantine or reject; otherwise the text as it came. */
  readonly text: string;
  /** Every span of the policy's score or more, by type, allowed ones included. */
  readonly counts: Readonly<Partial<Record<PiiType, number>>>;
}

const REDACTED_UNLESS_NAMED: ReadonlySet<PiiType> = new Set([...PII_SECRET_TYPES, ...PII_IDENTIFIER_TYPES]);

/** The action for a type: the policy's own word, else redact for secrets and identifiers, else the policy's default (never laxer). */
export function actionFor(policy: PiiPolicy, type: PiiType): PiiAction {
  const named = policy.actions[type];
  if (named !== undefined) return named;
  return REDACTED_UNLESS_NAMED.has(type) ? stricter("redact", policy.default) : policy.default;
}

/** The stricter of two actions. */
export function stricter(a: PiiAction, b: PiiAction): PiiAction {
  return PII_ACTIONS.indexOf(a) >= PII_ACTIONS.indexOf(b) ? a : b;
}

/** Spans the policy acts on: enabled, sure enough, and not allowed. */
export function spansToRedact(spans: readonly PiiSpan[], policy: PiiPolicy): readonly PiiSpan[] {
  if (!policy.enabled) return [];
  return spans.filter((span) => span.score >= policy.score_min && actionFor(policy, span.type) !== "allow");
}

/** The text with each span replaced. `spans` are sorted and do not overlap. */
export function replaceSpans(text: string, spans: readonly PiiSpan[], replacements: readonly string[]): string {
  const parts: string[] = [];
  let position = 0;
  for (const [index, span] of spans.entries()) {
    parts.push(text.slice(position, span.start), replacements[index] ?? "");
    position = span.end;
  }
  parts.push(text.slice(position));
  return parts.join("");
}

/**
 * `[EMAIL_ADDRESS_1]`, `[EMAIL_ADDRESS_2]`, …: the same value of a type has the same number within the text. Numbers go on after those that
 * stand in the text already: older rules gave them to other values.
 */
export function numberedPlaceholders(text: string, spans: readonly PiiSpan[]): readonly string[] {
  const numbers = new Map<string, number>();
  const counts = spans.length === 0 ? new Map<PiiType, number>() : highestNumbers(text);
  return spans.map((span) => {
    const key = `${span.type} ${text.slice(span.start, span.end)}`;
    let number = numbers.get(key);
    if (number === undefined) {
      number = (counts.get(span.type) ?? 0) + 1;
      counts.set(span.type, number);
      numbers.set(key, number);
    }
    return `[${span.type}_${number}]`;
  });
}

/**
 * Judges a text by the spans found in it. Pure. A quarantined text is redacted as well, so that a preview of it shows nothing; of a rejected
 * text only `action` and `counts` may leave the caller.
 * @param spans of `findPii` or the external analyzer, sorted, without overlaps
 */
export function applyPiiPolicy(text: string, spans: readonly PiiSpan[], policy: PiiPolicy): PiiVerdict {
  const counts: Partial<Record<PiiType, number>> = {};
  let action: PiiAction = "allow";
  if (!policy.enabled) return { action, text, counts };
  for (const span of spans) {
    if (span.score < policy.score_min) continue;
    counts[span.type] = (counts[span.type] ?? 0) + 1;
    action = stricter(action, actionFor(policy, span.type));
  }
  const hidden = spansToRedact(spans, policy);
  return { action, text: replaceSpans(text, hidden, numberedPlaceholders(text, hidden)), counts };
}
