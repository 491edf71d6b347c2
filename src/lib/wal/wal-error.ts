/** Why bytes are not a usable WAL object. Every one is permanent: the object will not become better by reading it again. */
export type WalError =
  | { readonly code: "wal_not_recognized" | "wal_truncated" | "wal_damaged" | "wal_invalid" }
  | { readonly code: "wal_version_unsupported"; readonly version: number }
  | { readonly code: "wal_too_large"; readonly bytes: number; readonly bytesMax: number }
  | { readonly code: "wal_range_unknown"; readonly rangeIndex: number; readonly rangeCount: number };
