import type { MeshEndpoint, MeshService } from "./mesh.ts";

/**
 * What a second declaration of a host adds to the first: from the same namespace its endpoints for ports of the same
 * number and name, and its further ports where all else is the same; from another namespace a service of its own,
 * for clients that do not see the first. Undefined where it adds nothing: a Service takes its host whole.
 * Source: Istio `pilot/pkg/model/sidecar.go`, canMergeServices; endpoints are kept by host, namespace and port name.
 */
export function mergeServices(known: MeshService, added: MeshService): MeshService | undefined {
  if (known.namespace !== added.namespace) {
    const others = [...(known.others ?? []), added];
    return isSameView(known, added) ? undefined : { ...known, others };
  }
  if (known.origin.kind !== "ServiceEntry" || known.resolution !== added.resolution) {
    return undefined;
  }
  const isMergeable = isSameList(known.exportedTo, added.exportedTo);
  const further = isMergeable
    ? added.ports.filter((port) => !known.ports.some((other) => other.number === port.number))
    : [];
  const ports = [...known.ports, ...further];
  const shared = added.ports.filter((port) =>
    ports.some((other) => other.number === port.number && other.name === port.name && other.protocol === port.protocol),
  );
  if (shared.length === 0) {
    return undefined;
  }
  const numbers = new Set(shared.map(({ number }) => number));
  return { ...known, ports, endpoints: joinEndpoints(known.endpoints, added.endpoints, numbers) };
}

/** Endpoints of the second for some ports; a place that both name counts once. */
function joinEndpoints(
  known: readonly MeshEndpoint[],
  added: readonly MeshEndpoint[],
  numbers: ReadonlySet<number>,
): readonly MeshEndpoint[] {
  const places = new Set(known.map(placeOf));
  const joined = added.map((endpoint) => ({
    ...endpoint,
    ports: new Map([...endpoint.ports].filter(([number]) => numbers.has(number))),
  }));
  return [...known, ...joined.filter((endpoint) => endpoint.ports.size > 0 && !places.has(placeOf(endpoint)))];
}

function placeOf({ source, ports }: MeshEndpoint): string {
  const name = source.kind === "address" ? source.address : source.name;
  return `${source.kind} ${name} ${[...ports].map(([from, to]) => `${from}:${to}`).join(" ")}`;
}

/** Whoever sees the second sees the first too, and the first is a Service or the older one. */
function isSameView(known: MeshService, added: MeshService): boolean {
  return known.exportedTo.includes("*") && added.exportedTo.includes("*");
}

function isSameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((entry) => right.includes(entry));
}
