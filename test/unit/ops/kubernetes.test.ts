import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { imageFacts, stagesOf } from "./support/dockerfile.ts";
import {
  disruptionBudgetSchema,
  hasKubectl,
  manifestFiles,
  networkPolicySchema,
  ofKind,
  renderedManifests,
  selects,
  serviceSchema,
  workloadSchema,
  type NetworkPolicy,
  type Workload,
} from "./support/kubernetes-manifests.ts";
import { kubernetesSchemaFolder, manifestValidator } from "./support/kubernetes-schemas.ts";
import { canReach, type Pod } from "./support/network-reach.ts";
import { embedderFaults, workloadFaults, writableMounts } from "./support/workload-faults.ts";
import { parseYamlDocuments, type YamlObject } from "./support/yaml-documents.ts";

const schemas = await kubernetesSchemaFolder();
if (!schemas.ok) console.warn(`SKIPPED: manifests against the schemas of Kubernetes: ${schemas.error}`);
const canRender = hasKubectl();
if (!canRender) console.warn("SKIPPED: the rendered manifests: kubectl is not on this machine");

const FOLDERS = ["cpu", "gpu", "gateway", "postgres"];
const deploymentText = readFileSync("ops/kubernetes/base/embedder-deployment.yaml", "utf8");

/** The embedder's Deployment with one line changed, as a person could get it wrong. */
function changedDeployment(from: string, to: string): YamlObject {
  if (!deploymentText.includes(from)) throw new Error(`there is no "${from}" in the Deployment`);
  const [document] = parseYamlDocuments(deploymentText.replace(from, to));
  if (document === undefined) throw new Error("no document");
  return { ...document, metadata: { name: "embedder", namespace: "jeeves" } };
}

describe.skipIf(!schemas.ok)("the manifests, against the strict schemas of Kubernetes 1.37", () => {
  const faultsOf = schemas.ok ? manifestValidator(schemas.value) : (): readonly string[] => [];

  it("hold as they stand in the files", () => {
    const files = manifestFiles();
    expect(files.length).toBeGreaterThan(10);
    expect(files.flatMap(({ path, manifest }) => faultsOf(manifest).map((fault) => `${path}: ${fault}`))).toEqual([]);
  });

  it.runIf(canRender).each(FOLDERS)("hold as kubectl kustomize renders %s", (folder) => {
    expect(renderedManifests(folder).flatMap(faultsOf)).toEqual([]);
  });

  it.each([
    ["an unknown field", "automountServiceAccountToken: false", "automountServiceToken: false"],
    ["a wrong type", "terminationGracePeriodSeconds: 45", "terminationGracePeriodSeconds: 45s"],
    ["a probe of two words", "httpGet: { path: /livez, port: http }", "httpGet: { path: /livez }"],
    ["no selector", "  selector:\n    matchLabels: { app.kubernetes.io/name: embedder }\n", ""],
  ])("would be refused with %s", (_, from, to) => {
    expect(faultsOf(changedDeployment(from, to))).not.toEqual([]);
  });
});

