import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { MINILM_MANIFEST } from "../../../gpu-embedder/src/model/manifest.ts";
import { configFault, EMBEDDER_ROUTES, EMBEDDER_VARIABLES } from "./support/embedder-source.ts";
import { copiesOf, imageFacts, runsOf, stagesOf, variablesSet, type Stage } from "./support/dockerfile.ts";

const packageSchema = z.object({
  version: z.string(),
  scripts: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});
const readPackage = (path: string): z.infer<typeof packageSchema> =>
  packageSchema.parse(JSON.parse(readFileSync(path, "utf8")));
const NODE_VERSION = readPackage("package.json").devDependencies["node"];
const EMBEDDER_PACKAGE = readPackage("gpu-embedder/package.json");

/** Variables of the system, Node, ONNX Runtime, NVIDIA's container toolkit, the CUDA driver and onnxruntime-node's install script. */
const OUTSIDE_VARIABLES = [
  "NODE_ENV",
  "HOME",
  "ORT_DISABLE_TELEMETRY",
  "NVIDIA_VISIBLE_DEVICES",
  "NVIDIA_DRIVER_CAPABILITIES",
  "CUDA_CACHE_PATH",
  "ONNXRUNTIME_NODE_INSTALL",
];

/** Images that the stages take from outside and that carry no exact version: `name:1.2.3…` with three numbers. */
function looseImages(stages: readonly Stage[]): readonly string[] {
  const names = new Set(stages.map((stage) => stage.name));
  return stages
    .filter(({ base }) => base !== "scratch" && !names.has(base))
    .filter(({ tag }) => tag === undefined || !/^\d+\.\d+\.\d+/.test(tag))
    .map(({ base, tag }) => `${base}:${tag ?? ""}`);
}

function missingSources(stages: readonly Stage[], contextFolder: string): readonly string[] {
  return copiesOf(stages)
    .filter(({ from }) => from === undefined)
    .flatMap(({ sources }) => sources)
    .filter((source) => !existsSync(join(contextFolder, source)));
}

/** What `.dockerignore` lets through: everything is shut out but the lines that begin with `!`. */
function ignoredSources(stages: readonly Stage[], ignoreFile: string): readonly string[] {
  const [first, ...rest] = readFileSync(ignoreFile, "utf8").trim().split("\n");
  expect(first).toBe("*");
  const allowed = new Set(rest.map((line) => line.replace(/^!/, "")));
  const wanted = copiesOf(stages).filter(({ from }) => from === undefined);
  return wanted.flatMap(({ sources }) => sources).filter((source) => !allowed.has(source));
}

const DOCKERFILES = [
  { path: "gpu-embedder/Dockerfile", context: "gpu-embedder", ignore: "gpu-embedder/.dockerignore" },
  { path: "ops/stack.Dockerfile", context: ".", ignore: "ops/stack.Dockerfile.dockerignore" },
];

describe.each(DOCKERFILES)("$path", ({ path, context, ignore }) => {
  const text = readFileSync(path, "utf8");
  const stages = stagesOf(text);

  it("pins every image from outside to an exact version, Node to the one the tests run on", () => {
    expect(looseImages(stages)).toEqual([]);
    const nodes = stages.filter(({ base }) => base === "node");
    expect(nodes.map(({ tag }) => tag)).toEqual([`${NODE_VERSION}-bookworm-slim`]);
  });

  it("copies only what is in the repository and what its ignore file lets through", () => {
    expect(missingSources(stages, context)).toEqual([]);
    expect(ignoredSources(stages, ignore)).toEqual([]);
  });

  it("would be refused with a loose tag, or with a source that is not there", () => {
    expect(looseImages(stagesOf(text.replace(`node:${NODE_VERSION}`, "node:latest")))).toEqual([
      "node:latest-bookworm-slim",
    ]);
    expect(missingSources(stagesOf(`${text}\nCOPY absent.txt ./`), context)).toEqual(["absent.txt"]);
  });
});

