import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { parseYamlDocuments, readYamlDocuments, type YamlObject } from "./yaml-documents.ts";

export const KUBERNETES_FOLDER = "ops/kubernetes";

const labels = z.record(z.string(), z.string());
const selector = z.object({ matchLabels: labels.optional() });
const probe = z.object({
  httpGet: z.object({ path: z.string(), port: z.union([z.string(), z.number()]) }).optional(),
  exec: z.object({ command: z.array(z.string()) }).optional(),
  tcpSocket: z.object({ port: z.union([z.string(), z.number()]) }).optional(),
});

const containerSchema = z.object({
  name: z.string(),
  image: z.string(),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  env: z
    .array(
      z.object({
        name: z.string(),
        value: z.string().optional(),
        valueFrom: z.object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }) }).optional(),
      }),
    )
    .default([]),
  startupProbe: probe,
  readinessProbe: probe,
  livenessProbe: probe,
  resources: z.object({ requests: z.record(z.string(), z.string()), limits: z.record(z.string(), z.string()) }),
  securityContext: z.object({
    allowPrivilegeEscalation: z.boolean(),
    readOnlyRootFilesystem: z.boolean(),
    capabilities: z.object({ drop: z.array(z.string()) }),
  }),
  volumeMounts: z
    .array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() }))
    .default([]),
  lifecycle: z.object({ preStop: z.object({ sleep: z.object({ seconds: z.number() }) }) }).optional(),
});
export type Container = z.infer<typeof containerSchema>;

/** A Deployment or a StatefulSet, as far as the tests ask. */
export const workloadSchema = z.object({
  kind: z.enum(["Deployment", "StatefulSet"]),
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.object({
    replicas: z.number(),
    selector,
    template: z.object({
      metadata: z.object({ labels }),
      spec: z.object({
        automountServiceAccountToken: z.boolean(),
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.object({
          runAsNonRoot: z.boolean(),
          runAsUser: z.number(),
          seccompProfile: z.object({ type: z.string() }),
        }),
        containers: z.array(containerSchema).length(1),
      }),
    }),
  }),
});
export type Workload = z.infer<typeof workloadSchema>;

export const serviceSchema = z.object({
  kind: z.literal("Service"),
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.object({
    type: z.string().optional(),
    selector: labels,
    ports: z.array(z.object({ port: z.number(), targetPort: z.union([z.string(), z.number()]) })),
  }),
});

const peer = z.object({
  namespaceSelector: selector.optional(),
  podSelector: selector.optional(),
  ipBlock: z.object({ cidr: z.string(), except: z.array(z.string()).optional() }).optional(),
});
const rulePorts = z.array(z.object({ port: z.union([z.string(), z.number()]) })).optional();
export const networkPolicySchema = z.object({
  kind: z.literal("NetworkPolicy"),
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.object({
    podSelector: selector,
    policyTypes: z.array(z.string()),
    ingress: z.array(z.object({ from: z.array(peer).optional(), ports: rulePorts })).optional(),
    egress: z.array(z.object({ to: z.array(peer).optional(), ports: rulePorts })).optional(),
  }),
});
export type NetworkPolicy = z.infer<typeof networkPolicySchema>;

export const disruptionBudgetSchema = z.object({
  kind: z.literal("PodDisruptionBudget"),
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.object({ selector }),
});

/** Manifests as they stand in the files: all but the kustomizations. */
export function manifestFiles(): readonly { readonly path: string; readonly manifest: YamlObject }[] {
  return readdirSync(KUBERNETES_FOLDER, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml") && !name.endsWith("kustomization.yaml"))
    .sort()
    .flatMap((name) => readYamlDocuments(join(KUBERNETES_FOLDER, name)).map((manifest) => ({ path: name, manifest })));
}

/** Whether `kubectl kustomize`, which needs no cluster, is on this machine. */
export function hasKubectl(): boolean {
  return spawnSync("kubectl", ["kustomize", "--help"], { stdio: "ignore" }).status === 0;
}

/** What `kubectl apply -k` would send for a folder. */
export function renderedManifests(folder: string): readonly YamlObject[] {
  return parseYamlDocuments(
    execFileSync("kubectl", ["kustomize", join(KUBERNETES_FOLDER, folder)], { encoding: "utf8" }),
  );
}

/** Manifests of one kind. */
export function ofKind<Shape extends z.ZodType<{ kind: string }>>(
  manifests: readonly YamlObject[],
  schema: Shape,
): readonly z.infer<Shape>[] {
  const kinds: readonly unknown[] = ["Deployment", "StatefulSet", "Service", "NetworkPolicy", "PodDisruptionBudget"];
  return manifests
    .filter((manifest) => kinds.includes(manifest["kind"]))
    .flatMap((manifest) => {
      const parsed = schema.safeParse(manifest);
      const isOther = !parsed.success && parsed.error.issues.some((issue) => issue.path[0] === "kind");
      if (isOther) return [];
      if (!parsed.success) throw parsed.error;
      return [parsed.data];
    });
}

/** Whether a selector takes a pod with these labels. An empty selector takes every pod. */
export function selects(
  wanted: { readonly matchLabels?: Readonly<Record<string, string>> | undefined } | undefined,
  podLabels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted?.matchLabels ?? {}).every(([name, value]) => podLabels[name] === value);
}
