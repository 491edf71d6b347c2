import { SeededRandom } from "../../support/seeded-random.ts";
import { BRIDGE_STREAM, type ChaosSystem } from "../parts/chaos-system.ts";
import type { Owner, Told } from "../told.ts";
import { runDocumentClient } from "./document-client.ts";
import type { Load } from "./load.ts";
import { runStreamFeeder } from "./stream-feeder.ts";
import { runTalker, type Talked } from "./talker.ts";
import type { TextSource } from "./text-source.ts";

/** Two tenants; in the first one two users and what they share. */
export const OWNERS = [
  { tenantId: "north", userId: "ann" },
  { tenantId: "north", userId: "ben" },
  { tenantId: "south", userId: "" },
] as const satisfies readonly Owner[];
export const BRIDGE_OWNER: Owner = { tenantId: "north", userId: "" };
export const TENANTS = [...new Set(OWNERS.map(({ tenantId }) => tenantId))];

export interface RunningLoad {
  readonly load: Load;
  /** Ends when every client has its last answer; the sessions that were held. */
  end(): Promise<readonly Talked[]>;
}

export interface WorkloadOptions {
  /** Where clients send to: the Worker, or who stands before it. */
  readonly url: string;
  readonly keys: ReadonlyMap<string, string>;
  readonly texts: TextSource;
  readonly seed: number;
  readonly round: number;
}

/** Starts the clients of a round; what they are told is added to `told`. */
export function startLoad(system: ChaosSystem, told: Told, options: WorkloadOptions): RunningLoad {
  const { url, keys, texts, seed, round } = options;
  const load: Load = { told, isOver: false, failureCount: 0, repeatCount: 0, unanswered: [] };
  const randomOf = (client: number): SeededRandom => new SeededRandom(seed * 1_000 + round * 50 + client);
  const keyOf = ({ tenantId }: Owner): string => keys.get(tenantId) ?? "";
  const clients = OWNERS.map((owner, index) => {
    const name = `${owner.tenantId}-${owner.userId}-${round}`;
    return runDocumentClient(load, { url, key: keyOf(owner), owner, name, texts, random: randomOf(index) });
  });
  const talkers = OWNERS.filter(({ userId }) => userId !== "").map((owner, index) => {
    const session = { ...owner, sessionId: `talk-${owner.userId}-${round}`, acked: new Map<number, string>() };
    return runTalker(load, { url, key: keyOf(owner), session, texts, random: randomOf(10 + index) });
  });
  const { producer } = system;
  if (producer !== undefined) {
    const feeder = { producer, stream: BRIDGE_STREAM, owner: BRIDGE_OWNER, round, texts, random: randomOf(20) };
    clients.push(runStreamFeeder(load, feeder));
  }
  return {
    load,
    async end() {
      load.isOver = true;
      const [talked] = await Promise.all([Promise.all(talkers), Promise.all(clients)]);
      return talked.filter((each) => each !== undefined);
    },
  };
}
