import type { SidecarManifest, VirtualServiceManifest } from "../manifest/manifest.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { findCallers, type MeshCaller } from "../mesh/sidecar-injection.ts";
import { findSidecar } from "../mesh/sidecar-scope.ts";
import { isSubset } from "./gateway-workloads.ts";
import { hashText } from "./hash-text.ts";
import { localityOf } from "./route-client.ts";
import { gatewaysOf } from "./virtual-service-binding.ts";

type Labels = Readonly<Record<string, string>>;

/** Workloads with a sidecar for which the whole mesh looks the same, so that its routing is built once for all. */
export interface OutboundView {
  /**
   * The namespace, with a hash behind it for workloads that a rule or a Sidecar singles out by their labels: nothing
   * else that is saved gives a workload another view, because addresses on this machine are named after it.
   */
  readonly id: string;
  readonly namespace: string;
  /** Of one member: each gives the same answer to every condition in the mesh. */
  readonly labels: Labels;
  readonly sidecar: SidecarManifest | undefined;
  /** By name; never empty. */
  readonly members: readonly MeshCaller[];
}

/** The views of all workloads with a sidecar, by id. */
export function groupOutboundViews(mesh: Mesh): readonly OutboundView[] {
  const conditions = labelConditions(mesh);
  const views = new Map<string, OutboundView & { readonly members: MeshCaller[] }>();
  for (const caller of findCallers(mesh).values()) {
    if (!caller.injection.isInjected) continue;
    const { namespace, labels } = caller;
    const sidecar = findSidecar(mesh, caller);
    const locality = localityOf(labels);
    const singledOut = [
      ...(locality === undefined ? [] : [JSON.stringify(locality)]),
      ...(sidecar?.spec.workloadSelector === undefined ? [] : [`Sidecar ${sidecar.metadata.name}`]),
      ...[...conditions].filter(([, condition]) => isSubset(condition, labels)).map(([key]) => key),
    ];
    const id = singledOut.length === 0 ? namespace : `${namespace}~${hashText(singledOut.join("\n"))}`;
    const known = views.get(id);
    if (known === undefined) views.set(id, { id, namespace, labels, sidecar, members: [caller] });
    else known.members.push(caller);
  }
  return [...views.values()].toSorted((left, right) => (left.id < right.id ? -1 : 1));
}

/**
 * Every set of labels that the mesh asks its callers for, by a text that tells them apart: `sourceLabels` of rules for
 * callers inside the mesh, and `workloadSelector` of DestinationRules.
 */
function labelConditions(mesh: Mesh): ReadonlyMap<string, Labels> {
  const conditions: readonly Labels[] = [
    ...mesh.virtualServices.flatMap(sourceConditions),
    ...mesh.destinationRules.map(({ spec }) => spec.workloadSelector ?? {}),
  ];
  const named = conditions.map((labels) => {
    const entries = Object.entries(labels).toSorted(([left], [right]) => (left < right ? -1 : 1));
    return [JSON.stringify(entries), labels] as const;
  });
  const asking = named.filter(([, labels]) => Object.keys(labels).length > 0);
  return new Map(asking.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function sourceConditions(virtualService: VirtualServiceManifest): readonly Labels[] {
  if (virtualService.spec.hosts.length > 0 && !gatewaysOf(virtualService).includes("mesh")) return [];
  const { http, tls, tcp } = virtualService.spec;
  return [...http, ...tls, ...tcp].flatMap(({ match }) => match.map(({ sourceLabels }) => sourceLabels));
}
