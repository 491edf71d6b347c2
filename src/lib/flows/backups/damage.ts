import type { PackError } from "../../artifact/pack-error.ts";
import type { BackupFault } from "./manifest.ts";

/** An object of a backup that could not be read, or a part of it. */
export interface Damage {
  readonly key: string;
  readonly code: BackupFault | PackError["code"];
  /** Place of a block in a pack whose other blocks were read. */
  readonly block?: number;
}
