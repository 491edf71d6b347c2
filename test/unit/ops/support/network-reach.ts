import { selects, type NetworkPolicy } from "./kubernetes-manifests.ts";

/** A pod as network policies see it. */
export interface Pod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
}

type Peer = NonNullable<NonNullable<NetworkPolicy["spec"]["ingress"]>[number]["from"]>[number];
type Ports = NonNullable<NetworkPolicy["spec"]["ingress"]>[number]["ports"];

interface Connection {
  readonly from: Pod;
  readonly to: Pod;
  readonly port: number;
}

/**
 * Whether the policies let a connection through, by the rules of networking.k8s.io/v1: a direction that no policy selects is open,
 * any other one needs a rule that allows it, and both directions have to agree.
 */
export function canReach(policies: readonly NetworkPolicy[], from: Pod, to: Pod, port: number): boolean {
  const connection = { from, to, port };
  return allows(policies, "Egress", connection) && allows(policies, "Ingress", connection);
}

function allows(
  policies: readonly NetworkPolicy[],
  direction: "Ingress" | "Egress",
  { from, to, port }: Connection,
): boolean {
  const [subject, other] = direction === "Egress" ? [from, to] : [to, from];
  const selecting = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === subject.namespace &&
      spec.policyTypes.includes(direction) &&
      selects(spec.podSelector, subject.labels),
  );
  if (selecting.length === 0) return true;
  const rules = selecting.flatMap(({ spec }) =>
    direction === "Ingress"
      ? (spec.ingress ?? []).map((rule) => ({ peers: rule.from, ports: rule.ports }))
      : (spec.egress ?? []).map((rule) => ({ peers: rule.to, ports: rule.ports })),
  );
  return rules.some(
    ({ peers, ports }) =>
      (peers === undefined || peers.some((peer) => isPeer(peer, other, subject.namespace))) && hasPort(ports, port, to),
  );
}

/** A peer of addresses stands for the world outside: pods have private ones, which it leaves out. */
function isPeer(peer: Peer, pod: Pod, ownNamespace: string): boolean {
  if (peer.ipBlock !== undefined) return false;
  const isNamespace =
    peer.namespaceSelector === undefined
      ? pod.namespace === ownNamespace
      : selects(peer.namespaceSelector, { "kubernetes.io/metadata.name": pod.namespace });
  return isNamespace && selects(peer.podSelector, pod.labels);
}

function hasPort(ports: Ports, port: number, server: Pod): boolean {
  if (ports === undefined) return true;
  return ports.some(
    (allowed) =>
      allowed.port === port ||
      server.ports?.some(({ name, containerPort }) => name === allowed.port && containerPort === port),
  );
}
