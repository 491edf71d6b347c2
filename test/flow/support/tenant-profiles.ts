import type { Result } from "../../../src/lib/base/result.ts";
import type { Problem } from "../../../src/lib/contract/problem.ts";
import { putProfileSchema, type PutProfileReply } from "../../../src/lib/contract/profile.ts";
import type { EmbedMessage } from "../../../src/lib/contract/queue-message.ts";
import { indexRange } from "../../../src/lib/flows/indexing/index-range.ts";
import { PROFILE_OUTBOX_JOB } from "../../../src/lib/flows/profiles/outbox-job.ts";
import { putProfile } from "../../../src/lib/flows/profiles/put-profile.ts";
import { readProfile } from "../../../src/lib/flows/profiles/read-profile.ts";
import { PROFILE_WATCH_JOB } from "../../../src/lib/flows/profiles/watch-job.ts";
import type { Sql } from "../../../src/lib/db/sql.ts";
import { expectOk } from "../../support/database.ts";
import type { CrashPoint } from "./crashing.ts";
import { FIRST_RUN } from "./run-ticked.ts";
import { principalOf, type World, type WorldContext } from "./world.ts";

interface PutOptions {
  readonly user?: string;
  readonly replace?: boolean;
  readonly ifVersion?: number;
  readonly crash?: CrashPoint;
  /** User that the key is bound to. */
  readonly boundTo?: string;
}

/** Midnight of a day in November 2026, before the world's clock. */
export const day = (date: number): string => new Date(Date.UTC(2026, 10, date)).toISOString();

/** Profiles of one tenant, as clients, jobs and a search see them. */
export class TenantProfiles {
  readonly tenant: string;
  readonly #world: World;

  constructor(world: World, tenant: string) {
    this.#world = world;
    this.tenant = tenant;
  }

  put(
    facts: readonly unknown[],
    { user = "ann", replace = false, ifVersion, crash, boundTo = "" }: PutOptions = {},
  ): Promise<Result<PutProfileReply, Problem>> {
    const principal = { ...principalOf(this.tenant), userId: boundTo };
    const body = putProfileSchema.parse({ facts, replace });
    return putProfile(this.#world.context(crash), principal, {
      userId: user,
      body,
      ifVersion: ifVersion ?? null,
      requestId: "test",
    });
  }

  read(asOf: string | null = null, userId = "ann"): ReturnType<typeof readProfile> {
    return readProfile(this.#world.context(), principalOf(this.tenant), { userId, asOf });
  }

  async valuesAt(asOf: string | null = null): Promise<Record<string, string>> {
    return Object.fromEntries(expectOk(await this.read(asOf)).facts.map(({ key, value }) => [key, value]));
  }

  async indexAll(messages: readonly EmbedMessage[] = this.#world.take()): Promise<void> {
    for (const message of messages) expectOk(await indexRange(this.#world.context(), message));
  }

  /** Texts that a search as of a time would look through; null: the current ones. */
  async searchable(asOf: string | null = null): Promise<readonly string[]> {
    const rows = await this.#world.rows(
      this.tenant,
      `select text from doc_embeddings where tier = 'profile' and case when $1::timestamptz is null then valid_until is null
         else occurred_at <= $1::timestamptz and (valid_until is null or valid_until > $1::timestamptz) end order by text`,
      asOf,
    );
    return rows.map((row) => String(row["text"]));
  }

  #jobContext(): WorldContext & { readonly databases: ReadonlyMap<string, Sql> } {
    return { ...this.#world.context(), databases: new Map([["home", this.#world.database.sql]]) };
  }

  async runOutbox(): Promise<unknown> {
    return (await PROFILE_OUTBOX_JOB.run(this.#jobContext(), FIRST_RUN)).report;
  }

  async runWatch(): Promise<{ readonly report: unknown; readonly logged: readonly string[] }> {
    const logged: string[] = [];
    const note = (event: string): void => void logged.push(event);
    const context = {
      ...this.#jobContext(),
      config: { profiles: { watch: "poll" as const } },
      log: { info: note, warn: note, error: note },
      metrics: { count: () => undefined },
    };
    const { report } = await PROFILE_WATCH_JOB.run(context, FIRST_RUN);
    return { report, logged };
  }
}
