import { randomUUID } from "node:crypto";
import type { Sql } from "../lib/db/sql.ts";
import type { KeysContext } from "../lib/flows/keys/manage-keys.ts";

/** What making keys needs, from Node. */
export function keysContext(sql: Sql): KeysContext {
  return {
    sql,
    newId: () => randomUUID(),
    fillRandom: (bytes) => {
      crypto.getRandomValues(bytes);
    },
    clock: () => Date.now(),
  };
}
