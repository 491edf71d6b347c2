/** The server's own client: COPY has no way through the `/sql` endpoint. */
import { spawn } from "node:child_process";

/** Runs one statement, `input` as its data. Rejects with the last of what psql said. */
export async function runPsql(
  { psqlPath, url }: { readonly psqlPath: string; readonly url: string },
  statement: string,
  input: Uint8Array,
): Promise<void> {
  const child = spawn(psqlPath, ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", statement, url], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (part: string) => {
    said = (said + part).slice(-2000);
  });
  // A server that refuses closes the pipe first; what it said is the error that counts.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (exitCode !== 0) throw new Error(`psql ended with ${exitCode}: ${said.trim()}`);
}
