import { DAY_MS } from "../../lib/base/durations.ts";
import { createKey, createTenant } from "../../lib/flows/keys/manage-keys.ts";
import type { Stack } from "../../stack/start-stack.ts";
import { CommandError } from "../command-error.ts";
import { ensureActiveModel } from "./ensure-active-model.ts";
import { keysContext } from "../keys-context.ts";
import { startLocalStack } from "./running-stack.ts";
import { style } from "../terminal/style.ts";

export const DEV_TENANT = "dev";
const KEY_LIFETIME_MS = DAY_MS;

export interface DevStack {
  readonly stack: Stack;
  /** Of the tenant `dev`, with every scope, for a day. */
  readonly key: string;
}

/** The local stack with a tenant, a key and an active model. Nothing is left running when it fails. */
export async function startDevStack(options: {
  readonly port: number;
  readonly label: string;
  readonly log: (line: string) => void;
}): Promise<DevStack> {
  const stack = await startLocalStack({ port: options.port, log: (line) => options.log(style.dim(`  ${line}`)) });
  try {
    await createTenant(stack.ownerSql, DEV_TENANT, "Local development");
    const key = await createKey(keysContext(stack.ownerSql), {
      tenantId: DEV_TENANT,
      userId: "",
      scopes: ["ingest", "search", "admin", "operator"],
      label: options.label,
      expiresAtMs: Date.now() + KEY_LIFETIME_MS,
    });
    if (!key.ok) throw new CommandError(`no key could be made: ${key.error.code}`);
    await ensureActiveModel(stack.url, key.value.key);
    return { stack, key: key.value.key };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}