describe("the images of the embedding server", () => {
  const text = readFileSync("gpu-embedder/Dockerfile", "utf8");
  const stages = stagesOf(text);
  const targets = ["cpu", "cpu-mounted", "cuda", "cuda-mounted"];

  it.each(targets)("%s runs as a user without rights, is asked for its health and stops on SIGTERM", (target) => {
    const facts = imageFacts(stages, target);
    expect(facts.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(facts.healthCheck?.[0]).toBe("node");
    expect(facts.stopSignal).toBe("SIGTERM");
    expect(facts.entrypoint).toBe('["node", "src/main.ts"]');
    expect(facts.labels["org.opencontainers.image.version"]).toBe(EMBEDDER_PACKAGE.version);
    expect(facts.labels["org.opencontainers.image.base.name"]).toMatch(new RegExp(`/${facts.rootImage}$`));
  });

  it.each(targets)("%s starts with a configuration that the server takes", (target) => {
    const { env } = imageFacts(stages, target);
    expect(configFault(env)).toBe("");
    expect(env).toMatchObject({ HOST: "0.0.0.0", PORT: "8080", NODE_ENV: "production" });
  });

  it("would be refused with a value that the server does not take", () => {
    expect(configFault({ ...imageFacts(stages, "cpu").env, PORT: "http" })).toContain("PORT");
  });

  it.each(targets)("%s tells nobody outside what it runs", (target) => {
    expect(imageFacts(stages, target).env["ORT_DISABLE_TELEMETRY"]).toBe("1");
  });

  it("asks for CUDA 12 with cuDNN, and ends where there is none", () => {
    for (const target of ["cuda", "cuda-mounted"]) {
      const { env, rootImage } = imageFacts(stages, target);
      expect(rootImage).toMatch(/^nvidia\/cuda:12\.\d+\.\d+-cudnn-runtime-ubuntu22\.04$/);
      expect(env["REQUIRE_CUDA"]).toBe("1");
    }
    expect(imageFacts(stages, "cpu").env["REQUIRE_CUDA"]).toBeUndefined();
    expect(imageFacts(stages, "packages-cuda").env["ONNXRUNTIME_NODE_INSTALL"]).toBe("cuda12");
  });

  it("names no variable that the server does not read", () => {
    const unknown = [...variablesSet(stages)].filter(
      (name) => !EMBEDDER_VARIABLES.has(name) && !OUTSIDE_VARIABLES.includes(name),
    );
    expect(unknown).toEqual([]);
  });

  it("runs only scripts that the package has, and leaves development packages out", () => {
    const scripts = runsOf(stages).flatMap((run) =>
      [...run.matchAll(/npm run ([\w:-]+)/g)].map(([, name = ""]) => name),
    );
    expect(new Set(scripts)).toEqual(new Set(["model", "build-graph"]));
    for (const name of scripts) expect(EMBEDDER_PACKAGE.scripts).toHaveProperty(name);
    for (const run of runsOf(stages).filter((line) => line.includes("npm ci"))) expect(run).toContain("--omit=dev");
  });

  it("builds ahead the graph that each provider takes by itself", () => {
    const built = (name: string): readonly string[] => runsOf(stages.filter((stage) => stage.name === name));
    expect(built("model-cpu")).toEqual(["npm run build-graph -- int8"]);
    expect(built("model-cuda")).toEqual(["npm run build-graph -- fp16"]);
    for (const target of targets) expect(imageFacts(stages, target).env["EMBED_PRECISION"]).toBeUndefined();
  });

  it.each(["cpu", "cuda"])("%s says which weights are inside, as the server pins them", (target) => {
    const { labels } = imageFacts(stages, target);
    const sha256Of = (path: string): string | undefined =>
      MINILM_MANIFEST.files.find((file) => file.path === path)?.sha256;
    expect(labels).toMatchObject({
      "dev.jeeves.model.id": MINILM_MANIFEST.modelId,
      "dev.jeeves.model.revision": MINILM_MANIFEST.revision,
      "dev.jeeves.model.weights.sha256": sha256Of("model.safetensors"),
      "dev.jeeves.model.tokenizer.sha256": sha256Of("tokenizer.json"),
      "dev.jeeves.model.licence": "Apache-2.0",
    });
    expect(
      Object.keys(imageFacts(stages, `${target}-mounted`).labels).filter((name) => name.includes("model")),
    ).toEqual([]);
  });

  it("would be refused with a user left out", () => {
    expect(imageFacts(stagesOf(text.replaceAll(/^USER .*$/gm, "")), "cpu").user).toBeUndefined();
  });
});

describe("the health check of the images", () => {
  const check = imageFacts(stagesOf(readFileSync("gpu-embedder/Dockerfile", "utf8")), "cpu").healthCheck ?? [];
  const stops: (() => void)[] = [];
  afterEach(() => stops.splice(0).forEach((stop) => stop()));

  /** Exit code of the check against a server that answers every request with a status, on the port that it is told. */
  async function exitCode(status: number): Promise<{ code: number; paths: readonly string[] }> {
    const paths: string[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url ?? "");
      response.writeHead(status).end();
    });
    stops.push(() => server.close());
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    return { code: await runCheck(port), paths };
  }

  async function runCheck(port: number): Promise<number> {
    const run = promisify(execFile)(process.execPath, check.slice(1), { env: { PORT: String(port) } });
    return run.then(
      () => 0,
      (cause: unknown) => (typeof cause === "object" && cause !== null && "code" in cause ? Number(cause.code) : -1),
    );
  }

  it("passes when the server is ready and fails when it is not, by a route that the server has", async () => {
    const ready = await exitCode(200);
    expect(ready).toEqual({ code: 0, paths: ["/readyz"] });
    expect(EMBEDDER_ROUTES).toContain("/readyz");
    expect((await exitCode(503)).code).toBe(1);
  });

  it("fails when nothing listens", async () => {
    const { code } = await exitCode(200);
    expect(code).toBe(0);
    stops.splice(0).forEach((stop) => stop());
    expect(await runCheck(1)).toBe(1);
  });
});
