import type { ClientPlan } from "../support/embed-client.ts";

/** Ways to send texts that every server is tried with. */
export const CLIENT_PLANS: readonly ClientPlan[] = [
  { connections: 4, requestTexts: 16 },
  { connections: 4, requestTexts: 32 },
  { connections: 8, requestTexts: 16 },
  { connections: 8, requestTexts: 32 },
];

export function planLabel({ connections, requestTexts }: ClientPlan): string {
  return `${connections} clients × ${requestTexts} texts`;
}