describe("the rules of every workload", () => {
  it.each([
    ["a removed probe", /          livenessProbe:\n(?: {12}.*\n)+/, ""],
    ["a probe of a port that is not there", "path: /livez, port: http", "path: /livez, port: metrics"],
    ["a writable root", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"],
    ["a user who may be root", "runAsNonRoot: true", "runAsNonRoot: false"],
    ["capabilities", "drop: [ALL]", "drop: [NET_RAW]"],
    ["an image without a version", "gpu-embedder:0.1.0-cpu", "gpu-embedder:latest"],
    [
      "labels that its selector does not find",
      "      labels: { app.kubernetes.io/name: embedder }",
      "      labels: { app.kubernetes.io/name: embed }",
    ],
  ])("refuse %s", (_, from, to) => {
    const text = deploymentText.replace(from, to);
    expect(text).not.toBe(deploymentText);
    const [document = {}] = parseYamlDocuments(text);
    expect(workloadFaults({ ...document, metadata: { name: "embedder", namespace: "jeeves" } })).not.toEqual([]);
  });

  it.each([
    ["a route that the server does not have", "path: /livez", "path: /alive"],
    ["a variable that it does not read", "name: EMBED_DRAIN_SECONDS", "name: EMBED_DRAIN_SECS"],
    [
      "a token in plain text",
      "            - name: EMBED_TOKEN\n              valueFrom:\n                secretKeyRef: { name: embedder-token, key: token }",
      "            - { name: EMBED_TOKEN, value: secret }",
    ],
    ["less time than it drains", "terminationGracePeriodSeconds: 45", "terminationGracePeriodSeconds: 35"],
    ["another port than the image's", "containerPort: 8080", "containerPort: 8081"],
  ])("refuse an embedder with %s", (_, from, to) => {
    expect(embedderFaults(workloadSchema.parse(changedDeployment(from, to)), 8080)).not.toEqual([]);
  });
});

describe.skipIf(!canRender)("the manifests as kubectl kustomize renders them", () => {
  const rendered = new Map<string, readonly YamlObject[]>();
  let policies: readonly NetworkPolicy[] = [];
  const manifestsOf = (folder: string): readonly YamlObject[] => rendered.get(folder) ?? [];
  const workloadOf = (folder: string): Workload => {
    const [workload] = ofKind(manifestsOf(folder), workloadSchema);
    if (workload === undefined) throw new Error(`${folder} has no workload`);
    return workload;
  };
  const podOf = (folder: string): Pod => {
    const { metadata, spec } = workloadOf(folder);
    const ports = spec.template.spec.containers.flatMap((container) => container.ports);
    return { namespace: metadata.namespace, labels: spec.template.metadata.labels, ports };
  };

  beforeAll(() => {
    for (const folder of FOLDERS) rendered.set(folder, renderedManifests(folder));
    policies = ["cpu", "gateway", "postgres"].flatMap((folder) => ofKind(manifestsOf(folder), networkPolicySchema));
  });

  it.each(FOLDERS)("%s keeps the rules of every workload", (folder) => {
    const workloads = manifestsOf(folder).filter(({ kind }) => kind === "Deployment" || kind === "StatefulSet");
    expect(workloads).toHaveLength(1);
    expect(workloads.flatMap(workloadFaults)).toEqual([]);
  });

  it.each([
    { folder: "cpu", target: "cpu", writes: [] },
    { folder: "gpu", target: "cuda", writes: ["/tmp"] },
  ])(
    "$folder runs the $target image: probes, port, variables, token, drain and what is written",
    ({ folder, target, writes }) => {
      const workload = workloadOf(folder);
      const facts = imageFacts(stagesOf(readFileSync("gpu-embedder/Dockerfile", "utf8")), target);
      expect(embedderFaults(workload, Number(facts.env["PORT"]))).toEqual([]);
      expect(workload.spec.template.spec.containers[0]?.image).toBe(`jeeves/gpu-embedder:0.1.0-${target}`);
      expect(writableMounts(workload)).toEqual(writes);
      expect(String(workload.spec.template.spec.securityContext.runAsUser)).toBe(facts.user?.split(":")[0]);
      expect(workload.spec.template.spec.containers[0]?.livenessProbe).not.toEqual(
        workload.spec.template.spec.containers[0]?.readinessProbe,
      );
    },
  );

  it("asks for a GPU in the variant for one, refuses to run without it, and asks for none in the other", () => {
    const [gpu, cpu] = ["gpu", "cpu"].map((folder) => workloadOf(folder).spec.template.spec.containers[0]);
    expect(gpu?.resources.limits["nvidia.com/gpu"]).toBe("1");
    expect(gpu?.resources.requests["nvidia.com/gpu"]).toBe("1");
    expect(gpu?.env).toContainEqual({ name: "REQUIRE_CUDA", value: "1" });
    expect(cpu?.resources.limits["nvidia.com/gpu"]).toBeUndefined();
  });

  it("keeps the driver's cache where the GPU variant may write", () => {
    const { env } = imageFacts(stagesOf(readFileSync("gpu-embedder/Dockerfile", "utf8")), "cuda");
    expect(writableMounts(workloadOf("gpu")).some((path) => env["CUDA_CACHE_PATH"]?.startsWith(`${path}/`))).toBe(true);
  });

  it.each(["cpu", "gpu", "postgres"])(
    "%s has a Service in the cluster that finds its pods and their port",
    (folder) => {
      const [service] = ofKind(manifestsOf(folder), serviceSchema);
      const pod = podOf(folder);
      expect(selects({ matchLabels: service?.spec.selector ?? {} }, pod.labels)).toBe(true);
      expect(pod.ports?.map(({ name }) => name)).toContain(service?.spec.ports[0]?.targetPort);
      expect([undefined, "ClusterIP"]).toContain(service?.spec.type);
    },
  );

  it.each(["cpu", "gpu", "gateway"])("%s has a disruption budget for its pods", (folder) => {
    const [budget] = ofKind(manifestsOf(folder), disruptionBudgetSchema);
    expect(budget).toBeDefined();
    expect(selects(budget?.spec.selector, podOf(folder).labels)).toBe(true);
  });

  it("lets the ingest gateway, and nothing else, reach embedder and Postgres", () => {
    const [gateway, embedder, postgres] = [podOf("gateway"), podOf("cpu"), podOf("postgres")];
    const others: readonly Pod[] = [
      { namespace: "default", labels: gateway.labels },
      { namespace: "jeeves-ingest", labels: { app: "other" } },
      { namespace: "jeeves", labels: { app: "other" } },
      { namespace: "jeeves", labels: gateway.labels },
    ];
    expect(canReach(policies, gateway, embedder, 8080)).toBe(true);
    expect(canReach(policies, gateway, postgres, 5432)).toBe(true);
    for (const other of [...others, postgres]) expect(canReach(policies, other, embedder, 8080)).toBe(false);
    for (const other of [...others, embedder]) expect(canReach(policies, other, postgres, 5432)).toBe(false);
    expect(canReach(policies, gateway, embedder, 22)).toBe(false);
    expect(canReach(policies, embedder, { namespace: "default", labels: {} }, 443)).toBe(false);
  });

  it("would see a namespace without its default policy, and a policy whose selector finds nobody", () => {
    const [gateway, embedder] = [podOf("gateway"), podOf("cpu")];
    const stranger: Pod = { namespace: "default", labels: {} };
    const renamed = policies.map((policy) =>
      policy.metadata.name === "embedder-from-ingest-gateway"
        ? { ...policy, spec: { ...policy.spec, podSelector: { matchLabels: { app: "embed" } } } }
        : policy,
    );
    expect(canReach(renamed, gateway, embedder, 8080)).toBe(false);
    const withoutAny = policies.filter(({ metadata }) => metadata.namespace !== "jeeves");
    expect(canReach(withoutAny, stranger, embedder, 8080)).toBe(true);
  });
});
