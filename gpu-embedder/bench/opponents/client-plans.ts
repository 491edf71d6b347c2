import type { ClientPlan } from "../support/embed-client.ts";

/** Ways to send texts that every server on a CPU is tried with. */
export const CLIENT_PLANS: readonly ClientPlan[] = [
  { connections: 4, requestTexts: 16 },
  { connections: 4, requestTexts: 32 },
  { connections: 8, requestTexts: 16 },
  { connections: 8, requestTexts: 32 },
  { connections: 4, requestTexts: 128 },
];

/** On a GPU: requests as an indexer in a hurry sends them. */
export const DEVICE_CLIENT_PLANS: readonly ClientPlan[] = [
  { connections: 4, requestTexts: 128 },
  { connections: 16, requestTexts: 32 },
  { connections: 16, requestTexts: 128 },
  { connections: 16, requestTexts: 512 },
];

export function planLabel({ connections, requestTexts }: ClientPlan): string {
  return `${connections} clients × ${requestTexts} texts`;
}
