import type { Metadata } from "../../contract/document.ts";

/** The strings of a document's metadata, those in lists included. Keys are names of fields and not among them. */
export function metadataStrings(metadata: Metadata): readonly string[] {
  return Object.values(metadata).flatMap((value) =>
    (Array.isArray(value) ? value : [value]).filter((each) => typeof each === "string"),
  );
}

/** The metadata with each of its strings replaced. */
export function mapMetadataStrings(metadata: Metadata, replace: (text: string) => string): Metadata {
  const entries = Object.entries(metadata).map(([key, value]) => {
    if (typeof value === "string") return [key, replace(value)] as const;
    if (Array.isArray(value))
      return [key, value.map((each) => (typeof each === "string" ? replace(each) : each))] as const;
    return [key, value] as const;
  });
  return Object.fromEntries(entries);
}
