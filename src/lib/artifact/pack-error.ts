/** Why a pack cannot be read. Nothing of a block that failed is given out. */
export type PackError =
  | { readonly code: "pack_not_recognized" }
  | { readonly code: "pack_version_unsupported"; readonly version: number }
  | { readonly code: "pack_truncated" }
  /** A digest differs, or what the parts say of each other. `block` is absent where the footer is meant. */
  | { readonly code: "pack_damaged"; readonly block?: number }
  | { readonly code: "pack_too_large"; readonly what: string; readonly value: number; readonly max: number }
  | { readonly code: "dictionary_missing"; readonly dictionaryId: string }
  | { readonly code: "storage_unavailable"; readonly cause: unknown };
