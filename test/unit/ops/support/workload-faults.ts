import { EMBEDDER_ROUTES, EMBEDDER_VARIABLES } from "./embedder-source.ts";
import { workloadSchema, type Container, type Workload } from "./kubernetes-manifests.ts";
import type { YamlObject } from "./yaml-documents.ts";

/** What a workload lacks of the rules that every one of ours keeps, one line each; with what its own shape refuses. */
export function workloadFaults(manifest: YamlObject): readonly string[] {
  const parsed = workloadSchema.safeParse(manifest);
  if (!parsed.success) return parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  const { spec } = parsed.data.spec.template;
  return [
    ...spec.containers.flatMap((container) => [...securityFaults(container), ...portFaults(container)]),
    ...(spec.securityContext.runAsNonRoot && spec.securityContext.runAsUser > 0 ? [] : ["runs as root"]),
    ...(spec.securityContext.seccompProfile.type === "RuntimeDefault" ? [] : ["no seccomp profile"]),
    ...(spec.automountServiceAccountToken ? ["carries a token of the cluster"] : []),
    ...selectorFaults(parsed.data),
  ];
}

/** The rules of the embedder beyond those. */
export function embedderFaults(workload: Workload, imagePort: number): readonly string[] {
  const { spec } = workload.spec.template;
  const [container] = spec.containers;
  if (container === undefined) return ["no container"];
  const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe];
  const drainSeconds = Number(container.env.find(({ name }) => name === "EMBED_DRAIN_SECONDS")?.value);
  const preStopSeconds = container.lifecycle?.preStop.sleep.seconds ?? 0;
  return [
    ...probes
      .filter(({ httpGet }) => !EMBEDDER_ROUTES.has(httpGet?.path ?? ""))
      .map(({ httpGet }) => `no route ${httpGet?.path}`),
    ...(container.readinessProbe.httpGet?.path === "/readyz" ? [] : ["readiness is not asked of /readyz"]),
    ...(container.livenessProbe.httpGet?.path === "/livez" ? [] : ["liveness is not asked of /livez"]),
    ...(container.ports.some(({ containerPort }) => containerPort === imagePort) ? [] : ["not the image's port"]),
    ...container.env
      .filter(({ name }) => !EMBEDDER_VARIABLES.has(name))
      .map(({ name }) => `the server reads no ${name}`),
    ...(container.env.find(({ name }) => name === "EMBED_TOKEN")?.valueFrom === undefined
      ? ["the token is no secret"]
      : []),
    ...(spec.terminationGracePeriodSeconds > drainSeconds + preStopSeconds ? [] : ["killed while it drains"]),
  ];
}

/** Paths that the container may write to. */
export function writableMounts(workload: Workload): readonly string[] {
  return workload.spec.template.spec.containers.flatMap(({ volumeMounts }) =>
    volumeMounts.filter(({ readOnly }) => readOnly !== true).map(({ mountPath }) => mountPath),
  );
}

function securityFaults({ securityContext, resources, image }: Container): readonly string[] {
  return [
    ...(securityContext.readOnlyRootFilesystem ? [] : ["the root is writable"]),
    ...(securityContext.allowPrivilegeEscalation ? ["may get more rights"] : []),
    ...(securityContext.capabilities.drop.includes("ALL") ? [] : ["keeps capabilities"]),
    ...(resources.limits["memory"] === undefined ? ["no memory limit"] : []),
    ...(/:\d+\.\d+\.\d+/.test(image) ? [] : [`${image} is no exact version`]),
  ];
}

function portFaults({ ports, startupProbe, readinessProbe, livenessProbe }: Container): readonly string[] {
  const known = new Set<string | number>(ports.flatMap(({ name, containerPort }) => [name, containerPort]));
  return [startupProbe, readinessProbe, livenessProbe].flatMap((probe) => {
    const port = probe.httpGet?.port ?? probe.tcpSocket?.port;
    if (port === undefined) return probe.exec === undefined ? ["a probe asks nothing"] : [];
    return known.has(port) ? [] : [`a probe asks port ${port}, which the container does not have`];
  });
}

function selectorFaults({ spec }: Workload): readonly string[] {
  const labels = spec.template.metadata.labels;
  return Object.entries(spec.selector.matchLabels ?? {})
    .filter(([name, value]) => labels[name] !== value)
    .map(([name]) => `the selector asks for ${name}, which its pods do not have`);
}
