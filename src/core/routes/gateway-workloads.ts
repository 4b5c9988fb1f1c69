import type { GatewayManifest } from "../manifest/manifest.ts";
import { rootNamespace } from "../mesh/host-name.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { RouteClient } from "./route-client.ts";

type Labels = Readonly<Record<string, string>>;

/** Pods that play a set of Gateways; here one local Envoy plays all of them. */
export interface GatewayWorkload extends RouteClient {
  readonly kind: "gateway";
  /** The labels that select it, as `key=value,key=value` in key order; `*` where no Gateway selects by label. */
  readonly id: string;
  /** In Istio's order. */
  readonly gateways: readonly GatewayManifest[];
}

/**
 * The workloads that the Gateways of a mesh ask for. A Gateway belongs to every workload whose labels contain its
 * selector, so only the largest selectors stand for workloads of their own. Where a Deployment in the manifests has
 * the labels, its namespace and all its labels count; otherwise the workload is taken to live in `istio-system`.
 * Source: Istio `pilot/pkg/model/push_context.go`, mergeGateways.
 */
export function findGatewayWorkloads(mesh: Pick<Mesh, "gateways" | "workloads">): readonly GatewayWorkload[] {
  const candidates = new Map<string, { selector: Labels; labels: Labels; namespace: string }>();
  for (const gateway of mesh.gateways) {
    const candidate = locate(gateway.spec.selector, mesh);
    candidates.set(renderLabels(candidate.selector), candidate);
  }
  const all = [...candidates.entries()];
  return all
    .filter(([id, { selector }]) => !all.some(([other, { labels }]) => other !== id && isSubset(selector, labels)))
    .map(([id, { labels, namespace }]) => ({
      kind: "gateway" as const,
      id,
      labels,
      namespace,
      gateways: mesh.gateways.filter((gateway) => isSubset(gateway.spec.selector, labels)),
    }));
}

function locate(
  selector: Labels,
  mesh: Pick<Mesh, "gateways" | "workloads">,
): { selector: Labels; labels: Labels; namespace: string } {
  const isAnything = Object.keys(selector).length === 0;
  const pods = isAnything ? undefined : mesh.workloads.find((item) => isSubset(selector, item.spec.podLabels));
  if (pods === undefined) {
    return { selector, labels: selector, namespace: rootNamespace };
  }
  const labels = pods.spec.podLabels;
  const merged: Record<string, string> = {};
  for (const gateway of mesh.gateways) {
    if (isSubset(gateway.spec.selector, labels)) {
      Object.assign(merged, gateway.spec.selector);
    }
  }
  return { selector: merged, labels, namespace: pods.metadata.namespace };
}

/** True when every label of `inner` is in `outer` with the same value. */
export function isSubset(inner: Labels, outer: Labels): boolean {
  return Object.entries(inner).every(([key, value]) => Object.hasOwn(outer, key) && outer[key] === value);
}

function renderLabels(labels: Labels): string {
  const parts = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return parts.length === 0 ? "*" : parts.toSorted().join(",");
}
