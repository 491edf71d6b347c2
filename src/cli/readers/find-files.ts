import { glob, readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { usageError } from "../command-error.ts";
import { type FileFormat, formatOf } from "./read-file.ts";
import { READ_LIMITS } from "./read-limits.ts";

/** A file to be read. `format` is undefined where its extension says nothing: named files are then tried as text. */
export interface InputFile {
  /** As it is opened. */
  readonly path: string;
  /** As its documents are called. */
  readonly name: string;
  readonly format: FileFormat | undefined;
  readonly isNamed: boolean;
}

export const STDIN = "-";

/** Files of the named files, folders (all levels) and patterns, each once, in the order named and by name within a folder. */
export async function findFiles(
  inputs: readonly string[],
  format: FileFormat | undefined,
): Promise<readonly InputFile[]> {
  const found = new Map<string, InputFile>();
  const add = (path: string, isNamed: boolean): void => {
    const name = path === STDIN ? "stdin" : relative(process.cwd(), path) || path;
    if (!found.has(path)) found.set(path, { path, name: nameOf(name), format: format ?? formatOf(path), isNamed });
    if (found.size > READ_LIMITS.filesMax) throw usageError(`more than ${READ_LIMITS.filesMax} files`);
  };
  for (const input of inputs) {
    if (input === STDIN) add(STDIN, true);
    else for (const file of await filesAt(input)) add(file.path, file.isNamed);
  }
  return [...found.values()];
}

/** Ids are stable over the folder that a command is called from where they can be: a path upwards says nothing. */
function nameOf(path: string): string {
  return path.replaceAll("\\", "/").replace(/^(\.\.\/)+/, "");
}

async function filesAt(input: string): Promise<readonly { readonly path: string; readonly isNamed: boolean }[]> {
  const stats = await stat(input).catch(() => undefined);
  if (stats?.isDirectory() === true) return (await filesOfFolder(input)).map((path) => ({ path, isNamed: false }));
  if (stats !== undefined) return [{ path: input, isNamed: true }];
  if (!/[*?{[]/.test(input)) throw usageError(`there is no file or folder "${input}"`);
  const matches: string[] = [];
  for await (const match of glob(input)) {
    const isFile = await stat(match).then(
      (entry) => entry.isFile(),
      () => false,
    );
    if (isFile) matches.push(match);
  }
  if (matches.length === 0) throw usageError(`no file matches "${input}"`);
  return matches.sort().map((path) => ({ path, isNamed: true }));
}

/** Files of a folder at all levels, sorted. Hidden ones and links are left out. */
async function filesOfFolder(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const isHidden = (path: string): boolean => path.split(sep).some((part) => part.startsWith("."));
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => !isHidden(path))
    .sort()
    .map((path) => join(folder, path));
}
