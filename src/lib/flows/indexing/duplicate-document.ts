import type { TextSketch } from "../../duplicates/sketch.ts";
import type { PreparedDocument } from "./prepare-document.ts";

/** A document whose text another one holds. Its text is not stored again; should the other go, it comes back. */
export interface DuplicateDocument extends PreparedDocument {
  readonly originalUid: string;
  readonly originalId: string;
  /** Normalised hash of the original's text, hexadecimal: tells whether the original still holds it. */
  readonly originalHash: string;
  /** `returned`: it consists of what the system had shown, and came back. */
  readonly kind: "exact" | "near" | "returned";
  readonly similarity: number;
}

/** A document with the sketch of its text, where duplicates are looked for. */
export interface SketchedDocument extends PreparedDocument {
  readonly sketch: TextSketch | undefined;
}
