import type { MeshEndpoint } from "../mesh/mesh.ts";
import type { InboundPorts } from "./inbound-ports.ts";
import { localityOf, parseLocality } from "./route-client.ts";
import type { DestinationEndpoint, Locality } from "./route-table.ts";

/** An endpoint with what decides about its distance. */
export interface PlacedEndpoint {
  readonly endpoint: DestinationEndpoint;
  readonly locality: Locality;
  /** With those that say where it is. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Those that serve a port; replicas of one workload are one endpoint.
 * @param inbound ports of workloads that are reached through a proxy of their own; undefined where none can be
 */
export function placeEndpoints(
  members: readonly MeshEndpoint[],
  port: number,
  inbound?: InboundPorts,
): readonly PlacedEndpoint[] {
  const placed: PlacedEndpoint[] = [];
  const workloads = new Set<string>();
  for (const member of members) {
    const dialled = member.ports.get(port);
    if (dialled === undefined) continue;
    if (member.source.kind === "localWorkload") {
      if (workloads.has(member.source.name)) continue;
      workloads.add(member.source.name);
    }
    const locality = placeOf(member);
    placed.push({
      endpoint: {
        ...(member.source.kind === "address"
          ? { kind: "address", address: member.source.address, port: dialled, weight: member.weight ?? 1 }
          : {
              kind: "localWorkload",
              name: member.source.name,
              ...(inbound?.get(member.source.name)?.has(dialled) === true ? { inboundPort: dialled } : {}),
            }),
        ...(locality === undefined ? {} : { locality }),
      },
      locality: locality ?? nowhere,
      labels: augment(member.labels, locality),
    });
  }
  return placed;
}

const nowhere: Locality = { region: "", zone: "", subZone: "" };

function placeOf({ locality, labels }: MeshEndpoint): Locality | undefined {
  return locality === undefined || locality === "" ? localityOf(labels) : parseLocality(locality);
}

/** Istio gives every endpoint and every proxy labels for where it is. Source: `pilot/pkg/serviceregistry/util/label`. */
export function augment(
  labels: Readonly<Record<string, string>>,
  locality: Locality | undefined,
): Readonly<Record<string, string>> {
  if (locality === undefined) return labels;
  const { region, zone, subZone } = locality;
  return {
    ...labels,
    ...(region === "" ? {} : { "topology.kubernetes.io/region": region }),
    ...(zone === "" ? {} : { "topology.kubernetes.io/zone": zone }),
    ...(subZone === "" ? {} : { "topology.istio.io/subzone": subZone }),
  };
}
