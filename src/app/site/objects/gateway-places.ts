import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import { KubeError } from "../../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";

/** Namespaces of the Gateways that VirtualServices name as `namespace/name`; those of their own are left out. */
export function gatewayPlaces(virtualServices: readonly KubeObject[]): readonly string[] {
  const found = new Set<string>();
  for (const { spec, metadata } of virtualServices) {
    for (const name of namedGateways(spec)) {
      const [place = "", rest] = name.split("/");
      if (rest !== undefined && place !== "." && place !== metadata.namespace) found.add(place);
    }
  }
  return [...found].toSorted();
}

/**
 * The same for the VirtualServices of a namespace as it is now. None where they may not be read, which is a finding of
 * its own.
 */
export async function findGatewayPlaces(api: KubeApi, namespace: string | undefined): Promise<readonly string[]> {
  if (namespace === undefined) return [];
  try {
    const { items } = await api.list(kubeKinds.virtualService, { namespace });
    return gatewayPlaces(items);
  } catch (error) {
    if (error instanceof KubeError) return [];
    throw error;
  }
}

function namedGateways(spec: unknown): readonly string[] {
  if (typeof spec !== "object" || spec === null || !("gateways" in spec) || !Array.isArray(spec.gateways)) return [];
  return spec.gateways.filter((name): name is string => typeof name === "string");
}
