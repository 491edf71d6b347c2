import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { composeDocument, composeFaults, composeFile, networksOf, secondsOf } from "./support/compose-file.ts";
import { EMBEDDER_VARIABLES } from "./support/embedder-source.ts";
import { imageFacts, stagesOf } from "./support/dockerfile.ts";

const text = readFileSync("ops/compose.yaml", "utf8");
const SECRETS = { EMBED_TOKEN: "t", POSTGRES_PASSWORD: "p", JEEVES_APP_PASSWORD: "a" };
const compose = composeFile(text, SECRETS);
const services = Object.entries(compose.services);

/** The text with one line changed, as a person could get it wrong. Throws where the line is not there. */
function changed(from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`there is no "${from}" in ops/compose.yaml`);
  return text.replace(from, to);
}

describe("ops/compose.yaml", () => {
  it("keeps to the published schema of the Compose specification", () => {
    expect(composeFaults(composeDocument(text, SECRETS))).toEqual([]);
  });

  it.each([
    ["an unknown field", "read_only: true", "readonly: true"],
    ["a wrong type", "cap_drop: [ALL]", "cap_drop: ALL"],
    ["an unknown condition", "condition: service_healthy, required: false", "condition: healthy, required: false"],
    ["a device without its capabilities", ", capabilities: [gpu]", ""],
  ])("would be refused with %s", (_, from, to) => {
    expect(composeFaults(composeDocument(changed(from, to), SECRETS))).not.toEqual([]);
  });

  it("would be refused with a key twice", () => {
    expect(() => composeDocument(changed("networks: [store]", "networks: [store]\n    user: root"), SECRETS)).toThrow(
      /unique/,
    );
  });

  it("does not start without its secrets", () => {
    for (const name of Object.keys(SECRETS)) {
      expect(() => composeDocument(text, { ...SECRETS, [name]: "" })).toThrow(name);
    }
  });

  it("names every image by an exact version", () => {
    for (const [, { image }] of services) expect(image).toMatch(/:v?\d+\.\d+\.\d+/);
  });

  it.each(services)("%s has a read-only root, no capabilities and no way to get more", (_, service) => {
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(["ALL"]);
    expect(service.security_opt).toEqual(["no-new-privileges:true"]);
  });

  it("keeps embedder, Postgres and Prometheus on networks that have no way out, and opens two ports, on this machine only", () => {
    for (const name of ["embedder-cpu", "embedder-gpu", "postgres", "prometheus"]) {
      const service = compose.services[name];
      expect(service).toBeDefined();
      if (service === undefined) continue;
      expect(service.ports).toBeUndefined();
      for (const network of networksOf(service)) expect(compose.networks[network]?.internal, network).toBe(true);
    }
    const open = services.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
    expect(open).toEqual(["stack 127.0.0.1:8787:8787", "grafana 127.0.0.1:3000:3000"]);
  });

  it("points the Worker at the embedder of either profile, or at another one by environment", () => {
    const endpoint = (variables: Readonly<Record<string, string>>): string | undefined =>
      composeFile(text, { ...SECRETS, ...variables }).services["stack"]?.environment?.["EMBED_ENDPOINT"];
    expect(endpoint({})).toBe("http://embedder:8080");
    expect(endpoint({ EMBED_ENDPOINT: "https://embed.example.com" })).toBe("https://embed.example.com");
    for (const name of ["embedder-cpu", "embedder-gpu"]) {
      expect(compose.services[name]?.networks).toEqual({ embedding: { aliases: ["embedder"] } });
    }
    expect(compose.services["embedder-cpu"]?.profiles).toEqual(["cpu"]);
    expect(compose.services["embedder-gpu"]?.profiles).toEqual(["gpu"]);
  });

  it("reserves an NVIDIA GPU for the GPU profile and refuses to run without it", () => {
    const gpu = compose.services["embedder-gpu"];
    expect(gpu?.deploy?.resources.reservations?.devices).toMatchObject([{ driver: "nvidia", capabilities: ["gpu"] }]);
    expect(gpu?.environment?.["REQUIRE_CUDA"]).toBe("1");
    expect(compose.services["embedder-cpu"]?.deploy?.resources.reservations).toBeUndefined();
  });

  it("builds targets that the Dockerfiles have, each with a health check", () => {
    const builds = services.flatMap(([name, { build, healthcheck }]) =>
      build === undefined ? [] : [{ name, build, healthcheck }],
    );
    expect(builds.map(({ name }) => name)).toEqual(["embedder-cpu", "embedder-gpu", "stack"]);
    for (const { build } of builds) {
      const context = join("ops", build.context);
      const path = join(context, build.dockerfile ?? "Dockerfile");
      expect(existsSync(path), path).toBe(true);
      const stages = stagesOf(readFileSync(path, "utf8"));
      expect(imageFacts(stages, build.target ?? stages.at(-1)?.name ?? "").healthCheck).toBeDefined();
    }
    for (const name of ["postgres", "tunnel", "prometheus", "grafana"])
      expect(compose.services[name]?.healthcheck?.test[0]).toBe("CMD");
  });

  it("gives the embedder no variable that it does not read, and waits longer than it drains", () => {
    for (const name of ["embedder-cpu", "embedder-gpu"]) {
      const service = compose.services[name];
      const { EMBED_DRAIN_SECONDS = "", ...rest } = service?.environment ?? {};
      expect(Object.keys(rest).filter((variable) => !EMBEDDER_VARIABLES.has(variable))).toEqual([]);
      expect(secondsOf(service?.stop_grace_period ?? "")).toBeGreaterThan(Number(EMBED_DRAIN_SECONDS));
    }
  });

  it("mounts files that are there, read-only", () => {
    const files = services.flatMap(([, { volumes = [] }]) => volumes.filter((volume) => volume.startsWith(".")));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const [source = "", , mode] = file.split(":");
      expect(existsSync(join("ops", source)), source).toBe(true);
      expect(mode).toBe("ro");
    }
  });
});
