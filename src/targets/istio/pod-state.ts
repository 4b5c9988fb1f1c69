import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { PodPlace } from "../../kubernetes/pod-reach.ts";

interface PodStatus {
  readonly phase?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/** Its processes may be there, whatever they answer, until it is gone. */
export function isPodRunning(pod: KubeObject): boolean {
  return ((pod["status"] ?? {}) as PodStatus).phase === "Running";
}

/** Running, Ready and not on its way out: one that takes traffic now (Kubernetes, "Pod Lifecycle"). */
export function isPodReady(pod: KubeObject): boolean {
  const { phase, conditions = [] } = (pod["status"] ?? {}) as PodStatus;
  return (
    pod.metadata.deletionTimestamp === undefined &&
    phase === "Running" &&
    conditions.some(({ type, status }) => type === "Ready" && status === "True")
  );
}

/** As istiod calls its proxy. */
export function proxyIdOf({ namespace, name }: PodPlace["pod"]): string {
  return `${name}.${namespace}`;
}

/** Names of namespaces hold no dot, names of pods may. Undefined for a proxy that is no pod's. */
export function podOf(proxyId: string): PodPlace["pod"] | undefined {
  const dot = proxyId.lastIndexOf(".");
  return dot < 1 ? undefined : { name: proxyId.slice(0, dot), namespace: proxyId.slice(dot + 1) };
}
