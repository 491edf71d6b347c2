import { type Damage, disturb } from "./killer.ts";
import { clientViolations, storeViolations, type Violation } from "./invariants.ts";
import { type ChaosSystem, startChaosSystem } from "./parts/chaos-system.ts";
import { type CampaignSize, planCampaign, type Round } from "./plan.ts";
import { loseStored, openLiar, type Plant } from "./plant.ts";
import { askService } from "./recount/ask-service.ts";
import { readStore } from "./recount/read-store.ts";
import { settle } from "./recount/settle.ts";
import type { SeenInStore } from "./seen.ts";
import { nothingTold, type Told } from "./told.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { type Talked } from "./workload/talker.ts";
import { openTexts, type TextSource } from "./workload/text-source.ts";
import { BRIDGE_OWNER, startLoad, TENANTS } from "./workload/workload.ts";

export interface RoundReport extends Damage {
  readonly loadMs: number;
  /** Told to clients so far, over all rounds. */
  readonly requestCount: number;
  readonly documentCount: number;
  readonly eventCount: number;
  readonly entryCount: number;
  /** Of this round. */
  readonly failureCount: number;
  readonly repeatCount: number;
  readonly drainMs: number;
  readonly unanswered: readonly string[];
  readonly open: readonly string[];
  readonly violations: readonly Violation[];
}

export interface CampaignReport extends CampaignSize {
  readonly rounds: readonly RoundReport[];
  readonly cutReplies: number;
  readonly spoiltReplies: number;
  readonly wallMs: number;
}

export interface CampaignOptions extends CampaignSize {
  readonly log: (line: string) => void;
  /** Log lines of Worker and embedder. */
  readonly systemLog: (line: string) => void;
  /** Breaks a promise on purpose, from outside, in the last round: the recount has to see it. */
  readonly plant?: Plant | undefined;
}

/** A system under load and faults whose promises can be counted again at any time. */
export class Campaign {
  readonly told: Told = nothingTold();
  readonly system: ChaosSystem;
  readonly #options: CampaignOptions;
  readonly #texts: TextSource;
  readonly #keys: ReadonlyMap<string, string>;
  readonly #talked: Talked[] = [];
  readonly #proved = new Set<string>();

  private constructor(
    options: CampaignOptions,
    parts: Pick<Campaign, "system"> & { texts: TextSource; keys: Map<string, string> },
  ) {
    this.#options = options;
    this.system = parts.system;
    this.#texts = parts.texts;
    this.#keys = parts.keys;
  }

  static async open(options: CampaignOptions): Promise<Campaign> {
    const texts = await openTexts(options.seed);
    const { seed, systemLog } = options;
    const system = await startChaosSystem({ seed, bridgeTenantId: BRIDGE_OWNER.tenantId, log: systemLog });
    const keys = new Map<string, string>();
    for (const tenantId of TENANTS)
      keys.set(tenantId, await system.newKey(tenantId, "", ["ingest", "search", "admin"]));
    return new Campaign(options, { system, texts, keys });
  }

  /** All rounds of the plan, each with its recount. */
  async run(): Promise<CampaignReport> {
    const { seed, kills, log } = this.#options;
    const startedAtMs = Date.now();
    const rounds: RoundReport[] = [];
    const plan = planCampaign({ seed, kills });
    for (const [index, round] of plan.entries()) {
      log(
        `round ${index + 1} of ${plan.length}: ${round.disturbances.length} faults in ${Math.round(round.loadMs / 1000)} s`,
      );
      rounds.push(await this.#runRound(round, { index, isLast: index === plan.length - 1 }));
    }
    const { database, embedderDoor } = this.system;
    const wallMs = Date.now() - startedAtMs;
    return { seed, kills, rounds, cutReplies: database.cutCount, spoiltReplies: embedderDoor.spoiltCount, wallMs };
  }

  async #runRound(round: Round, { index, isLast }: { index: number; isLast: boolean }): Promise<RoundReport> {
    const { seed, log } = this.#options;
    const planted = isLast ? this.#options.plant : undefined;
    const liar = planted === "ack" ? await openLiar(this.system.url) : undefined;
    const load = { url: liar?.url ?? this.system.url, keys: this.#keys, texts: this.#texts, seed, round: index };
    const running = startLoad(this.system, this.told, load);
    const startedAtMs = Date.now();
    const damage = await disturb(this.system, round, log);
    const talked = await running.end();
    this.#talked.push(...talked);
    const loadMs = Date.now() - startedAtMs;
    log(`quiet; waiting until all is applied`);
    const settled = await settle(this.system, { tenantIds: TENANTS, talked, log });
    await liar?.close();
    // What is left over would hit the recount instead of the load.
    this.system.embedderDoor.spoils.length = 0;
    const [first] = this.told.requests;
    if (first !== undefined && (planted === "ledger" || planted === "wal"))
      await loseStored(this.system, first, planted);
    const violations = await this.recount();
    const { failureCount, repeatCount, unanswered } = running.load;
    return {
      ...damage,
      loadMs,
      ...this.#counts(),
      failureCount,
      repeatCount,
      drainMs: settled.afterMs,
      unanswered,
      open: settled.open,
      violations,
    };
  }

  /** Everything promised so far against what is there now. */
  async recount(): Promise<readonly Violation[]> {
    const seen = await this.readStore();
    const objects = seen.objects.filter(({ walId }) => !this.#proved.has(walId));
    const service = { url: this.system.url, keys: this.#keys, random: new SeededRandom(this.#options.seed) };
    const asked = await askService(service, { told: this.told, objects, talked: this.#talked });
    const violations = [...storeViolations(this.told, seen), ...clientViolations(this.told, asked, seen.objects)];
    for (const { walId } of objects) this.#proved.add(walId);
    return violations;
  }

  async readStore(): Promise<SeenInStore> {
    return readStore({ bucket: await this.system.bucket(), ownerSql: this.system.database.ownerSql }, TENANTS);
  }

  #counts(): Pick<RoundReport, "requestCount" | "documentCount" | "eventCount" | "entryCount"> {
    const { requests, sessions, entries } = this.told;
    return {
      requestCount: requests.length,
      documentCount: requests.reduce((sum, { documents }) => sum + documents.length, 0),
      eventCount: sessions.reduce((sum, { acked }) => sum + acked.size, 0),
      entryCount: entries.length,
    };
  }

  close(): Promise<void> {
    return this.system.close();
  }
}
