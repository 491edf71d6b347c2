/** A Prometheus of the system's own package with the project's configuration and rules, every second instead of every quarter of a minute. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { z } from "zod";

const FOLDER = fileURLToPath(new URL("../../../ops/prometheus/", import.meta.url));
const RULE_FILES = ["recording.yml", "alerts.yml"];
const EVERY = "1s";

export interface PrometheusServer {
  readonly url: string;
  /** Series that an expression has now, with their values. Rejects when Prometheus refuses it. */
  query(expr: string): Promise<readonly number[]>;
  get(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

const queryReplySchema = z.object({
  status: z.literal("success"),
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});

const configSchema = z.looseObject({
  global: z.looseObject({}),
  scrape_configs: z.array(z.looseObject({ job_name: z.string() })),
});

export interface Target {
  /** host:port */
  readonly address: string;
  readonly token: string;
}

export async function startPrometheus(targets: Readonly<Record<string, Target>>): Promise<PrometheusServer> {
  const folder = await mkdtemp(join(tmpdir(), "jeeves-prometheus-"));
  await writeConfiguration(folder, targets);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const process = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
    ],
    { stdio: "ignore" },
  );
  const ended = new Promise<void>((resolve) => process.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    process.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const get = async (path: string): Promise<unknown> => (await fetch(`${url}${path}`)).json();
  try {
    await untilReady(url);
  } catch (cause) {
    await stop();
    throw cause;
  }
  return {
    url,
    get,
    stop,
    query: async (expr) => {
      const reply = await get(`/api/v1/query?query=${encodeURIComponent(expr)}`);
      return queryReplySchema.parse(reply).data.result.map(({ value: [, text] }) => Number(text));
    },
  };
}

/** The project's own files; what differs is where the targets are, and how often they are asked. */
async function writeConfiguration(folder: string, targets: Readonly<Record<string, Target>>): Promise<void> {
  const config = configSchema.parse(parse(await readFile(join(FOLDER, "prometheus.yml"), "utf8")));
  const scrapes = config.scrape_configs.map(async (scrape) => {
    const target = targets[scrape.job_name];
    if (target === undefined) throw new Error(`the test has no target for ${scrape.job_name}`);
    const tokenFile = join(folder, `${scrape.job_name}-token`);
    await writeFile(tokenFile, target.token);
    return {
      ...scrape,
      authorization: { credentials_file: tokenFile },
      static_configs: [{ targets: [target.address] }],
      scrape_timeout: EVERY,
    };
  });
  for (const name of RULE_FILES) {
    const rules = await readFile(join(FOLDER, "rules", name), "utf8");
    await writeFile(join(folder, name), rules.replaceAll(/^( +interval: ).*$/gm, `$1${EVERY}`));
  }
  const own = {
    ...config,
    global: { ...config.global, scrape_interval: EVERY, evaluation_interval: EVERY },
    rule_files: RULE_FILES.map((name) => join(folder, name)),
    scrape_configs: await Promise.all(scrapes),
  };
  await writeFile(join(folder, "prometheus.yml"), stringify(own));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const READY_MS_MAX = 30_000;

async function untilReady(url: string): Promise<void> {
  const deadlineMs = Date.now() + READY_MS_MAX;
  while (Date.now() < deadlineMs) {
    const response = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (response?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("Prometheus is not ready");
}
