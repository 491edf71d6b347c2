import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

const objectSchema = z.record(z.string(), z.unknown());
export type YamlObject = z.infer<typeof objectSchema>;

/** Documents of a text, merge keys resolved. Throws at the first fault of syntax, and where a document is no map. */
export function parseYamlDocuments(text: string): readonly YamlObject[] {
  const documents = parseAllDocuments(text, { merge: true, uniqueKeys: true });
  return documents.map((document) => {
    const [fault] = document.errors;
    if (fault !== undefined) throw fault;
    return objectSchema.parse(document.toJS());
  });
}

export function readYamlDocuments(path: string): readonly YamlObject[] {
  return parseYamlDocuments(readFileSync(path, "utf8"));
}
