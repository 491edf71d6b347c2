/** Files of lines: `["<table>",{…}]`, compressed as one zstd frame. `zstd -dc FILE | jq` reads them. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { utf8Bytes, utf8Text } from "../../base/bytes.ts";
import { sha256HexSync } from "../../base/hash.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { BackupFault, BackupFile } from "./manifest.ts";

/** Bytes of lines after which a file is closed: it is held whole when it is written and when it is read. */
const FILE_BYTES = 4 * 1024 * 1024;
/** A page that is added to a nearly full file has at most a response of the database, 64 MB. */
const FILE_BYTES_MAX = 72 * 1024 * 1024;
/** zlib counts a byte of its own. */
const OUTPUT_SLACK_BYTES = 1;

/** Lines on their way into a file. */
export class LineFile {
  readonly #lines: string[] = [];
  #length = 0;

  add(table: string, rowJson: string): void {
    const line = `["${table}",${rowJson}]`;
    this.#lines.push(line);
    this.#length += line.length + 1;
  }

  get rowCount(): number {
    return this.#lines.length;
  }

  get isFull(): boolean {
    return this.#length >= FILE_BYTES;
  }

  text(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

/** Writes lines; equal lines give equal bytes. */
export async function writeLines(
  bucket: R2Bucket,
  key: string,
  lines: { readonly text: string; readonly rowCount: number },
): Promise<BackupFile> {
  const raw = utf8Bytes(lines.text);
  const bytes = zstdCompressSync(raw);
  return writeFile(bucket, { key, bytes, rowCount: lines.rowCount, rawBytes: raw.length });
}

/** Writes one file of a backup with what its manifest will say of it as metadata. */
export async function writeFile(
  bucket: R2Bucket,
  { key, bytes, rowCount, rawBytes }: { key: string; bytes: Uint8Array; rowCount: number; rawBytes: number },
): Promise<BackupFile> {
  const sha256 = sha256HexSync(bytes);
  await bucket.put(key, bytes, {
    customMetadata: { hash: sha256, rows: String(rowCount), raw: String(rawBytes) },
    httpMetadata: { contentType: "application/octet-stream" },
  });
  return { key, sha256, size_bytes: bytes.length, row_count: rowCount, raw_bytes: rawBytes };
}

/** The bytes of a file, held against its manifest. */
export async function readFile(bucket: R2Bucket, file: BackupFile): Promise<Result<Uint8Array, BackupFault>> {
  try {
    const object = await bucket.get(file.key);
    if (object === null) return err("missing");
    const bytes = new Uint8Array(await object.arrayBuffer());
    return sha256HexSync(bytes) === file.sha256 ? ok(bytes) : err("damaged");
  } catch {
    return err("storage_unavailable");
  }
}

export interface Line {
  readonly table: string;
  /** JSON text, whose numbers have not gone through JavaScript. */
  readonly json: string;
}

/** The lines of a file. */
export async function readLines(bucket: R2Bucket, file: BackupFile): Promise<Result<readonly Line[], BackupFault>> {
  const bytes = await readFile(bucket, file);
  if (!bytes.ok) return bytes;
  const text = decompressed(bytes.value, file);
  if (text === undefined) return err("unreadable");
  const lines: Line[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, table, json] = /^\["([a-z_]{1,40})",(.*)\]$/.exec(line) ?? [];
    if (table === undefined || json === undefined) return err("unreadable");
    lines.push({ table, json });
  }
  return lines.length === file.row_count ? ok(lines) : err("unreadable");
}

function decompressed(bytes: Uint8Array, { raw_bytes: rawBytes }: BackupFile): string | undefined {
  if (rawBytes > FILE_BYTES_MAX) return undefined;
  try {
    return utf8Text(zstdDecompressSync(bytes, { maxOutputLength: rawBytes + OUTPUT_SLACK_BYTES }));
  } catch {
    return undefined;
  }
}
