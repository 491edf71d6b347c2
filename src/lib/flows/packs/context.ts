import type { R2Bucket } from "@cloudflare/workers-types";
import type { Clock } from "../../base/clock.ts";
import type { Sql } from "../../db/sql.ts";
import type { ZstdCodec } from "../../zstd/zstd-codec.ts";

/** What reading a pack uses. */
export interface PackReadContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly loadZstd: () => Promise<ZstdCodec>;
}

/** What making one uses. */
export interface PackContext extends PackReadContext {
  readonly clock: Clock;
  readonly newUlid: () => string;
}

/** Why a pack could not be made or read; a code for a report. */
export interface PackFailure {
  readonly code: string;
}
