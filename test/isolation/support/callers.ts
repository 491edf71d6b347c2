import type { Scope } from "../../../src/lib/db/sql.ts";
import { mayRead, type Owner } from "./secrets.ts";
import { TENANTS, type Population } from "./population.ts";
import type { SeededRandom } from "../../support/seeded-random.ts";
import type { Caller, Service } from "./service.ts";

/** A tenant of its own, whose users have the names of everybody else's. */
export const OUTSIDE = "mallet";
/** A user in each tenant who owns nothing, so that what they change can harm others only. */
export const MALLORY = "mallory";

export interface Callers {
  /** One key for each user who has something, bound to them. */
  readonly owners: readonly Caller[];
  /** Keys of each tenant without a user. */
  readonly unbound: readonly Caller[];
  /** Who may write without harm to what is theirs. */
  readonly attackers: readonly Caller[];
  readonly outsideAdmin: Caller;
}

/** Makes their keys, and lets the population know whose those are. */
export async function makeCallers({ victims, secrets }: Population, service: Service): Promise<Callers> {
  const owners: Caller[] = [];
  const attackers: Caller[] = [];
  const unbound: Caller[] = [];
  for (const { tenantId, userId } of victims) {
    if (userId === "") unbound.push(await service.newCaller(tenantId, "", ["ingest", "search"]));
    else owners.push(await service.newCaller(tenantId, userId, ["ingest", "search"]));
  }
  for (const tenantId of TENANTS) attackers.push(await service.newCaller(tenantId, MALLORY, ["ingest", "search"]));
  const outsiders = new Set(victims.map(({ userId }) => userId));
  for (const userId of outsiders) attackers.push(await service.newCaller(OUTSIDE, userId, ["ingest", "search"]));
  const outsideAdmin = await service.newCaller(OUTSIDE, "", ["ingest", "search", "admin"]);
  for (const { tenantId, userId, keyId } of [...owners, ...unbound, ...attackers, outsideAdmin])
    secrets.add(keyId, { tenantId, userId: userId === "" ? "*" : userId });
  return { owners, unbound, attackers, outsideAdmin };
}

/** Whose rows a key may see where no user is named. */
export function readerOf(caller: Caller): Scope {
  return { tenantId: caller.tenantId, userId: caller.userId === "" ? "*" : caller.userId };
}

/** Somebody who must not know what the owner has. */
export function strangerTo(owner: Owner, from: readonly Caller[], random: SeededRandom): Caller {
  for (;;) {
    const caller = random.pick(from);
    if (!mayRead(readerOf(caller), owner)) return caller;
  }
}
