import type { KubeObject } from "./kube-client.ts";

interface RoutesSpec {
  readonly http?: readonly {
    readonly name?: string;
    readonly route?: readonly WrittenArm[];
  }[];
}

interface WrittenArm {
  readonly destination: { readonly subset?: string };
  readonly weight?: number;
}

/**
 * The shares that a VirtualService gives the subsets of one rule. An only destination gets everything, and of several one
 * without a weight gets nothing (Istio, HTTPRouteDestination: weight).
 */
export function writtenWeights(object: KubeObject, rule: string): Readonly<Record<string, number>> {
  const { spec } = object as KubeObject & { readonly spec?: RoutesSpec };
  const arms = spec?.http?.find(({ name }) => name === rule)?.route ?? [];
  return Object.fromEntries(
    arms.map(({ destination, weight = 0 }) => [destination.subset ?? "", arms.length === 1 ? 100 : weight]),
  );
}
